"""Which rules of a policy no case has met."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from workflows.core.policy import Entitlement, Environment, Gate, Policy, UnknownStarter
from workflows.core.refusal import Code
from workflows.policy_file.cases.compare import codes
from workflows.policy_file.cases.judge import Verdict
from workflows.policy_file.cases.raw import APPROVAL, BREAK_GLASS, RULE, Case, GateCase

# What a case that meets the rule is refused for.
_REFUSING = {
    "ticket": {
        Code.TICKET_MISSING.value,
        Code.TICKET_CLOSED.value,
        Code.TICKET_ABSENT.value,
        Code.TICKET_NOT_VERIFIED.value,
    },
    "hours": {Code.OUTSIDE_HOURS.value},
    "max_duration": {Code.DURATION_TOO_LONG.value},
    "max_total": {Code.TOTAL_TOO_LONG.value},
    "requesters": {Code.NOT_A_REQUESTER.value},
}


def rules_of(policy: Policy) -> tuple[str, ...]:
    """Every rule by a name for people: `orders-prod admin: ticket`. In the order of the policy."""
    return tuple(rule for place in policy.environments.values() for rule in _of_environment(place))


def _of_environment(place: Environment) -> Iterator[str]:
    for role in place.roles.values():
        yield from (f"{role.name}: {rule}" for rule in _of_role(role))
    for gate in place.gates.values():
        yield from _of_gate(gate)
    if place.break_glass:
        for name in place.break_glass.roles:
            yield f"{place.name} {name}: break-glass"
        yield from (f"{place.name}: break-glass {key}" for key in ("who", "max_duration"))
        if place.break_glass.max_per_day:
            yield f"{place.name}: break-glass max_per_day"
    if place.escalate:
        yield f"{place.name}: escalate"
    for freeze in place.freezes:
        yield f"{place.name}: freeze {freeze.reason!r}"


def _of_gate(gate: Gate) -> Iterator[str]:
    name = _gate_name(gate)
    yield f"{name}: approve"
    if gate.unknown_starter is UnknownStarter.REFUSE:
        yield f"{name}: unknown_starter"
    if gate.entitlement.ticket and gate.entitlement.ticket.required:
        yield f"{name}: ticket"
    if gate.entitlement.hours:
        yield f"{name}: hours"
    if gate.break_glass:
        yield f"{name}: break-glass"


def _gate_name(gate: Gate) -> str:
    return f"{gate.entitlement.environment} gate {gate.name}"


def _of_role(role: Entitlement) -> Iterator[str]:
    yield "requesters"
    if role.approve:
        yield "approve"
    yield from (f"rule {rule.name!r}" for rule in role.auto_approve)
    yield "max_duration"
    if role.max_total:
        yield "max_total"
    if role.ticket and role.ticket.required:
        yield "ticket"
    if role.hours:
        yield "hours"


def met(policy: Policy, case: Case, at: datetime, got: Verdict) -> frozenset[str]:
    """The rules that this case has met: what let it through, or what stopped it."""
    environment, role = case.environment.strip().lower(), case.role.strip().lower()
    place = policy.environments.get(environment)
    if place is None:
        return frozenset()
    said = frozenset(codes(got))
    if case.break_glass:
        return frozenset(_met_by_break_glass(place, role, got, said))
    name = f"{environment} {role}"
    refused = {f"{name}: {rule}" for rule, words in _REFUSING.items() if words & said}
    decided = {APPROVAL: f"{name}: approve", RULE: f"{name}: rule {got.rule!r}"}.get(got.outcome)
    own = {*refused, *({decided} if decided else ())}
    return frozenset({*own, *_met_of_place(place, case.start_at or at, got, said)})


def met_by_gate(policy: Policy, case: GateCase, at: datetime, got: Verdict) -> frozenset[str]:
    """As `met`, for a pipeline that waits for a gate."""
    place = policy.environments.get(case.environment.strip().lower())
    gate = place.gates.get(case.gate.strip().lower()) if place is not None else None
    if place is None or gate is None:
        return frozenset()
    said, name = frozenset(codes(got)), _gate_name(gate)
    refusing = {**_REFUSING, "unknown_starter": {Code.GATE_STARTER_UNKNOWN.value}}
    refused = {f"{name}: {rule}" for rule, words in refusing.items() if words & said}
    decided = {
        rule for outcome, rule in ((APPROVAL, "approve"), (BREAK_GLASS, "break-glass")) if got.outcome == outcome
    }
    emergency = _refused_by_break_glass(place, said) if case.broken_by is not None else ()
    return frozenset(
        {*refused, *(f"{name}: {rule}" for rule in decided), *emergency, *_met_of_place(place, at, got, said)}
    )


def _met_of_place(place: Environment, when: datetime, got: Verdict, said: frozenset[str]) -> Iterator[str]:
    for freeze in place.freezes:
        if Code.FREEZE.value in said and freeze.start <= when < freeze.until:
            yield f"{place.name}: freeze {freeze.reason!r}"
    if got.escalated:
        yield f"{place.name}: escalate"


def _met_by_break_glass(place: Environment, role: str, got: Verdict, said: frozenset[str]) -> Iterator[str]:
    if got.outcome == BREAK_GLASS:
        yield f"{place.name} {role}: break-glass"
    yield from _refused_by_break_glass(place, said)


def _refused_by_break_glass(place: Environment, said: frozenset[str]) -> Iterator[str]:
    for code, key in (
        (Code.BREAK_GLASS_NOT_ALLOWED, "who"),
        (Code.DURATION_TOO_LONG, "max_duration"),
        (Code.BREAK_GLASS_TOO_OFTEN, "max_per_day"),
    ):
        if code.value in said:
            yield f"{place.name}: break-glass {key}"

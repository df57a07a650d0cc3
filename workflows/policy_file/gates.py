"""Gates of an environment: from the file to the policy, and whether anybody could decide one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from workflows.core import policy as core
from workflows.core.durations import format_duration
from workflows.core.gates.terms import GATE_SPEC, NO_CONNECTION
from workflows.core.identity import PersonId, first_person
from workflows.core.provider import Connection
from workflows.core.rules.groups import groups_named
from workflows.core.rules.seat_matching import enough_people
from workflows.policy_file import convert, gate_targets
from workflows.policy_file.problem import Problem
from workflows.policy_file.raw import EnvironmentFile
from workflows.policy_file.raw import Gate as GateFile
from workflows.policy_file.yaml_reader import Document

_NOTHING = timedelta(0)


def resolved(
    file: EnvironmentFile,
    document: Document,
    expires_after: timedelta,
    connection: Connection,
    templates: Mapping[str, str],
) -> Mapping[str, core.Gate]:
    """`expires_after`: how long an ask waits where the gate does not say. `connection`: through which what a gate gives is given,
    by the files of `policies/`.
    """
    found = {name: _gate(name, raw, file, document, expires_after) for name, raw in (file.gates or {}).items()}
    given = {
        name: gate_targets.given(raw, connection, file.account, templates) for name, raw in (file.gates or {}).items()
    }
    return {name: replace(gate, gives=given[name]) for name, gate in found.items()}


def _gate(name: str, raw: GateFile, file: EnvironmentFile, document: Document, expires_after: timedelta) -> core.Gate:
    tier, path = core.Tier(file.tier), ("gates", name)
    entitlement = core.Entitlement(
        environment=file.environment,
        role=core.gate_role(name),
        tier=tier,
        risk=core.Risk.CHANGE,
        allows="The pipeline goes on, once",
        target=GATE_SPEC,
        connection=NO_CONNECTION,
        account=None,
        requesters=(),
        owners=file.owners,
        approve=dict(raw.approve),
        durations=(_NOTHING,),
        default_duration=_NOTHING,
        max_duration=_NOTHING,
        ticket=convert.ticket(raw.ticket, tier),
        hours=convert.hours(raw.hours),
        expires_after=raw.expires_after or expires_after,
        origins={
            "owners": document.place("owners"),
            **{key: document.place(*path, key) for key in ("approve", *raw.model_fields_set)},
        },
    )
    starter = core.UnknownStarter(raw.unknown_starter or core.UnknownStarter.ONE_MORE)
    return core.Gate(name, entitlement, starter, break_glass=raw.break_glass)


def undecidable(policy: core.Policy) -> Iterator[Problem]:
    """Gates for which there are never enough people, as far as the policy itself lists them: a pipeline would wait in vain."""
    for place in policy.environments.values():
        for gate in place.gates.values():
            if not _enough(policy, gate.entitlement):
                message = f"nobody can decide the gate {gate.name} of {place.name}: its groups have too few people"
                yield _at(gate, message, "name groups in approve that have enough people, or lower a number")


def never_opened(policy: core.Policy) -> Iterator[Problem]:
    """Gates that say they can be opened in an emergency where nobody may, or for longer than an emergency lasts there."""
    for place in policy.environments.values():
        for gate in place.gates.values():
            if not gate.break_glass:
                continue
            limits, lasts = place.break_glass, gate.gives.duration if gate.gives else _NOTHING
            if limits is None:
                message = f"the gate {gate.name} has break_glass, and {place.name} says nobody who may use break-glass"
                suggestion = "add break_glass: {who: [...], ...} to the environment, or take it out of the gate"
                yield _at(gate, message, suggestion, "break_glass")
            elif lasts > limits.max_duration:
                most = format_duration(limits.max_duration)
                message = (
                    f"'for' of the gate {gate.name} is longer than the break_glass of {place.name} allows ({most})"
                )
                yield _at(gate, message, f"write at most {most}, or take break_glass out of the gate", "break_glass")


def rules_without_gates(policy: core.Policy, document: Document) -> Iterator[Problem]:
    """A protection rule of a forge that waits at a gate which is not there: every run would be turned away."""
    for number, pipeline in enumerate(policy.pipelines):
        place = policy.environments.get(next(iter(pipeline.environments or ()), "")) if pipeline.rule else None
        if place is not None and pipeline.rule not in place.gates:
            line = document.line(("pipelines", number, "protection_rule"))
            message = f"protection_rule: {place.name} has no gate {pipeline.rule}"
            known = ", ".join(place.gates)
            help_ = f"it has: {known}" if known else "add gates: {deploy: {approve: {owners: 1}}} to the environment"
            yield Problem(document.file, line, message, help_)


def warnings(policy: core.Policy, place: core.Environment) -> Iterator[Problem]:
    """What is allowed and yet unwise."""
    yield from gate_targets.warnings(place)
    for gate in place.gates.values():
        one_more = gate.unknown_starter is core.UnknownStarter.ONE_MORE
        if place.tier is core.Tier.PRODUCTION and _one_person(policy, gate.entitlement):
            message = (
                f"one person alone decides the gate {gate.name} of {place.name}, and not what they pushed themselves"
            )
            yield _at(gate, message, "name a group of several people in approve")
        elif one_more and not _enough(policy, gate.asked_with(1)):
            message = (
                f"where nobody knows who started a pipeline, the gate {gate.name} of {place.name} has too few people"
            )
            yield _at(gate, message, "name a larger group in approve, or write unknown_starter: refuse")


def _people(policy: core.Policy, asked: core.Entitlement) -> dict[str, frozenset[PersonId] | None]:
    """Who may speak for each word of `approve`; None where somebody else keeps the list."""
    found: dict[str, frozenset[PersonId] | None] = {}
    for word in asked.approve:
        lists = [policy.groups[name].members for name in groups_named(asked, (word,)) if name in policy.groups]
        known = [one for one in lists if one is not None]
        everybody = frozenset(first_person(address) for one in known for address in one)
        found[word] = everybody if len(known) == len(lists) else None
    return found


def _enough(policy: core.Policy, asked: core.Entitlement) -> bool:
    known = {word: people for word, people in _people(policy, asked).items() if people is not None}
    return enough_people({word: asked.approve[word] for word in known}, known)


def _one_person(policy: core.Policy, asked: core.Entitlement) -> bool:
    known = _people(policy, asked).values()
    listed = [people for people in known if people is not None]
    return len(listed) == len(known) and len(frozenset().union(*listed)) == 1


def _at(gate: core.Gate, message: str, suggestion: str, key: str = "approve") -> Problem:
    file, _, line = gate.entitlement.origins[key].rpartition(":")
    return Problem(file, int(line), message, suggestion)

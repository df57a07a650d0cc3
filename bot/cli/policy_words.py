"""The effective policy as people read it. Lines of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workflows.core.durations import format_duration
from workflows.core.policy import Entitlement, Environment, Gate, Group, OnDrift, Policy, UnknownStarter, Visibility
from workflows.policy_file.channels import in_words
from workflows.policy_file.phrases import (
    approve_words,
    auto_approval_words,
    entitlement_words,
    hours_words,
    ticket_words,
    webhook_words,
)

_ORIGIN_NONE = "nobody says it"


def rendered(policy: Policy) -> Iterator[str]:
    """All groups and environments, with what holds for each role."""
    yield f"Policy {policy.hash[:12]} · receipts to {in_words(policy.receipts_channels)} · times in {policy.timezone}"
    yield ""
    yield "Groups"
    yield from _table(((name, _group(group)) for name, group in policy.groups.items()), 2)
    if policy.panic_group:
        yield f"  {policy.panic_group} may revoke everywhere."
    if policy.webhooks:
        yield ""
        yield "Webhooks"
        yield from _table(((hook.name, webhook_words(hook)) for hook in policy.webhooks), 2)
    for environment in policy.environments.values():
        yield ""
        yield f"{environment.name} · {environment.title} · {environment.tier}"
        yield from _table(_environment(environment), 2)
        for role in environment.roles.values():
            yield ""
            yield f"  {role.role} ({role.risk}): {role.allows}"
            yield from _table(_role(environment, role), 4)
        for gate in environment.gates.values():
            yield ""
            yield f"  gate {gate.name}: a pipeline waits for the owners' word"
            yield from _table(_gate(gate), 4)


def explained(policy: Policy, role: Entitlement) -> Iterator[str]:
    """One entitlement: each key, its effective value, and the line that it came from."""
    environment = policy.environments[role.environment]
    yield f"{role.name} · {environment.title} · {role.tier}"
    rows = [
        ("tier", str(role.tier)),
        ("connection", role.connection.name),
        ("account", role.account or ""),
        *entitlement_words(role),
    ]
    width, places = max(len(key) for key, _ in rows), role.origins
    longest = max(len(places.get(key, _ORIGIN_NONE)) for key, _ in rows)
    for key, value in rows:
        place = places.get(key, _ORIGIN_NONE if not value else "default")
        yield f"  {key:<{width}}  {place:<{longest}}  {value or '-'}"


def _environment(environment: Environment) -> Iterator[tuple[str, str]]:
    yield "owners", ", ".join(environment.owners)
    yield "may ask", ", ".join(environment.requesters)
    yield "approvals", in_words(environment.approvals_channels) or "direct messages to the owners"
    if environment.visibility is Visibility.MEMBERS:
        yield "visible", "who and why only to those who own or may ask"
    if break_glass := environment.break_glass:
        limits = [f"for up to {format_duration(break_glass.max_duration)}"]
        limits.append(f"{break_glass.max_per_day} times a day" if break_glass.max_per_day else "as often as needed")
        limits.append(
            f"reviewed within {format_duration(break_glass.review_within)}"
            if break_glass.review_within
            else "reviewed within a day"
        )
        yield "break-glass", f"{', '.join(break_glass.who)} to {', '.join(break_glass.roles)}, {', '.join(limits)}"
    if escalate := environment.escalate:
        may = "who may approve then" if escalate.may_approve else "who are only mentioned"
        yield "escalation", f"after {format_duration(escalate.after)} to {', '.join(escalate.to)}, {may}"
    if environment.drift is OnDrift.REVOKE:
        yield "drift", "what is ours by name and not on record is taken away"
    for freeze in environment.freezes:
        yield "frozen", f"{freeze.start:%Y-%m-%d %H:%M %Z} to {freeze.until:%Y-%m-%d %H:%M %Z}: {freeze.reason}"


def _gate(gate: Gate) -> Iterator[tuple[str, str]]:
    asked = gate.entitlement
    yield "agreed by", approve_words(asked)
    yield "waits for", format_duration(asked.expires_after)
    yield "ticket", ticket_words(asked)
    yield "hours", hours_words(asked.hours)
    refuses = gate.unknown_starter is UnknownStarter.REFUSE
    yield "unknown starter", "is refused" if refuses else "one more must agree, for each who is not known"
    if gate.break_glass:
        yield "in an emergency", "opened alone by whoever may use break-glass, in freezes and closed hours, too"


def _role(environment: Environment, role: Entitlement) -> Iterator[tuple[str, str]]:
    if role.owners != environment.owners:
        yield "owners", ", ".join(role.owners)
    if role.requesters != environment.requesters:
        yield "may ask", ", ".join(role.requesters)
    yield "agreed by", approve_words(role) or "nobody; only the rules below let anybody in"
    for rule in role.auto_approve:
        yield "by itself", auto_approval_words(rule)
    menu = ", ".join(map(format_duration, role.durations))
    yield (
        "for",
        f"{menu}; {format_duration(role.default_duration)} unless said, at most {format_duration(role.max_duration)}",
    )
    yield "ticket", ticket_words(role)
    yield "hours", hours_words(role.hours)
    yield "danger", role.danger or ""
    yield "given as", role.target.phrase() + (f" in {role.account}" if role.account else "")


def _group(group: Group) -> str:
    if group.members is not None:
        return ", ".join(sorted(group.members))
    return f"from {group.source}" + (", trusted" if group.trusted else "")


def _table(rows: Iterable[tuple[str, str]], indent: int) -> Iterator[str]:
    """Key and value in two columns; rows without a value are left out."""
    shown = [(key, value) for key, value in rows if value]
    width = max((len(key) for key, _ in shown), default=0)
    for key, value in shown:
        yield f"{' ' * indent}{key:<{width}}  {value}"

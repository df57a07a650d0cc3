"""Parts of a policy in words, one line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from workflows.core.durations import format_duration
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.policy import DIGESTS, RECEIPTS, AutoApproval, Entitlement, Gate, Hours, TicketCheck, Webhook

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def entitlement_words(role: Entitlement) -> Iterator[tuple[str, str]]:
    yield "risk", role.risk
    yield "allows", role.allows
    yield "danger", role.danger or ""
    yield "how_to", role.how_to or ""
    yield "outlives", role.outlives or ""
    yield "end_sessions", "yes" if role.end_sessions else ""
    yield "target", role.target.phrase()
    yield "owners", ", ".join(role.owners)
    yield "requesters", ", ".join(role.requesters)
    yield "approve", approve_words(role)
    yield "durations", ", ".join(map(format_duration, role.durations))
    yield "default_duration", format_duration(role.default_duration)
    yield "max_duration", format_duration(role.max_duration)
    yield "max_total", duration_words(role.max_total)
    yield "ticket", ticket_words(role)
    yield "hours", hours_words(role.hours)
    yield "auto_approve", ", ".join(map(auto_approval_words, role.auto_approve))
    yield "expires_after", format_duration(role.expires_after)


def gate_words(gate: Gate) -> Iterator[tuple[str, str]]:
    asked = gate.entitlement
    yield "approve", approve_words(asked)
    yield "ticket", ticket_words(asked)
    yield "hours", hours_words(asked.hours)
    yield "expires_after", format_duration(asked.expires_after)
    yield "unknown_starter", gate.unknown_starter
    yield "target", gate.gives.phrase() if gate.gives else ""
    yield "for", duration_words(gate.gives.duration if gate.gives else None)
    yield "outlives", (gate.gives.outlives or "") if gate.gives else ""
    yield "break_glass", "true" if gate.break_glass else ""


def approve_words(role: Entitlement) -> str:
    return ", ".join(f"{count} of {name}" for name, count in role.approve.items())


def ticket_words(role: Entitlement) -> str:
    if role.ticket is None:
        return ""
    link = f", linked to {role.ticket.link}" if role.ticket.link else ""
    most = f", for {role.ticket.max_requests} requests at most" if role.ticket.max_requests else ""
    shown = f", like {role.ticket.example}" if role.ticket.example else ""
    wanted = "" if role.ticket.required else ", not required"
    return f"{role.ticket.pattern}{shown}{wanted}{link}{most}{_verified_words(role.ticket.verify)}"


def _verified_words(check: TicketCheck | None) -> str:
    if check is None:
        return ""
    return f", verified at {check.https}, {'taken' if check.accept_unknown else 'refused'} where that is not known"


def hours_words(hours: Hours | None) -> str:
    if hours is None:
        return ""
    return f"{' '.join(_DAYS[day] for day in sorted(hours.days))} {hours.start:%H:%M}-{hours.until:%H:%M}"


def auto_approval_words(rule: AutoApproval) -> str:
    conditions = [
        f"for {' and '.join(rule.who)}",
        f"up to {format_duration(rule.max_duration)}" if rule.max_duration else "",
        "in an incident channel" if rule.in_incident_channel else "",
        hours_words(rule.hours),
        f"{rule.max_uses_per_day} times a day" if rule.max_uses_per_day else "",
    ]
    return f"{rule.name} ({'; '.join(item for item in conditions if item)})"


def webhook_words(hook: Webhook) -> str:
    """Without the address, which nobody may read."""
    kinds = " and ".join(kind for kind in (RECEIPTS, DIGESTS) if kind in hook.kinds)
    where = (
        f"of {', '.join(hook.environments)}" if hook.environments is not None else "of all environments, as outsiders"
    )
    return f"{kinds} {where}, to the address in {hook.url_env}"


def pipeline_words(one: Pipeline) -> str:
    """Who it is, then what must be true of a run of it, then what it may ask for."""
    who = (
        f"{one.forge.label} {one.repository_id} of owner {one.owner_id}, by {one.issuer}"
        if one.issuer
        else one.repository_id
    )
    conditions = [
        f"started by {' or '.join(one.events)}" if one.events else "",
        f"defined by {one.workflow}" if one.workflow else "",
        f"on {one.ref}" if one.ref else "",
        "on a ref that nobody need protect" if one.issuer and not one.ref_protected else "",
        f"for the environment {one.environment}" if one.environment else "",
    ]
    where = " and ".join(one.environments) if one.environments is not None else "all environments"
    rule = f"; {one.forge.label} waits at the gate {one.rule}" if one.rule else ""
    return f"{'; '.join((who, *filter(None, conditions)))}; asks for {where}{rule}"


def forge_words(ids: Mapping[str, int]) -> str:
    return ", ".join(f"{forge} {number}" for forge, number in sorted(ids.items()))


def duration_words(value: timedelta | None) -> str:
    return format_duration(value) if value is not None else ""

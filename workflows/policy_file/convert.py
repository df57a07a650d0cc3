"""Single parts of the files -> their place in the resolved policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workflows.core import policy as core
from workflows.core.destination import Destination, Kind
from workflows.core.identity import TEAMS
from workflows.policy_file import raw
from workflows.policy_file.values import days_of


def ticket(given: object, tier: core.Tier) -> core.Ticket | None:
    if not isinstance(given, raw.TicketRule):
        return core.Ticket(given) if isinstance(given, str) else None
    return core.Ticket(
        pattern=given.pattern,
        link=given.link,
        required=given.required,
        max_requests=given.max_requests,
        example=given.example or "",
        verify=ticket_check(given.verify, tier) if given.verify else None,
    )


def ticket_check(given: raw.TicketVerify, tier: core.Tier) -> core.TicketCheck:
    """Nobody should get into production by way of a ticket system that is down, unless the policy says so."""
    unknown = given.unknown or ("refuse" if tier is core.Tier.PRODUCTION else "accept")
    return core.TicketCheck(given.https, given.token.env if given.token else None, unknown == "accept")


def hours(given: object) -> core.Hours | None:
    if not isinstance(given, raw.Hours):
        return None
    return core.Hours(days_of(given.days), given.start, given.until)


def auto_approval(given: raw.AutoApproval) -> core.AutoApproval:
    return core.AutoApproval(
        name=given.name,
        who=given.who,
        in_incident_channel=given.in_incident_channel,
        max_duration=given.max_duration,
        hours=hours(given.hours),
        max_uses_per_day=given.max_uses_per_day,
    )


def break_glass(given: raw.BreakGlass | None, risks: Mapping[str, str]) -> core.BreakGlass | None:
    """`risks`: of the roles of the environment."""
    if given is None:
        return None
    return core.BreakGlass(
        who=given.who,
        roles=given.roles,
        max_duration=given.max_duration,
        max_per_day=given.max_per_day,
        max_total=given.max_total,
        review_within=given.review_within,
        when_chat_is_down=_when_chat_is_down(given, risks),
    )


def _when_chat_is_down(given: raw.BreakGlass, risks: Mapping[str, str]) -> tuple[str, ...]:
    """Without names only what can look: nobody sees it happen."""
    named = given.when_chat_is_down
    if isinstance(named, tuple):
        return tuple(role for role in named if role in given.roles)
    return tuple(role for role in given.roles if named and risks.get(role) == core.Risk.READ.value)


def escalation(given: raw.Escalate | None) -> core.Escalation | None:
    return core.Escalation(given.after, given.to, given.may_approve) if given else None


def freezes(given: Iterable[raw.Freeze] | None) -> tuple[core.Freeze, ...]:
    return tuple(core.Freeze(item.start, item.until, item.reason) for item in given or ())


def digest(given: raw.Digest) -> core.Digest:
    return core.Digest(given.channel, given.schedule, given.environments, given.only_if_active, given.report)


def webhook(given: raw.Webhook) -> core.Webhook:
    return core.Webhook(given.name, given.url.env, given.environments, frozenset(given.kinds))


def incident_channels(given: raw.IncidentChannels) -> core.IncidentChannels:
    teams = tuple(str(Destination(TEAMS, Kind.CHANNEL, id_)) for id_ in given.teams)
    return core.IncidentChannels(given.names, given.created_by, teams)

"""Who and when: the people behind the policy's words, and whether a moment is inside its hours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from workflows.core.dates import zone_of
from workflows.core.identity import Suspension
from workflows.core.people import GroupFacts, Member, PersonFacts, PersonId
from workflows.core.policy import GATE, OWNERS, REQUESTERS, BreakGlass, Entitlement, Environment, Hours, Policy, Tier
from workflows.core.refusal import Code, Refused

# `owners` and `requesters` mean the role's own where the policy gives it some, else the environment's.
Scope = Entitlement | Environment


def groups_named(scope: Scope, words: tuple[str, ...]) -> tuple[str, ...]:
    """Group names behind `words`, with `owners` and `requesters` replaced by the scope's own."""
    found: dict[str, None] = {}
    for word in words:
        own = {OWNERS: scope.owners, REQUESTERS: scope.requesters}.get(word, (word,))
        found.update(dict.fromkeys(own))
    return tuple(found)


def groups_that_count(policy: Policy, scope: Scope, words: tuple[str, ...]) -> tuple[str, ...]:
    """As `groups_named`, for approving: in production a group that anybody may edit speaks for nobody."""
    named = groups_named(scope, words)
    if scope.tier is not Tier.PRODUCTION:
        return named
    return tuple(name for name in named if _counts_in_production(policy, name))


def _counts_in_production(policy: Policy, name: str) -> bool:
    group = policy.groups.get(name)
    return group is not None and not group.may_be_edited


def groups_needed(policy: Policy, environment: Environment) -> tuple[str, ...]:
    """Every group whose members a decision about this environment can rest on."""
    named: dict[str, None] = dict.fromkeys((*environment.owners, *environment.requesters))
    for entitlement in environment.decided:
        words = (
            OWNERS,
            REQUESTERS,
            *entitlement.approve,
            *(who for rule in entitlement.auto_approve for who in rule.who),
        )
        named.update(dict.fromkeys(groups_named(entitlement, words)))
    if environment.break_glass:
        named.update(dict.fromkeys(groups_named(environment, environment.break_glass.who)))
    if environment.escalate:
        named.update(dict.fromkeys(groups_named(environment, environment.escalate.to)))
    if policy.panic_group:
        named[policy.panic_group] = None
    named.update(dict.fromkeys(policy.policy_changes))
    return tuple(named)


def may_break_glass(policy: Policy, environment: Environment, role: str, person: PersonId, groups: GroupFacts) -> bool:
    """Whether the policy lets this person into this role in an emergency; what they have done with it is not looked at."""
    names = _breaking(policy, environment, role)
    return names is not None and groups.surely(person, names)


def might_break_glass(
    policy: Policy, environment: Environment, role: str, person: PersonId, groups: GroupFacts
) -> bool:
    """The same for what is offered, where nobody needs to know yet."""
    names = _breaking(policy, environment, role)
    return names is not None and groups.perhaps(person, names)


def _breaking(policy: Policy, environment: Environment, role: str) -> tuple[str, ...] | None:
    """The groups that the policy lets into this role, or open this gate, in an emergency; None where there is no such thing."""
    break_glass = environment.break_glass
    if break_glass is None or not (_is_role_of(break_glass, environment, role) or _opens(environment, role)):
        return None
    return groups_that_count(policy, environment, break_glass.who)


def _is_role_of(break_glass: BreakGlass, environment: Environment, role: str) -> bool:
    return role in break_glass.roles and role in environment.roles


def _opens(environment: Environment, role: str) -> bool:
    """Whether this is a gate that says of itself that it can be opened in an emergency. `role`: as `gate_role` calls it."""
    gate = environment.gates.get(role.removeprefix(GATE).partition("+")[0]) if role.startswith(GATE) else None
    return gate is not None and gate.break_glass


def not_a_member(groups: GroupFacts, person: PersonId, names: Iterable[str], refused: Refused) -> Refused | None:
    """`refused` for somebody who is certainly in none of these groups; where that is not known, the answer that says so."""
    names = tuple(names)
    match groups.member(person, names):
        case Member.YES:
            return None
        case Member.NO:
            return refused
        case Member.UNKNOWN:
            return groups.not_known(names)


def person_problem(person: PersonFacts) -> Refused | None:
    """The refusal that holds for this account whatever it wants to do, or None."""
    return Refused(Code(person.standing_problem)) if person.standing_problem else None


def held(suspended: Suspension) -> Refused:
    """The answer to an account on hold that wants something which gives."""
    asked_in = " ".join(suspended.asked_in)
    params = {"why": suspended.word, "address": suspended.address or "", **({"asked_in": asked_in} if asked_in else {})}
    return Refused(Code.PERSON_SUSPENDED, params)


def approvers(
    policy: Policy,
    entitlement: Entitlement,
    parties: tuple[PersonId, ...],
    groups: GroupFacts,
) -> dict[str, frozenset[PersonId]]:
    """Who may agree, by group of `approve`: never one of the parties, nor who counts as one of them."""
    return {
        name: groups.members(groups_that_count(policy, entitlement, (name,))) - groups.counted_as(*parties)
        for name in entitlement.approve
    }


def within(hours: Hours, now: datetime, timezone: str) -> bool:
    """Whether `now` is inside the weekly window. A window past midnight belongs to the day on which it began."""
    local = now.astimezone(ZoneInfo(timezone))
    today, yesterday = local.weekday() in hours.days, (local.weekday() - 1) % 7 in hours.days
    at = local.time()
    if hours.start < hours.until:
        return today and hours.start <= at < hours.until
    return (today and at >= hours.start) or (yesterday and at < hours.until)


def opens_next(hours: Hours, now: datetime, timezone: str) -> datetime | None:
    """The next time at which the window opens, in UTC; None where it has no days."""
    zone = zone_of(timezone)
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=ahead) for ahead in range(8))
    moments = (datetime.combine(day, hours.start, zone) for day in days if day.weekday() in hours.days)
    return min((moment.astimezone(UTC) for moment in moments if moment > now), default=None)

"""What is looser for a production environment as a whole: break-glass, escalation, freezes, who sees it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from workflows.core.durations import format_duration
from workflows.core.loosening.crowds import came, counting, named
from workflows.core.loosening.entitlements import Side, of_role
from workflows.core.loosening.model import Kind, Loosened, limit_words, more, more_often
from workflows.core.loosening.reach import Production
from workflows.core.loosening.windows import thawed
from workflows.core.policy import OWNERS, BreakGlass, Environment, Policy, Tier, Visibility
from workflows.core.rules.break_glass import REVIEW_WITHIN


def of_environments(old: Policy, new: Policy, now: datetime) -> Iterator[Loosened]:
    """Of each that is, or was, in production, or gives what is there."""
    production = Production(old, new)
    for name, place in new.environments.items():
        before = old.environments.get(name)
        if place.tier is not Tier.PRODUCTION and (before is None or before.tier is not Tier.PRODUCTION):
            yield from _beside(old, before, new, place, production)
            continue
        if before is None:
            yield Loosened(Kind.ENVIRONMENT, name, added=tuple(place.roles))
        else:
            yield from _of_environment(old, before, new, place, now)


def _beside(
    old: Policy, before: Environment | None, new: Policy, place: Environment, production: Production
) -> Iterator[Loosened]:
    """Of one that says that it is no production, as far as it gives what is there."""
    known = production.roles_in(before)
    for role in sorted(production.roles_in(place)):
        if before is None or role not in known:
            yield Loosened(Kind.REACH, place.name, (role,))
        else:
            yield from of_role(Side(old, before.roles[role]), Side(new, place.roles[role]))
            yield from _break_glass(old, before, new, place)


def _of_environment(
    old: Policy, before: Environment, new: Policy, place: Environment, now: datetime
) -> Iterator[Loosened]:
    name = place.name
    if before.tier is Tier.PRODUCTION and place.tier is not Tier.PRODUCTION:
        yield Loosened(Kind.TIER, name, before=before.tier, after=place.tier)
    if owners := came(named(old, before, (OWNERS,)), named(new, place, (OWNERS,))):
        yield Loosened(Kind.OWNERS, name, added=owners)
    for role, found in place.roles.items():
        known = before.roles.get(role)
        if known is None:
            yield Loosened(Kind.ROLE, name, (role,))
        else:
            yield from of_role(Side(old, known), Side(new, found))
    yield from _break_glass(old, before, new, place)
    yield from _escalation(before, place)
    for freeze in thawed(before.freezes, place.freezes, now):
        yield Loosened(
            Kind.FREEZE, name, what=freeze.reason, before=f"{freeze.start:%Y-%m-%d}", after=f"{freeze.until:%Y-%m-%d}"
        )
    if before.visibility is Visibility.MEMBERS and place.visibility is Visibility.OPEN:
        yield Loosened(Kind.VISIBILITY, name)


def _break_glass(old: Policy, before: Environment, new: Policy, place: Environment) -> Iterator[Loosened]:
    now, was, name = place.break_glass, before.break_glass, place.name
    if now is None:
        return
    if was is None:
        yield Loosened(Kind.BREAK_GLASS, name, now.roles, "new", tuple(sorted(counting(new, place, now.who))))
        return
    if people := came(counting(old, before, was.who), counting(new, place, now.who)):
        yield Loosened(Kind.BREAK_GLASS, name, what="who", added=people)
    if roles := tuple(role for role in now.roles if role not in was.roles):
        yield Loosened(Kind.BREAK_GLASS, name, what="roles", added=roles)
    yield from _emergency_limits(name, was, now)


def _emergency_limits(name: str, was: BreakGlass, now: BreakGlass) -> Iterator[Loosened]:
    for key in ("max_duration", "max_total"):
        before, after = getattr(was, key), getattr(now, key)
        if more(before, after):
            yield Loosened(Kind.BREAK_GLASS, name, what=key, before=limit_words(before), after=limit_words(after))
    if more_often(was.max_per_day, now.max_per_day):
        after = str(now.max_per_day) if now.max_per_day else "no limit"
        yield Loosened(Kind.BREAK_GLASS, name, what="max_per_day", before=str(was.max_per_day), after=after)
    if _review(now) > _review(was):
        words = format_duration(_review(was)), format_duration(_review(now))
        yield Loosened(Kind.REVIEW, name, before=words[0], after=words[1])


def _review(break_glass: BreakGlass) -> timedelta:
    return break_glass.review_within or REVIEW_WITHIN


def _escalation(before: Environment, place: Environment) -> Iterator[Loosened]:
    """That its people may approve is found with the places of each role; here, that they may sooner."""
    was, now = before.escalate, place.escalate
    if was and now and was.may_approve and now.may_approve and now.after < was.after:
        words = format_duration(was.after), format_duration(now.after)
        yield Loosened(Kind.ESCALATION, place.name, what="after", before=words[0], after=words[1])

"""What is looser for a production environment as a whole: break-glass, escalation, freezes, who sees it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from workflows.core.durations import format_duration
from workflows.core.loosening.crowds import came, counting, named
from workflows.core.loosening.entitlements import Side, of_role
from workflows.core.loosening.gone import Gone
from workflows.core.loosening.model import Kind, Loosened, limit_words, more, more_often
from workflows.core.loosening.reach import Production
from workflows.core.loosening.windows import thawed
from workflows.core.loosening.workspace import where_it_leads
from workflows.core.policy import (
    OWNERS,
    BreakGlass,
    Environment,
    GateTarget,
    OnDrift,
    Policy,
    Tier,
    UnknownStarter,
    Visibility,
)
from workflows.core.rules.break_glass import REVIEW_WITHIN


def of_environments(old: Policy, new: Policy, now: datetime, gone: Gone) -> Iterator[Loosened]:
    """Of each that is, or was, in production, or gives what is there."""
    production = Production(old, new), Production(old, new, lately=gone.roles())
    for name, place in new.environments.items():
        before, last = old.environments.get(name), gone.environment(name)
        if last is not None:
            yield from _back(*last, new, place, now, gone)
        elif place.tier is not Tier.PRODUCTION and (before is None or before.tier is not Tier.PRODUCTION):
            yield from _beside(old, before, new, place, *production)
        elif before is None:
            yield Loosened(Kind.ENVIRONMENT, name, added=tuple(place.roles))
        else:
            yield from _of_environment(old, before, new, place, now, gone)


def _back(
    last: Policy, before: Environment, new: Policy, place: Environment, now: datetime, gone: Gone
) -> Iterator[Loosened]:
    """Of one that was in production, went, and comes back."""
    if place.tier is Tier.PRODUCTION:
        yield Loosened(Kind.ENVIRONMENT, place.name, what="back", added=tuple(place.roles))
    yield from _of_environment(last, before, new, place, now, gone)
    yield from where_it_leads(last, new, (place,))


def _beside(
    old: Policy,
    before: Environment | None,
    new: Policy,
    place: Environment,
    production: Production,
    lately: Production,
) -> Iterator[Loosened]:
    """Of one that says that it is no production, as far as it gives what is there, or was lately."""
    known, still = lately.roles_in(before), production.roles_in(place)
    for role in sorted(lately.roles_in(place)):
        if before is None or role not in known:
            yield Loosened(Kind.REACH, place.name, (role,), what="" if role in still else "lately")
        else:
            yield from of_role(Side(old, before.roles[role]), Side(new, place.roles[role]))
            yield from _break_glass(old, before, new, place)


def _of_environment(
    old: Policy, before: Environment, new: Policy, place: Environment, now: datetime, gone: Gone
) -> Iterator[Loosened]:
    name = place.name
    if before.tier is Tier.PRODUCTION and place.tier is not Tier.PRODUCTION:
        yield Loosened(Kind.TIER, name, before=before.tier, after=place.tier)
    if owners := came(named(old, before, (OWNERS,)), named(new, place, (OWNERS,))):
        yield Loosened(Kind.OWNERS, name, added=owners)
    for role, found in place.roles.items():
        known = before.roles.get(role)
        if known is not None:
            yield from of_role(Side(old, known), Side(new, found))
        elif (last := gone.role(name, role)) is not None:
            yield Loosened(Kind.ROLE, name, (role,), what="back")
            yield from of_role(Side(*last), Side(new, found))
        else:
            yield Loosened(Kind.ROLE, name, (role,))
    yield from _gates(old, before, new, place)
    yield from _break_glass(old, before, new, place)
    yield from _escalation(before, place)
    for freeze in thawed(before.freezes, place.freezes, now):
        yield Loosened(
            Kind.FREEZE, name, what=freeze.reason, before=f"{freeze.start:%Y-%m-%d}", after=f"{freeze.until:%Y-%m-%d}"
        )
    if before.visibility is Visibility.MEMBERS and place.visibility is Visibility.OPEN:
        yield Loosened(Kind.VISIBILITY, name)
    if before.drift is OnDrift.REVOKE and place.drift is OnDrift.ALERT:
        yield Loosened(Kind.DRIFT, name, before=before.drift, after=place.drift)


def _gates(old: Policy, before: Environment, new: Policy, place: Environment) -> Iterator[Loosened]:
    """Without a gate of that name no pipeline is answered; with one whoever may agree to it can let it on."""
    for gate in place.gates.values():
        role, known = gate.entitlement.role, before.gates.get(gate.name)
        if known is None:
            yield Loosened(Kind.ROLE, place.name, (role,))
            continue
        yield from of_role(Side(old, known.entitlement), Side(new, gate.entitlement))
        if known.unknown_starter is UnknownStarter.REFUSE and gate.unknown_starter is UnknownStarter.ONE_MORE:
            words = known.unknown_starter.value, gate.unknown_starter.value
            yield Loosened(Kind.STARTER, place.name, (role,), before=words[0], after=words[1])
        if gate.break_glass and not known.break_glass:
            yield Loosened(Kind.BREAK_GLASS, place.name, (role,), "gate")
        yield from _given(place.name, role, known.gives, gate.gives)


def _given(name: str, role: str, was: GateTarget | None, now: GateTarget | None) -> Iterator[Loosened]:
    """What the pipeline's role is given, and for longer. Nothing any more is looser as well: the gate is advice again."""
    before, after = was.phrase() if was else "", now.phrase() if now else ""
    if before != after:
        yield Loosened(Kind.TARGET, name, (role,), before=before, after=after)
    elif was and now and more(was.duration, now.duration):
        words = limit_words(was.duration), limit_words(now.duration)
        yield Loosened(Kind.DURATION, name, (role,), "for", before=words[0], after=words[1])


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
    if roles := tuple(role for role in now.when_chat_is_down if role not in was.when_chat_is_down):
        yield Loosened(Kind.BREAK_GLASS, name, what="when_chat_is_down", added=roles)
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

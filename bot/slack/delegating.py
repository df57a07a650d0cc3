"""`delegate`: who decides in one's place, for whoever is away. Carried out for the desk, and told to the delegate."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bot.slack import blocks as b
from bot.slack import notices
from bot.slack import text as t
from bot.slack.blocks import Message
from bot.slack.interaction import Interaction
from bot.slack.meant import Delegate, Whom
from workflows.context import Context
from workflows.core.dates import end_of
from workflows.core.errors import Code, Refused
from workflows.core.people import Delegation, PersonFacts, PersonId, SlackUser
from workflows.delegate import delegate, delegation_of, end_delegation
from workflows.people import Known

if TYPE_CHECKING:
    from bot.desk import Desk, Reply


def carry_out(desk: Desk, ctx: Context, act: Interaction, meant: Delegate, actor: Known, command: str) -> Reply:
    """Name somebody, end it, or show it; and say what came of it."""
    if meant.off:
        return desk.said(act, "-", end_delegation(ctx, act.who, act.id))
    if meant.whom is None:
        found = delegation_of(ctx, actor.person)
        nobody = Refused(Code.DELEGATE_NONE, audited=False)
        return desk.show(act, in_force(found, ctx.ledger.now(), command) if found else nobody)
    person = _somebody(ctx, meant.whom, actor)
    if isinstance(person, Refused):
        return desk.refuse(act, person)
    until = end_of(meant.until, ctx.ledger.now(), actor.policy.timezone)
    if until is None:
        return desk.refuse(act, Refused(Code.DELEGATE_UNTIL_UNREADABLE, {"text": meant.until[:40]}, audited=False))
    answer = delegate(ctx, act.who, person, until, act.id)
    if isinstance(answer, Refused):
        return desk.refuse(act, answer)
    found = delegation_of(ctx, actor.person)
    return desk.show(act, in_force(found, ctx.ledger.now(), command) if found else notices.answer("Done."))


def _somebody(ctx: Context, whom: Whom, actor: Known) -> PersonFacts | Refused:
    """Whom the actor means. An account that nobody has looked at yet is looked at by a worker."""
    if whom.user:
        found = ctx.directory.person(SlackUser(actor.person.slack.team, whom.user))
        return found or Refused(Code.FACTS_STALE, {"name": whom.text}, audited=False)
    found = ctx.directory.by_address(PersonId(whom.text.strip().casefold()))
    return found or Refused(Code.PERSON_UNKNOWN, {"name": whom.text}, audited=False)


def in_force(found: Delegation, now: datetime, command: str) -> Message:
    """To whoever is away."""
    until = t.when(found.until, now, with_day=True)
    line = f"{t.literal(found.to_name, 100)} decides in your place until {until}. You may still decide yourself."
    small = f"Never on what you or they asked for · `{command} delegate off` ends it"
    return b.message(line, [b.section(line), b.context(small)])


def to_the_delegate(found: Delegation, now: datetime, command: str) -> Message:
    who, until = t.literal(found.by_name, 100), t.when(found.until, now, with_day=True)
    line = f"{who} is away, and you decide in their place until {until}."
    small = f"You are called on requests that wait for them; never on yours or theirs · `{command} pending` shows what waits"
    return b.message(line, [b.section(line), b.context(small)])

"""`delegate`: who decides in one's place, for whoever is away. Carried out for the desk, and told to the delegate."""

from __future__ import annotations

from datetime import datetime

from bot.chat.commands.model import Delegate, Whom
from bot.chat.interaction import Interaction
from bot.chat.message import Line, Message, Small, message, stamp
from bot.chat.messages import notices
from bot.chat.outbox.plan import Wanted
from bot.chat.rich import Time, ours, say, short
from bot.chat.wording.labels import done_words
from workflows.core.dates import end_of
from workflows.core.identity import address_of
from workflows.core.people import Delegation, PersonFacts
from workflows.core.records.chat import ChatRecord
from workflows.core.refusal import Code, Refused
from workflows.usecases.oversight.delegate import delegate, delegation_of, end_delegation
from workflows.usecases.shared.actor import Known
from workflows.usecases.shared.context import Context


def carry_out(ctx: Context, act: Interaction, meant: Delegate, actor: Known, command: str) -> Message | Refused:
    """Name somebody, end it, or show it; and say what came of it."""
    if meant.off:
        ended = end_delegation(ctx, act.who, act.id)
        return ended if isinstance(ended, Refused) else notices.answer(done_words(ended.outcome, "-"))
    if meant.whom is not None:
        refused = _hand_over(ctx, act, meant.whom, meant.until, actor)
        if refused is not None:
            return refused
    found = delegation_of(ctx, actor.person)
    return in_force(found, ctx.ledger.now(), command) if found else Refused(Code.DELEGATE_NONE, audited=False)


def _hand_over(ctx: Context, act: Interaction, whom: Whom, until: str, actor: Known) -> Refused | None:
    person = _somebody(ctx, whom, actor)
    if isinstance(person, Refused):
        return person
    end = end_of(until, ctx.ledger.now(), actor.policy.timezone)
    if end is None:
        return Refused(Code.DELEGATE_UNTIL_UNREADABLE, {"text": until[:40]}, audited=False)
    answer = delegate(ctx, act.who, person, end, act.id)
    return answer if isinstance(answer, Refused) else None


def _somebody(ctx: Context, whom: Whom, actor: Known) -> PersonFacts | Refused:
    """Whom the actor means. An account that nobody has looked at yet is looked at by a worker."""
    if whom.user:
        found = ctx.directory.person(actor.person.colleague(whom.user))
        return found or Refused(Code.FACTS_STALE, {"name": whom.text}, audited=False)
    address = address_of(whom.text, actor.policy.former_domains)
    found = ctx.directory.by_address(address, actor.policy.former_domains) if address is not None else None
    return found or Refused(Code.PERSON_UNKNOWN, {"name": whom.text}, audited=False)


def in_force(found: Delegation, now: datetime, command: str) -> Message:
    """To whoever is away."""
    who, until = short(found.to_name, 100), Time(found.until, now, with_day=True)
    line = say("{} decides in your place until {}. You may still decide yourself.", who, until)
    small = say("Never on what you or they asked for · `{} delegate off` ends it", command)
    return message(line, Line(line), Small(small))


DELEGATED = "delegation:"


def delegation_wanted(
    record: ChatRecord, user: str, by_name: str, found: Delegation | None, now: datetime, command: str
) -> list[Wanted]:
    """What the account `user` is told: `found` where it decides in the place of `by_name` now, None where it does not.

    What was said of an earlier one is brought up to date, and that it is over is news.
    """
    current = f"{DELEGATED}{_stamp(found)}" if found else ""
    told = to_the_delegate(found, now, command) if found else None
    wanted = [Wanted(current, user, told, key="once")] if told else []
    for slot, posting in record.postings.items():
        if not slot.startswith(DELEGATED) or slot == current or posting.ts is None or _over_at(slot) <= now.timestamp():
            continue
        wanted.append(_kept(slot, user, told or over(by_name)))
        if told is None:
            wanted.append(Wanted(f"ended:{slot}", user, ended(by_name), key="once"))
    return wanted


def _stamp(found: Delegation) -> str:
    return f"{int(found.at.timestamp())}-{int(found.until.timestamp())}"


def _over_at(slot: str) -> float:
    """When that delegation ended by itself: its message said so, and stays true."""
    _, _, until = slot.removeprefix(DELEGATED).partition("-")
    return float(until) if until.isdigit() else 0.0


def _kept(slot: str, user: str, current: Message) -> Wanted:
    return Wanted(slot, user, current, key=stamp(current))


def over(by_name: str) -> Message:
    """What the message to the delegate becomes."""
    said = say("You decided in the place of {}, who does it themselves again.", short(by_name, 100))
    return message(said, Small(said))


def ended(by_name: str) -> Message:
    line = say("{} decides themselves again: you do it in their place no more.", short(by_name, 100))
    small = ours("What you agreed to in their place, and that still waits for somebody else, counts no more")
    return message(line, Line(line), Small(small))


def to_the_delegate(found: Delegation, now: datetime, command: str) -> Message:
    who, until = short(found.by_name, 100), Time(found.until, now, with_day=True)
    line = say("{} named you: you decide in their place until {}.", who, until)
    called = "You are called on requests that wait for them; never on yours or theirs · `{} pending` shows what waits"
    return message(line, Line(line), Small(say(called, command)))

"""What fails again and again, told to the person who waits for it. It is edited when it is over.

It is drawn from little, so that what cannot be shown elsewhere can be told of here. See `trouble_calls` for everybody else.
"""

from __future__ import annotations

from datetime import datetime

from bot.chat.message import Line, Message, message
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.places import direct_to
from bot.chat.rich import Rich, Time, capitalised, join, ours, say, short
from bot.chat.wording.troubles import what_fails
from workflows.core import keys
from workflows.core.canonical_json import digest
from workflows.core.records.chat import ChatRecord
from workflows.core.records.oversight import Trouble
from workflows.core.records.request import Request, RequestState
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.troubles import Concerned, concerned, is_over, told

OVER = "over"


def for_people(ctx: WorkerContext, item: str, record: ChatRecord, command: str) -> list[PlannedMessage]:
    """One message to each person whom it concerns; edited when it is over."""
    snapshot = ctx.ledger.read(keys.trouble(item))
    trouble = snapshot.readable(keys.trouble(item), Trouble)
    # What has failed once or twice since it was over last is not told of yet; what was told of before is over.
    if trouble is None or is_over(trouble, snapshot.now) or not told(trouble):
        return [PlannedMessage(slot, posting.channel, over(), key=OVER) for slot, posting in record.postings.items()]
    found = concerned(ctx, item)
    held, key = waits(trouble, found, snapshot.now, command), digest([trouble.words, found.waits])[:16]
    planned = [PlannedMessage(f"trouble:{direct_to(who)}", direct_to(who), held, key=key) for who in found.people]
    # It still fails, and nobody waits for it any more: a later end that came to nothing, say.
    rest = record.postings.keys() - {one.slot for one in planned}
    past = over(say("✔︎ This waits no more. `{} mine` tells how it stands.", command))
    return [*planned, *(PlannedMessage(slot, record.postings[slot].channel, past, key=OVER) for slot in sorted(rest))]


def waits(trouble: Trouble, found: Concerned, now: datetime, command: str) -> Message:
    line = say("⚠️ {} is delayed: {}.", capitalised(held_up(trouble, found)), short(trouble.words, 300))
    then = say("{} I keep trying.", meanwhile(found, now, command))
    return message(say("{} {}", line, then), Line(line), Line(then))


def held_up(trouble: Trouble, found: Concerned) -> Rich:
    """The request itself where nothing happens to it, else what it is of it that fails."""
    named = join(map(_named, found.requests), " and ")
    if found.waits in ("resolve", "give", "request") and named:
        return named
    whole = short(what_fails(trouble), 120)
    if found.waits == "more":
        return say("more time for {}", named)
    if found.waits == "sweepout" or not found.requests:
        return say("{}", whole)
    before, id_, after = whole.partition(found.requests[0].id)
    return say("{}{}{}", before, named if id_ else "", after)


def meanwhile(found: Concerned, now: datetime, command: str) -> Rich:
    """What this means for whoever reads it, and what they can do."""
    pending = next((request for request in found.requests if request.state is RequestState.PENDING), None)
    if found.waits == "resolve" and pending is not None:
        asked = "The access is not open yet" if pending.break_glass else "Nobody has been asked to approve it yet"
        return say("{}. It is safe with me until {}.", asked, Time(pending.expires_at, now))
    if found.waits == "chat":
        id_ = found.requests[0].id
        return say("`{} show {}` tells how it stands. What was decided stands.", command, id_)
    if found.waits == "chase" and pending is not None:
        return say("It waits for approval until {}.", Time(pending.expires_at, now))
    return ours(_MEANWHILE.get(found.waits, "What was decided stands, and access that is open ends on time."))


_MEANWHILE = {
    "give": "It is not open yet; before its end it is given as soon as that works.",
    "more": "The later end does not hold yet; the one that was agreed before does.",
    "end": "The access may still be open.",
    "sweepout": "Some of it may still be open.",
    "warn": "The access ends as agreed all the same.",
}


def _named(request: Request) -> Rich:
    terms = request.terms
    return say("{} (*{}* in `{}`)", request.id, short(terms.role, 80), short(terms.environment, 80))


_OVER = ours("✔︎ What delayed this is over.")


def over(line: Rich = _OVER) -> Message:
    return message(line, Line(line))

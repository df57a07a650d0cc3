"""What fails again and again, told to the person who waits for it. It is edited when it is over.

It is drawn from little, so that what cannot be shown elsewhere can be told of here. See `trouble_calls` for everybody else.
"""

from __future__ import annotations

from datetime import datetime

from bot.chat.outbox.plan import Wanted
from bot.chat.wording.troubles import what_fails
from bot.slack import blocks as b
from bot.slack import mrkdwn as t
from bot.slack.blocks import Message
from workflows.core import keys
from workflows.core.canonical_json import digest
from workflows.core.records.chat import ChatRecord
from workflows.core.records.oversight import Trouble
from workflows.core.records.request import Request, RequestState
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.troubles import Concerned, concerned, is_over, told

OVER = "over"


def for_people(ctx: WorkerContext, item: str, record: ChatRecord, command: str) -> list[Wanted]:
    """One message to each person whom it concerns; edited when it is over."""
    snapshot = ctx.ledger.read(keys.trouble(item))
    trouble = snapshot.readable(keys.trouble(item), Trouble)
    # What has failed once or twice since it was over last is not told of yet; what was told of before is over.
    if trouble is None or is_over(trouble, snapshot.now) or not told(trouble):
        return [Wanted(slot, posting.channel, over(), key=OVER) for slot, posting in record.postings.items()]
    found = concerned(ctx, item)
    message, key = waits(trouble, found, snapshot.now, command), digest([trouble.words, found.waits])[:16]
    wanted = [Wanted(f"trouble:{who.user}", who.user, message, key=key) for who in found.people]
    # It still fails, and nobody waits for it any more: a later end that came to nothing, say.
    rest = record.postings.keys() - {one.slot for one in wanted}
    past = over(f"✔︎ This waits no more. `{command} mine` tells how it stands.")
    return [*wanted, *(Wanted(slot, record.postings[slot].channel, past, key=OVER) for slot in sorted(rest))]


def waits(trouble: Trouble, found: Concerned, now: datetime, command: str) -> Message:
    what = held_up(trouble, found)
    line = f"⚠️ {what[:1].upper()}{what[1:]} is held up: {t.literal(trouble.words, 300)}."
    then = f"{meanwhile(found, now, command)} I keep trying."
    return b.message(f"{line} {then}", [b.section(line), b.section(then)])


def held_up(trouble: Trouble, found: Concerned) -> str:
    """The request itself where nothing happens to it, else what it is of it that fails."""
    named = " and ".join(map(_named, found.requests))
    if found.waits in ("resolve", "give", "request") and named:
        return named
    whole = t.literal(what_fails(trouble), 120)
    if found.waits in ("more", "sweepout") or not found.requests:
        return f"more time for {named}" if found.waits == "more" else whole
    return whole.replace(found.requests[0].id, named)


def meanwhile(found: Concerned, now: datetime, command: str) -> str:
    """What this means for whoever reads it, and what they can do."""
    pending = next((request for request in found.requests if request.state is RequestState.PENDING), None)
    if found.waits == "resolve" and pending is not None:
        asked = "The access is not open yet" if pending.break_glass else "Nobody has been asked to approve it yet"
        return f"{asked}. It is safe with me until {t.when(pending.expires_at, now)}."
    if found.waits == "chat":
        return f"`{command} show {found.requests[0].id}` tells how it stands. What was decided stands."
    if found.waits == "chase" and pending is not None:
        return f"It waits for approval until {t.when(pending.expires_at, now)}."
    return _MEANWHILE.get(found.waits, "What was decided stands, and access that is open ends on time.")


_MEANWHILE = {
    "give": "It is not open yet; before its end it is given as soon as that works.",
    "more": "The later end does not hold yet; the one that was agreed before does.",
    "end": "The access may still be open.",
    "sweepout": "Some of it may still be open.",
    "warn": "The access ends as agreed all the same.",
}


def _named(request: Request) -> str:
    terms = request.terms
    return f"{request.id} (*{t.literal(terms.role, 80)}* in `{t.literal(terms.environment, 80)}`)"


def over(line: str = "✔︎ What held this up is over.") -> Message:
    return b.message(line, [b.section(line)])

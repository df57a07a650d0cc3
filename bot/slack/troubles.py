"""What fails again and again, in chat: a message to the person who waits for it, and one to the people who run this.

Both are edited when it is over. They are drawn from little, so that what cannot be shown elsewhere can be told of here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.slack import blocks as b
from bot.slack import text as t
from bot.slack.blocks import Message
from bot.slack.plan import Wanted
from bot.trouble_words import what_fails
from workflows.context import WorkerContext
from workflows.core import keys
from workflows.core.canonical import digest
from workflows.core.model import ChatRecord, Request, RequestState, Trouble
from workflows.core.policy import Policy
from workflows.troubles import Concerned, alarmed, concerned, is_over, standing, told

ALARM, OVER = "alarm", "over"
# An alarm names so many; the others are counted.
LINES_MAX = 10


# ---------------------------------------------------------------- the person who waits


def for_people(ctx: WorkerContext, item: str, record: ChatRecord) -> list[Wanted]:
    """One message to each person whom it concerns; edited when it is over."""
    snapshot = ctx.ledger.read(keys.trouble(item))
    trouble = snapshot.readable(keys.trouble(item), Trouble)
    if trouble is None or is_over(trouble, snapshot.now):
        return [Wanted(slot, posting.channel, _over(), key=OVER) for slot, posting in record.postings.items()]
    if not told(trouble):
        return []
    found = concerned(ctx, item)
    message = _waits(trouble, found, snapshot.now)
    return [Wanted(f"trouble:{who.user}", who.user, message, key=digest(trouble.words)[:16]) for who in found.people]


def _waits(trouble: Trouble, found: Concerned, now: datetime) -> Message:
    what = " and ".join(_named(request) for request in found.requests) or what_fails(trouble)
    line = f"⚠️ {what} is held up: {t.literal(trouble.words, 300)}."
    return b.message(f"{line} {_and_now(found, now)}", [b.section(line), b.section(_and_now(found, now))])


def _and_now(found: Concerned, now: datetime) -> str:
    """What this means for whoever reads it, and what they can do."""
    pending = [request for request in found.requests if request.state is RequestState.PENDING]
    if found.waits == "resolve" and pending:
        asked = "You are not in yet" if pending[0].break_glass else "Nobody has been asked to approve it yet"
        return f"{asked}. It is safe with me until {t.when(pending[0].expires_at, now)}, and I keep trying."
    if found.waits == "give":
        return "It is not open yet. I keep trying while there is time left, and tell you what comes of it."
    return "What was decided stands, and access that is open ends on time. I keep trying."


def _named(request: Request) -> str:
    terms = request.terms
    return f"{request.id} (*{t.literal(terms.role, 80)}* in `{t.literal(terms.environment, 80)}`)"


def _over() -> Message:
    return b.message("✔︎ What held this up is over.", [b.section("✔︎ What held this up is over.")])


# ---------------------------------------------------------------- the people who run this


def for_operators(ctx: WorkerContext, policy: Policy | None, record: ChatRecord) -> list[Wanted]:
    """One message a place, which lists all that fails; it is edited while there is any, and the next time is a new one."""
    failing = [trouble for trouble in standing(ctx) if alarmed(trouble)]
    open_ = {slot: post for slot, post in record.postings.items() if post.shown != OVER}
    if not failing:
        return [Wanted(slot, post.channel, _all_over(), key=OVER) for slot, post in open_.items()]
    now = ctx.ledger.now()
    message = _alarm(failing, now)
    key = digest([[trouble.item, trouble.words] for trouble in failing])[:16]
    found = []
    for place in _places(ctx, policy):
        slot = next((slot for slot, post in open_.items() if post.channel == place), None)
        found.append(Wanted(slot or f"{ALARM}:{int(now.timestamp())}:{place}", place, message, key=key, urgent=True))
    return found


def without_what_is_over(record: ChatRecord) -> ChatRecord:
    """What has been said to be over is not needed any more."""
    return replace(record, postings={slot: post for slot, post in record.postings.items() if post.shown != OVER})


def _places(ctx: WorkerContext, policy: Policy | None) -> list[str]:
    if policy is None:
        return []
    names = (policy.panic_group,) if policy.panic_group else ()
    members = ctx.directory.groups(policy, names).members(names)
    people = ctx.directory.of_people(sorted(members)).values()
    users = [facts.slack.user for facts in people if not facts.standing_problem]
    return list(dict.fromkeys((policy.receipts_channel, *users)))


def _alarm(failing: Sequence[Trouble], now: datetime) -> Message:
    count = "Something fails" if len(failing) == 1 else f"{len(failing)} things fail"
    line = f"⚠️ {count} again and again, and I keep trying."
    lines = [_line(trouble, now) for trouble in failing[:LINES_MAX]]
    if len(failing) > LINES_MAX:
        lines.append(f"and {len(failing) - LINES_MAX} more")
    todo = (
        "What to do: look for the error number in the logs of `worker`, `clock` and `web`; `/readyz` lists what still fails. "
        "Access whose end fails has an alarm of its own."
    )
    listed = "\n".join(f"• {said}" for said in lines)
    return b.message(f"{line} {'; '.join(lines)}. {todo}", [b.section(line), b.section(listed), b.context(todo)])


def _line(trouble: Trouble, now: datetime) -> str:
    what = what_fails(trouble)
    return f"{t.literal(what, 120)}, since {t.when(trouble.since, now)}: {t.literal(trouble.words, 200)}"


def _all_over() -> Message:
    return b.message("✔︎ What failed is over.", [b.section("✔︎ What failed is over.")])

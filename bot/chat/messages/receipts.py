"""Receipts: the root of a thread, one line with the state, and a line for each audit entry under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.chat.message import Line, Listing, Message, Small, message
from bot.chat.messages.approval_card import fallback, headline, status
from bot.chat.rich import NOTHING, Rich, Time, join, lines, ours, rich, say, short
from bot.chat.views.request_view import RequestView
from bot.chat.wording.events import event_words
from bot.chat.wording.labels import Stage
from workflows.core.audit import AuditEntry
from workflows.core.durations import format_duration
from workflows.core.people import PersonId

# More entries than this go into the next reply, so that none is cut.
ENTRIES_MAX = 20
UNREADABLE_SHOWN = 10
# Of a break-glass everybody reads why and for how long, as long as it lasts.
_UNDER_WAY = frozenset({Stage.SETTING_UP, Stage.ACTIVE})


def receipt_root(view: RequestView) -> Message:
    """One line, edited as it goes. It calls nobody."""
    if view.hidden:
        line = say("{} · {} · {} · {}", short(view.environment), view.tier_words, view.state, view.id)
        return message(line, Line(line))
    place = short(view.environment, 80)
    waiting = view.stage is Stage.WAITING or (view.break_glass and view.stage in _UNDER_WAY)
    time = NOTHING if view.pipeline else say("for {}: ", format_duration(view.duration))
    asked = say("{}{}", time, short(view.reason, 120)) if waiting else NOTHING
    emergency = view.gate.emergency if view.gate is not None else None
    # What its pipeline wanted to change stood there while it waited.
    asked = say("{}", short(emergency.reason, 120)) if emergency is not None else asked
    return message(fallback(view), Line(join((headline(view), asked, status(view), place, view.id))))


def receipt_replies(
    entries: Sequence[AuditEntry],
    names: Mapping[PersonId, str],
    *,
    deadline: datetime | None = None,
    hidden: bool = False,
    provider: str = "",
) -> Message:
    """At most `ENTRIES_MAX` entries as one message, a line each, oldest first. The caller sends the others after it.

    `deadline`: the grant's, for "active until". `hidden`: leave out who and why. `provider`: of the target that it is about.
    """
    shown = entries[:ENTRIES_MAX]
    told = [receipt_line(entry, names, deadline=deadline, hidden=hidden, provider=provider) for entry in shown]
    return message(lines(told), Listing(told))


def receipt_line(
    entry: AuditEntry,
    names: Mapping[PersonId, str],
    *,
    deadline: datetime | None = None,
    hidden: bool = False,
    provider: str = "",
) -> Rich:
    """`03:20 approved by Olu Owner · #1873 9f2c41d07ab3`."""
    told = event_words(entry, names, deadline=deadline, hidden=hidden, provider=provider)
    words = rich(told, entry.at)
    return say("{} {} · {}", Time(entry.at, entry.at), words, mark(entry.number, entry.digest))


def mark(number: int, digest: str) -> str:
    """What makes the channel a witness: the entry's number and the first 12 hex digits of its digest."""
    return f"#{number} {digest[:12]}".rstrip()


def policy_activated(entry: AuditEntry, command: str = "/prodaccess", called: Rich = NOTHING) -> Message:
    """The rules have changed: which copy is in force, and what is different. Reads the entry that activation wrote.

    `called`: who is asked to look at it, where it makes production looser; nobody where its reader is one of them.
    """
    facts = entry.facts
    commit = say(" (commit {})", short(facts["commit"][:12])) if facts.get("commit") else NOTHING
    line = say("📜 Policy {} is in force{}", short(facts.get("policy", "")[:12]), commit)
    changed = [item for item in entry.private.get("difference", "").splitlines() if item.strip()]
    told = [say("• {}", short(item, 300)) for item in changed]
    listed = Listing(told or [ours("Nothing that decides anything has changed.")], room=8000)
    when, proof = Time(entry.at, entry.at), mark(entry.number, entry.digest)
    small = Small(say("{} · {} · `{} envs` lists what there is", when, proof, command))
    return message(line, Line(line), *_looser(entry, called), listed, small)


def is_looser(entry: AuditEntry) -> bool:
    """Whether an activation let more into production, or nobody could tell."""
    return bool(entry.facts.get("looser"))


def _looser(entry: AuditEntry, called: Rich) -> tuple[Line | Listing, ...]:
    if not is_looser(entry):
        return ()
    found = [item for item in entry.private.get("looser", "").splitlines() if item.strip()]
    whom = say("{}: please look at it.", called) if called else ours("Please look at it.")
    if not found:
        unknown = "⚠️ *Whether production is looser now is not known:* the policy before this one is not on record."
        return (Line(say("{} {}", ours(unknown), whom)),)
    head = Line(say("⚠️ *Production is looser now.* {}", whom))
    return head, Listing([say("• {}", short(item, 300)) for item in found], room=4000), Line(ours("All changes:"))


def unreadable(entries: Sequence[AuditEntry]) -> Message:
    """An alarm for the people who run this: what cannot be read, what that means, what to do."""
    line = ours("⚠️ Something in my records cannot be read")
    shown = [
        say("• {} · {}", short(_what_is_wrong(item), 200), mark(item.number, item.digest))
        for item in entries[:UNREADABLE_SHOWN]
    ]
    left = len(entries) - len(shown)
    more = [say("… and {} more: `/readyz` and the log have them", left)] if left else []
    means = say(
        "Each harms itself alone: what rests on it is refused, and access that it stands for still ends on time. "
        "The platform team looks it up under *What cannot be read* in docs/operations.md."
    )
    return message(line, Line(line), Listing([*shown, *more]), Small(means))


def _what_is_wrong(entry: AuditEntry) -> str:
    return entry.private.get("why") or entry.private.get("what", "")


def summary(views: Sequence[RequestView], count: int | None = None, command: str = "/prodaccess") -> Message:
    """In place of many messages, when more wait for a channel than it can take: one line each, then the rest as a number."""
    total = len(views) if count is None else max(count, len(views))
    things = "1 thing" if total == 1 else f"{total} things"
    head = say("{} changed here while messages had to wait. How they stand now:", things)
    rows = [_summed(view) for view in views]
    listed = Listing(rows, room=11_000)
    left = total - len(views)
    tail = Small(say("… and {} more: `{} list`", left, command)) if left else None
    return message(lines((head, *rows)), Line(head), listed, tail)


def _summed(view: RequestView) -> Rich:
    if view.hidden:
        return say("• {} · {} · {}", short(view.environment), view.state, view.id)
    return say("• {} · {} · {}", headline(view), status(view), view.id)

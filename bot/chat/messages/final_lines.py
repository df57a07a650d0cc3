"""What is final, a message each, for a place in which nothing can be changed afterwards: it says by itself whom and what it is
about, because no thread and no card stands round it.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.message import Line, Listing, Message, Small, message, quote
from bot.chat.messages.approval_card import headline
from bot.chat.messages.receipts import mark
from bot.chat.rich import Rich, Time, join, lines, ours, rich, say, short
from bot.chat.views.request_view import RequestView
from bot.chat.wording.events import event_words
from bot.chat.wording.labels import Words
from workflows.core.audit import AuditEntry, Event
from workflows.core.durations import format_duration

# With what somebody was given access, everybody reads for how long and why.
_GIVEN = frozenset(
    {
        Event.REQUEST_APPROVED,
        Event.REQUEST_AUTO_APPROVED,
        Event.BREAK_GLASS_USED,
        Event.GATE_APPROVED,
        Event.GATE_BROKEN,
    }
)


def final_line(entry: AuditEntry, view: RequestView) -> Message:
    """One entry of a request. It calls nobody."""
    words = _words(entry, view)
    what = say("{} {}", Time(entry.at, entry.at), rich(words, entry.at))
    given = entry.event in _GIVEN and not view.hidden
    asked = say("For {}:", format_duration(view.duration)) if given and not view.pipeline else ()
    small = join((short(view.environment, 80), view.id, mark(entry.number, entry.digest)))
    return message(
        join((_about(view), rich(words, entry.at), view.id)),
        Line(lines((_about(view), what, asked))),
        quote(view.reason) if given else None,
        Small(small),
    )


def final_lines_summed(told: Sequence[tuple[AuditEntry, RequestView]], total: int, command: str) -> Message:
    """In place of many: of each request the newest that is final. `total`: how many requests there are, with the others."""
    things = "1 thing" if total == 1 else f"{total} things"
    head = say("{} changed here while messages had to wait. What came of them:", things)
    rows = [_summed(entry, view) for entry, view in told]
    left = total - len(rows)
    tail = Small(say("… and {} more: `{} list`", left, command)) if left else None
    return message(lines((head, *rows)), Line(head), Listing(rows, room=11_000), tail)


def _summed(entry: AuditEntry, view: RequestView) -> Rich:
    told = say("{} {}", Time(entry.at, entry.at), rich(_words(entry, view), entry.at))
    return say("• {} · {} · {} · {}", _about(view), told, view.id, mark(entry.number, entry.digest))


def _words(entry: AuditEntry, view: RequestView) -> Words:
    """With the names of its people for entries that do not carry them."""
    names = {view.holder_id: view.holder, view.requester_id: view.requester}
    return event_words(entry, names, deadline=view.deadline, hidden=view.hidden, provider=view.provider)


def _about(view: RequestView) -> Rich:
    """`Dana Dev · *read-only* in *Payments* · 🔴 production`; to outsiders of a hidden environment where alone."""
    if view.hidden:
        return say("{} · {}", short(view.environment, 80), view.tier_words)
    if view.pipeline:
        return headline(view)
    role = say("*{}*", short(view.role, 80)) if view.role else ours("access")
    return say("{} · {} in *{}* · {}", short(view.holder, 100), role, short(view.title, 100), view.tier_words)

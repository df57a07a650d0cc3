"""Which messages there are about what was asked for in one go: pure, as `plan` is for one request.

All stand in the record of the first request: a card for each panel, one message to who asked, one thread of receipts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from bot.chat.message import Listing, Message, message, stamp, value_of
from bot.chat.messages import batch as several
from bot.chat.messages import receipts
from bot.chat.messages.approval_card import approval_card
from bot.chat.outbox.plans.cards import calls_to, card_channels
from bot.chat.outbox.plans.holder import beside, nobody_there, unreached
from bot.chat.outbox.plans.planning import OVER, QUIET, Kept, PlannedMessage, PlanningInput, for_channel
from bot.chat.outbox.plans.receipts import news_of, receipt_channels, root_slot
from bot.chat.outbox.plans.request import alarms, passing_until_s
from bot.chat.rich import Rich, lines, say, short
from bot.chat.views.request_view import RequestView, for_outsiders
from bot.chat.wording.labels import Stage
from workflows.core.audit import AuditEntry, Event
from workflows.core.destination import is_person
from workflows.core.people import PersonId
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.rules.batch import terms_of

# All are shown together as soon as all names are confirmed; one that is slow holds up the others no longer than this.
GATHERS_IN_S = 3.0

# Slot of what is told under the requester's message.
_NEWS = "news:"

RequestViews = Sequence[RequestView]
Render = Callable[[RequestViews], Message]


@dataclass(frozen=True, slots=True)
class Batch:
    """All that was asked in one go, in order, and who decides what: `panels` are ids of theirs."""

    members: tuple[PlanningInput, ...]
    panels: tuple[tuple[str, ...], ...]

    @property
    def first(self) -> PlanningInput:
        return self.members[0]

    @property
    def chat(self) -> ChatRecord:
        return self.first.chat

    @property
    def views(self) -> list[RequestView]:
        return [facts.view for facts in self.members]


def wait_s(batch: Batch, since: Mapping[str, datetime | None]) -> float:
    """Seconds until it is worth telling: names that are looked up, a state that passes. `since`: when the states began."""
    gathering = [
        GATHERS_IN_S - (view.now - view.created_at).total_seconds()
        for view in batch.views
        if view.stage is Stage.WAITING and not view.resolved
    ]
    passing = [passing_until_s(view, since.get(view.id)) for view in batch.views]
    return max(0.0, *gathering, *passing)


def batch_planned(batch: Batch) -> list[PlannedMessage]:
    """In the order in which they matter, as for one request."""
    panels = [_Panel(batch, ids) for ids in batch.panels]
    found = [item for panel in panels for item in panel.cards()] + _left_behind(batch)
    found += [item for panel in panels for item in panel.calls()]
    found += [item for facts in batch.members for item in alarms(facts)]
    own = [item for panel in panels for item in panel.unreached()] + _requester(batch)
    return [*found, *beside(batch.first, own), *_receipts(batch)]


# ---------------------------------------------------------------- the cards


class _Panel:
    """Those on one card. Its messages are found among the batch's by the panel's first id."""

    def __init__(self, batch: Batch, ids: Sequence[str]) -> None:
        self._id, self._alone = ids[0], len(ids) == 1
        panel = [facts for facts in batch.members if facts.request.id in ids]
        self._shown = [facts for facts in panel if facts.view.resolved]
        own = {
            slot.removesuffix(f":{self._id}"): posting
            for slot, posting in batch.chat.postings.items()
            if slot.endswith(f":{self._id}")
        }
        self._chat = replace(batch.chat, postings=own)

    def cards(self) -> list[PlannedMessage]:
        if not self._shown:
            return []
        return [self._card(channel) for channel in card_channels(self._speaker())]

    def unreached(self) -> list[PlannedMessage]:
        if not self._shown:
            return []
        speaker = self._speaker()
        own = (*nobody_there(speaker), *unreached(speaker))
        return [replace(item, slot=f"{item.slot}:{self._id}") for item in own]

    def calls(self) -> list[PlannedMessage]:
        """The reminders of the first that waits: all were asked at the same time, of the same people."""
        if not self._shown:
            return []
        return [
            replace(item, slot=f"{item.slot}:{self._id}", under=item.under and f"{item.under}:{self._id}")
            for item in calls_to(self._speaker())
        ]

    def _speaker(self) -> PlanningInput:
        """The one that most is to be done about, with the panel's messages as its own."""
        stage = several.stage_of([facts.view for facts in self._shown])
        facts = next(facts for facts in self._shown if facts.view.stage is stage)
        return replace(facts, chat=self._chat)

    def _card(self, channel: str) -> PlannedMessage:
        views, mentions = _for(self._shown, channel), self._speaker().calls.at(channel).mentions
        value = value_of(self._id, terms_of([facts.request for facts in self._shown]))

        def render(views: RequestViews) -> Message:
            # Alone among its owners it is a card like any other.
            if self._alone:
                return approval_card(views[0], mentions, to_owner=is_person(channel))
            return several.card(views, value, mentions, to_owner=is_person(channel))

        return _rendered(f"card:{channel}:{self._id}", channel, views, render)


def _left_behind(batch: Batch) -> list[PlannedMessage]:
    """Cards of a panel that is none any more: who decides has changed, by the policy or because less was agreed to."""
    panels = {ids[0]: ids for ids in batch.panels}
    stand = [slot for slot, post in batch.chat.postings.items() if slot.startswith("card:") and post.ts]
    slots = [(slot, *slot.removeprefix("card:").rpartition(":")[::2]) for slot in stand]
    return [
        PlannedMessage(slot, channel, moved := several.moved(id_), key=stamp(moved))
        for slot, channel, id_ in slots
        if id_ not in panels
    ]


def _for(members: Sequence[PlanningInput], channel: str) -> list[RequestView]:
    """As this channel may see them. Where it may not see one, it sees none: together they would tell who it is."""
    views = [for_channel(facts, channel) for facts in members]
    return [for_outsiders(view) for view in views] if any(view.hidden for view in views) else views


def _rendered(slot: str, channel: str, views: RequestViews, render: Render) -> PlannedMessage:
    """A message that is kept current; a minute less of the time that is left is not worth an edit."""

    def still() -> Message:
        return render([replace(view, now=view.created_at) for view in views])

    return PlannedMessage(slot, channel, Kept(lambda: render(views), still))


# ---------------------------------------------------------------- who asked


def _requester(batch: Batch) -> list[PlannedMessage]:
    """One message with the state of each. What happens to one after it was sent is told under it, too: an edit rings nobody."""
    user = batch.first.asker
    slot = f"several:{user}"
    quiet = frozenset({Stage.WAITING, Stage.SETTING_UP, Stage.WITHDRAWN})
    told = slot in batch.chat.postings or batch.first.request.origin.by_form
    if not told and all(view.stage in quiet for view in batch.views):
        return []
    found = [_rendered(slot, user, batch.views, _answer(batch))]
    posting = batch.chat.postings.get(slot)
    if posting is not None and posting.ts is not None:
        found += _news(batch, posting, slot, user)
    return [*found, *_warnings(batch)]


def _answer(batch: Batch) -> Render:
    """While all of them wait it says who was asked."""
    deciders = {facts.request.id: facts.deciders for facts in batch.members}

    def render(views: RequestViews) -> Message:
        if any(view.stage is not Stage.WAITING for view in views):
            return several.state(views)
        by_id = {view.id: view for view in views}
        panels = [([by_id[id_] for id_ in ids], deciders[ids[0]]) for ids in batch.panels]
        return several.asked(panels, batch.first.command)

    return render


def _news(batch: Batch, posting: Posting, under: str, user: str) -> list[PlannedMessage]:
    """What came together is told together. The slot says what it tells, so that an interrupted post is finished as it was."""
    news = {f"{view.id}={view.stage}": view for view in batch.views if _came_after(view, posting)}
    slots = [slot for slot in batch.chat.postings if slot.startswith(_NEWS)]
    told = {one for slot in slots for one in slot.removeprefix(_NEWS).split(",")}
    unfinished = [slot for slot in slots if batch.chat.postings[slot].ts is None]
    fresh = [one for one in news if one not in told]
    found = []
    for slot in [*unfinished, *([_NEWS + ",".join(fresh)] if fresh else [])]:
        views = [news[one] for one in slot.removeprefix(_NEWS).split(",") if one in news]
        if views:
            found.append(PlannedMessage(slot, user, several.news(views), key="once", under=under))
    return found


def _came_after(view: RequestView, posting: Posting) -> bool:
    at = _since(view)
    return at is not None and at.timestamp() > posting.posted_at_s


def _since(view: RequestView) -> datetime | None:
    """When it came to be as it is, where the requester has to hear of that."""
    if view.stage in (Stage.ACTIVE, Stage.AGREED):
        return view.activated_at or view.decided_at
    missed = view.stage is Stage.ENDED and view.activated_at is None
    return view.closed_at if view.stage in OVER and (view.stage not in QUIET or missed) else None


def _warnings(batch: Batch) -> list[PlannedMessage]:
    """One for all that end in the same minute."""
    ending = [facts.view for facts in batch.members if facts.warned and facts.view.stage is Stage.ACTIVE]
    found = []
    for minute, views in groupby(sorted(ending, key=_minute), key=_minute):
        user = batch.first.place(f"warning:{minute}:{{}}", batch.first.warned_at or batch.first.asker)
        found.append(_rendered(f"warning:{minute}:{user}", user, list(views), several.ending))
    return found


def _minute(view: RequestView) -> int:
    return int(view.deadline.timestamp() // 60) if view.deadline else 0


# ---------------------------------------------------------------- receipts


def _receipts(batch: Batch) -> list[PlannedMessage]:
    if not any(view.resolved or view.stage in OVER for view in batch.views):
        return []
    channels = receipt_channels(batch.first.request, batch.first.receipts_channels)
    return [item for channel in channels for item in _thread(batch, channel)]


def _thread(batch: Batch, channel: str) -> list[PlannedMessage]:
    slot = root_slot(channel)
    news = _lines(batch, channel, slot)
    if news is None and slot in batch.chat.told and slot not in batch.chat.postings:
        # A summary told all there is; a thread begins with what happens next.
        return []
    found = [_rendered(slot, channel, _for(batch.members, channel), several.root)]
    return [*found, news] if news else found


def _lines(batch: Batch, channel: str, slot: str) -> PlannedMessage | None:
    """The entries that the thread has not told yet, each with what it is about."""
    entries = sorted((entry for facts in batch.members for entry in facts.entries), key=lambda entry: entry.number)
    news = news_of(batch.chat, entries, channel)
    waits = all(view.stage is Stage.WAITING for view in batch.views)
    if not news or (waits and all(entry.event is Event.REQUEST_MADE for entry in news)):
        return None
    shown = news[: receipts.ENTRIES_MAX]
    views = {view.id: view for view in _for(batch.members, channel)}
    deadlines = {view.id: view.deadline for view in batch.views}
    names = {facts.request.holder: facts.request.holder_name for facts in batch.members}
    told = [_line(entry, views[entry.subject], names, deadlines[entry.subject]) for entry in shown]
    whole = message(lines(told), Listing(told))
    return PlannedMessage(
        f"lines:{shown[0].number}:{channel}", channel, whole, key="once", under=slot, told=shown[-1].number
    )


def _line(entry: AuditEntry, view: RequestView, names: Mapping[PersonId, str], deadline: datetime | None) -> Rich:
    told = receipts.receipt_line(entry, names, deadline=deadline, hidden=view.hidden, provider=view.provider)
    which = f"{view.role} in {view.title}" if view.role else view.environment
    return say("{} · {}", short(which, 120), told)

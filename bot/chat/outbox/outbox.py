"""What every subject of chat is shown with: the ledger, the chat, and whom to call; and how what is wanted is sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.chat.chats import Chats
from bot.chat.message import Message
from bot.chat.outbox.deliveries import Deliveries
from bot.chat.outbox.outages import Outages
from bot.chat.outbox.plans.cards import is_card
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.plans.reach import told_at
from bot.chat.outbox.plans.receipts import is_receipt
from bot.chat.outbox.postings import Later, Overtaken, PostingSession, Stopped
from bot.chat.outbox.recipients import Recipients
from bot.chat.outbox.waiting import TURNS_AHEAD_MAX, note_card, note_waiting
from bot.chat.places import surface_of
from bot.chat.surface import NotDone
from bot.chat.views.read_model import Reader
from bot.directory.refresh import ChatDirectory
from workflows.core import keys
from workflows.core.audit import AuditEntry
from workflows.core.destination import is_person
from workflows.core.policy import Policy
from workflows.core.records.chat import ChatRecord
from workflows.ports import Buckets, Change, Committed, IndexEntry, PolicyUnavailable
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.troubles import over


@dataclass
class Outbox:
    """`command`: the name of the slash command, as it is typed."""

    ctx: WorkerContext
    chats: Chats
    directory: ChatDirectory
    buckets: Buckets
    command: str
    reader: Reader
    outages: Outages
    delivery: Deliveries
    recipients: Recipients

    @classmethod
    def of(cls, ctx: WorkerContext, chats: Chats, buckets: Buckets, directory: ChatDirectory, command: str) -> Outbox:
        outages = Outages(ctx, chats)
        delivery = Deliveries(ctx, chats, buckets, outages, command)
        recipients = Recipients(ctx, directory.away, lambda place: outages.word(place) is not None)
        return cls(ctx, chats, directory, buckets, command, Reader(ctx), outages, delivery, recipients)

    def policy(self) -> Policy | None:
        try:
            return self.ctx.policy.current()
        except PolicyUnavailable:
            return None

    # ------------------------------------------------------------ sending

    def send(
        self, page: PostingSession, items: Sequence[PlannedMessage], versions: Mapping[str, int] | None = None
    ) -> None:
        """Each of them, as far as it is its turn: what has to wait, or what its chat does not take, holds up nothing behind it; a
        chat that takes nothing at all holds up nothing in another one.

        Raises Later for what waits, or the chat's own answer, or Stopped. `versions`: of the records that the items were made
        from. Where one of them is another by now nothing more is sent: Overtaken, see `PostingSession.still_so`.
        """
        unsent = _Unsent()
        # A holding changes all the time, and its grant tells of it.
        page.rests_on = {item: at for item, at in (versions or {}).items() if not item.startswith("holding:")}
        left = deque(items)
        while left:
            item = _at_their_place(page.record, left.popleft())
            surface = surface_of(item.channel)
            if surface in unsent.stopped or (item.in_order and item.channel in unsent.held):
                continue
            try:
                self.delivery.send(page, item)
                if (elsewhere := _at_their_place(page.record, item)) != item:
                    left.appendleft(elsewhere)
            except Stopped as stopped:
                unsent.stopped[surface] = stopped
            except Overtaken:
                raise
            except Later as later:
                unsent.waits.append((surface, later))
                unsent.held.add(item.channel)
                if later.channel is not None:
                    later.after_s = max(later.after_s, self._in_line_s(page.record.subject, item, later.channel))
            except NotDone as problem:
                unsent.failed.append((surface, problem))
                unsent.held.add(item.channel)
        unsent.tell()

    def _in_line_s(self, subject: str, item: PlannedMessage, channel: str) -> float:
        """Note what waits for its turn in a channel. Returns for how many seconds others have the turns."""
        traits = self.chats.of(channel).traits
        if is_receipt(item):
            note_waiting(self.ctx, subject, channel)
        elif is_card(item) and traits.abilities.boards and not is_person(channel):
            return min(note_card(self.ctx, subject, channel), TURNS_AHEAD_MAX) / traits.limits.posts.a_second
        return 0.0

    # ------------------------------------------------------------ it is shown

    def told(self, subject: str, entries: Sequence[AuditEntry]) -> None:
        """All of these are shown: take the mark off, unless there are more by now. `entries`: of this subject, as they were read
        before anything was said.
        """
        self.clear_if(subject, lambda: len(self.ctx.ledger.entries_of(subject)) == len(entries))

    def clear_if(self, subject: str, still_so: Callable[[], bool]) -> None:
        """What was shown is how it is: take the mark off.

        Looked at behind the commit: what is committed later sets the mark itself.
        """
        self.clear(subject)
        if not still_so():
            self.ctx.ledger.remind(keys.chat(subject), 0.0)

    def clear(self, subject: str) -> None:
        """Nothing is left to show: take the mark off."""
        item = keys.chat(subject)
        snapshot = self.ctx.ledger.read(item)
        change = Change(
            commit_id=f"shown:{item}:{self.ctx.chance.hex(12)}",
            at=snapshot.now,
            reads=snapshot.versions(),
            due={item: None},
        )
        self.ctx.ledger.commit(change)

    def shown(self, page: PostingSession, versions: Mapping[str, int], id_: str, channels: Sequence[str]) -> None:
        """Take the mark off, in a commit that is lost when one of these records has changed meanwhile."""
        item = keys.chat(id_)
        snapshot = self.ctx.ledger.read(item, *versions)
        if any(snapshot.items[name].version != version for name, version in versions.items()):
            self.ctx.ledger.remind(item, 0.0)
            return
        change = Change(
            commit_id=f"shown:{item}:{page.version}:{self.ctx.chance.hex(12)}",
            at=snapshot.now,
            reads=snapshot.versions() | {item: page.version},
            # The next bad minute begins with short pauses again.
            puts={item: replace(page.record, failures=0)} if page.record.failures else {},
            due={item: None},
            index=tuple(IndexEntry(keys.waiting(channel), id_, None) for channel in channels),
        )
        if not isinstance(self.ctx.ledger.commit(change), Committed):
            self.ctx.ledger.remind(item, 0.0)
        elif page.record.failures > 1:
            over(self.ctx, item)


@dataclass(slots=True)
class _Unsent:
    """What was not sent, each with its chat, and the chats that take nothing at all just now."""

    waits: list[tuple[str, Later]] = field(default_factory=list)
    failed: list[tuple[str, NotDone]] = field(default_factory=list)
    stopped: dict[str, Stopped] = field(default_factory=dict)
    # Places that have not taken something yet.
    held: set[str] = field(default_factory=set)

    def tell(self) -> None:
        """What failed comes before what only waits. Of a chat that takes nothing, that alone matters, and it has time."""
        failed = [problem for surface, problem in self.failed if surface not in self.stopped]
        waits = [later for surface, later in self.waits if surface not in self.stopped]
        if failed:
            raise failed[0]
        if waits:
            raise min(waits, key=lambda later: later.after_s)
        if self.stopped:
            raise next(iter(self.stopped.values()))


def _at_their_place(record: ChatRecord, item: PlannedMessage) -> PlannedMessage:
    """What is for somebody who can be written to in several chats, at the place where it stands, or may still be taken."""
    if not item.or_else:
        return item
    here = item.channel
    slot = item.slot.removesuffix(here)
    place = told_at(record.postings, lambda one: slot + one, here, {here: item.or_else})
    others = tuple(one for one in (here, *item.or_else) if one != place)
    return item if place == here else replace(item, slot=slot + place, channel=place, or_else=others)


def in_each(record: ChatRecord, slot: str, channels: Sequence[str]) -> dict[str, str]:
    """Slots for the same news in each of these channels -> the channel. The first has the slot itself, or who has it already."""
    taken = record.postings.get(slot)
    first = taken.channel if taken and taken.channel in channels else next(iter(channels), "")
    return {slot if channel == first else f"{slot}:{channel}": channel for channel in channels}


def once(slot: str, channel: str, message: Message, or_else: Sequence[str] = ()) -> PlannedMessage:
    """News of one moment, which is not edited. `or_else`: as `PlannedMessage` has it."""
    return PlannedMessage(slot, channel, message, key="once", or_else=tuple(or_else))


def once_in_each(record: ChatRecord, slot: str, channels: Sequence[str], message: Message) -> list[PlannedMessage]:
    return [once(name, channel, message) for name, channel in in_each(record, slot, channels).items()]

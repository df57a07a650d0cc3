"""Many cards at once for one channel: a board names what waits for its turn, so that it can be decided meanwhile.

A card that has to wait for a channel stands in the index `cards-waiting:<channel>`. The board's own record says which message
names whom (`told`: request -> number of the message). It is written before a message is sent or edited, and each message has
an intent and a nonce like any other; it is all done under the lease of the channel's board. So a crash between any two steps
loses nothing, and names nothing twice.

What that means for a request:
- Its card follows when it is its turn. A board takes nothing over, calls nobody, and is no card: reminders and receipts go on
  as ever.
- It is decided, taken back or expires: its line goes, at the next look. A card that was not there by then is not sent for
  what is over.
- A press on a line is the press on its card: the same action, the same value, decided on the record.

Edits are coalesced: there is one in `EDITED_EACH_S` at most. Old messages stay on the record for a while, so that a
press on one is known to be on something of ours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.chat.message import stamp
from bot.chat.messages import board as words
from bot.chat.outbox.outbox import Outbox
from bot.chat.outbox.plans.boards import Newest, named, soonest_s
from bot.chat.outbox.plans.planning import OVER, PlannedMessage, seen_in
from bot.chat.outbox.postings import Later, PostingSession
from bot.chat.outbox.turns import edits_bucket
from bot.chat.outbox.waiting import BOARD_AGAIN_S
from bot.chat.views.request_view import RequestView
from bot.chat.wording.labels import Stage
from workflows.core import keys
from workflows.core.identity import is_erased
from workflows.core.policy import Policy
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.records.request import Request
from workflows.core.rules.batch import panels
from workflows.ports import IndexEntry, Snapshot
from workflows.usecases.shared.troubles import over

# So many are looked at, those that have waited longest.
AT_ONCE = 200
EDITED_EACH_S = 1.5
POLICY_AGAIN_S = 5.0
# Of messages on which nothing waits any more.
KEPT_MAX = 20
SLOT = "board:"
_DONE = "over"


@dataclass(frozen=True, slots=True)
class _Place:
    channel: str
    policy: Policy

    def takes_card(self, request: Request) -> bool:
        """As the policy stands."""
        place = self.policy.environments.get(request.terms.environment)
        return place is not None and self.channel in place.approvals_channels


@dataclass(frozen=True, slots=True)
class _Waiting:
    """`waits`: without a card, the oldest first. `carded`: with one. `settled`: subjects that wait for no card here."""

    waits: tuple[str, ...]
    carded: frozenset[str]
    settled: tuple[str, ...]
    views: Mapping[str, RequestView]
    versions: Mapping[str, int]


class Boards:
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._ctx = outbox.ctx

    def show(self, page: PostingSession, channel: str) -> None:
        """Name what waits, and nothing else. Raises what `Outbox.send` raises, and Later as long as anything waits."""
        policy = self._outbox.policy()
        if policy is None:
            raise Later(POLICY_AGAIN_S)
        found = self._look(page.record, channel, policy)
        self._name(page, channel, found)
        items = [self._planned(page.record, slot, channel, found) for slot in _open_slots(page.record)]
        wait_s = self._until_edit_s(page.record, items, channel)
        posts = [item for item in items if not _stands(page.record, item)]
        self._outbox.send(page, posts if wait_s else items, found.versions)
        self._well(page)
        if wait_s:
            raise Later(wait_s)
        if found.waits and not page.record.told.keys() >= set(found.waits):
            # They get a message of their own, as soon as one may follow the last.
            raise Later(soonest_s(_newest(page.record), self._ctx.ledger.now()))
        if _open_slots(page.record) or self._ctx.ledger.count(keys.cards_waiting(channel)):
            raise Later(BOARD_AGAIN_S)
        self._rest(page, channel)

    # ------------------------------------------------------------ who waits

    def _look(self, record: ChatRecord, channel: str, policy: Policy) -> _Waiting:
        subjects = self._ctx.ledger.members(keys.cards_waiting(channel), limit=AT_ONCE)
        together = self._outbox.reader.together(subjects)
        ids = list(dict.fromkeys((*together, *record.told)))
        names = [*map(keys.request, ids), *map(keys.chat, subjects)]
        snapshot = self._ctx.ledger.read(*names) if names else Snapshot(self._ctx.ledger.now(), {})
        requests = {id_: one for id_ in ids if (one := snapshot.readable(keys.request(id_), Request)) is not None}
        shown = [seen_in(view, policy, channel) for view in self._outbox.reader.some(list(requests), policy)]
        alive = {view.id for view in shown if view.stage not in OVER}
        at = _Place(channel, policy)
        without = {one: _without_card(snapshot, one, requests, alive, at) for one in subjects}
        views = {view.id: view for view in shown if view.stage is Stage.WAITING and view.resolved}
        waits = tuple(id_ for cards in without.values() for id_ in cards if id_ in views)
        return _Waiting(
            waits,
            frozenset(views.keys() - set(waits)),
            tuple(subject for subject, cards in without.items() if not cards),
            views,
            {keys.request(id_): snapshot.items[keys.request(id_)].version for id_ in views},
        )

    def _name(self, page: PostingSession, channel: str, found: _Waiting) -> None:
        """On the record first. Of those whose cards wait no more here the index forgets."""
        record, now = page.record, self._ctx.ledger.now()
        told = named(found.waits, found.carded, record.told, _newest(record), now, edits=self._takes_edits(channel))
        kept = {slot: record.postings[slot] for slot in _kept_slots(record, told)}
        slots = {f"{SLOT}{number}" for number in told.values()}
        new = replace(record, told=told, postings={**kept, **{slot: Posting(channel) for slot in slots - kept.keys()}})
        if new != record or found.settled:
            out = (IndexEntry(keys.cards_waiting(channel), subject, None) for subject in found.settled)
            page.save(new, f"named:{self._ctx.chance.hex(8)}", None, *out)

    def _takes_edits(self, channel: str) -> bool:
        """Cards want them, too: what is decided has to be told."""
        limits = self._outbox.chats.of(channel).traits.limits
        rate, bucket = limits.edits, edits_bucket(limits, channel)
        half = rate.burst / 2
        # As good as nothing is taken: it is only a look.
        return not self._outbox.buckets.take(bucket, rate=rate.a_second, burst=rate.burst, amount=0.001, reserve=half)

    # ------------------------------------------------------------ the messages

    def _planned(self, record: ChatRecord, slot: str, channel: str, found: _Waiting) -> PlannedMessage:
        views = [found.views[id_] for id_, number in record.told.items() if slot == f"{SLOT}{number}"]
        if not views:
            return PlannedMessage(slot, channel, words.over(), key=_DONE)
        last = slot == f"{SLOT}{max(record.told.values())}"
        more = len(set(found.waits) - record.told.keys()) if last else 0
        still = words.board([replace(view, now=view.created_at) for view in views], more, self._outbox.command)
        return PlannedMessage(slot, channel, words.board(views, more, self._outbox.command), key=stamp(still))

    def _until_edit_s(self, record: ChatRecord, items: Sequence[PlannedMessage], channel: str) -> float:
        """Seconds until what stands may be edited again; 0.0 where it may now, or needs not."""
        if not any(_stands(record, item) and record.postings[item.slot].shown != item.shows for item in items):
            return 0.0
        return self._outbox.buckets.take(f"board:{channel}", rate=1 / EDITED_EACH_S, burst=1)

    def _well(self, page: PostingSession) -> None:
        """The next bad minute begins with short pauses again."""
        if page.record.failures:
            failed = page.record.failures
            page.save(replace(page.record, failures=0), f"well:{self._ctx.chance.hex(8)}")
            if failed > 1:
                over(self._ctx, page.item)

    def _rest(self, page: PostingSession, channel: str) -> None:
        """Nothing waits any more. Whoever came meanwhile is found behind the commit, and comes again by themselves."""
        page.save(page.record, f"rests:{self._ctx.chance.hex(8)}", due={page.item: None})
        if self._ctx.ledger.count(keys.cards_waiting(channel)):
            self._ctx.ledger.remind(page.item, 0.0)


# ---------------------------------------------------------------- pure parts


def _without_card(
    snapshot: Snapshot, subject: str, requests: Mapping[str, Request], alive: Collection[str], at: _Place
) -> tuple[str, ...]:
    """Those of the subject's requests that are to have a card here, have none, and have not been refused one."""
    request = requests.get(subject)
    item = keys.chat(subject)
    record = snapshot.readable(item, ChatRecord) or ChatRecord(subject)
    if request is None or is_erased(request.requester) or is_erased(request.holder):
        return ()
    own = [requests[id_] for id_ in request.batch or (subject,) if id_ in requests]
    together = panels(at.policy, own) if request.batch else [own]
    slots = {f"card:{at.channel}:{panel[0].id}" if request.batch else f"card:{at.channel}": panel for panel in together}
    missing = [one for slot, panel in slots.items() if _is_missing(record.postings.get(slot)) for one in panel]
    return tuple(one.id for one in missing if one.id in alive and at.takes_card(one))


def _is_missing(posting: Posting | None) -> bool:
    return posting is None or (posting.ts is None and posting.error is None)


def _slots(record: ChatRecord) -> list[str]:
    """Of all messages there were, the oldest first."""
    return sorted(record.postings, key=_number)


def _number(slot: str) -> int:
    return int(slot.removeprefix(SLOT))


def _open_slots(record: ChatRecord) -> list[str]:
    """Those that do not say yet that nothing waits there."""
    return [slot for slot in _slots(record) if record.postings[slot].shown != _DONE]


def _kept_slots(record: ChatRecord, told: Mapping[str, int]) -> list[str]:
    """With those whose names they hold; and what is perhaps, or certainly, in the channel."""
    held = {f"{SLOT}{number}" for number in told.values()}
    over = [slot for slot in _slots(record) if record.postings[slot].shown == _DONE]
    there = [slot for slot in _open_slots(record) if record.postings[slot].ts or record.postings[slot].intent_at]
    return [*over[-KEPT_MAX:], *there, *(slot for slot in _open_slots(record) if slot in held and slot not in there)]


def _newest(record: ChatRecord) -> Newest:
    slots = _slots(record)
    if not slots:
        return Newest()
    posting = record.postings[slots[-1]]
    closed = posting.error is not None or posting.shown == _DONE
    return Newest(_number(slots[-1]), posting.posted_at, closed)


def _stands(record: ChatRecord, item: PlannedMessage) -> bool:
    posting = record.postings.get(item.slot)
    return posting is not None and posting.ts is not None

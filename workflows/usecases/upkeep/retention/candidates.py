"""Old requests, with all that says whether they may leave: some reads for a page of them, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from workflows.core import keys
from workflows.core.identity import AccountRecord
from workflows.core.records.grant import Grant
from workflows.core.records.holding import Holding
from workflows.core.records.oversight import Review
from workflows.core.records.person import Uses
from workflows.core.records.request import Request, Slot
from workflows.core.retention.over import Story, over_at, owes
from workflows.ports import IndexEntry, Ledger, Versioned
from workflows.usecases.shared.closing import places_of
from workflows.usecases.shared.context import Context

_T = TypeVar("_T")
# More places that take no messages than these are not looked through: then nothing leaves.
_PLACES_MAX = 100
_OWED_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Leaving:
    """A request that may go. `records`: what of it is kept in the archive, by key; `deletes`: all that goes."""

    story: Story
    over: datetime
    records: Mapping[str, Request | Grant | Review]
    deletes: frozenset[str]

    @property
    def id(self) -> str:
        return self.story.request.id

    @property
    def index(self) -> Iterator[IndexEntry]:
        """Where it stands, to be taken out."""
        request, grant = self.story.request, self.story.grant
        names = [*places_of(keys.RECENT, request), keys.SIGNED, keys.UNANNOUNCED]
        names += [keys.of_ticket(request.ticket)] if request.ticket else []
        names += [keys.CLOSED, keys.last_of(request.slot)] if grant else []
        return (IndexEntry(name, request.id, None) for name in names)


@dataclass(frozen=True, slots=True)
class Candidates:
    """`reads`: at which versions it was decided. `kept`: why others stay, by id."""

    leaving: tuple[Leaving, ...]
    kept: Mapping[str, str]
    reads: Mapping[str, int]


def candidates(ctx: Context, ids: Sequence[str], before: datetime) -> Candidates:
    """Which of these, and of those that were asked in one go with them, may leave: what was over by `before` and owes nothing."""
    page = _Page(ctx.ledger, ids)
    verdicts = {id_: page.why_not(id_, before) for id_ in page.ids}
    kept = {id_: why for id_, why in verdicts.items() if why}
    # They have one thread in chat, and one card.
    beside = [id_ for id_ in page.ids if id_ not in kept and page.together(id_) & kept.keys()]
    kept |= dict.fromkeys(beside, "others that were asked for with it stay")
    leaving = tuple(page.leaving(id_, before) for id_ in page.ids if id_ not in kept)
    return Candidates(leaving, kept, page.versions({one.id for one in leaving}))


class _Page:
    def __init__(self, ledger: Ledger, ids: Sequence[str]) -> None:
        self._ledger = ledger
        self._items: dict[str, Versioned] = {}
        self._read(map(keys.request, ids))
        batches = {one for id_ in ids if (found := self._request(id_)) is not None for one in found.batch}
        all_ = sorted({*ids, *batches})
        self._read(name for id_ in all_ for name in _own(id_))
        self.ids = [id_ for id_ in all_ if not self._items[keys.request(id_)].is_absent]
        self._read(name for id_ in self.ids for name in self._beside(id_))
        self._due = ledger.due_among([item for id_ in self.ids for item in self._due_items(id_)])
        self._owed = _owed(ledger)

    def together(self, id_: str) -> frozenset[str]:
        request = self._request(id_)
        return frozenset(request.batch if request is not None else ())

    def why_not(self, id_: str, before: datetime) -> str:
        """Empty where it may leave."""
        if any(self._items[name].problem for name in (*_own(id_), *self._beside(id_))):
            return "a record of it cannot be read"
        story = self._story(id_)
        return owes(story) or ("" if over_at(story) <= before else "it was over later")

    def leaving(self, id_: str, before: datetime) -> Leaving:
        story = self._story(id_)
        kept = (keys.request(id_), keys.grant(id_), keys.review(id_))
        records = {name: self._items[name].record for name in kept}
        deletes = {name for name in _own(id_) if not self._items[name].is_absent}
        ticket = keys.ticket_uses(story.request.ticket) if story.request.ticket else ""
        uses = self._record(ticket, Uses) if ticket else None
        if uses is not None and all(at <= before for at in uses.times):
            deletes.add(ticket)
        place = keys.slot(story.request.slot)
        slot = self._record(place, Slot)
        if slot is not None and slot.request == id_:
            # Of a pipeline's run that went on.
            deletes.add(place)
        return Leaving(
            story,
            over_at(story),
            {name: one for name, one in records.items() if isinstance(one, Request | Grant | Review)},
            frozenset(deletes),
        )

    def versions(self, ids: Iterable[str]) -> dict[str, int]:
        """Of all that the decision about these rests on."""
        names = {name for id_ in ids for name in (*_own(id_), *self._beside(id_))}
        return {name: self._items[name].version for name in sorted(names)}

    def _story(self, id_: str) -> Story:
        request = self._request(id_)
        if request is None:
            raise ValueError(f"{id_} has no record: it is no candidate")
        grant = self._record(keys.grant(id_), Grant)
        return Story(
            request,
            grant,
            self._record(keys.review(id_), Review),
            self._record(keys.holding(grant.holding), Holding) if grant else None,
            self._record(keys.grant(request.extends), Grant) if request.extends else None,
            due=self._due & set(self._due_items(id_)),
            drift=grant is not None and not self._items[keys.drift(grant.holding)].is_absent,
            on_hold=any(self._is_on_hold(name) for name in _accounts(request)),
            owed=self._owed is None or id_ in self._owed,
        )

    def _is_on_hold(self, name: str) -> bool:
        found = self._record(name, AccountRecord)
        return found is not None and found.suspended is not None

    def _beside(self, id_: str) -> Iterator[str]:
        """What stands beside its own records and says whether it may leave."""
        request, grant = self._request(id_), self._record(keys.grant(id_), Grant)
        if request is not None:
            yield from _accounts(request)
            yield from (keys.grant(request.extends),) if request.extends else ()
            yield from (keys.ticket_uses(request.ticket),) if request.ticket else ()
            yield from (keys.slot(request.slot),) if request.gate else ()
        if grant is not None:
            yield from (keys.holding(grant.holding), keys.drift(grant.holding))

    def _due_items(self, id_: str) -> Iterator[str]:
        yield from (keys.request(id_), keys.chase_due(id_), keys.end_due(id_), keys.warn_due(id_), keys.chat(id_))
        yield from (keys.review(id_), keys.announced_due(id_), keys.activity(id_))
        grant = self._record(keys.grant(id_), Grant)
        if grant is not None:
            yield keys.drift(grant.holding)

    def _request(self, id_: str) -> Request | None:
        return self._record(keys.request(id_), Request)

    def _record(self, name: str, kind: type[_T]) -> _T | None:
        item = self._items.get(name)
        return item.record if item is not None and isinstance(item.record, kind) else None

    def _read(self, names: Iterable[str]) -> None:
        new = [name for name in dict.fromkeys(names) if name not in self._items]
        if new:
            self._items |= self._ledger.read(*new).items


def _own(id_: str) -> tuple[str, ...]:
    own = keys.request(id_), keys.grant(id_), keys.review(id_), keys.signed(id_), keys.chat(id_)
    return (*own, keys.activity(id_))


def _accounts(request: Request) -> Iterator[str]:
    return map(keys.account, request.accounts)


def _owed(ledger: Ledger) -> frozenset[str] | None:
    """Subjects of chat with messages for places that take none just now; None where there are too many to know."""
    places = ledger.members(keys.CLOSED_PLACES, limit=_PLACES_MAX + 1)
    if len(places) > _PLACES_MAX:
        return None
    return frozenset(one for place in places for one in ledger.members(keys.owed(place), limit=_OWED_MAX))

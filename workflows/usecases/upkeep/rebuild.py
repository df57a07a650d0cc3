"""The record is made again from the archive: entries that it lacks are put back, and access that it does not know of ends.

Before anything else nothing is given any more (see `shared.ledger_doubt`), and that lasts until an operator says so. Each step
may be repeated, so that a run that was killed is begun again. No other process may write meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Protocol

from workflows.core import keys
from workflows.core.absent_words import NUMBERS, NumberRanges
from workflows.core.audit import Event
from workflows.core.audit_check import StoredEntry
from workflows.core.identity import ERASED_PERSON
from workflows.core.ledger_doubt import LedgerDoubt, Sign
from workflows.core.provider import TargetTerms
from workflows.core.records.installation import Installation
from workflows.core.refusal import Refused
from workflows.core.rules.eligibility import clean
from workflows.ports import Change, Ledger
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, event, run
from workflows.usecases.shared.ledger_doubt import SUBJECT, raise_doubt
from workflows.usecases.upkeep.rebuild_access import Ending, end_unknown, end_what_is_over, endings, overtaken
from workflows.usecases.upkeep.rebuild_reading import Archived, Reading, stored
from workflows.usecases.upkeep.rebuild_reviews import Owing, owe, reviews

PAGE = 500


class Log(Protocol):
    """Where entries are put back: `ledger.redis_log.RedisLog.put_back`."""

    def __call__(
        self, common: int, link: str, entries: Iterator[StoredEntry], later: Iterator[StoredEntry], first_later: int
    ) -> int: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does. `back`: how many entries are put back. `ids`: the highest number of a request that was given out.
    `endings`: access that ends. `overtaken`: requests that the ledger has as waiting, or as live, and that are over. `reviews`:
    of emergencies that are over. `unsaid`: a run before this one put entries back, and died before that was on the record.
    """

    back: int
    ids: int
    endings: tuple[Ending, ...]
    overtaken: tuple[str, ...]
    reviews: tuple[Owing, ...] = ()
    unsaid: bool = False

    @property
    def is_empty(self) -> bool:
        return not (
            self.back or self.endings or self.overtaken or self.unsaid or any(one.can_be_owed for one in self.reviews)
        )


def plan(ctx: Context, found: Reading, target: Callable[[str], TargetTerms]) -> Plan:
    """Looks alone. `target` reads terms as an entry has them. Raises LedgerUnreachable."""
    stories, doubt = found.stories, ctx.ledger.read(keys.LEDGER_DOUBT).readable(keys.LEDGER_DOUBT, LedgerDoubt)
    back, unsaid = found.size - found.common, doubt is not None and doubt.lacked is not None
    owing = reviews(ctx, stories, target)
    return Plan(back, stories.highest_id, endings(ctx, stories, target), overtaken(ctx, stories), owing, unsaid)


def carry_out(
    ctx: Context, archived: Archived, found: Reading, made: Plan, put_back: Log, by: str
) -> Outcome | Refused:
    """Do what is planned. Raises LedgerUnreachable, ArchiveUnavailable: then it is begun again from the reading on."""
    facts = {"seen": str(found.size), "newest": str(ctx.ledger.head())}
    raise_doubt(ctx, Sign.ARCHIVE_AHEAD, facts, epoch=archived.epoch)
    _erase_again(ctx, tuple(_worded(ctx.ledger, found.erased.below(found.common + 1))), clean(by))
    moved = _put_entries_back(ctx, archived, found, put_back)
    ctx.ledger.raise_ids(made.ids)
    for one in made.endings:
        if one.resource is not None:
            run(ctx, lambda one=one: end_unknown(ctx, one))  # type: ignore[misc]  # bound at once, called at once
    for owing in made.reviews:
        if owing.can_be_owed:
            run(ctx, lambda owing=owing: owe(ctx, owing))  # type: ignore[misc]  # as above
    for id_ in made.overtaken:
        end_what_is_over(ctx, id_)
    return run(ctx, lambda: _finish(ctx, archived, found, made, moved, clean(by)))


def _put_entries_back(ctx: Context, archived: Archived, found: Reading, put_back: Log) -> int:
    """Behind what both have: what the archive has, and then what was written since on the older copy. Returns how many came so
    by another number.
    """
    if found.size <= found.common:
        return 0
    run(ctx, lambda: _lacked(ctx, found))
    later = _later(ctx.ledger, found.common)
    lacking = (stored(entry) for entry in archived.entries(found.common) if entry.digest)
    proven = (
        replace(entry, private=None) if entry.number in found.erased else entry
        for entry in takewhile(lambda entry: entry.number <= found.size, lacking)
    )
    newest = put_back(found.common, found.link, proven, later, found.size + 1)
    ctx.ledger.trust()
    return newest - found.size


def _worded(ledger: Ledger, numbers: NumberRanges) -> Iterator[int]:
    """Those of these entries that have words."""
    for first, last in numbers.ranges:
        at = first - 1
        while at < last and (page := ledger.stored_entries(after=at, limit=min(PAGE, last - at))):
            yield from (one.number for one in page if one.private is not None and one.number <= last)
            at = page[-1].number


def _erase_again(ctx: Context, numbers: Sequence[int], by: str) -> None:
    """What was erased after the copy was made is erased in it, too."""
    for start in range(0, len(numbers), PAGE):
        some = tuple(numbers[start : start + PAGE])
        run(ctx, lambda some=some: _forgotten(ctx, some, by))  # type: ignore[misc]  # bound at once, called at once


def _forgotten(ctx: Context, numbers: tuple[int, ...], by: str) -> CommitAttempt:
    snapshot, done = ctx.ledger.read(keys.LEDGER_DOUBT), Outcome("ledger", "erased")
    facts = {NUMBERS: str(NumberRanges.of(numbers)), "again": "yes"}
    change = Change(
        commit_id=f"erase-again:{ctx.chance.hex(16)}",
        at=snapshot.now,
        reads={},
        audit=(event(ctx, Event.PERSON_ERASED, f"{ERASED_PERSON}again", snapshot, facts, {"actor_name": by}),),
        forget=numbers,
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done)


def _lacked(ctx: Context, found: Reading) -> CommitAttempt | Outcome:
    """Note it: where this is killed behind the swap, the next run finds nothing missing, and has to say which came back."""
    snapshot, done = ctx.ledger.read(keys.LEDGER_DOUBT), Outcome("ledger", "noted")
    doubt = snapshot.readable(keys.LEDGER_DOUBT, LedgerDoubt)
    if doubt is None:
        return done
    lacked = (found.common + 1, ctx.ledger.head() - found.common)
    change = Change(
        commit_id=f"lacked:{snapshot.items[keys.LEDGER_DOUBT].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.LEDGER_DOUBT: replace(doubt, lacked=lacked)},
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done)


def _later(ledger: Ledger, after: int) -> Iterator[StoredEntry]:
    while page := ledger.stored_entries(after=after, limit=PAGE):
        yield from page
        after = page[-1].number


def _finish(
    ctx: Context, archived: Archived, found: Reading, made: Plan, moved: int, by: str
) -> CommitAttempt | Outcome:
    """It is on the record, and the ledger is the archive's installation again."""
    snapshot = ctx.ledger.read(keys.INSTALLATION, keys.LEDGER_DOUBT)
    was = snapshot.get(keys.INSTALLATION, Installation)
    doubt = snapshot.readable(keys.LEDGER_DOUBT, LedgerDoubt)
    if was is None or doubt is None:
        return Outcome("ledger", "trusted")
    subject, done = f"{SUBJECT}{was.epoch}", Outcome("ledger", "rebuilt")
    first = found.common + 1
    if first > found.size and doubt.lacked is not None:
        # A run before this one put them back.
        first, moved = doubt.lacked
    facts = {
        "from": str(first),
        "to": str(found.size),
        "moved": str(moved),
        "ending": str(len(made.endings)),
        "head": found.head.shown,
    }
    by_hand = "\n".join(one.words for one in made.endings if one.resource is None)
    ending = "\n".join(one.words for one in made.endings if one.resource is not None)
    private = {"actor_name": by, "ending": ending, "by_hand": by_hand}
    change = Change(
        commit_id=f"rebuilt:{snapshot.items[keys.LEDGER_DOUBT].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={
            keys.INSTALLATION: replace(was, id=archived.log, epoch=max(was.epoch, archived.epoch)),
            keys.LEDGER_DOUBT: replace(doubt, epoch=max(doubt.epoch, archived.epoch), lacked=None),
        },
        due={keys.chat(subject): snapshot.now + SOON},
        audit=(event(ctx, Event.LEDGER_REBUILT, subject, snapshot, facts, private),),
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject),))

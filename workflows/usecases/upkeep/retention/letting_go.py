"""Requests that are over leave the ledger, a page of them at a time, each with all that belongs to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from workflows.core import keys
from workflows.core.absent_words import NUMBERS, NumberRanges
from workflows.core.audit import Event
from workflows.core.audit_check import StoredEntry
from workflows.core.records.retained import Retained
from workflows.ports import Archive, Change, WordsCipher
from workflows.usecases.sealing.hiding import Hiding, Shown, has_words
from workflows.usecases.shared.context import Context, event
from workflows.usecases.upkeep.retention.candidates import Candidates, Leaving, candidates
from workflows.usecases.upkeep.retention.ground import REMEMBERED_S, Ground
from workflows.usecases.upkeep.retention.reading_back import committed, differs, read_back
from workflows.usecases.upkeep.retention.shelving import Encode, Shelf

# Requests that one bite looks at.
BITE = 100


@dataclass(frozen=True, slots=True)
class _Ready:
    """`kept`: why the others stay, by id."""

    leaving: Sequence[Leaving]
    entries: Mapping[str, Sequence[StoredEntry]]
    kept: Mapping[str, str]

    @property
    def forget(self) -> tuple[int, ...]:
        """The entries whose words go with them."""
        return tuple(sorted(e.number for one in self.leaving for e in self.entries[one.id] if has_words(e)))

    def numbers(self) -> Mapping[str, Sequence[int]]:
        return {one.id: [entry.number for entry in self.entries[one.id]] for one in self.leaving}


class LettingGo:
    def __init__(self, ctx: Context, archive: Archive, cipher: WordsCipher, encode: Encode) -> None:
        self._ctx, self._archive, self._cipher, self._encode = ctx, archive, cipher, encode

    def page(self, ground: Ground, subject: str) -> bool:
        """Those of one page that owe nothing. Returns whether there are more. Raises NotThere, ArchiveUnavailable."""
        low, high = ground.stands.looked, ground.before.timestamp()
        ids = self._ctx.ledger.members(keys.RECENT, low=low or None, high=high, limit=BITE)
        if not ids and not low:
            return False
        found = candidates(self._ctx, ids, ground.before)
        ready = self._ready(ground, found)
        stands = self._looked(ground, ids, ready.kept)
        name = self._shelf(ground).put(ready.leaving, ready.numbers(), self._shown) if ready.leaving else ""
        self._commit(ground, stands, found, ready, name, subject)
        return len(ids) == BITE

    def _shelf(self, ground: Ground) -> Shelf:
        return Shelf(self._archive, ground.folder, Hiding(self._ctx, self._cipher), self._encode)

    def _shown(self) -> Shown:
        return Shown(self._ctx.ledger, self._cipher)

    def _ready(self, ground: Ground, found: Candidates) -> _Ready:
        """Without those of which something is not in the archive, and those that were asked for with one of them."""
        ids = [one.id for one in found.leaving]
        entries = self._ctx.ledger.stored_entries_of(ids) if ids else {}
        kept = dict(found.kept)
        sealed = [id_ for id_ in ids if all(entry.number <= ground.seal.archived for entry in entries[id_])]
        kept |= dict.fromkeys(set(ids) - set(sealed), "it is not archived yet")
        copies = read_back(self._archive, ground.folder, (entry.number for id_ in sealed for entry in entries[id_]))
        shown = self._shown()
        for id_ in sealed:
            if not entries[id_]:
                kept[id_] = "its entries are not there"
            elif problem := differs(entries[id_], copies, shown):
                kept[id_] = problem[1]
        stay = {one.id for one in found.leaving if {one.id, *one.story.request.batch} & kept.keys()}
        kept |= {id_: "others that were asked for with it stay" for id_ in stay - kept.keys()}
        return _Ready([one for one in found.leaving if one.id not in stay], entries, kept)

    # ------------------------------------------------------------ how far the look has come

    def _looked(self, ground: Ground, ids: Sequence[str], kept: Mapping[str, str]) -> Retained:
        """The note; the oldest ones come again once all were looked at."""
        stands = ground.stands if ground.stands.looked else replace(ground.stands, kept=0, why="")
        mine = [id_ for id_ in ids if id_ in kept]
        why = f"{mine[0]} stays: {kept[mine[0]]}" if mine and not stands.why else stands.why
        over = len(ids) < BITE
        looked = 0.0 if over else self._behind(ids[-1], ground.stands.looked, all_stay=len(mine) == len(ids))
        at = ground.snapshot.now if over else stands.at
        return replace(stands, kept=stands.kept + len(mine), why=why, looked=looked, at=at)

    def _behind(self, id_: str, looked: float, *, all_stay: bool) -> float:
        """Where the next page begins: with the last of this one, unless that would be the same page again."""
        score = self._ctx.ledger.score(keys.RECENT, id_) or 0.0
        return max(score, looked) if score > looked or not all_stay else math.nextafter(looked, math.inf)

    # ------------------------------------------------------------ they go

    def _commit(
        self, ground: Ground, stands: Retained, found: Candidates, ready: _Ready, name: str, subject: str
    ) -> None:
        """All in one step, and an entry says so. Lost to whoever changed one of them meanwhile: the file stays in the archive,
        and they come again.
        """
        snapshot = self._ctx.ledger.read(keys.RETAINED)
        version = ground.snapshot.items[keys.RETAINED].version
        facts = {"requests": str(len(ready.leaving)), "file": name.removeprefix(ground.folder)}
        facts[NUMBERS] = str(NumberRanges.of(ready.forget))
        change = Change(
            commit_id=f"retained:gone:{version}:{self._ctx.chance.hex(12)}",
            at=snapshot.now,
            reads={**found.reads, keys.RETAINED: version} if ready.leaving else {keys.RETAINED: version},
            puts={keys.RETAINED: _with(stands, ready.leaving)},
            deletes=frozenset().union(*(one.deletes for one in ready.leaving)),
            index=tuple(entry for one in ready.leaving for entry in one.index),
            audit=(event(self._ctx, Event.AUDIT_RETAINED, subject, snapshot, facts),) if ready.leaving else (),
            removes_access=True,
            remembered_s=REMEMBERED_S,
            forget=ready.forget,
        )
        committed(self._ctx.ledger.commit(change))


def _with(stands: Retained, gone: Sequence[Leaving]) -> Retained:
    if not gone:
        return stands
    newest = max(one.story.request.created_at for one in gone)
    before = max(newest, stands.before) if stands.before else newest
    return replace(stands, requests=stands.requests + len(gone), before=before)

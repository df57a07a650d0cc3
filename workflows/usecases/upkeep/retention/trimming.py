"""The oldest audit entries leave the ledger, from the first one on, up to what the archive has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.audit_check import StoredEntry
from workflows.core.records.request import ID_PATTERN
from workflows.core.records.retained import Retained
from workflows.core.seal.merkle import Tree
from workflows.core.seal.statement import leaf_of
from workflows.ports import Archive, Change, Trim, WordsCipher
from workflows.usecases.sealing.hiding import Shown
from workflows.usecases.shared.context import Context, event
from workflows.usecases.upkeep.retention.ground import REMEMBERED_S, Ground
from workflows.usecases.upkeep.retention.in_use import in_use
from workflows.usecases.upkeep.retention.reading_back import NotThere, committed, differs, read_back

# Entries that one bite lets go of.
TRIMMED = 1_000


@dataclass(frozen=True, slots=True)
class _Old:
    entry: StoredEntry
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Cut:
    """The entries that go, and why the next one stays; empty where it is only too young."""

    gone: Sequence[_Old]
    why: str


class Trimming:
    def __init__(self, ctx: Context, archive: Archive, cipher: WordsCipher) -> None:
        self._ctx, self._archive, self._cipher = ctx, archive, cipher

    def trim(self, ground: Ground, subject: str) -> bool:
        """Let the oldest go. Returns whether there may be more. Raises NotThere, ArchiveUnavailable."""
        page = self._ctx.ledger.stored_entries(after=ground.stands.first - 1, limit=TRIMMED)
        old = list(_old(page, ground))
        cut = self._cut(ground, old) if old else _Cut((), "")
        if not cut.gone:
            if cut.why:
                raise NotThere(cut.why)
            return False
        return self._commit(ground, cut.gone, subject) and len(cut.gone) == TRIMMED

    def _cut(self, ground: Ground, old: Sequence[_Old]) -> _Cut:
        used = in_use(self._ctx, dict.fromkeys(one.subject for one in old))
        free = next((place for place, one in enumerate(old) if one.subject in used), len(old))
        why = (
            f"#{old[free].entry.number} stays, and what came after it: {used[old[free].subject]}"
            if free < len(old)
            else ""
        )
        entries = [one.entry for one in old[:free]]
        copies = read_back(self._archive, ground.folder, (entry.number for entry in entries))
        if found := differs(entries, copies, Shown(self._ctx.ledger, self._cipher)):
            number, why = found
            free = next(place for place, one in enumerate(old) if one.entry.number == number)
        return _Cut(old[:free], why)

    def _commit(self, ground: Ground, gone: Sequence[_Old], subject: str) -> bool:
        snapshot = self._ctx.ledger.read(keys.RETAINED)
        version = ground.snapshot.items[keys.RETAINED].version
        stands = _grown(ground.stands, [one.entry for one in gone])
        subjects = tuple(dict.fromkeys(one.subject for one in gone))
        chats = self._chats_of(subjects, stands.first)
        facts = {"first": str(stands.first), "head": f"{ground.seal.size}:{ground.seal.root[:12]}"}
        change = Change(
            commit_id=f"retained:trimmed:{version}:{self._ctx.chance.hex(12)}",
            at=snapshot.now,
            reads={keys.RETAINED: version, **chats},
            puts={keys.RETAINED: stands},
            deletes=frozenset(chats),
            audit=(event(self._ctx, Event.AUDIT_RETAINED, subject, snapshot, facts),),
            removes_access=True,
            remembered_s=REMEMBERED_S,
            forget=tuple(one.entry.number for one in gone if one.entry.private is not None),
            trim=Trim(stands.first, subjects),
        )
        # Lost to whoever was faster: it comes again.
        return committed(self._ctx.ledger.commit(change))

    def _chats_of(self, subjects: Sequence[str], first: int) -> dict[str, int]:
        """What chat has shown of those of which nothing is left, with versions. Requests take theirs along themselves."""
        others = [one for one in subjects if not ID_PATTERN.fullmatch(one)]
        left = self._ctx.ledger.stored_entries_of(others, after=first - 1) if others else {}
        gone = [keys.chat(one) for one in others if not left[one]]
        found = self._ctx.ledger.read(*gone).items if gone else {}
        return {name: item.version for name, item in found.items() if not item.is_absent}


def _old(page: Sequence[StoredEntry], ground: Ground) -> Iterator[_Old]:
    """From the first on, as long as they are old enough, and archived. The newest of all always stays."""
    for entry in page:
        try:
            said = json.loads(entry.body)
            one = _Old(entry, str(said["subject"]), datetime.fromisoformat(said["at"]))
            young = one.at > ground.before
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if young or entry.number > ground.seal.archived:
            return
        yield one


def _grown(stands: Retained, gone: Sequence[StoredEntry]) -> Retained:
    """The note, with the tree over these, too. Numbers that have no entry are leaves of their own, as they were sealed."""
    tree = Tree(stands.first - 1, [bytes.fromhex(part) for part in stands.frontier])
    for entry in gone:
        for missing in range(tree.size + 1, entry.number):
            tree.append(leaf_of(missing, None))
        tree.append(leaf_of(entry.number, entry.digest))
    frontier = tuple(part.hex() for part in tree.frontier)
    return replace(stands, first=tree.size + 1, frontier=frontier, link=gone[-1].link)

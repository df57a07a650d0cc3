"""Requests that have left the ledger, read in the archive: a file at a time, and only those that may have what is asked for."""

from __future__ import annotations

import json
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from workflows.core.records.record import Record
from workflows.core.seal import layout
from workflows.core.seal.closed import BadClosed, ClosedFile, ClosedLine, about, closed, file_named, lines_in
from workflows.ports import ArchiveUnavailable
from workflows.usecases.sealing.archived import EPOCHS_MAX
from workflows.usecases.sealing.hiding import Shown

if TYPE_CHECKING:
    from workflows.ports import ReadableArchive

# How a record is read: `codec.decode`.
Decode = Callable[[str, str], Record]
# So many files are kept in memory, of a hundred requests each: whoever goes over all of them goes in the order of numbers.
_FILES_KEPT = 4


@dataclass(frozen=True, slots=True)
class ClosedStory:
    """`records`: by key, as they stood in the ledger. `entries`: numbers of its audit entries. `problem`: why nobody can read it;
    empty where somebody can.
    """

    id: str
    records: Mapping[str, Record] = field(default_factory=dict)
    entries: Sequence[int] = ()
    problem: str = ""


class ClosedPast:
    """`log`: the installation's id; its epochs up to `epoch` are looked into. All raise ArchiveUnavailable, LedgerUnreachable."""

    def __init__(self, archive: ReadableArchive, log: str, epoch: int, shown: Shown, decode: Decode) -> None:
        self._archive, self._log, self._epoch = archive, log, epoch
        self._shown, self._decode = shown, decode
        self._named: Sequence[ClosedFile] | None = None
        self._last: tuple[str, ClosedStory | None] | None = None
        self._read: OrderedDict[str, Mapping[str, ClosedLine]] = OrderedDict()

    def story(self, id_: str) -> ClosedStory | None:
        """None where it has not left."""
        if self._last is None or self._last[0] != id_:
            # Its records are asked for one after the other.
            self._last = id_, self._found(id_)
        return self._last[1]

    def _found(self, id_: str) -> ClosedStory | None:
        lines = (self._lines(file).get(id_) for file in self._files() if file.may_have(id_))
        line = next((one for one in lines if one is not None), None)
        return self._told(line) if line is not None else None

    def asked(self, low: float, high: float) -> Iterator[str]:
        """Ids of those that were made from `low` to `high`, in seconds since the epoch; some may come twice."""
        for file in self._files():
            if file.asked.timestamp() <= high and file.over.timestamp() >= low:
                yield from (line.id for line in self._lines(file).values() if low <= line.asked.timestamp() <= high)

    def ended(self, low: float, high: float) -> Iterator[str]:
        """The same of those whose access was over from `low` to `high`."""
        for file in self._files():
            if file.asked.timestamp() <= high and file.over.timestamp() >= low:
                yield from (line.id for line in self._lines(file).values() if _within(line.ended, low, high))

    def _files(self) -> Sequence[ClosedFile]:
        if self._named is None:
            epochs = range(max(1, self._epoch - EPOCHS_MAX + 1), self._epoch + 1)
            folders = (closed(layout.folder(self._log, each)) for each in epochs)
            names = (name for folder in folders for name in self._archive.names(folder))
            self._named = [file for name in names if (file := file_named(name)) is not None]
        return self._named

    def _lines(self, file: ClosedFile) -> Mapping[str, ClosedLine]:
        if file.name not in self._read:
            try:
                lines = lines_in(self._archive.get(file.name) or b"", file.name)
                self._read[file.name] = {line.id: line for line in lines}
            except BadClosed as problem:
                raise ArchiveUnavailable(str(problem).rstrip(".")) from None
            if len(self._read) > _FILES_KEPT:
                self._read.popitem(last=False)
        return self._read[file.name]

    def _told(self, line: ClosedLine) -> ClosedStory:
        story = story_in(line, self._shown)
        if story is None:
            return ClosedStory(
                line.id, problem=f"{line.id} is in the archive, and a key that it is hidden under is gone"
            )
        try:
            said = json.loads(story)
            records = {key: self._decode(key, text) for key, text in said["records"].items()}
            return ClosedStory(line.id, records, tuple(map(int, said["entries"])))
        except (ValueError, KeyError, TypeError) as problem:
            return ClosedStory(line.id, problem=f"{line.id} in the archive cannot be read ({type(problem).__name__})")
        except Exception as problem:
            return ClosedStory(line.id, problem=str(problem))


def _within(moment: datetime | None, low: float, high: float) -> bool:
    return moment is not None and low <= moment.timestamp() <= high


def story_in(line: ClosedLine, shown: Shown) -> bytes | None:
    """Canonical JSON: `v`, `entries` (numbers) and `records` (key -> as the ledger had it). None where nobody can read it."""
    packed = shown.text(line.story, about(line.id))
    try:
        return zlib.decompress(packed) if packed is not None else None
    except zlib.error:
        return None

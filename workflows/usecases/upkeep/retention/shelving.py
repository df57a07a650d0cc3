"""Records of requests that are over, on their way into the archive: hidden, written, and read back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workflows.core.canonical_json import canonical_json
from workflows.core.named_words import names_in
from workflows.core.records.record import Record
from workflows.core.seal.closed import BadClosed, ClosedLine, about, content_of, lines_in, name_of
from workflows.core.seal.hidden import HiddenWords
from workflows.ports import Archive
from workflows.usecases.sealing.closed_past import story_in
from workflows.usecases.sealing.hiding import Hiding, Shown, Text
from workflows.usecases.upkeep.retention.candidates import Leaving
from workflows.usecases.upkeep.retention.reading_back import NotThere

# How a record stands in the ledger: `codec.encode`.
Encode = Callable[[str, Record], bytes]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where records go. `folder`: of this log and epoch in the archive."""

    archive: Archive
    folder: str
    hiding: Hiding
    encode: Encode

    def put(self, leaving: Sequence[Leaving], numbers: Mapping[str, Sequence[int]], shown: Callable[[], Shown]) -> str:
        """Keep them, and read them back. Returns the file's name. `numbers`: of each one's entries. `shown`: reads with the keys
        that there are now.

        Raises NotThere, ArchiveUnavailable, ArchiveConflict, LedgerUnreachable.
        """
        stories = {one.id: self._story(one, numbers[one.id]) for one in leaving}
        hidden = self.hiding.texts([_text(id_, story) for id_, story in stories.items()])
        if lacking := [id_ for id_ in stories if id_ not in hidden]:
            raise NotThere(f"a key for the words of {lacking[0]} cannot be read")
        content = content_of(_line(one, hidden[one.id]) for one in leaving)
        asked = min(one.story.request.created_at for one in leaving)
        name = name_of(self.folder, content, stories, asked, max(one.over for one in leaving))
        self.archive.put(name, content)
        self._read_back(name, stories, shown())
        return name

    def _story(self, one: Leaving, numbers: Sequence[int]) -> bytes:
        records = {key: self.encode(key, record).decode() for key, record in one.records.items()}
        return canonical_json({"v": 1, "entries": list(numbers), "records": records})

    def _read_back(self, name: str, stories: Mapping[str, bytes], shown: Shown) -> None:
        try:
            found = list(lines_in(self.archive.get(name) or b"", name))
        except BadClosed as problem:
            raise NotThere(str(problem).rstrip(".")) from None
        if {line.id: story_in(line, shown) for line in found} != stories:
            raise NotThere(f"{name} in the archive is not what was put there")


def _line(one: Leaving, hidden: HiddenWords) -> ClosedLine:
    grant = one.story.grant
    return ClosedLine(one.id, hidden, one.story.request.created_at, grant.closed_at if grant is not None else None)


def _text(id_: str, story: bytes) -> Text:
    return Text(id_, about(id_), zlib.compress(story), id_, names_in(_texts(story)))


def _texts(story: bytes) -> Mapping[str, str]:
    return {key: text for key, text in json.loads(story)["records"].items()}

"""What the archive has of entries, held against what stands in the ledger: before anything leaves it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workflows.core.audit_check import StoredEntry
from workflows.core.seal.layout import ArchivedEntry, BadRun
from workflows.ports import Committed, Lost, ReadableArchive
from workflows.usecases.sealing.archived import archived_at
from workflows.usecases.sealing.hiding import Shown, has_words


class NotThere(Exception):
    """Something is not in the archive as the ledger has it: nothing leaves for now. `words`: one sentence, without a period."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def committed(result: Committed | Lost) -> bool:
    """Whether it was taken; not where somebody else was faster, and it comes again. Raises NotThere where it never will be."""
    if isinstance(result, Lost) and result.why == "rights":
        raise NotThere("the worker that seals has a user of Redis who may take nothing out of the audit log")
    return isinstance(result, Committed)


def read_back(archive: ReadableArchive, folder: str, numbers: Iterable[int]) -> dict[int, ArchivedEntry]:
    """By number. Raises NotThere, and ArchiveUnavailable."""
    try:
        return {copy.number: copy for copy in archived_at(archive, folder, numbers)}
    except BadRun as problem:
        raise NotThere(str(problem).rstrip(".")) from None


def differs(entries: Sequence[StoredEntry], copies: dict[int, ArchivedEntry], shown: Shown) -> tuple[int, str] | None:
    """The first entry that is not there, or not the same, or whose words nobody could read again: its number, and why."""
    for entry in entries:
        copy = copies.get(entry.number)
        if copy is None:
            return entry.number, f"#{entry.number} is not in the archive"
        if (copy.body.encode(), copy.digest, copy.link) != (entry.body, entry.digest, entry.link):
            return entry.number, f"#{entry.number} is not in the archive as it stands here"
        if has_words(entry) and shown(copy) != (entry.private or b"").decode():
            return entry.number, f"the words of #{entry.number} cannot be read in the archive"
    return None

"""An archive in a dictionary, for tests and simulations."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.archive.names import checked
from workflows.ports import ArchiveConflict


class MemoryArchive:
    """A `ports.Archive`. `objects` may be changed by whoever plays somebody who tampers with it."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> None:
        if self.objects.setdefault(checked(name), content) != content:
            raise ArchiveConflict(name)

    def get(self, name: str) -> bytes | None:
        return self.objects.get(checked(name))

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        yield from sorted(name for name in self.objects if name.startswith(prefix) and name > after)

    def problem(self) -> str:
        return ""

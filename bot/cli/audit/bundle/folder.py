"""A folder that becomes whole at once: tables and pages, each with a line that says what it is and where it comes from."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from bot.cli.report_forms import cell

MANIFEST = "manifest.json"
_CHUNK = 1 << 20

# One line of a table; None is an empty cell.
Write = Callable[[Sequence[object]], None]


@dataclass(frozen=True, slots=True)
class About:
    """One file. `says`: what it is; `source`: where it comes from. `columns`: of a table, empty for anything else."""

    name: str
    says: str
    source: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filed:
    """A file that is written. `rows`: of a table, without its header; None for anything else."""

    about: About
    rows: int | None
    size: int
    sha256: str


class NotEmpty(ValueError):
    """The message is one sentence."""


@dataclass
class Folder:
    """Where a bundle is written, under a name that nobody looks for until it is whole."""

    path: Path
    filed: list[Filed] = field(default_factory=list)

    @contextmanager
    def table(self, about: About) -> Iterator[Write]:
        """A CSV with a header. What a spreadsheet would take for a formula is text."""
        count = 0
        with self._open(about.name) as output:
            lines = csv.writer(output, lineterminator="\n")
            lines.writerow(about.columns)

            def write(values: Sequence[object]) -> None:
                nonlocal count
                lines.writerow([cell("" if value is None else value) for value in values])
                count += 1

            yield write
        self._file(about, count)

    @contextmanager
    def text(self, about: About) -> Iterator[TextIO]:
        with self._open(about.name) as output:
            yield output
        self._file(about, None)

    def manifest(self, facts: Mapping[str, Any]) -> str:
        """Writes what SHA-256 each file has. Returns the manifest's own."""
        files = {one.about.name: {"sha256": one.sha256, "size": one.size, "rows": one.rows} for one in self.filed}
        text = json.dumps({**facts, "files": files}, indent=2, ensure_ascii=False) + "\n"
        (self.path / MANIFEST).write_text(text, encoding="utf-8")
        return hashlib.sha256(text.encode()).hexdigest()

    @contextmanager
    def _open(self, name: str) -> Iterator[TextIO]:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        # Of the same bytes everywhere; and nothing is written over.
        with file.open("x", encoding="utf-8", newline="") as output:
            yield output

    def _file(self, about: About, rows: int | None) -> None:
        file = self.path / about.name
        digest = hashlib.sha256()
        with file.open("rb") as source:
            while part := source.read(_CHUNK):
                digest.update(part)
        self.filed.append(Filed(about, rows, file.stat().st_size, digest.hexdigest()))


@contextmanager
def new_folder(wanted: Path) -> Iterator[Folder]:
    """`wanted` is there when all of it was written, and not before.

    Raises NotEmpty where something is there already, and OSError.
    """
    if wanted.is_symlink() or (wanted.exists() and not (wanted.is_dir() and not any(wanted.iterdir()))):
        raise NotEmpty(f"{wanted} is there already, and nothing is written over: name a folder that is new or empty.")
    if not wanted.absolute().parent.is_dir():
        raise NotEmpty(f"{wanted.absolute().parent} is no folder: make it first.")
    part = Path(tempfile.mkdtemp(prefix=f".{wanted.name}.", dir=wanted.absolute().parent))
    try:
        yield Folder(part)
        # Onto a folder with something in it, which may have come meanwhile, this fails.
        os.rename(part, wanted)
    finally:
        shutil.rmtree(part, ignore_errors=True)

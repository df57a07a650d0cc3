"""Files that hold secrets: one value a line, the newest first, and looked at again while a process runs.

Kubernetes swaps a symbolic link (`..data`), others rename a file into place or write into it: what is at the path is looked
at every two seconds, and a new content counts when two looks saw the same. A file that is empty for a moment, half written or
gone changes nothing: what it held before counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import stat_result
from pathlib import Path

SECRET_FILE_CHARS_MAX = 65_536

Check = Callable[[Sequence[str]], str | None]
Look = tuple[int, int, int, int, int]


class Unusable(Exception):
    """Why a file gives no value, as the end of a sentence that begins with the file's name."""


def read_values(path: Path) -> tuple[str, ...]:
    """One a line, in the file's order, each once. Raises Unusable. A mark of byte order and `\\r` are no part of a value."""
    try:
        # Windows' editors put a mark in front, and `\r` behind each line.
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            text = file.read(SECRET_FILE_CHARS_MAX + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"cannot be read: {why(error)}") from None
    if len(text) > SECRET_FILE_CHARS_MAX:  # what is cut off would be another value
        raise Unusable(f"has more than {SECRET_FILE_CHARS_MAX:,} characters")
    values = tuple(dict.fromkeys(line for each in text.split("\n") if (line := each.rstrip("\r"))))
    if not values:
        raise Unusable("is empty")
    return values


class SecretFile:
    """One file. `values`: what was read at start. `check`: what is wrong with values, as the end of a sentence."""

    def __init__(self, path: Path, values: Sequence[str], check: Check) -> None:
        self._path = path
        self._check = check
        self._values = tuple(values)
        # Nothing yet: it may have been swapped since it was read at start.
        self._settled: Look | None = None
        self._seen: tuple[Look | None, tuple[str, ...]] | None = None
        self._wrong = ""

    def look(self) -> tuple[str, ...] | None:
        """The values, where they are others than before and two looks have seen them; else None. Never raises."""
        seen = _seen(self._path)
        if seen is not None and seen == self._settled and not self._wrong:
            return None
        try:
            found = read_values(self._path)
            if wrong := self._check(found):
                raise Unusable(wrong)
        except Unusable as problem:
            self._wrong, self._seen = str(problem), None
            return None
        before, self._seen = self._seen, (seen, found)
        if before != self._seen:
            return None
        self._settled, self._wrong, self._seen = seen, "", None
        changed, self._values = found != self._values, found
        return found if changed else None

    def problem(self) -> str:
        """What is wrong with it now; empty where nothing is."""
        return f"{self._path}, which {self._wrong}" if self._wrong else ""


def _seen(path: Path) -> Look | None:
    """What changes with each write and each swap of a file or of a link to it; None where it cannot be told."""
    try:
        found: stat_result = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or "no reason given").lower() if isinstance(error, OSError) else "it is not UTF-8 text"

"""A checkout's files of interest, read without following anything out of it, without waiting for anything, and not too many.

Nothing of it is run, and nothing in it says where to look: only names of files do.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bot.boundaries.limits import (
    BYTES_MAX,
    DEPTH_MAX,
    ENTRIES_MAX,
    FILE_BYTES_MAX,
    FILES_MAX,
    WALK_S_MAX,
)
from bot.boundaries.reading.kinds import Kind, kind_of
from bot.monotonic import monotonic_s

# Other people's code, and what tools leave behind.
PASSED_BY = frozenset(
    {".git", ".terraform", ".terragrunt-cache", "node_modules", "vendor", ".venv", "venv", "__pycache__"}
)
# Folders with a dot that pipelines and owners stand in.
_SHOWN = frozenset({".github", ".gitlab", ".circleci", ".buildkite"})


class Refusal(Exception):
    """The checkout as such is not looked at. Its words are the whole sentence."""


@dataclass(frozen=True, slots=True)
class Left:
    """Something of interest that was not read. `kind`: of what; None: it may be anything."""

    path: str
    why: str
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Checkout:
    """`texts`: path from its root, with `/`, -> content. `names`: of all files, for whoever asks whether one is there."""

    root: Path
    texts: Mapping[str, str]
    names: frozenset[str]
    left: tuple[Left, ...] = ()
    # Names of folders that were passed by: other people's code, and those with a dot.
    passed_by: tuple[str, ...] = ()

    def of(self, kind: Kind) -> Iterator[tuple[str, str]]:
        return ((path, text) for path, text in self.texts.items() if kind_of(path) is kind)


@dataclass(slots=True)
class _Walk:
    root: Path
    until_s: float
    entries: int = 0
    amount: int = 0
    texts: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    left: list[Left] = field(default_factory=list)
    passed_by: set[str] = field(default_factory=set)

    def look(self) -> None:
        pending = [""]
        while pending:
            folder = pending.pop()
            pending += reversed(list(self._folder(folder)))

    def _folder(self, folder: str) -> Iterator[str]:
        """Reads the files of one folder; gives the folders in it."""
        try:
            with os.scandir(self.root / folder) as found:
                entries = [entry for entry in found if self._counted()]
        except OSError as error:
            self.left.append(Left(folder or ".", f"cannot be read ({error.strerror or 'the system refused'})"))
            return
        for entry in sorted(entries, key=lambda each: each.name):
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if self._goes_into(entry.name, path):
                    yield path
            else:
                self._file(path, linked=entry.is_symlink())

    def _counted(self) -> bool:
        self.entries += 1
        if self.entries > ENTRIES_MAX:
            raise Refusal(f"There are more than {ENTRIES_MAX:,} files and folders here: name a folder of it.")
        if not self.entries % 256 and monotonic_s() > self.until_s:
            raise Refusal(f"Looking through the folders took longer than {WALK_S_MAX:.0f} s: name a folder of it.")
        return True

    def _goes_into(self, name: str, path: str) -> bool:
        if self._passes_by(name):
            return False
        if path.count("/") >= DEPTH_MAX:
            raise Refusal(f"Folders stand more than {DEPTH_MAX} levels inside each other here: name a folder of it.")
        return True

    def _passes_by(self, name: str) -> bool:
        passed = name in PASSED_BY or (name.startswith(".") and name not in _SHOWN)
        if passed:
            self.passed_by.add(name)
        return passed

    def _file(self, path: str, *, linked: bool) -> None:
        self.names.add(path)
        kind = kind_of(path)
        if linked and (self.root / path).is_dir():
            if not self._passes_by(path.rpartition("/")[2]):
                self.left.append(Left(path, "is a link to a folder, and links are not followed"))
        elif kind is not None and kind.is_read:
            text = self._text(path, kind)
            if text is not None:
                self.texts[path] = text

    def _text(self, path: str, kind: Kind) -> str | None:
        if len(self.texts) >= FILES_MAX:
            raise Refusal(f"There are more than {FILES_MAX:,} files to read here: name a folder of it.")
        try:
            content = self._bytes(path)
        except _Odd as odd:
            self.left.append(Left(path, str(odd), kind))
            return None
        self.amount += len(content)
        if self.amount > BYTES_MAX:
            raise Refusal(f"The files to read have more than {BYTES_MAX // 1024**2} MB together: name a folder of it.")
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.left.append(Left(path, "is no UTF-8 text", kind))
            return None

    def _bytes(self, path: str) -> bytes:
        """Of a regular file inside. A link to another file inside is that file; a pipe or a device is never waited for."""
        try:
            real = (self.root / path).resolve(strict=True)
        except (OSError, RuntimeError):
            raise _Odd("is a link that leads nowhere, or in a circle") from None
        if not real.is_relative_to(self.root):
            raise _Odd("is a link that leads out of the checkout")
        if PASSED_BY & set(real.relative_to(self.root).parts):
            raise _Odd("is a link into what is not looked at")
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            with open(os.open(real, flags), "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise _Odd("is not a file")
                if status.st_size > FILE_BYTES_MAX:
                    raise _Odd(f"has {status.st_size:,} bytes, and at most {FILE_BYTES_MAX:,} are read")
                return file.read(FILE_BYTES_MAX)
        except OSError as error:
            raise _Odd(f"cannot be read ({error.strerror or 'the system refused'})") from None


class _Odd(Exception):
    """Its words end the sentence `FILE ...`."""


def read_checkout(folder: Path) -> Checkout:
    """Raises Refusal."""
    try:
        root = folder.resolve(strict=True)
    except (OSError, RuntimeError):
        raise Refusal("There is no such folder: name a checkout.") from None
    if not root.is_dir():
        raise Refusal("This is not a folder: name a checkout.")
    walk = _Walk(root, monotonic_s() + WALK_S_MAX)
    walk.look()
    passed_by = tuple(sorted(walk.passed_by - {".git"}))
    return Checkout(root, walk.texts, frozenset(walk.names), tuple(walk.left), passed_by)


def folder_of(path: str) -> str:
    """`infra/prod/main.tf` -> `infra/prod`; empty for the checkout's own."""
    parent = str(PurePosixPath(path).parent)
    return "" if parent == "." else parent


def joined(folder: str, path: str) -> str | None:
    """`./../network` seen from `infra/prod` -> `infra/network`; None where it leads out."""
    parts: list[str] = folder.split("/") if folder else []
    for part in re.split(r"[/\\]", path):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)

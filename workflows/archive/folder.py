"""An archive in a folder: each object a file that is written once, whole, and can be read only afterwards.

A file gets its name by a hard link, which fails where something has the name already; a rename would write over it. Links that
somebody has put into the folder are not followed. Whoever is root on the machine can still change it: another machine's folder,
or a bucket with Object Lock, stands further away.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workflows.archive.names import OBJECT_BYTES_MAX, checked, is_name
from workflows.ports import ArchiveConflict, ArchiveUnavailable

# Begins with a dot, which no object's name does.
_HALF = ".half-"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class FolderArchive:
    """A `ports.Archive` below `root`, which is made when the first object comes. For any thread and process."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, content: bytes) -> None:
        *folders, last = checked(name).split("/")
        with self._told(), self._opened(folders, make=True) as folder:
            if not _written(folder, last, content) and _read(folder, last) != content:
                raise ArchiveConflict(name)

    def get(self, name: str) -> bytes | None:
        *folders, last = checked(name).split("/")
        try:
            with self._told(), self._opened(folders) as folder:
                return _read(folder, last)
        except FileNotFoundError:
            return None

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        with self._told():
            yield from self._below([], prefix, after)

    def problem(self) -> str:
        """ "" where objects can be written, else one sentence."""
        found = self._root
        while not found.exists() and found != found.parent:
            found = found.parent
        try:
            mode = found.stat().st_mode
        except OSError as problem:
            return f"The archive's folder {self._root} cannot be looked at ({problem.strerror})."
        if not stat.S_ISDIR(mode):
            return f"The archive's folder {self._root} is none: {found} is in its way."
        if not os.access(found, os.W_OK | os.X_OK):
            return f"The archive's folder {self._root} cannot be written: {found} does not let this user."
        if mode & stat.S_IWOTH and found == self._root:
            return f"The archive's folder {self._root} can be written by everybody on this machine: chmod o-w {self._root}."
        return ""

    def _below(self, folders: list[str], prefix: str, after: str) -> Iterator[str]:
        """In the order of whole names, where a folder's slash counts."""
        path = "".join(f"{each}/" for each in folders)
        for name in self._listed(folders):
            whole = f"{path}{name}"
            if name.endswith("/"):
                may_hold = whole.startswith(prefix) or prefix.startswith(whole)
                if may_hold and (whole > after or after.startswith(whole)):
                    yield from self._below([*folders, name[:-1]], prefix, after)
            elif whole.startswith(prefix) and whole > after and is_name(whole):
                yield whole

    def _listed(self, folders: list[str]) -> list[str]:
        try:
            with self._opened(folders) as folder, os.scandir(folder) as entries:
                return sorted(
                    f"{each.name}/" if each.is_dir(follow_symlinks=False) else each.name
                    for each in entries
                    if not each.name.startswith(".") and (each.is_dir(follow_symlinks=False) or _is_file(each))
                )
        except FileNotFoundError:
            return []

    @contextmanager
    def _opened(self, folders: list[str], *, make: bool = False) -> Iterator[int]:
        """The folder's descriptor, reached step by step from the root, never over a link."""
        if make:
            self._root.mkdir(mode=0o750, parents=True, exist_ok=True)
        found = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for each in folders:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(each, 0o750, dir_fd=found)
                        os.fsync(found)
                deeper = os.open(each, _FOLDER, dir_fd=found)
                os.close(found)
                found = deeper
            yield found
        finally:
            os.close(found)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as problem:
            odd = problem.errno in (errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, _ODD)
            why = "something that is no folder or file of ours stands in it" if odd else problem.strerror
            raise ArchiveUnavailable(f"the archive's folder {self._root} cannot be used: {why}") from None


def _written(folder: int, name: str, content: bytes) -> bool:
    """Whether it was. False where something has the name already."""
    half = f"{_HALF}{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(half, flags, 0o440, dir_fd=folder), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(half, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            return False
    finally:
        with suppress(FileNotFoundError):
            os.unlink(half, dir_fd=folder)
    os.fsync(folder)
    return True


# Of a file that is a pipe, a device, or larger than any object.
_ODD = errno.EFBIG


def _is_file(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False)


def _read(folder: int, name: str) -> bytes:
    """Raises OSError. A pipe that somebody put there is not waited for."""
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > OBJECT_BYTES_MAX:
            raise OSError(_ODD, os.strerror(_ODD))
        return file.read()

"""`prodaccess sandbox env`: what another terminal needs, so that `prodaccess report` there speaks of the sandbox.

A sandbox that runs writes it into a file that only its user can read, and keeps the file locked while it lives: a file
without a lock was left behind by one that died, whatever runs under its number by now.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shlex
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from bot.settings import process_environ

NONE_RUNS = 1
_FILES = "sandbox-*.json"


def main(_arguments: Sequence[str] = ()) -> int:
    """Print lines for `eval "$(prodaccess sandbox env)"`. Returns the exit code."""
    found = running()
    if found is None:
        sys.stderr.write("No sandbox of yours runs on this machine: start one with `prodaccess sandbox`.\n")
        return NONE_RUNS
    sys.stdout.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in found.items())
    return 0


@contextlib.contextmanager
def announced(variables: Mapping[str, str], folder: Path | None = None) -> Iterator[None]:
    """While entered, `running` finds these. Where no file can be written the sandbox does without."""
    try:
        path, file = _written(variables, _own(folder or runtime_folder()))
    except OSError:
        yield
        return
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()
        with contextlib.suppress(OSError):  # the last one leaves nothing behind
            path.parent.rmdir()


def running(folder: Path | None = None) -> Mapping[str, str] | None:
    """Of the sandbox that was started last and still runs. Removes what dead ones left."""
    with contextlib.suppress(OSError):
        for path in sorted(_own(folder or runtime_folder()).glob(_FILES), key=_written_at, reverse=True):
            if (found := _of_one_that_lives(path)) is not None:
                return found
    return None


def runtime_folder() -> Path:
    """This user's own, and gone after a restart of the machine."""
    given = process_environ().get("XDG_RUNTIME_DIR")
    if given and Path(given).is_dir():
        return Path(given) / "prodaccess"
    return Path(tempfile.gettempdir()) / f"prodaccess-{os.getuid()}"


def _own(folder: Path) -> Path:
    """Raise OSError where somebody else has made it, or others may look into it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} is not this user's alone")
    return folder


def _written(variables: Mapping[str, str], folder: Path) -> tuple[Path, IO[str]]:
    """Locked before it has its name, so that nobody takes it for one that was left behind."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".json")  # mode 0600
    file = os.fdopen(descriptor, "w", encoding="utf-8")
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    json.dump(dict(variables), file)
    file.flush()
    return Path(name).rename(folder / f"sandbox-{os.getpid()}.json"), file


def _written_at(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _of_one_that_lives(path: Path) -> Mapping[str, str] | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, encoding="utf-8") as file:
        found = os.fstat(descriptor)
        if found.st_uid != os.getuid() or found.st_mode & 0o077:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return dict(json.load(file))
    path.unlink(missing_ok=True)
    return None

"""Putting the files there: all of them or none, and never over one that stands there."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

CONFIG, ENV = "config", ".env"
_LISTED_MAX = 12
_SECRET_MODE = 0o600


class InTheWay(Exception):
    """Files stand there. `names`: relative to the folder, the first ones; `more`: how many there are besides."""

    def __init__(self, names: tuple[str, ...], more: int) -> None:
        super().__init__(", ".join(names))
        self.names, self.more = names, more


def refuse_what_is_there(folder: Path) -> None:
    """Raises InTheWay where anything of ours stands there already; NotADirectoryError where no folder can be."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(20, "this is not a folder", str(folder))
    found = list(_in_the_way(folder))
    if found:
        raise InTheWay(tuple(found[:_LISTED_MAX]), len(found) - len(found[:_LISTED_MAX]))


def _in_the_way(folder: Path) -> Iterator[str]:
    if os.path.lexists(folder / ENV):
        yield ENV
    config = folder / CONFIG
    if config.is_symlink() or (config.exists() and not config.is_dir()):
        yield CONFIG
    elif config.is_dir():
        # A policy is all that is in its folder, so whatever is in it would be a part of this one.
        for where, folders, names in os.walk(config):
            folders.sort()
            yield from (Path(where, name).relative_to(folder).as_posix() for name in sorted(names))
            if not names and not folders and Path(where) != config:
                yield f"{Path(where).relative_to(folder).as_posix()}/"


@contextmanager
def prepared(folder: Path, policy: Mapping[str, str], env: str) -> Iterator[Path]:
    """A new folder beside the place, with all files in it; gone afterwards, whatever happens.

    `policy`: path in the policy folder -> text. Yields the folder that holds `config` and `.env`; `put` moves them.
    """
    made = _make(folder)
    try:
        with tempfile.TemporaryDirectory(prefix=".prodaccess-init-", dir=folder) as name:
            beside = Path(name)
            for path, text in policy.items():
                file = beside / CONFIG / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            _write_secret(beside / ENV, env)
            yield beside
    finally:
        _unmake(made)


def _make(folder: Path) -> list[Path]:
    """The folders that were made so that it is there, the innermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _unmake(made: list[Path]) -> None:
    """What was made for nothing is taken away: only while it is empty."""
    with contextlib.suppress(OSError):
        for each in made:
            each.rmdir()


def _write_secret(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _SECRET_MODE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def put(beside: Path, folder: Path) -> None:
    """Moves what was prepared into its place. Raises InTheWay where something stands there by now; then nothing was moved."""
    refuse_what_is_there(folder)
    config, env = folder / CONFIG, folder / ENV
    _link(beside / ENV, env)
    try:
        # Onto a folder that is not there or is empty; the system refuses any other.
        (beside / CONFIG).rename(config)
    except BaseException as error:
        env.unlink()
        if isinstance(error, OSError) and config.exists():
            refuse_what_is_there(folder)
        raise


def _link(source: Path, target: Path) -> None:
    """As a move that never replaces anything."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise InTheWay((ENV,), 0) from None
    except OSError:  # a file system without links
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    try:
        _write_secret(target, source.read_text(encoding="utf-8"))
    except FileExistsError:
        raise InTheWay((ENV,), 0) from None

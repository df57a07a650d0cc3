"""The files of a folder at a revision of git, byte for byte.

They are read as objects. `git archive` and a checkout do what `.gitattributes` says: they leave files out (`export-ignore`),
and run programs that the repository's configuration names (`filter`). What a reviewer is shown must be what is there.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_GIT_S_MAX = 60
# A policy folder holds at most 2,000 files of 256 KiB; what is larger is none.
_FILES_MAX = 10_000
_BYTES_MAX = 64 * 1024 * 1024
_LINK, _MODULE = "120000", "160000"
# Objects as they are: neither replaced by others nor fetched from a place that the repository names.
_AS_IT_IS = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1"}


class Unreadable(Exception):
    """Why there are no files, as the end of a sentence that begins with the name that was given."""


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    id: str
    size: int
    path: PurePosixPath


def put_files(revision: str, folder: str, place: Path) -> None:
    """Writes them below `place`, an empty folder of ours. Raises Unreadable."""
    if revision.startswith("-"):
        raise Unreadable("is no revision.")
    entries = list(_entries(revision, folder.rstrip("/")))
    if len(entries) > _FILES_MAX or sum(each.size for each in entries) > _BYTES_MAX:
        raise Unreadable("is too large for a policy folder.")
    contents = _contents(entries)
    try:
        # Links last, so that nothing is written through one.
        for entry in sorted(entries, key=lambda each: each.mode == _LINK):
            _put(entry, contents[entry.id], place)
    except (OSError, ValueError) as problem:
        raise Unreadable(f"cannot be read: {problem}.") from None


def _put(entry: _Entry, content: bytes, place: Path) -> None:
    path = place / entry.path
    if ".." in entry.path.parts or entry.path.is_absolute():
        raise Unreadable("has a file outside of the folder.")
    path.parent.mkdir(parents=True, exist_ok=True)
    if entry.mode != _LINK:
        path.write_bytes(content)
        return
    target = content.decode("utf-8", "surrogateescape")
    if not (path.parent / target).resolve().is_relative_to(place.resolve()):
        raise Unreadable(f"has a link that leads out of the folder: {entry.path}.")
    path.symlink_to(target)


def _entries(revision: str, folder: str) -> Iterator[_Entry]:
    tree = f"{revision}:{folder}" if folder not in ("", ".") else revision
    for line in _git("ls-tree", "-r", "-z", "-l", "--full-tree", tree).decode("utf-8", "surrogateescape").split("\0"):
        facts, tab, path = line.partition("\t")
        if tab:
            mode, _, name, size = facts.split()
            if mode != _MODULE:  # another repository, which is not here
                yield _Entry(mode, name, int(size), PurePosixPath(path))


def _contents(entries: Sequence[_Entry]) -> Mapping[str, bytes]:
    """By id. Each comes as `ID blob SIZE`, a new line, its bytes and a new line; see git-cat-file(1), --batch."""
    ids = sorted({each.id for each in entries})
    said = _git("cat-file", "--batch", given="".join(f"{each}\n" for each in ids).encode())
    found, at = {}, 0
    for each in ids:
        head, _, _ = said[at : at + 200].partition(b"\n")
        name, kind, *size = head.split()
        if name != each.encode() or kind != b"blob":
            raise Unreadable("is not whole here: git lacks a file of it.")
        begin = at + len(head) + 1
        at = begin + int(size[0]) + 1
        found[each] = said[begin : at - 1]
    return found


def _git(*words: str, given: bytes = b"") -> bytes:
    from bot.settings import process_environ

    try:
        done = subprocess.run(  # noqa: S603 - one program with arguments of ours; no shell reads them
            ["git", *words],  # noqa: S607 - whichever git they use
            input=given,
            capture_output=True,
            check=False,
            timeout=_GIT_S_MAX,
            env={**process_environ(), **_AS_IT_IS},
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as problem:
        raise Unreadable(f"cannot be asked of git ({type(problem).__name__}).") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[:1]
        raise Unreadable(f"is not there: {said[0] if said else 'git says nothing more'}")
    return done.stdout

"""`prodaccess policy diff`: what one policy gives that another one does not, in words."""

from __future__ import annotations

import io
import subprocess
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.program import POLICY, PROBLEMS, USAGE, add, end, say, told

if TYPE_CHECKING:
    from workflows.core.policy import Policy

_GIT_S_MAX = 60
# A policy folder holds at most 2,000 files of 256 KiB; an archive that is larger is none.
_ARCHIVE_MAX = 64 * 1024 * 1024


class Format(StrEnum):
    TEXT = "text"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class _Said:
    """`wider`, `narrower`: in production, the dangerous first. `changed`: every change, whatever it does."""

    wider: tuple[str, ...]
    narrower: tuple[str, ...]
    changed: tuple[str, ...]


def register(app: typer.Typer) -> None:
    add(app, diff)


@told(
    examples={
        "prodaccess policy diff main:config config": "This folder against the one on the branch main.",
        "prodaccess policy diff old new --format markdown": "Two folders, for a comment.",
        "prodaccess policy diff main:config config --exit-code": "Exit code 1 where production gets looser.",
    },
    uses=POLICY,
    codes={
        PROBLEMS: "with --exit-code: something is looser in production",
        USAGE: "one of the two is no valid policy, or it was typed wrongly",
    },
)
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="The policy before: a folder, or REVISION:FOLDER of git.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The policy after, likewise.")],
    *,
    fails: Annotated[bool, typer.Option("--exit-code", help="Exit code 1 where production gets looser.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TEXT,
) -> None:
    """Say in words what changes from one policy to another, what is looser in production first.

    Of git only files are read, with git archive: nothing of the other revision is checked out or run.
    """
    from workflows.core.loosening import loosened
    from workflows.policy_file.difference import difference
    from workflows.policy_file.looser_words import looser, narrower

    old, new = _policy(before), _policy(after)
    # Freezes that are over are nothing to lose; this machine's clock is good enough for that.
    now = datetime.fromtimestamp(time.time(), UTC)  # noqa: TID251 - there is no ledger to ask
    said = _Said(looser(loosened(old, new, now)), narrower(loosened(new, old, now)), difference(old, new))
    say("\n".join(_markdown(said) if form is Format.MARKDOWN else _text(said)))
    if fails and said.wider:
        raise typer.Exit(PROBLEMS)


def _policy(name: str) -> Policy:
    from workflows.policy_file import read_policy

    with _folder(name) as folder:
        reading = read_policy(folder)
    if reading.policy is None:
        for problem in reading.problems:
            say(f"{name}: {problem}")
        raise typer.Exit(USAGE)
    return reading.policy


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    """The folder of that name; of a revision its files, in a folder of their own for as long as this lasts."""
    revision, colon, path = name.partition(":")
    if Path(name).is_dir() or not colon:
        yield Path(name)
        return
    archive = _archive(name, revision, path)
    with TemporaryDirectory(prefix="prodaccess-") as place:
        try:
            with tarfile.open(fileobj=io.BytesIO(archive)) as found:
                # `data` takes files and folders alone, and nothing that leads out of the place.
                found.extractall(place, filter="data")
        except (tarfile.TarError, OSError) as problem:
            end(f"{name} cannot be read: {problem}.", USAGE)
        yield Path(place)


def _archive(name: str, revision: str, path: str) -> bytes:
    if revision.startswith("-"):
        end(f"{name} is no revision.", USAGE)
    tree = f"{revision}:{path.rstrip('/')}" if path.rstrip("/") not in ("", ".") else revision
    try:
        done = subprocess.run(  # noqa: S603 - one program with arguments of ours; no shell reads them
            ["git", "archive", "--format=tar", tree],  # noqa: S607 - whichever git they use
            capture_output=True,
            check=False,
            timeout=_GIT_S_MAX,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        end(f"git could not be asked for {name} ({type(problem).__name__}).", USAGE)
    if done.returncode != 0:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()[:1]
        end(f"There is no {name}: {words[0] if words else 'git says nothing more'}", USAGE)
    if len(done.stdout) > _ARCHIVE_MAX:
        end(f"{name} is too large for a policy folder.", USAGE)
    return done.stdout


# ---------------------------------------------------------------- printing


def _text(said: _Said) -> Iterator[str]:
    if not said.changed:
        yield "Nothing changes."
        return
    for title, lines in _parts(said):
        yield f"{title}: {len(lines) or 'nothing'}"
        yield from (f"  {_plain(line)}" for line in lines)


def _parts(said: _Said) -> tuple[tuple[str, Sequence[str]], ...]:
    return (
        ("Looser in production", said.wider),
        ("Narrower in production", said.narrower),
        ("All changes", said.changed),
    )


def _markdown(said: _Said) -> Iterator[str]:
    """Each line as code, so that nothing that somebody wrote is read as anything else."""
    yield "### What this changes"
    yield ""
    if not said.changed:
        yield "Nothing: the policy stays as it is."
        return
    for title, lines in _parts(said):
        yield f"**{title}: {len(lines) or 'nothing'}**"
        yield ""
        yield from (f"- `{_plain(line).replace('`', chr(39))}`" for line in lines)
        if lines:
            yield ""


def _plain(line: str) -> str:
    from workflows.policy_file.problem import printable

    return printable(line)

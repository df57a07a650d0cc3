"""`prodaccess policy diff`: what one policy gives that another one does not, in words."""

from __future__ import annotations

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

    Of git only files are read, byte for byte: nothing of the other revision is checked out or run.
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
    from bot.cli.revision import Unreadable, put_files

    revision, colon, path = name.partition(":")
    if Path(name).is_dir() or not colon:
        yield Path(name)
        return
    with TemporaryDirectory(prefix="prodaccess-") as place:
        try:
            put_files(revision, path, Path(place))
        except Unreadable as problem:
            end(f"{_plain(name)} {_plain(str(problem))}", USAGE)
        yield Path(place)


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

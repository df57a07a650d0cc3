"""`prodaccess check`: every problem of the policy folder, for a person, a program, or the lines of a pull request."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.program import POLICY, PROBLEMS, Folder, add, say, told

if TYPE_CHECKING:
    from workflows.policy_file import Reading
    from workflows.policy_file.problem import Problem

_HERE = Path("config")
_QUOTED = re.compile(r"'([^']+)'")


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class Finding:
    """`path`: from where one stands, so that a terminal can open it. `line` and `column` count from 1; 0: the file as such."""

    severity: str
    path: str
    line: int
    column: int
    message: str

    @property
    def text(self) -> str:
        from workflows.policy_file.problem import printable

        place = f":{self.line}:{self.column}" if self.line else ""
        return f"{printable(self.path)}{place}: {self.message}{' (warning)' if self.severity == 'warning' else ''}"

    @property
    def annotation(self) -> str:
        """A line that GitHub shows beside the file's own, in a pull request."""
        place = f",line={self.line},col={self.column}" if self.line else ""
        return f"::{self.severity} file={_property(self.path)}{place}::{_data(self.message)}"


def register(app: typer.Typer) -> None:
    add(app, check)


@told(
    examples={
        "prodaccess check config": "",
        "prodaccess check --strict --format github": "In a workflow of GitHub: each problem stands beside its line.",
    },
    uses=POLICY,
    codes={PROBLEMS: "there are problems, or with --strict warnings"},
)
def check(
    folder: Folder = _HERE,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as problems.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print them.")] = Format.TEXT,
) -> None:
    """Check the policy folder and print every problem with file, line and column."""
    from workflows.policy_file import read_policy

    reading = read_policy(folder)
    found = list(findings(folder, reading))
    if form is Format.JSON:
        say(json.dumps(_as_json(folder, reading, found), indent=2, ensure_ascii=False))
    else:
        for one in found:
            say(one.annotation if form is Format.GITHUB else one.text)
        say(_sums(folder, reading))
        for note in _notes(reading) if form is Format.TEXT else ():
            say(note)
    if reading.problems or (strict and reading.warnings):
        raise typer.Exit(PROBLEMS)


# Whoever has one of these is told of an installation, not of a folder alone.
_INSTALLED = ("REDIS_URL", "SLACK_BOT_TOKEN", "TEAMS_APP_ID")


def _notes(reading: Reading) -> Iterator[str]:
    """Where an installation's variables are, and what it has of the policy's needs the audit log's key, or the archive: notes,
    which are no problems of the folder.
    """
    from bot.settings import process_environ, with_env_file

    environ = with_env_file(process_environ(), Path(".env"))
    given = (
        {} if isinstance(environ, tuple) else {name.removesuffix("_FILE") for name, value in environ.items() if value}
    )
    if {*_INSTALLED} & {*given} and "PRODACCESS_AUDIT_KEY" not in given:
        yield "No PRODACCESS_AUDIT_KEY is here: unless the workers have one, nothing signs the audit log (docs/audit.md)."
    needed = [name for name in ("PRODACCESS_AUDIT_KEY", "PRODACCESS_AUDIT_BUCKET") if name not in given]
    if needed and reading.policy is not None and reading.policy.retention is not None:
        yield f"retention needs {' and '.join(needed)} at a worker: else nothing leaves the record (docs/retention.md)."


def findings(folder: Path, reading: Reading) -> Iterator[Finding]:
    for severity, problems in (("error", reading.problems), ("warning", reading.warnings)):
        yield from (_finding(folder, severity, problem) for problem in problems)


def _finding(folder: Path, severity: str, problem: Problem) -> Finding:
    file = folder / problem.file if folder.is_dir() else folder
    place = re.fullmatch(r"(.*?): (.*)", str(problem), re.DOTALL)
    column = _column(file, problem) if problem.line else 0
    message = place[2] if place else str(problem)
    return Finding(severity, os.path.relpath(file), problem.line, column, message)


def _column(file: Path, problem: Problem) -> int:
    """Where the word stands that the message quotes; else where the line begins."""
    try:
        line = file.read_text(encoding="utf-8").splitlines()[problem.line - 1]
    except (OSError, UnicodeDecodeError, IndexError):
        return 1
    positions = (line.find(word) for word in _QUOTED.findall(problem.message))
    begin = len(line) - len(line.lstrip())
    return next((position for position in positions if position >= 0), begin) + 1


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _as_json(folder: Path, reading: Reading, found: Sequence[Finding]) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "policy_hash": reading.policy.hash if reading.policy else None,
        "environments": len(reading.policy.environments) if reading.policy else None,
        "roles": _roles(reading),
        "findings": [asdict(one) for one in found],
    }


def _roles(reading: Reading) -> int | None:
    return sum(len(item.roles) for item in reading.policy.environments.values()) if reading.policy else None


def _sums(folder: Path, reading: Reading) -> str:
    """`config: 3 environments, 9 roles, 0 problems`."""
    parts = []
    if reading.policy:
        parts = [_count(len(reading.policy.environments), "environment"), _count(_roles(reading) or 0, "role")]
    parts.append(_count(len(reading.problems), "problem"))
    if reading.warnings:
        parts.append(_count(len(reading.warnings), "warning"))
    return f"{folder}: {', '.join(parts)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

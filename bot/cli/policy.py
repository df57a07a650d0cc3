"""`prodaccess check` and `prodaccess config ...`: the policy folder, seen from the command line.

What does the work is imported when a command runs, so that `--help` stays quick.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from workflows.policy_file import Reading

PROBLEMS, USAGE = 1, 2

Folder = Annotated[Path, typer.Argument(metavar="[DIR]", envvar="PRODACCESS_CONFIG", help="The policy folder.")]
_HERE = Path("config")


def register(app: typer.Typer) -> None:
    """Mount the commands on the program's own."""
    config = typer.Typer(help="The effective policy, and schemas for editors.", no_args_is_help=True)
    app.command()(check)
    config.command()(render)
    config.command()(schema)
    app.add_typer(config, name="config")


def check(
    folder: Folder = _HERE,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as problems.")] = False,
) -> None:
    """Check the policy folder and print every problem with file and line."""
    from workflows.policy_file import read_policy

    reading = read_policy(folder)
    for problem in reading.problems:
        _say(str(problem))
    for warning in reading.warnings:
        _say(f"{warning} (warning)")
    _say(_sums(folder, reading))
    if reading.problems or (strict and reading.warnings):
        raise typer.Exit(PROBLEMS)


def render(
    folder: Folder = _HERE,
    explain: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--explain", metavar="ENV ROLE", help="One role in one environment, and where each value came from."
        ),
    ] = None,
) -> None:
    """Print the effective policy as people read it."""
    from bot.cli.policy_words import explained, rendered
    from workflows.policy_file import read_policy
    from workflows.policy_file.problem import nearest

    reading = read_policy(folder)
    if reading.policy is None:
        for problem in reading.problems:
            _say(str(problem))
        raise typer.Exit(PROBLEMS)
    if explain is None:
        _say("\n".join(rendered(reading.policy)))
        return
    found = reading.policy.entitlement(*explain)
    if found is None:
        known = [role.name for item in reading.policy.environments.values() for role in item.roles.values()]
        print(f"no {' '.join(explain)!r}; {nearest(' '.join(explain), known)}", file=sys.stderr)
        raise typer.Exit(USAGE)
    _say("\n".join(explained(reading.policy, found)))


def schema(
    folder: Folder = _HERE,
    write: Annotated[bool, typer.Option("--write", help="Write them to DIR/schema instead of printing them.")] = False,
) -> None:
    """JSON schemas of the files, for completion in editors."""
    from workflows.policy_file.schema import FOLDER, schemas

    if not write:
        for text in schemas().values():
            _say(text.rstrip())
        return
    if not folder.is_dir():
        print(f"there is no folder {folder}", file=sys.stderr)
        raise typer.Exit(USAGE)
    (folder / FOLDER).mkdir(exist_ok=True)
    for name, text in schemas().items():
        (folder / FOLDER / name).write_text(text, encoding="utf-8")
        _say(str(folder / FOLDER / name))


def _sums(folder: Path, reading: Reading) -> str:
    """`config: 3 environments, 9 roles, 0 problems`."""
    parts = []
    if reading.policy:
        roles = sum(len(item.roles) for item in reading.policy.environments.values())
        parts = [_count(len(reading.policy.environments), "environment"), _count(roles, "role")]
    parts.append(_count(len(reading.problems), "problem"))
    if reading.warnings:
        parts.append(_count(len(reading.warnings), "warning"))
    return f"{folder}: {', '.join(parts)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _say(text: str) -> None:
    """Print, also where the terminal knows fewer characters than the policy."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))

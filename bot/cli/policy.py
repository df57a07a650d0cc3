"""`prodaccess config ...`: the policy folder, seen from the command line.

What does the work is imported when a command runs, so that `--help` stays quick.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.program import POLICY, PROBLEMS, USAGE, Folder, add, program, say, told

_HERE = Path("config")


def register(app: typer.Typer) -> None:
    """Mount the commands on the program's own."""
    config = program("The effective policy, and schemas for editors.")
    add(config, render)
    add(config, schema)
    app.add_typer(config, name="config")


@told(
    examples={
        "prodaccess config render": "",
        "prodaccess config render --explain orders-prod read-only": "Which line each value comes from.",
    },
    uses=POLICY,
)
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
            say(str(problem))
        raise typer.Exit(PROBLEMS)
    if explain is None:
        say("\n".join(rendered(reading.policy)))
        return
    found = reading.policy.entitlement(*explain)
    if found is None:
        known = [role.name for item in reading.policy.environments.values() for role in item.roles.values()]
        print(f"no {' '.join(explain)!r}; {nearest(' '.join(explain), known)}", file=sys.stderr)
        raise typer.Exit(USAGE)
    say("\n".join(explained(reading.policy, found)))


@told(examples={"prodaccess config schema --write": "Into config/schema."}, uses=POLICY)
def schema(
    folder: Folder = _HERE,
    write: Annotated[bool, typer.Option("--write", help="Write them to DIR/schema instead of printing them.")] = False,
) -> None:
    """JSON schemas of the files, for completion in editors."""
    from workflows.policy_file.schema import FOLDER, schemas

    if not write:
        for text in schemas().values():
            say(text.rstrip())
        return
    if not folder.is_dir():
        print(f"there is no folder {folder}", file=sys.stderr)
        raise typer.Exit(USAGE)
    (folder / FOLDER).mkdir(exist_ok=True)
    for name, text in schemas().items():
        (folder / FOLDER / name).write_text(text, encoding="utf-8")
        say(str(folder / FOLDER / name))

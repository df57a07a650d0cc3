"""`prodaccess teams ...`: what connecting Microsoft Teams needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.program import PROBLEMS, USAGE, add, end, program, say, told

_OUT = Path("prodaccess-teams.zip")
_WEBSITE = "https://example.com/prodaccess"


def register(app: typer.Typer) -> None:
    """Mount the commands on the program's own."""
    teams = program("What connecting Microsoft Teams needs.")
    add(teams, package)
    app.add_typer(teams, name="teams")


@told(
    examples={
        "prodaccess teams package --app-id 00000000-0000-0000-0000-000000000000": "With the Microsoft App ID of your Azure Bot.",
        "prodaccess teams package --app-id 00000000-0000-0000-0000-000000000000 --release 1.0.1": "In place of an older one.",
    },
)
def package(
    app_id: Annotated[
        str, typer.Option("--app-id", metavar="ID", help="The Microsoft App ID of the Azure Bot, a GUID.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the zip is written.")] = _OUT,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="How the app is called in Teams.")] = "prodaccess",
    website: Annotated[
        str,
        typer.Option(
            "--website", metavar="ADDRESS", help="Your own page about it, which the app's page in Teams links."
        ),
    ] = _WEBSITE,
    release: Annotated[
        str,
        typer.Option("--release", metavar="NUMBER", help="Higher than that of the app that Teams has, to replace it."),
    ] = "1.0.0",
) -> None:
    """Write the app for the Teams admin centre: a zip with a manifest and two icons."""
    from bot.settings.secret_files import why
    from bot.teams import app_package

    if sentence := app_package.problem(app_id, name, website, release):
        end(sentence, USAGE)
    content = app_package.package(app_id, name=name, website=website, release=release)
    try:
        out.write_bytes(content)
    except OSError as error:
        end(f"{out} cannot be written: {why(error)}.", PROBLEMS)
    say(f"{out}: upload it in the Teams admin centre, under Teams apps, Manage apps.")
    if website == _WEBSITE:
        say("Its page in Teams links example.com: --website names a page of yours.")

"""`prodaccess slack ...`: what connecting Slack needs."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.program import USAGE, add, end, program, say, told


def register(app: typer.Typer) -> None:
    """Mount the commands on the program's own."""
    slack = program("What connecting Slack needs.")
    add(slack, manifest)
    app.add_typer(slack, name="slack")


@told(
    examples={
        "prodaccess slack manifest": "For Socket Mode: Slack need not reach any address of yours.",
        "prodaccess slack manifest --url https://access.example.com": "For HTTP: where Slack reaches web.",
    },
)
def manifest(
    url: Annotated[
        str, typer.Option("--url", metavar="ADDRESS", help="Where Slack reaches web; else Socket Mode.")
    ] = "",
    command: Annotated[
        str, typer.Option("--command", metavar="NAME", help="The slash command; PRODACCESS_COMMAND says the same.")
    ] = "/prodaccess",
) -> None:
    """Print the Slack app's manifest: api.slack.com/apps, Create New App, From a manifest, YAML."""
    from bot.slack import manifest as made

    if sentence := made.problem(url, command):
        end(sentence, USAGE)
    say(made.manifest(url=url, command=command).rstrip())

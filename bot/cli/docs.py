"""`prodaccess docs`: the pages that come along, for whoever stands on a machine without the sources at 03:00."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.program import USAGE, add, say, told

PAGE = Annotated[
    str | None, typer.Argument(metavar="PAGE", help="Its name, as the list has it, or as a message has it.")
]


def register(app: typer.Typer) -> None:
    """Mount the command on the program's own."""
    add(app, docs)


@told(
    examples={
        "prodaccess docs": "Which pages there are.",
        "prodaccess docs operations": "How to run it, and what to do by hand when it cannot.",
        "prodaccess docs deploy/aws/README.md": "What the worker needs at AWS.",
    }
)
def docs(page: PAGE = None) -> None:
    """Print a page of the documents of this very version (Markdown), or a file that one points to; or say which there are."""
    from bot.shipped import files, pages

    found = {path.stem: path for path in sorted(pages().glob("*.md"))}
    if page is None:
        width = max(map(len, found), default=0)
        say("\n".join((*(f"{name:{width}}  {_title(path)}" for name, path in found.items()), "", *files())))
        return
    path = found.get(page.removeprefix("docs/").removesuffix(".md")) or files().get(page)
    if path is None:
        print(f"There is no page {page!r}. The pages: {', '.join(found)}.", file=sys.stderr)
        raise typer.Exit(USAGE)
    say(path.read_text(encoding="utf-8").rstrip())


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as opened:
        return opened.readline().strip("# \n")

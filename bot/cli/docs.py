"""`prodaccess docs`: the pages that come along, for whoever stands on a machine without the sources at 03:00."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.program import USAGE, add, say, told

PAGE = Annotated[str | None, typer.Argument(metavar="PAGE", help="Its name, as the list has it.")]


def register(app: typer.Typer) -> None:
    """Mount the command on the program's own."""
    add(app, docs)


@told(
    examples={
        "prodaccess docs": "Which pages there are.",
        "prodaccess docs operations": "How to run it, and what to do by hand when it cannot.",
    }
)
def docs(page: PAGE = None) -> None:
    """Print a page of the documents of this very version (Markdown), or say which there are."""
    from bot.shipped import pages

    found = {path.stem: path for path in sorted(pages().glob("*.md"))}
    if page is None:
        width = max(map(len, found), default=0)
        say("\n".join(f"{name:{width}}  {_title(path)}" for name, path in found.items()))
    elif (path := found.get(page.removeprefix("docs/").removesuffix(".md"))) is not None:
        say(path.read_text(encoding="utf-8").rstrip())
    else:
        print(f"There is no page {page!r}. The pages: {', '.join(found)}.", file=sys.stderr)
        raise typer.Exit(USAGE)


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as opened:
        return opened.readline().strip("# \n")

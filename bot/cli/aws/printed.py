"""How documents are printed: one as it is, several by name, or each into a file of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from bot.cli.program import USAGE, end, say


class Format(StrEnum):
    JSON = "json"
    TERRAFORM = "terraform"


def note(sentences: Iterable[str]) -> None:
    """Beside the documents, so that these can be piped on."""
    for sentence in sentences:
        print(f"note: {sentence}", file=sys.stderr)


def as_text(content: Mapping[str, Any], size_max: int = 0) -> str:
    """`size_max`: where AWS counts blanks, too; then there are none if there is no room for them."""
    text = json.dumps(content, indent=2)
    return text if not size_max or len(text) <= size_max else json.dumps(content, separators=(",", ":"))


def print_json(named: Mapping[str, str]) -> None:
    """`named`: name -> a document as text."""
    if len(named) == 1:
        say(*named.values())
        return
    say(json.dumps({name: json.loads(text) for name, text in named.items()}, indent=2))


def write_files(folder: Path, named: Mapping[str, str]) -> None:
    """`named`: a file's name -> its text. What is there already is written over; a link or a folder is not."""
    if not folder.is_dir():
        end(f"There is no folder {folder}: make it, or name another one with --into.", USAGE)
    for name, text in named.items():
        path = folder / name
        if path.is_symlink() or path.is_dir():
            end(f"{path} is no file that could be written: take it away, or name another folder with --into.")
        path.write_text(f"{text}\n", encoding="utf-8")
        say(str(path))

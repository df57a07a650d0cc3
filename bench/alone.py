"""One measurement by itself: `python -m bench.NAME [--quick] [--json FILE]`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.figures import Figure, table, write_json

Measure = Callable[[bool], Sequence[Figure]]


def parser(text: str | None) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="small sizes: does it run; the figures mean little")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return made


def alone(text: str | None, measure: Measure) -> None:
    asked = parser(text).parse_args()
    show(measure(asked.quick), asked.json)


def show(figures: Sequence[Figure], file: Path | None) -> None:
    if file is not None:
        file.write_text(write_json(figures))
    print(table(figures))

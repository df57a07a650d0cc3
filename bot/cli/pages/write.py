"""A page becomes a file: as a whole, or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


def write_page(file: Path, parts: Iterable[str]) -> None:
    """The whole page, or nothing: a file that was there before stays until the new one is complete.

    A pipe or a terminal is written to as it is, and where `file` is a link, what it points to is the file.
    """
    with _replacing(file.resolve()) if _is_replaced(file) else file.open("w", encoding="utf-8") as output:
        output.writelines(parts)
    print(f"{file}: written.", file=sys.stderr)


def _is_replaced(file: Path) -> bool:
    return file.is_file() or not file.exists()


@contextmanager
def _replacing(file: Path) -> Iterator[TextIO]:
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)  # left behind by one that was killed, or a trap
        with part.open("x", encoding="utf-8") as output:
            yield output
        os.replace(part, file)
    except OSError as error:
        # Who is told of it typed the file's name, and not that of its part.
        raise (OSError(error.errno, error.strerror, str(file)) if error.filename == str(part) else error) from error
    finally:
        part.unlink(missing_ok=True)

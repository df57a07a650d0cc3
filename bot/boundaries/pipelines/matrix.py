"""What a job's matrix may put in the place of `${{ matrix.NAME }}`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.boundaries.pipelines.yaml_look import field, listed, text
from bot.boundaries.reading.node import Fields, Items, Node

_NAME = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")


def of_matrix(job: Node, name: str) -> tuple[str, ...] | None:
    """All values; None where a run works one of them out."""
    matrix = field(job, "strategy", "matrix")
    if not isinstance(matrix, Fields):
        return None
    values, include = matrix.fields.get(name), matrix.fields.get("include")
    if not all(part is None or isinstance(part, Items) for part in (values, include)):
        return None
    found = [*listed(values), *(value for each in listed(include) if (value := field(each, name)) is not None)]
    return known([text(each) for each in found])


def in_text(job: Node, words: str) -> Iterator[str]:
    """The values of each `matrix.NAME` in it."""
    for name in _NAME.findall(words):
        yield from of_matrix(job, name) or ()


def instead_of(job: Node, words: str) -> tuple[str, ...] | None:
    """What a text is that is `${{ matrix.NAME }}` and nothing else; itself where nothing is put in."""
    if "${{" not in words:
        return (words,)
    found = _NAME.fullmatch(words.strip())
    return of_matrix(job, found[1]) if found else None


def known(words: list[str | None]) -> tuple[str, ...] | None:
    found = [word for word in words if word is not None and "${{" not in word]
    return tuple(found) if found and len(found) == len(words) else None

"""What a job's matrix may put in the place of `${{ matrix.NAME }}`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.boundaries.pipelines.yaml_look import field, listed, text
from bot.boundaries.reading.node import Fields, Items, Node

_NAME = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")


def of_matrix(job: Node, name: str) -> tuple[str, ...] | None:
    """All values; None where a run works one of them out, or where a combination goes without it."""
    matrix = field(job, "strategy", "matrix")
    if not isinstance(matrix, Fields):
        return None
    values, include = matrix.fields.get(name), matrix.fields.get("include")
    if not all(part is None or isinstance(part, Items) for part in (values, include)):
        return None
    if any(field(each, name) is None and _may_stand_alone(matrix, each) for each in listed(include)):
        return None
    if values is None and set(matrix.fields) - {"include", "exclude"}:
        # Combinations of the others, to which an `include` adds it or not.
        return None
    found = [*listed(values), *(value for each in listed(include) if (value := field(each, name)) is not None)]
    return known([text(each) for each in found])


def _may_stand_alone(matrix: Fields, included: Node) -> bool:
    """Whether an `include` may be a combination of its own: it is none where all that it names is among the matrix's own."""
    if not isinstance(included, Fields):
        return True
    own = {name: values for name, values in matrix.fields.items() if name not in ("include", "exclude")}
    named = [(own[key], value) for key, value in included.fields.items() if key in own]
    return not own or any(text(value) not in [text(each) for each in listed(values)] for values, value in named)


def in_text(job: Node, words: str) -> Iterator[str]:
    """Values of each `matrix.NAME` in it, as far as they stand there: what a job speaks of, if not always."""
    matrix = field(job, "strategy", "matrix")
    for name in _NAME.findall(words):
        for node in (field(matrix, name), *(field(each, name) for each in listed(field(matrix, "include")))):
            yield from (found for each in listed(node) if (found := text(each)) is not None)


def instead_of(job: Node, words: str) -> tuple[str, ...] | None:
    """What a text is that is `${{ matrix.NAME }}` and nothing else; itself where nothing is put in."""
    if "${{" not in words:
        return (words,)
    found = _NAME.fullmatch(words.strip())
    return of_matrix(job, found[1]) if found else None


def known(words: list[str | None]) -> tuple[str, ...] | None:
    """None where one is not; an empty word is no name, and a job of no environment waits for nobody."""
    found = [word for word in words if word and "${{" not in word]
    return tuple(found) if found and len(found) == len(words) else None

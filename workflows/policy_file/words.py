"""Checking a file against its model. Pydantic's errors are said plainly, each with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from workflows.policy_file.problem import Problem, nearest, quote
from workflows.policy_file.values import OURS
from workflows.policy_file.yaml_reader import Block, Document, Odd, Path

M = TypeVar("M", bound=BaseModel)
Sentence = tuple[str, str]


def validated(model: type[M], document: Document) -> tuple[M | None, tuple[Problem, ...]]:
    """The file as its model, and all problems. The model is None where there are any but superfluous keys."""
    if not isinstance(document.data, Block):
        words = "the file is empty" if document.data is None else "the file must be a block of keys"
        return None, (Problem(document.file, document.line(()), words, "see docs/policy.md for what belongs here"),)
    problems: list[Problem] = []

    def report(path: Path, message: str, suggestion: str) -> None:
        problems.append(Problem(document.file, document.line(path), message, suggestion))

    try:
        found = model.model_validate(document.data, context=report)
    except ValidationError as error:
        said = (_problem(document, item) for item in error.errors(include_url=False))
        return None, (*problems, *(problem for problem in said if problem))
    return found, tuple(problems)


def _problem(document: Document, error: ErrorDetails) -> Problem | None:
    path = _walk(document, error["loc"])
    if error["type"] == "missing":
        return _missing(document, path, str(error["loc"][-1]))
    if error["type"] == "too_short" and error["input"]:
        return None  # Its items have problems of their own, and are the only ones there.
    message, suggestion = _sentence(error, document.texts.get(path))
    key = next((step for step in reversed(path) if isinstance(step, str)), None)
    if error["type"].startswith("union_tag"):
        key = "kind"
    prefix = "" if error["type"] == OURS and not message.startswith("is not ") else f"{key}: " if key else ""
    return Problem(document.file, document.line(path), prefix + message, suggestion)


def _missing(document: Document, path: Path, key: str) -> Problem | None:
    block = document.get(path)
    if isinstance(block, Block) and key in block:
        return None  # It has no value, which has been said already.
    where = f" in {quote(path[-1])}" if path and isinstance(path[-1], str) else ""
    return Problem(document.file, document.line(path), f"{quote(key)} is missing{where}")


def _walk(document: Document, location: tuple[int | str, ...]) -> Path:
    """The part of pydantic's location that stands in the file; tags of unions and marks of keys do not."""
    path: Path = ()
    value: object = document.data
    for step in location:
        if (isinstance(value, Block) and step in value) or (isinstance(value, list) and isinstance(step, int)):
            path = (*path, step)
            value = document.get(path)
    return path


def _sentence(error: ErrorDetails, text: str | None) -> Sentence:
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if kind == OURS:
        return str(context["words"]), str(context["suggestion"])
    if value is None:
        return "has no value", "fill it in, or take the key out"
    if kind == "string_type":
        return _no_text(value, text)
    if say := _SENTENCES.get(kind):
        return say(context, value)
    return "cannot be read", "see docs/policy.md for what belongs here"


def _no_text(value: object, text: str | None) -> Sentence:
    """YAML's traps: words that look like text and are none."""
    words = value.text if isinstance(value, Odd) else text
    if words is None:
        return "must be one word or text", "take the brackets or the block away"
    read_as = "true or false" if isinstance(value, bool) else "a number"
    return f"YAML reads {quote(words)} as {read_as}", f'put it in quotes: "{words}"' if len(
        words
    ) < 60 else "put it in quotes"


def _wrong_word(context: Mapping[str, Any], value: object) -> Sentence:
    known = re.findall(r"'([^']*)'", str(context.get("expected", context.get("expected_tags", ""))))
    given = value.get(str(context.get("discriminator", "")).strip("'")) if isinstance(value, Block) else value
    if isinstance(given, Odd):
        given = given.text
    if not known:
        return f"must be {context.get('expected')}", ""
    return f"{quote(given)} is not possible here", nearest(str(given), known)


def _list(_: Mapping[str, Any], value: object) -> Sentence:
    if isinstance(value, str):
        return "must be a list", f"write [{value}]" if len(value) < 60 and value.isprintable() else "put it in brackets"
    return "must be a list", "write [one, two]"


def _block(*_: object) -> Sentence:
    return "must be a block of keys", "write {key: value}"


def _too_short(*_: object) -> Sentence:
    return "is empty", "name at least one"


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any], object], Sentence]] = {
    "literal_error": _wrong_word,
    "union_tag_invalid": _wrong_word,
    "union_tag_not_found": lambda *_: ("is missing", "say which kind of target it is"),
    "tuple_type": _list,
    "list_type": _list,
    "dict_type": _block,
    "model_type": _block,
    "model_attributes_type": _block,
    "too_short": _too_short,
    "bool_type": lambda *_: ("must be true or false", ""),
    "int_type": lambda *_: ("must be a whole number", ""),
    "greater_than_equal": lambda context, _: (f"must be at least {context['ge']}", ""),
    "less_than_equal": lambda context, _: (f"must be at most {context['le']}", ""),
}

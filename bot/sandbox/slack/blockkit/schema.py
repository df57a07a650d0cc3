"""A small language for saying what Slack accepts. A check looks at a value and adds what is wrong with it, with its place.

The sentences are Slack's own, e.g. `must be less than 3001 characters [json-pointer:/blocks/0/text/text]`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass
class Problems:
    """What is wrong, in the order of finding it."""

    found: list[str] = field(default_factory=list)

    def add(self, message: str, pointer: str) -> None:
        self.found.append(f"{message} [json-pointer:{pointer}]")


Check: TypeAlias = Callable[[Any, str, Problems], None]


def string(most: int | None = None, *, least: int = 1, pattern: str | None = None) -> Check:
    """A string of `least` to `most` characters that matches `pattern` as a whole."""

    def check(value: Any, pointer: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.add("must provide a string", pointer)
        elif len(value) < least:
            problems.add(f"must be more than {least - 1} characters", pointer)
        elif most is not None and len(value) > most:
            problems.add(f"must be less than {most + 1} characters", pointer)
        elif pattern is not None and re.fullmatch(pattern, value) is None:
            problems.add("failed to match schema", pointer)

    return check


def boolean(value: Any, pointer: str, problems: Problems) -> None:
    if not isinstance(value, bool):
        problems.add("must provide a boolean", pointer)


def integer(least: int, most: int) -> Check:
    def check(value: Any, pointer: str, problems: Problems) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            problems.add("must provide an integer", pointer)
        elif value < least:
            problems.add(f"must be greater than {least - 1}", pointer)
        elif value > most:
            problems.add(f"must be less than {most + 1}", pointer)

    return check


def one_of(*allowed: str) -> Check:
    def check(value: Any, pointer: str, problems: Problems) -> None:
        if value not in allowed:
            problems.add(f"must be a valid enum value: {', '.join(allowed)}", pointer)

    return check


def anything(_value: Any, _pointer: str, _problems: Problems) -> None:
    """For what Slack does not look into."""


def array(item: Check, most: int, *, least: int = 1) -> Check:
    def check(value: Any, pointer: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.add("must provide an array", pointer)
            return
        if len(value) < least:
            problems.add(f"must provide at least {least} items", pointer)
        if len(value) > most:
            problems.add(f"no more than {most} items allowed", pointer)
        for number, element in enumerate(value):
            item(element, f"{pointer}/{number}", problems)

    return check


def record(
    fields: Mapping[str, Check],
    required: Iterable[str] = (),
    rules: Iterable[Check] = (),
    *,
    heading: str | None = None,
) -> Check:
    """An object with these fields and no others. `rules` look at the whole object once its fields are right.

    `heading` is the line that Slack puts above the problems of an object that may take several forms.
    """

    def check(value: Any, pointer: str, problems: Problems) -> None:
        inner = Problems()
        if isinstance(value, dict):
            _check_fields(value, fields, required, pointer, inner)
            if not inner.found:
                for rule in rules:
                    rule(value, pointer, inner)
        else:
            inner.add("must provide an object", pointer)
        if inner.found and heading:
            problems.add(heading, pointer)
        problems.found += inner.found

    return check


def _check_fields(
    value: Mapping[str, Any], fields: Mapping[str, Check], required: Iterable[str], pointer: str, problems: Problems
) -> None:
    for name in required:
        if name not in value:
            problems.add(f"missing required field: {name}", pointer)
    for name, content in value.items():
        if name in fields:
            fields[name](content, f"{pointer}/{name}", problems)
        else:
            problems.add(f"invalid additional property: {name}", pointer)


def by_type(kinds: Mapping[str, Check], allowed: Collection[str] | None = None) -> Check:
    """An object whose `type` says which check it has to pass."""

    def check(value: Any, pointer: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add("must provide an object", pointer)
        elif "type" not in value:
            problems.add("missing required field: type", pointer)
        elif value["type"] not in kinds or (allowed is not None and value["type"] not in allowed):
            problems.add(f"unsupported type: {value['type']}", f"{pointer}/type")
        else:
            kinds[value["type"]](value, pointer, problems)

    return check

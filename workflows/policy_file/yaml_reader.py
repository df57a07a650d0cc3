"""YAML text -> plain data that knows its lines. Only the part of YAML that a policy needs; the rest is refused in words.

The tree is built from the parser's events, not by PyYAML's constructors: nothing is expanded (no aliases, no merges, no
tags), nesting is limited, and for each key and value the line is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import yaml
from yaml.resolver import Resolver

from workflows.core.provider import providers
from workflows.policy_file.problem import Problem, quote
from workflows.policy_file.secret import HELP, HIDDEN, secret_kind

Path = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Untyped in types-pyyaml.
_RESOLVE: Callable[..., object] = Resolver().resolve
_DEPTH_MAX = 20
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,17}")
_TRUE = frozenset({"true", "yes", "on"})


class Block(dict[str, object]):
    """A mapping of the file, and where it stands."""

    path: Path = ()


@dataclass(frozen=True, slots=True)
class Odd:
    """A plain word that YAML reads as a number of an unexpected kind: octal, sexagesimal, hexadecimal, a fraction."""

    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """`lines`: the line of each key or list item. `texts`: the words of plain values that YAML does not read as text."""

    file: str
    data: object
    lines: Mapping[Path, int] = field(default_factory=dict)
    texts: Mapping[Path, str] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of the nearest thing that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def place(self, *path: str | int) -> str:
        return f"{self.file}:{self.line(path)}"

    def get(self, path: Path) -> object:
        """The value at `path`, or None."""
        value = self.data
        for step in path:
            if isinstance(value, Block) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
                value = value[step]
            else:
                return None
        return value


class _Unreadable(Exception):
    """Reading cannot go on. Raised and caught in this module."""

    def __init__(self, line: int, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.line, self.message, self.suggestion = line, message, suggestion


@dataclass(slots=True)
class _Frame:
    container: Block | list[object]
    path: Path
    key: str | None = None


class _Builder:
    """Takes the parser's events, one after the other."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: object = None
        self.lines: dict[Path, int] = {}
        self.texts: dict[Path, str] = {}
        self.problems: list[Problem] = []
        self._stack: list[_Frame] = []
        self._documents = 0

    def feed(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._document(line)
        elif isinstance(event, yaml.AliasEvent):
            raise _Unreadable(
                line, "an alias ('*') stands here", "write the value out: what applies must stand in its place"
            )
        elif isinstance(event, yaml.CollectionEndEvent):
            self._stack.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._node(event, line)

    def _document(self, line: int) -> None:
        self._documents += 1
        if self._documents > 1:
            raise _Unreadable(line, "a second document begins here ('---')", "one file holds one document")

    def _node(self, event: yaml.NodeEvent, line: int) -> None:
        if event.anchor is not None:
            raise _Unreadable(line, "an anchor ('&') stands here", "write the value out in each place that needs it")
        if getattr(event, "tag", None) not in (None, "!"):
            raise _Unreadable(line, "a tag ('!') stands here", "take it out, and put text into quotes")
        if self._wants_key():
            self._key(event, line)
        elif isinstance(event, yaml.ScalarEvent):
            path = self._path(line)
            self._put(self._value(event, path, line))
        else:
            self._open(event, line)

    def _wants_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].container, Block) and self._stack[-1].key is None

    def _key(self, event: yaml.NodeEvent, line: int) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise _Unreadable(line, "a list or a block stands where a key is meant", "a key is one word")
        frame = self._stack[-1]
        key = self._key_text(event, line)
        if key in frame.container:
            first = self.lines.get((*frame.path, key), line)
            self._problem(line, f"the key {quote(key)} stands here twice, first in line {first}", "keep one of them")
        frame.key = key

    def _key_text(self, event: yaml.ScalarEvent, line: int) -> str:
        if kind := secret_kind(event.value):
            self._secret(line, kind)
            return HIDDEN
        tag = _tag(event)
        if tag == "merge":
            raise _Unreadable(line, "a merge ('<<') stands here", "write the keys out")
        if tag not in ("str", "timestamp"):
            read_as = {"bool": "true or false", "null": "nothing"}.get(tag, "a number")
            self._problem(
                line, f"YAML reads the name {quote(event.value)} as {read_as}", "put it in quotes, or take another name"
            )
        return str(event.value)

    def _path(self, line: int) -> Path:
        """Where the value that comes now belongs; its line is noted."""
        if not self._stack:
            self.lines[()] = line
            return ()
        frame = self._stack[-1]
        step = len(frame.container) if frame.key is None else frame.key
        path = (*frame.path, step)
        self.lines[path] = line
        return path

    def _open(self, event: yaml.NodeEvent, line: int) -> None:
        if len(self._stack) >= _DEPTH_MAX:
            raise _Unreadable(line, f"more than {_DEPTH_MAX} levels inside each other")
        path = self._path(line)
        container: Block | list[object] = Block() if isinstance(event, yaml.MappingStartEvent) else []
        if isinstance(container, Block):
            container.path = path
        self._put(container)
        self._stack.append(_Frame(container, path))

    def _put(self, value: object) -> None:
        if not self._stack:
            self.root = value
            return
        frame = self._stack[-1]
        if isinstance(frame.container, Block):
            frame.container[str(frame.key)] = value
            frame.key = None
        else:
            frame.container.append(value)

    def _value(self, event: yaml.ScalarEvent, path: Path, line: int) -> object:
        text = str(event.value)
        kind = secret_kind(text)
        if kind and not (kind == "a random token" and path and _may_be_random(path[-1])):
            self._secret(line, kind)
            return HIDDEN
        tag = _tag(event)
        if tag in ("str", "timestamp", "merge"):
            return text
        self.texts[path] = text
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() in _TRUE
        return int(text) if _DECIMAL.fullmatch(text) else Odd(text)

    def _secret(self, line: int, kind: str) -> None:
        self._problem(line, f"this looks like {kind}", HELP)

    def _problem(self, line: int, message: str, suggestion: str) -> None:
        self.problems.append(Problem(self.file, line, message, suggestion))


def _may_be_random(key: str | int) -> bool:
    """Whether a provider says so: an id that is chosen to be hard to guess, and is no secret."""
    return any(key in provider.not_secret for provider in providers())


def _tag(event: yaml.ScalarEvent) -> str:
    """What YAML makes of a scalar: `str`, `int`, `bool`, `null`, `float`, `timestamp`, `merge`, ..."""
    if not event.implicit[0]:
        return "str"
    return str(_RESOLVE(yaml.ScalarNode, event.value, (True, False))).rpartition(":")[2]


def read_yaml(file: str, text: str) -> tuple[Document | None, tuple[Problem, ...]]:
    """Read one file. The document is None where reading could not go on to its end."""
    builder = _Builder(file)
    try:
        for event in _events(text):
            builder.feed(event)
    except _Unreadable as stop:
        return None, (*builder.problems, Problem(file, stop.line, stop.message, stop.suggestion))
    return Document(file, builder.root, builder.lines, builder.texts), tuple(builder.problems)


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _syntax(text, mark.line if mark else 0, error.problem or "") from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) if isinstance(position, int) else 0
        raise _Unreadable(line + 1, "a character stands here that YAML does not allow", "take it out") from None


def _syntax(text: str, line: int, words: str) -> _Unreadable:
    lines = text.splitlines()
    indent = re.match(r"\s*", lines[line]) if line < len(lines) else None
    if indent and "\t" in indent.group():
        return _Unreadable(line + 1, "a tab stands at the beginning of the line", "YAML wants blanks there")
    if "mapping values are not allowed" in words:
        return _Unreadable(
            line + 1, "a ': ' stands where none can be", "put the text in quotes, or check the indentation"
        )
    return _Unreadable(
        line + 1,
        f"this is not valid YAML ({words})" if words else "this is not valid YAML",
        "check quotes, brackets and indentation here and in the line above",
    )

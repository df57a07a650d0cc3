"""HCL -> nodes as JSON. Nothing is worked out: what is no literal, no name, no list, no object, no call is unknown.

It runs in the process that `child.py` is, because a parser for text of strangers may take long, or much.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from bot.boundaries.reading.budget import Budget

# By its name: what its parser imports tells mypy other things of `re` than the rest of this program knows.
hcl2: Any = import_module("hcl2")
_VALUE = hcl2.SerializationOptions(strip_string_quotes=True, preserve_heredocs=False, with_comments=False)
_REFERENCE = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*")
_TEMPLATE_MARK = re.compile(r"([$%])\1?\{")


def block_of(text: str) -> list[Any]:
    """The whole file as one block without a name. Raises what the parser raises, and `TooMuch`."""
    return _Reader(Budget()).body(hcl2.parses(text).body, 1, [])


class _Reader:
    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def body(self, body: Any, line: int, labels: list[str]) -> list[Any]:
        fields: dict[str, Any] = {}
        blocks: list[Any] = []
        for child in body.children:
            if _kind(child) == "attribute":
                name = str(child.identifier.serialize(_VALUE))
                # Terraform refuses a file that says a name twice: nobody has to guess which one holds.
                fields[name] = ["u", _line(child)] if name in fields else self.value(child.expression, _line(child))
            elif _kind(child) == "block":
                with self._budget.deeper():
                    names = [str(label.serialize(_VALUE)) for label in child.labels]
                    blocks.append(self.body(child.body, _line(child), names))
        return ["b", line, labels, list(fields.items()), blocks]

    def value(self, rule: Any, line: int) -> list[Any]:
        with self._budget.deeper():
            return self._value(rule, _line(rule) or line)

    def _value(self, rule: Any, line: int) -> list[Any]:
        if _kind(rule) == "expr_term":
            return self.value(rule.expression, line)
        if _kind(rule) in ("literal_value", "int_lit", "float_lit"):
            return ["v", line, _plain(rule.serialize(_VALUE)), False]
        if _kind(rule) in ("heredoc_template", "heredoc_template_trim"):
            return _heredoc(str(rule.heredoc.value), line)
        if _kind(rule) == "string":
            return _string(rule, line)
        if _kind(rule) in ("identifier", "get_attr_expr_term"):
            return ["t", line, [[_reference(rule)]]]
        return self._of_several(rule, line)

    def _of_several(self, rule: Any, line: int) -> list[Any]:
        if _kind(rule) == "tuple":
            return ["l", line, [self.value(each, line) for each in rule.elements]]
        if _kind(rule) == "object":
            return self._object(rule, line)
        if _kind(rule) == "function_call":
            return self._call(rule, line)
        return ["u", line]

    def _object(self, rule: Any, line: int) -> list[Any]:
        fields: dict[str, Any] = {}
        for each in rule.elements:
            key = each.key
            if _kind(key) != "object_elem_key":
                return ["u", line]
            name = str(key.serialize(_VALUE))
            if "${" in name or name in fields:
                return ["u", line]
            fields[name] = self.value(each.expression, _line(each) or line)
        return ["m", line, list(fields.items())]

    def _call(self, rule: Any, line: int) -> list[Any]:
        name = "::".join(str(each.serialize(_VALUE)) for each in rule.identifiers)
        given = rule.arguments
        if given is not None and given.has_ellipsis:
            return ["u", line]
        return ["f", line, name, [self.value(each, line) for each in given.arguments] if given is not None else []]


def _kind(rule: Any) -> str:
    """As the grammar calls it: `object`, `function_call`; empty for what is none of its."""
    return str(rule.lark_name()) if hasattr(rule, "lark_name") else ""


def _line(rule: Any) -> int:
    return int(getattr(getattr(rule, "_meta", None), "line", 0) or 0)


def _plain(value: Any) -> Any:
    """A number that is written as `1e9` comes as text."""
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _string(rule: Any, line: int) -> list[Any]:
    parts: list[Any] = []
    for part in rule.string_parts:
        content = part.content
        if _kind(content) == "interpolation":
            parts.append([_reference(content.expression)])
        elif _kind(content) == "STRING_CHARS":
            parts.append(str(rule._serialize_part_as_value(part, _VALUE, hcl2.utils.SerializationContext())))
        elif _kind(content) == "ESCAPED_INTERPOLATION":
            parts.append(str(content.serialize(_VALUE))[1:])
        else:
            parts.append([""])
    if any(not isinstance(part, str) for part in parts):
        return ["t", line, parts]
    return ["v", line, "".join(parts), True]


def _heredoc(token: str, line: int) -> list[Any]:
    """Its interpolations come as they were typed: names are taken out of it, all else is unknown."""
    text = "\n".join(token.rstrip().splitlines()[1:-1])  # between `<<EOT` and `EOT`
    if not _TEMPLATE_MARK.search(text):
        return ["v", line, text, True]
    parts: list[Any] = []
    at = 0
    for found in _TEMPLATE_MARK.finditer(text):
        if found.start() < at:
            continue
        parts.append(text[at : found.start()])
        if len(found[0]) == 3:  # $${ is a plain ${
            parts.append(found[0][1:])
            at = found.end()
            continue
        end = text.find("}", found.end())
        inside = text[found.end() : end].strip() if end >= 0 else ""
        parts.append([inside if found[1] == "$" and _REFERENCE.fullmatch(inside) else ""])
        at = end + 1 if end >= 0 else len(text)
    return ["t", line, [part for part in [*parts, text[at:]] if part != ""]]


def _reference(rule: Any) -> str:
    """`aws_s3_bucket.state.arn`; empty for an expression."""
    if _kind(rule) == "expr_term" and not rule.parentheses:
        return _reference(rule.expression)
    if _kind(rule) == "identifier":
        return str(rule.serialize(_VALUE))
    if _kind(rule) == "get_attr_expr_term":
        before = _reference(rule.expr_term)
        return f"{before}.{rule.get_attr.identifier.serialize(_VALUE)}" if before else ""
    return ""

"""Reads IAM policies as AWS does, as far as this project's templates go; moto does not enforce `aws:CurrentTime`.

Source: "Policy evaluation logic" and "IAM JSON policy elements: Condition operators" in the IAM user guide.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Document = Mapping[str, Any]


def allows(
    document: Document, action: str, resource: str, at: datetime, context: Mapping[str, str] | None = None
) -> bool:
    """Whether the policy allows `action` (`s3:GetObject`) on `resource` (an ARN) at `at` (with a time zone).

    `context` gives further condition keys. Raises `NotImplementedError` for an operator that is not known here, so
    that a test cannot pass for the wrong reason.
    """
    keys = {"aws:currenttime": at.astimezone(UTC).isoformat(), "aws:epochtime": at.astimezone(UTC).isoformat()}
    keys |= {name.lower(): value for name, value in (context or {}).items()}
    effects = {entry["Effect"] for entry in _statements(document) if _applies(entry, action, resource, keys)}
    return effects == {"Allow"}


def ends_at(document: Document) -> datetime | None:
    """When the policy allows nothing more by its own conditions; None where some statement never ends."""
    ends = [_end_of(entry) for entry in _statements(document) if entry["Effect"] == "Allow"]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _end_of(statement: Mapping[str, Any]) -> datetime | None:
    """The end that a statement has: operators must all hold, the values of one are alternatives."""
    ends = []
    for operator, block in statement.get("Condition", {}).items():
        if operator in ("DateLessThan", "DateLessThanEquals"):
            for key, values in block.items():
                if key.lower() in ("aws:currenttime", "aws:epochtime"):
                    ends.append(max(_time(value) for value in _list(values)))
    return min(ends) if ends else None


def _statements(document: Document) -> list[Mapping[str, Any]]:
    return [entry for entry in _list(document["Statement"]) if isinstance(entry, Mapping)]


def _applies(statement: Mapping[str, Any], action: str, resource: str, keys: Mapping[str, str]) -> bool:
    named = _named(statement, "Action", action.lower(), fold=True) and _named(
        statement, "Resource", resource, fold=False
    )
    return named and all(
        _holds(operator, name, _list(values), keys)
        for operator, block in statement.get("Condition", {}).items()
        for name, values in block.items()
    )


def _named(statement: Mapping[str, Any], element: str, value: str, *, fold: bool) -> bool:
    patterns = [str(text) for text in _list(statement.get(element, statement.get(f"Not{element}", [])))]
    found = any(_like(pattern.lower() if fold else pattern, value) for pattern in patterns)
    return found if element in statement else (f"Not{element}" in statement and not found)


def _holds(operator: str, name: str, values: list[Any], keys: Mapping[str, str]) -> bool:
    """One condition. A key that is absent makes it false, or true for `...IfExists` and for negations."""
    if operator == "Null":
        return any((name.lower() not in keys) == (str(value).lower() == "true") for value in values)
    # Each key has one value here.
    plain = operator.removesuffix("IfExists").removeprefix("ForAnyValue:")
    test = _OPERATORS.get(plain)
    if test is None:
        raise NotImplementedError(f"condition operator {operator}")
    actual = keys.get(name.lower())
    negated = "Not" in plain
    if actual is None:
        return operator.endswith("IfExists") or negated
    found = any(test(actual, str(value)) for value in values)
    return not found if negated else found


def _time(value: Any) -> datetime:
    text = str(value)
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _like(pattern: str, value: str) -> bool:
    parts = ("." if char == "?" else ".*" if char == "*" else re.escape(char) for char in pattern)
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _equal(actual: str, wanted: str) -> bool:
    return actual == wanted


# A negated operator is tested like its plain one and turned round in `_holds`.
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "DateLessThan": lambda actual, limit: _time(actual) < _time(limit),
    "DateLessThanEquals": lambda actual, limit: _time(actual) <= _time(limit),
    "DateGreaterThan": lambda actual, limit: _time(actual) > _time(limit),
    "DateGreaterThanEquals": lambda actual, limit: _time(actual) >= _time(limit),
    "DateEquals": lambda actual, limit: _time(actual) == _time(limit),
    "DateNotEquals": lambda actual, limit: _time(actual) == _time(limit),
    "StringEquals": _equal,
    "StringNotEquals": _equal,
    # Both are the same ("Amazon Resource Name (ARN) condition operators", IAM user guide).
    "ArnLike": lambda actual, pattern: _like(pattern, actual),
    "ArnEquals": lambda actual, pattern: _like(pattern, actual),
    "ArnNotLike": lambda actual, pattern: _like(pattern, actual),
    "ArnNotEquals": lambda actual, pattern: _like(pattern, actual),
    "NumericLessThan": lambda actual, limit: float(actual) < float(limit),
    "StringEqualsIgnoreCase": lambda actual, wanted: actual.lower() == wanted.lower(),
    "StringLike": lambda actual, pattern: _like(pattern, actual),
    "StringNotLike": lambda actual, pattern: _like(pattern, actual),
    "Bool": lambda actual, wanted: actual.lower() == wanted.lower(),
}

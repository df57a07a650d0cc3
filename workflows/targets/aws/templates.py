"""Policy templates: IAM policy documents that only allow, with a few placeholders, to which an end can be added.

Everything works on parsed JSON, never on raw text, so that no value can break out of its string. Sources: "IAM JSON policy
elements reference", "Condition operators" and "IAM and STS quotas" in the IAM user guide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from workflows.core.provider import TemplateRefused

PLACEHOLDERS = ("environment", "account", "region", "partition", "local_part")

# How many hex digits of an installation's id stand in a document's `Id`.
MARK_LENGTH = 12
_MARK = re.compile(r"[0-9a-f]{12}")

# All inline policies of an IAM user together; blanks between tokens are not counted.
INLINE_CHARACTERS_MAX = 2048

_VALUE = re.compile(r"[A-Za-z0-9._-]{1,64}")
# An IAM policy variable, `${aws:username}`, or a placeholder of ours, `{account}`.
_BRACED = re.compile(r"\$\{(?P<variable>[^{}]*)\}|\{(?P<name>[^{}]*)\}")
# What IAM accepts in a document.
_PRINTABLE = re.compile(r"[\t\n\r\x20-\xff]*")
_END_OPERATOR, _END_KEY = "DateLessThan", "aws:CurrentTime"
_SESSION_KEY = "aws:TokenIssueTime"
_TIME_KEYS = frozenset({"aws:currenttime", "aws:epochtime", "aws:tokenissuetime"})
_STATEMENT_KEYS = frozenset({"Sid", "Effect", "Action", "Resource", "Condition"})
_DOCUMENT_KEYS = frozenset({"Version", "Id", "Statement"})
_COMPARISONS = {
    "String": ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"),
    "Numeric": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
    "Date": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
    "Arn": ("Equals", "NotEquals", "Like", "NotLike"),
    "": ("Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"),
}
_OPERATORS = frozenset(kind + name for kind, names in _COMPARISONS.items() for name in names)


def check_template(text: str) -> tuple[str, ...]:
    """All that is wrong with the text of a template, one sentence each; empty where it may be used."""
    try:
        document = _parse(text)
    except TemplateRefused as refused:
        return refused.problems
    return tuple(_problems(document))


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its placeholders filled in, as compact JSON. Raises TemplateRefused, with all problems."""
    document = _parse(template)
    problems = [*_problems(document), *_value_problems(values)]
    if problems:
        raise TemplateRefused(*problems)
    filled = _mapped(document, lambda text: _filled(text, values))
    return _compact(filled)


def fill_words(words: str, values: Mapping[str, str]) -> str:
    """A name such as `{environment}-deployers`, filled in. Raises TemplateRefused."""
    problems = [*_brace_problems(words, f"`{words}`"), *_value_problems(values)]
    if "${" in words:
        problems.append(f"`{words}` is a name: policy variables have no meaning in it.")
    if problems:
        raise TemplateRefused(*problems)
    return _filled(words, values)


def placeholder_values(
    *, environment: str, account: str | None, region: str, partition: str, holder: str
) -> dict[str, str]:
    """The values of all placeholders that are known. `holder` is an address; its local part is what precedes the last `@`."""
    local_part = holder.rpartition("@")[0]
    found = {
        "environment": environment,
        "account": account,
        "region": region,
        "partition": partition,
        "local_part": local_part,
    }
    return {name: value for name, value in found.items() if value}


def with_end(document: str, until: datetime, mark: str = "") -> str:
    """The filled-in document, ending at `until` in each statement, as compact JSON. `mark`: who wrote it, as its `Id`.

    Whole seconds, rounded down: never late. A document with a time condition of its own is refused, because a second value beside
    it would mean "or" and widen it. Raises TemplateRefused.
    """
    parsed = _parse(document)
    problems = list(_problems(parsed))
    if problems:
        raise TemplateRefused(*problems)
    moment = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ended = [_ended(statement, moment) for statement in _statements(parsed)]
    return _compact({**parsed, **({"Id": mark} if mark else {}), "Statement": ended})


def with_denial(document: str, before: datetime, mark: str = "") -> str:
    """What denies everything that the filled-in document allows, to sessions that were begun before: compact JSON.

    Whole seconds, rounded up: rather one session too many. Whoever has no session, but keys of their own, is not denied: there
    the condition's key is absent. The conditions of the document stay, so that no more is denied than it gave. Raises
    TemplateRefused.
    """
    parsed = _parse(document)
    problems = list(_problems(parsed))
    if problems:
        raise TemplateRefused(*problems)
    moment = (before.astimezone(UTC) + timedelta(microseconds=999_999)).strftime("%Y-%m-%dT%H:%M:%SZ")
    denied = [_denied(statement, moment) for statement in _statements(parsed)]
    return _compact({**parsed, **({"Id": mark} if mark else {}), "Statement": denied})


def denied_before(found: str | Mapping[str, Any], document: str) -> datetime | None:
    """Before when a session must have been begun to be denied, where `found` is what `with_denial` makes of `document`."""
    parsed = _lenient(found)
    for statement in _statements(parsed):
        block = statement.get("Condition", {}).get(_END_OPERATOR, {}) if isinstance(statement, dict) else {}
        before = _moment(block.get(_SESSION_KEY)) if isinstance(block, dict) else None
        if before is None:
            return None
        return before if parsed == json.loads(with_denial(document, before, mark_of(parsed))) else None
    return None


def mark_of(document: str | Mapping[str, Any]) -> str:
    """The mark of the installation that wrote the document; empty where it carries none."""
    found = _lenient(document).get("Id")
    return found if isinstance(found, str) and _MARK.fullmatch(found) else ""


def end_of(document: str | Mapping[str, Any]) -> datetime | None:
    """When the last statement of a document stops allowing; None where one of them never does, or nothing can be read."""
    parsed = _lenient(document)
    ends = [_statement_end(statement) for statement in _statements(parsed)]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def same_but_for_end(found: str | Mapping[str, Any], document: str) -> bool:
    """Whether `found` is `document` with an end, whatever that end is, and whoever wrote it. An `Id` allows nothing."""
    until = end_of(found)
    if until is None:
        return False
    wanted = json.loads(with_end(document, until))
    if mark_of(found):
        wanted["Id"] = mark_of(found)
    same: bool = _lenient(found) == wanted
    return same


def denial_size(template: str) -> int:
    """How many characters a valid template takes where it denies what it allows; its placeholders stand in for their values."""
    denied = [_denied(statement, "2026-01-01T00:00:00Z") for statement in _statements(_parse(template))]
    return inline_size({**_parse(template), "Id": "0" * MARK_LENGTH, "Statement": denied})


def inline_size(document: str | Mapping[str, Any]) -> int:
    """How many of the user's inline characters the document takes. Blanks within strings are counted: rather too many."""
    return len(_compact(_lenient(document)))


def _parse(text: str) -> dict[str, Any]:
    if not _PRINTABLE.fullmatch(text):
        raise TemplateRefused("It has a character that IAM does not accept in a policy.")
    try:
        document = json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_no_constant)
    except TemplateRefused:
        raise
    except json.JSONDecodeError as error:
        raise TemplateRefused(f"It is no JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise TemplateRefused("It is nested too deeply.") from None
    except ValueError:
        # Python refuses to read integers of thousands of digits.
        raise TemplateRefused("It has a number that is too long.") from None
    if not isinstance(document, dict):
        raise TemplateRefused("It must be a JSON object with `Version` and `Statement`.")
    return document


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers see the first of two equal keys, JSON parsers take the last: so neither."""
    found = dict(pairs)
    if len(found) < len(pairs):
        doubled = sorted({name for name, _ in pairs if sum(other == name for other, _ in pairs) > 1})
        raise TemplateRefused(f"`{doubled[0]}` stands twice in one object.")
    return found


def _no_constant(word: str) -> Any:
    raise TemplateRefused(f"`{word}` is no JSON.")


def _lenient(document: str | Mapping[str, Any]) -> dict[str, Any]:
    """A document that somebody else may have written: never raises, unreadable ones are empty."""
    if not isinstance(document, str):
        return dict(document)
    try:
        parsed = json.loads(document)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _compact(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def _statements(document: Mapping[str, Any]) -> list[Any]:
    found = document.get("Statement")
    return found if isinstance(found, list) else [found]


def _problems(document: Mapping[str, Any]) -> Iterator[str]:
    if document.get("Version") != "2012-10-17":
        yield '`Version` must be "2012-10-17".'
    for name in sorted(set(document) - _DOCUMENT_KEYS):
        yield f"`{name}` is not allowed beside `Version` and `Statement`."
    statements = _statements(document)
    if not statements or statements == [None]:
        yield "`Statement` is missing or empty."
        return
    found = [
        problem
        for number, statement in enumerate(statements, start=1)
        for problem in _statement_problems(statement, f"Statement {number}")
    ]
    yield from found or _size_problems(document)


def _size_problems(document: Mapping[str, Any]) -> Iterator[str]:
    ended = [_ended(statement, "2026-01-01T00:00:00Z") for statement in _statements(document)]
    size = inline_size({**document, "Id": "0" * MARK_LENGTH, "Statement": ended})
    if size > INLINE_CHARACTERS_MAX:
        yield (
            f"It has {size} characters with its end in each statement and the mark of this installation; "
            f"all inline policies of an IAM user together may have {INLINE_CHARACTERS_MAX}."
        )


def _statement_problems(statement: object, where: str) -> Iterator[str]:
    if not isinstance(statement, dict):
        yield f"{where} must be a JSON object."
        return
    if statement.get("Effect") != "Allow":
        yield f'{where}: `Effect` must be "Allow"; a template only allows.'
    for name in sorted(set(statement) - _STATEMENT_KEYS):
        yield f"{where}: `{name}` is not allowed; use {', '.join(sorted(_STATEMENT_KEYS))}."
    for name in ("Action", "Resource"):
        yield from _list_problems(statement.get(name), f"{where}: `{name}`")
    for name in ("Sid", "Action"):
        if any("{" in text for text in _strings(statement.get(name))):
            yield f"{where}: `{name}` must have no placeholder; what is allowed stands in the template itself."
    for text in _strings(statement.get("Resource")):
        yield from _brace_problems(text, f"{where}: `Resource`")
    if "Condition" in statement:
        yield from _condition_problems(statement["Condition"], where)


def _list_problems(value: object, where: str) -> Iterator[str]:
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str) and item for item in items):
        yield f"{where} must be a string or a list of strings."


def _condition_problems(condition: object, where: str) -> Iterator[str]:
    if not isinstance(condition, dict):
        yield f"{where}: `Condition` must be a JSON object."
        return
    for operator, block in condition.items():
        if not _is_operator(operator):
            yield f"{where}: `{operator}` is no condition operator of IAM (capitals matter)."
        if not isinstance(block, dict) or not block:
            yield f"{where}: `{operator}` must hold condition keys with their values."
            continue
        for key, value in block.items():
            yield from _key_problems(key, value, where)


def _key_problems(key: str, value: object, where: str) -> Iterator[str]:
    if key.casefold() in _TIME_KEYS:
        yield f"{where}: a condition on `{key}` is not allowed; the end is added when access is given."
    if "{" in key or "}" in key:
        yield f"{where}: the condition key `{key}` must have no placeholder."
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str | bool | int | float) for item in items):
        yield f"{where}: `{key}` must hold a string, a number, true or false, or a list of them."
    for text in _strings(value):
        yield from _brace_problems(text, f"{where}: `{key}`")


def _is_operator(word: str) -> bool:
    plain = re.sub(r"^(ForAllValues|ForAnyValue):", "", word)
    plain = plain if plain == "Null" else plain.removesuffix("IfExists")
    return plain in _OPERATORS


def _brace_problems(text: str, where: str) -> Iterator[str]:
    for found in _BRACED.finditer(text):
        variable, name = found["variable"], found["name"]
        if variable in PLACEHOLDERS:
            yield f"{where}: write {{{variable}}}, not ${{{variable}}}."
        if name is not None and name not in PLACEHOLDERS:
            known = " ".join(f"{{{placeholder}}}" for placeholder in PLACEHOLDERS)
            yield f"{where}: {{{name}}} is no placeholder; there are {known}."
    rest = _BRACED.sub("", text)
    if "{" in rest or "}" in rest:
        yield f"{where}: a brace stands alone."


def _value_problems(values: Mapping[str, str]) -> Iterator[str]:
    """Only these characters can be no wildcard, no path and no new element of an ARN."""
    for name, value in values.items():
        if not _VALUE.fullmatch(value):
            yield f"The value of {{{name}}} must be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'."


def _filled(text: str, values: Mapping[str, str]) -> str:
    def word(found: re.Match[str]) -> str:
        name = found["name"]
        if name is None:
            return found[0]
        if name not in values:
            raise TemplateRefused(f"There is no value for {{{name}}} here.")
        return values[name]

    return _BRACED.sub(word, text)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The same JSON with each string value (not key) changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_mapped(item, change) for item in value]
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    return value


def _strings(value: object) -> Iterator[str]:
    items = value if isinstance(value, list) else [value]
    return (item for item in items if isinstance(item, str))


def _ended(statement: Mapping[str, Any], moment: str) -> dict[str, Any]:
    condition = dict(statement.get("Condition", {}))
    # Keys of one operator must all hold, so a key beside others narrows; a second value of one key would widen.
    condition[_END_OPERATOR] = {**condition.get(_END_OPERATOR, {}), _END_KEY: moment}
    return {**statement, "Condition": condition}


def _denied(statement: Mapping[str, Any], moment: str) -> dict[str, Any]:
    condition = dict(statement.get("Condition", {}))
    condition[_END_OPERATOR] = {**condition.get(_END_OPERATOR, {}), _SESSION_KEY: moment}
    return {**statement, "Effect": "Deny", "Condition": condition}


def _statement_end(statement: object) -> datetime | None:
    """The end of one statement. Several values mean "or", so the latest counts."""
    condition = statement.get("Condition") if isinstance(statement, dict) else None
    block = condition.get(_END_OPERATOR) if isinstance(condition, dict) else None
    value = block.get(_END_KEY) if isinstance(block, dict) else None
    moments = [_moment(item) for item in (value if isinstance(value, list) else [value])]
    known = [moment for moment in moments if moment is not None]
    return max(known) if known and len(known) == len(moments) else None


def _moment(value: object) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return parsed if parsed is None or parsed.tzinfo else parsed.replace(tzinfo=UTC)

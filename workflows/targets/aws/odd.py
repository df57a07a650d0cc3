"""Answers that are not what AWS's own description says: a number where a text belongs, a proxy's page, a list without its name.

botocore takes most of them as they are. They prove nothing: not that a call had its effect, and not that something is absent.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from workflows.ports import LeaseOver, TargetInDoubt, TargetRefused, TargetThrottled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import OperationModel, Shape

# All that a target may raise (see `workflows.ports.Target`).
SPOKEN = (TargetThrottled, TargetInDoubt, TargetRefused, LeaseOver)

# What a kind of shape of botocore becomes in Python, and what people call it.
_KINDS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "structure": (dict, "an object"),
    "map": (dict, "an object"),
    "list": (list, "a list"),
    "string": (str, "a text"),
    "boolean": (bool, "true or false"),
    "integer": (int, "a number"),
    "long": (int, "a number"),
    "float": ((int, float), "a number"),
    "double": ((int, float), "a number"),
    "timestamp": ((datetime, str, int, float), "a time"),
}
_FOUND: Mapping[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "nothing",
}
# What only informs is read leniently where it is read.
_LENIENT = frozenset({"SessionDuration"})


class OddAnswer(TargetInDoubt):
    """AWS, or what stands in its place, answered in a shape that means nothing. The words never repeat the answer itself."""


# Lists of which each row stands for itself: one that is not what AWS describes is no reason to disbelieve the others. In its
# place stands one with this in front of its id, as far as that can be read. Nobody is absent from such a list.
ODD_ROW = "prodaccess:odd:"
_ROWS = {"ListUsers": ("Users", "UserId")}


def mark_odd_rows(response_dict: dict[str, Any], operation_model: OperationModel, **_: Any) -> None:
    """Handler of `before-parse`: botocore's parser fails at a row of another shape, and with it all of it. Returns None."""
    said = _json(response_dict.get("body"))
    odd_ones = _odd_rows(said, operation_model)
    if odd_ones:
        key, id_ = _ROWS[operation_model.name]
        for number in odd_ones:
            row = said[key][number]
            name = row.get(id_) if isinstance(row, dict) else None
            said[key][number] = {id_: ODD_ROW + (name if isinstance(name, str) else "")}
        response_dict["body"] = json.dumps(said).encode()


def _json(body: object) -> Any:
    try:
        return json.loads(body) if isinstance(body, bytes | str) else None
    except ValueError:
        return None


def _odd_rows(said: Any, model: OperationModel) -> list[int]:
    """The numbers of the rows that are not what AWS describes, or have no id."""
    key, id_ = _ROWS.get(model.name, ("", ""))
    rows = said.get(key) if isinstance(said, dict) else None
    if not isinstance(rows, list) or model.output_shape is None:
        return []
    listed: Any = model.output_shape.members[key]
    return [number for number, one in enumerate(rows) if flaw(listed.member, one) or not one.get(id_)]


def check_answer(http_response: Any, parsed: Mapping[str, Any], model: OperationModel, **_: Any) -> None:
    """Handler of `after-call`, which botocore emits for every answer. Raises OddAnswer. Returns None."""
    if http_response.status_code >= 300:
        return
    shape = model.output_shape
    if shape is None or not shape.members:
        # Nothing in it could tell AWS's answer from a proxy's page but the number that AWS gives every request.
        found = None if parsed.get("ResponseMetadata", {}).get("RequestId") else "it carries no request id of AWS"
    else:
        found = flaw(shape, _without_odd_rows(_said(http_response, parsed, model), model))
    if found:
        raise OddAnswer(f"{model.name}: an answer that is not AWS's: {found}")


def _said(http_response: Any, parsed: Mapping[str, Any], model: OperationModel) -> object:
    """What was sent. botocore makes an empty list of whatever else stands in the place of one, so JSON is read as it came."""
    if model.service_model.metadata.get("protocol") != "json":
        return {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
    try:
        return json.loads(http_response.content)
    except ValueError:
        raise OddAnswer(f"{model.name}: an answer that is not AWS's: it is no JSON") from None


def _without_odd_rows(said: Any, model: OperationModel) -> object:
    odd_ones = _odd_rows(said, model)
    if not odd_ones:
        return said
    key, _ = _ROWS[model.name]
    return {**said, key: [one for number, one in enumerate(said[key]) if number not in odd_ones]}


def flaw(shape: Shape, value: object, where: str = "the answer") -> str | None:
    """What about `value` is not of `shape`, or None. Members that the shape does not know, that are missing or null, are none."""
    expected, name = _KINDS.get(shape.type_name, (object, ""))
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool and expected is not object):
        return f"{where} is {_FOUND.get(type(value), 'something else')} and not {name}"
    return next(_inner_flaws(shape, value, where), None)


def _inner_flaws(shape: Any, value: Any, where: str) -> Iterator[str]:
    if shape.type_name == "structure":
        known = {key: found for key, found in value.items() if key in shape.members and found is not None}
        inner = [(shape.members[key], found, key) for key, found in known.items()]
    elif shape.type_name == "list":
        inner = [(shape.member, found, f"an entry of {where}") for found in value]
    elif shape.type_name == "map":
        inner = [(shape.value, found, f"a value of {where}") for found in value.values()]
    else:
        return
    for member, found, name in inner:
        said = None if name in _LENIENT else flaw(member, found, name)
        if said:
            yield said


def odd(doing: str, error: Exception) -> OddAnswer:
    """What an answer did to the code that took it apart: kind and place. `error`'s own text may repeat the answer."""
    lacks = (
        f"it lacks {error.args[0]}" if isinstance(error, KeyError) and _is_name(error.args) else type(error).__name__
    )
    steps = traceback.extract_tb(error.__traceback__)
    place = f" in {PurePath(steps[-1].filename).name}:{steps[-1].lineno}" if steps else ""
    return OddAnswer(f"{doing}: an answer that cannot be read ({lacks}{place})")


def _is_name(args: tuple[object, ...]) -> bool:
    """A key that our code asked for, not one that came out of an answer."""
    return len(args) == 1 and isinstance(args[0], str) and args[0].isascii() and args[0].isalpha() and len(args[0]) < 64


@contextmanager
def readable(doing: str) -> Iterator[None]:
    """Whatever goes wrong inside, nothing leaves it but what a target may raise: an answer that nobody can read is in doubt."""
    try:
        yield
    except SPOKEN:
        raise
    except Exception as error:
        raise odd(doing, error) from None

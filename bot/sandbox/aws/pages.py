"""Lists as AWS may answer them: with fewer rows than there are, or none, and the name of the next page.

moto, and what this sandbox answers itself, fill each page. Who reads lists one page deep is right here and wrong in AWS, so
the pages are torn: always in tests, by a seed; the rows of one list are those of the moment when it was begun.
"""

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode
from xml.etree import ElementTree

import botocore.session

from bot.sandbox.aws.answers import Answer, error, success
from bot.sandbox.aws.calls import IDENTITY_STORE, SSO_ADMIN, Call

# How many rows a page has at most where the caller does not say, and at the very most.
_PAGE_MAX = 100
_KEPT_MAX = 1000
# Empty pages and short ones; the others are full.
_EMPTY, _SHORT = 0.2, 0.4

# What gives the whole answer to a call with this body.
Answerer = Callable[[Call, bytes], Answer]


@dataclass(frozen=True)
class _Way:
    """How a list is paged, as botocore has it."""

    token_in: str
    token_out: str
    rows: str
    limit: str
    more: str | None


@cache
def _ways() -> Mapping[str, _Way]:
    loader = botocore.session.Session().get_component("data_loader")
    return {
        f"{service}:{action}": _Way(
            given["input_token"],
            given["output_token"],
            given["result_key"],
            given["limit_key"],
            given.get("more_results"),
        )
        for service in ("iam", SSO_ADMIN, IDENTITY_STORE)
        for action, given in loader.load_service_model(service, "paginators-1")["pagination"].items()
        if isinstance(given["result_key"], str) and "limit_key" in given
    }


@dataclass
class Pages:
    """Tears lists where `tear` was called, and leaves them as they are where not."""

    _chance: random.Random | None = None
    _rest: dict[str, tuple[Answer, list[Any]]] = field(default_factory=dict)

    def tear(self, seed: int | None) -> None:
        """From now on, the same way each time for one seed; None leaves pages full."""
        self._chance = None if seed is None else random.Random(seed)
        self._rest.clear()

    def answer(self, call: Call, body: bytes, answerer: Answerer) -> Answer:
        """What `answerer` answers; of a list a page of it."""
        way = _ways().get(call.name)
        if way is None or self._chance is None:
            return answerer(call, body)
        token = call.arguments.get(way.token_in)
        if token is not None:
            if token not in self._rest:
                return error(call, "ValidationException", f"The {way.token_in} is not valid")
            whole, rows = self._rest.pop(token)
        else:
            whole, rows = _whole(call, body, way, answerer)
            if whole.error:
                return whole
        return self._page(call, way, whole, rows, self._chance)

    def _page(self, call: Call, way: _Way, whole: Answer, rows: list[Any], chance: random.Random) -> Answer:
        limit = min(int(call.arguments.get(way.limit) or _PAGE_MAX), _PAGE_MAX)
        count, drawn = min(limit, len(rows)), chance.random()
        if drawn < _EMPTY:
            count = 0
        elif drawn < _SHORT and count:
            count = chance.randrange(count)
        # A last page that says that there is another one, which is empty: AWS does that, too.
        ends = count == len(rows) and chance.random() >= _EMPTY
        token = "" if ends else f"page-{chance.getrandbits(64):016x}"
        if token:
            self._rest[token] = (whole, rows[count:])
            while len(self._rest) > _KEPT_MAX:
                del self._rest[next(iter(self._rest))]
        return (
            _json_page(whole, way, rows[:count], token)
            if call.protocol == "json"
            else _xml_page(whole, way, rows[:count], token)
        )


def _whole(call: Call, body: bytes, way: _Way, answerer: Answerer) -> tuple[Answer, list[Any]]:
    """The answer, and the rows of all of its pages."""
    rows: list[Any] = []
    arguments = {name: value for name, value in call.arguments.items() if name not in (way.limit, way.token_in)}
    token = None
    while True:
        asked = arguments | ({way.token_in: token} if token else {})
        answer = answerer(replace(call, arguments=asked), _body(call, body, asked))
        if answer.error:
            return answer, []
        if call.protocol != "json":
            return answer, _members(_parsed(answer), way)
        found = json.loads(answer.body)
        rows += found.get(way.rows, [])
        token = found.get(way.token_out)
        if not token:
            return answer, rows


def _body(call: Call, body: bytes, arguments: Mapping[str, Any]) -> bytes:
    if call.protocol == "json":
        return json.dumps(arguments).encode()
    kept = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    return urlencode(
        {name: value for name, value in kept.items() if name in arguments or name in ("Action", "Version")}
    ).encode()


def _json_page(whole: Answer, way: _Way, rows: list[Any], token: str) -> Answer:
    rest = {key: value for key, value in json.loads(whole.body).items() if key not in (way.rows, way.token_out)}
    return success({**rest, way.rows: rows, **({way.token_out: token} if token else {})})


def _xml_page(whole: Answer, way: _Way, rows: list[Any], token: str) -> Answer:
    root = _parsed(whole)
    space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
    result = next(child for child in root if child.tag.endswith("Result"))
    for name in (way.rows, way.token_out, way.more):
        for old in result.findall(f"{space}{name}"):
            result.remove(old)
    ElementTree.SubElement(result, f"{space}{way.rows}").extend(rows)
    ElementTree.SubElement(result, f"{space}{way.more}").text = "true" if token else "false"
    if token:
        ElementTree.SubElement(result, f"{space}{way.token_out}").text = token
    if space:
        ElementTree.register_namespace("", space.strip("{}"))
    headers = [(name, value) for name, value in whole.headers if name.lower() != "content-length"]
    return replace(whole, body=ElementTree.tostring(root), headers=headers)


def _parsed(answer: Answer) -> ElementTree.Element:
    return ElementTree.fromstring(answer.body)  # noqa: S314 - moto's own answer


def _members(root: ElementTree.Element, way: _Way) -> list[Any]:
    return [row for holder in root.iter() if re.sub(r"{.*}", "", holder.tag) == way.rows for row in holder]

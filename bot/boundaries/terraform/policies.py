"""Policy documents of AWS as Terraform writes them: what surely is denied, and what may be allowed.

Of an Allow it is enough that it may match; a Deny has to match for sure. What is in between is not known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache

from bot.boundaries.model import Place, Verdict
from bot.boundaries.reading.node import Block, Call, Node, Ref, Scalar, Template
from bot.boundaries.terraform.files import HOLE, Stanza, Terraform

_TEXT_MAX = 200_000
_STATEMENTS_MAX = 500


@dataclass(frozen=True, slots=True)
class Condition:
    test: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """`principals`: `AWS:*`, `Federated:...`, `*`. The `not_` fields say that the list is of exceptions."""

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[str, ...] = ()
    not_actions: bool = False
    not_resources: bool = False
    not_principals: bool = False
    conditions: tuple[Condition, ...] = ()

    def takes(self, action: str) -> Verdict:
        """Whether it speaks of that action, on whatever."""
        return _listed(self.actions, action.lower(), self.not_actions, fold=True)

    def covers(self, action: str, resource: str) -> Verdict:
        """Whether it speaks of that action on that resource, conditions and principals aside."""
        of_action = self.takes(action)
        of_resource = _listed(self.resources, resource, self.not_resources) if self.resources else Verdict.UNKNOWN
        if Verdict.NO in (of_action, of_resource):
            return Verdict.NO
        return Verdict.YES if of_action is of_resource is Verdict.YES else Verdict.UNKNOWN


@dataclass(frozen=True, slots=True)
class Policy:
    """`complete`: whether these are all of its statements."""

    place: Place
    statements: tuple[Statement, ...] = ()
    complete: bool = True


def _listed(patterns: tuple[str, ...], text: str, excepted: bool, *, fold: bool = False) -> Verdict:
    found = [_matches(pattern.lower() if fold else pattern, text) for pattern in patterns]
    verdict = next((each for each in (Verdict.YES, Verdict.UNKNOWN) if each in found), Verdict.NO)
    if excepted and verdict is not Verdict.UNKNOWN:
        return Verdict.NO if verdict is Verdict.YES else Verdict.YES
    return verdict


def _matches(pattern: str, text: str) -> Verdict:
    """`*` and `?` of IAM. A hole, and a variable of IAM (`${aws:username}`), may be anything."""
    if HOLE in pattern or "${" in pattern:
        loose = re.sub(rf"{HOLE}|\$\{{[^}}]*\}}", "*", pattern)
        return Verdict.UNKNOWN if _glob(loose).fullmatch(text) else Verdict.NO
    return Verdict.YES if _glob(pattern).fullmatch(text) else Verdict.NO


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    """A bracket is a bracket: IAM has none."""
    collapsed = re.sub(r"\*+", "*", pattern[:2048])
    return re.compile(translate(collapsed.replace("[", "[[]")))


# ---------------------------------------------------------------- out of Terraform


def policy_of(terraform: Terraform, stanza: Stanza, node: Node | None) -> Policy:
    """Of an attribute that holds a document."""
    place = Place(stanza.file, node.line if node else stanza.block.line)
    if isinstance(node, Call) and node.name == "jsonencode" and len(node.arguments) == 1:
        return _from_json(terraform.plain(stanza.folder, node.arguments[0]), place)
    named = _data_document(terraform, stanza, node)
    if named is not None:
        return _from_data(terraform, named)
    if isinstance(node, Template) and len(node.parts) == 1 and isinstance(node.parts[0], Ref):
        local = terraform.local(stanza.folder, node.parts[0].path)
        # One step: what stands behind a local is no local again, or nobody follows it.
        return (
            policy_of(terraform, stanza, local) if isinstance(local, Call | Scalar) else Policy(place, complete=False)
        )
    text = terraform.text(stanza.folder, node)
    return policy_in(text, place) if text else Policy(place, complete=False)


def _data_document(terraform: Terraform, stanza: Stanza, node: Node | None) -> Stanza | None:
    """`data.aws_iam_policy_document.NAME.json`"""
    if not isinstance(node, Template) or len(node.parts) != 1 or not isinstance(node.parts[0], Ref):
        return None
    address, _, attribute = node.parts[0].path.rpartition(".")
    if not address.startswith("data.aws_iam_policy_document.") or attribute not in ("json", "minified_json"):
        return None
    return terraform.find(stanza.folder, address)


def policy_in(text: str, place: Place) -> Policy:
    """Of JSON."""
    try:
        return _from_json(json.loads(text[:_TEXT_MAX]), place)
    except (ValueError, RecursionError):
        return Policy(place, complete=False)


def _from_json(data: object, place: Place) -> Policy:
    found = data.get("Statement") if isinstance(data, Mapping) else None
    listed = found if isinstance(found, list) else [found]
    statements = [_statement(each) for each in listed[:_STATEMENTS_MAX]]
    known = tuple(each for each in statements if each is not None)
    return Policy(place, known, complete=len(known) == len(listed))


def _statement(data: object) -> Statement | None:
    if not isinstance(data, Mapping) or data.get("Effect") not in ("Allow", "Deny"):
        return None
    principals = data.get("Principal", data.get("NotPrincipal"))
    return Statement(
        allows=data["Effect"] == "Allow",
        actions=_texts(data.get("Action", data.get("NotAction"))),
        resources=_texts(data.get("Resource", data.get("NotResource"))),
        principals=tuple(_principals(principals)),
        not_actions="NotAction" in data,
        not_resources="NotResource" in data,
        not_principals="NotPrincipal" in data,
        conditions=tuple(_conditions(data.get("Condition"))),
    )


def _principals(data: object) -> Iterator[str]:
    if isinstance(data, Mapping):
        for kind, values in data.items():
            yield from (f"{kind}:{value}" for value in _texts(values))
    elif data is not None:
        yield from _texts(data)


def _conditions(data: object) -> Iterator[Condition]:
    if data is None:
        return
    if not isinstance(data, Mapping):
        yield Condition(HOLE, HOLE, (HOLE,))
        return
    for test, keys in data.items():
        if not isinstance(keys, Mapping):
            yield Condition(str(test), HOLE, (HOLE,))
            continue
        for key, values in keys.items():
            yield Condition(str(test), str(key), _texts(values))


def _texts(data: object) -> tuple[str, ...]:
    if data is None:
        return ()
    found: Iterable[object] = data if isinstance(data, list) else [data]
    return tuple(_text(each) for each in found)


def _text(data: object) -> str:
    if isinstance(data, bool):
        return "true" if data else "false"
    return str(data) if isinstance(data, str | int | float) else HOLE


def _from_data(terraform: Terraform, stanza: Stanza) -> Policy:
    """Of `data "aws_iam_policy_document"`."""
    block = stanza.block
    merged = {"source_policy_documents", "override_policy_documents", "source_json", "override_json"}
    odd = bool(merged & block.fields.keys()) or any(block.all("dynamic")) or not stanza.is_sure
    found = [_statement_block(terraform, stanza.folder, each) for each in block.all("statement")]
    complete = not odd and all(found) and not any(any(each.all("dynamic")) for each in block.all("statement"))
    return Policy(stanza.place, tuple(each for each in found if each is not None), complete)


def _statement_block(terraform: Terraform, folder: str, block: Block) -> Statement | None:
    def plain(name: str) -> object:
        return terraform.plain(folder, block.get(name))

    data: dict[str, object] = {"Effect": plain("effect") or "Allow"}
    for name, key in (
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ):
        if name in block.fields:
            data[key] = plain(name)
    for name, key in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        if any(block.all(name)):
            data[key] = _listed_principals(terraform, folder, block, name)
    if any(block.all("condition")):
        data["Condition"] = _listed_conditions(terraform, folder, block)
    return _statement(data)


def _listed_principals(terraform: Terraform, folder: str, block: Block, name: str) -> object:
    found: dict[str, list[str]] = {}
    for each in block.all(name):
        kind = terraform.exact(folder, each.get("type")) or HOLE
        found.setdefault(kind, []).extend(_texts(terraform.plain(folder, each.get("identifiers"))))
    return dict(found)


def _listed_conditions(terraform: Terraform, folder: str, block: Block) -> object:
    """Two conditions on one key both hold: each stands by itself."""
    found: dict[str, dict[str, object]] = {}
    for number, each in enumerate(block.all("condition")):
        test = terraform.exact(folder, each.get("test")) or HOLE
        key = terraform.exact(folder, each.get("variable")) or HOLE
        if key in found.get(test, {}):
            test = f"{test}{HOLE}{number}"
        found.setdefault(test, {})[key] = terraform.plain(folder, each.get("values"))
    return found

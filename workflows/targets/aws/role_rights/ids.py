"""The ids behind the names of a policy: AWS's documents name things by ids, and a policy by names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_INSTANCE = re.compile(r"arn:aws[a-z-]*:sso:::instance/[A-Za-z0-9-]+")
_STORE = re.compile(r"d-[0-9a-f]{10}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_SET = re.compile(r"arn:aws[a-z-]*:sso:::permissionSet/[A-Za-z0-9-]+/ps-[A-Za-z0-9-]+")
_GROUP = re.compile(r"(?:[0-9a-f]{10}-)?[A-Fa-f0-9]{8}(?:-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}")


def is_set(text: str) -> bool:
    """Whether it is the ARN of one permission set."""
    return _SET.fullmatch(text) is not None


class IdsUnreadable(ValueError):
    """One sentence: what is wrong with a file of ids."""


@dataclass(frozen=True, slots=True)
class CenterIds:
    """Of one connection: its instance, the identity store, the account that owns both; name -> ARN or id."""

    instance: str
    store: str
    owner: str
    sets: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)


def written(ids: Mapping[str, CenterIds]) -> str:
    """As `read` reads it. By connection."""
    found = {
        connection: {
            "instance": one.instance,
            "identity_store": one.store,
            "owner": one.owner,
            "permission_sets": dict(one.sets),
            "groups": dict(one.groups),
        }
        for connection, one in ids.items()
    }
    return json.dumps(found, indent=2, sort_keys=True)


def read(text: str) -> dict[str, CenterIds]:
    """Raises IdsUnreadable. What is read here goes into documents as it stands, so each id has to look like one: no star."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise IdsUnreadable("it is no JSON: write it with --keep-ids") from None
    if not isinstance(found, dict):
        raise IdsUnreadable("it must be an object with a connection's name for each: write it with --keep-ids")
    return {str(name): _center(str(name), one) for name, one in found.items()}


def _center(connection: str, found: Any) -> CenterIds:
    if not isinstance(found, dict):
        raise IdsUnreadable(f"what it has of {connection} must be an object: write it with --keep-ids")

    def one(key: str, shape: re.Pattern[str]) -> str:
        return _checked(connection, key, found.get(key), shape)

    def several(key: str, shape: re.Pattern[str]) -> dict[str, str]:
        listed = found.get(key, {})
        if not isinstance(listed, dict):
            raise IdsUnreadable(f"{key} of {connection} must be an object of names and ids")
        return {str(name): _checked(connection, f"{key}, {name}", id_, shape) for name, id_ in listed.items()}

    return CenterIds(
        one("instance", _INSTANCE),
        one("identity_store", _STORE),
        one("owner", _ACCOUNT),
        several("permission_sets", _SET),
        several("groups", _GROUP),
    )


def _checked(connection: str, key: str, value: object, shape: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not shape.fullmatch(value):
        raise IdsUnreadable(f"{key} of {connection} is {value!r}, which is no id of AWS's: write it with --keep-ids")
    return value

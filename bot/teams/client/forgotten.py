"""People whom the record names no more: where they are written to is forgotten."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

import redis

from bot.teams.client.shelf import PREFIX

_AT_ONCE = 500


def forget_people(client: redis.Redis, users: Collection[str]) -> None:
    """`users`: their object ids. What Teams asked us to remember for some hours of what they pressed goes by itself."""
    names = [name for user in users for name in _names(client, user)]
    if gone := [*names, *_addresses(client, frozenset(users))]:
        client.delete(*gone)


def _names(client: redis.Redis, user: str) -> Iterator[str]:
    for kept in (f"{PREFIX}conversation:person:{user}", f"{PREFIX}conversation:person-in:{user}"):
        yield kept
        body = client.get(kept)
        try:
            conversation = json.loads(_text(body)) if body else {}
            if conversation.get("person") == user:
                yield f"{PREFIX}conversation:{conversation['id']}"
        except (ValueError, KeyError, AttributeError):
            continue
    yield f"{PREFIX}forms-of:{user}"


def _addresses(client: redis.Redis, users: frozenset[str]) -> Iterator[str]:
    """The `29:` ids under which they were seen."""
    for name in client.scan_iter(match=f"{PREFIX}person-at:*", count=_AT_ONCE):
        if _text(client.get(name)) in users:
            yield _text(name)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")

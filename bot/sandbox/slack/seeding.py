"""A workspace from plain data: `{"app": {...}, "users": [...], "groups": [...], "channels": [...]}`.

Each entry holds the arguments of `Workspace.add_user`, `add_group`, `add_channel`, with `id` for the first of them.
Whom a channel or group names has to be among the users; a misspelt one is an error, not a silent stranger.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack.errors import CannotDo
from bot.sandbox.slack.settings import AppSettings
from bot.sandbox.slack.workspace import Workspace

Seed = Mapping[str, Any]


def app_settings(seed: Seed) -> AppSettings:
    """The `app` part. Raise TypeError for a setting that does not exist."""
    given = dict(seed.get("app", {}))
    for name, kind in (("events", frozenset), ("scopes", frozenset), ("commands", tuple)):
        if name in given:
            given[name] = kind(given[name])
    return AppSettings(**given)


def plant(ws: Workspace, seed: Seed) -> None:
    """The people, groups and channels. May be called again with more. Raise CannotDo for an id that nobody has."""
    with ws.lock:
        for user in seed.get("users", []):
            ws.add_user(*_leading(user, "id", "name"), **_rest(user, "id", "name"))
        for group in seed.get("groups", []):
            _must_exist(ws, group.get("users", []), group["id"])
            ws.add_group(*_leading(group, "id", "handle"), **_rest(group, "id", "handle"))
        for channel in seed.get("channels", []):
            _must_exist(ws, channel.get("members", []), channel["id"])
            ws.add_channel(*_leading(channel, "id", "name"), **_rest(channel, "id", "name"))


def _leading(entry: Mapping[str, Any], *names: str) -> tuple[str, str]:
    first, second = names
    return str(entry[first]), str(entry[second])


def _rest(entry: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in names}


def _must_exist(ws: Workspace, users: list[str], where: str) -> None:
    missing = [user for user in users if user not in ws.users]
    if missing:
        raise CannotDo(f"{where} names {missing}, who are not among the users")


def as_seed(ws: Workspace) -> dict[str, Any]:
    """The other way round, without what has been written: to look at, or to start another one alike."""
    with ws.lock:
        return {
            "users": [dataclasses.asdict(user) for user in ws.users.values()],
            "groups": [dataclasses.asdict(group) for group in ws.groups.values()],
            "channels": [
                {
                    key: value
                    for key, value in vars(c).items()
                    if key not in ("messages", "ephemerals", "locked_threads")
                }
                for c in ws.channels.values()
            ],
        }

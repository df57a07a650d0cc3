"""Channels as the files name them: `C0...` in Slack, `teams:19:...@thread.tacv2` in Teams; one of them, or a list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from workflows.core.destination import Destination, Kind, as_written
from workflows.core.identity import TEAMS
from workflows.policy_file.problem import quote
from workflows.policy_file.values import fault

_SLACK = "[CG][A-Z0-9]+"
# Of a channel in a team, as `conversation.id` and the channel's link have it.
TEAMS_CHANNEL = r"19:[A-Za-z0-9_-]{1,120}@thread\.tacv2"
_HELP = (
    "in Slack it is C0..., from the channel's details; in Teams \"teams:19:...@thread.tacv2\", from the channel's link"
)
_SCHEMA: dict[str, Any] = {"type": "string", "pattern": f"^(?:{_SLACK}|teams:{TEAMS_CHANNEL})$"}


def _destination(value: str) -> str:
    """The channel as everything else knows it: a destination's text."""
    if re.fullmatch(_SLACK, value):
        return value
    surface, _, id_ = value.partition(":")
    if surface == TEAMS and re.fullmatch(TEAMS_CHANNEL, id_):
        return str(Destination(TEAMS, Kind.CHANNEL, id_))
    raise fault(f"{quote(value)} is not a channel's id", _hint(value))


def _hint(value: str) -> str:
    if re.fullmatch(TEAMS_CHANNEL, value):
        return f'put teams: before it: "teams:{value}"'
    if "%3a" in value.lower() or "%40" in value:
        return 'the link writes : as %3A and @ as %40; here they stand as they are: "teams:19:...@thread.tacv2"'
    return _HELP


def in_words(channels: Sequence[str]) -> str:
    return ", ".join(map(as_written, channels))


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def _distinct(channels: tuple[str, ...]) -> tuple[str, ...]:
    for number, channel in enumerate(channels):
        if channel in channels[:number]:
            raise fault(f"the channel {quote(as_written(channel))} stands here twice", "keep one of them")
    return channels


_Channel = Annotated[str, AfterValidator(_destination), WithJsonSchema(_SCHEMA)]
# One channel or a list of them; in memory always destinations' text.
Channels = Annotated[
    tuple[_Channel, ...],
    BeforeValidator(_listed),
    Field(strict=False, min_length=1),
    AfterValidator(_distinct),
    WithJsonSchema({"anyOf": [_SCHEMA, {"type": "array", "items": _SCHEMA, "minItems": 1, "uniqueItems": True}]}),
]

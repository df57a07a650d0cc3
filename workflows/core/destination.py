"""Where a message goes, in whichever chat: a channel, a person, a conversation with one person.

On the ledger a destination is text. A Slack id stands there as it is; those of every other chat are `surface:kind:id`.
Nothing else may guess what an id is from how it looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workflows.core.identity import SLACK


class Kind(StrEnum):
    CHANNEL = "channel"  # read by several people
    PERSON = "person"  # a person, by their account's id: what is sent there, they alone read
    DIRECT = "direct"  # the conversation with one person, by its own id
    GROUP = "group"  # people who are called together, and get no messages


# What Slack's ids begin with; of channels there are two.
_SLACK_KINDS = {"U": Kind.PERSON, "W": Kind.PERSON, "D": Kind.DIRECT, "S": Kind.GROUP}


@dataclass(frozen=True, slots=True)
class Destination:
    """`str()` of it is the form in which it is kept."""

    surface: str
    kind: Kind
    id: str

    def __str__(self) -> str:
        return self.id if self.surface == SLACK else f"{self.surface}:{self.kind}:{self.id}"


def read_destination(text: str) -> Destination:
    """Out of the form in which it is kept; ids of other chats may hold colons."""
    surface, _, rest = text.partition(":")
    kind, _, id_ = rest.partition(":")
    if kind in _KINDS and id_:
        return Destination(surface, Kind(kind), id_)
    return Destination(SLACK, _SLACK_KINDS.get(text[:1], Kind.CHANNEL), text)


_KINDS = frozenset(Kind)


def is_channel(text: str) -> bool:
    return bool(text) and read_destination(text).kind is Kind.CHANNEL


def is_person(text: str) -> bool:
    return read_destination(text).kind is Kind.PERSON


def as_written(place: str) -> str:
    """A destination's text as people and the policy write it: `C0...`, `teams:19:...@thread.tacv2`."""
    found = read_destination(place)
    return place if found.surface == SLACK else f"{found.surface}:{found.id}"

"""What is given and where: the immutable names of a target, and what was seen of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from workflows.core.canonical_json import digest
from workflows.core.identity import Address
from workflows.core.provider import TargetTerms


@dataclass(frozen=True, slots=True)
class Resource:
    """What a target resolved: immutable ids. `ids` alone name the holding; the rest is for people.

    `session_s`: how long a session that is open when access ends may go on, in seconds.
    `enforces_end`: whether the target ends the access by itself.
    """

    kind: str
    target: TargetTerms
    ids: Mapping[str, str]
    title: str
    session_s: int | None = None
    enforces_end: bool = False
    # Set where removing this access removes the last of its kind, with a side effect people should know of.
    warning: str | None = None
    # Whom the user's tag names, where the target can prove it again before it gives.
    person: Address | None = None
    # Where a person has one user (an identity store, a name in an account), and the addresses by which this one is called there.
    place: str = ""
    carries: tuple[Address, ...] = ()
    # What the target's own log calls user and thing, where that is no id. It proves nothing.
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def holding(self) -> str:
        """The holding's id: `H-` and 20 hex digits over kind and ids."""
        return "H-" + digest({"kind": self.kind, "ids": dict(self.ids)})[:20]

    @property
    def user(self) -> str:
        """The user in the target, for the ledger, as `TargetTerms.user_of` says it."""
        return self.target.user_of(self.ids)

    @property
    def user_id(self) -> str:
        """As the target itself calls it."""
        return self.ids.get("user_id") or self.ids["user"]


class OperationKind(StrEnum):
    GRANT = "grant"
    REVOKE = "revoke"


class OperationState(StrEnum):
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Operation:
    """One changing call at a target. `id` is the target's own, where it is asynchronous."""

    kind: OperationKind
    state: OperationState
    id: str | None = None
    error: str | None = None


class Presence(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Observation:
    """What a target answers when it is looked at. `until` is the end it enforces, where it shows one.

    `through` names another way by which the person has the very same access, one that we neither give nor take: a group.
    `request`: the request whose name it carries, where the target tells ours by name; `mark`: the installation that wrote it
    (`mark_of`), empty where it says none. `denied_before`: sessions that were begun before it are denied, where that is written.
    `others`: another installation wrote it, under a name that ours would have.
    """

    presence: Presence
    resource: Resource | None = None
    until: datetime | None = None
    detail: str | None = None
    through: str | None = None
    request: str = ""
    mark: str = ""
    denied_before: datetime | None = None
    others: bool = False

    @property
    def stands(self) -> bool:
        """Whether the person has this access, in whatever way."""
        return self.presence is Presence.PRESENT or self.through is not None

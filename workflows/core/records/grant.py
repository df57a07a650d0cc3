"""A grant: the access that follows a decision, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from workflows.core.people import PersonId
from workflows.core.records.request import Decision, Terms
from workflows.core.records.target import Resource


class GrantState(StrEnum):
    ACTIVATING = "activating"
    ACTIVE = "active"
    REVOKING = "revoking"
    ENDED = "ended"
    REVOKED = "revoked"
    ACTIVATION_FAILED = "activation_failed"


LIVE = frozenset({GrantState.ACTIVATING, GrantState.ACTIVE, GrantState.REVOKING})


CLOSED = frozenset({GrantState.ENDED, GrantState.REVOKED, GrantState.ACTIVATION_FAILED})


class EndCause(StrEnum):
    """Why a grant left `active` or `activating`."""

    TIME = "time"  # the deadline was reached -> ended
    REVOKED = "revoked"  # an owner took it back -> revoked
    RETURNED = "returned"  # the holder gave it back early -> ended
    FAILED = "failed"  # the activation failed -> activation_failed
    STANDING = "standing"  # the holder had this access already -> activation_failed, nothing touched


@dataclass(frozen=True, slots=True)
class End:
    """The recorded cause of an end."""

    cause: EndCause
    at: datetime
    by: PersonId | None = None
    by_name: str | None = None
    reason: str | None = None
    # A refusal code where the bot itself ended it (the approval no longer stands, ...), with its parameters.
    code: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grant:
    id: str
    holder: PersonId
    holder_name: str
    terms: Terms
    resource: Resource
    holding: str
    state: GrantState
    decision: Decision
    # The deciding commit's time plus the duration. Nothing is given at or after it.
    deadline: datetime
    activated_at: datetime | None = None
    end: End | None = None
    closed_at: datetime | None = None
    # Whether another grant still covers the same holding at the time this one closed: its id.
    covered_by: str | None = None
    # Closed without a look at the target: no call to give was ever made, so that there was nothing to take away.
    nothing_given: bool = False
    warned: bool = False
    # The id of the ask for more time that waits for an answer, or for the target to enforce the later end.
    extension: str | None = None
    # A later end that was approved, until the target enforces it; then it is the deadline.
    extended_to: datetime | None = None
    # The approved extensions, oldest first, and in words who agreed to each; to one that is put in place, too.
    extensions: tuple[str, ...] = ()
    extended_by: tuple[str, ...] = ()
    # Sessions that were begun before this are denied, as was read back; or why they are not, where the role says so.
    denied_before: datetime | None = None
    not_denied: str = ""
    # The last error of the target in words for people, while it is being tried again.
    error: str | None = None

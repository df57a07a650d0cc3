"""A holding: one person's access to one resource, what was there before us, and the call that is about to be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflows.core.records.grant import Grant
from workflows.core.records.target import Operation, OperationKind, Resource


@dataclass(frozen=True, slots=True)
class Intent:
    """The note that a changing call is about to be made. It stands until its result is recorded.

    `until` is when the call can no longer take effect, whatever happened to who made it: until then it is in doubt.
    """

    kind: OperationKind
    fence: int
    at: datetime
    until: datetime
    # The latest end among the grants it was made for; for targets that enforce an end.
    deadline: datetime | None = None


class Baseline(StrEnum):
    """What stood before the first intent on a holding."""

    UNKNOWN = "unknown"
    ABSENT = "absent"
    STANDING = "standing"


@dataclass(frozen=True, slots=True)
class Holding:
    """One person's access to one resource: what its live grants add up to, and what is known of the world.

    `grants` are the ids of the grants that are not closed. `ours` is True from the first intent to give until absence was
    read back. `looks` are the later looks that are still owed. `doubt_until` is the latest time at which an operation whose
    outcome nobody saw can still take effect.
    """

    id: str
    resource: Resource
    grants: tuple[str, ...] = ()
    # The slots that these grants take, and earlier ones took: read with the holding, freed when a grant closes.
    slots: tuple[str, ...] = ()
    baseline: Baseline = Baseline.UNKNOWN
    ours: bool = False
    intent: Intent | None = None
    operation: Operation | None = None
    operation_at: datetime | None = None
    # An operation that never ended and that nothing waits for any more. It is asked after until it has ended after all,
    # because what a target has accepted has no time-out.
    abandoned: Operation | None = None
    ask_abandoned_at: datetime | None = None
    # The grants for which the asynchronous operation was started.
    operation_for: tuple[str, ...] = ()
    # Grants whose own giving operation succeeded; they become active once it was read back.
    given: tuple[str, ...] = ()
    # Access of active grants turned out to be gone (an earlier removal came late): it is given again.
    lost: bool = False
    # The taking operation succeeded; what is missing is absence, read back.
    taken: bool = False
    # The end that the target enforces by itself, as last written.
    enforced_until: datetime | None = None
    next_try: datetime | None = None
    failures: int = 0
    looks: tuple[datetime, ...] = ()
    doubt_until: datetime | None = None
    last_grant: str | None = None
    # What stands in place of the access: sessions begun before this are denied, until no such session can live any more.
    denied_before: datetime | None = None
    deny_until: datetime | None = None
    # Why they are not denied, although the role says so.
    deny_refused: str = ""


def grants_of(*grants: Grant) -> Mapping[str, Grant]:
    return {grant.id: grant for grant in grants}

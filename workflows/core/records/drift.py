"""What a target holds and the ledger does not know of, or the other way round; and how far the looking has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from workflows.core.people import PersonId
from workflows.core.provider import TargetTerms
from workflows.core.records.target import Resource


class DriftKind(StrEnum):
    # It carries our mark and this installation's id, and the ledger never gave it.
    UNKNOWN = "unknown"
    # The ledger gave it and ended it, and it is there again.
    ENDED = "ended"
    # Somebody else gave it, for good: it could be asked for instead.
    STANDING = "standing"
    # The ledger says that it is active, and it is not there.
    MISSING = "missing"
    # It is named as ours are, and is another installation's, or nobody's that is known.
    FOREIGN = "foreign"


# Kinds that may be taken away where the policy says so.
REMOVABLE = frozenset({DriftKind.UNKNOWN, DriftKind.ENDED})


@dataclass(frozen=True, slots=True)
class Drift:
    """One that is open. `id`: the holding's. `scope`: of the look that found it. `roles`: by environment, which would give it.

    `times`: in how many looks it was seen. `grant`: the one that gave it, or should. `who`: what is known of whose it is, in
    words. `mark`: the installation that wrote it. `left_by`: who said that it stays. `agreed_by`: who said that it goes.
    `removing_since`: since when it is being taken away.
    """

    id: str
    kind: DriftKind
    resource: Resource
    scope: str
    roles: tuple[tuple[str, str], ...]
    first_seen: datetime
    last_seen: datetime
    times: int = 1
    grant: str = ""
    holder: PersonId | None = None
    who: str = ""
    mark: str = ""
    request: str = ""
    left_by: str = ""
    agreed_by: str = ""
    removing_since: datetime | None = None

    @property
    def environments(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(environment for environment, _ in self.roles))


@dataclass(frozen=True, slots=True)
class Look:
    """One list to read. `scope`: digest of what it covers; `roles`: environment and role of all that it covers.

    `own`: it covers what `people` have alone, which are those who had something of it when the pass was planned.
    """

    scope: str
    terms: TargetTerms
    roles: tuple[tuple[str, str], ...]
    own: bool = False
    people: tuple[PersonId, ...] = ()


@dataclass(frozen=True, slots=True)
class DriftPlan:
    """A part of the looks of one pass, in order. It stands as long as the pass, and is not written again by its steps.

    `complete`: everything could be planned.
    """

    number: int
    policy: str
    looks: tuple[Look, ...]
    not_known: tuple[str, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class DriftPass:
    """How far the looking has come. `number`: of the pass that runs, or ran last; `done`: looks of it, of so many `planned`.

    `started_at`: None where none runs. `ended_at`, `looks`, `not_known`: of the last whole one. `now_not_known`: of the one that
    runs. `epoch`, `jumps`: how ledger and clock stood when something was last trusted to be taken away by itself. `held`: ids
    of what waits for people, under the number `hold`, and why. `counts`: by kind, what was open at the end of the last whole one.
    """

    number: int = 0
    started_at: datetime | None = None
    done: int = 0
    now_not_known: tuple[str, ...] = ()
    ended_at: datetime | None = None
    looks: int = 0
    not_known: tuple[str, ...] = ()
    epoch: int = 0
    jumps: int = 0
    hold: int = 0
    held: tuple[str, ...] = ()
    why_held: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    planned: int = 0

"""What a gate gives the pipeline's own role: a grant like any other, whose holder is the pipeline. All that gives, looks, takes
away and proves it is the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from workflows.core import keys
from workflows.core.records.holding import Holding
from workflows.core.records.record import Record
from workflows.core.records.request import Request
from workflows.core.rules.grant_terms import grant_of_gate, held
from workflows.ports import IndexEntry, Snapshot
from workflows.usecases.shared.context import SOON


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the commit in which the run takes its approval writes besides; nothing where the gate gives nothing."""

    puts: Mapping[str, Record] = field(default_factory=dict)
    due: Mapping[str, datetime | None] = field(default_factory=dict)
    index: tuple[IndexEntry, ...] = ()
    wake: tuple[str, ...] = ()


def gate_keys(request: Request) -> tuple[str, ...]:
    """The records that such a commit rests on or changes."""
    gives = request.gives
    if gives is None or gives.resource is None:
        return ()
    return keys.grant(request.id), keys.holding(gives.resource.holding)


def giving_starts(request: Request, snapshot: Snapshot) -> Beginning:
    """The grant with its deadline, in the very commit that takes the approval; a worker gives it."""
    if request.gives is None:
        return Beginning()
    grant = grant_of_gate(request, snapshot.now)
    item = keys.holding(grant.holding)
    live = keys.places(keys.LIVE, environment=grant.terms.environment, person_id=grant.holder)
    until = grant.deadline.timestamp()
    return Beginning(
        puts={keys.grant(grant.id): grant, item: held(snapshot.get(item, Holding), grant)},
        due={keys.end_due(grant.id): grant.deadline, item: snapshot.now + SOON},
        index=tuple(IndexEntry(name, grant.id, until) for name in (*live, keys.RUNS)),
        wake=(item,),
    )

"""What a target holds against what the ledger says: pure. What is not certain is not found.

A list proves that something is there, and never that something is not: a short page, an exchanged account or a user made anew
look alike. So whatever a list lacks is only a candidate, and is looked at by itself before anybody is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from workflows.core.records.drift import Drift, DriftKind
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.holding import Baseline, Holding
from workflows.core.records.target import Observation, Presence

# What was given or taken away so lately may not show in every list yet: as long as a call may be in doubt.
SETTLED_AFTER = timedelta(seconds=330)
# What is taken away was seen in two looks that are so far apart.
SEEN_APART = timedelta(minutes=10)
# More than so many at once are a sign that something else is wrong.
REMOVED_AT_ONCE_MAX = 5


@dataclass(frozen=True, slots=True)
class LedgerSide:
    """What the ledger says of one look, read after it. All by the holding's id.

    `busy`: holdings with a record of their own: live ones, and those that are still looked at. `active`: grants that are active,
    with their holdings. `ended`: the newest grant of each that was given and is over. `installation`: how our marks begin.
    """

    installation: str
    busy: frozenset[str] = frozenset()
    active: Mapping[str, tuple[Grant, Holding | None]] = field(default_factory=dict)
    ended: Mapping[str, Grant] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is there. `grant`: the one that gave it once."""

    kind: DriftKind
    seen: Observation
    grant: Grant | None = None

    @property
    def holding(self) -> str:
        return self.seen.resource.holding if self.seen.resource else ""


@dataclass(frozen=True, slots=True)
class Compared:
    """`found`: what is there and should not be. `missing`: active grants that the list lacks. `gone`: ids of what was open, and
    the list lacks. Both are candidates: each is looked at by itself."""

    found: tuple[Found, ...]
    missing: tuple[Grant, ...]
    gone: tuple[str, ...]


def compare(
    listed: Iterable[Observation],
    ledger: LedgerSide,
    open_: Mapping[str, Drift],
    *,
    told_by_name: bool,
    started: datetime,
    now: datetime,
) -> Compared:
    """`listed`: the whole list, begun at `started`. `open_`: what was found before by this look. `told_by_name`: whether access
    of ours can be told from others'."""
    seen = {one.resource.holding: one for one in listed if one.resource is not None}
    unclear = {id_ for id_, one in seen.items() if one.presence is not Presence.PRESENT}
    found = [
        one
        for id_, each in seen.items()
        if id_ not in unclear and (one := _found(each, ledger, told_by_name=told_by_name, started=started))
    ]
    missing = tuple(
        grant
        for id_, (grant, holding) in ledger.active.items()
        if id_ not in seen and is_steady(grant, holding, started, now)
    )
    ours = {one.holding for one in found} | {grant.holding for grant in missing} | unclear
    return Compared(tuple(found), missing, tuple(id_ for id_ in open_ if id_ not in ours))


def _found(seen: Observation, ledger: LedgerSide, *, told_by_name: bool, started: datetime) -> Found | None:
    """None where it is as the ledger has it, or where that cannot be told yet."""
    id_ = seen.resource.holding if seen.resource else ""
    gave = ledger.ended.get(id_)
    if id_ in ledger.busy or id_ in ledger.active:
        return None
    if gave is not None and (gave.closed_at is None or gave.closed_at > started - SETTLED_AFTER):
        return None
    if not told_by_name:
        return Found(DriftKind.ENDED if gave else DriftKind.STANDING, seen, gave)
    if seen.mark and seen.mark != ledger.installation:
        return Found(DriftKind.FOREIGN, seen)
    if gave is not None:
        return Found(DriftKind.ENDED, seen, gave)
    # A mark of a version before names nobody: only the ledger could say that it is ours.
    return Found(DriftKind.UNKNOWN if seen.mark else DriftKind.FOREIGN, seen)


def is_steady(grant: Grant, holding: Holding | None, started: datetime, now: datetime) -> bool:
    """Whether the grant's access has been there long enough to be missed, and nothing is under way with it."""
    if holding is None or grant.state is not GrantState.ACTIVE or grant.activated_at is None or grant.deadline <= now:
        return False
    still = (holding.intent, holding.operation, holding.next_try, holding.doubt_until, grant.extended_to)
    return (
        grant.activated_at <= started - SETTLED_AFTER
        and holding.baseline is Baseline.ABSENT
        and holding.ours
        and not holding.lost
        and not any(still)
    )

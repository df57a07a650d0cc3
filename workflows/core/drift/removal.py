"""What of that is taken away, and when people are asked first. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflows.core.drift.compare import REMOVED_AT_ONCE_MAX, SEEN_APART
from workflows.core.policy import OnDrift, Policy
from workflows.core.records.drift import REMOVABLE, Drift, DriftPass


class WhyHeld(StrEnum):
    """Why nothing is taken away before somebody has looked."""

    # The ledger is another one than before: made anew, or an older one that was accepted.
    EPOCH = "epoch"
    # The ledger, or its clock, is in doubt just now: it is not even asked about, because nobody could agree to it.
    DOUBT = "doubt"
    # Its clock was set since.
    CLOCK = "clock"
    # The target knows requests that this ledger has not got to yet.
    AHEAD = "ahead"
    # Too many at once.
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a removal rests on, beside what was seen. `last_request`: the number that was given out last."""

    epoch: int
    jumps: int
    last_request: int
    clock_trusted: bool = True
    ledger_doubted: bool = False


def is_wanted(one: Drift, policy: Policy, *, told_by_name: bool) -> bool:
    """Whether the policy wants it taken away, everywhere that it is named, and it can be told ours."""
    places = [policy.environments.get(name) for name in one.environments]
    revoke = bool(places) and all(place is not None and place.drift is OnDrift.REVOKE for place in places)
    return revoke and told_by_name and one.kind in REMOVABLE and not one.left_by


def is_certain(one: Drift, started: datetime) -> bool:
    """Whether two looks saw it that were far enough apart, and the last of them belongs to the pass that began at `started`."""
    return one.times > 1 and one.last_seen - one.first_seen >= SEEN_APART and one.last_seen >= started


def due(open_: Sequence[Drift], policy: Policy, started: datetime, by_name: Collection[str]) -> tuple[Drift, ...]:
    """What would be taken away at the end of a pass. `by_name`: ids of those that can be told ours."""
    return tuple(
        one
        for one in open_
        if is_wanted(one, policy, told_by_name=one.id in by_name)
        and is_certain(one, started)
        and one.removing_since is None
        and not one.agreed_by
    )


def held_by(wanted: Sequence[Drift], before: DriftPass, ground: Ground) -> WhyHeld | None:
    """Why people are asked first; None where it may be taken away."""
    if ground.ledger_doubted or not ground.clock_trusted:
        return WhyHeld.DOUBT
    if ground.epoch != before.epoch:
        return WhyHeld.EPOCH
    if ground.jumps != before.jumps:
        return WhyHeld.CLOCK
    if any(_number(one.request) > ground.last_request for one in wanted):
        return WhyHeld.AHEAD
    return WhyHeld.MANY if len(wanted) > REMOVED_AT_ONCE_MAX else None


def _number(request: str) -> int:
    digits = request.rpartition("-")[2]
    return int(digits) if digits.isascii() and digits.isdigit() else 0

"""Which states AWS is asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from bot.boundaries.seen import Seen
from bot.boundaries.terraform.live import Live
from bot.boundaries.terraform.states import State, regions_of

_BUCKETS_MAX = 10


class Asks(Protocol):
    def look(self, state: State, allowed: tuple[str, ...]) -> Live: ...


def live_of(seen: Seen, asks: Asks) -> Mapping[str, Live]:
    """By bucket. Of a bucket with several states it is asked who can write `*`."""
    states: dict[str, list[State]] = {}
    for state in seen.production_states:
        if state.bucket is not None:
            states.setdefault(state.bucket, []).append(state)
    return {
        bucket: asks.look(_all_keys(found), _allowed(seen, found[0]))
        for bucket, found in [*states.items()][:_BUCKETS_MAX]
    }


def _all_keys(found: list[State]) -> State:
    first = found[0]
    if len(found) == 1 and not first.workspaced:
        return first
    return replace(first, values={**first.values, "key": "*"})


def _allowed(seen: Seen, state: State) -> tuple[str, ...]:
    """Where it may stand: as somebody said, else where production's own providers are."""
    if seen.regions:
        return seen.regions
    own = regions_of(seen.terraform, state.folder)
    return tuple(name for name, _ in own if name is not None)

"""What one entry of the audit log adds to the figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.observability.tally import ACTIVE_IN, DECIDED_IN, DECISIONS, counted
from tests.support.build import DANA, OLU
from tests.support.world import World
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.ports import Snapshot


def entry_of(world: World, id_: str, event: Event) -> tuple[AuditEntry, Snapshot]:
    (entry,) = [one for one in world.ledger.entries_of(id_) if one.event is event]
    return entry, world.ledger.read(keys.request(id_), keys.grant(id_))


def series(found: dict[str, float], name: str) -> dict[str, float]:
    return {field: value for field, value in found.items() if field.startswith(f"{name}|")}


@pytest.mark.parametrize(
    ("by", "outcome", "by_people"), [("olu@example.com", "denied", 1), ("prodaccess", "refused", 0)]
)
def test_what_prodaccess_turned_away_was_denied_by_nobody_and_took_nobody_any_time(
    by: str, outcome: str, by_people: int
) -> None:
    world = World()
    id_ = world.asked(DANA)
    world.deny(id_, OLU)
    entry, records = entry_of(world, id_, Event.REQUEST_DENIED)
    found = counted([replace(entry, facts={**entry.facts, "by": by})], records)
    assert series(found, DECISIONS.name) == {f"{DECISIONS.name}|payments-prod|{outcome}": 1}
    assert bool(series(found, DECIDED_IN.name)) is bool(by_people)


@pytest.mark.parametrize(("gone_on_s", "counts"), [(0, True), (1.9, True), (2, False), (-2, False)])
def test_a_time_is_counted_only_while_the_record_is_as_the_entry_left_it(gone_on_s: float, counts: bool) -> None:
    """A grant that was given again since has another time, which is not this entry's."""
    world = World()
    id_ = world.active(DANA)
    entry, records = entry_of(world, id_, Event.GRANT_ACTIVE)
    found = counted([replace(entry, at=entry.at - timedelta(seconds=gone_on_s))], records)
    assert bool(series(found, ACTIVE_IN.name)) is counts, found

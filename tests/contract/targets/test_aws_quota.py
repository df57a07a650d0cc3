"""Many ends under Identity Center's quotas: twenty calls a second, ten operations at once. Time is the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import build
from tests.support.quota_world import QuotaWorld
from workflows.core.records.grant import GrantState
from workflows.core.refusal import Refused
from workflows.usecases.fulfilment.converge import converge
from workflows.usecases.shared.context import Outcome

ENDS = 30


@pytest.fixture
def calm(aws: Any) -> Iterator[Any]:
    """Lists of ordinary sizes, which AWS answers in one page: further pages are calls, too."""
    aws.proxy.pages.tear(None)
    yield aws
    aws.proxy.calm()


@pytest.mark.parametrize(("operation_s", "refused_most", "calls_most"), [(0.0, 0, 72), (1.0, 10, 85)])
def test_many_ends_are_proved_with_fewer_than_three_calls_each(
    calm: Any, operation_s: float, refused_most: int, calls_most: int
) -> None:
    world = QuotaWorld(calm, ENDS, operation_s)
    ids = world.overdue()
    world.played()
    world.until_ended(ids, 30)
    calls, refused = len(calm.proxy.log.calls()), world.refused()
    assert world.count("ListAccountAssignmentsForPrincipal") == ENDS, "absence is read back for each"
    assert world.count("DeleteAccountAssignment") - refused == ENDS, "each is begun once"
    assert calls <= calls_most
    assert refused <= refused_most
    assert calm.world.assignments() == set()


def test_consoles_that_take_part_of_the_quota_throttle_few_of_our_calls(calm: Any) -> None:
    world = QuotaWorld(calm, ENDS)
    ids = world.overdue()
    world.played()
    world.others_a_second = 6.0
    world.until_ended(ids, 30)
    assert world.refused() <= 0.2 * len(calm.proxy.log.calls())


def test_an_approval_amid_many_ends_stands_in_no_line(calm: Any) -> None:
    world = QuotaWorld(calm, ENDS)
    asked = world.ask(build.DANA)
    assert isinstance(asked, Outcome)
    world.work()
    ids = world.overdue()
    world.played()
    world.tick()
    assert len(world.open_among(ids)) == ENDS
    assert not isinstance(world.approve(asked.id), Refused)
    holding = world.grant(asked.id).holding
    while world.grant(asked.id).state is not GrantState.ACTIVE:
        # Its wake-ups are not lost.
        converge(world.ctx, holding)
        world.tick()
    assert len(world.open_among(ids)) == ENDS, "not one of them was proved before it"


def test_who_is_kept_waiting_has_not_failed_and_is_in_no_doubt(calm: Any) -> None:
    world = QuotaWorld(calm, 14, operation_s=5.0)
    ids = world.overdue()
    world.played()
    for _ in range(20):
        world.tick()
    waiting = [held for held in map(world.holding, ids) if held is not None and held.operation is None]
    assert len(waiting) == 4
    assert {(held.intent, held.failures, held.doubt_until) for held in waiting} == {(None, 0, None)}
    world.until_ended(ids, 60)

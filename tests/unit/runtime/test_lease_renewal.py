"""Leases are kept alive while their work goes on, and are let go with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from bot.runtime.lease_renewal import BackgroundLeaseRenewer
from workflows.ports import LEASE_S, Ask, Lease, LedgerUnreachable

FIRST, SECOND = Lease("holding:H-1", 1, "one", LEASE_S), Lease("holding:H-2", 2, "two", LEASE_S)
LONGER = Lease("holding:H-1", 1, "one", 2 * LEASE_S)


@contextmanager
def keeper(answer: Callable[[], Sequence[object]]) -> Iterator[BackgroundLeaseRenewer]:
    """One that renews when it is told to, at a ledger that answers so."""

    class Ledger:
        def together(self, _: Sequence[Ask]) -> Sequence[object]:
            return answer()

    ledger: Any = Ledger()
    found = BackgroundLeaseRenewer(ledger, lambda: 0.0)
    found.close()
    yield found


def test_what_is_given_back_while_the_keeper_asks_is_not_said_to_be_lost() -> None:
    over = []

    def answer() -> Sequence[object]:
        over.pop().__exit__(None, None, None)
        return [None]

    with keeper(answer) as leases, structlog.testing.capture_logs() as said:
        over.append(leases.keep(FIRST))
        current = over[0].__enter__()
        leases.renew()
        assert current() is None
    assert said == []


def test_a_lease_that_another_one_has_is_lost_and_said_so_and_no_other_one() -> None:
    with (
        structlog.testing.capture_logs() as said,
        keeper(lambda: [LONGER, None]) as leases,
        leases.keep(FIRST) as first,
        leases.keep(SECOND) as second,
    ):
        leases.renew()
        assert (first(), second()) == (LONGER, None)
    assert [(line["event"], line["lease"]) for line in said] == [
        ("a lease was lost while work was going on", SECOND.name)
    ]


@pytest.mark.parametrize("problem", [LedgerUnreachable("away"), ValueError("of ours")])
def test_what_goes_wrong_with_one_leaves_its_deadline_and_renews_the_others(problem: Exception) -> None:
    with (
        keeper(lambda: [LONGER, problem]) as leases,
        leases.keep(FIRST) as first,
        leases.keep(SECOND) as second,
    ):
        leases.renew()
        assert (first(), second()) == (LONGER, SECOND)


def test_nothing_is_asked_while_nothing_is_held() -> None:
    asked: list[int] = []
    with keeper(lambda: asked.append(1) or []) as leases:
        leases.renew()
    assert not asked

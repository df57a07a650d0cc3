"""What is taken away, and when people are asked first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support import build
from workflows.core.drift.removal import Ground, WhyHeld, due, held_by
from workflows.core.policy import OnDrift, Policy
from workflows.core.records.drift import Drift, DriftKind, DriftPass

NOW, MINUTE = build.NOW, timedelta(minutes=1)
RESOURCE = build.request().resource
assert RESOURCE is not None
GROUND = Ground(epoch=1, jumps=0, last_request=1042)
BEFORE = DriftPass(number=3, epoch=1, jumps=0)


def one(number: int = 1, **changes: Any) -> Drift:
    own = Drift(
        f"H-{number}",
        DriftKind.UNKNOWN,
        RESOURCE,
        "s",
        (("payments-prod", "read-only"),),
        NOW - 10 * MINUTE,
        NOW,
        times=2,
        request=f"PA-{number}",
    )
    return replace(own, **changes)


def policy(**drift: OnDrift) -> Policy:
    places = [build.environment(name=name.replace("_", "-"), drift=value) for name, value in drift.items()]
    return build.policy(*places)


REVOKE = policy(payments_prod=OnDrift.REVOKE, other=OnDrift.ALERT)


def wanted(found: Drift, said: Policy = REVOKE, *, by_name: bool = True, started: Any = NOW - MINUTE) -> bool:
    return due((found,), said, started, {found.id} if by_name else ()) == (found,)


def test_what_was_seen_twice_ten_minutes_apart_is_taken_away_where_the_policy_says_so() -> None:
    assert wanted(one())
    assert wanted(one(kind=DriftKind.ENDED))


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": DriftKind.STANDING},
        {"kind": DriftKind.FOREIGN},
        {"kind": DriftKind.MISSING},
        {"times": 1},
        {"first_seen": NOW - 10 * MINUTE + timedelta(seconds=1)},
        # Not in the pass that has just ended.
        {"last_seen": NOW - 2 * MINUTE, "first_seen": NOW - 30 * MINUTE},
        {"left_by": "Sue"},
        {"agreed_by": "Sue"},
        {"removing_since": NOW},
        {"roles": (("other", "read-only"),)},
        # Named in two places, of which one says alert.
        {"roles": (("payments-prod", "read-only"), ("other", "read-only"))},
        {"roles": (("gone", "read-only"),)},
        {"roles": ()},
    ],
)
def test_everything_else_stays(changes: dict[str, Any]) -> None:
    assert not wanted(one(**changes))


def test_what_is_not_told_by_name_stays_whatever_the_policy_says() -> None:
    assert not wanted(one(), by_name=False)


def test_alert_takes_nothing_away() -> None:
    assert not wanted(one(), policy(payments_prod=OnDrift.ALERT))


@pytest.mark.parametrize(
    ("ground", "why"),
    [
        (GROUND, None),
        (replace(GROUND, ledger_doubted=True), WhyHeld.DOUBT),
        (replace(GROUND, epoch=2), WhyHeld.EPOCH),
        (replace(GROUND, epoch=0), WhyHeld.EPOCH),
        (replace(GROUND, jumps=1), WhyHeld.CLOCK),
        (replace(GROUND, clock_trusted=False, jumps=1), WhyHeld.DOUBT),
        (replace(GROUND, last_request=0), WhyHeld.AHEAD),
    ],
)
def test_people_are_asked_first_where_the_ground_has_moved(ground: Ground, why: WhyHeld | None) -> None:
    assert held_by((one(),), BEFORE, ground) is why


@pytest.mark.parametrize(("count", "why"), [(5, None), (6, WhyHeld.MANY)])
def test_five_at_once_and_no_more(count: int, why: WhyHeld | None) -> None:
    assert held_by([one(number) for number in range(1, count + 1)], BEFORE, GROUND) is why

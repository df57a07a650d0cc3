"""Production that went in one change waits for people when it comes back looser in the next, under its name or another one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.build import SUE
from tests.support.world import World
from tests.unit.policy_file.policy_folder import FILES
from tests.unit.usecases.test_policy_change import (
    GATED,
    LESS,
    Files,
    active,
    begun,
    hash_of,
    says,
    sees,
    told,
    with_,
)
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.records.policy_in_force import FormerPolicies
from workflows.ports import Change
from workflows.usecases.oversight import policy_former

SHOP = "environments/shop-prod.yaml"
WHOLE = with_(GATED, (", environments: [shop-prod]}", "}"))
# No break-glass: nothing else of it is to be told.
OTHER = (
    FILES[SHOP]
    .partition("break_glass")[0]
    .replace("tier: production", "tier: staging")
    .replace("shop-prod", "shop-two")
)
BARE = {
    **{name: text for name, text in WHOLE.items() if name != SHOP},
    "environments/office.yaml": OTHER.replace("shop-two", "office")
    .replace("111122223333", "444455556666")
    # Whose policy would be on the same users.
    .replace("  state-write: {}\n", ""),
}
DISGUISED = {**BARE, "environments/shop-two.yaml": OTHER}
BACK = {**BARE, SHOP: FILES[SHOP]}


def looser(world: World) -> str:
    return told(world, Event.POLICY_WAITS)[-1].private["looser"]


def former(world: World) -> FormerPolicies:
    found = world.ledger.read(keys.POLICY_FORMER).get(keys.POLICY_FORMER, FormerPolicies)
    assert found is not None
    return found


def test_under_another_name_it_waits() -> None:
    world = begun(WHOLE)
    assert sees(world, BARE) == "activated"
    assert sees(world, DISGUISED) == "waiting"
    assert "shop-two" in looser(world)
    assert "gives what was in production in the last 30 days" in looser(world)
    assert active(world) == hash_of(BARE)
    world.policy.policy = begun(BARE).policy.policy
    assert says(world, SUE) == "activated"


def test_by_its_own_name_it_waits_with_what_is_looser_than_it_was() -> None:
    world = begun(WHOLE)
    sees(world, BARE)
    assert sees(world, with_(BACK, LESS)) == "waiting"
    assert looser(world).splitlines() == [
        "shop-prod state-write: approve 1 of owners, 1 of security -> 1 of owners",
        "shop-prod: environment comes back (+read-only, +state-write)",
    ]


def test_changes_between_make_it_no_other() -> None:
    world = begun(WHOLE)
    for files in (BARE, with_(BARE, ("max_duration: 2h}", "max_duration: 1h}")), BARE):
        sees(world, files)
    assert sees(world, DISGUISED) == "waiting"


def test_after_thirty_days_nobody_asks_any_more() -> None:
    world = begun(WHOLE)
    sees(world, BARE)
    world.clock.advance(timedelta(days=31).total_seconds())
    assert sees(world, DISGUISED) == "activated"
    assert told(world, Event.POLICY_ACTIVATED)[-1].facts.get("looser") is None


def test_what_policies_share_is_kept_once_and_what_is_old_goes() -> None:
    world = begun(WHOLE)
    sees(world, BARE)
    files: Files = {**WHOLE, SHOP: WHOLE[SHOP] + "# the same\n"}
    assert sees(world, files) == "waiting"
    world.policy.policy = begun(BARE).policy.policy
    assert says(world, SUE) == "activated"
    sees(world, BARE)
    kept = former(world)
    assert [one.hash for one in kept.policies] == [hash_of(files), hash_of(WHOLE)]
    assert len(kept.texts) == len(WHOLE) + 1
    world.clock.advance(timedelta(days=29).total_seconds())
    sees(world, WHOLE)
    world.policy.policy = begun(BARE).policy.policy
    assert says(world, SUE) == "activated"
    world.clock.advance(timedelta(days=2).total_seconds())
    sees(world, BARE)
    assert [one.hash for one in former(world).policies] == [hash_of(WHOLE)]


def test_what_cannot_be_remembered_waits_before_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    world = begun(WHOLE)
    monkeypatch.setattr(policy_former, "LENGTH_MAX", 100)
    assert sees(world, BARE) == "waiting"
    assert looser(world) == policy_former.TOO_LONG


def test_what_this_version_cannot_read_is_said_to_be_not_known() -> None:
    world = begun(WHOLE)
    sees(world, BARE)
    kept = former(world)
    snapshot = world.ledger.read(keys.POLICY_FORMER)
    odd = FormerPolicies(kept.policies, dict.fromkeys(kept.texts, "version: 9"))
    world.ledger.commit(Change("odd", snapshot.now, snapshot.versions(), puts={keys.POLICY_FORMER: odd}))
    assert sees(world, DISGUISED) == "waiting"
    assert "cannot be read by this version" in looser(world)


def test_a_change_that_takes_nothing_from_production_keeps_nothing() -> None:
    world = begun(WHOLE)
    sees(world, with_(WHOLE, ("max_duration: 2h}", "max_duration: 1h}")))
    assert world.ledger.read(keys.POLICY_FORMER).get(keys.POLICY_FORMER, FormerPolicies) is None

"""Production that was taken away in one change and comes back in a later one: under its name, or another one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.core.test_loosening import HOUR, NOW, A, B, D, base, people, place, role, with_place, with_role
from workflows.core.loosening import Kind, leaves, loosened
from workflows.core.policy import OnMover, Policy, Tier

HERE, ELSEWHERE = "111122223333", "999988887777"
STRICT = with_role(account=HERE, approve={"owners": 1, "security": 1})
EMPTY = base(environments={})


def under_another_name(**changes: object) -> Policy:
    dev = replace(place(role(environment="dev", account=HERE, tier=Tier.DEVELOPMENT, **changes)), name="dev")
    return base(environments={"dev": replace(dev, tier=Tier.DEVELOPMENT)})


def found(old: Policy, new: Policy, *lately: Policy) -> list[tuple[Kind, str]]:
    return [(one.kind, one.what) for one in loosened(old, new, NOW, lately)]


def test_what_leads_to_an_account_that_was_in_production_is_told_whatever_it_is_called() -> None:
    assert found(EMPTY, under_another_name()) == []
    assert found(EMPTY, under_another_name(), STRICT) == [(Kind.REACH, "lately")]


def test_what_stands_beside_production_and_did_before_is_told_once() -> None:
    dev = under_another_name()
    assert found(dev, dev, STRICT) == []
    # What becomes looser there is told as long as the account counts as production's.
    assert (Kind.DURATION, "max_duration") in found(dev, under_another_name(max_duration=3 * HOUR), STRICT)


def test_an_account_that_another_one_took_the_place_of_is_remembered() -> None:
    moved = with_role(account=ELSEWHERE)
    both = base(environments={**moved.environments, **under_another_name().environments})
    assert found(moved, both, STRICT) == [(Kind.REACH, "lately")]


def test_production_that_is_still_there_is_told_as_ever() -> None:
    both = base(environments={**STRICT.environments, **under_another_name().environments})
    assert found(STRICT, both) == found(STRICT, both, STRICT) == [(Kind.REACH, "")]


def test_an_environment_that_comes_back_is_held_against_what_it_was() -> None:
    assert found(EMPTY, STRICT, STRICT) == [(Kind.ENVIRONMENT, "back")]
    assert found(EMPTY, with_role(account=HERE), STRICT) == [(Kind.FEWER, ""), (Kind.ENVIRONMENT, "back")]
    more = replace(STRICT, groups={**STRICT.groups, "platform": people(A, B, D)})
    assert (Kind.OWNERS, "") in found(EMPTY, more, STRICT)


def test_one_that_comes_back_as_something_else_is_told_by_its_tier() -> None:
    staging = with_place(tier=Tier.STAGING)
    assert found(EMPTY, staging, with_role()) == [(Kind.TIER, "")]
    # That was told; now it is what it says.
    assert found(staging, staging, with_role()) == []
    assert found(staging, with_place(tier=Tier.STAGING, roles={}), with_role()) == []


def test_a_role_that_comes_back_is_held_against_what_it_was() -> None:
    admin = role(role="admin", approve={"owners": 2})
    two = base(environments={"prod": place(role(), admin)})
    one = base(environments={"prod": place(role())})
    assert found(one, two, two) == [(Kind.ROLE, "back")]
    fewer = base(environments={"prod": place(role(), replace(admin, approve={"owners": 1}))})
    assert found(one, fewer, two) == [(Kind.FEWER, ""), (Kind.ROLE, "back")]


def test_the_last_time_counts() -> None:
    lax = with_role(account=HERE)
    assert found(EMPTY, lax, lax, STRICT) == [(Kind.ENVIRONMENT, "back")]
    assert found(EMPTY, lax, STRICT, lax) == [(Kind.FEWER, ""), (Kind.ENVIRONMENT, "back")]


@pytest.mark.parametrize(
    ("setting", "lax", "kind"),
    [
        ("panic_group", None, Kind.PANIC_GROUP),
        ("panic_block", HOUR / 60, Kind.BLOCK),
        ("on_mover", OnMover.KEEP, Kind.ON_MOVER),
        ("email_domains", ("example.com", "evil.example"), Kind.PEOPLE),
        ("receipts_channels", (), Kind.RECEIPTS),
        ("drift_every", 100 * HOUR, Kind.DRIFT),
    ],
)
def test_what_became_looser_while_there_was_no_production_is_told_when_it_comes_back(
    setting: str, lax: object, kind: Kind
) -> None:
    bare = replace(EMPTY, **{setting: lax})
    back = replace(STRICT, **{setting: lax})
    assert found(STRICT, bare, STRICT) == []
    assert kind not in dict(found(bare, back))
    assert kind in dict(found(bare, back, STRICT))


def test_a_policy_is_remembered_where_something_of_production_goes_with_it() -> None:
    assert leaves(STRICT, EMPTY)
    assert leaves(STRICT, with_role(account=ELSEWHERE))
    assert leaves(STRICT, with_place(tier=Tier.STAGING))
    assert not leaves(STRICT, with_role(account=HERE))
    assert not leaves(under_another_name(), EMPTY)
    assert not leaves(EMPTY, STRICT)

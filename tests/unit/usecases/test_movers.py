"""Whoever may ask no longer for what they hold: it ends, is told of, or stays, as the policy says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.build import DANA, HOUR, NIA, NOW, OLU, PAT, SUE, environment, policy
from tests.support.world import World, account
from tests.unit.usecases.test_leavers import crowd, live, look, remembered, said
from workflows.core import keys
from workflows.core.people import Membership, PersonId
from workflows.core.policy import BreakGlass, Group, OnMover
from workflows.core.records.grant import GrantState
from workflows.core.records.request import Origin
from workflows.core.rules.eligibility import Ask
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.shared.context import Outcome

ASK = Ask("payments-prod", "read-only", HOUR, "INC-42 errors")


def world_with(on_mover: OnMover, **places: object) -> World:
    world = World(replace(policy(environment(**places)), on_mover=on_mover))
    world.knows(DANA, NIA, OLU, SUE)
    return world


def group(world: World, name: str, *people: PersonId, **said: object) -> None:
    own = world.policy.policy
    made = replace(own.groups.get(name) or Group(name), **{"members": frozenset(people), **said})
    world.policy.policy = replace(own, groups={**own.groups, name: made})


def moves(world: World, *left: PersonId) -> None:
    """Those who are left in it are still developers."""
    group(world, "developers", *left)


def test_it_is_told_once_and_stays_unless_the_policy_says_otherwise() -> None:
    world = world_with(OnMover.TELL)
    id_ = world.active()
    look(world)
    assert not said(world, "person.moved")
    moves(world, NIA)
    look(world)
    look(world)
    assert world.has_access(id_)
    (entry,) = said(world, "person.moved")
    assert (entry.facts["open"], entry.facts["became"], entry.private["actor"]) == (id_, "told", DANA)
    assert entry.facts["groups"] == "developers, platform"


def test_whoever_is_back_is_told_of_no_more_and_again_when_they_move_again() -> None:
    world = world_with(OnMover.TELL)
    world.active(duration=4 * HOUR)
    moves(world, NIA)
    look(world)
    moves(world, NIA, DANA)
    look(world)
    assert remembered(world).moved == ()
    assert len(said(world, "person.moved")) == 1
    moves(world, NIA)
    look(world)
    assert len(said(world, "person.moved")) == 2


def test_it_ends_where_the_policy_says_so() -> None:
    world = world_with(OnMover.END)
    id_ = world.active()
    moves(world, NIA)
    look(world)
    assert not world.has_access(id_)
    assert world.grant(id_).end.code == "no_longer_a_requester"
    (entry,) = said(world, "person.moved")
    assert entry.facts["became"] == "ended"


def test_it_stays_and_nobody_hears_of_it_where_the_policy_says_so() -> None:
    world = world_with(OnMover.KEEP)
    id_ = world.active()
    moves(world, NIA)
    look(world)
    assert world.has_access(id_)
    assert not said(world, "person.moved")


def test_told_before_it_ends_once_the_policy_says_so() -> None:
    world = world_with(OnMover.TELL)
    id_ = world.active()
    moves(world, NIA)
    look(world)
    world.policy.policy = replace(world.policy.policy, on_mover=OnMover.END)
    look(world)
    assert not world.has_access(id_)
    assert [one.facts["became"] for one in said(world, "person.moved")] == ["told", "ended"]


@pytest.mark.parametrize("who", ["oncall", "developers", "nobody"])
def test_after_a_break_glass_whoever_may_use_one_has_not_moved(who: str) -> None:
    world = world_with(OnMover.END, break_glass=BreakGlass(("oncall",), ("read-only",), HOUR))
    answer = break_glass(world.ctx, ASK, account(NIA), Origin(), "glass")
    assert isinstance(answer, Outcome), answer
    world.work()
    moves(world, DANA)
    group(world, "oncall")
    if who != "nobody":
        group(world, who, NIA)
    look(world)
    assert world.has_access(answer.id) is (who != "nobody")


def test_where_another_asked_whoever_holds_it_matters_and_not_who_asked() -> None:
    world = world_with(OnMover.END)
    id_ = ask_for_access(world.ctx, replace(ASK, holder=NIA), account(DANA), Origin(), "for nia").id
    world.work()
    assert isinstance(world.approve(id_), Outcome)
    world.work()
    moves(world, NIA)
    look(world)
    assert world.has_access(id_)
    moves(world, DANA)
    look(world)
    assert not world.has_access(id_)


@pytest.mark.parametrize("problem", ["unreadable", "stale", "never"])
def test_a_group_that_cannot_be_read_ends_and_tells_nothing(problem: str) -> None:
    world = world_with(OnMover.END)
    id_ = world.active()
    group(world, "developers", members=None, slack_usergroup="S0DEVS", trusted=True)
    at = world.clock.now()
    known = {
        "unreadable": Membership(as_of=at + timedelta(seconds=301), problem="Slack did not say"),
        "stale": Membership(as_of=NOW - timedelta(hours=1)),
        "never": None,
    }[problem]
    if known is not None:
        world.directory.put_members("slack:S0DEVS", known)
    look(world)
    assert world.has_access(id_)
    assert not said(world, "person.moved")


def test_a_role_that_the_policy_has_no_longer_is_no_move() -> None:
    world = world_with(OnMover.END)
    id_ = world.active()
    own = world.policy.policy
    place = own.environments["payments-prod"]
    world.policy.policy = replace(own, environments={"payments-prod": replace(place, roles={})})
    look(world)
    assert world.has_access(id_)


def test_a_group_that_lost_so_many_by_mistake_takes_nothing() -> None:
    world = world_with(OnMover.END)
    world.knows(PAT)
    crowd(world, 4)
    moves(world)
    look(world)
    assert len(live(world)) == 4
    assert {entry.facts["became"] for entry in said(world, "person.moved")} == {"told"}


def test_another_copy_of_the_policy_than_the_one_in_force_decides_nothing() -> None:
    world = world_with(OnMover.END)
    id_ = world.active()
    moves(world, NIA)
    world.policy.policy = replace(world.policy.policy, hash="e" * 64)
    look(world)
    assert world.has_access(id_)
    assert world.grant(id_).state is GrantState.ACTIVE
    assert keys.LEAVERS in world.ledger.due

"""What a directory in memory remembers of the groups is what it would find out, whatever has changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support import build
from tests.support.build import DANA, OLU, PAT
from tests.support.remembering import RememberingDirectory
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.identity import Address, Identity
from workflows.core.people import Membership
from workflows.core.policy import Group
from workflows.ledger.memory import MemoryDirectory
from workflows.ports import Change

POLICY = build.policy(
    groups={
        "listed": Group("listed", members=frozenset({DANA, OLU})),
        "in-slack": Group("in-slack", slack_usergroup="S0ONCALL"),
    }
)
NAMES = ("listed", "in-slack", "nobody")


def leaves(world: World) -> None:
    """Written to the ledger, past the directory."""
    name = keys.identity(OLU)
    seen = world.ledger.read(name)
    who = seen.get(name, Identity)
    assert who is not None
    gone = replace(who, closed_at=seen.now)
    world.ledger.commit(Change("leaves", seen.now, seen.versions(), puts={name: gone}))


CHANGES: dict[str, Callable[[World], object]] = {
    "time": lambda world: world.clock.advance(1),
    "facts": lambda world: world.directory.put_person(replace(build.facts(DANA), standing_problem="person_guest")),
    "a list": lambda world: world.directory.put_members("slack:S0ONCALL", Membership(frozenset({PAT}), build.NOW)),
    "an account": lambda world: world.directory.forget([account(OLU)], []),
    "the record": leaves,
}


@pytest.fixture
def world() -> World:
    found = World(POLICY)
    found.knows(DANA, OLU, PAT)
    members = Membership(frozenset(), build.NOW, accounts=frozenset({account(OLU)}))
    found.directory.put_members("slack:S0ONCALL", members)
    return found


def afresh(world: World) -> MemoryDirectory:
    """The same things, and nothing that is remembered."""
    found = MemoryDirectory(world.clock, world.ledger)
    for name in vars(found):
        setattr(found, name, getattr(world.directory, name))
    return found


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_looked_up_anew(world: World, change: str) -> None:
    before = world.directory.groups(POLICY, NAMES)
    assert world.directory.groups(POLICY, NAMES) is before
    CHANGES[change](world)
    after = world.directory.groups(POLICY, NAMES)
    assert after == afresh(world).groups(POLICY, NAMES)
    assert after != before


def test_that_nobody_has_an_address_any_more_is_looked_up_anew() -> None:
    world = World(POLICY)
    before = world.directory.groups(POLICY, NAMES)
    world.directory.put_nobody(Address(DANA))
    after = world.directory.groups(POLICY, NAMES)
    assert (after, after == before) == (afresh(world).groups(POLICY, NAMES), False)


def test_another_policy_has_an_answer_of_its_own(world: World) -> None:
    assert isinstance(world.directory, RememberingDirectory)
    other = replace(POLICY, groups={"listed": Group("listed", members=frozenset({PAT}))})
    assert world.directory.groups(POLICY, ("listed",)) != world.directory.groups(other, ("listed",))

"""A change of the policy that waits, in Teams: its card, pressed over HTTP and signed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.sandbox.teams.cards import words
from bot.sandbox.teams.people import OLU, PAT, Message
from tests.support.teams_rig import buttons
from tests.support.teams_world import TeamsWorld, teams_world
from tests.support.waiting_policy import LOOSER, begins, waits
from workflows.core import keys
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.policy_file.folder import hash_of


@pytest.fixture
def world() -> Iterator[TeamsWorld]:
    with teams_world() as found:
        for who in (OLU, PAT):
            found.types(who, "mine")
        begins(found, found.policy.policy, {"security": 1})
        waits(found)
        found.settle()
        yield found


def card(world: TeamsWorld) -> Message:
    return next(one for one in world.cards() if one.card and "Policy" in words(one.card))


def active(world: TeamsWorld) -> str:
    found = world.ledger.read(keys.ACTIVE_POLICY).get(keys.ACTIVE_POLICY, ActivePolicy)
    assert found is not None
    return found.hash


def test_security_puts_it_in_force_by_the_card(world: TeamsWorld) -> None:
    assert "waits for 1 of security" in words(card(world).card)
    world.press(OLU, card(world), "Approve")
    world.settle()
    assert active(world) == "f" * 64
    world.press(PAT, card(world), "Approve")
    world.settle()
    assert active(world) == hash_of(LOOSER)


def test_security_says_no(world: TeamsWorld) -> None:
    world.press(PAT, card(world), "Deny")
    world.settle()
    assert active(world) == "f" * 64
    assert "was denied by Pat" in words(card(world).card)
    assert not buttons(card(world).card)

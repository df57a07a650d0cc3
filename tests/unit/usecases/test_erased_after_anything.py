"""Whatever the bot went through: whoever is erased afterwards is named by nothing that is left."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bot.providers import know_providers
from tests.support.build import DANA, NIA
from tests.support.every_scene import SCENES, rules
from tests.support.spoken import Listener
from tests.support.world import World
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.usecases.identity import erase

pytestmark = pytest.mark.soak
# Somebody else has the address by now: what says it is about them.
ANOTHERS = "an_address_that_somebody_else_has_by_now"


def without(world: World, who: PersonId) -> None:
    """The policy names them no more."""
    groups = {
        name: replace(one, members=frozenset(one.members) - {who}) if one.members is not None else one
        for name, one in world.policy.policy.groups.items()
    }
    world.policy.policy = replace(world.policy.policy, groups=groups)
    for name in (keys.POLICY_FILES, keys.POLICY_WAITING_FILES):
        world.ledger._records.pop(name, None)


def left_of(world: World, who: PersonId) -> list[str]:
    name = who.partition("@")[0]
    # A user at a target is called so in these worlds, and stays.
    telling = re.compile(rf"(?<!id-of-)\b{name}@|U{name.upper()}\b")
    records = (f"{key} {body.decode()}" for key, (_, body) in world.ledger._records.items())
    words = (entry.private.decode() for entry in world.ledger._audit if entry.private is not None)
    return [text for text in (*records, *words) if telling.search(text)]


@pytest.mark.parametrize("name", sorted(SCENES.keys() - {ANOTHERS}))
def test_nothing_that_is_left_names_who_was_erased(name: str) -> None:
    know_providers()
    listener = Listener(World(rules()))
    for _ in SCENES[name](listener):
        pass
    world = listener.world
    for who in DANA, NIA:
        without(world, who)
        done = erase.erase(world.ctx, world.directory.forget, who, erase.Said("Rosa Ops", "asked for by letter"))
        if isinstance(done, erase.Done):
            assert left_of(world, who) == []
        else:
            assert isinstance(done, erase.Survey)
            assert done.kept

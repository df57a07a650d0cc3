"""Signs of life on a real server: a version that knows no accounts on hold is noticed beside this one, in whatever order."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runtime.heartbeat import KINDS, KNOWS, Heartbeats
from tests.contract.ledger.ledger_world import World, redis_world, slot
from tests.support.world import Counter
from workflows.core import keys
from workflows.core.mixed import OlderRunning
from workflows.ports import Committed, Lost
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.mixed_versions import note_older


def beats_of_the_version_before(client: Any, kind: str) -> None:
    """Word for word what the version before this one does every three seconds."""
    client.set(f"prodaccess:beat:{kind}", "1", ex=10)


@pytest.fixture
def world(redis_client: Any) -> World:
    return redis_world(redis_client)


def gives(world: World) -> Committed | Lost:
    return world.ledger.commit(world.change("slot:a", puts={"slot:a": slot("a")}, gives_access=True))


def noted(world: World, kinds: frozenset[str]) -> None:
    wake, fault = (lambda *_: None), (lambda *_, **__: "E1")
    note_older(Context(world.ledger, world.directory, None, wake, Counter(), fault=fault), kinds)  # type: ignore[arg-type]  # no policy is asked


@pytest.mark.parametrize("old", ["worker", "clock"])
@pytest.mark.parametrize("mine", KINDS)
def test_a_beat_of_the_version_before_is_noticed_by_a_process_of_any_kind(redis_client: Any, mine: str, old: str):
    beats = Heartbeats(redis_client)
    assert beats.beat(mine) == frozenset()
    beats_of_the_version_before(redis_client, old)
    assert beats.older() == {old}
    assert beats.beat(mine) == {old}
    assert beats.alive(mine)


def test_of_two_of_one_kind_that_take_turns_each_old_beat_is_noticed(redis_client: Any):
    """The new one writes over it at once: whoever looked only now and then would never see it."""
    beats = Heartbeats(redis_client)
    for _ in range(3):
        beats_of_the_version_before(redis_client, "worker")
        assert beats.beat("worker") == {"worker"}
        assert beats.older() == frozenset()
    assert beats.beat("worker") == frozenset(), "it has stopped"


def test_beats_of_this_version_and_of_later_ones_stop_nobody(redis_client: Any):
    for kind in KINDS:
        assert Heartbeats(redis_client).beat(kind) == frozenset()
    redis_client.set("prodaccess:beat:clock", '{"identity": 2, "more": 1}', ex=10)
    assert Heartbeats(redis_client).beat("web") == frozenset()


def test_one_that_knows_one_chat_alone_counts_as_older_only_where_there_is_a_second(redis_client: Any):
    redis_client.set("prodaccess:beat:worker", '{"identity": 1}', ex=10)
    assert Heartbeats(redis_client).beat("web") == frozenset()
    two = Heartbeats(redis_client, needs=KNOWS)
    assert (two.beat("web"), two.older()) == ({"worker"}, {"worker"})
    Heartbeats(redis_client).beat("worker")
    assert two.older() == frozenset(), "every process of this version says what it knows"


@pytest.mark.parametrize("junk", ["{}", '{"identity": 0}', '{"identity": "1"}', "[", "null", "[1]"])
def test_a_beat_that_does_not_say_so_is_an_older_one(redis_client: Any, junk: str):
    redis_client.set("prodaccess:beat:clock", junk, ex=10)
    assert Heartbeats(redis_client).beat("web") == {"clock"}


def test_what_is_no_beat_at_all_is_written_over_and_says_nothing(redis_client: Any):
    redis_client.rpush("prodaccess:beat:worker", "junk")
    redis_client.rpush("prodaccess:beat:clock", "junk")
    assert Heartbeats(redis_client).beat("worker") == frozenset()
    assert redis_client.get("prodaccess:beat:worker")


def test_nothing_is_given_on_the_server_for_as_long_as_the_old_beat_was_heard_of(redis_client: Any, world: World):
    beats_of_the_version_before(redis_client, "worker")
    noted(world, Heartbeats(redis_client).beat("worker"))
    assert gives(world) == Lost("older")
    removed = world.change("slot:b", puts={"slot:b": slot("b")}, removes_access=True)
    assert isinstance(world.ledger.commit(removed), Committed)
    plain = world.change("slot:c", puts={"slot:c": slot("c")})
    assert isinstance(world.ledger.commit(plain), Committed), "asks are recorded"
    world.put(keys.OLDER, OlderRunning(("worker",), 1))
    assert isinstance(gives(world), Committed), "it is over"


@pytest.mark.parametrize("body", ["1:nonsense", "1:[]", "no version", '1:{"until_us": "x"}', '1:{"until_us": 9e15}'])
def test_a_sign_that_cannot_be_read_or_lasts_too_long_stops_nobody(redis_client: Any, world: World, body: str):
    redis_client.set("prodaccess:record:older:processes", body)
    assert isinstance(gives(world), Committed)

"""The ledger's own clock in doubt, in memory and on a server: nothing is given, removals go on, what is due can come sooner."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.contract.ledger.ledger_world import World, person, redis_world, slot, worlds
from tests.support.world import Counter
from workflows.core import keys
from workflows.core.clockwork import Catchup, Doubt, LedgerClock, Suspicion
from workflows.ports import Committed, Lost
from workflows.usecases.shared.context import Context
from workflows.usecases.upkeep.timekeeping import Timekeeper


@pytest.fixture(params=["memory", "redis"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from worlds(request.param, request)


def gives(world: World) -> Committed | Lost:
    return world.ledger.commit(world.change("slot:a", puts={"slot:a": slot("a")}, gives_access=True))


def removes(world: World) -> Committed | Lost:
    return world.ledger.commit(world.change("slot:b", puts={"slot:b": slot("b")}, removes_access=True))


@pytest.mark.parametrize("part", ["suspicion", "doubt", "catchup"])
def test_nothing_is_given_while_the_clock_is_in_doubt_and_removals_go_on(world: World, part: str) -> None:
    now = world.ledger.now()
    parts = {
        "suspicion": LedgerClock(suspicion=Suspicion("host", -1)),
        "doubt": LedgerClock(doubt=Doubt(now, -1)),
        "catchup": LedgerClock(catchup=Catchup(1)),
    }
    world.put(keys.CLOCK, parts[part])
    assert gives(world) == Lost("clock")
    assert isinstance(removes(world), Committed)
    world.put(keys.CLOCK, LedgerClock(jumped_us=-1, jumps=1))
    assert isinstance(gives(world), Committed)


def test_what_is_due_comes_sooner_and_what_the_change_itself_names_stays(world: World) -> None:
    now = world.ledger.now()
    world.commit("slot:a", puts={"slot:a": slot("a")}, due={"end:PA-1": now + timedelta(hours=1)})
    assert world.due.lead("me")
    assert not world.due.claim("me")
    later = {"end:PA-2": now + timedelta(minutes=30)}
    world.commit("slot:b", puts={"slot:b": slot("b")}, sooner=timedelta(hours=1, seconds=1), due=later)
    assert list(world.due.claim("me")) == ["end:PA-1"]


def test_a_clock_record_that_cannot_be_read_gives_nothing(redis_client) -> None:  # type: ignore[no-untyped-def]
    world = redis_world(redis_client)
    for body in ("1:nonsense", "1:[]", "no version"):
        redis_client.set("prodaccess:record:clock:ledger", body)
        assert gives(world) == Lost("clock")
        assert isinstance(removes(world), Committed)


def test_a_lease_from_before_the_clock_was_set_back_is_free(redis_client) -> None:  # type: ignore[no-untyped-def]
    world = redis_world(redis_client)
    assert world.ledger.acquire("holding:H-1") is not None
    assert world.ledger.acquire("holding:H-1") is None
    # Its end is a time of day, so that set back by an hour the key lives an hour more.
    redis_client.pexpire("prodaccess:lease:holding:H-1", 3_600_000)
    assert world.ledger.acquire("holding:H-1") is not None


def test_a_witness_tells_a_jump_on_a_real_server(redis_client) -> None:  # type: ignore[no-untyped-def]
    """Nobody can set the server's clock here, so the host's own one goes ahead: the two differ by as much."""
    world = redis_world(redis_client)
    boot = [1000.0]
    wake, fault = (lambda *items: None), (lambda *_, **__: "E1")
    context = Context(world.ledger, world.directory, None, wake, Counter(), fault=fault)  # type: ignore[arg-type]  # no policy is asked
    witness = Timekeeper(context, "host", lambda: boot[0])
    witness.look()
    world.put("person:dana@example.com", person("dana"))
    boot[0] += 3600
    for _ in range(3):
        witness.look()
    clock = world.ledger.read(keys.CLOCK).get(keys.CLOCK, LedgerClock)
    assert clock is not None
    assert clock.doubt is not None
    assert round(clock.doubt.off_us / 1e6) == -3600
    assert gives(world) == Lost("clock")

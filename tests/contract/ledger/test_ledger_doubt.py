"""An older copy of the ledger, in memory and on a server: whoever saw more gives nothing on it, and soon nobody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import redis

from tests.contract.ledger.ledger_world import Monotonic, World, event, memory_world, redis_world, slot
from tests.support.world import Counter
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.ledger_doubt import LedgerDoubt, Sign
from workflows.core.records.installation import Installation
from workflows.core.refusal import Code, Refused
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change, Committed, Ledger, Lost
from workflows.usecases.shared.context import CommitAttempt, Context, Outcome, run
from workflows.usecases.shared.ledger_doubt import accept, raise_doubt, said, stands, watch


@dataclass
class Copies:
    """`keep` takes a copy of the whole server and returns what puts it back; `another` is a process that begins now."""

    world: World
    keep: Callable[[], Callable[[], None]]
    another: Callable[[], Ledger] | None


@pytest.fixture(params=["memory", "redis"])
def copies(request: pytest.FixtureRequest) -> Iterator[Copies]:
    if request.param == "memory":
        world = memory_world()
        ledger: Any = world.ledger

        def keep() -> Callable[[], None]:
            kept = ledger.copy()
            return lambda: ledger.put_back(kept)

        yield Copies(world, keep, None)
        return
    client = request.getfixturevalue("redis_client")
    yield Copies(
        redis_world(client),
        lambda: _kept(client),
        lambda: RedisLedger(client, durability="verify", monotonic=Monotonic()),
    )


def _kept(client: Any) -> Callable[[], None]:
    settings = {**client.connection_pool.connection_kwargs, "decode_responses": False}
    kind = client.connection_pool.connection_class
    raw: Any = redis.Redis(connection_pool=redis.ConnectionPool(connection_class=kind, **settings))
    kept = {key: raw.dump(key) for key in raw.keys("*")}

    def put_back() -> None:
        raw.flushdb()
        for key, body in kept.items():
            raw.restore(key, 0, body)

    return put_back


def context(ledger: Ledger) -> Context:
    wake, fault = (lambda *_: None), (lambda *_, **__: "E1")
    return Context(ledger, None, None, wake, Counter(), fault=fault)  # type: ignore[arg-type]  # nobody is looked up


def gives(world: World, ledger: Ledger | None = None) -> Committed | Lost:
    return (ledger or world.ledger).commit(world.change("slot:a", puts={"slot:a": slot("a")}, gives_access=True))


def removes(world: World) -> Committed | Lost:
    return world.ledger.commit(world.change("slot:b", puts={"slot:b": slot("b")}, removes_access=True))


def written(world: World, subject: str) -> int:
    now = world.ledger.now()
    world.counter[0] += 1
    change = Change(f"w{world.counter[0]}", now, {}, audit=(event(world, subject, now),))
    result = world.ledger.commit(change)
    assert isinstance(result, Committed)
    return result.numbers[0]


def test_nothing_is_given_while_the_ledger_is_in_doubt_and_removals_go_on(copies: Copies) -> None:
    world = copies.world
    world.put(keys.LEDGER_DOUBT, LedgerDoubt(Sign.SAID, world.ledger.now(), 1))
    assert gives(world) == Lost("restored")
    assert isinstance(removes(world), Committed)
    world.commit(keys.LEDGER_DOUBT, deletes=frozenset({keys.LEDGER_DOUBT}))
    assert isinstance(gives(world), Committed)


def test_what_this_process_saw_and_is_gone_stops_it_at_once(copies: Copies) -> None:
    world = copies.world
    written(world, "PA-1")
    put_back = copies.keep()
    number = written(world, "PA-2")
    put_back()
    change = Change("on old facts", world.ledger.now(), {}, gives_access=True)
    assert world.ledger.commit(change) == Lost("restored")
    lost = world.ledger.lost()
    assert lost is not None
    assert (lost.seen.number, lost.newest) == (number, number - 1)
    assert isinstance(removes(world), Committed)


def test_the_commit_itself_looks_before_anything_was_read_again(copies: Copies) -> None:
    world = copies.world
    put_back = copies.keep()
    written(world, "PA-1")
    now = world.ledger.now()
    put_back()
    assert world.ledger.commit(Change("blind", now, {}, gives_access=True)) == Lost("restored")


def test_an_empty_server_is_an_older_copy(copies: Copies) -> None:
    world = copies.world
    put_back = copies.keep()
    written(world, "PA-1")
    put_back()
    assert gives(world) == Lost("restored")
    watch(context(world.ledger))
    assert stands(context(world.ledger))
    (entry,) = world.ledger.entries()
    assert (entry.number, entry.event, entry.facts["seen"], entry.facts["newest"]) == (
        1,
        Event.LEDGER_ROLLED_BACK,
        "1",
        "0",
    )


def test_it_is_noticed_also_when_the_older_copy_has_gone_on(redis_client: Any) -> None:
    """Its numbers are beyond those that were seen, and under them stand others."""
    world = redis_world(redis_client)
    written(world, "PA-1")
    put_back = _kept(redis_client)
    written(world, "PA-2")
    put_back()
    newer = RedisLedger(redis_client, durability="verify", monotonic=Monotonic())
    for subject in ("PA-7", "PA-8", "PA-9"):
        now = newer.now()
        assert isinstance(newer.commit(Change(f"c:{subject}", now, {}, audit=(event(world, subject, now),))), Committed)
    assert newer.lost() is None
    assert isinstance(newer.commit(Change("gives", newer.now(), {}, gives_access=True)), Committed), "it cannot know"
    world.ledger.now()
    watch(context(world.ledger))
    assert newer.commit(Change("gives again", newer.now(), {}, gives_access=True)) == Lost("restored")
    found = world.ledger.read(keys.LEDGER_DOUBT).get(keys.LEDGER_DOUBT, LedgerDoubt)
    assert found is not None
    assert found.why is Sign.REPLACED


def test_a_server_that_has_it_after_all_is_believed(copies: Copies) -> None:
    """A process that was connected to the wrong one for a moment: what it meant is there."""
    world = copies.world
    put_back = copies.keep()
    written(world, "PA-1")
    newest = copies.keep()
    put_back()
    world.ledger.now()
    assert world.ledger.lost() is not None
    newest()
    watch(context(world.ledger))
    assert world.ledger.lost() is None
    assert isinstance(gives(world), Committed)


def test_an_operator_accepts_it_and_every_process_goes_on(copies: Copies) -> None:
    world = copies.world
    ctx = context(world.ledger)
    put_back = copies.keep()
    written(world, "PA-1")
    put_back()
    world.ledger.now()
    operator = context(copies.another() if copies.another else world.ledger)
    watch(ctx)
    assert isinstance(accept(operator, "Rosa Ops", " "), Refused)
    answer = accept(operator, "Rosa Ops", "nothing is open")
    assert isinstance(answer, Outcome)
    assert answer.outcome == "accepted"
    assert not stands(operator)
    watch(ctx)
    assert world.ledger.lost() is None
    assert isinstance(gives(world), Committed)
    found = world.ledger.read(keys.INSTALLATION).get(keys.INSTALLATION, Installation)
    assert found is not None
    assert found.epoch == 2
    again = accept(operator, "Rosa Ops", "nothing is open")
    assert isinstance(again, Outcome)
    assert again.outcome == "trusted"


def test_a_second_older_copy_begins_an_epoch_of_its_own(copies: Copies) -> None:
    """Also where that copy is from before the first one was accepted: no epoch is used twice."""
    world, ctx = copies.world, context(copies.world.ledger)
    put_back = copies.keep()
    for epoch in (2, 5):
        written(world, f"PA-{epoch}")
        put_back()
        world.ledger.now()
        assert raise_doubt(ctx, Sign.ARCHIVE_AHEAD, {"seen": "9", "newest": "1"}, epoch=epoch - 1)
        assert not raise_doubt(ctx, Sign.ARCHIVE_AHEAD, {"seen": "9", "newest": "1"}), "one doubt at a time"
        assert isinstance(accept(ctx, "Rosa Ops", "nothing is open"), Outcome)
        found = world.ledger.read(keys.INSTALLATION).get(keys.INSTALLATION, Installation)
        assert found is not None
        assert found.epoch == epoch


def test_an_operator_says_that_it_is_one(copies: Copies) -> None:
    world, ctx = copies.world, context(copies.world.ledger)
    assert isinstance(said(ctx, "Rosa Ops", ""), Refused)
    for outcome in ("raised", "stands"):
        answer = said(ctx, "Rosa Ops", "the backup of 03:00 was put back")
        assert isinstance(answer, Outcome)
        assert answer.outcome == outcome

    def give() -> CommitAttempt:
        return CommitAttempt(Change("give", world.ledger.now(), {}, gives_access=True), Outcome("x", "given"))

    refused = run(ctx, give)
    assert isinstance(refused, Refused)
    assert refused.code is Code.LEDGER_IN_DOUBT


def test_a_doubt_that_cannot_be_read_is_one(redis_client: Any) -> None:
    world = redis_world(redis_client)
    for body in ("1:nonsense", "1:[]", "no version"):
        redis_client.set(f"prodaccess:record:{keys.LEDGER_DOUBT}", body)
        assert gives(world) == Lost("restored")
        assert isinstance(removes(world), Committed)


def test_it_costs_no_round_trip(redis_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = redis_world(redis_client)
    written(world, "PA-1")
    sent: list[str] = []
    execute = redis_client.execute_command
    monkeypatch.setattr(
        redis_client, "execute_command", lambda *args, **rest: sent.append(args[0]) or execute(*args, **rest)
    )
    watch(context(world.ledger))
    assert sent == []
    world.ledger.now()
    assert len(sent) == 1

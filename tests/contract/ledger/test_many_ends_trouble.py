"""Many ends in the same second, and something goes wrong in the middle: what it is wrong with pays for it, and nobody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from rq.serializers import JSONSerializer

from bot import jobs
from bot.clock import Ticker
from bot.queues import ACCESS_QUEUES, RqWake
from bot.runtime.queue_worker import OwnWorker
from tests.contract.ledger.many_ends_world import ROLES, crowded, overdue, states
from tests.support import build
from tests.support.redis_world import TOKEN, RedisWorld
from tests.support.world import StillKeeper
from workflows.core import keys
from workflows.core.records.grant import GrantState
from workflows.ports import Change, LedgerUnreachable
from workflows.usecases.fulfilment.converge_many import converge_holdings, end_grants
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.rounds import Failed, acquiring, committing, together
from workflows.usecases.shared.troubles import standing


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    with redis.Redis.from_url(redis_url) as found:
        found.flushdb()
        yield found
        found.config_set("maxmemory", 0)


@pytest.fixture
def world(client: Any, redis_url: str) -> Iterator[RedisWorld]:
    with crowded(client, redis_url) as found:
        yield found


def kept(world: RedisWorld) -> StillKeeper:
    """Leases are kept by one whom the test can ask."""
    object.__setattr__(world.ctx, "lease_renewer", world.lease_renewer)
    return world.lease_renewer


def worked(world: RedisWorld, client: Any, *items: str) -> None:
    """As a worker does that is woken once for all of these."""
    jobs.install(SimpleNamespace(context=world.ctx, due=world.due, redis=client))  # type: ignore[arg-type]  # as far as they look
    RqWake(client, world.due).send(*items)
    OwnWorker(list(ACCESS_QUEUES), connection=client, serializer=JSONSerializer).work(burst=True)


# ---------------------------------------------------------------- the server takes not everything


def test_while_memory_is_full_removals_go_on_beside_one_who_waits_to_be_let_in(world: RedisWorld, client: Any) -> None:
    ids = overdue(world, 4)
    asked = world.ask(build.NIA, role=ROLES[-1])
    assert isinstance(asked, Outcome)
    waits = asked.id
    world.run(keys.request(waits))
    world.woken.clear()
    world.approve(waits)
    assert world.grant(waits).state is GrantState.ACTIVATING
    both = [world.grant(id_).holding for id_ in (ids[0], ids[1], waits, ids[2], ids[3])]
    client.config_set("maxmemory", 1)
    outcomes = converge_holdings(world.ctx, both)
    assert [type(outcomes[holding]) for holding in both] == [
        type(None),
        type(None),
        LedgerUnreachable,
        type(None),
        type(None),
    ]
    assert states(world, ids) == {GrantState.ENDED}
    assert not any(world.has_access(id_) for id_ in (*ids, waits))


def test_a_server_that_forgets_our_scripts_in_between_runs_each_once(world: RedisWorld, client: Any) -> None:
    ids = overdue(world, 4)
    really = world.ledger.together

    def forgetful(asks: Any) -> Any:
        client.script_flush()
        return really(asks)

    world.ledger.together = forgetful  # type: ignore[method-assign]  # as it answers after a restart
    assert dict(end_grants(world.ctx, ids)) == dict.fromkeys(ids)
    assert states(world, ids) == {GrantState.ENDED}
    for id_ in ids:
        assert [event for event in world.events(id_) if event.startswith("grant.end")] == [
            "grant.end_started",
            "grant.ended",
        ]


def test_what_is_known_of_one_is_said_although_another_ones_outcome_is_not(world: RedisWorld, client: Any) -> None:
    """The server answered all of them; one of these answers is that it takes no more."""
    seen = world.ledger.read(keys.ACTIVE_POLICY)
    client.config_set("maxmemory", 1)

    def leasing() -> Any:
        return (yield from acquiring("H-1"))

    def writing() -> Any:
        return (yield from committing(Change(world.press_id(), seen.now, seen.versions(), gives_access=True)))

    found = together(world.ctx, {"lease": leasing(), "change": writing()})
    assert isinstance(found["change"], Failed)
    assert isinstance(found["change"].why, LedgerUnreachable)
    assert not isinstance(found["lease"], Failed)


# ---------------------------------------------------------------- stopped in the middle


class Died(BaseException):
    """As a process does that is killed."""


@pytest.mark.parametrize("kind", [TimeoutError, Died])
def test_who_is_stopped_in_the_middle_keeps_no_lease_alive(
    world: RedisWorld, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
) -> None:
    """A lease that is kept for nobody would keep its holding from everybody, for as long as this worker lives. RQ gives a job two
    minutes, and says so wherever it is.
    """
    ids, keeper = overdue(world, 3), kept(world)
    really, stopped = world.ledger.together, kind("stopped")

    def until_stopped(asks: Any) -> Any:
        if len(keeper.kept) == len(ids):
            raise stopped
        return really(asks)

    monkeypatch.setattr(world.ledger, "together", until_stopped)
    with nullcontext() if kind is TimeoutError else pytest.raises(Died):
        assert dict(end_grants(world.ctx, ids)) == dict.fromkeys(ids, stopped)
    # What was raised is still looked at by somebody, and with it all that was under way.
    assert stopped.__traceback__
    assert not keeper.kept


def test_a_fault_in_what_many_share_is_a_trouble_like_any_other(
    world: RedisWorld, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = overdue(world, 3)

    def breaks(_: Any) -> Any:
        raise RuntimeError("nobody thought of it")

    monkeypatch.setattr(world.ledger, "together", breaks)
    worked(world, client, *map(keys.end_due, ids))
    assert {trouble.item for trouble in standing(world.ctx)} == {*map(keys.end_due, ids)}


def test_that_the_ledger_was_away_for_one_hides_no_fault_of_another(
    world: RedisWorld, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = {"PA-1": LedgerUnreachable("full"), "PA-2": RuntimeError("nobody thought of it"), "PA-3": None}
    monkeypatch.setattr(jobs, "end_grants", lambda _ctx, _ids: outcomes)
    worked(world, client, "end:PA-1", "end:PA-2", "end:PA-3")
    assert [trouble.item for trouble in standing(world.ctx)] == ["end:PA-2"]


@pytest.mark.parametrize("kind", ["end", "holding"])
def test_what_is_due_and_reads_like_several_is_nothing_of_ours_and_goes(
    world: RedisWorld, client: Any, kind: str
) -> None:
    """Whoever wrote it, nobody is woken for it every five seconds for ever."""
    strange = f"{kind}:PA-1 PA-2"
    client.zadd("prodaccess:due", {strange: 1})
    parts: Any = SimpleNamespace(
        context=world.ctx,
        due=world.due,
        token=TOKEN,
        monotonic_s=time.monotonic,
        wake=RqWake(client, world.due),
        policy=world.policy,
        activate_policy=lambda: None,
        settings=SimpleNamespace(redis_durability="volatile"),
    )
    Ticker(parts).tick()
    assert client.zscore("prodaccess:due", strange) is None
    assert not client.hexists("prodaccess:woken", strange)
    assert not any(client.llen(f"rq:queue:{name}") for name in ACCESS_QUEUES)

"""What `/metrics` shows of all processes together: right, equal on every web, and as cheap with much on record as with little."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from prometheus_client.core import Metric

from bot.observability import calls
from bot.observability.calls import Calls
from bot.observability.tally import FROM_THE_START, PAGE, Tally
from bot.wiring.common import keep_counting_calls
from tests.support import metrics_doc
from tests.support.build import DANA, NIA
from tests.support.redis_world import RedisWorld
from tests.support.round_trips import round_trips
from tests.support.waiting import eventually
from workflows.core import calls as told
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.calls import Call, timed
from workflows.ledger import durability
from workflows.ports import Change, IndexEntry
from workflows.usecases.shared.context import event


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    """As the product has it: answers are bytes."""
    client = redis.Redis.from_url(redis_url)
    client.flushdb()
    yield client
    client.close()


@pytest.fixture
def world(client: Any) -> RedisWorld:
    world = RedisWorld(client)
    world.look()
    world.activate()
    return world


def shown(world: RedisWorld) -> dict[str, Metric]:
    return {each.name: each for each in metrics_doc.collector(world).collect()}


def value(world: RedisWorld, name: str, **labels: str) -> float:
    """Of one sample; 0.0 where there is none."""
    family = shown(world)[name.removesuffix("_total").removesuffix("_count").removesuffix("_sum")]
    found = [one.value for one in family.samples if one.name == name and labels.items() <= one.labels.items()]
    return found[0] if found else 0.0


def tally(world: RedisWorld) -> Tally:
    return Tally(world.ctx, world.client)


def lives(world: RedisWorld) -> str:
    """Dana gets and gives back; Nia is refused by an owner. Returns Dana's id."""
    id_ = world.asked(DANA)
    world.approve(id_)
    world.work()
    world.end(id_, DANA)
    world.work()
    world.deny(world.asked(NIA))
    world.work()
    return id_


HERE = {"environment": "payments-prod"}


def test_what_was_decided_is_counted_from_the_record(world: RedisWorld) -> None:
    lives(world)
    tally(world).advance()
    assert value(world, "prodaccess_requests_total", **HERE, kind="access") == 2
    assert value(world, "prodaccess_decisions_total", **HERE, outcome="approved") == 1
    assert value(world, "prodaccess_decisions_total", **HERE, outcome="denied") == 1
    assert value(world, "prodaccess_decisions_total", **HERE, outcome="break_glass") == 0
    assert value(world, "prodaccess_grants_closed_total", **HERE, cause="returned") == 1
    assert value(world, "prodaccess_decision_seconds_count", outcome="approved") == 1
    assert value(world, "prodaccess_activation_seconds_count", tier="production") == 1
    assert 0 < value(world, "prodaccess_activation_seconds_sum", tier="production") < 60
    assert value(world, "prodaccess_audit_entries_total", event="grant.active") == 1


def test_two_clocks_count_nothing_twice_and_a_restart_forgets_nothing(world: RedisWorld) -> None:
    one, other = tally(world), tally(world)
    lives(world)
    one.advance()
    other.advance()
    lives(world)
    tally(world).advance()
    one.advance()
    assert value(world, "prodaccess_decisions_total", **HERE, outcome="approved") == 2


def test_whoever_comes_second_between_the_look_and_the_count_adds_nothing(world: RedisWorld) -> None:
    lives(world)
    late = tally(world)
    head = world.ledger.head()
    cursor = late._cursor(head)
    tally(world).advance()
    assert not late._count(cursor, head)
    assert value(world, "prodaccess_decisions_total", **HERE, outcome="approved") == 1


def test_a_long_record_of_an_older_version_is_counted_from_now_on(world: RedisWorld) -> None:
    for number in range(FROM_THE_START // 100 + 1):
        snapshot = world.ledger.read()
        entries = tuple(event(world.ctx, Event.DIGEST_POSTED, "digest-1", snapshot) for _ in range(100))
        world.ledger.commit(Change(f"many-{number}", snapshot.now, reads={}, audit=entries))
    tally(world).advance()
    assert value(world, "prodaccess_audit_entries_total", event="digest.posted") == 0
    lives(world)
    tally(world).advance()
    assert value(world, "prodaccess_decisions_total", **HERE, outcome="approved") == 1


def test_more_than_a_page_of_entries_is_counted_whole(world: RedisWorld) -> None:
    snapshot = world.ledger.read()
    entries = tuple(event(world.ctx, Event.DIGEST_POSTED, "digest-1", snapshot) for _ in range(PAGE + 7))
    world.ledger.commit(Change("many", snapshot.now, reads={}, audit=entries))
    tally(world).advance()
    assert value(world, "prodaccess_audit_entries_total", event="digest.posted") == PAGE + 7


def test_a_ledger_restored_from_a_backup_is_counted_on(world: RedisWorld) -> None:
    tally(world).advance()
    world.client.hset("prodaccess:tally", "cursor", 10_000_000)
    tally(world).advance()
    lives(world)
    tally(world).advance()
    assert value(world, "prodaccess_decisions_total", **HERE, outcome="approved") == 1


def test_how_it_stands(world: RedisWorld, client: Any) -> None:
    id_ = world.active(DANA)
    assert value(world, "prodaccess_environment_grants_live", **HERE) == 1
    assert value(world, "prodaccess_policy_matches") == 1
    assert value(world, "prodaccess_grants_overdue_seconds") == 0
    assert value(world, "prodaccess_process_alive", process="worker") == 0
    client.set("prodaccess:beat:worker", "1", ex=10)
    client.zadd("prodaccess:index:live", {id_: world.ledger.now().timestamp() - 90})
    client.zadd("prodaccess:due", {"warn:PA-1": world.ledger.now().timestamp() - 60})
    client.rpush("rq:queue:prodaccess-chat", "job-1")
    client.hset("rq:job:job-1", "enqueued_at", (world.ledger.now() - timedelta(seconds=40)).isoformat())
    assert value(world, "prodaccess_process_alive", process="worker") == 1
    assert 89 < value(world, "prodaccess_grants_overdue_seconds") < 120
    assert value(world, "prodaccess_due_late") >= 1
    assert 39 < value(world, "prodaccess_wakeups_oldest_seconds", queue="prodaccess-chat") < 70
    assert value(world, "prodaccess_wakeups_oldest_seconds", queue="prodaccess-grant") == 0


def test_every_web_shows_the_same(world: RedisWorld, client: Any) -> None:
    lives(world)
    tally(world).advance()
    other = RedisWorld(client, world.policy.policy)

    def figures(of: RedisWorld) -> dict[str, list[tuple[Any, ...]]]:
        found = shown(of)
        aging = {name for name in found if name.endswith(("_overdue_seconds", "_oldest_seconds", "_behind_seconds"))}
        return {
            name: sorted((one.name, sorted(one.labels.items()), one.value) for one in family.samples)
            for name, family in found.items()
            if name not in aging
        }

    assert figures(world) == figures(other)


def test_how_far_a_chat_is_behind_is_the_age_of_the_oldest_thing_that_waits(world: RedisWorld) -> None:
    now = world.ledger.now()
    channel = world.policy.policy.receipts_channels[0]
    waits = IndexEntry(keys.waiting(channel), "PA-1", now.timestamp() - 50)
    world.ledger.commit(Change("waits", now, reads={}, index=(waits,)))
    assert 49 < value(world, "prodaccess_chat_behind_seconds", chat="slack") < 80


def test_a_scrape_asks_as_often_with_much_on_record_as_with_little(
    world: RedisWorld, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Round trips; what each costs the server is counts and ends of sorted sets."""
    # The look at the server's settings, once in five seconds, comes first; no other one comes between.
    monkeypatch.setattr(durability, "CHECK_S", float("inf"))
    shown(world)
    with round_trips(client) as sent:
        shown(world)
    little = len(sent)
    at = world.ledger.now().timestamp()
    client.zadd("prodaccess:index:live", {f"PA-{number}": at + 3600 + number for number in range(20_000)})
    client.zadd("prodaccess:due", {f"end:PA-{number}": at + 3600 + number for number in range(20_000)})
    lives(world)
    tally(world).advance()
    with round_trips(client) as sent:
        shown(world)
    assert len(sent) == little <= 24, b"\n".join(sent)


def test_what_stands_under_a_key_and_is_no_number_hides_only_itself(world: RedisWorld, client: Any) -> None:
    for key in ("prodaccess:tally", "prodaccess:calls", "prodaccess:due", "prodaccess:index:live"):
        client.delete(key)
        client.set(key, "spoilt")
    assert {"prodaccess_build_info", "prodaccess_clock_leads", "prodaccess_chat_behind_seconds"} <= shown(world).keys()


@pytest.mark.parametrize("key", ["prodaccess:tally", "prodaccess:calls"])
def test_what_somebody_else_put_in_place_of_the_counts_goes_and_counting_goes_on(
    world: RedisWorld, client: Any, key: str
) -> None:
    client.set(key, "spoilt")
    process = Calls(client)
    for _ in range(2):
        lives(world)
        process.heard(Call("aws", "sts GetCallerIdentity", "", 0.1))
        tally(world).advance()
        process.flush()
    assert value(world, "prodaccess_decisions_total", **HERE, outcome="approved") >= 1
    assert value(world, "prodaccess_calls_total", service="aws", error="ok") >= 1


def test_at_rest_a_clock_asks_once_and_writes_nothing(world: RedisWorld, client: Any) -> None:
    counting = tally(world)
    counting.advance()
    counting.advance()
    with round_trips(client) as sent:
        counting.advance()
    assert [b"XREVRANGE" in each for each in sent] == [True]


# ---------------------------------------------------------------- calls


def test_a_process_that_is_asked_to_end_adds_what_it_has_counted(world: RedisWorld, client: Any) -> None:
    stop = threading.Event()
    keep_counting_calls(SimpleNamespace(redis=client, context=world.ctx), stop)  # type: ignore[arg-type]
    counting = told._listeners.pop()
    counting(Call("aws", "sts GetCallerIdentity", "", 0.1))
    stop.set()
    eventually(lambda: client.hget("prodaccess:calls", "prodaccess_calls|aws|sts GetCallerIdentity|ok") == b"1")


def test_whoever_calls_waits_for_no_count(client: Any) -> None:
    process = Calls(client)
    with round_trips(client) as sent:
        for _ in range(100):
            process.heard(Call("slack", "chat.update", "", 0.1))
    assert sent == []


def test_calls_of_all_processes_add_up_and_each_word_is_told_apart(world: RedisWorld, client: Any) -> None:
    for process in (Calls(client), Calls(client)):
        process.heard(Call("slack", "chat.postMessage", "", 0.2))
        process.heard(Call("slack", "chat.postMessage", "ratelimited", 0.01))
        process.flush()
        process.flush()
    here = {"service": "slack", "method": "chat.postMessage"}
    assert value(world, "prodaccess_calls_total", **here, error="ok") == 2
    assert value(world, "prodaccess_calls_total", **here, error="ratelimited") == 2
    assert value(world, "prodaccess_call_seconds_count", service="slack") == 4
    assert value(world, "prodaccess_call_seconds_sum", service="slack") == pytest.approx(0.42)


def test_a_service_that_invents_words_makes_no_more_series(client: Any) -> None:
    process = Calls(client)
    for number in range(1_000):
        process.heard(Call("slack", "chat.update", f"word_{number}", 0.1))
        process.heard(Call("slack", f"method.{number}|x", "", 0.1))
    process.flush()
    assert client.hlen("prodaccess:calls") < 2 * (calls.WORDS_MAX + calls.METHODS_MAX + 20)
    assert client.hget("prodaccess:calls", "prodaccess_calls|slack|chat.update|other") == b"901"


def test_what_could_not_be_written_is_written_the_next_time(client: Any) -> None:
    process, dead = Calls(client), redis.Redis(port=1)
    process._redis = dead
    process.heard(Call("aws", "sts GetCallerIdentity", "", 0.1))
    process.flush()  # a server that does not answer is said elsewhere
    process._redis = client
    process.flush()
    assert client.hget("prodaccess:calls", "prodaccess_calls|aws|sts GetCallerIdentity|ok") == b"1"


def test_a_call_is_told_of_with_its_word_and_a_listener_that_fails_holds_nothing_up() -> None:
    heard: list[Call] = []
    ends = [told.listen(heard.append), told.listen(lambda _: 1 / 0)]  # type: ignore[arg-type,return-value]
    with timed("slack", "auth.test"):
        pass
    with pytest.raises(OSError), timed("slack", "auth.test"):
        raise OSError
    with timed("slack", "auth.test") as call:
        call.error = "invalid_auth"
    for over in ends:
        over()
    assert [each.error for each in heard] == ["", "no_answer", "invalid_auth"]


# ---------------------------------------------------------------- the page


def test_the_page_names_what_a_scrape_shows(world: RedisWorld) -> None:
    page = metrics_doc.PAGE.read_text(encoding="utf-8")
    rows = metrics_doc.table(metrics_doc.families(world))
    assert metrics_doc.with_table(page, rows) == page, "python -m tests.support.metrics_doc"

"""Redis behind sentinels: found at each connection, believed when it says itself that it leads, and never written to after it was
demoted. Real servers, real sentinels.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from bot.runtime.redis_servers import connect
from bot.sandbox.slack import words
from tests.chaos.fleet import Fleet, Flow
from tests.support.installation import CHAOS, GENERAL, PEOPLE, ROOT, free_port
from tests.support.sentinels import NAME, SENTINEL_PASSWORD, WRITTEN, Watched
from tests.support.waiting import PATIENCE_S, eventually
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import LedgerUnreachable

pytestmark = pytest.mark.fleet

Record = Callable[[str, object], None]


class WatchedFleet(Fleet):
    """A fleet whose Redis fails over. What a test looks at is the primary of the moment."""

    redis: Watched

    def redis_server(self) -> Watched:
        return Watched(self.folder / "redis")

    def environment(self, process: str) -> dict[str, str]:
        return super().environment(process) | {"REDIS_URL": self.redis.sentinel_url}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[WatchedFleet]:
    with WatchedFleet(tmp_path, unlimited=False, numbers=CHAOS) as running:
        yield running
        running.aws.proxy.calm()


def test_the_installation_goes_on_within_seconds_when_the_primary_dies(
    fleet: WatchedFleet, record_property: Record
) -> None:
    fleet.relaunch("worker", "worker-2")
    fleet.relaunch("clock", "clock-2")
    flow = Flow(fleet, iter([fleet.case() for _ in range(8)]), seconds=10)
    with _somebody_accepts(fleet):
        with flow.flowing(("dana", "olu"), ("nia", "pat")):
            fleet.until(lambda: len(flow.done) >= 2, "lives are under way")
            killed_s = time.monotonic()
            before = fleet.redis.kill_primary()
            fleet.redis.follow(before)
            promoted_s = time.monotonic()
            fleet.until(lambda: fleet.types("sue", "envs").ok and _answered(fleet), "web answers by the new primary")
            answers_s = time.monotonic()
            fleet.redis.start(before)
            so_far = len(flow.done)
            fleet.until(lambda: len(flow.done) >= so_far + 2, "and lives go on")
        record_property("acts", (flow.acts, dict(flow.again), len(flow.done)))
        record_property("promoted_after_s", promoted_s - killed_s)
        record_property("answers_after_s", answers_s - killed_s)
        flow.assert_whole(calls_once=False, may_be_lost=True)
    fleet.until(lambda: fleet.redis.is_a(before, "slave"), "the old primary is a replica")
    done = _command(fleet, "status")
    assert done.returncode in (0, 1), done.stderr
    assert "Redis" not in done.stderr


@contextmanager
def _somebody_accepts(fleet: WatchedFleet) -> Iterator[None]:
    """What was acknowledged in the last moment may have reached no replica. Whoever notices says so at once or later; until
    somebody has looked nothing is given.
    """
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.25):
            if "older copy" in str(fleet.ready()["missing"]):
                _command(fleet, "ledger", "accept", "--by", "Rosa Ops", "--reason", "the last asks and votes are gone")

    somebody = threading.Thread(target=look)
    somebody.start()
    try:
        yield
    finally:
        over.set()
        somebody.join()


def _answered(fleet: WatchedFleet) -> bool:
    """Not "I cannot reach my records"."""
    said = [words(message) for message in fleet.slack.person(PEOPLE["sue"]).ephemerals(GENERAL)]
    return bool(said) and "cannot reach my records" not in said[-1]


def _command(fleet: WatchedFleet, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        check=False,
        cwd=ROOT,
        env=fleet.environment("clock"),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


# ---------------------------------------------------------------- the client


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with Watched(tmp_path_factory.mktemp("watched")) as running:
        yield running


def client(url: str) -> Redis:
    retry = Retry(ExponentialBackoff(cap=0.1, base=0.01), 2, supported_errors=(RedisConnectionError,))
    return connect(url, socket_connect_timeout=1, socket_timeout=2, retry=retry)


def ledger(url: str) -> RedisLedger:
    return RedisLedger(client(url), durability="verify", monotonic=time.monotonic)


def why(url: str) -> str:
    with pytest.raises(LedgerUnreachable) as problem:
        ledger(url).check_server()
    return str(problem.value)


def test_the_primary_is_found_and_it_is_durable_with_its_replicas(watched: Watched) -> None:
    found = ledger(watched.sentinel_url)
    found.check_server()
    assert found.durability().durable
    assert found.make_durable()


def test_what_is_wrong_with_the_sentinels_is_said_in_words(watched: Watched) -> None:
    nobody = free_port()
    assert why(f"redis+sentinel://127.0.0.1:{nobody}/{NAME}/0") == (
        f"No sentinel answers, so that nobody says where Redis is ({NAME} by 127.0.0.1:{nobody})."
    )
    other = watched.sentinel_url.replace(NAME, "another")
    assert why(other).startswith(
        "The sentinels watch nothing that is called another: look at the name in REDIS_URL (another by 127.0.0.1:"
    )
    refused = watched.sentinel_url.replace(SENTINEL_PASSWORD, "wrong")
    assert why(refused).startswith("The sentinels refuse our password: it stands in REDIS_URL as sentinel_password (")
    assert why(watched.sentinel_url.replace(WRITTEN, "wrong")).startswith("Redis refuses our user name or password (")
    for sentence in map(why, (other, refused)):
        assert "wrong" not in sentence
        assert SENTINEL_PASSWORD not in sentence


def test_a_primary_that_was_demoted_is_not_written_to_and_the_call_goes_to_the_next_one(watched: Watched) -> None:
    found = client(watched.sentinel_url)
    found.set("before", "1")
    eventually(lambda: watched.client(watched.ports[1]).get("before") == "1")
    before = watched.primary_port
    with watched.client(watched.sentinel_ports[0], SENTINEL_PASSWORD) as sentinel:
        sentinel.execute_command("SENTINEL", "FAILOVER", NAME)
    watched.follow(before)
    eventually(lambda: watched.is_a(before, "slave"), "the old one is a replica")

    def written() -> bool:
        try:
            return bool(found.set("after", "2"))
        except RedisConnectionError:
            return False

    eventually(written, "written")
    assert watched.client(watched.primary_port).get("after") == "2"


def test_a_primary_that_is_alone_takes_no_writes_and_the_call_goes_to_the_next_one(tmp_path: Path) -> None:
    # Long before the sentinels tell it that it was demoted: as when it is cut off from them, and not from us.
    with Watched(tmp_path, sentinels=1) as cut:
        found = client(cut.sentinel_url)
        found.set("before", "1")
        alone, chosen, third = cut.ports
        cut.processes[cut.sentinel_ports[0]].send_signal(signal.SIGSTOP)
        cut.client(chosen).replicaof("NO", "ONE")
        cut.client(third).replicaof("127.0.0.1", str(chosen))
        manager = found.connection_pool.sentinel_manager  # type: ignore[attr-defined]  # ours
        manager.discover_master = lambda name: ("127.0.0.1", chosen)
        eventually(lambda: cut.client(alone).info("replication")["connected_slaves"] == 0, "it is alone")
        eventually(
            lambda: cut.client(chosen).info("replication")["min_slaves_good_slaves"] == 1, "the other one is not"
        )
        assert found.set("after", "2")
        assert [cut.client(port).get("after") for port in (alone, chosen)] == [None, "2"]


def test_a_sentinel_that_names_a_replica_is_not_believed(watched: Watched) -> None:
    replica = next(port for port in watched.ports if port != watched.primary_port)
    found = client(watched.sentinel_url)
    manager = found.connection_pool.sentinel_manager  # type: ignore[attr-defined]  # ours
    right = manager.discover_master
    said = iter([("127.0.0.1", replica)])
    manager.discover_master = lambda name: next(said, None) or right(name)
    assert found.set("who", "leads")
    assert found.connection_pool.master_address[1] == watched.primary_port  # type: ignore[attr-defined]  # of its pool
    assert next(said, None) is None, "the wrong one was named"

"""The ledger twice, in memory and on a real server, so that one test body holds both to the same promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from workflows.core.audit import AuditEvent, Event
from workflows.core.people import PersonId
from workflows.core.records.chat import Press
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Slot
from workflows.ledger.durability import Mode
from workflows.ledger.memory import MemoryBuckets, MemoryDirectory, MemoryDue, MemoryLedger
from workflows.ledger.redis_buckets import RedisBuckets
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_due import RedisDue
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Buckets, Change, Committed, DirectoryStore, Due, Ledger

QUEUES = ("rq:queue:prodaccess-remove", "rq:queue:prodaccess-grant")
SOME_TIME = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Monotonic:
    """A host's clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class World:
    """`advance` lets seconds pass for the ledger; `queue` sets how many wake-ups wait; `lose_durability` breaks it."""

    ledger: Ledger
    due: Due
    other_due: Due
    buckets: Buckets
    directory: DirectoryStore
    advance: Callable[[float], None]
    queue: Callable[[int], None]
    lose_durability: Callable[[], None]
    fill_memory: Callable[[], None]
    server: Any = None
    counter: list[int] = field(default_factory=lambda: [0])

    def change(self, *keys: str, **rest: Any) -> Change:
        """A change on fresh facts that read `keys`, with a commit id of its own."""
        seen = self.ledger.read(*keys)
        self.counter[0] += 1
        return Change(**{"commit_id": f"c{self.counter[0]}", "at": seen.now, "reads": seen.versions(), **rest})

    def commit(self, *keys: str, **rest: Any) -> Committed:
        result = self.ledger.commit(self.change(*keys, **rest))
        assert isinstance(result, Committed)
        return result

    def put(self, key: str, record: Any) -> Committed:
        return self.commit(key, puts={key: record})


def worlds(kind: str, request: Any) -> Iterator[World]:
    """For a fixture. The server is shared with other tests, so its settings are put back."""
    if kind == "memory":
        yield memory_world()
        return
    client = request.getfixturevalue("redis_client")
    yield redis_world(client)
    client.config_set("maxmemory", 0)
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("appendonly", "yes")
    client.config_set("appendfsync", "always")


def memory_world() -> World:
    ledger = MemoryLedger()
    waiting = [0]

    def lose() -> None:
        ledger.is_durable = type(ledger.is_durable)(False, "verify", "It keeps no append-only file.")

    return World(
        ledger=ledger,
        due=MemoryDue(ledger, lambda: waiting[0]),
        other_due=MemoryDue(ledger, lambda: waiting[0]),
        buckets=MemoryBuckets(ledger.clock),
        directory=MemoryDirectory(ledger.clock, ledger),
        advance=ledger.clock.advance,
        queue=lambda count: waiting.__setitem__(0, count),
        lose_durability=lose,
        fill_memory=lambda: setattr(ledger, "full", True),
    )


def redis_world(client: redis.Redis, mode: Mode = "verify") -> World:
    monotonic = Monotonic()

    def advance(seconds: float) -> None:
        monotonic.now_s += seconds
        shift(client, seconds)

    def queue(count: int) -> None:
        client.delete(*QUEUES)
        if count:
            client.rpush(QUEUES[1], *["job"] * count)

    def lose() -> None:
        client.config_set("appendonly", "no")
        advance(6)

    return World(
        ledger=RedisLedger(client, durability=mode, monotonic=monotonic),
        due=RedisDue(client, queues=QUEUES, monotonic=monotonic),
        other_due=RedisDue(client, queues=QUEUES, monotonic=monotonic),
        buckets=RedisBuckets(client),
        directory=RedisDirectory(client),
        advance=advance,
        queue=queue,
        lose_durability=lose,
        fill_memory=lambda: client.config_set("maxmemory", 1),
        server=client,
    )


def shift(client: Any, seconds: float) -> None:
    """Lets time pass for what stands in Redis, whose clock nobody sets: all of it becomes so many seconds older."""
    for key in client.keys("prodaccess:*"):
        left_ms = client.pttl(key)
        if left_ms >= 0:
            client.pexpire(key, max(0, int(left_ms - seconds * 1000)))
    for item, at in client.zrange("prodaccess:due", 0, -1, withscores=True):
        client.zadd("prodaccess:due", {item: at - seconds})
    for item, micros in client.hgetall("prodaccess:woken").items():
        client.hset("prodaccess:woken", item, int(micros) - int(seconds * 1_000_000))
    for key in client.keys("prodaccess:bucket:*"):
        for name in ("at", "blocked_at", "blocked_until", "line"):
            if client.hexists(key, name):
                client.hincrbyfloat(key, name, -seconds)


def impatient(url: str, **rest: Any) -> redis.Redis:
    """A client that does not try again by itself."""
    return redis.Redis.from_url(url, decode_responses=True, retry=Retry(NoBackoff(), 0), socket_timeout=5, **rest)


class AnswerLost:
    """Makes the client lose the answer of the next command whose name matches, after Redis has carried it out."""

    def __init__(self, client: redis.Redis, monkeypatch: Any, command: str) -> None:
        self.lost = 0
        kind = client.connection_pool.connection_class
        send, read = kind.send_command, kind.read_response
        armed = [False]

        def send_command(connection: Any, *args: Any, **options: Any) -> Any:
            armed[0] = args[0] == command and not self.lost
            return send(connection, *args, **options)

        def read_response(connection: Any, *args: Any, **options: Any) -> Any:
            answer = read(connection, *args, **options)
            if armed[0]:
                armed[0] = False
                self.lost += 1
                connection.disconnect()
                raise redis.ConnectionError("Connection closed by server.")
            return answer

        monkeypatch.setattr(kind, "send_command", send_command)
        monkeypatch.setattr(kind, "read_response", read_response)


def person(name: str, **rest: Any) -> PersonRecord:
    return PersonRecord(id=PersonId(f"{name}@example.com"), name=name.title(), **rest)


def slot(name: str, request: str | None = None) -> Slot:
    return Slot(id=name, request=request)


def press(name: str, payload: str = "{}") -> Press:
    return Press(id=name, at=SOME_TIME, payload=payload)


def event(world: World, subject: str, at: datetime | None = None, **rest: Any) -> AuditEvent:
    return AuditEvent(
        event=Event.REQUEST_MADE,
        subject=subject,
        at=at or world.ledger.now(),
        nonce="0" * 32,
        salt="1" * 32,
        **rest,
    )

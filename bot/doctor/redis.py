"""Redis: whether it answers, keeps what is written, throws nothing away, and who can reach it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from bot.cloud_credentials import is_loopback
from bot.doctor.context import Context, elsewhere
from bot.doctor.redis_rights import rights
from bot.runtime.redis_servers import find_servers
from workflows.core import keys
from workflows.core.clockwork import LedgerClock
from workflows.core.finding import Finding, apart, attention, broken, ok, skipped
from workflows.ledger.durability import judge
from workflows.ledger.redis_ledger import unfit
from workflows.ledger.scripts import text

# Of the memory that it may use.
FULL, NEARLY_FULL = 0.9, 0.5
_SETTINGS = ("appendonly", "appendfsync", "maxmemory", "maxmemory-policy", "min-replicas-to-write")
SEE = "docs/operations.md, Redis"


def look(context: Context) -> Iterator[Finding]:
    if context.settings.redis_url is None:
        yield _not_set(context)
        return
    way = _Way.of(context.settings.redis_url.get_secret_value())
    yield from _told_of(way)
    server = context.server()
    if server.redis is None:
        mend = f"start it, or mend REDIS_URL; {SEE}"
        yield broken("redis.reachable", way.place, f"Redis cannot be used: {server.why}", mend)
        return
    redis = server.redis
    info: Mapping[str, Any] = redis.info()
    yield ok("redis.reachable", way.place, f"{_name(info)} answers")
    if problem := unfit(info):
        yield broken(
            "redis.version", "version", problem, f"give prodaccess a single server of Redis 7 or Valkey; {SEE}"
        )
    else:
        yield ok("redis.version", "version", f"{_name(info)}, one server, no cluster")
    yield _role(info)
    yield from _kept(context, redis, info)
    yield _memory(info)
    yield from rights(context, redis)
    yield from _clock(context, redis)


def _not_set(context: Context) -> Finding:
    if context.whom == "up":
        servers = find_servers()
        if not servers:
            mend = "install Redis 7 or Valkey, or set REDIS_URL"
            return broken(
                "redis.reachable", "Redis", "REDIS_URL is not set, and there is no server to start here", mend
            )
        data = context.settings.data
        place = next(each for each in (data, *data.absolute().parents) if each.exists())
        if not os.access(place, os.W_OK):
            return broken("redis.reachable", "Redis", f"{data} cannot be written", f"let this user write {data}")
        words = f"REDIS_URL is not set: `prodaccess up` starts {servers[0].name} on {data}, durable, for itself alone"
        return ok("redis.reachable", "Redis", words)
    if context.whom is None:
        return skipped("redis.reachable", "Redis", "there is no REDIS_URL here", elsewhere("web", "worker", "clock"))
    return broken("redis.reachable", "Redis", "REDIS_URL is not set", f"set REDIS_URL; {SEE}")


@dataclass(frozen=True, slots=True)
class _Way:
    """What REDIS_URL says of the way, without its secrets. `hosts`: one server, or several sentinels that know it."""

    hosts: tuple[str, ...]
    tls: bool
    password: bool
    sentinels: bool

    @classmethod
    def of(cls, url: str) -> _Way:
        scheme, _, rest = url.partition("://")
        credentials, _, hosts = rest.partition("?")[0].partition("/")[0].rpartition("@")
        # A password may hold a slash, so where one is cut the rest of the address is looked at from its last @.
        if "@" in rest.partition("?")[0] and not credentials:
            credentials, _, hosts = rest.partition("?")[0].rpartition("@")
            hosts = hosts.partition("/")[0]
        given = credentials.partition(":")[2]
        return cls(tuple(hosts.split(",")), scheme.startswith("rediss"), bool(given), "sentinel" in scheme)

    @property
    def place(self) -> str:
        return f"Redis {'by sentinels ' if self.sentinels else ''}at {', '.join(self.hosts)}"

    @property
    def stays_here(self) -> bool:
        return all(is_loopback(f"redis://{host}") for host in self.hosts)


def _name(info: Mapping[str, Any]) -> str:
    if info.get("valkey_version"):
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info.get('redis_version', 'of an unknown version')}"


def _told_of(way: _Way) -> Iterator[Finding]:
    """Whoever can write to Redis can approve for themselves."""
    if way.stays_here:
        yield ok("redis.tls", "the way there", "it stays on this machine")
        return
    if way.tls:
        yield ok("redis.tls", "the way there", "TLS")
    else:
        mend = f"let Redis speak TLS, and write rediss:// in REDIS_URL; {SEE}"
        yield attention("redis.tls", "the way there", "it leaves this machine without TLS", mend)
    if not way.password:
        words = "REDIS_URL has no password, so that whoever reaches Redis can approve for themselves"
        yield broken("redis.password", "password", words, f"give Redis users with passwords (deploy/redis); {SEE}")


def _role(info: Mapping[str, Any]) -> Finding:
    if info.get("role") == "slave":
        return broken(
            "redis.role", "role", "this is a replica: nothing can be written", "name the primary in REDIS_URL"
        )
    replicas = int(info.get("connected_slaves", 0))
    return ok("redis.role", "role", f"primary, {replicas} replicas" if replicas else "primary, without replicas")


def _kept(context: Context, redis: Redis, info: Mapping[str, Any]) -> Iterator[Finding]:
    """Durability and eviction, judged by what judges them for the ledger; each alone, so that one hides not the other."""
    mode = context.settings.redis_durability
    if mode == "volatile":
        words = "PRODACCESS_REDIS_DURABILITY=volatile: what is written may be lost, and with it what has to be removed"
        yield attention("redis.durability", "durability", words, "for a sandbox alone: leave it at verify")
        return
    if mode == "declared":
        yield ok("redis.durability", "durability", "you have declared that the service keeps every write; nobody looks")
        return
    config = _settings(redis)
    if isinstance(config, str):
        yield broken("redis.durability", "durability", config, f"+config|get for this user, or declared; {SEE}")
        return
    for check, what, assumed in (
        ("redis.durability", "durability", {"maxmemory": "0"}),
        ("redis.eviction", "eviction", {"appendonly": "yes", "appendfsync": "always"}),
    ):
        found = judge(mode, info, {**config, **assumed}).durability
        if found.durable:
            yield ok(check, what, _GOOD[check].format(**config))
        else:
            yield broken(check, what, found.why, f"`CONFIG SET` now, and the same in its configuration file; {SEE}")


_GOOD = {
    "redis.durability": "appendonly {appendonly}, appendfsync {appendfsync}: each write is on disk before it counts",
    "redis.eviction": "nothing is thrown away (maxmemory {maxmemory})",
}


def _settings(redis: Redis) -> dict[str, str] | str:
    try:
        found: Any = redis.config_get(*_SETTINGS)
    except NoPermissionError:
        return str(judge("verify", {}, None).durability.why)
    except RedisError as problem:
        return f"Redis does not tell its settings ({type(problem).__name__})."
    config = {text(name): text(value) for name, value in found.items()}
    return {**dict.fromkeys(_SETTINGS, ""), **config}


def _memory(info: Mapping[str, Any]) -> Finding:
    used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if not limit:
        return ok("redis.memory", "memory", f"{_mib(used)} used, no limit of its own")
    words = f"{_mib(used)} of {_mib(limit)} used"
    mend = "give it more memory: at the limit nothing is given any more; docs/operations.md, Redis, Memory"
    if used > limit * FULL:
        return broken("redis.memory", "memory", words, mend)
    if used > limit * NEARLY_FULL:
        return attention("redis.memory", "memory", words, mend)
    return ok("redis.memory", "memory", words)


def _mib(count: int) -> str:
    return f"{count / 1024 / 1024:.0f} MiB"


def _clock(context: Context, redis: Redis) -> Iterator[Finding]:
    """Ledger times are Redis's; this machine's is what people on it see."""
    before_s = context.wall_s()
    seconds, micros = redis.time()
    ours_s = (before_s + context.wall_s()) / 2
    yield apart("redis.clock", "Redis's clock", int(seconds) + int(micros) / 1_000_000 - ours_s)
    snapshot = context.ledger(redis).read(keys.CLOCK, keys.LEDGER_DOUBT)
    doubted = snapshot.readable(keys.CLOCK, LedgerClock)
    if snapshot.items[keys.CLOCK].problem or (doubted is not None and not doubted.trusted):
        words = "it has jumped: nothing is given until it has been steady for ten minutes"
        mend = "look at the time of its host; where it is right, `prodaccess clock accept`"
        yield broken("redis.clock-jump", "Redis's clock", words, mend)
    if not snapshot.items[keys.LEDGER_DOUBT].is_absent:
        words = "it is perhaps an older copy of itself: nothing is given until somebody has looked"
        mend = "docs/runbook.md, ProdaccessLedgerRolledBack; when nothing is open that should not be, `prodaccess ledger accept`"
        yield broken("redis.older-copy", "the record", words, mend)

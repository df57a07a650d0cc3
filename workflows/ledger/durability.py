"""Whether what is committed survives a crash of the server, and waiting until it does.

`verify` looks at the server's own settings; `declared` takes the operator's word, for managed services that forbid
CONFIG; `volatile` accepts that nothing survives, for a sandbox. See section 6 of the design.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from redis.exceptions import RedisError

from workflows.ledger.keys import Keys
from workflows.ledger.scripts import Server, text
from workflows.ports import Durability

Mode = Literal["verify", "declared", "volatile"]

CHECK_S = 5.0
"""How long a finding is believed."""

MARK_TTL_S = 10
"""How long the mark in Redis outlives the check that set it. A server that came up empty has none: it gives nothing."""

WAIT_S_MAX = 2.0
"""`everysec` syncs once a second; who has not answered after two does not answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`needs_waitaof`: the server syncs later than it answers. `replicas`: how many must have answered."""

    durability: Durability
    needs_waitaof: bool = False
    replicas: int = 0


class DurabilityProbe:
    def __init__(self, server: Server, keys: Keys, mode: Mode, monotonic: Callable[[], float]) -> None:
        self._server = server
        self._keys = keys
        self._mode = mode
        self._monotonic = monotonic
        # Replaced as a whole: threads share it without a lock.
        self._last: tuple[float, object, Finding] | None = None

    def current(self) -> Durability:
        return self._finding().durability

    def forget(self) -> None:
        """Look again next time: the server has said something that does not fit."""
        self._last = None

    def wait(self, commit_id: str = "") -> bool:
        """Whether all that this client has committed is on disk, and on the replicas that there are.

        And whether that commit is still there: where a replica took over in between, which had not heard of it, it is not.

        WAIT and WAITAOF speak of writes of their own connection, and a commit may have gone over any connection of the
        pool. So a write goes before them over the same connection: log and replication stream keep the order, and once that
        write is safe, all before it is.
        """
        return self.wait_for([commit_id])[0]

    def wait_for(self, commit_ids: Sequence[str]) -> list[bool]:
        """The same for several commits, in one round trip."""
        finding = self._finding()
        if not finding.durability.durable:
            return [False] * len(commit_ids)
        if not finding.needs_waitaof and not finding.replicas:
            return [True] * len(commit_ids)
        return self._wait(finding, commit_ids)

    def _wait(self, finding: Finding, commit_ids: Sequence[str]) -> list[bool]:
        timeout_ms = int(WAIT_S_MAX * 1000)

        def fill(pipe: Any) -> None:
            pipe.execute_command("SET", self._keys.durable, self._mode, "EX", MARK_TTL_S)
            pipe.execute_command("WAITAOF", 1 if finding.needs_waitaof else 0, 0, timeout_ms)
            pipe.execute_command("WAIT", finding.replicas, timeout_ms)
            for commit_id in commit_ids:
                pipe.execute_command("EXISTS", self._keys.commit(commit_id))

        written, synced, replicated, *stand = self._server.pipeline(fill)
        safe = not isinstance(written, RedisError)
        if finding.needs_waitaof and (isinstance(synced, RedisError) or int(synced[0]) < 1):
            safe = False
        safe = safe and not isinstance(replicated, RedisError) and int(replicated) >= finding.replicas
        return [safe and (not commit_id or found == 1) for commit_id, found in zip(commit_ids, stand, strict=True)]

    def _finding(self) -> Finding:
        last = self._last
        now = self._monotonic()
        if last is not None and now - last[0] < CHECK_S and last[1] == self._server.primary:
            return last[2]
        finding = self._look()
        self._last = (now, self._server.primary, finding)
        return finding

    def _look(self) -> Finding:
        """One round trip for the look, and one for the mark that commit.lua asks for."""

        def fill(pipe: Any) -> None:
            pipe.info()
            if self._mode == "verify":
                names = ("appendonly", "appendfsync", "maxmemory", "maxmemory-policy", "min-replicas-to-write")
                pipe.execute_command("CONFIG GET", *names)

        info, *config = self._server.pipeline(fill)
        finding = judge(self._mode, info, config[0] if config else None)
        if self._server.fails_over:
            # Any replica may be the primary in a moment: what none has heard of would be forgotten.
            finding = replace(finding, replicas=max(finding.replicas, 1))
        return self._mark(finding)

    def _mark(self, finding: Finding) -> Finding:
        durable = finding.durability.durable
        command = ("SET", self._keys.durable, self._mode, "EX", MARK_TTL_S) if durable else ("DEL", self._keys.durable)
        (answer,) = self._server.pipeline(lambda pipe: pipe.execute_command(*command))
        if durable and isinstance(answer, RedisError):
            return _no(self._mode, str(self._server.explain(answer)))
        return finding


def judge(mode: Mode, info: Any, config: Any) -> Finding:
    """What the server's answers to INFO and CONFIG GET (either may be an error) mean."""
    facts: Mapping[str, Any] = info if isinstance(info, Mapping) else {}
    replicas = _replicas_online(facts)
    if mode != "verify":
        return Finding(Durability(True, mode), replicas=replicas)
    if not isinstance(config, Mapping):
        return _no(
            mode,
            "Redis does not let us read its settings (CONFIG GET), so that nothing shows whether it keeps what is written: "
            "where you know that it does, set PRODACCESS_REDIS_DURABILITY=declared.",
        )
    settings = {text(name): text(value) for name, value in config.items()}
    problem = _problem(settings, facts)
    if problem:
        return _no(mode, problem)
    required = max(replicas, int(settings.get("min-replicas-to-write") or 0))
    return Finding(Durability(True, mode), needs_waitaof=settings["appendfsync"] != "always", replicas=required)


def _problem(settings: Mapping[str, str], facts: Mapping[str, Any]) -> str:
    fsync = settings.get("appendfsync")
    if settings.get("appendonly") != "yes":
        return "Redis keeps no append-only file: set `appendonly yes` and `appendfsync always`."
    if fsync not in ("always", "everysec"):
        return "Redis never syncs its append-only file: set `appendfsync always`."
    if fsync == "everysec" and server_version(facts) < (7, 2):
        return "Redis syncs once a second, and one older than 7.2 cannot wait for it: set `appendfsync always`."
    if facts.get("aof_last_write_status", "ok") != "ok":
        return "Redis cannot write its append-only file: look at its disk."
    if int(settings.get("maxmemory") or 0) > 0 and settings.get("maxmemory-policy") != "noeviction":
        return "Redis may throw records away when its memory is full: set `maxmemory-policy noeviction`."
    return ""


def _no(mode: Mode, why: str) -> Finding:
    return Finding(Durability(False, mode, why))


def _replicas_online(facts: Mapping[str, Any]) -> int:
    connected = int(facts.get("connected_slaves", 0))
    lines = (facts.get(f"slave{place}") for place in range(connected))
    return sum(1 for line in lines if isinstance(line, Mapping) and line.get("state") == "online")


def server_version(facts: Mapping[str, Any]) -> tuple[int, int]:
    """Valkey names the Redis version that it is compatible with."""
    major, minor, *_ = [*str(facts.get("redis_version", "0")).split("."), "0"]
    return int(major), int(minor)

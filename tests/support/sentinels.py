"""A Redis that fails over: a primary, replicas and sentinels, as processes on this machine."""

from __future__ import annotations

import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.runtime.child_process import dies_with_us
from bot.runtime.redis_servers import find_servers
from tests.support.installation import free_port
from tests.support.waiting import eventually

NAME = "ledger-prod"
PASSWORD, SENTINEL_PASSWORD = "of the servers/@1", "of-the-sentinels"
WRITTEN = "of%20the%20servers%2F%401"
# As docs/operations.md has it. Less, and a busy machine elects a second primary while the first one's successor is new.
DOWN_AFTER_MS = 3_000
NOT_ALONE = ("min-replicas-to-write 1", "min-replicas-max-lag 5")


class Watched:
    """Use as a context manager. `url`: of the primary as it is now; `sentinel_url`: what processes are given.

    `more`: settings of each server.
    """

    def __init__(
        self, folder: Path, *, replicas: int = 2, sentinels: int = 3, more: tuple[str, ...] = NOT_ALONE
    ) -> None:
        self._folder = folder
        self._server = find_servers()[0]
        self.ports = [free_port() for _ in range(replicas + 1)]
        self.sentinel_ports = [free_port() for _ in range(sentinels)]
        self._more = more
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.primary_port = self.ports[0]

    def __enter__(self) -> Watched:
        try:
            for port in self.ports:
                self.start(port)
            eventually(lambda: self._replicas() == len(self.ports) - 1, "replicas are online")
            for port in self.sentinel_ports:
                self._start_sentinel(port)
            eventually(lambda: all(self._sees_all(port) for port in self.sentinel_ports), "sentinels see each other")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
        for process in self.processes.values():
            process.wait()

    # ------------------------------------------------------------ addresses

    @property
    def url(self) -> str:
        return f"redis://:{WRITTEN}@127.0.0.1:{self.primary_port}/0"

    @property
    def sentinel_url(self) -> str:
        places = ",".join(f"127.0.0.1:{port}" for port in self.sentinel_ports)
        return f"redis+sentinel://:{WRITTEN}@{places}/{NAME}/0?sentinel_password={SENTINEL_PASSWORD}"

    @property
    def pid(self) -> int:
        return self.processes[self.primary_port].pid

    def client(self, port: int, password: str = PASSWORD) -> redis.Redis:
        return redis.Redis(
            port=port, password=password, socket_timeout=2, retry=Retry(NoBackoff(), 0), decode_responses=True
        )

    # ------------------------------------------------------------ what happens to it

    def start(self, port: int) -> None:
        folder = self._folder / str(port)
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            f"port {port}",
            "bind 127.0.0.1",
            f"dir {folder}",
            "appendonly yes",
            "appendfsync always",
            'save ""',
            "maxmemory-policy noeviction",
            "repl-diskless-sync-delay 0",
            f'requirepass "{PASSWORD}"',
            f'masterauth "{PASSWORD}"',
            *self._more,
        ]
        if port != self.primary_port:
            lines.append(f"replicaof 127.0.0.1 {self.primary_port}")
        config = folder / "server.conf"
        if not config.exists():
            config.write_text("\n".join(lines) + "\n")
        self._spawn(port, folder, str(config))
        eventually(lambda: self._answers(port, PASSWORD), "the server answers")

    def _start_sentinel(self, port: int) -> None:
        folder = self._folder / str(port)
        folder.mkdir(parents=True)
        config = folder / "sentinel.conf"
        config.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {folder}\nrequirepass {SENTINEL_PASSWORD}\n"
            f"sentinel sentinel-pass {SENTINEL_PASSWORD}\n"
            f"sentinel monitor {NAME} 127.0.0.1 {self.primary_port} {len(self.sentinel_ports) // 2 + 1}\n"
            f'sentinel auth-pass {NAME} "{PASSWORD}"\n'
            f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {NAME} 6000\nsentinel parallel-syncs {NAME} 2\n"
        )
        self._spawn(port, folder, str(config), "--sentinel")
        eventually(lambda: self._answers(port, SENTINEL_PASSWORD), "the sentinel answers")

    def _spawn(self, port: int, folder: Path, *arguments: str) -> None:
        with (folder / "log").open("ab") as out:
            command = dies_with_us((str(self._server), *arguments))
            self.processes[port] = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def kill_primary(self) -> int:
        """Returns the port of the primary that was."""
        port = self.primary_port
        self.processes[port].kill()
        self.processes[port].wait()
        return port

    def follow(self, before: int) -> None:
        """Wait until another server than `before` leads, and look at that one from now on."""
        eventually(lambda: self.named() not in (before, None) and self.is_a(self.named() or 0, "master"), "another one")
        self.primary_port = self.named() or 0

    def named(self) -> int | None:
        """The primary, as the sentinels say; the port of the first that answers."""
        for port in self.sentinel_ports:
            with suppress(redis.RedisError), self.client(port, SENTINEL_PASSWORD) as client:
                found = client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
                return int(found[1]) if found else None
        return None

    # ------------------------------------------------------------ looking

    def is_a(self, port: int, role: str) -> bool:
        """`master` or `slave`, as servers call it. One that is away is neither."""
        with suppress(redis.RedisError), self.client(port) as client:
            return str(client.info("replication")["role"]) == role
        return False

    def _replicas(self) -> int:
        with self.client(self.primary_port) as client:
            found = client.info("replication")
        lines = [found.get(f"slave{number}", {}) for number in range(int(found["connected_slaves"]))]
        return sum(1 for line in lines if line.get("state") == "online")

    def _answers(self, port: int, password: str) -> bool:
        with suppress(redis.RedisError), self.client(port, password) as client:
            return bool(client.ping())
        return False

    def _sees_all(self, port: int) -> bool:
        with self.client(port, SENTINEL_PASSWORD) as client:
            state = client.sentinel_masters()[NAME]
        return (
            int(state["num-other-sentinels"]) == len(self.sentinel_ports) - 1
            and int(state["num-slaves"]) == len(self.ports) - 1
        )

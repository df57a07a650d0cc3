"""A Redis or Valkey server of our own, for machines that have none.

It listens on loopback only, on a free port, with a random password, and keeps every write before it answers
(`appendonly yes`, `appendfsync always`), because a removal that is promised must survive a power cut.
"""

import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.runtime.child_process import dies_with_us
from bot.runtime.redis_servers import VERSION_MIN, find_servers, server_of

START_TIMEOUT_S = 60.0
"""A large AOF takes time to load; a server that is alive and loading is waited for."""

LOG_BYTES_MAX = 1_000_000
"""A longer log is put aside when the server is started, as `server.log.1`."""

# Elsewhere than on Linux: a shell that reads from a pipe which only the parent can write. It sees the end of the
# pipe when the parent is gone, however it died.
_WATCH_PARENT = 'read _; kill -9 "$0" 2>/dev/null'


class EmbeddedError(Exception):
    """The embedded server cannot be used; the message is one sentence for the person who started us."""


class EmbeddedValkey:
    """One server process on one data folder, as a context manager or with `start` and `stop`.

    `durable=False` keeps nothing on disk: quick, for tests that restart nothing. `server` is the program to run, and no
    other; without it the one that wrote the folder last, else the first that starts of those that the machine has.
    """

    def __init__(self, data: Path, *, durable: bool = True, server: Path | None = None) -> None:
        self.data = Path(data)
        self.durable = durable
        self.password = secrets.token_urlsafe(32)
        self.port = 0
        self.passed_over: tuple[str, ...] = ()
        """Why servers that were tried before the one that runs did not start, a sentence each."""
        self._server = server
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address with its password, as redis-py takes it: `redis://:password@127.0.0.1:port/0`."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """The server's process id; `EmbeddedError` while it does not run."""
        if self._process is None:
            raise EmbeddedError("The embedded server is not running.")
        return self._process.pid

    def start(self) -> None:
        """Starts the server and returns once it answers; does nothing while it runs.

        Raises `EmbeddedError` for a folder that is in use or cannot be written, and for a server that ends at once.
        """
        if self._process is not None and self._process.poll() is None:
            return
        candidates = (self._server,) if self._server else _candidates(self.data)
        if self._lock is None:
            self._lock = _claim(self.data)
        try:
            self._server = self._start_one_of(candidates)
            (self.data / "server").write_text(f"{self._server}\n", encoding="utf-8")
        except OSError as error:
            self.stop()
            raise EmbeddedError(f"The data folder {self.data} cannot be written: {error.strerror}.") from None
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Asks the server to end, waits for it, and frees the data folder."""
        self._end(signal.SIGTERM)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def kill(self) -> None:
        """Ends the server with SIGKILL, as a crash would; the folder stays ours, for `restart`."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Starts again on the same port, password and data; kills the server first if it still runs."""
        self.kill()
        self.start()

    def _start_one_of(self, candidates: Sequence[Path]) -> Path:
        """Starts the first that can be started, and returns it. What was found on PATH may be a broken installation."""
        port, failures = self.port, list[str]()
        for server in candidates:
            self.port = port
            try:
                self._start_on_a_port(server)
            except EmbeddedError as error:
                self._end(signal.SIGKILL)
                failures.append(str(error))
            else:
                self.passed_over = tuple(f"{failure} {server} runs instead." for failure in failures)
                return server
        raise EmbeddedError(" ".join(failures))

    def _start_on_a_port(self, server: Path) -> None:
        ports = [self.port] if self.port else [_free_port() for _ in range(3)]
        for port in ports:
            self.port = port
            try:
                self._launch(server)
                self._wait_ready(server)
            except _PortTaken:
                continue
            return
        raise EmbeddedError(f"Port {self.port} of the embedded server was taken by another process.")

    def _launch(self, server: Path) -> None:
        """Starts the process from a thread of its own, which lives until the server ends.

        Linux sends the death signal when the *thread* that forked ends, so a short-lived caller must not be the one.
        """
        started = threading.Event()
        failure: list[OSError] = []

        log = self._open_log()

        def own() -> None:
            try:
                self._process = process = self._spawn(server, log)
            except OSError as error:
                failure.append(error)
                return
            finally:
                log.close()
                started.set()
            process.wait()

        threading.Thread(target=own, name="embedded-valkey", daemon=True).start()
        started.wait()
        if failure:
            raise EmbeddedError(f"The server {server} could not be started: {failure[0].strerror}.")

    def _spawn(self, server: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
        if self._lock is None:
            raise EmbeddedError("The data folder is not ours.")
        command = dies_with_us((str(server), "-"))
        process = subprocess.Popen(  # noqa: S603 - our interpreter and the server found above, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            # The server holds the folder's lock, too: after a kill -9 of ours nobody starts a second one beside it.
            pass_fds=(self._lock.fileno(),),
            # Ctrl-C in a terminal reaches the whole group; the record must outlive the workers that write to it.
            start_new_session=True,
        )
        with contextlib.suppress(BrokenPipeError), process.stdin or contextlib.nullcontext() as stdin:
            if stdin is not None:
                stdin.write(self._configuration().encode())
        if sys.platform != "linux":
            self._watcher = _watch(process.pid)
        return process

    def _configuration(self) -> str:
        """The configuration, for standard input: a command line would show the password to every user."""
        lines = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self.password,
            "protected-mode": "yes",
            "daemonize": "no",
            "dir": json.dumps(str(self.data.resolve()), ensure_ascii=False),
            "save": '""',
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            "loglevel": "notice",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())

    def _open_log(self) -> IO[bytes]:
        """What the server said before stays: it tells why it had to be started again."""
        path = self.data / "server.log"
        if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
            path.replace(self.data / "server.log.1")
        log = path.open("ab")
        self._log_start = log.tell()
        return log

    def _wait_ready(self, server: Path) -> None:
        give_up_at = time.monotonic() + START_TIMEOUT_S
        client = redis.Redis(port=self.port, password=self.password, socket_timeout=1, retry=Retry(NoBackoff(), 0))
        with contextlib.closing(client):
            while time.monotonic() < give_up_at:
                if self._process is None or self._process.poll() is not None:
                    raise self._explain_end(server)
                try:
                    client.ping()
                except redis.AuthenticationError:
                    raise _PortTaken from None
                except redis.RedisError:
                    time.sleep(0.01)  # not listening yet, or loading the AOF
                else:
                    return
        raise EmbeddedError(f"{server} did not answer within {START_TIMEOUT_S:.0f} s: {self._last_words()}.")

    def _explain_end(self, server: Path) -> Exception:
        if "Address already in use" in self._said():
            return _PortTaken()
        return EmbeddedError(f"{server} ended at once: {self._last_words()}.")

    def _said(self) -> str:
        """What the server wrote since it was started, or the end of it."""
        try:
            with (self.data / "server.log").open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(self._log_start, size - 20_000))
                return log.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def _last_words(self) -> str:
        lines = ["".join(filter(str.isprintable, line)).strip() for line in self._said().splitlines()]
        last = [line.replace(self.password, "***")[:200] for line in lines if line][-3:]
        return f"{' / '.join(last).rstrip('.') or 'it gave no reason'} (see {self.data / 'server.log'})"

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.kill()
            watcher.wait()
            if watcher.stdin is not None:
                watcher.stdin.close()


class _PortTaken(Exception):
    """Somebody took the port between our look and the server's start."""


def _candidates(data: Path) -> tuple[Path, ...]:
    """What may be started on this folder, best first. Raises `EmbeddedError` where there is nothing."""
    last = server_of(data)
    found = tuple(dict.fromkeys((*((last,) if last else ()), *find_servers())))
    if not found:
        raise EmbeddedError(
            f"No redis-server or valkey-server {VERSION_MIN} or newer was found: "
            "install one, or set REDIS_URL to one that runs."
        )
    return found


def _claim(data: Path) -> IO[str]:
    """Makes the data folder and locks it; the lock ends with the last process that holds it, even by kill -9."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (data / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise EmbeddedError(f"The data folder {data} cannot be written: {error.strerror}.") from None
    for attempt in _attempts(count=20, pause_s=0.1):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # The server of a process that was just killed dies a moment later; one that lives on does not.
            if attempt < 19:
                continue
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise EmbeddedError(
                f"The data folder {data} is in use by another prodaccess (process {holder}): "
                "stop it, or set PRODACCESS_DATA."
            ) from None
        break
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _attempts(*, count: int, pause_s: float) -> Iterator[int]:
    for number in range(count):
        if number:
            time.sleep(pause_s)
        yield number


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _watch(pid: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["/bin/sh", "-c", _WATCH_PARENT, str(pid)], stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603 - fixed text and a number

"""A process shows this machine that it lives and moves, by a file: for `prodaccess health`, which a container's or Kubernetes'
liveness probe runs, and for systemd's watchdog. Redis plays no part in it: while that is away nobody wants workers restarted.

The file is locked for as long as its process lives, whatever ends it, so that no process id is trusted that somebody else has
by now, and processes of several containers may share a folder.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.monotonic import monotonic_s

SHOW_EVERY_S = 3.0
SILENT_S_MAX = 30.0
"""A process that has shown nothing for so long stands still: it is frozen, or cannot run a thread."""
ANSWER_S_MAX = 3.0
_SIZE = 512

Stuck = Callable[[], str]
"""What stands still, as the end of a sentence ("its thread access-1 has ..."); empty while all moves."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What a process shows. `at_s`: monotonic seconds of its last sign. `address`: where web listens. `is_empty`: it holds its
    file, so it lives, and could not write into it.
    """

    pid: int
    at_s: float
    stuck: str = ""
    address: tuple[str, int] | None = None
    is_empty: bool = False


class LifeSign:
    """Of this process: shown every three seconds from a thread of its own until `close`.

    `stuck` and `address` may be set at any time; one that is still starting, or waits for its Redis, moves.
    """

    def __init__(self, kind: str, folder: Path | None = None, *, notify: Callable[[], None] | None = None) -> None:
        self.stuck: Stuck = lambda: ""
        self.address: tuple[str, int] | None = None
        self._notify = notify or watchdog()
        self._stop = threading.Event()
        self._file = _own_file(kind, folder or own_folder())
        self._show()
        threading.Thread(target=self._keep_showing, name="life-sign", daemon=True).start()

    def close(self) -> None:
        """This process ends, as it was asked to."""
        self._stop.set()
        if self._file is not None:
            self._file.remove()

    def _keep_showing(self) -> None:
        while not self._stop.wait(SHOW_EVERY_S):
            self._show()

    def _show(self) -> None:
        stuck = self.stuck()
        if not stuck:
            self._notify()
        if self._file is not None:
            self._file.write({"pid": os.getpid(), "at_s": monotonic_s(), "stuck": stuck, "address": self.address})


class _File:
    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    def write(self, what: dict[str, Any]) -> None:
        """In one write of one length: whoever reads sees the old or the new one."""
        with suppress(OSError):  # on a full disk; what stands there can mostly be written over
            os.pwrite(self._handle, json.dumps(what).encode()[:_SIZE].ljust(_SIZE), 0)

    def remove(self) -> None:
        """And the folder, after the last one."""
        with suppress(OSError):
            self._path.unlink()
            self._path.parent.rmdir()


def own_folder() -> Path:
    """Of this user, in the temporary folder (TMPDIR, /tmp). Readers and writers must be the same user."""
    return Path(tempfile.gettempdir()) / f"prodaccess-{os.getuid()}"


def not_ours(folder: Path) -> str:
    """Why nothing in it counts, as a sentence without its full stop; empty where it is ours, or not there.

    Everybody may write in /tmp: who makes this name there before us could show a dead process as one that lives, and a link
    would have us sweep up in another folder.
    """
    try:
        found = folder.lstat()
    except OSError:
        return ""
    if not stat.S_ISDIR(found.st_mode):
        return "It is no folder"
    if found.st_uid != os.getuid():
        return "It belongs to somebody else"
    return "Others may write there" if found.st_mode & 0o022 else ""


def signs(kind: str, folder: Path | None = None) -> list[Sign]:
    """Of all processes of this kind that live here."""
    if not_ours(folder or own_folder()):
        return []
    return sorted(filter(None, map(_read, _files(kind, folder or own_folder()))), key=lambda sign: sign.pid)


def wrong_with(kind: str, sign: Sign) -> str:
    """What is wrong with a process that lives, in a sentence; empty: nothing."""
    who, silent_s = f"The {kind} process {sign.pid}", monotonic_s() - sign.at_s
    if silent_s > SILENT_S_MAX:
        return f"{who} has not moved for {silent_s:.0f} seconds: it is frozen, or hangs."
    if sign.stuck:
        return f"{who} hangs: {sign.stuck}."
    if kind == "web" and not sign.is_empty:
        return _unanswered(who, sign.address)
    return ""


def watchdog() -> Callable[[], None]:
    """Tells systemd that this process moves, where it has said that it wants to know (`WatchdogSec=`); see sd_notify(3)."""
    from bot.settings import process_environ  # noqa: PLC0415 - who only reads signs does without

    environ = process_environ()
    name = environ.get("NOTIFY_SOCKET", "")
    if not name or environ.get("WATCHDOG_PID") != str(os.getpid()):
        return lambda: None
    address = f"\0{name[1:]}" if name.startswith("@") else name

    def tell() -> None:
        with suppress(OSError), closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as line:
            line.sendto(b"WATCHDOG=1", address)

    return tell


def _own_file(kind: str, folder: Path) -> _File | None:
    """None, and a line in the log, where nothing can be written: the process works all the same."""
    try:
        try:
            return _make(kind, folder)
        except FileNotFoundError:  # somebody else's was the last one there, and took the folder along
            return _make(kind, folder)
    except OSError as problem:
        import structlog  # noqa: PLC0415 - who only reads signs does without

        structlog.get_logger().warning(
            "`prodaccess health` cannot see this process: its sign of life cannot be written",
            folder=str(folder),
            why=problem.strerror,
        )
        return None


def _make(kind: str, folder: Path) -> _File:
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if why := not_ours(folder):
        raise PermissionError(errno.EPERM, why)
    _sweep(kind, folder)
    handle, path = tempfile.mkstemp(prefix=f"{kind}.{os.getpid()}.", dir=folder)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return _File(Path(path), handle)


def _sweep(kind: str, folder: Path) -> None:
    """What processes left behind that were killed."""
    for path in _files(kind, folder):
        with suppress(OSError):
            # What is empty was made an instant ago, and is not locked yet.
            if path.stat().st_size and not _is_held(path):
                path.unlink()


def _files(kind: str, folder: Path) -> Iterator[Path]:
    return folder.glob(f"{kind}.*")


def _is_held(path: Path) -> bool:
    with path.open("rb") as file:
        return _locked(file.fileno())


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def _read(path: Path) -> Sign | None:
    """None: its process has ended."""
    try:
        with path.open("rb") as file:
            if not _locked(file.fileno()):
                return None
            if not (shown := file.read(_SIZE)):  # a full disk, or one that begins: it is no reason to start it again
                return Sign(int(path.name.split(".")[1]), monotonic_s(), is_empty=True)
            found = json.loads(shown)
            address = found["address"]
            return Sign(found["pid"], found["at_s"], found["stuck"], (address[0], address[1]) if address else None)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _unanswered(who: str, address: tuple[str, int] | None) -> str:
    if address is None:
        return f"{who} does not listen yet: its log says why."
    host, port = address
    where = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what it listens on, not where we do
    try:
        with socket.create_connection((where, port), ANSWER_S_MAX) as line:
            line.settimeout(ANSWER_S_MAX)
            line.sendall(f"GET /healthz HTTP/1.1\r\nHost: {where}\r\nConnection: close\r\n\r\n".encode())
            answer = line.recv(64)
    except OSError as problem:
        return f"{who} does not answer on port {port}: {problem.strerror or 'it took too long'}."
    return "" if answer.startswith(b"HTTP/1.1 200 ") else f"{who} does not answer /healthz on port {port} as it should."

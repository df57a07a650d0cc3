"""Microsoft's own playground for Teams, where Node is: one person of the sandbox in it, on the same bot.

It is a development tool under Microsoft's terms, fetched by npx for whoever starts it and never part of ours.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from bot.sandbox.installation.installation import InstallationError
from bot.sandbox.installation.people import DANA, MAX, PLAYERS, Player
from bot.sandbox.teams.relay import Relay, people_of
from bot.sandbox.teams.world import World

PACKAGE = "@microsoft/m365agentsplayground@0.2.28"
NO_NODE = (
    "The playground of Microsoft needs Node 20 or newer: install it, so that `npx` is on your PATH, and start it again."
)
# npx fetches 15 MB the first time.
START_S_MAX = 120.0
EACH_S = 0.25
END_S_MAX = 5.0


def refusal(environ: Mapping[str, str]) -> str | None:
    """Why there can be no playground here."""
    return None if shutil.which("npx", path=environ.get("PATH")) else NO_NODE


@contextlib.contextmanager
def running(environ: Mapping[str, str], relay: Relay, world: World, folder: Path, who: Player = DANA) -> Iterator[str]:
    """The address of its page, once it answers. Raise InstallationError where it does not."""
    port = _free_port()
    relay.connector = f"http://127.0.0.1:{port}/_connector"
    settings = folder / "playground.yml"
    # It has room for five others.
    others = tuple(player.in_teams.aad for player in PLAYERS if player not in (who, MAX))
    settings.write_text(yaml.safe_dump(dict(people_of(world, who.in_teams.aad, others))), encoding="utf-8")
    process = subprocess.Popen(  # noqa: S603 - no shell; npx is the user's own
        _words(relay, port),
        cwd=folder,
        env=_given(environ, settings, folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(process, port, folder)
        yield f"http://127.0.0.1:{port}/"
    finally:
        _end(process)


def _words(relay: Relay, port: int) -> tuple[str, ...]:
    start = ("npx", "--yes", "--package", PACKAGE, "agentsplayground", "start", "-c", "msteams", "--disable-telemetry")
    return (*start, "-p", str(port), "-e", relay.endpoint, "--service-url", relay.service_url)


def _given(environ: Mapping[str, str], settings: Path, folder: Path) -> dict[str, str]:
    """Nothing of ours, and no browser: the address is printed."""
    kept = {name: environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in environ}
    npm = {name: value for name, value in environ.items() if name.lower().startswith("npm_config_")}
    return {
        **kept,
        **npm,
        "TEAMSAPPTESTER_BROWSER": "none",
        "M365_AGENTS_PLAYGROUND_CONFIG_PATH": str(settings),
        "M365_AGENTS_PLAYGROUND_LOGFILE": str(folder / "playground.log"),
    }


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + START_S_MAX
    while not _answers(port):
        if process.poll() is not None:
            raise InstallationError(f"The playground ended with exit code {process.returncode}. {_why(folder)}")
        if time.monotonic() > deadline:
            raise InstallationError(f"The playground does not answer within {START_S_MAX:g} s. {_why(folder)}")
        time.sleep(EACH_S)


def _why(folder: Path) -> str:
    """Its own last words."""
    log = folder / "playground.log"
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.is_file() else []
    return f"It says: {lines[-1][:300]}" if lines else "Is the registry of npm reached from here?"


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_internal/v1/config")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that npx has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(END_S_MAX)
        except subprocess.TimeoutExpired:
            continue
        if number is signal.SIGKILL:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

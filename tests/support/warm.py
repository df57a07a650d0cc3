"""Our processes without their imports: a parent that has imported everything forks one in milliseconds.

An installation's three processes take four seconds of a processor to start, nearly all of it imports; dozens of tests
start some. What a forked one runs is `bot.__main__.main` with its own arguments, environment and log, so all but the start
of the interpreter is as it is in production. Where the start itself is the point, tests start `python -m bot` themselves:
the supervisor's, the sandbox's, the demo's and those of the commands.

Run as a module this is the parent. It reads what to do from standard input, line by line, and dies with whoever started it.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import inspect
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, NoReturn

from bot.sandbox.made_once import made_once

ROOT = Path(__file__).parents[2]
LOOK_EVERY_S = 0.02
# Where a fork of a process that has imported so much is known to be safe; elsewhere each starts by itself.
CAN_FORK = sys.platform == "linux"


class Forked:
    """As much of `subprocess.Popen` as our tests need, for a child of the warm parent."""

    def __init__(self, parent: _Parent, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._parent = parent
        # Its end can be asked for once: two threads that look at the same moment must not both ask.
        self._asking = threading.Lock()

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None while it runs. Until it was asked for, the pid is nobody else's."""
        with self._asking:
            if self.returncode is None:
                self.returncode = self._parent.ask({"poll": self.pid})
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        give_up_at = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if give_up_at is not None and time.monotonic() > give_up_at:
                raise subprocess.TimeoutExpired(f"pid {self.pid}", timeout or 0.0)
            time.sleep(LOOK_EVERY_S)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class _Parent:
    """The warm parent, seen from the tests. One for a pytest worker; it ends when its standard input does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-W", "default", "-m", __name__],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self._end)

    def ask(self, question: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def _end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@made_once
def _parent() -> _Parent:
    return _Parent()


def forked(arguments: list[str], environ: Mapping[str, str], log: Path, folder: Path = ROOT) -> Forked:
    """What `python -m bot ARGUMENTS` is in `folder`, with this environment and nothing else of ours, in a session of its own.

    What it says goes to the end of `log`.
    """
    log.touch()  # whoever looks into it need not wait for the child
    parent = _parent()
    said = {"arguments": arguments, "environ": dict(environ), "log": str(log), "folder": str(folder)}
    return Forked(parent, parent.ask(said))


def started(arguments: list[str], environ: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """The same by itself."""
    with log.open("wb") as out:
        command = [sys.executable, "-m", "bot", *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=dict(environ), stdout=out, stderr=out)


# ---------------------------------------------------------------- in the parent


def _import_everything() -> None:
    import bot.chat
    import bot.clock
    import bot.slack
    import bot.teams
    import bot.web
    import bot.worker
    import workflows
    import bot.__main__  # isort: skip

    for package in (bot.chat, bot.slack, bot.teams, workflows):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(found.name)
    _read_what_is_read_once()
    assert threading.active_count() == 1, "a fork takes no threads along"
    # What is there is never looked through again, here or in a child.
    gc.freeze()


def _read_what_is_read_once() -> None:
    """What each process reads when it starts, and would find as it was in every other one."""
    import typer.main

    import bot.__main__
    from bot.providers import know_providers
    from workflows.ledger import codec
    from workflows.targets.aws import connections

    know_providers()
    for kind in codec.KINDS.values():
        codec._form(kind)
    typer.main.get_command = cache(typer.main.get_command)
    typer.main.get_command(bot.__main__.app)
    # Bolt asks where it was called from, for which Python looks where each module's source is.
    inspect.stack()
    models = connections._models(None)
    for service in ("iam", "identitystore", "sso-admin"):
        for kind in ("service-2", "endpoint-rule-set-1"):
            models.load_service_model(service, kind)
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        models.load_data(name)


def _answer_until_nobody_asks() -> list[str]:
    """In the parent this does not return. In a child it returns the arguments to run with."""
    children: set[int] = set()
    with os.fdopen(os.dup(0)) as questions, os.fdopen(os.dup(1), "w") as answers:
        for line in questions:
            question = json.loads(line)
            if "poll" in question:
                answer = _poll(question["poll"])
                if answer is not None:
                    children.discard(question["poll"])
            else:
                answer = os.fork()
                if answer == 0:
                    return _become(question)
                children.add(answer)
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
    # Whoever asked has ended, in whatever way: so does all that it started.
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    sys.exit(0)


def _poll(pid: int) -> int | None:
    done, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if done else None


def _become(question: dict[str, Any]) -> list[str]:
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(question["log"], os.O_WRONLY | os.O_APPEND)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(log)
    os.setsid()
    os.chdir(question["folder"])
    os.environ.clear()
    os.environ.update(question["environ"])
    return list(question["arguments"])


def _be_it() -> NoReturn:
    """Run, and end as the interpreter does, but for the freeing of all that was imported: a tenth of a second of a processor."""
    import bot.__main__

    code: object = None
    try:
        bot.__main__.main()
    except SystemExit as end:
        code = end.code
        if not isinstance(code, int | None):
            raise
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads that are no daemons
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    _import_everything()
    sys.argv = ["bot", *_answer_until_nobody_asks()]
    _be_it()

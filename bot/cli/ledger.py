"""The ledger as the environment names it, for one command."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot.cli.program import USAGE, end

if TYPE_CHECKING:
    from bot.wiring import Common


def opened(command: str = "this command") -> _Opened:
    """`command`: as it is typed, for the sentence that says what it needs."""
    return _Opened(command)


class _Opened:
    """The ledger as the environment names it; trouble with it, now or later, is one sentence."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __enter__(self) -> Common:
        from bot import settings
        from bot.wiring import build_clock
        from workflows.ledger.redis_ledger import UnfitServer
        from workflows.ports import LedgerUnreachable

        environ = _environ()
        found = environ if isinstance(environ, tuple) else settings.for_command(self._command, environ)
        if isinstance(found, tuple):
            for sentence in (*found, *_own_server(environ)):
                print(sentence, file=sys.stderr)
            raise typer.Exit(USAGE)
        try:
            self._parts = build_clock(found, patient=False)
        except (UnfitServer, LedgerUnreachable) as problem:
            end(str(problem))
        return self._parts

    def __exit__(self, _kind: object, problem: BaseException | None, _where: object) -> None:
        from workflows.ports import ArchiveUnavailable, LedgerUnreachable, PolicyUnavailable

        self._parts.close()
        if isinstance(problem, ArchiveUnavailable):
            end(f"The archive cannot be read: {problem.words}.")
        if isinstance(problem, LedgerUnreachable | PolicyUnavailable):
            end(str(problem))


_ENV_FILE = Path(".env")
_REDIS = ("REDIS_URL", "REDIS_URL_FILE")


def _environ() -> Mapping[str, str] | tuple[str, ...]:
    """The environment; where it names no Redis, with what `.env` of this folder says, as for `up`."""
    from bot import settings

    environ = settings.process_environ()
    return environ if any(name in environ for name in _REDIS) else settings.with_env_file(environ, _ENV_FILE)


def _own_server(environ: Mapping[str, str] | tuple[str, ...]) -> tuple[str, ...]:
    """Where `up` runs with `.env` and without a Redis: why it is not found."""
    if isinstance(environ, tuple) or not _ENV_FILE.is_file() or any(environ.get(name) for name in _REDIS):
        return ()
    return (
        "A server that `prodaccess up` starts is known to its own processes alone: "
        "to look into the record, run a Redis of your own and name it in .env (docs/vm.md, part 1).",
    )

"""The ledger as the environment names it, for one command."""

from __future__ import annotations

import sys
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

        found = settings.for_command(self._command, settings.process_environ())
        if isinstance(found, tuple):
            for sentence in found:
                print(sentence, file=sys.stderr)
            raise typer.Exit(USAGE)
        try:
            self._parts = build_clock(found, patient=False)
        except (UnfitServer, LedgerUnreachable) as problem:
            end(str(problem))
        return self._parts

    def __exit__(self, _kind: object, problem: BaseException | None, _where: object) -> None:
        from workflows.ports import LedgerUnreachable, PolicyUnavailable

        self._parts.close()
        if isinstance(problem, LedgerUnreachable | PolicyUnavailable):
            end(str(problem))

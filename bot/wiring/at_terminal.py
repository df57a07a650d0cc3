"""What a worker has for people at a terminal. Nothing of it is imported before one comes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from bot.monotonic import monotonic_s
from bot.settings import Settings, process_environ
from workflows.core.policy import Policy
from workflows.core.terminal.caller import Caller
from workflows.ports import NotVouched, VouchedFor, Vouching
from workflows.usecases.shared.context import WorkerContext

if TYPE_CHECKING:
    from bot.terminal_access.decide import TerminalActs
    from bot.terminal_access.vouch import LookUp


def vouching(settings: Settings, look_up: LookUp) -> Vouching:
    return _WhenNeeded(settings, look_up)


class _WhenNeeded:
    def __init__(self, settings: Settings, look_up: LookUp) -> None:
        self._settings = settings
        self._targets = look_up
        self._lock = threading.Lock()
        self._built: Vouching | None = None

    def chat_down_for_s(self) -> float | None:
        return self._own().chat_down_for_s()

    def look_up(self, policy: Policy, caller: Caller) -> VouchedFor | NotVouched:
        return self._own().look_up(policy, caller)

    def _own(self) -> Vouching:
        from bot.terminal_access.chat_down import Outage  # noqa: PLC0415 - for people at a terminal alone
        from bot.terminal_access.vouch import AwsVouching  # noqa: PLC0415 - as above

        with self._lock:
            if self._built is None:
                outage = Outage(_addresses(self._settings), monotonic_s)
                self._built = AwsVouching(self._targets, outage)
            return self._built


def _addresses(settings: Settings) -> tuple[str, ...]:
    """Of each chat that is set up, one that answers without a token."""
    slack = (f"{settings.slack_api_url.rstrip('/')}/api.test",) if settings.slack_is_on else ()
    return (*slack, *((settings.teams_service_url[0],) if settings.teams_is_on else ()))


def terminal_acts(settings: Settings, context: WorkerContext) -> Callable[[], TerminalActs]:
    @cache
    def build() -> TerminalActs:
        from bot.terminal_access.decide import TerminalActs  # noqa: PLC0415 - for people at a terminal alone
        from bot.terminal_access.sts import who_signed  # noqa: PLC0415 - as above

        environ = process_environ()
        secret = settings.secrets.of("slack_signing_secret") if settings.slack_over_http else None
        return TerminalActs(context, settings.command, lambda act, proof: who_signed(act, proof, environ), secret)

    return build

"""What goes on beside everything else, in threads of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from bot.observability.log import log_failure
from workflows.policy_file import PolicyFolder
from workflows.ports import LedgerUnreachable
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.ledger_doubt import LOOK_EVERY_S, watch
from workflows.usecases.shared.troubles import attempt

log = structlog.get_logger()

# A process that nobody asks anything must still know the policy that was put in force meanwhile: whoever asks first would
# be told that nothing is decided. Two looks are needed, and the clock takes longer for its own two.
POLICY_EVERY_S = 1.2
# What could not be read is told so often.
TELL_EVERY_S = 5.0
# Three times within a minute and more is an alarm.
TELL_SECRETS_EVERY_S = 30.0


def keep_doing(ctx: Context, name: str, what: Callable[[], None], every_s: float, stop: threading.Event) -> None:
    """Do it again and again in a thread of its own, whatever goes wrong with it; what does is a trouble of the process."""

    def loop() -> None:
        while not stop.wait(every_s):
            try:
                attempt(ctx, f"process:{name}", what)
            except LedgerUnreachable as problem:
                log_failure(f"{name} failed", problem)

    threading.Thread(target=loop, name=name, daemon=True).start()


def keep_reading_the_policy(ctx: Context, folder: PolicyFolder, stop: threading.Event) -> None:
    """Look at the folder whether or not anybody asks, and log each policy that this process goes by from now on."""
    seen: set[str] = set()

    def look() -> None:
        folder.refresh()
        policy = folder.known
        if policy is not None and seen != {policy.hash}:
            seen.clear()
            seen.add(policy.hash)
            log.info("this process has read the policy", policy=policy.hash)

    keep_doing(ctx, "policy", look, POLICY_EVERY_S, stop)


def keep_watching_the_record(ctx: Context, stop: threading.Event) -> None:
    """Say it where the record has no more what this process saw in it. Costs nothing while all is well."""

    def look() -> None:
        watch(ctx)

    keep_doing(ctx, "record", look, LOOK_EVERY_S, stop)

"""The clock, and whoever looks into the ledger at a terminal."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.monotonic import monotonic_s
from bot.runtime.policy_written import written
from bot.settings import Settings
from bot.wiring.common import Common, RandomSource, build_common
from workflows.policy_file import difference, summary
from workflows.policy_file.cron import next_slot
from workflows.usecases.oversight.policy_activation import activate, keep_files
from workflows.usecases.shared.context import Context


@dataclass(frozen=True, slots=True)
class ClockParts(Common):
    token: str
    monotonic_s: Callable[[], float]
    # The hash of the policy in the folder -> since when this process has seen it there.
    first_seen: dict[str, datetime]
    # The hash of the policy whose files are known to be kept on the ledger.
    kept: set[str]

    def activate_policy(self) -> None:
        """In `watch` mode: make a new valid folder the policy in force. Raises PolicyUnavailable."""
        policy = self.policy.current()
        if self.settings.policy != "watch":
            return
        if policy.hash not in self.first_seen:
            # What was seen before another content is not remembered: going back to it is a change like any other.
            self.first_seen.clear()
            self.first_seen[policy.hash] = self.ledger.now()
        files = self.policy.files_of(policy)
        activate(
            self.context,
            policy,
            summary=summary,
            difference=difference,
            next_slot=next_slot,
            seen_at=self.first_seen[policy.hash],
            written=written(files) if files is not None else None,
        )
        if files is not None and policy.hash not in self.kept:
            keep_files(self.context, policy, files)
            self.kept.clear()
            self.kept.add(policy.hash)


def build_clock(
    settings: Settings, *, patient: bool = True, wait: Callable[[float], object] = time.sleep
) -> ClockParts:
    """`patient`: wait, by `wait`, for a Redis that does not answer, as a process does. At a terminal somebody waits: raises
    LedgerUnreachable or UnfitServer.
    """
    on, met = build_common(settings, patient=patient, wait=wait)
    context = Context(on.ledger, on.directory, on.in_force(), on.wake, RandomSource(), fault=on.faults, unreadable=met)
    token = secrets.token_hex(8)
    return ClockParts(settings, *on, context, token, monotonic_s, {}, set())

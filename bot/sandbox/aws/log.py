"""What was called, when, with what, and how it ended."""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bot.sandbox.aws.calls import Call


@dataclass
class Record:
    """One call. `at_s` and `ended_at_s` are `time.monotonic()`, one clock for all processes of a Linux machine.

    `outcome` is `open` while the call is under way, then `ok`, an AWS error code, or `dropped` (no answer was sent).
    `took_effect_at_s` is set when the call went through to the simulated AWS, whatever the caller was told.
    """

    number: int
    at_s: float
    service: str
    action: str
    arguments: Mapping[str, Any]
    account: str
    access_key: str = ""
    outcome: str = "open"
    fault: str = ""
    took_effect_at_s: float | None = None
    ended_at_s: float | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it asks for a further page of a list."""
        return "NextToken" in self.arguments or "Marker" in self.arguments

    def as_json(self) -> dict[str, Any]:
        """The record as plain data."""
        return asdict(self)


class CallLog:
    """All calls since the last reset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[Record] = []

    def begin(self, call: Call) -> Record:
        """Notes the arrival of a call."""
        with self._lock:
            number = len(self._records) + 1
            record = Record(
                number, time.monotonic(), call.service, call.action, call.arguments, call.account, call.access_key
            )
            self._records.append(record)
        return record

    def end(self, record: Record, outcome: str) -> None:
        """Notes how a call ended."""
        record.outcome, record.ended_at_s = outcome, time.monotonic()

    def calls(self, pattern: str = "*", since: float = 0.0) -> list[Record]:
        """The calls that arrived at `since` (monotonic) or later; patterns as for faults."""
        with self._lock:
            records = list(self._records)
        return [record for record in records if record.at_s >= since and _call(record).matches(pattern, {})]

    def count(self, pattern: str = "*", since: float = 0.0) -> int:
        """How many calls `calls` gives."""
        return len(self.calls(pattern, since))

    def counts(self, since: float = 0.0) -> dict[str, int]:
        """Calls by `service:action`."""
        return dict(Counter(f"{record.service}:{record.action}" for record in self.calls(since=since)))

    def reset(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._records.clear()


def _call(record: Record) -> Call:
    return Call(record.service, record.action, record.arguments, "", "", "json")

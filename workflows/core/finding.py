"""What somebody found who looked at one thing that an installation needs, and how it is mended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# What a jump of Redis's own clock is taken for; grants and ends are promised to the minute.
CLOCK_S, CLOCK_S_MAX = 5.0, 60.0


class State(StrEnum):
    OK = "ok"
    ATTENTION = "attention"  # it works, and somebody should look
    BROKEN = "broken"
    UNKNOWN = "unknown"  # it was looked at, and nobody could tell
    SKIPPED = "skipped"  # it was not looked at, and the words say why


@dataclass(frozen=True, slots=True)
class Finding:
    """`check`: which look it was, a name for programs that stays: `redis.durability`. `what`: the thing, as people call it.
    `words`: how it is. `mend`: what to do, empty where nothing is. No secret stands in any of them.
    """

    check: str
    what: str
    state: State
    words: str
    mend: str = ""


def ok(check: str, what: str, words: str) -> Finding:
    return Finding(check, what, State.OK, words)


def attention(check: str, what: str, words: str, mend: str) -> Finding:
    return Finding(check, what, State.ATTENTION, words, mend)


def broken(check: str, what: str, words: str, mend: str) -> Finding:
    return Finding(check, what, State.BROKEN, words, mend)


def unknown(check: str, what: str, words: str, mend: str = "") -> Finding:
    return Finding(check, what, State.UNKNOWN, words, mend)


def apart(check: str, what: str, ahead_s: float) -> Finding:
    """Of somebody's clock. `ahead_s`: how far it is ahead of this machine's, in seconds."""
    off_s = abs(ahead_s)
    if off_s < CLOCK_S:
        return ok(check, what, "the same as this machine's")
    words = f"{off_s:.0f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine's"
    mend = "let NTP keep the clocks of both (chronyc tracking, timedatectl): ends are promised to the minute"
    return Finding(check, what, State.BROKEN if off_s >= CLOCK_S_MAX else State.ATTENTION, words, mend)


def skipped(check: str, what: str, words: str, mend: str = "") -> Finding:
    return Finding(check, what, State.SKIPPED, words, mend)

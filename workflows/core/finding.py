"""What somebody found who looked at one thing that an installation needs, and how it is mended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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


def skipped(check: str, what: str, words: str, mend: str = "") -> Finding:
    return Finding(check, what, State.SKIPPED, words, mend)

"""What stands in a process's way and may be gone in a moment: said once when it changes, tried again, told by `/readyz`.

A process does not end for any of it. What removes access must go on as soon as it can, and whoever reads the log at 03:00
wants one sentence, not one every second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")

PAUSE_S_MAX = 30.0


class Obstacles:
    """Sentences by what they are about. Threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sentences: dict[str, str] = {}

    def stands(self, what: str, sentence: str, *, say: bool = True) -> None:
        """`sentence` is the state of `what` from now on. The log has it where that is news."""
        with self._lock:
            news = sentence not in self._sentences.values()
            self._sentences[what] = sentence
        if say and news:
            log.warning(sentence)

    def gone(self, what: str, sentence: str) -> None:
        """`sentence`: for the log, where anything stood there."""
        with self._lock:
            known = self._sentences.pop(what, None)
        if known is not None:
            log.info(sentence)

    def sentences(self) -> list[str]:
        with self._lock:
            return list(self._sentences.values())


def pause_s(failures: int) -> float:
    """How long to wait after so many failures in a row, from 1: a second, doubling up to half a minute."""
    return float(min(PAUSE_S_MAX, 2.0 ** min(failures - 1, 10)))


def keep_trying(
    attempt: Callable[[], T],
    expected: tuple[type[Exception], ...],
    words: Callable[[Any], str],
    obstacles: Obstacles,
    what: str,
    then: str,
    wait: Callable[[float], object] = time.sleep,
) -> T:
    """What `attempt` returns, as soon as it does.

    `words` tells what an expected exception means; others are raised. `then` is for the log, where it had to be tried again.
    """
    failures = 0
    while True:
        try:
            found = attempt()
        except expected as problem:
            failures += 1
            obstacles.stands(what, words(problem))
            wait(pause_s(failures))
        else:
            obstacles.gone(what, then)
            return found

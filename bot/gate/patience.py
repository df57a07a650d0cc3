"""How a job calls web: through restarts and bad minutes of it, as long as there is time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot.gate.client import Answer, NoAnswer
from bot.gate.tokens import Call
from workflows.core.durations import format_duration

APPROVED, DENIED, TIMED_OUT, REFUSED = 0, 3, 4, 5
PAUSE_S, PAUSE_S_MAX = 1.0, 15.0
TELL_EVERY_S = 60.0


class Ended(Exception):
    """`code`: of the process. `sentence`: why."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


class Patience:
    """`wait`: so long at most, from now on."""

    def __init__(
        self,
        wait: timedelta,
        call: Call,
        say: Callable[[str], object],
        pause: Callable[[float], object],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._call, self._say, self._monotonic_s = call, say, monotonic_s
        self.pause = pause
        self._wait_s = wait.total_seconds()
        self._began_s = self._told_s = monotonic_s()
        self._is_away = False

    def left_s(self) -> float:
        return self._began_s + self._wait_s - self._monotonic_s()

    def tell(self, id_: str) -> None:
        """A line now and then."""
        now_s = self._monotonic_s()
        if now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            waited = format_duration(timedelta(seconds=(now_s - self._began_s) // 60 * 60))
            self._say(f"{id_} has waited for {waited}.")

    def answer(
        self, method: str, url: str, bearer: str, body: dict[str, Any] | None = None, timeout_s: float = 10.0
    ) -> Answer:
        """The first that will not be another one in a moment. Raises Ended when the time is over."""
        pause_s = PAUSE_S
        while True:
            try:
                answer = self._call(method, url, f"Bearer {bearer}", body, timeout_s)
                why, after_s = f"answered with an error ({answer.status})", answer.after_s
                if not answer.is_passing:
                    self._is_away = False
                    return answer
            except NoAnswer as problem:
                why, after_s = str(problem), 0.0
            self.away(f"prodaccess {why}", max(pause_s, after_s))
            pause_s = min(pause_s * 2, PAUSE_S_MAX)

    def away(self, why: str, pause_s: float = PAUSE_S) -> None:
        """Somebody is not there: said once in a row. Raises Ended when the time is over."""
        left_s = self.left_s()
        if left_s <= 0:
            raise Ended(REFUSED, f"{why}, until the time was over. The job does not go on.")
        if not self._is_away:
            self._is_away = True
            self._say(f"{why}: trying again.")
        self.pause(min(pause_s, left_s))

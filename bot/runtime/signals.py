"""Signals that ask a process for something, none of them lost.

The kernel hands a signal to any thread that does not block it: to one that is starting another or a process just then, rather
than to the main thread, which waits for a lock and does not wake up. Python would call a handler there, and in no other
thread. What Python does in every thread, at once, is to write the number into a pipe.
"""

from __future__ import annotations

import os
import select
import signal


class Signals:
    """Those of `watched` that have come. Made, and closed, in the main thread; any thread may wait."""

    def __init__(self, *watched: signal.Signals) -> None:
        self._heard, self._told = os.pipe()
        os.set_blocking(self._told, False)
        self._told_before = signal.set_wakeup_fd(self._told, warn_on_full_buffer=False)
        # Without a handler Python hears nothing of a signal.
        self._before = {each: signal.signal(each, _note) for each in watched}

    def wait(self) -> signal.Signals:
        """The next one. Blocks until there is one."""
        while (number := os.read(self._heard, 1)[0]) not in self._before:
            pass
        return signal.Signals(number)

    def more(self) -> bool:
        """Whether another one has come."""
        return bool(select.select([self._heard], [], [], 0)[0])

    def close(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._told_before)
        os.close(self._told)
        os.close(self._heard)


def _note(_number: int, _frame: object) -> None:
    """All there is to do was done when the number was written."""

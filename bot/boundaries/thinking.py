"""How long a checkout may be thought about, in processor time: whatever in it makes that long, it is refused."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from bot.boundaries.reading.checkout import Refusal


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raises `Refusal` in the midst of it. Waiting for others is not counted. Where the system has no such clock (Windows), and
    beside the main thread, nothing is counted: the limits on what is read are all there is.

    Regular expressions are interrupted, too: they look for signals while they match.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def too_long(_signal: int, _frame: FrameType | None) -> None:
        raise Refusal(f"Judging it took longer than {seconds:g} s of processor time: name a folder of it.")

    before = signal.signal(signal.SIGVTALRM, too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)

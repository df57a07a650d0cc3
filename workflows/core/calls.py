"""Calls to other systems, as whoever counts them hears of them. Nobody listens until a process says so.

Adapters time their calls here, whatever they are written with. What is told is from closed lists: which system, which of its
methods, and its own word where it did not do it. Never an address, a person or a reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

NO_ANSWER = "no_answer"


@dataclass(slots=True)
class Call:
    """`service`: `slack`, `aws`. `method`: as the service calls it. `error`: its word, or ours; empty where it was done.

    `about`: more of it for a trace, from a closed list.
    """

    service: str
    method: str
    error: str = ""
    seconds: float = 0.0
    about: str = ""


Heard = Callable[[Call], None]
_listeners: list[Heard] = []


def listen(heard: Heard) -> Callable[[], None]:
    """`heard` is told of every call of this process, in the thread that made it. Returns what ends that."""
    _listeners.append(heard)
    return lambda: _listeners.remove(heard)


@contextmanager
def timed(service: str, method: str) -> Iterator[Call]:
    """Around one call; `error` is set by whoever knows the service's word. What is raised and has none was not answered."""
    call = Call(service, method)
    began_s = time.monotonic()
    try:
        yield call
    except BaseException:
        call.error = call.error or NO_ANSWER
        raise
    finally:
        call.seconds = time.monotonic() - began_s
        for heard in tuple(_listeners):
            # Whoever counts holds nothing up.
            with suppress(Exception):
                heard(call)

"""What is dear to make and the same for all, made once, also where two threads want it at the same moment."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def made_once(make: Callable[P, T]) -> Callable[P, T]:
    """`functools.cache` calls twice whom two threads call at once, and each has another thing: a key that signs, and one that
    is published.
    """
    lock, cached = threading.RLock(), functools.cache(make)

    @functools.wraps(make)
    def get(*given: P.args, **named: P.kwargs) -> T:
        with lock:
            return cached(*given, **named)  # type: ignore[arg-type]  # it asks for what can be hashed, as `cache` does

    return get

"""Waiting for what is meant. A test never asserts how long it took: a busy machine is slow, and nothing is wrong with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# After so long a test gives up, in seconds. Shorter than RQ's own recovery of lost work, so that what only RQ finds is too late.
PATIENCE_S = 60.0
LOOK_EVERY_S = 0.02


def eventually(look: Callable[[], T], what: str | Callable[[], str] = "") -> T:
    """The first truthy answer. Looks often; fails with `what`, which may be a function that tells more, where there is none."""
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > give_up_at:
            raise AssertionError(
                f"did not happen within {PATIENCE_S:g} s: {what() if callable(what) else what or look}"
            )
        time.sleep(LOOK_EVERY_S)

"""What goes on beside everything else, in threads of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from bot.log import log_failure

# A process that nobody asks anything must still know the policy that was put in force meanwhile: whoever asks first would
# be told that nothing is decided. Two looks are needed, and the clock takes longer for its own two.
POLICY_EVERY_S = 1.2


def keep_doing(name: str, what: Callable[[], None], every_s: float, stop: threading.Event) -> None:
    """Do it again and again in a thread of its own, whatever goes wrong with it."""

    def loop() -> None:
        while not stop.wait(every_s):
            try:
                what()
            except Exception as problem:
                log_failure(f"{name} failed", problem)

    threading.Thread(target=loop, name=name, daemon=True).start()

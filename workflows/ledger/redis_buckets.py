"""Token buckets that all processes share."""

from __future__ import annotations

import redis

from workflows.ledger.keys import Keys
from workflows.ledger.scripts import Script, Server, script, text
from workflows.ports import Buckets

BLOCK_S_MAX = 3600.0
"""Whoever asked us to wait longer is asked once more after so long."""
LINE_S_MAX = 30.0
"""However many stand in line, each comes again within this time after it might have had its turn."""


class RedisBuckets(Buckets):
    def __init__(self, client: redis.Redis, *, prefix: str = "prodaccess:") -> None:
        self._server = Server(client)
        self._keys = Keys(prefix)

    def take(
        self,
        name: str,
        *,
        rate: float,
        burst: float,
        amount: float = 1.0,
        reserve: float = 0.0,
        gate: str = "",
        in_line: bool = False,
    ) -> float:
        check_bucket(rate=rate, burst=burst, amount=amount, reserve=reserve)
        wanted = [rate, burst, amount, reserve, BLOCK_S_MAX + 1, LINE_S_MAX if in_line else 0]
        return float(
            text(
                self._server.run(_script("bucket"), [self._keys.bucket(each) for each in (name, gate) if each], wanted)
            )
        )

    def block(self, name: str, seconds: float, *, spent: bool = False) -> None:
        if seconds > 0:
            self._server.run(
                _script("block"), [self._keys.bucket(name)], [min(float(seconds), BLOCK_S_MAX), int(spent)]
            )


def check_bucket(*, rate: float, burst: float, amount: float, reserve: float) -> None:
    """Raises ValueError for a bucket that would never give what is asked for."""
    if rate <= 0 or not 0 < amount <= burst - reserve or reserve < 0:
        kept = f" and keeps {reserve}" if reserve else ""
        raise ValueError(f"a bucket of {burst} at {rate} a second never gives {amount}{kept}")


def _script(name: str) -> Script:
    # Removals wait for these buckets, so they work while memory is full.
    return script(name, flags="allow-oom")

"""What is due, on Redis: found by one leader, in one round trip a look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import redis

from workflows.ledger.keys import Keys
from workflows.ledger.redis_ledger import take_lease
from workflows.ledger.scripts import Argument, Script, Server, script, text
from workflows.ports import LEASE_S, CorruptLedger, Due, Notice, no_notice

AGAIN_S = 5
"""A moved item is due again after so long, so that what a worker took and did not finish is found."""

RENEW_S = 1.0
"""How long being the leader is taken for granted; a third of `LEASE_S`."""

AHEAD_S = 1.0
"""How far Redis's clock can run ahead of our estimate of it, within RENEW_S."""


class RedisDue(Due):
    """`queues`: the keys of the lists in which wake-ups wait, as RQ names them: `rq:queue:prodaccess-remove`.

    For one thread. An idle look is one round trip and one command on the server; once a second leading is confirmed besides,
    which is three. Where something is due, or soon, a look is two round trips.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        queues: Sequence[str],
        monotonic: Callable[[], float],
        prefix: str = "prodaccess:",
        notice: Notice = no_notice,
    ) -> None:
        self._server = Server(client)
        self._keys = Keys(prefix)
        self._queues = tuple(queues)
        self._monotonic = monotonic
        self._notice = notice
        self._leads: str | None = None
        self._number = 0
        self._confirmed_s = 0.0
        # Redis's clock less our monotonic one, as of `_confirmed_s`, both in seconds.
        self._offset_s: float | None = None

    def lead(self, token: str) -> bool:
        if self._is_fresh(token):
            return True
        asked_s = self._monotonic()
        if self._leads == token and self._prolonged(token):
            self._note(token, asked_s, leads=True)
            return True
        number = take_lease(self._server, self._keys.leader, self._keys.tick, token)
        self._note(token, asked_s, leads=number is not None)
        self._number = number or 0
        return number is not None

    def _prolonged(self, token: str) -> bool:
        """As every lease is; cheaper than to take it again."""
        held: list[Argument] = [f"{self._number}:{token}", int(LEASE_S * 1000)]
        return bool(int(self._server.run(script("lease_renew", flags="allow-oom"), [self._keys.leader], held)))

    def resign(self, token: str) -> None:
        self._leads = None
        if self._number:
            held = f"{self._number}:{token}"
            self._server.run(script("lease_release", flags="allow-oom"), [self._keys.leader], [held])
            self._number = 0

    def claim(self, token: str, *, limit: int = 500) -> Sequence[str]:
        asked_s = self._monotonic()
        renew = not self._is_fresh(token)
        if not renew and self._is_idle(asked_s):
            return []
        keys = [self._keys.due, self._keys.woken, self._keys.leader, *self._queues]
        args: list[Argument] = [token, limit, int(LEASE_S * 1000) if renew else "", AGAIN_S]
        micros, leads, *items = self._server.run(_script("claim"), keys, args)
        if text(leads) == "0" or renew:
            self._note(token, asked_s, leads=text(leads) == "1")
        if text(micros):
            self._offset_s = int(micros) / 1_000_000 - self._monotonic()
        return [item for item in map(self._named, items) if item is not None]

    def _is_idle(self, now_s: float) -> bool:
        """Whether nothing is due, nor soon. The server counts what a script does as well, so that this is none."""
        try:
            return int(self._server.call("ZCOUNT", self._keys.due, "-inf", self._horizon(now_s))) == 0
        except CorruptLedger:
            return False  # it is no set of due items; the script puts it aside

    def _named(self, item: Any) -> str | None:
        """The item, or None where it is no text: it names nothing, so it is taken off. What it stood for is found without it."""
        try:
            return text(item)
        except UnicodeDecodeError:
            self._notice("item", "something is due whose name is no text; it was taken off")
            self._server.call("ZREM", self._keys.due, item)
            self._server.call("HDEL", self._keys.woken, item)
            return None

    def awake(self, *items: str) -> None:
        self._server.call("HDEL", self._keys.woken, *items)

    def waking(self, *items: str) -> Sequence[str]:
        answers = self._server.run(_script("waking"), [self._keys.woken, *self._queues], items) if items else ()
        return [item for item, answer in zip(items, answers, strict=True) if int(answer)]

    def _is_fresh(self, token: str) -> bool:
        return self._leads == token and self._monotonic() - self._confirmed_s < RENEW_S

    def _note(self, token: str, asked_s: float, *, leads: bool) -> None:
        self._leads = token if leads else None
        self._confirmed_s = asked_s

    def _horizon(self, now_s: float) -> str:
        """A score that is surely above Redis's now. It only saves a closer look; what is due, Redis's clock decides."""
        if self._offset_s is None:
            return "+inf"
        return f"{now_s + self._offset_s + AHEAD_S:.6f}"


def _script(name: str) -> Script:
    # Removals must be found while memory is full, too.
    return script(name, flags="allow-oom", preludes=("strange", "woken"))

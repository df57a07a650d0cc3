"""Signs of life between processes: `/readyz` says which of them is missing, and nothing is given beside an older version."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

BEAT_EVERY_S = 3.0
ALIVE_FOR_S = 10
KINDS = ("web", "worker", "clock")
# What a process of this version knows, for those beside it. A version that knows less of `identity` gives access to accounts on
# hold; one that knows less of `chats` takes an account of another chat for Slack's.
# One that knows less of `signed_votes` keeps nothing that a worker could look at again.
KNOWS = {"identity": 1, "chats": 1, "signed_votes": 1}
# What it has to know with one chat alone: there is nothing else then that could be taken for something.
WITH_ONE_CHAT = {"identity": 1}
_BEAT = json.dumps(KNOWS)


class Heartbeats:
    """One key a kind of process, kept alive by any of its kind. `needs`: what the others have to know."""

    def __init__(
        self, connection: Redis, prefix: str = "prodaccess:", *, needs: Mapping[str, int] = WITH_ONE_CHAT
    ) -> None:
        self._connection = connection
        self._prefix = prefix
        self._needs = needs

    def beat(self, kind: str) -> frozenset[str]:
        """A process of this kind lives. Never raises: a missed beat shows by itself. Returns `older`.

        What stood there before is looked at, too: of two of one kind that beat in turn, each finds the other's beat.
        """
        with self._connection.pipeline(transaction=False) as pipe:
            pipe.set(self._key(kind), _BEAT, ex=ALIVE_FOR_S, get=True)
            pipe.mget([self._key(name) for name in KINDS])
            try:
                before, now = pipe.execute(raise_on_error=False)
            except RedisError:
                return frozenset()
        if isinstance(before, RedisError):
            self._beat_anew(kind)
            before = None
        found = [(kind, before), *zip(KINDS, now, strict=True)] if isinstance(now, list) else [(kind, before)]
        return frozenset(name for name, value in found if is_older(value, self._needs))

    def older(self) -> frozenset[str]:
        """Of which kinds a process runs that does not know what this version does. Never raises."""
        try:
            found = self._connection.mget([self._key(name) for name in KINDS])
        except RedisError:
            return frozenset()
        return frozenset(name for name, value in zip(KINDS, found, strict=True) if is_older(value, self._needs))

    def alive(self, kind: str) -> bool:
        return bool(self._connection.exists(self._key(kind)))

    def _key(self, kind: str) -> str:
        return f"{self._prefix}beat:{kind}"

    def _beat_anew(self, kind: str) -> None:
        """Something else than a string stands there, which tells nothing."""
        try:
            self._connection.set(self._key(kind), _BEAT, ex=ALIVE_FOR_S)
        except RedisError:
            return


def is_older(beat: Any, needs: Mapping[str, int]) -> bool:
    """Whether a beat does not say that its process knows all of this. The version before this one beats `1`."""
    if beat is None:
        return False
    try:
        known = json.loads(beat)
    except ValueError:
        return True
    return not isinstance(known, dict) or any(_number(known.get(name)) < least for name, least in needs.items())


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def beat_while_running(
    beats: Heartbeats,
    kind: str,
    stop: threading.Event,
    healthy: Callable[[], bool],
    older: Callable[[frozenset[str]], None],
) -> None:
    """Beat from a thread of its own until `stop`, as long as `healthy` says so. `older`: what to do with what beats beside."""

    def loop() -> None:
        while True:
            lives = healthy()
            if lives:
                older(beats.beat(kind))
            # What is still starting is looked at soon again: whoever waits for it should not wait for a beat.
            if stop.wait(BEAT_EVERY_S if lives else 0.2):
                return

    threading.Thread(target=loop, name=f"beat-{kind}", daemon=True).start()

"""What GitHub said while web was away: GitHub delivers a message once, and again where its app asks for that.

Source: https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook. A delivery that is repeated has the same
`guid`, which web has recorded where it had heard it after all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from bot.forge.app_login import AppLogin
from bot.forge.calls import Call, silent
from bot.forge.door import EVENT
from workflows.ports import ForgeSilent

log = structlog.get_logger()

# GitHub keeps deliveries for three days.
KEPT = timedelta(days=3)
# Pauses double with each try, up to this.
PAUSE_FIRST, PAUSE_MAX = timedelta(minutes=1), timedelta(hours=1)
TRIES_MAX = 20
PAGE = 100


@dataclass(frozen=True, slots=True)
class _Delivery:
    id: int
    guid: str
    at: datetime
    taken: bool


class HearAgain:
    def __init__(self, call: Call, login: AppLogin, now: Callable[[], datetime]) -> None:
        self._call, self._login, self._now = call, login, now

    def look(self) -> int:
        """Has GitHub repeat what web did not take. How many; none where GitHub does not answer: it is asked again in a minute."""
        try:
            return self._repeated()
        except ForgeSilent as problem:
            log.warning("GitHub was not asked what it said in vain", why=str(problem))
            return 0

    def _repeated(self) -> int:
        login = f"Bearer {self._login.app_token()}"
        answer = self._call("GET", f"/app/hook/deliveries?per_page={PAGE}", login, None, "deliveries")
        if answer.status != 200 or not isinstance(answer.said, list):
            raise silent(answer)
        ids = list(in_vain(answer.said, self._now()))
        for id_ in ids:
            again = self._call("POST", f"/app/hook/deliveries/{id_}/attempts", login, None, "redeliver")
            if again.status != 202:
                raise silent(again)
            log.info("GitHub repeats what was not taken", delivery=id_)
        return len(ids)


def in_vain(said: Iterable[Any], now: datetime) -> Iterator[int]:
    """The newest delivery of each message that nobody has taken, and that it is time to repeat."""
    tries: dict[str, list[_Delivery]] = defaultdict(list)
    for one in filter(None, map(_read, said)):
        tries[one.guid].append(one)
    for found in tries.values():
        newest = max(found, key=lambda one: (one.at, one.id))
        pause = min(PAUSE_FIRST * 2 ** (len(found) - 1), PAUSE_MAX) if len(found) < TRIES_MAX else KEPT
        if not any(one.taken for one in found) and pause <= now - newest.at < KEPT:
            yield newest.id


def _read(one: Any) -> _Delivery | None:
    if not isinstance(one, dict) or (one.get("event"), one.get("action")) != (EVENT, "requested"):
        return None
    id_, guid, at, status = (one.get(name) for name in ("id", "guid", "delivered_at", "status_code"))
    if isinstance(id_, bool) or not isinstance(id_, int) or not isinstance(guid, str) or not isinstance(at, str):
        return None
    try:
        when = datetime.fromisoformat(at)
    except ValueError:
        return None
    known = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    return _Delivery(id_, guid, known, isinstance(status, int) and 200 <= status < 300)

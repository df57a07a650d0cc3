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

log = structlog.get_logger()

# GitHub keeps deliveries for three days.
KEPT = timedelta(days=3)
# Pauses double with each try, up to this.
PAUSE_FIRST, PAUSE_MAX = timedelta(minutes=1), timedelta(hours=1)
TRIES_MAX = 20
# Of more than so many nobody reads at once what is older.
PAGE, PAGES_MAX = 100, 30


@dataclass(frozen=True, slots=True)
class _Delivery:
    id: int
    guid: str
    at: datetime
    taken: bool


class HearAgain:
    def __init__(self, call: Call, login: AppLogin, now: Callable[[], datetime]) -> None:
        self._call, self._login, self._now = call, login, now
        # All that was said before is taken, or given up: no page beyond is read again.
        self._settled: datetime | None = None

    def look(self) -> int:
        """Has GitHub repeat what web did not take. How many. Raises ForgeSilent; it is asked again in a minute."""
        login, now = f"Bearer {self._login.app_token()}", self._now()
        said = self._listed(login, now)
        repeated = 0
        for id_ in in_vain(said, now):
            again = self._call("POST", f"/app/hook/deliveries/{id_}/attempts", login, None, "redeliver")
            if again.status == 202:
                repeated += 1
                log.info("GitHub repeats what was not taken", delivery=id_)
                continue
            if again.status not in (400, 404, 422):
                # It would say so of the others, too.
                raise silent(again)
            log.warning("GitHub does not repeat what was said in vain", delivery=id_, why=str(silent(again)))
        self._settled = settled(said, now)
        return repeated

    def _listed(self, login: str, now: datetime) -> list[Any]:
        """The newest first, as far back as there may be one that nobody has taken. Raises ForgeSilent."""
        back_to = max(now - KEPT, self._settled or now - KEPT)
        found, more = list[Any](), ""
        for _ in range(PAGES_MAX):
            path = f"/app/hook/deliveries?per_page={PAGE}{f'&cursor={more}' if more else ''}"
            answer = self._call("GET", path, login, None, "deliveries")
            if answer.status != 200 or not isinstance(answer.said, list):
                raise silent(answer)
            found += answer.said
            times = [at for one in answer.said if isinstance(one, dict) and (at := _when(one.get("delivered_at")))]
            more = answer.more
            if not more or (times and min(times) < back_to):
                break
        return found


def settled(said: Iterable[Any], now: datetime) -> datetime:
    """The time before which nothing waits to be repeated."""
    waits = [tries for tries in _by_message(said) if not any(one.taken for one in tries)]
    still = [min(one.at for one in tries) for tries in waits if now - max(one.at for one in tries) < KEPT]
    return min((*still, now)) - timedelta(minutes=1)


def in_vain(said: Iterable[Any], now: datetime) -> Iterator[int]:
    """The newest delivery of each message that nobody has taken, and that it is time to repeat."""
    for found in _by_message(said):
        newest = max(found, key=lambda one: (one.at, one.id))
        pause = min(PAUSE_FIRST * 2 ** (len(found) - 1), PAUSE_MAX) if len(found) < TRIES_MAX else KEPT
        if not any(one.taken for one in found) and pause <= now - newest.at < KEPT:
            yield newest.id


def _by_message(said: Iterable[Any]) -> Iterable[list[_Delivery]]:
    tries: dict[str, list[_Delivery]] = defaultdict(list)
    for one in filter(None, map(_read, said)):
        tries[one.guid].append(one)
    return tries.values()


def _read(one: Any) -> _Delivery | None:
    if not isinstance(one, dict) or (one.get("event"), one.get("action")) != (EVENT, "requested"):
        return None
    id_, guid, status = (one.get(name) for name in ("id", "guid", "status_code"))
    at = _when(one.get("delivered_at"))
    if isinstance(id_, bool) or not isinstance(id_, int) or not isinstance(guid, str) or at is None:
        return None
    return _Delivery(id_, guid, at, isinstance(status, int) and 200 <= status < 300)


def _when(said: object) -> datetime | None:
    try:
        when = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None
    return when if when is None or when.tzinfo is not None else when.replace(tzinfo=UTC)

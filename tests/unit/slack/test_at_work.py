"""How many listeners work at the same time: a few, and one that hangs keeps nobody else from being answered."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from starlette.applications import Starlette

from bot.sandbox.slack.events.http import sign
from bot.settings import Secret
from bot.slack import front
from bot.slack.front import AT_WORK, AT_WORK_S, LISTENER_THREADS, Events
from bot.wiring.common import WEB_ANSWER_S

SECRET = "e" * 32
BODY = urlencode({"command": "/prodaccess", "user_id": "U0OLU", "team_id": "T1", "text": "list"}).encode()
COUNT = 3 * AT_WORK
# Within so many seconds Slack wants an acknowledgement; a part of it is the way there and back.
ACKNOWLEDGED_S, ON_THE_WAY_S = 3.0, 0.25
# A request takes fewer steps of the event loop than this to get to its listener.
STEPS = 500


class Held(App):
    """Answers nobody before it is let."""

    def __init__(self) -> None:
        super().__init__(authorize=lambda: AuthorizeResult(enterprise_id=None, team_id=None, bot_token="x"))
        self.let = threading.Event()

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        assert self.let.wait(20)
        return BoltResponse(status=200)


class Counted(ThreadPoolExecutor):
    begun = 0

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        Counted.begun += 1
        return super().submit(*args, **kwargs)


@pytest.fixture(autouse=True)
def _counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "ThreadPoolExecutor", Counted)
    monkeypatch.setattr(Counted, "begun", 0)


def begun_while_none_ended(monkeypatch: pytest.MonkeyPatch, *late_s: float) -> list[int]:
    """So many of `COUNT` listeners, where one that takes longer than that is late: once for each. All are answered in the end."""
    bolt = Held()

    async def all_at_once(client: httpx.AsyncClient) -> int:
        before = Counted.begun
        sent = [asyncio.create_task(client.post("/slack/events", content=BODY)) for _ in range(COUNT)]
        for _ in range(STEPS):
            await asyncio.sleep(0)
        begun = Counted.begun - before
        bolt.let.set()
        assert [answer.status_code for answer in await asyncio.gather(*sent)] == [200] * COUNT
        assert Counted.begun - before == COUNT
        bolt.let.clear()
        return begun

    async def each() -> list[int]:
        app = Starlette(routes=list(Events(bolt, Secret("SLACK_SIGNING_SECRET", (SECRET,))).routes()))
        at = str(int(time.time()))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": sign(SECRET, at, BODY),
        }
        found = []
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://web", headers=headers) as client:
            for seconds in late_s:
                monkeypatch.setattr(front, "AT_WORK_S", seconds)
                found.append(await all_at_once(client))
        return found

    return asyncio.run(each())


def test_a_few_work_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert begun_while_none_ended(monkeypatch, 3600.0) == [AT_WORK]


def test_whoever_waits_for_long_keeps_nobody_waiting_and_gives_their_place_away_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert begun_while_none_ended(monkeypatch, 0.0, 3600.0) == [COUNT, AT_WORK]


def test_where_redis_is_silent_every_thread_begins_early_enough_to_say_so_in_time() -> None:
    """Each waits for Redis as long as there is patience; so many groups begin one after the other."""
    groups = -(-LISTENER_THREADS // AT_WORK)
    assert (groups - 1) * AT_WORK_S + WEB_ANSWER_S <= ACKNOWLEDGED_S - ON_THE_WAY_S

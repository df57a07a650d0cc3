"""Brings activities to the bot, signed, and again where no answer comes in time, as Teams does after 15 s."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.copying import copied
from bot.sandbox.teams import activities
from bot.sandbox.teams.login import Keys
from bot.sandbox.teams.people import Json
from bot.sandbox.teams.world import World

NO_ANSWER = "Unable to reach app. Please try again."


@dataclass(frozen=True)
class Answer:
    """What the bot answered to the last delivery. `status` 0: nothing came. `tries`: how often it was sent.

    `body`: JSON, or a text where it is none. `error`: what the person is shown for an answer that Teams cannot use.
    """

    status: int
    body: Any = None
    took_s: float = 0.0
    tries: int = 1
    error: str | None = None

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def said(self) -> str | None:
        """The sentence under the card."""
        body = self.body if isinstance(self.body, dict) else {}
        return body["value"] if body.get("type") == "application/vnd.microsoft.activity.message" else None

    @property
    def card(self) -> Json | None:
        """The card that stands in place of the pressed one, for the presser alone."""
        body = self.body if isinstance(self.body, dict) else {}
        return body["value"] if body.get("type") == "application/vnd.microsoft.card.adaptive" else None


class Courier:
    """Set `request_url` to the bot's `/api/messages`. Nobody may hold the world's lock while calling: the bot calls back.

    `answer_within_s`: how long Teams waits before it sends the same again; `tries_max`: how often in all. `copies`: of each
    delivery at the same time. `sent`: everything, each try of it.
    """

    def __init__(self, world: World, keys: Keys) -> None:
        self._world = world
        self._keys = keys
        self.request_url = ""
        self.service_url = ""
        self.answer_within_s = 15.0
        self.tries_max = 2
        self.copies = 1
        self.sent: list[Json] = []
        self._running = threading.Event()
        self._running.set()

    def pause(self) -> None:
        """Nothing gets through: as if the bot's host were not reached."""
        self._running.clear()

    def resume(self) -> None:
        self._running.set()

    def deliver(self, activity: Json) -> Answer:
        """Signed as Teams signs it; waits for the answer."""
        if self.copies > 1:
            with ThreadPoolExecutor(self.copies) as pool:
                return next(iter(list(pool.map(self._deliver, [activity] * self.copies))))
        return self._deliver(activity)

    def _deliver(self, activity: Json) -> Answer:
        answer = Answer(0, error=NO_ANSWER)
        for number in range(1, self.tries_max + 1):
            answer = self.send(activity)
            answer = Answer(answer.status, answer.body, answer.took_s, number, answer.error)
            if answer.status not in (0, 412, 429, 502, 503, 504):
                break
        return answer

    def send(
        self,
        activity: Any,
        *,
        authorization: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Once. `authorization`: that header in place of the usual one, `""`: none. `body`: those bytes in place of JSON."""
        self.sent.append(copied(activity))
        content = body if body is not None else json.dumps(activity, ensure_ascii=False).encode()
        if authorization is None:
            authorization = f"Bearer {activities.token(self._world, self._keys, self.service_url)}"
        said = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
        if authorization:
            said["Authorization"] = authorization
        began = time.monotonic()
        try:
            status, answered = self._post(content, said)
        except (OSError, http.client.HTTPException):
            return Answer(0, took_s=time.monotonic() - began, error=NO_ANSWER)
        took_s = time.monotonic() - began
        return Answer(status, answered, took_s, error=None if 200 <= status < 300 else NO_ANSWER)

    def _post(self, content: bytes, headers: Mapping[str, str]) -> tuple[int, Any]:
        if not self._running.wait(self.answer_within_s):
            raise TimeoutError
        url = urlsplit(self.request_url)
        connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=self.answer_within_s)
        try:
            connection.request("POST", url.path or "/", content, dict(headers))
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        finally:
            connection.close()
        try:
            return response.status, json.loads(text) if text.strip() else None
        except ValueError:
            return response.status, text

"""Two short-lived permissions that come with an interaction: a trigger to open a modal, and a URL to answer at."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.clock import Clock
from bot.sandbox.slack.errors import ApiError

RESPONSE_URL_LIFE_S = 30 * 60.0
RESPONSE_URL_USES = 5


@dataclass
class Trigger:
    """`root_view_id` is set when the interaction came from a modal: only such a trigger may push."""

    id: str
    user: str
    until: float
    root_view_id: str | None = None
    used: bool = False


class Triggers:
    """Docs, views.open: expires after three seconds, may be exchanged once. `life_s` is asked for each one."""

    def __init__(self, clock: Clock, life_s: Callable[[], float] = lambda: 3.0) -> None:
        self._clock = clock
        self._life_s = life_s
        self._issued: dict[str, Trigger] = {}

    def issue(self, user: str, root_view_id: str | None = None) -> str:
        number = len(self._issued) + 1
        identity = f"{number}.{1000000000 + number}.{secrets.token_hex(16)}"
        self._issued[identity] = Trigger(identity, user, self._clock() + self._life_s(), root_view_id)
        return identity

    def exchange(self, identity: str) -> Trigger:
        """Use it up. Raise `invalid_trigger_id`, `expired_trigger_id` or `exchanged_trigger_id`."""
        trigger = self._issued.get(identity)
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if trigger.used:
            raise ApiError("exchanged_trigger_id")
        if self._clock() > trigger.until:
            raise ApiError("expired_trigger_id")
        trigger.used = True
        return trigger


@dataclass
class ResponseUrl:
    """Where an answer goes: the person, the channel, and the message that was pressed, if any."""

    token: str
    user: str
    channel: str
    until: float
    message_ts: str | None = None
    thread_ts: str | None = None
    uses: int = 0


class ResponseUrls:
    """Docs, "Responding to users": five times within thirty minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, ResponseUrl] = {}

    def issue(self, user: str, channel: str, message_ts: str | None = None, thread_ts: str | None = None) -> str:
        token = secrets.token_urlsafe(18)
        until = self._clock() + RESPONSE_URL_LIFE_S
        self._issued[token] = ResponseUrl(token, user, channel, until, message_ts, thread_ts)
        return token

    def use(self, token: str) -> ResponseUrl:
        """Count one use. Raise `invalid_url`, `expired_url` or `used_url`."""
        found = self._issued.get(token)
        if found is None:
            raise ApiError("invalid_url")
        if self._clock() > found.until:
            raise ApiError("expired_url")
        if found.uses >= RESPONSE_URL_USES:
            raise ApiError("used_url")
        found.uses += 1
        return found

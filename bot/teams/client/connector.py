"""The calls to Teams' connector, over plain REST: within seconds, to addresses on the list alone, and no redirect is followed.

"Bot Connector API reference", learn.microsoft.com/azure/bot-service/rest-api.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import requests
import structlog
from requests.auth import AuthBase

from bot.chat.surface import NO_ANSWER, NotDone
from bot.teams.client.answers import ADDRESS_NOT_LISTED, not_done, refusal
from bot.teams.client.session import session, within
from bot.teams.client.tokens import Tokens, TokensUnavailable, beginning
from bot.teams.guard import is_listed
from workflows.core.calls import timed

log = structlog.get_logger()

TIMEOUT_S = 8.0
ANSWER_BYTES_MAX = 1_000_000
# No clock of anybody's is there yet: 2100.
TIME_MAX = 4_102_444_800.0
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """`at`: seconds since the epoch by the server's clock, 0.0 where it does not say."""

    body: Json
    at: float


class _Bearer(AuthBase):
    """As an object of its own: a header alone would be replaced by what a .netrc says of the host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self._token}"
        return r


class Connector:
    """For any thread; each has connections of its own. Every call raises NotDone.

    `service_url`: the conversation's own. `listed`: where our token may be sent, see `is_listed`.
    """

    def __init__(self, tokens: Tokens, listed: tuple[str, ...], timeout_s: float = TIMEOUT_S) -> None:
        self._tokens = tokens
        self._listed = listed
        self._timeout_s = timeout_s
        self._local = threading.local()

    def post(self, service_url: str, conversation: str, activity: Json) -> Answer:
        return self._counted("post", "POST", service_url, f"{_path(conversation)}/activities", activity)

    def edit(self, service_url: str, conversation: str, message: str, activity: Json) -> None:
        """An answer without an id is one, too: it was done."""
        self._counted("edit", "PUT", service_url, f"{_path(conversation)}/activities/{_quoted(message)}", activity)

    def create(self, service_url: str, body: Json) -> Answer:
        """A personal chat; where it is there already, that one."""
        return self._counted("create", "POST", service_url, "v3/conversations", body)

    def member(self, service_url: str, conversation: str, member: str) -> Json:
        """`member`: the Teams id, or the object id in the directory."""
        return self._counted("member", "GET", service_url, f"{_path(conversation)}/members/{_quoted(member)}").body

    def members(self, service_url: str, conversation: str) -> Json:
        """The first page of whoever is in it, which Teams tells an app that is there."""
        return self._call("GET", service_url, f"{_path(conversation)}/pagedMembers").body

    # ------------------------------------------------------------ one call

    def _counted(self, what: str, method: str, service_url: str, path: str, body: Json | None = None) -> Answer:
        with timed("teams", what) as call:
            try:
                return self._call(method, service_url, path, body)
            except NotDone as problem:
                call.error = problem.word
                raise

    def _call(self, method: str, service_url: str, path: str, body: Json | None = None) -> Answer:
        if not is_listed(service_url, self._listed):
            log.error("Teams names an address that is not on the list: nothing is sent there")
            raise not_done(ADDRESS_NOT_LISTED)
        url = f"{service_url.rstrip('/')}/{path}"
        status, found, headers = self._asked(method, url, body)
        if status == HTTPStatus.UNAUTHORIZED:
            # A token may be taken back before it is over: once more with a new one.
            self._tokens.forget()
            status, found, headers = self._asked(method, url, body)
        if not 200 <= status < 300:
            raise refusal(status, found, headers)
        return Answer(_object(found), _time(headers))

    def _asked(self, method: str, url: str, body: Json | None) -> tuple[int, bytes, Mapping[str, str]]:
        try:
            token = self._tokens.bot()
        except TokensUnavailable as problem:
            raise NotDone(problem.word, problem.means) from None
        try:
            return self._answered(method, url, body, token)
        except (requests.RequestException, OSError, ValueError) as problem:
            # Its words hold the address, which names a conversation.
            log.warning("Teams did not answer", error=type(problem).__name__)
            raise not_done(NO_ANSWER) from None

    def _answered(self, method: str, url: str, body: Json | None, token: str) -> tuple[int, bytes, Mapping[str, str]]:
        """Raises requests.RequestException, OSError, ValueError."""
        with (
            within(self._timeout_s) as deadline,
            self._session().request(
                method,
                url,
                json=body,
                auth=_Bearer(token),
                timeout=self._timeout_s,
                allow_redirects=False,
                stream=True,
            ) as answer,
        ):
            found = beginning(answer, ANSWER_BYTES_MAX)
        if deadline.passed:
            # What was cut off may look like anything.
            raise requests.Timeout
        return answer.status_code, found, answer.headers

    def _session(self) -> requests.Session:
        found: requests.Session | None = getattr(self._local, "session", None)
        if found is None:
            found = self._local.session = session()
        return found


def _path(conversation: str) -> str:
    return f"v3/conversations/{_quoted(conversation)}"


def _quoted(id_: str) -> str:
    """Dots alone would be a way up. Raises NotDone."""
    if not id_.strip("."):
        raise not_done("BadArgument")
    return quote(id_, safe="")


def _object(body: bytes) -> Json:
    try:
        found = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _time(headers: Mapping[str, str]) -> float:
    try:
        found = parsedate_to_datetime(str(headers.get("Date") or "")).timestamp()
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return found if found <= TIME_MAX else 0.0

"""One call to the API of GitHub or GitLab: within seconds, not too much of it, and never to anywhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from typing import Any, Protocol

from bot.directory.one_answer import NoAnswer, may_carry_secrets, one_answer, said_in
from workflows.core.calls import NO_ANSWER, timed
from workflows.ports import ForgeSilent

BYTES_MAX = 2 * 1024 * 1024
TIMEOUT_S = 10.0
# Whoever asks for more patience than this is asked again all the same.
PATIENCE_S_MAX = 3600.0
# GitHub asks for a minute where a secondary limit names no time.
# Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
PATIENCE_S = 60.0
VERSION = "2022-11-28"
# Source: https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
_NEXT = re.compile(r"<[^<>]*[?&]cursor=([A-Za-z0-9_-]{1,100})(?:&[^<>]*)?>; rel=\"next\"")


@dataclass(frozen=True, slots=True)
class Server:
    """`name`: for people. `system`: as calls are counted. `variable`: with its address. `headers`: beside the usual ones."""

    name: str
    system: str
    variable: str
    headers: Mapping[str, str]


GITHUB = Server(
    "GitHub",
    "github",
    "GITHUB_API_URL",
    {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION},
)
GITLAB = Server("GitLab", "gitlab", "GITLAB_API_URL", {"Accept": "application/json"})


@dataclass(frozen=True, slots=True)
class Answer:
    """`said`: None where it was no JSON. `after_s`: how long it asks to be left alone; 0.0 where it does not. `more`: GitHub's
    cursor of the page that follows; empty where there is none.
    """

    status: int
    said: Any
    after_s: float = 0.0
    more: str = ""


class Call(Protocol):
    def __call__(
        self, method: str, path: str, authorization: str, body: Mapping[str, Any] | None, called: str
    ) -> Answer:
        """`path` begins with a slash, under the API's address. `called`: what is asked, as it is counted. Raises ForgeSilent."""
        ...


class Calls:
    """A `Call` to one API."""

    def __init__(self, api_url: str, now: Callable[[], datetime], server: Server = GITHUB) -> None:
        self._api_url, self._now, self._server = api_url, now, server

    def __call__(
        self, method: str, path: str, authorization: str, body: Mapping[str, Any] | None, called: str
    ) -> Answer:
        url = f"{self._api_url}{path}"
        if not may_carry_secrets(url):
            raise ForgeSilent(f"{self._server.variable} is not an https address")
        with timed(self._server.system, called) as call:
            try:
                answer = self._asked(method, url, authorization, body)
            except ForgeSilent:
                call.error = NO_ANSWER
                raise
            if answer.status >= 400:
                call.error = f"http_{answer.status}"
            return answer

    def _asked(self, method: str, url: str, authorization: str, body: Mapping[str, Any] | None) -> Answer:
        headers = {
            **self._server.headers,
            "Authorization": authorization,
            "User-Agent": "prodaccess",
            "Content-Type": "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        try:
            found = one_answer(method, url, headers, data, timeout_s=TIMEOUT_S, bytes_max=BYTES_MAX)
        except NoAnswer as problem:
            raise ForgeSilent(f"{self._server.name} {problem}") from None
        # Of its address the cursor alone: where the page is we know.
        more = _NEXT.search(str(found.heads.get("Link") or ""))
        after_s = self._after_s(found.status, found.heads)
        return Answer(found.status, said_in(found), after_s, more[1] if more else "")

    def _after_s(self, status: int, headers: Mapping[str, str] | Message) -> float:
        again, left = _whole(headers, "Retry-After"), _whole(headers, "X-RateLimit-Remaining")
        if again is not None:
            return min(float(max(again, 1)), PATIENCE_S_MAX)
        reset = _whole(headers, "X-RateLimit-Reset")
        if status in (403, 429) and left == 0 and reset is not None:
            return min(max(reset - self._now().timestamp(), 1.0), PATIENCE_S_MAX)
        return PATIENCE_S if status == 429 else 0.0


def silent(answer: Answer) -> ForgeSilent:
    """Of an answer that says neither yes nor no."""
    if answer.after_s and answer.status in (403, 429):
        return ForgeSilent("GitHub asked to be left alone for a while", answer.after_s)
    if answer.status in (401, 403):
        return ForgeSilent(
            "GitHub refuses the App: it needs Actions and Contents to read and Deployments to write, agreed to where it is "
            "installed"
        )
    return ForgeSilent(f"GitHub answered with an error ({answer.status})", answer.after_s)


def _whole(headers: Mapping[str, str] | Message, name: str) -> int | None:
    said = str(headers.get(name) or "").strip()
    return int(said) if re.fullmatch(r"[0-9]{1,12}", said, re.ASCII) else None

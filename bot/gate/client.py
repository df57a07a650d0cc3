"""Calls of a job, to the forge for its token and to web: within seconds, not too much of it, and never to anywhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from bot.cloud_credentials import is_loopback
from bot.directory.deadline import Deadline

BYTES_MAX = 64 * 1024
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`said`: empty where it was no JSON object. `after_s`: how long it asks to be left alone."""

    status: int
    said: Mapping[str, Any]
    after_s: float = 0.0

    @property
    def is_passing(self) -> bool:
        """It may be another one in a moment. 404 without a word of ours is a proxy before a web that is not there."""
        return self.status == 429 or self.status >= 500 or (self.status == 404 and "error" not in self.said)

    def text(self, name: str) -> str:
        value = self.said.get(name)
        return value if isinstance(value, str) else ""


class NoAnswer(Exception):
    """Why, in words."""


def call(
    method: str, url: str, authorization: str, body: Mapping[str, Any] | None = None, timeout_s: float = TIMEOUT_S
) -> Answer:
    """Secrets travel in the head, so plain HTTP is for this machine alone, and no redirect is followed. Raises NoAnswer."""
    if not (url.startswith("https://") or (url.startswith("http://") and is_loopback(url))):
        raise NoAnswer("is not an https address")
    headers = {"Authorization": authorization, "Accept": "application/json", "User-Agent": "prodaccess"}
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {**headers, "Content-Type": "application/json"}, method=method)  # noqa: S310 - checked above
    with Deadline(timeout_s) as deadline:
        try:
            with build_opener(_Nowhere, *deadline.handlers()).open(request, timeout=timeout_s) as answer:
                return _answer(answer.status, answer, answer.headers)
        except HTTPError as problem:
            with problem:
                return _answer(problem.code, problem, problem.headers)
        except (OSError, HTTPException, ValueError) as problem:
            late = deadline.passed or isinstance(getattr(problem, "reason", problem), TimeoutError)
            raise NoAnswer("did not answer in time" if late else "could not be reached") from None


def _answer(status: int, body: Any, headers: Mapping[str, str] | Message) -> Answer:
    text = body.read(BYTES_MAX)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = {}
    again = str(headers.get("Retry-After") or "")
    after_s = float(again) if again.isascii() and again.isdigit() and len(again) < 5 else 0.0
    return Answer(status, said if isinstance(said, dict) else {}, after_s)


class _Nowhere(HTTPRedirectHandler):
    """What stands at another address is nobody's whom a secret was meant for: a redirect is an answer like others."""

    def redirect_request(
        self,
        req: Request,  # noqa: ARG002 - as urllib calls it
        fp: IO[bytes],  # noqa: ARG002 - as above
        code: int,  # noqa: ARG002 - as above
        msg: str,  # noqa: ARG002 - as above
        headers: HTTPMessage,  # noqa: ARG002 - as above
        newurl: str,  # noqa: ARG002 - as above
    ) -> Request | None:
        return None

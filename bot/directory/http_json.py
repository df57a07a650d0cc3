"""JSON from an address that the policy names: within seconds, not too much of it, and never from anywhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from bot.directory.deadline import Deadline
from bot.directory.one_answer import may_carry_secrets, whole_body
from workflows.core.calls import NO_ANSWER, timed

TIMEOUT_S = 5.0
BYTES_MAX = 256 * 1024
# Whoever asks for more patience than this is asked again all the same.
PATIENCE_S_MAX = 3600.0
PATIENCE_S = 60.0
_LATE = "did not answer in time"


class NotFetched(Exception):
    """Why there is no answer, in words that may be shown. `after_s`: how long to wait, where the other side said so.

    `status`: of the answer, where it was an error.
    """

    def __init__(self, words: str, after_s: float = 0.0, status: int | None = None) -> None:
        super().__init__(words)
        self.after_s = after_s
        self.status = status


def fetch_json(
    url: str,
    headers: Mapping[str, str],
    *,
    timeout_s: float = TIMEOUT_S,
    bytes_max: int = BYTES_MAX,
    called: tuple[str, str] = ("https", "get"),
    redirects: bool = True,
) -> Any:
    """What stands there. Secrets travel in `headers`, so plain HTTP is for this machine alone. Raises NotFetched.

    `called`: what is asked of whom, in words of ours, as it is counted. `redirects`: whether one within the same origin is
    followed; no other one ever is.
    """
    with timed(*called) as call:
        try:
            return _fetched(url, headers, timeout_s, bytes_max, _SameOrigin if redirects else _Nowhere)
        except NotFetched as problem:
            call.error = f"http_{problem.status}" if problem.status else NO_ANSWER
            raise


def _fetched(
    url: str, headers: Mapping[str, str], timeout_s: float, bytes_max: int, follows: type[HTTPRedirectHandler]
) -> Any:
    if not may_carry_secrets(url):
        raise NotFetched("is not an https address")
    request = Request(url, headers={"User-Agent": "prodaccess", "Accept": "application/json", **headers})  # noqa: S310 - checked above
    with Deadline(timeout_s) as deadline:
        try:
            body = _body(request, deadline, timeout_s, bytes_max, follows)
        except NotFetched as problem:
            # What was cut off may look like anything.
            raise (NotFetched(_LATE) if deadline.passed else problem) from None
    if deadline.passed:
        raise NotFetched(_LATE)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NotFetched("answered something that is not JSON") from None


def _body(
    request: Request, deadline: Deadline, timeout_s: float, bytes_max: int, follows: type[HTTPRedirectHandler]
) -> bytes:
    """The reason of a failure may hold the address, which is nobody's business on a card."""
    try:
        with build_opener(follows, *deadline.handlers()).open(request, timeout=timeout_s) as answer:
            return _read(answer, bytes_max)
    except HTTPError as problem:
        with problem:
            raise _refused(problem) from None
    except OSError as problem:
        timed_out = isinstance(getattr(problem, "reason", problem), TimeoutError)
        raise NotFetched(_LATE if timed_out else "could not be reached") from None
    except UnicodeError:  # no host has such a name
        raise NotFetched("could not be reached") from None
    except (HTTPException, ValueError):
        raise NotFetched("answered something that cannot be read") from None


def _read(answer: HTTPResponse, bytes_max: int) -> bytes:
    found = whole_body(answer, bytes_max)
    if len(found) > bytes_max:
        raise NotFetched("answered more than it should")
    return found


def _refused(problem: HTTPError) -> NotFetched:
    if problem.code in (401, 403):
        return NotFetched("refused the token", status=problem.code)
    if problem.code == 429:
        return NotFetched("asked to be left alone for a while", _patience(problem.headers), problem.code)
    after_s = PATIENCE_S if problem.code == 503 else 0.0
    return NotFetched(f"answered with an error ({problem.code})", after_s, problem.code)


def _patience(headers: Mapping[str, str] | Message) -> float:
    """In seconds. `ratelimit-reset` is PagerDuty's; a date in Retry-After counts as a minute."""
    for name in ("Retry-After", "ratelimit-reset"):
        said = str(headers.get(name) or "").strip()
        if re.fullmatch(r"[0-9]{1,9}", said, re.ASCII):
            return min(float(said), PATIENCE_S_MAX)
    return PATIENCE_S


class _SameOrigin(HTTPRedirectHandler):
    """The token is for the address in the policy: a redirect to another host, port or scheme is not followed."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if (before.scheme, before.netloc) != (after.scheme, after.netloc):
            fp.close()
            raise NotFetched("points to another address, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Nowhere(HTTPRedirectHandler):
    def redirect_request(
        self,
        req: Request,  # noqa: ARG002 - as urllib calls it
        fp: IO[bytes],
        code: int,  # noqa: ARG002 - as above
        msg: str,  # noqa: ARG002 - as above
        headers: HTTPMessage,  # noqa: ARG002 - as above
        newurl: str,  # noqa: ARG002 - as above
    ) -> Request | None:
        fp.close()
        raise NotFetched("points to another address, which is not followed")

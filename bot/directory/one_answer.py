"""One answer from an address to which a secret travels, whatever its status: in time, not too much, and from nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from bot.cloud_credentials import is_loopback
from bot.directory.deadline import Deadline

_PIECE_BYTES = 16 * 1024


class NoAnswer(Exception):
    """Why, in words that hold nothing of the address: the end of a sentence that begins with who was asked."""


@dataclass(frozen=True, slots=True)
class Got:
    """`heads`: by any spelling of their names."""

    status: int
    body: bytes
    heads: Mapping[str, str] | Message


def may_carry_secrets(url: str) -> bool:
    """Over TLS, or within this machine."""
    return url.startswith("https://") or (url.startswith("http://") and is_loopback(url))


def one_answer(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, timeout_s: float, bytes_max: int
) -> Got:
    """A redirect is an answer like others. One that breaks off is none, whatever its beginning says. Raises NoAnswer."""
    if not may_carry_secrets(url):
        raise NoAnswer("is not an https address")
    request = Request(url, body, dict(headers), method=method)  # noqa: S310 - checked above
    with Deadline(timeout_s) as deadline:
        try:
            found = _got(request, deadline, timeout_s, bytes_max)
        except (OSError, HTTPException, ValueError) as problem:
            late = deadline.passed or isinstance(getattr(problem, "reason", problem), TimeoutError)
            raise NoAnswer("did not answer in time" if late else "could not be reached") from None
    if deadline.passed:
        # What was cut off may look like anything.
        raise NoAnswer("did not answer in time")
    if len(found.body) > bytes_max:
        raise NoAnswer("answered more than it should")
    return found


def said_in(got: Got) -> Any:
    """The JSON of its body; None where it is none."""
    try:
        return json.loads(got.body)
    except (ValueError, RecursionError):
        return None


def _got(request: Request, deadline: Deadline, timeout_s: float, bytes_max: int) -> Got:
    try:
        with build_opener(_Nowhere, *deadline.handlers()).open(request, timeout=timeout_s) as answer:
            return Got(answer.status, whole_body(answer, bytes_max), answer.headers)
    except HTTPError as problem:
        with problem:
            return Got(problem.code, whole_body(problem, bytes_max), problem.headers)


def whole_body(answer: HTTPResponse | HTTPError, bytes_max: int) -> bytes:
    """Of one byte more than `bytes_max` at most, so that too much shows. Raises HTTPException where less came than was said."""
    found = bytearray()
    while len(found) <= bytes_max and (piece := answer.read(min(_PIECE_BYTES, bytes_max + 1 - len(found)))):
        found += piece
    said = str(answer.headers.get("Content-Length") or "")
    if len(found) <= bytes_max and said.isascii() and said.isdigit() and len(found) < int(said):
        raise HTTPException("it broke off")
    return bytes(found)


class _Nowhere(HTTPRedirectHandler):
    """What stands at another address is nobody's whom the secret was meant for."""

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

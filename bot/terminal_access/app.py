"""`/terminal/v1`: a challenge for whoever asks for one, what was signed with it, and the answer for whoever has its ticket.

web decides nothing here and asks nobody: it puts down what came, once for each challenge, and a worker proves it.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.gate.strict_json import object_of
from bot.monotonic import monotonic_s
from bot.observability.log import log_failure
from bot.runtime.front import PROVED, body_of
from bot.terminal_access.sent import BODY_BYTES_MAX, read, ticket_hash
from workflows.core.records.terminal import TerminalAct
from workflows.core.terminal.proof import RANDOM
from workflows.ports import LedgerUnreachable
from workflows.usecases.identity import terminal_acts
from workflows.usecases.shared.context import Context

log = structlog.get_logger()
T = TypeVar("T")

THREADS = 2
# Proxies close what says nothing for half a minute.
WAIT_S_MAX = 15.0
LOOK_EVERY_S = 0.5
WAITERS_MAX = 20
_ID = re.compile(r"[0-9a-f]{24}")
_OFF = "The policy names no identity_accounts: nobody can act from a terminal here."
_USED = "This challenge is not there, was used, or is older than a minute. Ask for a new one."
_MANY = "Too many people ask from terminals just now. Try again in a minute."
_UNKNOWN = "There is nothing like it, or this is not its ticket."
_LATER = "Nothing can be put down just now: try again."


class _No(Exception):
    def __init__(self, status: HTTPStatus, error: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.error, self.sentence = status, error, sentence


class TerminalApp:
    """`audience`: PRODACCESS_URL, for which a proof has to be signed."""

    def __init__(self, ctx: Context, audience: str, is_open: Callable[[], bool]) -> None:
        self._ctx = ctx
        self._audience = audience
        self._is_open = is_open
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="terminal")
        self._waiting = 0

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def challenge(self, request: Request) -> Response:
        return await self._answered(self._challenge(request))

    async def act(self, request: Request) -> Response:
        return await self._answered(self._act(request))

    async def answer(self, request: Request) -> Response:
        return await self._answered(self._answer(request))

    # ------------------------------------------------------------ the three of them

    async def _challenge(self, request: Request) -> Response:
        await _body(request)
        made = secrets.token_urlsafe(32)
        if not await self._in_thread(lambda: self._opened() and terminal_acts.issue(self._ctx, made, self._audience)):
            raise _No(HTTPStatus.SERVICE_UNAVAILABLE, "later", _MANY)
        return JSONResponse({"challenge": made, "audience": self._audience}, HTTPStatus.CREATED)

    async def _act(self, request: Request) -> Response:
        sent = read(await _body(request))
        if isinstance(sent, str):
            raise _No(HTTPStatus.BAD_REQUEST, "request", sent)
        try:
            id_ = await self._in_thread(lambda: terminal_acts.take(self._ctx, sent) if self._opened() else None)
        except terminal_acts.TooManyWait:
            raise _No(HTTPStatus.SERVICE_UNAVAILABLE, "later", _MANY) from None
        if id_ is None:
            raise _No(HTTPStatus.CONFLICT, "used", _USED)
        return JSONResponse({"id": id_}, HTTPStatus.ACCEPTED)

    async def _answer(self, request: Request) -> Response:
        """When there is one, and after a while at the latest."""
        id_, ticket = _asked_for(await _body(request))
        until_s = monotonic_s() + WAIT_S_MAX
        act = await self._mine(id_, ticket)
        if self._waiting < WAITERS_MAX:
            self._waiting += 1
            try:
                while act.answer is None and monotonic_s() < until_s:
                    await asyncio.sleep(LOOK_EVERY_S)
                    act = await self._mine(id_, ticket)
            finally:
                self._waiting -= 1
        if act.answer is not None and not act.refused:
            # A worker has proved who it was.
            request.scope[PROVED] = True
        return JSONResponse({"answer": act.answer, "refused": act.refused})

    async def _mine(self, id_: str, ticket: str) -> TerminalAct:
        act = await self._in_thread(lambda: terminal_acts.read(self._ctx, id_))
        if act is None or not hmac.compare_digest(act.ticket_hash, ticket_hash(ticket)):
            raise _No(HTTPStatus.NOT_FOUND, "unknown", _UNKNOWN)
        return act

    def _opened(self) -> bool:
        if self._is_open():
            return True
        raise _No(HTTPStatus.NOT_FOUND, "off", _OFF)

    async def _in_thread(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act)

    async def _answered(self, answer: Any) -> Response:
        try:
            found: Response = await answer
        except _No as no:
            found = _refused(no)
        except LedgerUnreachable:
            found = _refused(_No(HTTPStatus.SERVICE_UNAVAILABLE, "later", _LATER))
        except Exception as problem:
            number = log_failure("somebody at a terminal was not answered", problem)
            words = f"Something went wrong here: error {number} in the log."
            found = _refused(_No(HTTPStatus.INTERNAL_SERVER_ERROR, "broken", words))
        found.headers["Cache-Control"] = "no-store"
        return found


async def _body(request: Request) -> bytes:
    body = await body_of(request, BODY_BYTES_MAX)
    if body is None:
        words = f"The body has more than {BODY_BYTES_MAX} bytes."
        raise _No(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", words)
    return body


def _asked_for(body: bytes) -> tuple[str, str]:
    try:
        said = object_of(body)
    except ValueError:
        said = {}
    id_, ticket = said.get("id"), said.get("ticket")
    if isinstance(id_, str) and isinstance(ticket, str) and _ID.fullmatch(id_) and RANDOM.fullmatch(ticket):
        return id_, ticket
    raise _No(HTTPStatus.NOT_FOUND, "unknown", _UNKNOWN)


def _refused(no: _No) -> Response:
    again = {"Retry-After": "2"} if no.status is HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse({"error": no.error, "sentence": no.sentence}, no.status, again)

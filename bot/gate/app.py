"""`/gate/v1`: a pipeline asks, waits, and takes its decision once. The record is asked in threads of its own; nobody who waits
holds one.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.gate.asked import BODY_BYTES_MAX, NONCE, Sent, commit_problem, read, ticket_hash, wait_ticket
from bot.gate.asks import Asked, Asks, Given, No, NotNow, Standing, State
from bot.gate.codes import Problem
from bot.gate.proof import Prover, Unproved
from bot.gate.strict_json import object_of
from bot.gate.strict_token import LENGTH_MAX
from bot.monotonic import monotonic_s
from bot.observability.log import log_failure
from bot.runtime.front import PROVED, body_of
from workflows.core.canonical_json import digest
from workflows.core.pipelines.judge import NotAllowed, Why, judge
from workflows.ports import LedgerUnreachable

log = structlog.get_logger()
T = TypeVar("T")

THREADS = 4
# Proxies close what says nothing for half a minute or a minute.
WAIT_S_MAX = 20.0
# So often somebody looks at an ask that a job waits for, however many ask about it.
LOOK_EVERY_S = 1.0
# So many wait at once; who comes then is answered at once, and asks again.
WAITERS_MAX = 200
LOOKS_MAX = 1000
# Anybody in the world can have a token of a forge: those of repositories that nobody has named leave nothing on the record.
# What else is wrong with a run is refused there, and stands there.
_STRANGERS = frozenset({Why.ISSUER, Why.REPOSITORY})
_ID = re.compile(r"PA-[0-9]{1,12}")
_STATUS = {
    **dict.fromkeys(
        (
            Problem.TOKEN,
            Problem.ALGORITHM,
            Problem.ISSUER,
            Problem.KEY,
            Problem.SIGNATURE,
            Problem.AUDIENCE,
            Problem.EXPIRED,
            Problem.EARLY,
            Problem.CLAIMS,
        ),
        HTTPStatus.UNAUTHORIZED,
    ),
    Problem.NOT_ALLOWED: HTTPStatus.FORBIDDEN,
    Problem.REQUEST: HTTPStatus.BAD_REQUEST,
    Problem.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Problem.UNKNOWN: HTTPStatus.NOT_FOUND,
    Problem.OFF: HTTPStatus.NOT_FOUND,
    Problem.KEYS: HTTPStatus.SERVICE_UNAVAILABLE,
    Problem.LATER: HTTPStatus.SERVICE_UNAVAILABLE,
    Problem.BROKEN: HTTPStatus.INTERNAL_SERVER_ERROR,
}
_UNKNOWN = No(Problem.UNKNOWN, "There is no such ask, or this is not its wait ticket.")
_NO_TOKEN = No(Problem.TOKEN, "There is no bearer token.")
_OFF = No(Problem.OFF, "The policy names no pipelines.")
_LATER = No(Problem.LATER, "Nothing can be decided just now: try again.")
_TOO_LARGE = No(Problem.TOO_LARGE, f"The body has more than {BODY_BYTES_MAX} bytes.")


class GateApp:
    def __init__(self, asks: Asks, prover: Prover) -> None:
        self._asks = asks
        self._prover = prover
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="gate")
        self._looks: OrderedDict[str, tuple[float, asyncio.Future[Standing | None]]] = OrderedDict()
        self._waiting = 0

    def attention(self) -> list[str]:
        return self._prover.attention()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    # ------------------------------------------------------------ what is asked

    async def ask(self, request: Request) -> Response:
        return await self._answered(self._ask(request))

    async def look(self, request: Request) -> Response:
        return await self._answered(self._look(request))

    async def redeem(self, request: Request) -> Response:
        return await self._answered(self._settle(request, self._asks.redeem, "redeemed"))

    async def withdraw(self, request: Request) -> Response:
        return await self._answered(self._settle(request, self._asks.withdraw, State.WITHDRAWN))

    async def _ask(self, request: Request) -> Response | No:
        body = await body_of(request, BODY_BYTES_MAX)
        token = _bearer(request)
        if body is None or token is None:
            return _TOO_LARGE if body is None else _NO_TOKEN
        sent = read(body)
        if isinstance(sent, No):
            return sent
        found = await self._in_thread(lambda: self._recorded(request, token, sent))
        if isinstance(found, No):
            log.info("a pipeline was refused", problem=found.problem.value)
            return found
        said = {"id": found.id, "ticket": wait_ticket(token, sent.nonce), "expires_at": found.expires_at.isoformat()}
        return JSONResponse({**said, "card": found.card}, HTTPStatus.CREATED)

    def _recorded(self, request: Request, token: str, sent: Sent) -> Asked | No:
        pipelines = self._asks.pipelines()
        if not pipelines:
            return _OFF
        proved = self._prover.proved(token, pipelines, self._asks.now())
        if isinstance(proved, Unproved):
            return No(proved.problem, proved.sentence)
        allowed = judge(pipelines, proved.run, sent.words.environment)
        if isinstance(allowed, NotAllowed) and allowed.why in _STRANGERS:
            return No(Problem.NOT_ALLOWED, allowed.sentence)
        request.scope[PROVED] = True
        if differs := commit_problem(sent, proved.run):
            return differs
        hashed = ticket_hash(wait_ticket(token, sent.nonce))
        commit_id = f"gate:{digest([proved.once, sent.nonce])}"
        return self._asks.ask(proved.run, sent.words, hashed, proved.once, proved.until, commit_id)

    async def _look(self, request: Request) -> Response | No:
        """Answers when it is decided, and after `wait_s` at the latest."""
        until_s = monotonic_s() + _wait_s(request)
        found = await self._mine(request)
        if found is None:
            return _UNKNOWN
        if self._waiting < WAITERS_MAX:
            self._waiting += 1
            try:
                while found.state is State.WAITING and (left_s := until_s - monotonic_s()) > 0:
                    await asyncio.sleep(min(LOOK_EVERY_S, left_s))
                    found = await self._standing(request.path_params["id"]) or found
            finally:
                self._waiting -= 1
        return JSONResponse(_said(found))

    async def _settle(
        self, request: Request, act: Callable[[str, str], No | Given | None], state: str
    ) -> Response | No:
        body, found = await body_of(request, BODY_BYTES_MAX), await self._mine(request)
        if found is None or body is None:
            return _UNKNOWN if found is None else _TOO_LARGE
        try:
            nonce = object_of(body).get("nonce")
        except ValueError:
            nonce = None
        if not isinstance(nonce, str) or not NONCE.fullmatch(nonce):
            return No(Problem.REQUEST, "'nonce' must be 43 random characters of base64url.")
        id_ = request.path_params["id"]
        commit_id = f"gate:{digest([id_, state, nonce])}"
        settled = await self._in_thread(lambda: act(id_, commit_id))
        self._looks.pop(id_, None)
        if isinstance(settled, No):
            return settled
        given = {"what": settled.what, "until": settled.until.isoformat()} if settled is not None else {}
        return JSONResponse({"state": str(state), **given})

    # ------------------------------------------------------------ looking

    async def _mine(self, request: Request) -> Standing | None:
        """None where there is none, or its ticket is another one: nobody learns which."""
        ticket, id_ = _bearer(request), request.path_params["id"]
        found = await self._standing(id_) if _ID.fullmatch(id_) and ticket else None
        if found is None or ticket is None or not hmac.compare_digest(ticket_hash(ticket), found.ticket_hash):
            return None
        request.scope[PROVED] = True
        return found

    async def _standing(self, id_: str) -> Standing | None:
        """One look a second for all who ask about it."""
        now_s = monotonic_s()
        known = self._looks.get(id_)
        if known is None or (known[1].done() and now_s - known[0] >= LOOK_EVERY_S):
            look = asyncio.ensure_future(self._in_thread(lambda: self._asks.standing(id_)))
            known = self._looks[id_] = now_s, look
            self._looks.move_to_end(id_)
            if len(self._looks) > LOOKS_MAX:
                self._looks.popitem(last=False)
        # One who hangs up takes the answer from nobody else.
        return await asyncio.shield(known[1])

    async def _in_thread(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act)

    async def _answered(self, answer: Any) -> Response:
        try:
            found: Response | No = await answer
        except (LedgerUnreachable, NotNow):
            found = _LATER
        except Exception as problem:
            # What leaves a route is written down once more by the server, at full length.
            number = log_failure("a pipeline was not answered", problem)
            found = No(Problem.BROKEN, f"Something went wrong here: error {number} in the log.")
        response = found if isinstance(found, Response) else _refused(found)
        # A wait ticket is for whoever asked, and for no proxy between.
        response.headers["Cache-Control"] = "no-store"
        return response


def _refused(no: No) -> Response:
    status = _STATUS.get(no.problem, HTTPStatus.CONFLICT)
    again = {"Retry-After": "2"} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse({"error": no.problem.value, "sentence": no.sentence}, status, again)


def _said(found: Standing) -> dict[str, Any]:
    at = found.at.isoformat() if found.at else None
    return {"state": found.state.value, "by": found.by, "reason": found.reason, "at": at}


def _bearer(request: Request) -> str | None:
    """One header, the scheme in any case, as RFC 9110 has it."""
    given = request.headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    usable = scheme.lower() == "bearer" and 0 < len(token) <= LENGTH_MAX and token.isascii() and token.isprintable()
    return token if usable and " " not in token else None


def _wait_s(request: Request) -> float:
    said = request.query_params.get("wait_s", "0")
    return min(float(said), WAIT_S_MAX) if re.fullmatch(r"[0-9]{1,4}(?:\.[0-9]{1,3})?", said) else 0.0

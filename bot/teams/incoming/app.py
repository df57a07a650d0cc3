"""What comes in from Teams: proved, read as an act, handed to the intake, answered. It records first, answers, and does the rest
later. No call to Teams stands between an act and its record, but for who somebody is whom a line mentions and whom we have
never met.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.chat.messages.form_sent import SLOW
from bot.monotonic import monotonic_s
from bot.observability.log import log_failure
from bot.runtime.front import PROVED, body_of
from bot.teams.guard import BODY_BYTES_MAX, INVOKE, Activity, Refusal
from bot.teams.incoming.acting import Acts
from bot.teams.incoming.keys import Keys
from bot.teams.incoming.turn import Said
from bot.teams.incoming.verify import Verifier

log = structlog.get_logger()

PATH = "/api/messages"
# Somebody who presses waits: Teams gives up after some seconds, and people before that. From when it came in.
ANSWER_S = 2.5
# Why activities are refused is told once in so long, and not for each.
TELL_EVERY_S = 60.0
# Anything else is sent again after 15 s ("Bot conversations", learn.microsoft.com).
TAKE_S = 8.0
ACT_THREADS = 24
VERIFY_THREADS = 6


class TeamsApp:
    def __init__(self, verifier: Verifier, keys: Keys, acts: Acts) -> None:
        self._verifier = verifier
        self._keys = keys
        self._acts = acts
        self._verifying = ThreadPoolExecutor(VERIFY_THREADS, thread_name_prefix="teams-verify")
        self._acting = ThreadPoolExecutor(ACT_THREADS, thread_name_prefix="teams")
        self._told_at_s: dict[str, float] = {}

    def warm(self) -> None:
        """So that the keys are there when somebody presses."""
        self._keys.warm()

    def problems(self) -> list[str]:
        """Why nothing from Teams is taken, in words. Never waits."""
        return self._keys.problems()

    def attention(self) -> list[str]:
        return self._keys.attention()

    def close(self) -> None:
        for each in (self._verifying, self._acting):
            each.shutdown(wait=False, cancel_futures=True)

    async def messages(self, request: Request) -> Response:
        began_s = monotonic_s()
        body = await body_of(request, BODY_BYTES_MAX)
        if body is None:
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        loop = asyncio.get_running_loop()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            found = await loop.run_in_executor(self._verifying, self._verifier.verified, headers, body)
            if isinstance(found, Refusal):
                # What Teams sent and nobody here knows was proved, too.
                request.scope[PROVED] = found.status == HTTPStatus.OK
                return self._refused(found)
            request.scope[PROVED] = True
            return await self._answered(found, began_s)
        except Exception as problem:
            # What leaves a route is written down once more by the server, at full length.
            number = log_failure("an activity of Teams was not answered", problem)
            return JSONResponse(Said(f"Something went wrong here: error {number} in the log.").invoked())

    async def _answered(self, activity: Activity, began_s: float) -> Response:
        waits = activity.type == INVOKE
        turn = self._acts.turn(waits=waits)
        work = asyncio.get_running_loop().run_in_executor(self._acting, self._acts.answer, activity, turn)
        try:
            left_s = (ANSWER_S if waits else TAKE_S) - (monotonic_s() - began_s)
            said = await asyncio.wait_for(asyncio.shield(work), max(left_s, 0.01))
        except TimeoutError:
            # It goes on, and what is said of it from now on comes into the chat.
            said = turn.close() or Said(SLOW)
        return JSONResponse(said.invoked()) if waits else Response(status_code=HTTPStatus.OK)

    def _refused(self, refusal: Refusal) -> Response:
        """Whoever sent it is told nothing of why; whoever runs this is."""
        now_s = monotonic_s()
        told_at_s = self._told_at_s.get(refusal.why)
        if refusal.status != HTTPStatus.OK and (told_at_s is None or now_s - told_at_s >= TELL_EVERY_S):
            self._told_at_s[refusal.why] = now_s
            log.warning("an activity was refused", why=refusal.why, status=int(refusal.status))
        again = {"Retry-After": "1"} if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE else None
        return Response(status_code=refusal.status, headers=again)


def routes(app: TeamsApp) -> list[Route]:
    return [Route(PATH, app.messages, methods=["POST"])]

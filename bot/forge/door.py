"""`/github/events` in the web process, where there is a secret for it. Unsigned bytes reach nothing that reads them."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.observability.log import log_failure
from bot.runtime.front import PROVED, body_of
from bot.settings import Settings
from workflows.ports import LedgerUnreachable

if TYPE_CHECKING:
    from workflows.core.records.forge import ForgeWait

log = structlog.get_logger()

PATH = "/github/events"
# One of these has about 30 kB, most of it the repository's description.
BODY_BYTES_MAX = 512 * 1024
EVENT = "deployment_protection_rule"
# A delivery's GUID.
_DELIVERY = re.compile(r"[0-9A-Za-z-]{1,64}")
FORGE = "github"
NOT_SET = (
    "The policy has a protection_rule, and GITHUB_WEBHOOK_SECRET is not set for web: GitHub cannot say that a deployment waits, "
    "and such runs wait in vain (docs/gate.md)."
)

Remember = Callable[["ForgeWait", str, Sequence[str]], bool]


class EventsDoor:
    """`remember`: puts what waits on the record, once; says whether it is news. Raises LedgerUnreachable."""

    def __init__(self, settings: Settings, remember: Remember) -> None:
        self._settings = settings
        self._remember = remember

    def routes(self) -> Sequence[Route]:
        return [Route(PATH, self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        body = await body_of(request, BODY_BYTES_MAX)
        if body is None:
            return PlainTextResponse("too large", 413)
        secret, signatures = self._settings.secrets.of("github_webhook_secret"), _heads(request, "x-hub-signature-256")
        # Imports take longer than anybody else should wait.
        from bot.forge.message import is_signed  # noqa: PLC0415 - for GitHub alone

        if secret is None or len(signatures) != 1 or not is_signed(secret.values, body, signatures[0]):
            return PlainTextResponse("not signed with the secret of this webhook", 401)
        request.scope[PROVED] = True
        try:
            return await asyncio.to_thread(self._heard, request, body)
        except LedgerUnreachable:
            return PlainTextResponse("nothing can be recorded just now: deliver it again", 503)
        except Exception as problem:
            # What leaves a route is written down once more by the server, at full length.
            number = log_failure("a message of GitHub was not taken", problem)
            return PlainTextResponse(f"something went wrong here: error {number} in the log", 500)

    def _heard(self, request: Request, body: bytes) -> Response:
        from bot.forge.message import Odd, wait_of  # noqa: PLC0415 - for GitHub alone

        events, deliveries = _heads(request, "x-github-event"), _heads(request, "x-github-delivery")
        if events != [EVENT]:
            return Response(status_code=204)
        if len(deliveries) != 1 or not _DELIVERY.fullmatch(deliveries[0]):
            return PlainTextResponse("X-GitHub-Delivery is missing", 400)
        try:
            wait = wait_of(body, self._settings.github_api_url)
        except Odd as problem:
            log.warning("a message of GitHub cannot be used", why=str(problem), delivery=deliveries[0])
            return PlainTextResponse(f"not usable: {problem}", 422)
        if wait is None:
            return Response(status_code=204)
        # The signature is of the body alone: the same one under another delivery's name is no news.
        once = (f"delivery:{deliveries[0]}", f"body:{hashlib.sha256(body).hexdigest()}")
        if self._remember(wait, FORGE, once):
            log.info("a deployment waits at GitHub", run=wait.run, repository=wait.repository_id)
            return PlainTextResponse("recorded", 202)
        return Response(status_code=204)


def _heads(request: Request, name: str) -> list[str]:
    return request.headers.getlist(name)

"""`/api/<method>`: who may call, what goes wrong on purpose, and the answer with its status."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.sandbox.slack.api import chat, conversations, directory, surfaces
from bot.sandbox.slack.api.arguments import Arguments
from bot.sandbox.slack.api.methods import METHODS, Method
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.faults import CallLog, Drop, Fault, Faults, RateLimits
from bot.sandbox.slack.model import Json
from bot.sandbox.slack.workspace import Workspace

FAMILIES = (chat, conversations, directory, surfaces)
"""Named so that their methods are registered by this import."""

# The families whose calls people see something of.
_SHOWN = ("chat.", "views.", "conversations.open")


@dataclass(frozen=True)
class Answer:
    """What goes over the wire. `drop` closes the connection instead; `delay_s` comes first."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: Drop | None = None


class WebApi:
    """The Web API of one workspace. Slow or lost answers are the server's business; it asks `fault` first."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self.faults = Faults()
        self.rate_limits = RateLimits(ws.clock)
        self.calls = CallLog(ws.clock)

    def answer(self, name: str, raw: Mapping[str, Any], token: str | None, fault: Fault | None) -> Answer:
        """Carry out one call, or what a fault makes of it, and write it into the log."""
        arguments = Arguments(raw)
        answer = self._faulty(fault) or self._limited(name, arguments) or self._called(name, arguments, token)
        lost = fault is not None and fault.drop == "after"
        self.calls.add(name, arguments.raw, self._error(answer))
        # Docs, "OAuth scopes": each answer lists those of the token.
        headers = {"x-oauth-scopes": ",".join(sorted(self._ws.app.scopes)), **answer.headers}
        return Answer(answer.body, drop="after") if lost else replace(answer, headers=headers)

    @staticmethod
    def _error(answer: Answer) -> str | None:
        if answer.drop:
            return "dropped"
        if answer.status != 200:
            return f"http_{answer.status}"
        return None if answer.body.get("ok") else str(answer.body.get("error"))

    @staticmethod
    def _faulty(fault: Fault | None) -> Answer | None:
        if fault is None or fault.drop == "after":
            return None
        if fault.drop == "before":
            return Answer({}, drop="before")
        if fault.status == 429:
            return _too_many(fault.retry_after_s)
        if fault.status is not None:
            return Answer({"ok": False, "error": "internal_error"}, fault.status)
        if fault.answer is not None:
            return Answer(fault.answer)
        return Answer({"ok": False, "error": fault.error}) if fault.error else None

    def _limited(self, name: str, arguments: Arguments) -> Answer | None:
        method = METHODS.get(name)
        if method is None:
            return None
        wait_s = self.rate_limits.wait_s(name, method.per_minute, arguments.text("channel"))
        return None if wait_s is None else _too_many(wait_s)

    def _called(self, name: str, arguments: Arguments, token: str | None) -> Answer:
        try:
            method = METHODS.get(name)
            if method is None:
                raise ApiError("unknown_method", extra={"req_method": name})
            self._admit(method, token)
            with self._ws.lock:
                body = method.body(self._ws, arguments)
                if name.startswith(_SHOWN):
                    self._ws.touch()
                return Answer({"ok": True} | body)
        except ApiError as refused:
            return Answer(refused.body())

    def _admit(self, method: Method, token: str | None) -> None:
        app = self._ws.app
        if not token:
            raise ApiError("not_authed")
        if token not in (app.bot_token, app.app_token):
            raise ApiError("invalid_auth")
        if token != (app.app_token if method.needs == "app" else app.bot_token):
            raise ApiError("not_allowed_token_type")
        if method.scope and method.scope not in app.scopes:
            raise ApiError("missing_scope", extra={"needed": method.scope, "provided": ",".join(sorted(app.scopes))})


def _too_many(wait_s: int) -> Answer:
    return Answer({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(wait_s)})

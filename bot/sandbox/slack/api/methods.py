"""The table of Web API methods. A family of methods registers itself here; `web_api` looks them up."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.sandbox.slack.api.arguments import Arguments
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.model import Json
from bot.sandbox.slack.workspace import Workspace

T = TypeVar("T")
Body = Callable[[Workspace, Arguments], Json]


@dataclass(frozen=True)
class Method:
    """`needs` the `bot` or the `app` token. `per_minute` is Slack's published tier; used only when rate limits are enforced.

    `scope`: without it the token gets `missing_scope`.
    """

    name: str
    body: Body
    needs: str
    per_minute: int
    scope: str | None = None


METHODS: dict[str, Method] = {}


def method(name: str, *, per_minute: int = 50, needs: str = "bot", scope: str | None = None) -> Callable[[Body], Body]:
    """Register a method. It gets the workspace, locked, and returns its answer without `ok`; or raises ApiError."""

    def register(body: Body) -> Body:
        METHODS[name] = Method(name, body, needs, per_minute, scope)
        return body

    return register


def page(items: Sequence[T], arguments: Arguments, *, default: int = 100, most: int = 1000) -> tuple[list[T], str]:
    """One page, and the cursor of the next ("" after the last). Raise `invalid_cursor`."""
    limit = (
        arguments.number("limit", default, most) if arguments.raw.get("limit") not in (None, "", 0, "0") else default
    )
    start = _decoded(arguments.text("cursor"))
    following = start + limit
    cursor = base64.b64encode(f"next:{following}".encode()).decode() if following < len(items) else ""
    return list(items[start:following]), cursor


def _decoded(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        word, number = base64.b64decode(cursor, validate=True).decode().split(":")
        return {"next": int(number)}[word]
    except (ValueError, KeyError):
        raise ApiError("invalid_cursor") from None

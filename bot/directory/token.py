"""The secret that the policy names for an address outside, fit to stand in a header."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bot.directory.http_json import NotFetched

T = TypeVar("T")

_REFUSED = (401, 403)


class NoToken(Exception):
    """Why there is none, in words that may be shown: they name the variable and never its value."""


def token_of(name: str | None, secret: Callable[[str], str | None]) -> str | None:
    """None where the policy names none. `secret`: the value behind a name. Raises NoToken."""
    if name is None:
        return None
    token = secret(name)
    if not token:
        raise NoToken(f"its token is not set: the worker needs {name}")
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise NoToken(f"its token is not one word: look at {name}")
    return token


def no_other(_name: str) -> bool:
    """Where nobody knows of another value."""
    return False


def with_token(
    name: str | None,
    secret: Callable[[str], str | None],
    refused: Callable[[str], bool],
    ask: Callable[[str | None], T],
) -> T:
    """What `ask` returns, with the token; with another value where one was refused. `refused`: is told so, and says whether
    there is another. Raises NoToken, and what `ask` raises.
    """
    while True:
        try:
            return ask(token_of(name, secret))
        except NotFetched as problem:
            if name is None or problem.status not in _REFUSED or not refused(name):
                raise


def bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}

"""The secret that the policy names for an address outside, fit to stand in a header."""

from __future__ import annotations

from collections.abc import Callable


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


def bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}

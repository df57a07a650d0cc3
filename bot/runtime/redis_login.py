"""How we log in to Redis: with the newest password that it takes, anew at each connection."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import unquote, urlsplit

from redis import CredentialProvider
from redis.exceptions import AuthenticationError

from bot.settings import Secret
from bot.settings.redis_url import is_sentinel, sentinel_url


def without_login(url: str) -> str:
    """The address without user and password, which are given at each connection. A password may hold an `@`."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def login_options(secret: Secret) -> dict[str, Any]:
    """For any client of redis-py whose address is `without_login`; nothing where REDIS_URL names no password.

    `connect` is called for each new connection, of a pool or of Sentinel's, and again by redis-py's own retries.
    """
    if _login(secret.newest) is None:
        return {}
    login = Login(secret)
    return {"credential_provider": login, "redis_connect_func": login.connect}


class Login(CredentialProvider):
    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._here = threading.local()

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Of the connection that this thread opens. Raises AuthenticationError where REDIS_URL has no password any more."""
        found = _login(getattr(self._here, "url", None) or self._secret.best())
        if found is None:
            raise AuthenticationError("REDIS_URL names no password any more")
        return found

    def connect(self, connection: Any) -> None:
        """As redis-py does it; a refused password is noted, so that its next try takes another one."""
        self._here.url = url = self._secret.best()
        try:
            connection.on_connect()
        except AuthenticationError:
            self._secret.refused(url)
            raise
        finally:
            self._here.url = None
        self._secret.taken(url)


def _login(url: str) -> tuple[str] | tuple[str, str] | None:
    if is_sentinel(url):
        found = sentinel_url(url)
        return ((found.username, found.password) if found.username else (found.password,)) if found.password else None
    parts = urlsplit(url)
    if not parts.password:
        return None
    password = unquote(parts.password)
    return (unquote(parts.username), password) if parts.username else (password,)

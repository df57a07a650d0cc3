"""The App's login at GitHub: a token of ten minutes signed with its key, and for that a token of one repository alone.

Sources: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
and https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.forge.calls import Answer, Call, silent
from workflows.core.records.forge import ForgeWait
from workflows.ports import ForgeSilent

# GitHub takes ten minutes at most, and its clock may be behind ours.
JWT_BACK_S, JWT_LIFE_S = 60, 480
# A token of an installation is good for an hour.
TOKEN_S = 50 * 60.0
TOKENS_MAX = 200
KEY_BITS_MIN = 2048
KEY_BYTES_MAX = 16_384
# What the worker does there, and no more: https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
PERMISSIONS: Mapping[str, str] = {"actions": "read", "contents": "read", "deployments": "write"}


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    until_s: float


class AppLogin:
    """For any thread. `key_file` is read each time that a token is made, so a new key needs no restart."""

    def __init__(
        self,
        app_id: str,
        key_file: Path,
        call: Call,
        now: Callable[[], datetime],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._app_id, self._key_file = app_id, key_file
        self._call, self._now, self._monotonic_s = call, now, monotonic_s
        self._lock = threading.Lock()
        self._tokens: dict[tuple[str, str], _Token] = {}

    def token(self, wait: ForgeWait) -> str:
        """For the repository of `wait`, and no other one. Raises ForgeSilent."""
        name = (wait.installation, wait.repository_id)
        with self._lock:
            known = self._tokens.get(name)
            if known is not None and self._monotonic_s() < known.until_s:
                return known.value
        made = self._made(wait)
        with self._lock:
            if len(self._tokens) >= TOKENS_MAX:
                self._tokens.clear()
            self._tokens[name] = _Token(made, self._monotonic_s() + TOKEN_S)
        return made

    def forget(self, wait: ForgeWait) -> None:
        """It was refused: the next one is another."""
        with self._lock:
            self._tokens.pop((wait.installation, wait.repository_id), None)

    def _made(self, wait: ForgeWait) -> str:
        body = {"repository_ids": [int(wait.repository_id)], "permissions": dict(PERMISSIONS)}
        path = f"/app/installations/{wait.installation}/access_tokens"
        answer = self._call("POST", path, f"Bearer {self.app_token()}", body, "token")
        token = answer.said.get("token") if answer.status == 201 and isinstance(answer.said, dict) else None
        if isinstance(token, str) and token.isascii() and token.isprintable() and token:
            return token
        raise _no_token(answer)

    def app_token(self) -> str:
        """That we are the App. Raises ForgeSilent."""
        now_s = int(self._now().timestamp())
        claims = {"iat": now_s - JWT_BACK_S, "exp": now_s + JWT_LIFE_S, "iss": self._app_id}
        return jwt.encode(claims, read_app_key(self._key_file), "RS256")


def read_app_key(file: Path) -> RSAPrivateKey:
    """Raises ForgeSilent, whose words name the variable and nothing of the key."""
    try:
        with file.open("rb") as found:
            key: Any = load_pem_private_key(found.read(KEY_BYTES_MAX), password=None)
    except OSError:
        raise ForgeSilent("The file of GITHUB_APP_KEY cannot be read") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ForgeSilent("The file of GITHUB_APP_KEY holds no private key in PEM") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < KEY_BITS_MIN:
        raise ForgeSilent(f"The file of GITHUB_APP_KEY holds no RSA key of {KEY_BITS_MIN} bits or more")
    return key


def _no_token(answer: Answer) -> ForgeSilent:
    if answer.status == 401:
        return ForgeSilent(
            "GitHub does not believe the App: GITHUB_APP_ID and GITHUB_APP_KEY do not fit, or the clock is wrong"
        )
    if answer.status in (404, 422) or (answer.status == 403 and not answer.after_s):
        return ForgeSilent(
            "GitHub gives the App no token for this repository: install it there, with Actions and Contents to read and "
            "Deployments to write"
        )
    return silent(answer)

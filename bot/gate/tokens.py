"""Where a job has its token from: GitHub's own address for it, a variable, or a key that it signs with by itself."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

from bot.gate.client import Answer, NoAnswer

REQUEST_URL, REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
_NONE = (
    "There is no token that says which pipeline this is. At GitHub give the job `permissions: id-token: write`; at GitLab name "
    "PRODACCESS_ID_TOKEN in its `id_tokens`, with `aud: $PRODACCESS_URL`; elsewhere sign with --key-file."
)

Call = Callable[..., Answer]


class NoToken(Exception):
    """Why, in a sentence. `passing`: it may go in a moment."""

    def __init__(self, sentence: str, *, passing: bool = False) -> None:
        super().__init__(sentence)
        self.passing = passing


class Tokens(Protocol):
    """`can_be_new`: whether another call gives another token."""

    @property
    def can_be_new(self) -> bool: ...
    def token(self) -> str:
        """Raises NoToken."""
        ...


class Given:
    can_be_new = False

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token


class OfGitHub:
    """Source: https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token"""

    can_be_new = True

    def __init__(self, url: str, bearer: str, audience: str, call: Call) -> None:
        self._url = f"{url}{'&' if '?' in url else '?'}{urlencode({'audience': audience})}"
        self._bearer = bearer
        self._call = call

    def token(self) -> str:
        try:
            answer = self._call("GET", self._url, f"bearer {self._bearer}")
        except NoAnswer as problem:
            raise NoToken(f"GitHub {problem} when it was asked for the job's token.", passing=True) from None
        if not 200 <= answer.status < 300 or not answer.text("value"):
            words = f"GitHub gave no token for this job ({answer.status})."
            raise NoToken(words, passing=answer.is_passing)
        return answer.text("value")


class Signed:
    can_be_new = True

    def __init__(self, key_file: Path, audience: str, commit: str) -> None:
        self._key_file, self._audience, self._commit = key_file, audience, commit
        # Of this command: whoever starts it again asks again.
        self._run = secrets.token_hex(16)

    def token(self) -> str:
        from bot.gate.own_token import UnusableKey, signed  # noqa: PLC0415 - wants cryptography

        now = datetime.now(UTC)  # noqa: TID251 - a job has no record to ask what time it is
        try:
            return signed(self._key_file, self._audience, self._commit, self._run, secrets.token_hex(16), now)
        except UnusableKey as problem:
            raise NoToken(f"{self._key_file} {problem}.") from None


def tokens_of(
    environ: Mapping[str, str], given: str | None, key_file: Path | None, audience: str, commit: str, call: Call
) -> Tokens:
    """`given`: PRODACCESS_ID_TOKEN. The nearer one counts: a key, then the variable, then GitHub's address. Raises NoToken, also
    for a key that cannot sign, and for what is no token: neither will be another one in a moment.
    """
    if key_file is not None:
        own = Signed(key_file, audience, commit)
        own.token()
        return own
    if given:
        if re.fullmatch(r"[\x21-\x7e]+", given) is None:
            raise NoToken("PRODACCESS_ID_TOKEN holds no token: that is one word, without blanks.")
        return Given(given)
    url, bearer = environ.get(REQUEST_URL), environ.get(REQUEST_TOKEN)
    if url and bearer:
        return OfGitHub(url, bearer, audience, call)
    raise NoToken(_NONE)

"""Whether Teams sent it: every step that Microsoft lists, and no setting that leaves one out. See docs/adr/0034.

The list: "Authenticate requests from the Bot Connector service to your bot" (learn.microsoft.com/azure/bot-service/rest-api).
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import jwt

from bot.teams.guard import BODY_BYTES_MAX, Activity, Expected, Refusal, read
from bot.teams.incoming.keys import Keys, KeysUnavailable

# Of the clocks: what Microsoft allows.
LEEWAY_S = 300
CHANNEL_ID = "msteams"
_TOKEN_LENGTH_MAX = 16_384
_ALGORITHMS = ["RS256"]
_REQUIRED = ["exp", "iss", "aud", "serviceurl"]


class Verifier:
    def __init__(self, expected: Expected, keys: Keys) -> None:
        self._expected = expected
        self._keys = keys

    def verified(self, headers: Mapping[str, str], body: bytes) -> Activity | Refusal:
        """`headers`: by name in lower case. May wait for a second where a key is new, so not in an event loop.

        A refusal with status 200 is of something that Teams sent, and that we know nothing of.
        """
        if len(body) > BODY_BYTES_MAX:
            return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")
        token = _bearer(headers.get("authorization", ""))
        if token is None:
            return Refusal(HTTPStatus.UNAUTHORIZED, "there is no bearer token")
        activity = read(body, self._expected)
        if isinstance(activity, Refusal):
            return activity
        refused = self._refused(token, activity)
        if refused is not None:
            return refused
        return activity if activity.is_known else Refusal(HTTPStatus.OK, "nobody here knows this kind of activity")

    def _refused(self, token: str, activity: Activity) -> Refusal | None:
        try:
            claims = self._claims(token)
        except KeysUnavailable:
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the keys are not there")
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as problem:
            return Refusal(HTTPStatus.UNAUTHORIZED, f"the token is not good: {type(problem).__name__}")
        if claims["serviceurl"] != activity.service_url:
            return Refusal(HTTPStatus.UNAUTHORIZED, "the token is for another serviceUrl")
        return None

    def _claims(self, token: str) -> dict[str, Any]:
        """Raises jwt.PyJWTError, what odd values make of it, and KeysUnavailable."""
        head = jwt.get_unverified_header(token)
        kid = head.get("kid")
        if head.get("alg") not in _ALGORITHMS or not isinstance(kid, str):
            raise jwt.InvalidAlgorithmError
        key = self._keys.find(kid)
        if key is None:
            raise jwt.InvalidKeyError
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=_ALGORITHMS,
            # One word, and nothing but it: neither a list of several nor api://.
            audience=self._expected.app_id,
            issuer=key.issuer,
            leeway=LEEWAY_S,
            options={"require": _REQUIRED, "strict_aud": True},
        )
        if CHANNEL_ID not in key.endorsements:
            raise jwt.InvalidKeyError
        return claims


def _bearer(header: str) -> str | None:
    """The scheme exactly as Teams writes it."""
    token = header.removeprefix("Bearer ")
    shaped = token != header and len(token) <= _TOKEN_LENGTH_MAX and token.count(".") == 2 and " " not in token
    return token if shaped and token.isascii() else None

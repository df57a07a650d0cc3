"""The keys by which Teams signs what it sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from bot.directory.http_json import NotFetched, fetch_json
from bot.directory.key_list import (
    BYTES_MAX,
    FETCH_EVERY_S,
    KEY_BITS_MIN,
    TIMEOUT_S,
    Fetch,
    KeyList,
    KeysUnavailable,
)

__all__ = ["Keys", "KeysUnavailable", "SigningKey"]

# "Cache the list, and fetch it again every 24 hours" (Authenticate requests, learn.microsoft.com), as `KeyList` does. Two looks
# have failed by then: somebody should hear of it.
OLD_S = 2 * FETCH_EVERY_S


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`endorsements`: for which chats it may sign."""

    key: RSAPublicKey
    issuer: str
    endorsements: frozenset[str]


def fetch(url: str) -> Any:
    """Raises NotFetched."""
    return fetch_json(url, {}, timeout_s=TIMEOUT_S, bytes_max=BYTES_MAX, called=("microsoft", "keys"))


class Keys(KeyList[SigningKey]):
    """`url`: of the OpenID configuration, which names the issuer and the list of keys."""

    def __init__(self, url: str, monotonic_s: Callable[[], float], get: Fetch = fetch) -> None:
        super().__init__("Teams'", partial(_listed, url, get), monotonic_s)
        self._url = url

    def problems(self) -> list[str]:
        """Why nothing from Teams can be believed, in words; tries again by itself. Never waits."""
        self.warm()
        failed = self.why_none()
        if not failed:
            return []
        where = urlsplit(self._url).hostname
        return [
            f"The keys that prove what comes from Teams are not there: {where} {failed}. Nothing from Teams is taken "
            "until then. It is tried again automatically."
        ]

    def attention(self) -> list[str]:
        """That the list is old, in words: a key that Microsoft has taken back meanwhile is believed until one can look."""
        age_s, failed = self.old_for_s()
        if age_s < OLD_S:
            return []
        days, where = int(age_s // FETCH_EVERY_S), urlsplit(self._url).hostname
        return [
            f"The keys that prove what comes from Teams are {days} days old: {where} {failed}. What was true then is believed "
            "until they can be looked at. It is tried again automatically."
        ]


def _listed(url: str, get: Fetch) -> dict[str, SigningKey]:
    said = get(url)
    issuer, keys = (said.get("issuer"), said.get("jwks_uri")) if isinstance(said, dict) else (None, None)
    if not (isinstance(issuer, str) and issuer and isinstance(keys, str)):
        raise NotFetched("answered no OpenID configuration")
    listed = get(keys)
    items = listed.get("keys") if isinstance(listed, dict) else None
    found = dict(filter(None, (_key(issuer, item) for item in items))) if isinstance(items, list) else {}
    if not found:
        raise NotFetched("answered a list without keys")
    return found


def _key(issuer: str, item: Any) -> tuple[str, SigningKey] | None:
    """None for what is no key that can sign for us: one bad entry takes the others from nobody."""
    if not (isinstance(item, dict) and item.get("kty") == "RSA" and isinstance(item.get("kid"), str)):
        return None
    try:
        key = RSAAlgorithm.from_jwk({name: item[name] for name in ("kty", "n", "e")})
    except (InvalidKeyError, KeyError, TypeError, ValueError):
        return None
    if not isinstance(key, RSAPublicKey) or key.key_size < KEY_BITS_MIN:
        return None
    endorsed = item.get("endorsements")
    names = frozenset(each for each in endorsed if isinstance(each, str)) if isinstance(endorsed, list) else frozenset()
    return item["kid"], SigningKey(key, issuer, names)

"""The keys of the issuers that the policy names, and of no other one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from bot.directory.http_json import NotFetched, fetch_json
from bot.directory.key_list import KEY_BITS_MIN, TIMEOUT_S, Fetch, KeyList

DISCOVERY = "/.well-known/openid-configuration"
# GitHub lists a handful of keys, about 10 kB with their certificates.
BYTES_MAX = 256 * 1024
KEYS_MAX = 50
# A key that was taken back is believed for no longer than an hour. Looks come earlier, so that a bad minute of an issuer's stops
# nobody.
FETCH_EVERY_S, BELIEVED_S = 1800.0, 3600.0
RS256, ES256 = "RS256", "ES256"


@dataclass(frozen=True, slots=True)
class IssuersKey:
    """`alg`: the one algorithm that it may sign by, whatever a token says."""

    alg: str
    key: RSAPublicKey | EllipticCurvePublicKey


def fetch(url: str) -> Any:
    """Raises NotFetched."""
    return fetch_json(url, {}, timeout_s=TIMEOUT_S, bytes_max=BYTES_MAX, called=("issuer", "keys"), redirects=False)


class Issuers:
    """One list for each issuer that was asked for while the policy named it."""

    def __init__(self, monotonic_s: Callable[[], float], get: Fetch = fetch) -> None:
        self._monotonic_s = monotonic_s
        self._get = get
        self._lock = threading.Lock()
        self._lists: dict[str, KeyList[IssuersKey]] = {}

    def find(self, issuer: str, kid: str, named: Iterable[str]) -> IssuersKey | None:
        """`named`: all issuers of the policy; `issuer` must be one of them. None for a key that is certainly not its. Raises
        KeysUnavailable.
        """
        return self._list(issuer, frozenset(named)).find(kid)

    def attention(self) -> list[str]:
        """Of which there are no keys, in words."""
        failed = {issuer: keys.why_none() for issuer, keys in tuple(self._lists.items())}
        return [
            f"The keys of {urlsplit(issuer).hostname} are not there: it {why}. No pipeline that it vouches for can ask until "
            "then. It is tried again automatically."
            for issuer, why in sorted(failed.items())
            if why
        ]

    def _list(self, issuer: str, named: frozenset[str]) -> KeyList[IssuersKey]:
        with self._lock:
            for gone in self._lists.keys() - named:
                del self._lists[gone]
            if issuer not in named:
                raise ValueError("the policy names no such issuer")
            if issuer not in self._lists:
                read = partial(listed, issuer, self._get)
                self._lists[issuer] = KeyList(
                    "an issuer's", read, self._monotonic_s, fetch_every_s=FETCH_EVERY_S, believed_for_s=BELIEVED_S
                )
            return self._lists[issuer]


def listed(issuer: str, get: Fetch) -> dict[str, IssuersKey]:
    """Its keys by their `kid`. Raises NotFetched."""
    said = get(f"{issuer}{DISCOVERY}")
    named, url = (said.get("issuer"), said.get("jwks_uri")) if isinstance(said, dict) else (None, None)
    if named != issuer or not isinstance(url, str):
        raise NotFetched("answered no OpenID configuration of its own")
    if _origin(url) != _origin(issuer):
        raise NotFetched("names keys at another address, which is not asked")
    answer = get(url)
    items = answer.get("keys") if isinstance(answer, dict) else None
    found = dict(filter(None, map(_key, items[:KEYS_MAX]))) if isinstance(items, list) else {}
    if not found:
        raise NotFetched("answered a list without keys")
    return found


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Raises NotFetched."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        raise NotFetched("names keys at no address") from None


def _key(item: Any) -> tuple[str, IssuersKey] | None:
    """None for what is no key that can sign for us: one bad entry takes the others from nobody."""
    if not (isinstance(item, dict) and isinstance(item.get("kid"), str) and item.get("use", "sig") == "sig"):
        return None
    try:
        # Only what makes a public key, so that nothing else of the entry is believed.
        key = PyJWK({name: item[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in item}).key
    except (PyJWTError, KeyError, ValueError, TypeError):
        return None
    alg = _algorithm(key)
    return (item["kid"], IssuersKey(alg, key)) if alg and item.get("alg", alg) == alg else None


def _algorithm(key: object) -> str:
    if isinstance(key, RSAPublicKey) and key.key_size >= KEY_BITS_MIN:
        return RS256
    return ES256 if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1) else ""

"""The keys by which Teams signs what it sends: fetched in a thread, kept, and looked at again without holding anybody up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from bot.directory.http_json import NotFetched, fetch_json

log = structlog.get_logger()

# "Cache the list, and fetch it again every 24 hours" (Authenticate requests, learn.microsoft.com).
FETCH_EVERY_S = 24 * 3600.0
# Two looks have failed by then: somebody should hear of it.
OLD_S = 2 * FETCH_EVERY_S
# A key that nobody knows may be new, or made up: the list is asked for again no more often than this.
FETCH_AGAIN_S = 30.0
TIMEOUT_S = 5.0
BYTES_MAX = 1_000_000
KEY_BITS_MIN = 2048
# So long somebody waits for a list that is under way, and so many at once, fewer than there are threads for it: others are told
# to come again.
WAIT_S = 1.0
WAITING_MAX = 2


class KeysUnavailable(Exception):
    """Nobody can tell just now whether this key is Teams': whoever sent it sends it again."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`endorsements`: for which chats it may sign."""

    key: RSAPublicKey
    issuer: str
    endorsements: frozenset[str]


Fetch = Callable[[str], Any]


def fetch(url: str) -> Any:
    """Raises NotFetched."""
    return fetch_json(url, {}, timeout_s=TIMEOUT_S, bytes_max=BYTES_MAX, called=("microsoft", "keys"))


class Keys:
    """`url`: of the OpenID configuration, which names the issuer and the list of keys."""

    def __init__(self, url: str, monotonic_s: Callable[[], float], get: Fetch = fetch) -> None:
        self._url = url
        self._monotonic_s = monotonic_s
        self._get = get
        self._lock = threading.Lock()
        self._known: Mapping[str, SigningKey] = {}
        self._fetched_at_s: float | None = None
        self._asked_at_s: float | None = None
        self._failed = ""
        self._under_way: threading.Event | None = None
        self._waiting = threading.BoundedSemaphore(WAITING_MAX)

    def find(self, kid: str) -> SigningKey | None:
        """None for a key that is certainly not on the list. Raises KeysUnavailable."""
        known = self._known.get(kid)
        under_way = self._look_again(unknown=known is None)
        if known is not None:
            return known
        if under_way is not None:
            self._wait(under_way)
        with self._lock:
            # Both at one moment: a list that came in between may hold it.
            known = self._known.get(kid)
            if known is None and not self._is_certain():
                raise KeysUnavailable
            return known

    def warm(self) -> None:
        """Begin to fetch them, in a thread, where there are none."""
        self._look_again(unknown=not self._known)

    def fetch_now(self) -> str:
        """In this thread, for whoever waits at a terminal. Why there are none, in words; empty where there are."""
        self._fetch(threading.Event())
        return self._failed

    def problems(self) -> list[str]:
        """Why nothing from Teams can be believed, in words; tries again by itself. Never waits."""
        self.warm()
        if self._known or not self._failed:
            return []
        where = urlsplit(self._url).hostname
        return [
            f"The keys that prove what comes from Teams are not there: {where} {self._failed}. Nothing from Teams is taken "
            "until then. It is tried again automatically."
        ]

    def attention(self) -> list[str]:
        """That the list is old, in words: a key that Microsoft has taken back meanwhile is believed until one can look."""
        with self._lock:
            age_s = self._monotonic_s() - self._fetched_at_s if self._fetched_at_s is not None else 0.0
            if not self._failed or age_s < OLD_S:
                return []
            days, where, failed = int(age_s // FETCH_EVERY_S), urlsplit(self._url).hostname, self._failed
        return [
            f"The keys that prove what comes from Teams are {days} days old: {where} {failed}. What was true then is believed "
            "until they can be looked at. It is tried again automatically."
        ]

    # ------------------------------------------------------------ fetching

    def _look_again(self, *, unknown: bool) -> threading.Event | None:
        """The look that is under way, which begins here where it is time."""
        with self._lock:
            now_s = self._monotonic_s()
            old = self._fetched_at_s is None or now_s - self._fetched_at_s >= FETCH_EVERY_S
            asked_lately = self._asked_at_s is not None and now_s - self._asked_at_s < FETCH_AGAIN_S
            if self._under_way is None and (unknown or old) and not asked_lately:
                self._asked_at_s = now_s
                self._under_way = threading.Event()
                threading.Thread(target=self._fetch, args=(self._under_way,), name="teams-keys", daemon=True).start()
            return self._under_way

    def _wait(self, under_way: threading.Event) -> None:
        if self._waiting.acquire(blocking=False):
            try:
                under_way.wait(WAIT_S)
            finally:
                self._waiting.release()

    def _is_certain(self) -> bool:
        """Whether the list was seen since the last time that it may be asked for. Under the lock."""
        if self._under_way is not None or self._fetched_at_s is None:
            return False
        return not self._failed and self._monotonic_s() - self._fetched_at_s <= FETCH_AGAIN_S

    def _fetch(self, done: threading.Event) -> None:
        try:
            found, failed = self._list(), ""
        except NotFetched as problem:
            found, failed = {}, str(problem)
        except Exception as problem:
            # Whatever a server answers, the next look has to come.
            found, failed = {}, f"answered something that cannot be read ({type(problem).__name__})"
        with self._lock:
            self._failed = failed
            if not failed:
                self._known, self._fetched_at_s = found, self._monotonic_s()
            self._under_way = None
        if failed:
            log.warning("Teams' keys were not fetched", why=failed, known=len(self._known))
        done.set()

    def _list(self) -> dict[str, SigningKey]:
        said = self._get(self._url)
        issuer, url = (said.get("issuer"), said.get("jwks_uri")) if isinstance(said, dict) else (None, None)
        if not (isinstance(issuer, str) and issuer and isinstance(url, str)):
            raise NotFetched("answered no OpenID configuration")
        listed = self._get(url)
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

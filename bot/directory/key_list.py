"""Keys by which somebody else signs: fetched in a thread, kept, and looked at again without holding anybody up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import structlog

from bot.directory.http_json import NotFetched

log = structlog.get_logger()
K = TypeVar("K")

FETCH_EVERY_S = 24 * 3600.0
# A key that nobody knows may be new, or made up: the list is asked for again no more often than this.
FETCH_AGAIN_S = 30.0
TIMEOUT_S = 5.0
BYTES_MAX = 1_000_000
KEY_BITS_MIN = 2048
# So long somebody waits for a list that is under way, and so many at once, fewer than there are threads for it: others are told
# to come again.
WAIT_S = 1.0
WAITING_MAX = 2

Fetch = Callable[[str], Any]


class KeysUnavailable(Exception):
    """Nobody can tell just now whether this key is theirs: whoever sent it sends it again."""


class KeyList(Generic[K]):
    """`read`: all keys by their `kid`, from where they are listed; raises NotFetched. `whose`: for the log. `believed_for_s`: a
    list that is older proves nothing until it was looked at again; None: it does, for as long as nobody can.
    """

    def __init__(
        self,
        whose: str,
        read: Callable[[], Mapping[str, K]],
        monotonic_s: Callable[[], float],
        *,
        fetch_every_s: float = FETCH_EVERY_S,
        believed_for_s: float | None = None,
    ) -> None:
        self._whose = whose
        self._read = read
        self._monotonic_s = monotonic_s
        self._fetch_every_s = fetch_every_s
        self._believed_for_s = believed_for_s
        self._lock = threading.Lock()
        self._known: Mapping[str, K] = {}
        self._fetched_at_s: float | None = None
        self._asked_at_s: float | None = None
        self._failed = ""
        self._under_way: threading.Event | None = None
        self._waiting = threading.BoundedSemaphore(WAITING_MAX)

    def find(self, kid: str) -> K | None:
        """None for a key that is certainly not on the list. Raises KeysUnavailable."""
        with self._lock:
            known = self._believed(kid)
        under_way = self._look_again(unknown=known is None)
        if known is not None:
            return known
        if under_way is not None:
            self._wait(under_way)
        with self._lock:
            # Both at one moment: a list that came in between may hold it.
            known = self._believed(kid)
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

    def why_none(self) -> str:
        """Why there are no keys that prove anything, in words; empty where there are some, or nobody has looked yet."""
        with self._lock:
            return "" if self._known and not self._is_too_old() else self._failed

    def old_for_s(self) -> tuple[float, str]:
        """How old the list is that cannot be fetched anew, in seconds, and why it cannot; 0.0 where it can."""
        with self._lock:
            if not self._failed or self._fetched_at_s is None:
                return 0.0, ""
            return self._monotonic_s() - self._fetched_at_s, self._failed

    # ------------------------------------------------------------ fetching

    def _look_again(self, *, unknown: bool) -> threading.Event | None:
        """The look that is under way, which begins here where it is time."""
        with self._lock:
            now_s = self._monotonic_s()
            old = self._fetched_at_s is None or now_s - self._fetched_at_s >= self._fetch_every_s
            asked_lately = self._asked_at_s is not None and now_s - self._asked_at_s < FETCH_AGAIN_S
            if self._under_way is None and (unknown or old) and not asked_lately:
                self._asked_at_s = now_s
                self._under_way = threading.Event()
                threading.Thread(target=self._fetch, args=(self._under_way,), name="keys", daemon=True).start()
            return self._under_way

    def _wait(self, under_way: threading.Event) -> None:
        if self._waiting.acquire(blocking=False):
            try:
                under_way.wait(WAIT_S)
            finally:
                self._waiting.release()

    def _believed(self, kid: str) -> K | None:
        """Under the lock."""
        return None if self._is_too_old() else self._known.get(kid)

    def _is_too_old(self) -> bool:
        """Under the lock."""
        if self._believed_for_s is None or self._fetched_at_s is None:
            return False
        return self._monotonic_s() - self._fetched_at_s > self._believed_for_s

    def _is_certain(self) -> bool:
        """Whether the list was seen since the last time that it may be asked for. Under the lock."""
        if self._under_way is not None or self._fetched_at_s is None:
            return False
        return not self._failed and self._monotonic_s() - self._fetched_at_s <= FETCH_AGAIN_S

    def _fetch(self, done: threading.Event) -> None:
        try:
            found, failed = self._read(), ""
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
            log.warning(f"{self._whose} keys were not fetched", why=failed, known=len(self._known))
        done.set()

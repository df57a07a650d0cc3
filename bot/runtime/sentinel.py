"""Redis behind sentinels: which server is the primary is asked for each connection, and proved by the server itself.

redis-py's own client believes the first sentinel that answers. One that is cut off from the others names the old primary,
which may be a replica by now: what we connect to has to say that it leads.
"""

from __future__ import annotations

import threading
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool, SentinelManagedConnection, SentinelManagedSSLConnection

from bot.settings.redis_url import SentinelUrl
from workflows.ledger.scripts import NoPrimary, TooFewReplicas, text_of

SENTINEL_CONNECT_S, SENTINEL_ANSWER_S = 0.5, 1.0
"""A sentinel answers at once, or another one is asked."""


class Sentinels(Sentinel):
    """Several threads ask at once. Who answered last is asked first."""

    def __init__(self, url: SentinelUrl, **tls: Any) -> None:
        super().__init__(  # type: ignore[no-untyped-call]  # redis-py is typed in part, here and below
            url.sentinels,
            sentinel_kwargs={
                "socket_connect_timeout": SENTINEL_CONNECT_S,
                "socket_timeout": SENTINEL_ANSWER_S,
                "retry": Retry(NoBackoff(), 0),
                "username": url.sentinel_username,
                "password": url.sentinel_password,
                **tls,
            },
        )
        self.place = f"{url.name} by {', '.join(f'{host}:{port}' for host, port in url.sentinels)}"
        self._order = list(range(len(self.sentinels)))
        self._lock = threading.Lock()

    def discover_master(self, service_name: str) -> tuple[str, int]:
        """Raises NoPrimary, a ConnectionError, with the reason."""
        reasons = set()
        with self._lock:
            order = tuple(self._order)
        for number in order:
            found = self._ask(number, service_name)
            if isinstance(found, tuple):
                self._prefer(number)
                return found
            reasons.add(found)
        raise NoPrimary(next((words for words in _REASONS if words in reasons), _SILENT).format(service_name))

    def distrust(self) -> None:
        """Who was asked first named a server that does not lead."""
        with self._lock:
            self._order.append(self._order.pop(0))

    def _ask(self, number: int, name: str) -> tuple[str, int] | str:
        """Where the primary is, or why this sentinel does not say."""
        try:
            # By their names, as redis-py's own look has them.
            masters: Any = self.sentinels[number].sentinel_masters()
            state = masters.get(name)
        except AuthenticationError:
            return _REFUSED
        except (RedisConnectionError, RedisTimeoutError):
            return _SILENT
        except ResponseError as problem:
            return _REFUSED if str(problem).startswith(("NOAUTH", "NOPERM", "WRONGPASS")) else _SILENT
        if state is None:
            return _UNKNOWN
        is_up = self.check_master_state(state, name)  # type: ignore[no-untyped-call]  # as above
        return (str(state["ip"]), int(state["port"])) if is_up else _DOWN

    def _prefer(self, number: int) -> None:
        with self._lock:
            if self._order[0] != number:
                self._order.remove(number)
                self._order.insert(0, number)


_DOWN = "The sentinels see no primary of {} that is up, and have not chosen another one yet"
_UNKNOWN = "The sentinels watch nothing that is called {}: look at the name in REDIS_URL"
_REFUSED = "The sentinels refuse our password: it stands in REDIS_URL as sentinel_password"
_SILENT = "No sentinel answers, so that nobody says where Redis is"
# Of several reasons, the one that helps most.
_REASONS = (_DOWN, _UNKNOWN, _REFUSED, _SILENT)


class _Proves(SentinelManagedConnection):
    def connect_to(self, address: tuple[str, int]) -> None:
        super().connect_to(address)  # type: ignore[no-untyped-call]  # as above
        try:
            self.send_command("INFO", "replication")  # type: ignore[no-untyped-call]  # as above
            said = self.read_response()
        except ResponseError:
            return  # INFO may not be allowed to us: a write to a replica is refused all the same
        if "role:slave" in text_of(said):
            self.disconnect()  # type: ignore[no-untyped-call]  # as above
            self.connection_pool.sentinel_manager.distrust()
            raise RedisConnectionError("the server that the sentinels named is a replica")

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """A call that is tried again asks the sentinels, too: redis-py goes back to the server that it was connected to."""
        if not self._sock:
            self._connect_retry()  # type: ignore[no-untyped-call]  # as above
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]  # as above

    def read_response(self, *args: Any, **settings: Any) -> Any:
        """A primary that is cut off believes for ten seconds and more that it leads. Alone it takes no writes, where it has
        `min-replicas-to-write`; then the sentinels are asked anew. Raises TooFewReplicas.
        """
        try:
            return super().read_response(*args, **settings)
        except ResponseError as problem:
            if not str(problem).startswith("NOREPLICAS"):
                raise
            self.disconnect()  # type: ignore[no-untyped-call]  # as above
            raise TooFewReplicas(str(problem)) from None


class _Proving(_Proves):
    """A connection to the primary, which has said that it is one."""


class _ProvingTls(_Proves, SentinelManagedSSLConnection):
    """The same by TLS."""


def connect_by_sentinels(url: SentinelUrl, **settings: Any) -> Redis:
    """`settings`: of a connection, as redis-py has them."""
    tls: dict[str, Any] = {"ssl": True, "ssl_ca_certs": url.ca_certs} if url.tls else {}
    pool = SentinelConnectionPool(  # type: ignore[no-untyped-call]  # as above
        url.name,
        Sentinels(url, **tls),
        connection_class=_ProvingTls if url.tls else _Proving,
        db=url.db,
        **({"username": url.username, "password": url.password} if url.password else {}),
        **({"ssl_ca_certs": url.ca_certs} if url.tls else {}),
        **settings,
    )
    client: Redis = Redis.from_pool(pool)
    return client

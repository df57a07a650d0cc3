"""What every subject is given to look with. All of it only reads, and what several need is looked up once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, get_args

from redis import Redis
from redis.exceptions import RedisError

from bot.chat.outbox.outages import channels_of
from bot.doctor.allowance import Allowance
from bot.monotonic import monotonic_s
from bot.providers import know_providers
from bot.settings import Process, Settings, named_secret
from bot.wiring.common import build_redis
from workflows.core.destination import read_destination
from workflows.core.finding import Finding, attention
from workflows.core.policy import Policy
from workflows.ledger.redis_ledger import RedisLedger
from workflows.policy_file import Reading, read_policy

# Whom a look is for: one process as it would find this machine, or all of them, as `prodaccess up` runs them.
Whom = Literal["web", "worker", "clock", "up"]
WHOM: tuple[Whom, ...] = get_args(Whom)
SEE_SECRETS = "docs/operations.md, Secrets, and how to exchange one"

T = TypeVar("T")


class Once(Generic[T]):
    """A value that is made when it is first wanted, by one thread; others wait for it. What it raised is raised again."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[T] = []
        self._raised: Exception | None = None

    def __call__(self) -> T:
        with self._lock:
            if self._raised is not None:
                raise self._raised
            if not self._made:
                try:
                    self._made.append(self._make())
                except Exception as problem:
                    self._raised = problem
                    raise
            return self._made[0]


@dataclass(frozen=True, slots=True)
class Server:
    """`redis` is None where there is none to look into, and `why` says why."""

    redis: Redis | None
    why: str = ""


@dataclass(frozen=True)
class Context:
    """`whom`: None: whatever this machine has is looked at, and nothing is asked of it. `problems`: what is wrong with the
    variables, which `settings` are without. `wall_s`: this machine's time of day, in seconds since the epoch.
    """

    settings: Settings
    environ: Mapping[str, str]
    whom: Whom | None
    wall_s: Callable[[], float]
    problems: tuple[str, ...] = ()
    allowance: Allowance = field(default_factory=Allowance)

    def __post_init__(self) -> None:
        know_providers()
        object.__setattr__(self, "reading", Once(lambda: read_policy(Path(self.settings.config))))
        object.__setattr__(self, "server", Once(self._server))

    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _shared: dict[str, Once[Any]] = field(default_factory=dict, init=False, repr=False)
    _opened: list[Redis] = field(default_factory=list, init=False, repr=False)
    # Made above, because the class is frozen.
    reading: Callable[[], Reading] = field(init=False, repr=False)
    server: Callable[[], Server] = field(init=False, repr=False)

    @property
    def policy(self) -> Policy | None:
        """What the folder says; None where it is not valid, which the policy's own lines tell."""
        return self.reading().policy

    def places(self, surface: str) -> list[str]:
        """Channels of this chat that the policy names."""
        named = channels_of(self.policy) if self.policy else set()
        return sorted(place for place in named if read_destination(place).surface == surface)

    def needs(self, *processes: Process) -> bool:
        """Whether the look is for one of these, so that what is not here is missing."""
        return self.whom == "up" or self.whom in processes

    def shared(self, name: str, make: Callable[[], T]) -> T:
        """What several subjects want, made by the first of them."""
        with self._lock:
            once: Once[T] = self._shared.setdefault(name, Once(make))
        return once()

    def secret(self, name: str) -> str | None:
        """The value behind a name that the policy gives."""
        return named_secret(name, self.environ)

    def ledger(self, redis: Redis) -> RedisLedger:
        return RedisLedger(redis, durability=self.settings.redis_durability, monotonic=monotonic_s)

    def close(self) -> None:
        """The look is over: connections to Redis are closed, also under a subject that nobody waits for any more."""
        for client in self._opened:
            client.close()

    def _server(self) -> Server:
        if self.settings.redis_url is None:
            own = "the server that `prodaccess up` starts is known to its own processes alone"
            return Server(None, own if self.whom == "up" else "there is no REDIS_URL here")
        client = build_redis(self.settings, for_web=True)
        self._opened.append(client)
        try:
            client.ping()
        except (RedisError, OSError) as problem:
            return Server(None, words_of(problem))
        return Server(client)


def elsewhere(*processes: Process) -> str:
    """For what this machine has not: where to look."""
    names = " or ".join(processes)
    return f"run `prodaccess doctor --process {processes[0]}` where {names} runs"


def some_of(names: Sequence[str], at_most: int) -> str:
    """Listed, and of those beyond `at_most` how many there are."""
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return f"{', '.join(names[:at_most])}{more}"


def exchanged(context: Context, check: str, name: str) -> Iterator[Finding]:
    """Of a secret whose file has several values: that an older one had to be taken. To be asked after it was used."""
    for sentence in context.settings.secrets.attention():
        if name in sentence:
            yield attention(check, name, sentence, SEE_SECRETS)


def once(words: str) -> str:
    """What a process says of itself, without its promise to try again: nobody does so here."""
    return words.replace(" It is tried again automatically.", "")


def words_of(problem: BaseException) -> str:
    """Why a server did not answer, without its address, which may hold a password."""
    text = " ".join(str(problem).split())
    if "sentinel" in text:
        # Ours: why they name no server.
        return text
    for word, words in _SAID.items():
        if word in text:
            return words
    return _KINDS.get(type(problem).__name__, f"it does not answer as it should ({type(problem).__name__})")


_SAID = {
    "WRONGPASS": "it refuses the user name or the password",
    "NOAUTH": "it wants a password",
    "NOPERM": "it does not let this user do that",
    "no permissions": "it does not let this user do that",
    "invalid username-password": "it refuses the user name or the password",
    "Authentication required": "it wants a password",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not one that this machine trusts",
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
    "Name or service not known": "its name is not found",
    "Temporary failure in name resolution": "its name is not found",
    "Connection refused": "nothing listens there",
    "LOADING": "it is still reading its data",
}
_KINDS = {
    "TimeoutError": "it does not answer in time",
    "AuthenticationError": "it refuses the user name or the password",
    "ConnectionError": "it cannot be reached",
}

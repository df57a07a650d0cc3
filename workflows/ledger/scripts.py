"""Runs our Lua on a Redis client, and turns what Redis answers when it cannot into one plain sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Generic, TypeVar

import redis
from redis import exceptions
from redis.sentinel import MasterNotFoundError

from workflows.ports import CorruptLedger, LedgerUnreachable, Notice

T = TypeVar("T")

Argument = str | bytes | int | float


@dataclass(frozen=True, slots=True)
class Script:
    """`sha` is how Redis names the text."""

    text: str
    sha: str


@dataclass(frozen=True, slots=True)
class Prepared(Generic[T]):
    """A run of a script, and what becomes of its reply."""

    script: Script
    keys: Sequence[str]
    args: Sequence[Argument]
    parse: Callable[[Any], T]


@cache
def script(name: str, *, flags: str = "", preludes: tuple[str, ...] = ()) -> Script:
    """The text of `<name>.lua`, which may stand behind `preludes`, with its first line.

    That line matters even without flags: only with it does Redis refuse a whole script before its first write when memory
    is full or it cannot write to its disk. `allow-oom`: run although memory is full; `no-writes`: run whatever is wrong.
    """
    parts = [_text(part) for part in (*preludes, name)]
    head = f"#!lua flags={flags}" if flags else "#!lua"
    text = "\n".join([head, *parts])
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def _text(name: str) -> str:
    return files("workflows.ledger").joinpath(f"{name}.lua").read_text(encoding="utf-8")


class NoPrimary(MasterNotFoundError):
    """No sentinel names a primary. Its text says why, for a person, and holds no secret."""


class TooFewReplicas(exceptions.ConnectionError):
    """A primary behind sentinels that takes no writes, because it is alone: another server may lead by now."""


class Server:
    """A Redis client whose every call either answers or raises LedgerUnreachable."""

    def __init__(self, client: redis.Redis) -> None:
        # redis-py's methods have no full types.
        self._client: Any = client

    def run(self, what: Script, keys: Sequence[str], args: Iterable[Argument] = ()) -> Any:
        """Run a script in one round trip; in two after a restart, when the server has forgotten its text."""
        rest = (len(keys), *keys, *args)
        with self.plain_errors():
            try:
                return self._client.execute_command("EVALSHA", what.sha, *rest)
            except exceptions.NoScriptError:
                return self._client.execute_command("EVAL", what.text, *rest)

    def run_together(self, scripts: Sequence[Prepared[Any]]) -> list[Any]:
        """Run them one after the other, in one round trip; another client's may come between two of them. What one answers may be
        the exception that it alone would raise: full memory refuses one, and lets another one through. Raises LedgerUnreachable
        where nothing is known of any.
        """

        def fill(pipe: Any) -> None:
            for one in scripts:
                pipe.execute_command("EVALSHA", one.script.sha, len(one.keys), *one.keys, *one.args)

        return [self._alone(one, answer) for one, answer in zip(scripts, self.pipeline(fill), strict=True)]

    def _alone(self, one: Prepared[Any], answer: Any) -> Any:
        if isinstance(answer, exceptions.NoScriptError):
            try:
                return self.run(one.script, one.keys, one.args)
            except (CorruptLedger, LedgerUnreachable) as problem:
                return problem
        return self.explain(answer) if isinstance(answer, exceptions.RedisError) else answer

    def call(self, *command: Argument) -> Any:
        with self.plain_errors():
            return self._client.execute_command(*command)

    def scan(self, pattern: str) -> Iterator[str]:
        """All keys of a pattern, in no order; those whose names are no text are left out."""
        cursor: int = 0
        while True:
            cursor, names = self.call("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            yield from (name for name in map(text_of, names) if "\ufffd" not in name)
            if not int(cursor):
                return

    def pipeline(self, fill: Callable[[Any], object]) -> list[Any]:
        """Send what `fill` puts in, in one round trip on one connection. An answer may be a ResponseError."""
        with self.plain_errors(), self._client.pipeline(transaction=False) as pipe:
            fill(pipe)
            return list(pipe.execute(raise_on_error=False))

    @contextmanager
    def plain_errors(self) -> Iterator[None]:
        try:
            yield
        except exceptions.RedisError as error:
            # The cause is cut off: nothing that Redis or the client put into words can carry a password into a log.
            raise self.explain(error) from None

    def explain(self, error: exceptions.RedisError) -> Exception:
        words = str(error)
        if words.startswith("WRONGTYPE"):
            return CorruptLedger("a key of ours is of another kind than what we keep there")
        if "LEDGERCORRUPT" in words:
            return CorruptLedger(words.partition("LEDGERCORRUPT ")[2].partition(" script:")[0])
        return LedgerUnreachable(f"{_sentence(error, words)} ({self.place}).")

    @property
    def fails_over(self) -> bool:
        """Whether sentinels say where the primary is, and may name another server at any moment."""
        return hasattr(self._client.connection_pool, "sentinel_manager")

    @property
    def primary(self) -> object:
        """Which server was connected to last, where it may be another one at any moment; else None."""
        return getattr(self._client.connection_pool, "master_address", None)

    @property
    def place(self) -> str:
        """Where the server is, without user and password."""
        if self.fails_over:
            return str(self._client.connection_pool.sentinel_manager.place)
        settings = self._client.connection_pool.connection_kwargs
        if "path" in settings:
            return str(settings["path"])
        return f"{settings.get('host', 'localhost')}:{settings.get('port', 6379)}"


TOO_FEW_REPLICAS = "Redis has too few replicas to take writes"
# What Redis answers -> what it means. The first that fits counts; subclasses stand before their bases.
_BY_TYPE: tuple[tuple[type[exceptions.RedisError], str], ...] = (
    (exceptions.AuthenticationError, "Redis refuses our user name or password"),
    (exceptions.BusyLoadingError, "Redis is still loading its data"),
    (exceptions.ReadOnlyError, "Redis is a replica and takes no writes"),
    (exceptions.OutOfMemoryError, "Redis has reached its memory limit and takes no more writes"),
    (exceptions.NoPermissionError, "Redis does not allow our user to do this"),
    (exceptions.MaxConnectionsError, "All our connections to Redis are in use"),
    (exceptions.TimeoutError, "Redis did not answer in time"),
    (TooFewReplicas, TOO_FEW_REPLICAS),
)
_BY_WORD: tuple[tuple[str, str], ...] = (
    ("MISCONF", "Redis cannot write to its disk"),
    ("NOREPLICAS", TOO_FEW_REPLICAS),
    ("NOAUTH", "Redis asks for a password"),
    ("WRONGPASS", "Redis refuses our user name or password"),
    ("OOM ", "Redis has reached its memory limit and takes no more writes"),
    ("READONLY", "Redis is a replica and takes no writes"),
    ("LOADING", "Redis is still loading its data"),
    ("MASTERDOWN", "Redis has lost its primary"),
    ("NOPERM", "Redis does not allow our user to do this"),
    ("ACL failure", "Redis does not allow our user to do this"),
    # As Redis 7.0 has it, where a script is what may not.
    ("The user executing the script", "Redis does not allow our user to do this"),
    ("BUSY ", "Redis is busy with a script of somebody else's"),
)


def _sentence(error: exceptions.RedisError, words: str) -> str:
    if isinstance(error, NoPrimary):
        return words
    for kind, sentence in _BY_TYPE:
        if isinstance(error, kind):
            return sentence
    if isinstance(error, exceptions.ConnectionError) and not isinstance(error, exceptions.ResponseError):
        return "Redis cannot be reached"
    for word, sentence in _BY_WORD:
        if word in words:
            return sentence
    if "user_script" in words or "script:" in words:
        # Our own Lua failed; its message names a line and never holds a password.
        return f"Redis could not run a script of ours: {words[:300]}"
    return f"Redis answered with an error of the kind {words.split(' ', 1)[0][:40] or type(error).__name__}"


def texts(values: Iterable[Any], where: str, notice: Notice) -> list[str]:
    """The same for many; one that is no text is left out, and noted as something in `where`."""
    found = []
    for value in values:
        try:
            found.append(text(value))
        except UnicodeDecodeError:
            notice(where, f"{where} names something that is no text")
    return found


def raw(value: Any) -> bytes:
    """A reply as bytes, whether or not the client decodes replies."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


def text_of(value: Any) -> str:
    """As text, whatever it is: for what is compared or shown, and never parsed."""
    return raw(value).decode("utf-8", "replace")


def text(value: Any) -> str:
    """A reply as text, whether or not the client decodes replies."""
    return value.decode() if isinstance(value, bytes) else str(value)

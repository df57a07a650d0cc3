"""Whether the Redis user may do what our processes do, found without doing any of it.

Redis looks at a user's rights when a command is queued after MULTI, and DISCARD throws the queue away: nothing is carried out.
Source: "Transactions" and "ACL" of the Redis documentation; tried with Redis 7 and Valkey 9.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from bot.doctor.context import Context, elsewhere
from bot.settings import Process
from workflows.core.finding import Finding, attention, broken, ok, skipped, unknown

_KEY, _QUEUE = "prodaccess:doctor", "rq:doctor"
Command = tuple[str | int, ...]

# What looks.
READS: tuple[Command, ...] = (
    ("GET", _KEY),
    ("MGET", _KEY),
    ("EXISTS", _KEY),
    ("HGET", _KEY, "f"),
    ("LRANGE", _KEY, 0, 0),
    ("ZRANGE", _KEY, 0, 0),
    ("XREVRANGE", _KEY, "+", "-"),
    ("EVALSHA", "0" * 40, 1, _KEY),
    ("LLEN", _QUEUE),
)
# What every process does besides.
WRITES: tuple[Command, ...] = (
    ("SET", _KEY, "v"),
    ("DEL", _KEY),
    ("PEXPIRE", _KEY, 1),
    ("HSET", _KEY, "f", "v"),
    ("HDEL", _KEY, "f"),
    ("ZADD", _KEY, 1, "m"),
    ("ZREM", _KEY, "m"),
    ("RPUSH", _KEY, "v"),
    ("XADD", _KEY, "*", "f", "v"),
    ("RPUSH", _QUEUE, "v"),
    ("HSET", _QUEUE, "f", "v"),
)
# What takes jobs off the queues.
WORKS: tuple[Command, ...] = (("LPOP", _QUEUE), ("ZADD", _QUEUE, 1, "m"), ("EXPIRE", _QUEUE, 1))
NEEDED: dict[Process, tuple[Command, ...]] = {
    "web": (*READS, *WRITES),
    "worker": (*READS, *WRITES, *WORKS),
    "clock": (*READS, *WRITES),
}


def rights(context: Context, redis: Redis) -> Iterator[Finding]:
    who = _user(redis)
    what = f"user {who}" if who else "rights"
    whom = context.whom if context.whom not in (None, "up") else None
    needed = NEEDED[whom] if whom in NEEDED else NEEDED["worker"]
    try:
        refused = may_not(redis, needed)
    except RedisError as problem:
        yield unknown("redis.rights", what, f"what it may do cannot be asked ({type(problem).__name__})")
        return
    if not refused:
        yield ok("redis.rights", what, "it may do all that our processes do")
        return
    words = f"it may not do {', '.join(refused)} on our keys"
    mend = f"give it the rights of docs/operations.md, Redis, Access; {elsewhere('web', 'worker', 'clock')}"
    if context.whom is not None:
        yield broken("redis.rights", what, words, mend)
    elif set(refused) <= {str(command[0]) for command in (*WRITES, *WORKS)} - {str(command[0]) for command in READS}:
        yield skipped(
            "redis.rights", what, f"{words}: enough to look, and too little for a process", elsewhere("web", "worker")
        )
    else:
        yield attention("redis.rights", what, words, mend)


def may_not(redis: Redis, commands: tuple[Command, ...]) -> tuple[str, ...]:
    """Names of those that are refused for want of rights. Nothing is carried out. Raises RedisError."""
    connection: Any = redis.connection_pool.get_connection()
    refused: dict[str, None] = {}
    try:
        _ask(connection, ("MULTI",))
        for command in commands:
            try:
                _ask(connection, command)
            except NoPermissionError:
                refused[str(command[0])] = None
        _ask(connection, ("DISCARD",))
    finally:
        # Where something went wrong in between, the queue must not be somebody else's.
        connection.disconnect()
        redis.connection_pool.release(connection)
    return tuple(refused)


def _ask(connection: Any, command: Command) -> Any:
    connection.send_command(*command)
    return connection.read_response()


def _user(redis: Redis) -> str:
    try:
        found: Any = redis.acl_whoami()
    except RedisError:
        return ""
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)

"""Whether the Redis user may do what our processes do, found without doing any of it.

Redis looks at a user's rights when a command is queued after MULTI, and DISCARD throws the queue away: nothing is carried out.
Source: "Transactions" and "ACL" of the Redis documentation; tried with Redis 7 and Valkey 9.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from bot.doctor.context import Context, elsewhere, some_of
from bot.settings import Process
from workflows.core.finding import Finding, attention, broken, ok, skipped, unknown
from workflows.ledger.scripts import text_of

_RECORD, _INDEX, _OF, _QUEUE = (
    "prodaccess:record:doctor",
    "prodaccess:index:doctor",
    "prodaccess:audit:of:doctor",
    "rq:queue:prodaccess-grant",
)
NAMED_MAX = 4
SEE = "docs/operations.md, Redis, Access"
Command = tuple[str | int, ...]

# What looks, on keys of each kind: an ACL may name them one by one.
READS: tuple[Command, ...] = (
    ("MGET", _RECORD),
    ("EXISTS", "prodaccess:beat:worker"),
    ("HGET", "prodaccess:woken", "f"),
    ("ZRANGE", _INDEX, 0, 0),
    ("XREVRANGE", "prodaccess:audit", "+", "-"),
    ("EVALSHA", "0" * 40, 1, _RECORD),
)
# What tells people of the record.
TELLS: tuple[Command, ...] = (("LRANGE", _OF, 0, 0), ("ZCARD", _INDEX))
# Whether a failure was told already.
NOTES: tuple[Command, ...] = (("ZSCORE", _INDEX, "m"),)
# What every process does besides: commit, and send wake-ups.
WRITES: tuple[Command, ...] = (
    ("SET", _RECORD, "v"),
    ("DEL", _RECORD),
    ("PEXPIRE", "prodaccess:commit:doctor", 1),
    ("HSET", "prodaccess:woken", "f", "v"),
    ("HDEL", "prodaccess:woken", "f"),
    ("ZADD", _INDEX, 1, "m"),
    ("ZREM", _INDEX, "m"),
    ("RPUSH", _OF, "v"),
    ("XADD", "prodaccess:audit", "*", "f", "v"),
    ("RPUSH", _QUEUE, "v"),
    ("HSET", "rq:job:doctor", "f", "v"),
)
LEASES: tuple[Command, ...] = (("SET", "prodaccess:lease:doctor", "v"),)
# What takes wake-ups off the queues.
WORKS: tuple[Command, ...] = (("LLEN", _QUEUE), ("LREM", _QUEUE, 0, "v"), ("EXPIRE", "rq:job:doctor", 1))
NEEDED: dict[Process, tuple[Command, ...]] = {
    "web": (*READS, *TELLS, *NOTES, *WRITES),
    "worker": (*READS, *TELLS, *NOTES, *WRITES, *LEASES, *WORKS),
    "clock": (*READS, *TELLS, *NOTES, *WRITES, *LEASES),
}


def rights(context: Context, redis: Redis) -> Iterator[Finding]:
    who = _user(redis)
    what = f"user {who}" if who else "rights"
    needed = next((NEEDED[process] for process in NEEDED if process == context.whom), NEEDED["worker"])
    try:
        unread, refused = may_not(redis, (*READS, *TELLS)), may_not(redis, needed)
    except RedisError as problem:
        yield unknown("redis.rights", what, f"what it may do cannot be asked ({type(problem).__name__})")
        return
    if not refused:
        yield ok("redis.rights", what, "it may do all that our processes do")
        return
    words = f"it may not do {some_of(refused, NAMED_MAX)}"
    mend = f"give it the rights of deploy/redis/users.acl, or of {SEE}"
    if context.whom is not None:
        yield broken("redis.rights", what, words, mend)
    elif unread:
        yield attention("redis.rights", what, f"{words}: too little to look at the record", mend)
    else:
        where = elsewhere("web", "worker", "clock")
        yield skipped("redis.rights", what, f"{words}: enough to look, and too little for a process", where)


def may_not(redis: Redis, commands: tuple[Command, ...]) -> tuple[str, ...]:
    """Those that are refused for want of rights, with their keys. Nothing is carried out. Raises RedisError."""
    connection: Any = redis.connection_pool.get_connection()
    refused: dict[str, None] = {}
    try:
        _ask(connection, ("MULTI",))
        for command in commands:
            try:
                _ask(connection, command)
            except NoPermissionError:
                refused[f"{command[0]} {_key_of(command)}"] = None
        # An ACL may leave it out; the end of the connection is the end of the queue, too.
        with contextlib.suppress(NoPermissionError):
            _ask(connection, ("DISCARD",))
    finally:
        connection.disconnect()
        redis.connection_pool.release(connection)
    return tuple(refused)


def _key_of(command: Command) -> str:
    return str(command[3] if command[0] == "EVALSHA" else command[1])


def _ask(connection: Any, command: Command) -> Any:
    connection.send_command(*command)
    return connection.read_response()


def _user(redis: Redis) -> str:
    try:
        found: Any = redis.acl_whoami()
    except RedisError:
        return ""
    return text_of(found)

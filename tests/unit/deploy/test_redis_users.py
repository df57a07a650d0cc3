"""Each process has a user in Redis: what it must never do is refused, line by line, also from inside our own Lua."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from bot.doctor.redis_rights import NEEDED, READS, Command, may_not
from bot.queues import ALL_QUEUES, GRANT, RqWake
from bot.runtime.embedded_redis import EmbeddedValkey
from bot.runtime.redis_servers import find_servers
from bot.settings import PROCESSES, Process
from tests.support.installation import free_port
from tests.support.redis_users import FILE, put_in_place, url
from tests.support.waiting import eventually
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.ledger.redis_due import RedisDue
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import (
    Change,
    Committed,
    Committing,
    Lease,
    Ledger,
    LedgerUnreachable,
    Lost,
    MakingDurable,
    Reading,
    Trim,
)
from workflows.usecases.upkeep.verify_audit import all_faults

USERS = ("prodaccess-web", "prodaccess-worker", "prodaccess-clock", "prodaccess-operator", "prodaccess-keeper")
AUDIT, HEAD, WORDS, LIST = (f"prodaccess:audit{rest}" for rest in ("", ":head", ":private", ":of:PA-1"))

NOBODY_MAY = [
    "CONFIG SET appendonly no",
    "CONFIG REWRITE",
    "FLUSHALL",
    "FLUSHDB",
    "KEYS *",
    "DEBUG SLEEP 0",
    "SCRIPT FLUSH",
    "SCRIPT LOAD return",
    "FUNCTION FLUSH",
    "ACL WHOAMI",
    "ACL SETUSER default on nopass",
    "SHUTDOWN NOSAVE",
    "REPLICAOF NO ONE",
    "SWAPDB 0 1",
    "MONITOR",
    "CLIENT KILL TYPE normal",
    "MIGRATE 127.0.0.1 1 key 0 1",
    "RESTORE prodaccess:record:x 0 x",
    "PUBLISH channel x",
    f"XDEL {AUDIT} 1-0",
    f"XSETID {AUDIT} 9-0",
    *(f"{command} {key}" for command in ("DEL", "UNLINK", "PERSIST") for key in (AUDIT, HEAD, WORDS, LIST)),
    *(f"{command} {key} 1" for command in ("EXPIRE", "PEXPIRE") for key in (AUDIT, HEAD, WORDS, LIST)),
    *(f"RENAME {key} prodaccess:record:x" for key in (AUDIT, HEAD, WORDS, LIST)),
    f"RENAME prodaccess:record:x {AUDIT}",
    f"COPY prodaccess:record:x {AUDIT} REPLACE",
    f"SET {AUDIT} x",
    f"SET {WORDS} x",
    f"LTRIM {LIST} 1 0",
    f"LREM {LIST} 0 1",
    f"LSET {LIST} 0 2",
    f"HSET {AUDIT} 1 x",
    "SET another-program x",
    "GET another-program",
]
IN_SCRIPTS = [
    f"redis.call('DEL', '{AUDIT}')",
    f"redis.call('XDEL', '{AUDIT}', '1-0')",
    f"redis.call('RENAME', '{AUDIT}', 'prodaccess:record:x')",
    f"redis.call('PEXPIRE', '{AUDIT}', 1)",
    f"redis.call('SET', '{AUDIT}', 'x')",
    "redis.call('FLUSHALL')",
    "redis.call('CONFIG', 'SET', 'appendonly', 'no')",
    "redis.call('SET', 'another-program', 'x')",
]
# Beyond that, each by itself.
TRIM = f"XTRIM {AUDIT} MAXLEN 0"
MAY_NOT = {
    "prodaccess-web": [
        TRIM,
        "SCAN 0",
        f"HDEL {WORDS} 1",
        "SET prodaccess:lease:clock-leader 9:me",
        "SET prodaccess:beat:worker 1",
        "HGETALL rq:job:1",
        "DEL rq:job:1",
        "LRANGE rq:queue:prodaccess-remove 0 -1",
        "LPOP rq:queue:prodaccess-remove",
        "DEL rq:queue:prodaccess-remove",
        "BGSAVE",
    ],
    "prodaccess-worker": [TRIM, f"LPOP {LIST}", f"HDEL {WORDS} 1", "SET prodaccess:beat:clock 1", "BGSAVE"],
    "prodaccess-keeper": ["SET prodaccess:beat:clock 1", "BGSAVE"],
    "prodaccess-clock": [
        TRIM,
        "SCAN 0",
        f"HDEL {WORDS} 1",
        "SET prodaccess:person:x {}",
        "SET prodaccess:ids 1",
        "HGETALL rq:job:1",
        "DEL rq:queue:prodaccess-remove",
        "LPOP rq:queue:prodaccess-remove",
        "BGSAVE",
    ],
    "prodaccess-operator": [
        TRIM,
        "SET prodaccess:lease:clock-leader 9:me",
        "SET prodaccess:beat:worker 1",
        "HGETALL rq:job:1",
        "DEL rq:queue:prodaccess-remove",
    ],
}


def one_entry(ledger: RedisLedger, commit_id: str) -> Change:
    now = ledger.now()
    said = AuditEvent(Event.REQUEST_MADE, "PA-1", now, "0" * 32, "5" * 32, {}, {"who": "dana"})
    return Change(commit_id, now, {}, due={"end:PA-1": now}, audit=(said,))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    folder = tmp_path_factory.mktemp("redis")
    with EmbeddedValkey(folder, durable=False) as running, redis.Redis.from_url(running.url) as admin:
        put_in_place(admin, *USERS)
        admin.xadd(AUDIT, {"body": "x"}, id="1-0")
        admin.set("prodaccess:record:x", "1:{}")
        yield running


@pytest.mark.parametrize("name", USERS)
def test_what_a_user_must_never_do_is_refused(server: EmbeddedValkey, name: str) -> None:
    done = []
    with redis.Redis.from_url(url(name, server.port)) as client, redis.Redis.from_url(server.url) as admin:
        before = admin.dump(AUDIT)
        for line in [*NOBODY_MAY, *MAY_NOT[name]]:
            try:
                client.execute_command(*line.split())
            except redis.exceptions.NoPermissionError:
                continue
            except redis.exceptions.ResponseError as problem:
                # DEBUG is refused to everybody.
                done += [f"{line}: {problem}"] if "not allowed" not in str(problem) else []
            else:
                done.append(line)
        for line in IN_SCRIPTS:
            with pytest.raises(redis.exceptions.ResponseError, match=r"ACL failure|can't (run|access)|not allowed"):
                client.execute_command("EVAL", f"return {line}", 0)
        assert done == []
        assert admin.dump(AUDIT) == before


@pytest.mark.parametrize("name", USERS)
def test_each_user_commits_and_what_it_wrote_is_whole(server: EmbeddedValkey, name: str) -> None:
    with redis.Redis.from_url(server.url) as admin:
        admin.delete(*admin.scan_iter("prodaccess:audit*"), "prodaccess:tick")
    with redis.Redis.from_url(url(name, server.port)) as client:
        ledger = RedisLedger(client, durability="declared", monotonic=time.monotonic)
        ledger.check_server()
        assert isinstance(ledger.commit(one_entry(ledger, f"by-{name}")), Committed)
        assert len(ledger.entries()) == 1


@pytest.mark.parametrize("name", ["prodaccess-web", "prodaccess-worker"])
def test_who_lets_something_on_may_wait_until_that_is_on_disk(server: EmbeddedValkey, name: str) -> None:
    """A worker before it calls a target, web before a pipeline's run goes on."""
    with redis.Redis.from_url(url(name, server.port)) as client:
        assert client.execute_command("WAIT", 0, 1) == 0
        assert client.execute_command("WAITAOF", 0, 0, 1)


@pytest.mark.parametrize("name", USERS)
def test_only_the_keeper_takes_entries_out_of_the_log_and_who_may_not_changes_nothing(
    server: EmbeddedValkey, name: str
) -> None:
    with redis.Redis.from_url(server.url) as admin:
        admin.delete(*admin.scan_iter("prodaccess:audit*"), "prodaccess:tick")
    with redis.Redis.from_url(url(name, server.port)) as client:
        ledger = RedisLedger(client, durability="declared", monotonic=time.monotonic)
        for number in range(2):
            ledger.commit(one_entry(ledger, f"kept-{name}-{number}"))
        change = replace(one_entry(ledger, f"gone-{name}"), forget=(1,), trim=Trim(2, ("PA-1",)))
        result = ledger.commit(change)
        left = [entry.number for entry in ledger.stored_entries()]
    if name == "prodaccess-keeper":
        assert (isinstance(result, Committed), left) == (True, [2, 3])
    else:
        assert (result, left) == (Lost("rights"), [1, 2])


# Every question of the port, so that none can be added of which nobody thinks here.
def all_of(ledger: RedisLedger) -> None:
    """What one of them was refused is its answer."""
    change = one_entry(ledger, secrets.token_hex(8))
    for answer in ledger.together([Reading(("request:PA-1",)), Committing(change), MakingDurable("")]):
        if isinstance(answer, Exception):
            raise answer


ASKED: dict[str, Callable[[RedisLedger], object]] = {
    "now": lambda ledger: ledger.now(),
    "read": lambda ledger: ledger.read("request:PA-1"),
    "commit": lambda ledger: ledger.commit(one_entry(ledger, secrets.token_hex(8))),
    "records": lambda ledger: list(ledger.records("request")),
    "next_id": lambda ledger: ledger.next_id(),
    "raise_ids": lambda ledger: ledger.raise_ids(1),
    "members": lambda ledger: ledger.members(keys.LIVE),
    "walk": lambda ledger: list(ledger.walk(keys.LIVE)),
    "count": lambda ledger: ledger.count(keys.LIVE),
    "score": lambda ledger: ledger.score(keys.LIVE, "PA-1"),
    "entries": lambda ledger: ledger.entries(),
    "stored_entries": lambda ledger: ledger.stored_entries(),
    "audit_state": lambda ledger: ledger.audit_state(),
    "audit_lists": lambda ledger: list(ledger.audit_lists()),
    "entries_of": lambda ledger: ledger.entries_of("PA-1"),
    "stored_entries_of": lambda ledger: ledger.stored_entries_of(["PA-1"]),
    "head": lambda ledger: ledger.head(),
    "newest_seen": lambda ledger: ledger.newest_seen(),
    "lost": lambda ledger: ledger.lost(),
    "trust": lambda ledger: ledger.trust(),
    "acquire": lambda ledger: ledger.acquire("seal:ledger"),
    "renew": lambda ledger: ledger.renew(Lease("seal:ledger", 1, "0", 0.0)),
    "release": lambda ledger: ledger.release(Lease("seal:ledger", 1, "0", 0.0)),
    "remind": lambda ledger: ledger.remind("policy:leavers", 60.0),
    "due_among": lambda ledger: ledger.due_among(["end:PA-1"]),
    "durability": lambda ledger: ledger.durability(),
    "make_durable": lambda ledger: ledger.make_durable(),
    "together": lambda ledger: all_of(ledger),
}
# Whoever serves people or time never looks over all that there is. The log is verified at a terminal; only what lets old
# requests go asks what of many is due.
_ALL, _VERIFIES, _LETS_GO = {"records", "audit_lists"}, {"audit_state"}, {"due_among"}
REFUSED = {
    "prodaccess-web": _ALL | _VERIFIES | _LETS_GO | {"acquire"},
    "prodaccess-worker": _VERIFIES | _LETS_GO,
    "prodaccess-clock": _ALL | _VERIFIES | _LETS_GO | {"next_id", "raise_ids"},
    "prodaccess-operator": _LETS_GO,
    "prodaccess-keeper": _VERIFIES,
}


@pytest.mark.parametrize("name", USERS)
def test_each_user_may_ask_the_ledger_whatever_its_process_may_come_to_ask(server: EmbeddedValkey, name: str) -> None:
    """Some of it once a minute, or when something is broken: a test of a good day does not meet it."""
    assert ASKED.keys() == {each for each in vars(Ledger) if not each.startswith("_")}
    refused = set()
    with redis.Redis.from_url(server.url) as admin:
        admin.delete(*admin.scan_iter("prodaccess:*"))
    with redis.Redis.from_url(url(name, server.port)) as client:
        ledger = RedisLedger(client, durability="declared", monotonic=time.monotonic)
        for question, ask in ASKED.items():
            try:
                ask(ledger)
            except LedgerUnreachable:
                refused.add(question)
    assert refused == REFUSED[name]


def test_the_operator_may_look_at_the_queues_and_a_trace_may_be_kept(server: EmbeddedValkey) -> None:
    looks: tuple[Command, ...] = (
        *READS,
        ("LRANGE", "rq:queue:prodaccess-grant", 0, 0),
        ("HGET", "rq:job:1", "enqueued_at"),
    )
    with redis.Redis.from_url(url("prodaccess-operator", server.port)) as client:
        assert may_not(client, looks) == ()
    with redis.Redis.from_url(url("prodaccess-worker", server.port)) as client:
        assert client.set("prodaccess:trace:on:request:PA-1", "00-1-2-01", ex=60)


@pytest.mark.parametrize("name", USERS[:3])
def test_each_processs_own_user_may_wake_whoever_works(server: EmbeddedValkey, name: str) -> None:
    """After an act, and one job for several things."""
    with redis.Redis.from_url(url(name, server.port)) as client, redis.Redis.from_url(server.url) as admin:
        wake = RqWake(client, RedisDue(client, queues=[f"rq:queue:{GRANT}"], monotonic=time.monotonic))
        before = sum(admin.llen(f"rq:queue:{queue}") for queue in ALL_QUEUES)
        wake(*(f"{kind}:{name}" for kind in ("end", "holding", "chat")))
        wake.send("end:PA-1", "end:PA-2")
        wake.send("holding:H-1", "holding:H-2")
        assert sum(admin.llen(f"rq:queue:{queue}") for queue in ALL_QUEUES) == before + 5


@pytest.mark.parametrize("process", PROCESSES)
def test_the_doctor_misses_nothing_of_a_processs_own_user(server: EmbeddedValkey, process: Process) -> None:
    with redis.Redis.from_url(url(f"prodaccess-{process}", server.port)) as client:
        assert may_not(client, NEEDED[process]) == ()


def test_a_trim_that_no_rule_can_refuse_is_found(server: EmbeddedValkey) -> None:
    """`XADD ... MAXLEN` is an XADD. README.md says so."""
    with redis.Redis.from_url(server.url) as admin:
        admin.delete(*admin.scan_iter("prodaccess:audit*"), "prodaccess:tick")
    with redis.Redis.from_url(url("prodaccess-web", server.port)) as web:
        ledger = RedisLedger(web, durability="declared", monotonic=time.monotonic)
        for number in range(3):
            ledger.commit(one_entry(ledger, f"entry-{number}"))
        web.execute_command("XADD", AUDIT, "MAXLEN", "1", "4-0", "body", "{}")
    with redis.Redis.from_url(url("prodaccess-operator", server.port)) as operator:
        ledger = RedisLedger(operator, durability="declared", monotonic=time.monotonic)
        assert all_faults(ledger)


@pytest.mark.parametrize("name", USERS)
def test_who_may_not_look_at_the_log_is_told_so_and_not_that_it_is_broken(server: EmbeddedValkey, name: str) -> None:
    with redis.Redis.from_url(server.url) as admin:
        admin.delete(*admin.scan_iter("prodaccess:audit*"), "prodaccess:tick")
    with redis.Redis.from_url(url(name, server.port)) as client:
        ledger = RedisLedger(client, durability="declared", monotonic=time.monotonic)
        assert isinstance(ledger.commit(one_entry(ledger, f"seen-by-{name}")), Committed)
        if name == "prodaccess-operator":
            assert all_faults(ledger) == []
        else:
            with pytest.raises(LedgerUnreachable, match="does not allow our user to do this"):
                all_faults(ledger)


def test_a_server_starts_with_the_files_as_they_are(tmp_path: Path) -> None:
    port, program = free_port(), find_servers()[0]
    conf = (FILE.parent / "valkey.conf").read_text().replace("/etc/prodaccess/users.acl", str(FILE))
    (tmp_path / "valkey.conf").write_text(f"{conf}\nport {port}\nbind 127.0.0.1\ndir {tmp_path}\n")
    with subprocess.Popen([program, tmp_path / "valkey.conf"], stdout=subprocess.PIPE) as process:
        try:
            with redis.Redis(port=port, retry=None) as stranger:
                eventually(lambda: refused(stranger), "nobody gets in without a password")
                for name in USERS:
                    with pytest.raises(redis.exceptions.AuthenticationError):
                        redis.Redis.from_url(url(name, port), retry=None).ping()
        finally:
            process.terminate()


def refused(client: redis.Redis) -> bool:
    try:
        client.ping()
    except redis.exceptions.AuthenticationError:
        return True
    except redis.exceptions.ConnectionError:
        return False
    raise AssertionError("a stranger was let in")

"""A whole life with a user of Redis for each process, and no command allowed to one that it never uses."""

from __future__ import annotations

import threading
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.chaos.rig import Rig, id_of
from tests.support.installation import CHAOS, SHORT
from tests.support.redis_users import commands, put_in_place, url
from tests.support.waiting import eventually

pytestmark = pytest.mark.fleet

PROCESSES = ("web", "worker", "clock")
# What a good day never uses, or MONITOR never shows, and why somebody has it.
EVERYBODY = {
    "config|get": "MONITOR hides it: whether the server keeps what is written",
    "ping": "a connection that was idle is tried first",
    "rename": "a key of another type is put aside",
    "eval": "the server was started anew and has forgotten our scripts",
    "hincrby": "what should not have happened is counted",
    "xrevrange": "where the chain's head cannot be read, the newest entry says it",
    "zscore": "a failure or an unreadable record is told once: whether it was is asked then",
    "hincrbyfloat": "calls to other systems are counted every ten seconds, and what stands on the record",
}
BY_NAME = {
    "web": {
        "getdel": "a form in Teams is taken once",
        "del": "the mark goes that the server keeps what is written",
        "hmget": "a bucket is looked at: somebody has to be looked up",
        "pexpire": "a bucket is looked at",
        "pttl": "a bucket is closed for a while",
        "wait": "replicas are waited for before a pipeline goes on",
        "waitaof": "the disk is waited for before a pipeline goes on",
    },
    "worker": {
        "persist": "a worker of the version before, beside which this one runs for a while, notes what becomes of a job",
        "watch": "as persist",
        "getdel": "a conversation in Teams is forgotten",
        "client|list": "MONITOR hides it: RQ looks for its own address",
        "wait": "replicas are waited for",
        "waitaof": "everysec: the disk is waited for",
        "srem": "RQ strikes a worker off",
        "unwatch": "RQ takes back a look",
        "llen": "whether a wake-up still waits in its queue",
    },
    "clock": {
        "del": "the mark goes that the server keeps what is written",
        "hdel": "a digest that the policy no longer has is due no more",
        "zrem": "a digest that the policy no longer has is due no more",
        "zcard": "once a minute it looks whether anybody holds something: holders are looked at then",
        "llen": "whether a wake-up still waits in its queue",
        "lrange": "the doctor looks whether the record can be read",
        "xinfo|stream": "it commits less often than the others",
        "unwatch": "another clock has counted meanwhile",
        "watch": "what stands on the record is counted",
    },
}


class WithUsers(Rig):
    """Each of its processes has a user of its own; what they do is listened to."""

    seen: defaultdict[str, set[str]]

    def environment(self, process: str) -> dict[str, str]:
        return super().environment(process) | {"REDIS_URL": url(f"prodaccess-{process}", self.redis.port)}

    def _start_slack(self) -> None:
        # Redis runs by now, and nothing of ours yet.
        with self.connection() as admin:
            put_in_place(admin, *(f"prodaccess-{name}" for name in PROCESSES))
        self.seen, self.users = defaultdict(set), dict[str, str]()
        threading.Thread(target=self._listen, daemon=True).start()
        super()._start_slack()

    def _listen(self) -> None:
        client = redis.Redis.from_url(self.redis.url, socket_timeout=None)
        with client, client.monitor() as monitor:
            caller = ""
            while True:
                try:
                    found = monitor.next_command()
                except redis.exceptions.ConnectionError:
                    return
                # What a script does follows its caller.
                if found["client_type"] != "lua":
                    caller = f"{found['client_address']}:{found['client_port']}"
                name, _, rest = found["command"].lower().partition(" ")
                inner = name in ("client", "config", "xinfo")
                self.seen[caller].add(f"{name}|{rest.partition(' ')[0]}" if inner else name)

    def note_users(self) -> None:
        with self.connection() as admin:
            self.users |= {client["addr"]: client["user"] for client in admin.client_list()}

    def used(self, user: str) -> set[str]:
        return {name for at, names in self.seen.items() if self.users.get(at) == user for name in names}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[WithUsers]:
    with WithUsers(tmp_path, numbers=CHAOS) as running:
        yield running


def test_each_process_lives_with_its_user_and_is_allowed_nothing_that_it_never_uses(rig: WithUsers) -> None:
    case = rig.case()
    card = case.active(rest=SHORT)
    rig.told("dana", "mine")
    rig.told("olu", f"show {id_of(card)}")
    rig.note_users()
    rig.until(lambda: rig.gone(case), "access ends")
    rig.until(lambda: "Ended" in rig.one_card(case).text, "and it is said")
    other = rig.case()
    other.active(role="state-write")
    rig.end(id_of(other.cards()[0]))
    rig.soon(rig.digest_of_all())
    rig.until(lambda: rig.gone(other, "state-write"), "taken away")
    with urllib.request.urlopen(f"http://127.0.0.1:{rig.port}/metrics", timeout=10) as answer:
        assert b"prodaccess_grants" in answer.read()
    eventually(lambda: rig.ready()["ready"], "nothing is missing")
    rig.quiet()
    rig.note_users()
    with rig.connection() as admin:
        refused = [(each["username"], each["object"], each["context"]) for each in admin.acl_log()]
    assert not refused, rig.logs()
    for name in PROCESSES:
        user = f"prodaccess-{name}"
        idle = commands(user) - rig.used(user) - EVERYBODY.keys() - BY_NAME[name].keys()
        assert not idle, f"{user} is allowed what it never uses: {sorted(idle)}"

"""Faults of Redis, the policy, the processes and the record: each is found, and its mend is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from bot.doctor.record import LATE
from tests.contract.doctor.rig import Fault, Rig
from tests.support.held import held
from workflows.core import keys
from workflows.core.clockwork import Doubt, LedgerClock
from workflows.core.finding import State
from workflows.core.ledger_doubt import LedgerDoubt, Sign
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.holding import Holding
from workflows.core.records.oversight import Trouble
from workflows.ports import IndexEntry

DAY = timedelta(days=1)


def elsewhere(rig: Rig, credentials: str = "") -> None:
    """The same server by an address that is none of this machine's, as far as a spelling tells."""
    parts = urlsplit(rig.url)
    rig.environ["REDIS_URL"] = f"redis://{credentials}0.0.0.0:{parts.port}/0"


def limited(rig: Rig) -> None:
    rig.client.execute_command(
        "ACL SETUSER", "narrow", "on", ">few-rights-1", "~prodaccess:*", "~rq:*", "+@all", "-@write"
    )
    elsewhere(rig, "narrow:few-rights-1@")


def stuck(rig: Rig) -> None:
    rig.started()
    held(rig.ledger, 1, DAY)
    snapshot = rig.ledger.read(keys.grant("PA-1"))
    was = snapshot.get(keys.grant("PA-1"), Grant)
    assert was is not None
    grant = replace(was, state=GrantState.REVOKING, closed_at=None, error="AWS says no", deadline=snapshot.now + DAY)
    holding = Holding(was.holding, was.resource, ("PA-1",), failures=3)
    puts = {keys.grant("PA-1"): grant, keys.holding(was.holding): holding}
    rig.write(puts, IndexEntry(keys.LIVE, "PA-1", grant.deadline.timestamp()))


def ago(rig: Rig, index: str, since: timedelta) -> None:
    rig.client.zadd(f"prodaccess:index:{index}", {"PA-7": (rig.ledger.now() - since).timestamp()})


def failing(rig: Rig) -> None:
    rig.started()
    now = rig.ledger.now()
    trouble = Trouble("digest:C0ACCESSLOG", 4, "Slack did not answer", now - DAY, now, now + timedelta(minutes=5))
    rig.write({keys.trouble(trouble.item): trouble}, IndexEntry(keys.TROUBLES, trouble.item, now.timestamp()))


def jumped(rig: Rig) -> None:
    rig.write({keys.CLOCK: LedgerClock(doubt=Doubt(rig.ledger.now(), 3_600_000_000))})


def old_job(rig: Rig) -> None:
    rig.started()
    rig.client.rpush("rq:queue:prodaccess-grant", "job-1")
    rig.client.hset("rq:job:job-1", "enqueued_at", (rig.ledger.now() - timedelta(minutes=5)).isoformat())


FAULTS = (
    Fault(
        "appendonly is off",
        lambda rig: rig.client.config_set("appendonly", "no"),
        "redis.durability",
        "keeps no append-only file",
        "CONFIG SET",
    ),
    Fault(
        "records may be thrown away",
        lambda rig: (
            rig.client.config_set("maxmemory", "1gb"),
            rig.client.config_set("maxmemory-policy", "allkeys-lru"),
        ),
        "redis.eviction",
        "set `maxmemory-policy noeviction`",
        "CONFIG SET",
    ),
    Fault(
        "memory is nearly full",
        lambda rig: rig.client.config_set("maxmemory", int(rig.client.info("memory")["used_memory"] * 1.6)),
        "redis.memory",
        "MiB used",
        "more memory",
        State.ATTENTION,
    ),
    Fault(
        "this machine's clock is fast",
        lambda rig: setattr(rig, "ahead_s", 90.0),
        "redis.clock",
        "90 s behind this machine's",
        "NTP",
    ),
    Fault(
        "the record is an older copy",
        lambda rig: rig.write({keys.LEDGER_DOUBT: LedgerDoubt(Sign.SAID, rig.ledger.now(), 1)}),
        "redis.older-copy",
        "nothing is given",
        "`prodaccess ledger accept`",
    ),
    Fault("Redis's clock has jumped", jumped, "redis.clock-jump", "nothing is given", "`prodaccess clock accept`"),
    Fault(
        "TLS is missing",
        lambda rig: elsewhere(rig, f":{urlsplit(rig.url).password}@"),
        "redis.tls",
        "leaves this machine without TLS",
        "rediss://",
        State.ATTENTION,
    ),
    Fault("no password", elsewhere, "redis.password", "has no password", "deploy/redis"),
    Fault(
        "another password",
        lambda rig: elsewhere(rig, ":wrong@"),
        "redis.reachable",
        "refuses the user name or the password",
        "mend REDIS_URL",
    ),
    Fault(
        "nothing listens",
        lambda rig: rig.environ.update(REDIS_URL="redis://127.0.0.1:1/0"),
        "redis.reachable",
        "nothing listens there",
        "start it",
    ),
    Fault(
        "a user with few rights",
        limited,
        "redis.rights",
        "may not do SET prodaccess:record:doctor, DEL prodaccess:record:doctor",
        "deploy/redis/users.acl",
    ),
    Fault(
        "a slip in the policy",
        lambda rig: rig.edit("environments/orders-prod.yaml", "owners: [platform]", "owners: [platfrom]"),
        "policy.folder",
        "platfrom",
        "`prodaccess check",
    ),
    Fault(
        "an owner alone",
        lambda rig: rig.edit("prodaccess.yaml", "[olu@example.com, pat@example.com]", "[olu@example.com]"),
        "policy.warnings",
        "olu",
        "check --strict",
        State.ATTENTION,
    ),
    Fault(
        "another policy is in force",
        lambda rig: rig.started("f" * 64),
        "policy.in-force",
        "decides nothing",
        "restart the clock",
    ),
    Fault(
        "no worker runs",
        lambda rig: (rig.started(), rig.client.delete("prodaccess:beat:worker")),
        "processes.alive",
        "worker: none runs",
        "prodaccess worker",
    ),
    Fault(
        "a process of an older version",
        lambda rig: (rig.started(), rig.client.set("prodaccess:beat:web", "1")),
        "processes.older",
        "older version",
        "Upgrades",
        State.ATTENTION,
    ),
    Fault(
        "access past its end",
        lambda rig: (rig.started(), ago(rig, "live", LATE + timedelta(seconds=1))),
        "record.overdue",
        "1 past their end for more than a minute: PA-7",
        "When a removal fails",
    ),
    Fault(
        "a review that nobody wrote",
        lambda rig: (rig.started(), ago(rig, "reviews", timedelta(seconds=1))),
        "record.reviews",
        "1 reviews of emergency access are overdue: PA-7",
        "ask their owners",
        State.ATTENTION,
    ),
    Fault("a removal that fails", stuck, "record.stuck", "PA-1", "prodaccess show"),
    Fault("a digest that fails", failing, "record.troubles", "Slack did not answer", "the log"),
    Fault("a wake-up that nobody takes", old_job, "record.queues", "the oldest for 5 min", "start a worker"),
    Fault(
        "no clock looks",
        lambda rig: (rig.started(), rig.client.zadd("prodaccess:due", {"chat:PA-1": 1.0})),
        "record.due",
        "nobody has woken a worker",
        "start a clock",
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found_and_its_mend_is_named(rig: Rig, fault: Fault):
    fault.plant(rig)
    fault.told_by(rig.found(fault.subject))


def test_access_that_is_being_taken_away_is_no_fault(rig: Rig):
    rig.started()
    ago(rig, "live", LATE / 2)
    assert [one.state for one in rig.found("record") if one.check == "record.overdue"] == [State.OK]

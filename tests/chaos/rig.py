"""What chaos tests need beside an `Installation`: the ledger as it is, conditions with logs, and a few habits of people."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import redis

from bot.queues import ALL_QUEUES
from bot.sandbox.aws.faults import Fault
from bot.sandbox.slack import Message, words
from tests.support.installation import PEOPLE, RECEIPTS, Case, Installation, Process
from tests.support.waiting import eventually
from workflows.core.audit import AuditEntry
from workflows.ledger.redis_ledger import RedisLedger

T = TypeVar("T")

# role of the example policy -> the call that gives it, the call that takes it away
CALLS = {
    "read-only": ("CreateAccountAssignment", "DeleteAccountAssignment"),
    "state-write": ("PutUserPolicy", "DeleteUserPolicy"),
    "deploy": ("AddUserToGroup", "RemoveUserFromGroup"),
    "readers": ("CreateGroupMembership", "DeleteGroupMembership"),
}


class Rig(Installation):
    """An installation with eyes on its ledger."""

    # ------------------------------------------------------------ looking

    def until(self, look: Callable[[], T], what: str) -> T:
        """The first truthy answer; where there is none in time, the failure holds the logs and what Slack shows."""
        try:
            return eventually(look, what)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.picture()}\n{self.logs()}") from None

    def picture(self) -> str:
        """All that happened, for a failure's message."""
        channels = self.slack.workspace.channels.values()
        shown = [f"{channel.name or channel.id}: {words(m)}" for channel in channels for m in channel.messages.values()]
        calls = [f"{call.at_s:.2f} {call.action} {call.outcome} {call.fault}" for call in self.aws.proxy.log.calls()]
        parts = {"Slack": shown, "AWS": calls[-60:], "audit": self._audit_lines()}
        return "\n".join(f"--- {name}\n" + "\n".join(lines) for name, lines in parts.items())

    def _audit_lines(self) -> list[str]:
        try:
            return [f"{e.number} {e.at:%M:%S.%f} {e.event} {e.subject} {dict(e.facts)}" for e in self.audit()]
        except Exception as problem:
            return [f"no ledger: {type(problem).__name__}"]

    def connection(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis.url, decode_responses=True)

    def ledger_now(self) -> datetime:
        """Redis's clock: the only one that decides."""
        with redis.Redis.from_url(self.redis.url) as client:
            return RedisLedger(client, durability="verify", monotonic=time.monotonic).now()

    def audit(self, subject: str | None = None) -> list[AuditEntry]:
        with redis.Redis.from_url(self.redis.url) as client:
            ledger = RedisLedger(client, durability="verify", monotonic=time.monotonic)
            return list(ledger.entries_of(subject) if subject else ledger.entries(limit=10_000))

    def events(self, subject: str) -> Counter[str]:
        """How often each event stands on the record about one request."""
        return Counter(entry.event.value for entry in self.audit(subject))

    def holding(self) -> str:
        """The record of the only holding, as text; empty where there is none."""
        with self.connection() as client:
            names = list(client.scan_iter("prodaccess:record:holding:*"))
            return str(client.get(names[0])) if names else ""

    def queued(self) -> list[str]:
        """Every job that waits, as `bot.jobs.show ["PA-1"]`."""
        with redis.Redis.from_url(self.redis.url) as client:
            ids = [id_.decode() for name in ALL_QUEUES for id_ in client.lrange(f"rq:queue:{name}", 0, -1)]
            return [str(client.hget(f"rq:job:{id_}", "description")) for id_ in ids]

    # ------------------------------------------------------------ ways to break it

    def relaunch(self, name: str = "worker", label: str | None = None) -> float:
        """Start a process; returns when it says that it is ready, as monotonic seconds."""
        process = self.launch(name, label)
        self.until(lambda: self._says_ready(process), f"{name} is ready")
        return time.monotonic()

    def _says_ready(self, process: Process) -> bool:
        assert process.alive(), process.log.read_text()
        said = {"worker": "worker is ready", "clock": "clock is ready", "web": "web listens"}[process.name]
        return said in process.log.read_text()

    def hold(self, action: str, **rest: Any) -> Fault:
        return self.aws.proxy.hold(action, **rest)

    # ------------------------------------------------------------ what must be true

    def gone(self, case: Case, role: str = "read-only", who: str = "dana") -> bool:
        return not self.has(case, role, who)

    def has(self, case: Case, role: str = "read-only", who: str = "dana") -> bool:
        """What is really there, whatever anybody was told."""
        world = self.aws.world
        if role == "state-write":
            return any(name.startswith("prodaccess-") for name in world.iam_policies(who))
        if role == "deploy":
            return who in world.iam_group_members(f"{case.name}-deployers")
        if role == "readers":
            return f"{who}@example.com" in world.group_members(f"{case.name}-readers")
        return case.has_access(who)

    def one_card(self, case: Case) -> Message:
        """The channel's only card: whatever happened, nobody sees two."""
        cards = case.cards()
        assert len(cards) == 1, [words(card) for card in cards] + [self.logs()]
        return cards[0]

    def roots(self) -> list[Message]:
        """Threads of receipts about requests."""
        return [
            message for message in self.messages(RECEIPTS) if "PA-" in words(message) and "tried" not in words(message)
        ]

    def lines(self, root: Message) -> list[str]:
        """What stands in the thread, line by line."""
        replies = self.slack.person(PEOPLE["sue"]).thread(RECEIPTS, root.ts)
        return [line for reply in replies for line in words(reply).splitlines() if " · #" in line]

    def end(self, id_: str, who: str = "olu") -> str:
        return self.told(who, f"end {id_} enough")

    def lateness_s(self, id_: str) -> float:
        """How long after its deadline the end was proved; seconds by Redis's clock."""
        entries = {entry.event.value: entry for entry in self.audit(id_)}
        decided = entries.get("request.approved") or entries["request.auto_approved"]
        seconds = int(entries["request.made"].facts["duration_s"])
        return (entries["grant.ended"].at - decided.at).total_seconds() - seconds

    def assert_once(self, id_: str, *events: str) -> None:
        """Each of these stands on the record once, whatever was repeated."""
        found = self.events(id_)
        assert {event: found[event] for event in events} == dict.fromkeys(events, 1), (found, self.logs())


# The promise: "late by at most a minute after the fault has gone". How soon it is on a quiet machine is measured in bench/.
PROMISED_S = 60.0


def id_of(card: Message) -> str:
    found = re.search(r"PA-[0-9]+", words(card))
    assert found, words(card)
    return found[0]

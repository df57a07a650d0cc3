"""An installation whose targets are the simulated AWS over HTTP, which plays Identity Center's quotas.

Time is the test's: it passes in looks of the clock, twenty a second, and AWS's operations and quotas go by it, too. So what comes
out is how many looks it took, which depends on no machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.sandbox.aws.calls import SSO_ADMIN, Call
from bot.sandbox.aws.operations import Plan
from bot.sandbox.aws.spec import EXAMPLE, PersonSpec
from tests.support import build
from tests.support.world import World
from workflows.core import keys
from workflows.core.people import PersonId, person_id
from workflows.core.records.grant import CLOSED, Grant, GrantState
from workflows.core.records.holding import Baseline, Holding
from workflows.core.records.record import Record
from workflows.core.records.request import Decision, DecisionKind
from workflows.core.records.target import Resource
from workflows.core.rules.grant_terms import approve, grant_for, held
from workflows.ledger.memory import MemoryBuckets
from workflows.ports import Change, Committed
from workflows.targets.aws.targets import AwsTargets
from workflows.usecases.fulfilment.converge_many import converge_holdings, end_grants
from workflows.usecases.shared.outside import SureTargets

TICK_S = 0.05
CLOCK = "this-clock"
# What a console asks.
OF_OTHERS = Call(SSO_ADMIN, "ListPermissionSets", {}, "", "", "json")
ACCOUNT, SET = "111122223333", "ReadOnlyAccess"


def crowd(count: int) -> list[PersonId]:
    return [person_id(f"crowd{number:03}@example.com") for number in range(count)]


class QuotaWorld(World):
    """`operation_s`: how long AWS takes for each assignment. Wake-ups are lost, so that all is found by the clock."""

    def __init__(self, aws: Any, people: int, operation_s: float = 0.0) -> None:
        super().__init__()
        self.aws = aws
        self.people = crowd(people)
        aws.reset(replace(EXAMPLE, people=(*EXAMPLE.people, *(PersonSpec(who) for who in self.people))))
        self.operation_s = operation_s
        # So many calls a second are others'.
        self.others_a_second = 0.0
        self._others = 0.0
        self.buckets = MemoryBuckets(self.clock)
        self.workers = AwsTargets(self.buckets, monotonic=self.clock.monotonic)
        object.__setattr__(self.ctx, "targets", SureTargets(self.workers, self.fault))

    def played(self) -> None:
        """From now on AWS counts, and takes its time."""
        proxy = self.aws.proxy
        proxy.quota.monotonic_s = proxy.operations.monotonic_s = self.clock.monotonic
        proxy.quota.set()
        proxy.operations.default = Plan(delay_s=self.operation_s)
        proxy.log.reset()

    def overdue(self) -> list[str]:
        """An active grant for each of the crowd, all of whose deadlines have come; they stand at AWS."""
        found = [self._active(number, who) for number, who in enumerate(self.people)]
        return [grant.id for grant in found]

    def _active(self, number: int, who: PersonId) -> Grant:
        spec = self.aws.spec
        ids = {
            "instance": spec.instance_arn,
            "account": ACCOUNT,
            "permission_set": spec.permission_set_arn(SET),
            "user": spec.user_id(who),
        }
        asked = build.request(f"PA-{5000 + number}", who)
        target = asked.terms.target
        asked = replace(asked, resource=Resource(target.kind, target, ids, f"{SET} in account {ACCOUNT}", 3600))
        decision = Decision(DecisionKind.APPROVAL, build.NOW, "f" * 64, by=(build.OLU,), by_names=("Olu",))
        given = grant_for(approve(asked, decision), decision)
        grant = replace(given, state=GrantState.ACTIVE, deadline=self.clock.now(), activated_at=build.NOW)
        holding: Holding = replace(held(None, grant), baseline=Baseline.ABSENT, ours=True)
        puts: Mapping[str, Record] = {keys.grant(grant.id): grant, keys.holding(grant.holding): holding}
        due: dict[str, datetime | None] = {keys.end_due(grant.id): grant.deadline}
        change = Change(self.press_id(), self.clock.now(), dict.fromkeys(puts, 0), puts=puts, due=due)
        assert isinstance(self.ledger.commit(change), Committed)
        self.aws.world.assign(who, SET, ACCOUNT)
        return grant

    def tick(self) -> None:
        """One look of the clock, and all that it finds."""
        self.clock.advance(TICK_S)
        self._others += self.others_a_second * TICK_S
        while self._others >= 1:
            self._others -= 1
            self.aws.proxy.quota.refuse(OF_OTHERS, 0)
        assert self.due.lead(CLOCK)
        items = self.due.claim(CLOCK)
        self.due.awake(*items)
        found = [item.partition(":")[::2] for item in items]
        end_grants(self.ctx, [id_ for kind, id_ in found if kind == "end"])
        converge_holdings(self.ctx, [id_ for kind, id_ in found if kind == "holding"])
        for kind, id_ in found:
            if kind not in {"end", "holding", "chat"}:
                self.run(f"{kind}:{id_}")

    def open_among(self, ids: list[str]) -> list[str]:
        return [id_ for id_ in ids if self.grant(id_).state not in CLOSED]

    def until_ended(self, ids: list[str], within_s: float) -> float:
        """How long it took, in the test's seconds."""
        began_s, left = self.clock.monotonic(), ids
        while left and self.clock.monotonic() - began_s < within_s:
            self.tick()
            left = self.open_among(left)
        assert not left, f"{len(left)} of {len(ids)} are still open after {within_s} s"
        return self.clock.monotonic() - began_s

    def refused(self) -> int:
        """Calls that a quota of AWS refused."""
        return sum(call.fault == "quota" for call in self.aws.proxy.log.calls())

    def count(self, *actions: str) -> int:
        return sum(call.action in actions for call in self.aws.proxy.log.calls())

"""A whole installation in memory: use cases, convergence and the clock, on fakes that pass the contract tests.

Jobs run one at a time, when the test says so; nothing sleeps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from tests.support import build
from tests.support.remembering import RememberingDirectory
from workflows.core import keys
from workflows.core.audit import AuditEntry
from workflows.core.identity import Address, account_named
from workflows.core.people import Account, GroupFacts, PersonFacts, PersonId
from workflows.core.policy import Policy, TicketCheck
from workflows.core.records.grant import Grant
from workflows.core.records.holding import Holding
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.core.records.request import Origin, Request
from workflows.core.refusal import Refused
from workflows.core.rules.eligibility import Ask
from workflows.core.rules.leaving import Looked
from workflows.core.rules.ticket_check import TicketSeen, TicketState
from workflows.ledger.memory import MemoryClock, MemoryDirectory, MemoryDue, MemoryLedger
from workflows.ports import Change, DirectoryUnreachable, Lease
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import MemoryTarget, MemoryTargets
from workflows.usecases.certification.see_to import see_to
from workflows.usecases.decisions.approve import approve, deny, withdraw
from workflows.usecases.drift.passes import look_for_drift
from workflows.usecases.fulfilment.advance_request import advance_request, warn
from workflows.usecases.fulfilment.converge import converge
from workflows.usecases.identity.departure import look_who_it_is
from workflows.usecases.identity.leavers import look_at_holders
from workflows.usecases.oversight.activity_look import look_at_activity
from workflows.usecases.oversight.announcement_check import check_announced
from workflows.usecases.oversight.break_glass_review import chase as chase_review
from workflows.usecases.oversight.refusals import count_refusals
from workflows.usecases.oversight.reminders import chase
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.requests.request_extension import ask_for_more_time
from workflows.usecases.revocation.end import end
from workflows.usecases.revocation.revoke_all import carry_out_revocation
from workflows.usecases.shared.actor import whose
from workflows.usecases.shared.context import Outcome, WorkerContext
from workflows.usecases.upkeep.timekeeping import Timekeeper


class Counter:
    """Randomness that repeats."""

    def __init__(self) -> None:
        self._next = 0

    def hex(self, digits: int) -> str:
        self._next += 1
        return f"{self._next:0{digits}x}"


class FixedPolicy:
    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def current(self) -> Policy:
        return self.policy


class Chat:
    """What the chat would say of people; a `DirectoryRefresher`."""

    def __init__(self, directory: MemoryDirectory, clock: MemoryClock) -> None:
        self.directory, self.clock = directory, clock
        self.people: dict[Account, PersonFacts] = {}
        self.unreachable = False

    def refresh_person(self, who: Account, policy: Policy) -> PersonFacts:
        if self.unreachable:
            raise DirectoryUnreachable("the chat does not answer")
        facts = self.people[who]
        fresh = replace(facts, as_of=self.clock.now())
        self.directory.put_person(fresh)
        return fresh

    def find(self, address: Address, policy: Policy) -> PersonFacts | None:
        if self.unreachable:
            raise DirectoryUnreachable("the chat does not answer")
        found = [who for who, facts in self.people.items() if facts.address == address and not facts.standing_problem]
        return self.refresh_person(found[-1], policy) if found else None

    def refresh_groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        return self.directory.groups(policy, names)

    def look_at(self, accounts: Collection[Account], policy: Policy) -> Looked:
        if self.unreachable:
            return Looked(silent={"slack": "the chat does not answer"})
        return Looked({who: self.refresh_person(who, policy) for who in accounts if who in self.people})


class MemoryTickets:
    """A `ports.Tickets` that says what the test says. `asked`: what it was asked about."""

    def __init__(self) -> None:
        self.says: dict[str, TicketSeen] = {}
        self.asked: list[str] = []

    def look(self, check: TicketCheck, ticket: str) -> TicketSeen:
        self.asked.append(ticket)
        return self.says.get(ticket, TicketSeen(TicketState.OPEN))


class StillKeeper:
    """Keeps nothing by itself: in memory, time stands still while a job runs, unless the test moves it.

    `pass_time` lets it pass as it does for a worker that waits for an answer: the lease is renewed all the while.
    """

    def __init__(self, clock: MemoryClock, ledger: MemoryLedger) -> None:
        self.clock, self.ledger = clock, ledger
        # Token -> a lease that is kept now, or None once it is lost.
        self.kept: dict[str, Lease | None] = {}

    @contextmanager
    def keep(self, lease: Lease) -> Iterator[Callable[[], Lease | None]]:
        self.kept[lease.token] = lease
        try:
            yield lambda: self._current(lease.token)
        finally:
            del self.kept[lease.token]

    def _current(self, token: str) -> Lease | None:
        held = self.kept.get(token)
        return held if held and self.clock.monotonic() < held.deadline_s else None

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            self.kept = {token: self.ledger.renew(held) if held else None for token, held in self.kept.items()}


class World:
    """`policy`, people and targets as given; `dana`, `olu`, ... are accounts."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.clock = MemoryClock(build.NOW)
        self.ledger = MemoryLedger(self.clock)
        self.due = MemoryDue(self.ledger)
        self.directory: MemoryDirectory = RememberingDirectory(self.clock, self.ledger)
        self.chat = Chat(self.directory, self.clock)
        self.policy = FixedPolicy(policy or build.policy())
        # A target has a clock of its own, which nobody sets.
        self.targets = MemoryTargets(now=lambda: build.NOW + timedelta(seconds=self.clock.monotonic()))
        self.lease_renewer = StillKeeper(self.clock, self.ledger)
        self.tickets = MemoryTickets()
        self.faults: list[BaseException] = []
        self.ctx = WorkerContext(
            ledger=self.ledger,
            directory=self.directory,
            policy=self.policy,
            wake=lambda *items: None,
            chance=Counter(),
            targets=self.targets,
            refresher=self.chat,
            lease_renewer=self.lease_renewer,
            prove_origin=lambda policy, origin: origin,
            monotonic_s=self.clock.monotonic,
            fault=self.fault,
            tickets=self.tickets,
        )
        self.ledger.notice = self.ctx.unreadable
        # Who sees to what waits at a forge, where a test has one.
        self.forge: Callable[[WorkerContext, str], object] = lambda _ctx, _id: None
        for who in (build.DANA, build.OLU, build.PAT, build.NIA, build.SUE, build.GUS):
            self.chat.people[account(who)] = build.facts(who)
            self.targets.add_person(who)
        self._ids = 0
        self._done_now: set[str] = set()
        self._seen_head = -1
        self.activate()

    def fault(self, what: str, problem: BaseException, **facts: str) -> str:
        """A `Fault`."""
        self.faults.append(problem)
        return f"E-{len(self.faults):05}"

    # ------------------------------------------------------------ people act

    def activate(self) -> None:
        snapshot = self.ledger.read(keys.ACTIVE_POLICY)
        active = ActivePolicy(self.policy.policy.hash, snapshot.now)
        self._ids += 1
        self.ledger.commit(
            Change(f"activate-{self._ids}", snapshot.now, snapshot.versions(), puts={keys.ACTIVE_POLICY: active})
        )

    def press_id(self) -> str:
        self._ids += 1
        return f"press-{self._ids}"

    def knows(self, *people: PersonId) -> None:
        """The facts of these people are fresh now, and it is on record whose their accounts are."""
        for who in people:
            whose(self.ctx, self.policy.policy, self.chat.refresh_person(account(who), self.policy.policy))

    def ask(
        self,
        who: PersonId = build.DANA,
        role: str = "read-only",
        environment: str = "payments-prod",
        duration: timedelta | None = build.HOUR,
        reason: str = "INC-42 checkout errors",
        origin: Origin | None = None,
        start_at: datetime | None = None,
    ) -> Outcome | Refused:
        self.knows(who)
        asked = Ask(environment, role, duration, reason, start_at=start_at)
        return ask_for_access(self.ctx, asked, account(who), origin or Origin(), self.press_id())

    def asked(self, who: PersonId = build.DANA, **changes: object) -> str:
        """Ask, and let a worker resolve it. Returns the id."""
        answer = self.ask(who, **changes)  # type: ignore[arg-type]  # handed through
        assert isinstance(answer, Outcome), answer
        self.work()
        return answer.id

    def approve(
        self, id_: str, who: PersonId = build.OLU, terms: str | None = None, press: str | None = None
    ) -> Outcome | Refused:
        self.knows(who)
        return approve(self.ctx, id_, account(who), press or self.press_id(), terms)

    def deny(self, id_: str, who: PersonId = build.OLU, reason: str = "use staging") -> Outcome | Refused:
        self.knows(who)
        return deny(self.ctx, id_, account(who), reason, self.press_id())

    def withdraw(self, id_: str, who: PersonId = build.DANA) -> Outcome | Refused:
        self.knows(who)
        return withdraw(self.ctx, id_, account(who), self.press_id())

    def end(self, id_: str, who: PersonId = build.DANA, reason: str = "") -> Outcome | Refused:
        self.knows(who)
        return end(self.ctx, id_, account(who), reason, self.press_id())

    def extend(
        self,
        id_: str,
        who: PersonId = build.DANA,
        duration: timedelta | None = build.HOUR,
        reason: str = "INC-42 not done yet",
        origin: Origin | None = None,
    ) -> Outcome | Refused:
        self.knows(who)
        return ask_for_more_time(self.ctx, id_, duration, reason, account(who), origin or Origin(), self.press_id())

    def more_asked(self, id_: str, **changes: object) -> str:
        """Ask for more time, and let a worker look at it. Returns the id of that ask."""
        answer = self.extend(id_, **changes)  # type: ignore[arg-type]  # handed through
        assert isinstance(answer, Outcome), answer
        self.work()
        return answer.id

    def active(self, who: PersonId = build.DANA, **changes: object) -> str:
        """A grant that is active."""
        id_ = self.asked(who, **changes)
        if self.request(id_).decision is None:
            answer = self.approve(id_)
            assert isinstance(answer, Outcome), answer
        self.work()
        return id_

    # ------------------------------------------------------------ the clock and the workers

    def work(self) -> None:
        """Run what is due until nothing is, without letting time pass."""
        for _ in range(200):
            ready = [item for item, at in sorted(self.ledger.due.items()) if at <= self.clock.now().timestamp() + 1.001]
            ready = [item for item in ready if item not in self._done_now]
            if not ready:
                break
            for item in ready:
                self._done_now.add(item)
                self.run(item)
                if self._progressed():
                    self._done_now.clear()
        self._done_now.clear()

    def _progressed(self) -> bool:
        head = self.ledger.head()
        moved, self._seen_head = head != self._seen_head, head
        return moved

    def run(self, item: str) -> None:
        kind, _, id_ = item.partition(":")
        jobs = {
            "holding": converge,
            "end": lambda ctx, id_: converge(ctx, self.grant(id_).holding),
            "request": advance_request,
            "warn": warn,
            "chase": chase,
            "review": chase_review,
            "announced": check_announced,
            "sweepout": carry_out_revocation,
            "leavers": lambda ctx, _: look_at_holders(ctx),
            "drift": look_for_drift,
            "certification": see_to,
            "activity": look_at_activity,
            "refusals": lambda ctx, id_: count_refusals(ctx, PersonId(id_)),
            "forge": self.forge,
            "whois": lambda ctx, id_: look_who_it_is(ctx, account_named(id_)),
        }
        if kind in jobs:
            jobs[kind](self.ctx, id_)

    def advance(self, seconds: float, step_s: float = 1.0) -> None:
        """Let time pass, working all the while."""
        left = seconds
        while left > 0:
            self.clock.advance(min(step_s, left))
            left -= step_s
            self.work()

    def jump(self, seconds: float) -> None:
        """Redis's clock is set; the hosts' own clocks are not."""
        self.clock.jump(seconds)

    def witness(self, host: str = "host", boot_s: Callable[[], float] | None = None) -> Timekeeper:
        """A process on that host that watches Redis's clock, and has looked once."""
        found = Timekeeper(self.ctx, host, boot_s or self.clock.monotonic)
        found.look()
        return found

    # ------------------------------------------------------------ looking

    def request(self, id_: str) -> Request:
        found = self.ledger.read(keys.request(id_)).get(keys.request(id_), Request)
        assert found is not None
        return found

    def grant(self, id_: str) -> Grant:
        found = self.ledger.read(keys.grant(id_)).get(keys.grant(id_), Grant)
        assert found is not None
        return found

    def holding(self, id_: str) -> Holding | None:
        item = keys.holding(self.grant(id_).holding)
        return self.ledger.read(item).get(item, Holding)

    def target(self, kind: AwsKind = AwsKind.IDENTITY_CENTER) -> MemoryTarget:
        return self.targets[kind]

    def has_access(self, id_: str) -> bool:
        request = self.request(id_)
        gives = request.gives
        resource = gives.resource if gives is not None else request.resource
        assert resource is not None
        return self.target(AwsKind(resource.kind)).has(resource)

    def events(self, id_: str) -> list[str]:
        return [entry.event.value for entry in self.ledger.entries_of(id_)]

    def all_entries(self) -> list[AuditEntry]:
        return list(self.ledger.entries(limit=100_000))


def account(who: PersonId) -> Account:
    return build.facts(who).slack

"""Many lives at once, on bad days: whatever people, time, targets, workers and the ledger do, the promises hold.

The machine drives the in-memory `World`; the `Model` beside it knows only what was typed, what the audit log says, and
what is true at the targets. It shares no rule with the code: its life cycle and its idea of who may approve are its own.

    pytest tests/property                             # repeatable, a few seconds
    pytest tests/property --hypothesis-profile=deep   # minutes, random; what it finds is kept in .hypothesis
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import permutations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support import build
from tests.support.build import DANA, GUS, NIA, OLU, PAT, SUE
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.audit import AuditEntry
from workflows.core.identity import Address
from workflows.core.people import Membership, PersonId
from workflows.core.policy import Group, Policy
from workflows.core.records.grant import Grant
from workflows.core.records.holding import Baseline, Holding
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Request
from workflows.core.records.target import Resource
from workflows.core.refusal import Refused
from workflows.ports import LEASE_S, Change, Committed, DirectoryUnreachable, Durability, LedgerUnreachable, Lost
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose, MemoryTarget, Refuse, Settle, Throttle
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.shared.context import Outcome

PEOPLE = (DANA, NIA, OLU, PAT, SUE, GUS)
PLACE = "payments-prod"
# Facts are at most 60 s old, and a worker's step lasts at most a lease.
KNOWN_BY = timedelta(seconds=66)
# Longer than the backoff, the longest fault that a script still holds, and the queue behind it.
PATIENCE = timedelta(minutes=10)

# ---------------------------------------------------------------- the model's own idea of the rules


@dataclass(frozen=True)
class Law:
    """What the policy says, in the model's words; the real policy is made from it."""

    number: int = 0
    read_set: str = "ReadOnlyAccess"
    owners: str = "platform"
    reader_votes: int = 1
    without: str | None = None

    def places(self, role: str) -> list[str]:
        """The groups of which somebody must agree, one for each person who must."""
        own = {"reader": [self.owners] * self.reader_votes, "admins": [self.owners, "security"]}
        return own.get(role, [self.owners])

    def rule(self, role: str) -> str | None:
        return {"quick": "on-call reads", "ops": "on-call operates"}.get(role)


ROLES = ("read-only", "reader", "quick", "admins", "repair", "ops")
AUTO_GROUP = "oncall"
TEMPLATE = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'


def policy_of(law: Law) -> Policy:
    """Three roles that mean the same permission set, and one of each other kind of target."""
    reading = AwsSpec(AwsKind.IDENTITY_CENTER, permission_set=law.read_set)
    owners = (law.owners,)
    roles = [
        build.entitlement("read-only", target=reading, owners=owners),
        build.entitlement("reader", target=reading, owners=owners, approve={"owners": law.reader_votes}),
        build.entitlement(
            "quick", target=reading, owners=owners, auto_approve=(build.auto("on-call reads", (AUTO_GROUP,)),)
        ),
        build.entitlement(
            "admins",
            target=AwsSpec(AwsKind.IDENTITY_CENTER_GROUP, group="Admins"),
            owners=owners,
            approve={"owners": 1, "security": 1},
        ),
        build.entitlement(
            "repair",
            target=AwsSpec(AwsKind.IAM_POLICY, user="{local_part}", policy_template=TEMPLATE),
            owners=owners,
        ),
        build.entitlement(
            "ops",
            target=AwsSpec(AwsKind.IAM_GROUP, user="{local_part}", group="ops"),
            owners=owners,
            auto_approve=(build.auto("on-call operates", (AUTO_GROUP,)),),
        ),
    ]
    place = build.environment(
        *(role for role in roles if role.role != law.without),
        owners=owners,
        requesters=("developers", "platform", "security"),
    )
    place = replace(
        place, roles={name: replace(role, requesters=place.requesters) for name, role in place.roles.items()}
    )
    groups = {name: Group(name, slack_usergroup=f"S0{name.upper()}", trusted=True) for name in build.GROUPS}
    return build.policy(place, groups=groups, hash=f"{law.number:064x}")


# The life cycle once more, written down from the design and not from the code.
PENDING, ACTIVATING, ACTIVE, REVOKING = "pending", "activating", "active", "revoking"
NO_ACCESS = ("denied", "withdrawn", "expired")
OVER = ("ended", "revoked", "activation_failed")
CYCLE: dict[tuple[str, str], str] = {
    ("", "request.made"): PENDING,
    (PENDING, "request.resolved"): PENDING,
    (PENDING, "request.reminded"): PENDING,
    (PENDING, "request.agreed"): PENDING,
    (PENDING, "request.terms_changed"): PENDING,
    (PENDING, "request.approved"): ACTIVATING,
    (PENDING, "request.auto_approved"): ACTIVATING,
    **{(PENDING, f"request.{word}"): word for word in NO_ACCESS},
    (ACTIVATING, "grant.active"): ACTIVE,
    (ACTIVATING, "grant.end_started"): REVOKING,
    (ACTIVE, "grant.end_started"): REVOKING,
    (REVOKING, "grant.removal_failing"): REVOKING,
    **{(REVOKING, f"grant.{word}"): word for word in OVER},
    **{(word, "grant.reappeared"): word for word in OVER},
}
CAUSES = {
    "time": "ended",
    "returned": "ended",
    "revoked": "revoked",
    "failed": "activation_failed",
    "standing": "activation_failed",
}


@dataclass
class Life:
    """One request and its grant, as the audit log tells it."""

    id: str
    holder: str
    role: str
    duration_s: int
    state: str = ""
    resolved: bool = False
    voters: list[str] = field(default_factory=list)
    rule: str | None = None
    resource: Resource | None = None
    deadline: datetime | None = None
    cause: str = ""
    made_at: datetime | None = None
    # Whether a call to give was sent while it waited for one.
    sent: bool = False

    @property
    def live(self) -> bool:
        return self.state in (ACTIVATING, ACTIVE, REVOKING)

    def open_at(self, now: datetime) -> bool:
        return self.state in (ACTIVATING, ACTIVE) and self.deadline is not None and now < self.deadline


KINDS = {
    "admins": AwsKind.IDENTITY_CENTER_GROUP,
    "repair": AwsKind.IAM_POLICY,
    "ops": AwsKind.IAM_GROUP,
}
# An operation that nobody saw the end of can take effect for five minutes, so none is later than that.
FAULTS = st.one_of(
    st.builds(Throttle, st.sampled_from((0.5, 3.0, 20.0))),
    st.just(Refuse("no")),
    st.builds(Lose, st.booleans(), st.sampled_from((0.0, 2.0, 40.0, 250.0))),
    st.builds(Settle, st.sampled_from((2.0, 20.0, 100.0, 250.0)), st.sampled_from((None, None, "it failed"))),
)


class Killed(Exception):
    """The worker died here."""


class Lives(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.law = Law()
        self.world = World(policy_of(self.law))
        self.ledger, self.clock = self.world.ledger, self.world.clock
        self.members: dict[str, frozenset[str]] = dict(build.GROUPS)
        self.gone: set[str] = set()
        # Whose account has another address than the one that it is known by.
        self.odd: set[str] = set()
        self.people_changed_at = self.clock.now() - timedelta(hours=1)
        self.lives: dict[str, Life] = {}
        self.head = 0
        # Holdings with access that somebody else gave, and those with the same access through a group.
        self.standing: dict[str, Resource] = {}
        # What happens at the next call of a name: what, before or after it, and for how long.
        self.at_call: dict[str, tuple[str, str, float]] = {}
        self.law_changed_at = self.people_changed_at
        # Everybody has used it before: whose their accounts are is on record.
        self.world.knows(*PEOPLE)
        self.head = self.ledger.head()
        self._watch()

    # ------------------------------------------------------------ watching everything that happens

    def _watch(self) -> None:
        world, commit, release = self.world, self.ledger.commit, self.ledger.release

        def committed(change: Change) -> Committed | Lost:
            try:
                return commit(change)
            finally:
                self._hear()

        def released(lease: object) -> None:
            # A process that was killed releases nothing: its lease runs out.
            if not isinstance(sys.exc_info()[1], Killed):
                release(lease)  # type: ignore[arg-type]  # handed through

        self.ledger.commit = committed  # type: ignore[method-assign]
        self.ledger.release = released  # type: ignore[method-assign]
        world.chat.refresh_groups = self._refresh_groups  # type: ignore[method-assign]
        for kind in AwsKind:
            self._watch_target(world.targets[kind])
        self._refresh_groups(world.policy.policy, ())

    def _watch_target(self, target: MemoryTarget) -> None:
        begin = target._begin

        def begun(name: str, holding: str, until: datetime | None = None):
            if name == "grant":
                self._giving_is_right(target, holding)
            if name == "revoke":
                self._taking_is_right(holding)
            return begin(name, holding, until)

        target._begin = begun  # type: ignore[method-assign]
        for name in ("grant", "revoke", "observe"):
            setattr(target, name, self._with_mischief(name, getattr(target, name)))

    def _with_mischief(self, name: str, call: Callable) -> Callable:
        def made(*args):
            what, when, seconds = self.at_call.pop(name, ("", "", 0.0))
            if what == "die" and when == "before":
                raise Killed
            if what == "sleep" and when == "before":
                self._others_work(seconds)
            answer = call(*args)
            awake = what != "sleep" or when != "before" or seconds < LEASE_S
            assert awake or name == "observe", f"{name} was sent without a lease"
            if what == "die":
                raise Killed
            if what == "sleep" and when == "after":
                self._others_work(seconds)
            return answer

        return made

    def _others_work(self, seconds: float) -> None:
        """This worker stands still; time passes, and the others go on."""
        self._pass(seconds)

    def _refresh_groups(self, policy: Policy, names: object):
        for name, people in self.members.items():
            listed = Membership(as_of=self.clock.now(), accounts=frozenset(map(account, people)))
            self.world.directory.put_members(f"slack:S0{name.upper()}", listed)
        return self.world.directory.groups(policy, tuple(build.GROUPS))

    # ------------------------------------------------------------ what the audit log says

    def _hear(self) -> None:
        unreachable, self.ledger.unreachable = self.ledger.unreachable, None
        for entry in self.ledger.entries(after=self.head, limit=1000):
            assert entry.number == self.head + 1, "numbers have no gaps"
            self.head = entry.number
            if entry.subject.startswith("PA-"):
                self._hear_of_life(entry)
        self.ledger.unreachable = unreachable

    def _hear_of_life(self, entry: AuditEntry) -> None:
        name = entry.event.value
        if name == "request.made":
            facts = entry.facts
            self.lives[entry.subject] = Life(
                entry.subject, entry.private["actor"], facts["role"], int(facts["duration_s"]), made_at=entry.at
            )
        life = self.lives[entry.subject]
        assert (life.state, name) in CYCLE, f"{name} of {life}"
        before, life.state = life.state, CYCLE[life.state, name]
        tell = getattr(self, "_on_" + name.replace(".", "_"), None)
        if tell:
            tell(life, entry)
        assert before != life.state or name in (
            "request.resolved",
            "request.reminded",
            "request.agreed",
            "request.terms_changed",
            "grant.removal_failing",
            "grant.reappeared",
        )

    def _on_request_resolved(self, life: Life, entry: AuditEntry) -> None:
        assert not life.resolved, f"{life.id} was resolved twice"
        life.resolved = True

    def _on_request_reminded(self, life: Life, entry: AuditEntry) -> None:
        assert life.resolved, f"{life.id} cannot be decided yet"

    def _on_request_terms_changed(self, life: Life, entry: AuditEntry) -> None:
        life.resolved, life.voters = False, []

    def _on_request_agreed(self, life: Life, entry: AuditEntry) -> None:
        self._vote(life, entry.private["actor"])
        assert not self._enough(life), "enough had agreed already"

    def _on_request_approved(self, life: Life, entry: AuditEntry) -> None:
        self._vote(life, entry.private["actor"])
        target = self._record(keys.request(life.id), Request).terms.target
        assert target.permission_set in (None, self.law.read_set), "agreed to something else than is given now"
        assert self._was_enough(life), f"{life} was approved by too few"
        self._decided(life, entry)

    def _on_request_auto_approved(self, life: Life, entry: AuditEntry) -> None:
        life.rule = entry.facts["rule"]
        assert life.rule == self.law.rule(life.role)
        # A rule is applied without a press, so on facts that may be as old as facts may be.
        assert life.holder in self.members[AUTO_GROUP] or entry.at - self.people_changed_at <= KNOWN_BY
        self._decided(life, entry)

    def _vote(self, life: Life, voter: str) -> None:
        assert voter != life.holder, "nobody approves their own request"
        assert voter not in life.voters
        assert voter not in self.gone
        assert voter not in self.odd, "nobody knows who that was"
        assert any(voter in self.members[group] for group in self.law.places(life.role)), f"{voter} has no say"
        life.voters.append(voter)

    def _enough(self, life: Life) -> bool:
        """Whether distinct people fill all places, by trying all orders: slow and plain."""
        places = self.law.places(life.role)
        return any(
            all(who in self.members[group] for who, group in zip(order, places, strict=True))
            for order in permutations(life.voters, len(places))
        )

    def _was_enough(self, life: Life) -> bool:
        """An earlier vote counts with the groups of its own time; who left since is found before anything is given."""
        return self._enough(life) or len(life.voters) >= len(self.law.places(life.role)) > 1

    def _decided(self, life: Life, entry: AuditEntry) -> None:
        request = self._record(keys.request(life.id), Request)
        assert request is not None
        assert self.ledger.is_durable.durable, "decided on a ledger that may forget it"
        assert entry.at < life.made_at + timedelta(hours=1), "decided after it expired"
        life.resource = request.resource
        life.deadline = entry.at + timedelta(seconds=life.duration_s)
        assert self.ledger.due[keys.end_due(life.id)] == life.deadline.timestamp(), "the deadline is in the commit"

    def _on_grant_active(self, life: Life, entry: AuditEntry) -> None:
        assert life.resource is not None
        assert life.deadline is not None
        assert entry.at < life.deadline
        assert self._seen_present(life.resource, entry.at), f"{life.id} is announced, and is not there"
        assert life.resource.holding not in self.standing, "standing access is not counted as ours"
        assert life.sent, "active by another grant's operation"

    def _on_grant_end_started(self, life: Life, entry: AuditEntry) -> None:
        life.cause = entry.facts["cause"]
        assert life.cause != "time" or (life.deadline is not None and entry.at >= life.deadline)

    def _on_closing(self, life: Life, entry: AuditEntry) -> None:
        assert CAUSES[life.cause] == life.state
        assert life.resource is not None
        holding = life.resource.holding
        covered = any(o.open_at(entry.at) for o in self._on_holding(holding) if o is not life)
        gone = not self._seen_present(life.resource, entry.at)
        assert gone or covered or holding in self.standing, f"{life.id} is said to be over, and is there"

    _on_grant_ended = _on_grant_revoked = _on_grant_activation_failed = _on_closing

    def _seen_present(self, resource: Resource, at: datetime) -> bool:
        """The truth as the target would tell it: a target whose reads are behind cannot be known any better."""
        target = self.world.targets[resource.kind]
        return target._at(resource.holding, at - timedelta(seconds=target.stale_s)) is not None

    def _on_holding(self, holding: str) -> list[Life]:
        return [life for life in self.lives.values() if life.resource is not None and life.resource.holding == holding]

    def _record(self, key: str, kind: type):
        return self.ledger._versioned(key).record if kind else None

    # ------------------------------------------------------------ what goes on the wire

    def _giving_is_right(self, target: MemoryTarget, holding: str) -> None:
        now = self.clock.now()
        for life in self._on_holding(holding):
            life.sent = life.sent or life.state == ACTIVATING
        living = [life for life in self._on_holding(holding) if life.live and life.deadline and now < life.deadline]
        assert living, "access is given without a live decision"
        assert holding not in self.standing, "standing access is given again"
        assert self.ledger.is_durable.durable, "access is given while the ledger is not durable"
        # Facts may be a minute old, and the policy may have changed since the worker's step began.
        settled = now - self.people_changed_at > KNOWN_BY and now - self.law_changed_at > timedelta(seconds=LEASE_S)
        if len(living) == 1 and living[0].state == ACTIVATING and settled:
            self._decision_stands(living[0])

    def _decision_stands(self, life: Life) -> None:
        assert self.law.without != life.role
        assert life.holder not in self.gone, "given to somebody who has left"
        assert not self.odd & {life.holder, *life.voters}, "given while nobody knows who asked or agreed"
        if life.rule:
            assert life.holder in self.members[AUTO_GROUP]
            return
        assert not self.gone & set(life.voters), "given on the word of somebody who has left"
        assert self._enough(life), "given on the word of people who have no say any more"

    def _taking_is_right(self, holding: str) -> None:
        now = self.clock.now()
        covered = [life.id for life in self._on_holding(holding) if life.state == ACTIVE and life.open_at(now)]
        assert not covered, f"{covered} would lose access that somebody else's end takes away"
        assert holding not in self.standing, "standing access is taken away"

    # ------------------------------------------------------------ time and workers

    def _work(self) -> None:
        """Run what is due until nothing moves. A job that fails is left to the clock."""
        done: set[str] = set()
        for _ in range(60):
            ready = [item for item in self._ready() if item not in done]
            if not ready:
                return
            for item in ready:
                done.add(item)
                before = self.head
                with suppress(Killed, LedgerUnreachable, DirectoryUnreachable):
                    self.world.run(item)
                if self.head != before:
                    done.clear()

    def _ready(self) -> list[str]:
        now = self.clock.now().timestamp()
        return [item for item, at in sorted(self.ledger.due.items()) if at <= now + 1.001 and not _is_chat(item)]

    def _pass(self, seconds: float) -> None:
        """Time passes, from one due item to the next; what stays due is looked at every five seconds, as the clock does."""
        until = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < until:
            now = self.clock.now().timestamp()
            waiting = [at for item, at in self.ledger.due.items() if not _is_chat(item)]
            later = [at - now for at in waiting if at > now]
            pause = min([*later, *([5.0] if len(later) < len(waiting) else []), 600.0])
            left = (until - self.clock.now()).total_seconds()
            self.clock.advance(min(max(pause, 0.2), left))
            self._work()

    # ------------------------------------------------------------ rules: people

    def _press(self, act: Callable[[], Outcome | Refused]) -> Outcome | Refused | None:
        """What came of it; None where the ledger or the chat did not answer."""
        self._refresh_groups(self.world.policy.policy, ())
        with suppress(Killed, LedgerUnreachable, DirectoryUnreachable):
            return act()
        return None

    def _pick(self, number: int, *states: str) -> Life | None:
        fitting = [life for life in self.lives.values() if not states or life.state in states]
        return fitting[-1 - number % len(fitting)] if fitting else None

    @rule(
        who=st.sampled_from((DANA, NIA, OLU, PAT, GUS)),
        role=st.sampled_from(ROLES),
        minutes=st.sampled_from((1, 5, 60)),
        then_work=st.booleans(),
    )
    def ask(self, who: PersonId, role: str, minutes: int, then_work: bool) -> None:
        answer = self._press(lambda: self.world.ask(who, role, duration=timedelta(minutes=minutes)))
        if isinstance(answer, Outcome) and answer.outcome == "asked":
            life = self.lives[answer.id]
            assert (life.holder, life.role, life.duration_s) == (who, role, minutes * 60)
            assert who not in self.gone
        if then_work:
            self._work()

    @rule(
        who=st.sampled_from((OLU, PAT, SUE, DANA, GUS, NIA)),
        number=st.integers(0, 3),
        pending=st.sampled_from((True, True, True, False)),
        twice=st.booleans(),
        then_work=st.booleans(),
    )
    def approve(self, who: PersonId, number: int, pending: bool, twice: bool, then_work: bool) -> None:
        life = self._pick(number, PENDING) if pending else self._pick(number)
        if life is None:
            return
        press = self.world.press_id()
        first = self._press(lambda: self.world.approve(life.id, who, press=press))
        if twice:
            self._same_again(first, lambda: self.world.approve(life.id, who, press=press))
        if then_work:
            self._work()

    def _same_again(self, first: Outcome | Refused | None, act: Callable[[], Outcome | Refused]) -> None:
        before = self.head
        again = self._press(act)
        if isinstance(first, Outcome) and again is not None:
            assert isinstance(again, Outcome)
            assert (again.id, again.outcome, self.head) == (first.id, first.outcome, before)

    @initialize(who=st.sampled_from((DANA, NIA)), role=st.sampled_from(ROLES), then_work=st.booleans())
    def the_day_begins(self, who: PersonId, role: str, then_work: bool) -> None:
        self.gets(who, role, 5, then_work)

    @rule(
        who=st.sampled_from((DANA, DANA, NIA, OLU)),
        role=st.sampled_from(ROLES),
        minutes=st.sampled_from((1, 5, 60)),
        then_work=st.booleans(),
    )
    def gets(self, who: PersonId, role: str, minutes: int, then_work: bool) -> None:
        """Asks, and those who may agree do."""
        self.ask(who, role, minutes, True)
        life = self._pick(0, PENDING)
        for voter in (PAT, SUE, OLU):
            if life is not None and life.state == PENDING:
                self.approve(voter, 0, True, False, False)
        if then_work:
            self._work()

    @rule(who=st.sampled_from((OLU, PAT, DANA, GUS)), number=st.integers(0, 3))
    def deny(self, who: PersonId, number: int) -> None:
        life = self._pick(number, PENDING)
        if life:
            self._press(lambda: self.world.deny(life.id, who))

    @rule(who=st.sampled_from(PEOPLE), number=st.integers(0, 3))
    def withdraw(self, who: PersonId, number: int) -> None:
        life = self._pick(number)
        if life:
            answer = self._press(lambda: self.world.withdraw(life.id, who))
            assert not isinstance(answer, Outcome) or who == life.holder

    @rule(who=st.sampled_from((DANA, NIA, OLU, SUE, GUS)), number=st.integers(0, 3), then_work=st.booleans())
    def end(self, who: PersonId, number: int, then_work: bool) -> None:
        life = self._pick(number, ACTIVATING, ACTIVE, REVOKING)
        if life:
            answer = self._press(lambda: self.world.end(life.id, who, "enough"))
            allowed = self.members[self.law.owners] | self.members["security"] | {life.holder}
            assert not isinstance(answer, Outcome) or (who in allowed and who not in self.gone)
            if then_work:
                self._work()

    @rule(who=st.sampled_from((DANA, NIA, OLU, PAT)))
    def leaves_or_comes_back(self, who: PersonId) -> None:
        here = who in self.gone
        (self.gone.discard if here else self.gone.add)(who)
        facts = self.world.chat.people[account(who)]
        problem = None if here else "person_deactivated"
        self.world.chat.people[account(who)] = replace(facts, standing_problem=problem)
        self.people_changed_at = self.clock.now()

    @rule(who=st.sampled_from((DANA, NIA, OLU, PAT)), to=st.sampled_from(("new@example.com", SUE, OLU)))
    def changes_address_or_has_the_old_one_again(self, who: PersonId, to: str) -> None:
        self.odd ^= {who}
        address = Address(to if who in self.odd and to != who else who)
        if address == who:
            self.odd -= {who}
        facts = self.world.chat.people[account(who)]
        self.world.chat.people[account(who)] = replace(facts, address=address)
        self.people_changed_at = self.clock.now()

    @rule(who=st.sampled_from((DANA, NIA, OLU, PAT, SUE)), group=st.sampled_from(sorted(build.GROUPS)))
    def changes_groups(self, who: PersonId, group: str) -> None:
        self.members[group] = self.members[group] ^ {who}
        self.people_changed_at = self.clock.now()

    @rule(
        change=st.sampled_from(
            (
                {"read_set": "ReadOnlyAccess"},
                {"read_set": "ViewOnlyAccess"},
                {"owners": "security"},
                {"owners": "platform"},
                {"reader_votes": 2},
                {"reader_votes": 1},
                {"without": "read-only"},
                {"without": None},
            )
        )
    )
    def another_policy(self, change: dict) -> None:
        self.law_changed_at = self.clock.now()
        self.law = replace(self.law, number=self.law.number + 1, **change)
        self.world.policy.policy = policy_of(self.law)
        # How the activation fares on bad days is its own test; here the policy only has to be in force.
        ledger = self.ledger
        kept = ledger.lose_answers, ledger.before_commit, ledger.full
        ledger.lose_answers, ledger.before_commit, ledger.full = 0, None, False
        self.world.activate()
        ledger.lose_answers, ledger.before_commit, ledger.full = kept

    @rule(who=st.sampled_from((DANA, NIA)), role=st.sampled_from(("read-only", "reader")), then_work=st.booleans())
    def the_role_changes_while_it_is_asked_for(self, who: PersonId, role: str, then_work: bool) -> None:
        self.ask(who, role, 5, True)
        other = "ViewOnlyAccess" if self.law.read_set == "ReadOnlyAccess" else "ReadOnlyAccess"
        self.another_policy({"read_set": other})
        for voter in (PAT, PAT, OLU):
            self.approve(voter, 0, True, False, then_work)

    # ------------------------------------------------------------ rules: time

    @rule()
    def workers_work(self) -> None:
        self._work()

    @rule(seconds=st.sampled_from((0.3, 1, 4, 16, 61, 100, 340)))
    def time_passes(self, seconds: float) -> None:
        self._pass(seconds)

    @rule(seconds=st.sampled_from((1, 70, 400, 4000)))
    def everything_is_down(self, seconds: float) -> None:
        self.clock.advance(seconds)

    # ------------------------------------------------------------ rules: the world misbehaves

    @rule(
        kind=st.sampled_from((AwsKind.IDENTITY_CENTER, AwsKind.IDENTITY_CENTER, *AwsKind)),
        name=st.sampled_from(("grant", "grant", "revoke", "revoke", "observe", "poll", "resolve")),
        fault=FAULTS,
        times=st.integers(1, 3),
    )
    def target_misbehaves(self, kind: AwsKind, name: str, fault, times: int) -> None:
        self.world.targets[kind].next(name, *[fault] * times)

    @rule(
        who=st.sampled_from((DANA, NIA)),
        role=st.sampled_from(ROLES),
        minutes=st.sampled_from((1, 1, 5)),
        name=st.sampled_from(("grant", "grant", "revoke", "observe")),
        fault=FAULTS,
        times=st.integers(1, 4),
        then=st.sampled_from(("end", "time", "other", "crash")),
    )
    def gets_on_a_bad_day(
        self, who: PersonId, role: str, minutes: int, name: str, fault, times: int, then: str
    ) -> None:
        """The common story of most faults: it is asked for and approved, the target fails, and then it must end."""
        self.ask(who, role, minutes, True)
        self.world.targets[KINDS.get(role, AwsKind.IDENTITY_CENTER)].next(name, *[fault] * times)
        if then == "crash" and name != "observe":
            self.at_call[name] = ("die", "after", 0.0)
        self.gets(who, role, minutes, True)
        if then == "other":
            self.gets(who, "reader" if role == "quick" else "quick", 5, True)
        if then == "end":
            self._pass(3)
            self.end(who, 0, True)
        self._pass(70)

    @rule(kind=st.sampled_from((AwsKind.IDENTITY_CENTER, *AwsKind)), seconds=st.sampled_from((0.0, 0.0, 3.0, 25.0)))
    def reads_are_stale(self, kind: AwsKind, seconds: float) -> None:
        # Standing access that reads do not show cannot be known; that is a fault of the day, not of the bot.
        if not any(resource.kind == kind for resource in self.standing.values()):
            self.world.targets[kind].stale_s = seconds

    @rule(number=st.integers(0, 3), through=st.booleans())
    def somebody_else_gives_access(self, number: int, through: bool) -> None:
        life = self._pick(number)
        request = self._record(keys.request(life.id), Request) if life else None
        resource = request.resource if request else None
        if resource is None or resource.kind == AwsKind.IAM_POLICY or not self._untouched(resource):
            return
        target = self.world.targets[resource.kind]
        if resource.holding in self.standing or target.has(resource) or target.stale_s:
            return
        if through:
            target.through_group[resource.holding] = "g-1"
        else:
            target.put(resource)
        self.standing[resource.holding] = resource

    def _untouched(self, resource: Resource) -> bool:
        """Whether what is put there now stands before us: nothing was looked at yet."""
        holding = self._record(keys.holding(resource.holding), Holding)
        return holding is None or (holding.baseline is Baseline.UNKNOWN and not holding.ours)

    @precondition(lambda self: self.standing)
    @rule()
    def somebody_else_takes_it_away(self) -> None:
        holding, resource = self.standing.popitem()
        target = self.world.targets[resource.kind]
        if target.through_group.pop(holding, None) is None:
            target.take(resource)

    # ------------------------------------------------------------ rules: our own processes misbehave

    @rule(
        name=st.sampled_from(("grant", "grant", "revoke", "observe")),
        what=st.sampled_from(("die", "sleep")),
        when=st.sampled_from(("before", "after")),
        seconds=st.sampled_from((1.0, 2.9, 4.0, 70.0, 400.0)),
    )
    def a_worker_fails_at_its_next_call(self, name: str, what: str, when: str, seconds: float) -> None:
        self.at_call[name] = (what, when, seconds)

    @rule(
        what=st.sampled_from(("die", "wait", "work", "approve", "end", "ask", "policy")),
        who=st.sampled_from((OLU, PAT, SUE, DANA, NIA)),
        number=st.integers(0, 2),
        seconds=st.sampled_from((0.5, 2.0, 4.0, 10.0)),
        calls=st.integers(0, 2),
    )
    def somebody_comes_between_the_next_commit(
        self, what: str, who: PersonId, number: int, seconds: float, calls: int
    ) -> None:
        def hook(_change: Change) -> None:
            nonlocal calls
            if calls:
                calls -= 1
                self.ledger.before_commit = hook
                return
            self._come_between(what, who, number, seconds)

        self.ledger.before_commit = hook

    def _come_between(self, what: str, who: PersonId, number: int, seconds: float) -> None:
        if what == "die":
            raise Killed
        if what == "wait":
            self.clock.advance(seconds)
        if what == "work":
            self._work()
        if what == "approve":
            self.approve(who, number, True, False, False)
        if what == "end":
            self.end(who, number, False)
        if what == "ask":
            self.ask(who, "reader", 5, False)
        if what == "policy":
            self.another_policy({"reader_votes": 3 - self.law.reader_votes})

    @rule(answers=st.integers(1, 3))
    def answers_of_the_ledger_get_lost(self, answers: int) -> None:
        self.ledger.lose_answers = answers

    @rule(durable=st.booleans())
    def the_ledger_may_not_be_durable(self, durable: bool) -> None:
        self.ledger.is_durable = Durability(durable, "verify", "" if durable else "appendonly is off")

    @rule(full=st.booleans())
    def the_ledger_may_be_full(self, full: bool) -> None:
        self.ledger.full = full

    @rule(unreachable=st.booleans())
    def the_chat_may_be_down(self, unreachable: bool) -> None:
        self.world.chat.unreachable = unreachable

    # ------------------------------------------------------------ invariants

    @invariant()
    def records_say_what_the_audit_log_says(self) -> None:
        for life in self.lives.values():
            request = self._record(keys.request(life.id), Request)
            grant = self._record(keys.grant(life.id), Grant)
            decided = life.live or life.state in OVER
            assert request.state.value == ("approved" if decided else life.state)
            assert (grant.state.value if grant else None) == (life.state if decided else None)
            if grant is not None:
                assert (grant.deadline, grant.holder, grant.holding) == (
                    life.deadline,
                    life.holder,
                    life.resource.holding,
                )

    @invariant()
    def every_deadline_is_on_the_clock(self) -> None:
        for life in self.lives.values():
            due = self.ledger.due.get(keys.end_due(life.id))
            if life.state in (ACTIVATING, ACTIVE):
                assert due == life.deadline.timestamp()
            else:
                assert (due is not None) == life.live
                # An end that somebody pressed is due at once, not only at the deadline.
                soon = self.clock.now() + timedelta(seconds=1)
                assert due is None or due <= max(life.deadline, soon).timestamp()

    @invariant()
    def nobody_has_access_of_ours_that_nothing_watches(self) -> None:
        for holding, resource in self._resources().items():
            if holding in self.standing or not self.world.targets[resource.kind].has(resource):
                continue
            assert self._on_holding(holding), "access without a decision on the ledger"
            assert self._record(keys.holding(holding), Holding) is not None, f"{holding} is there, and nobody looks"
            assert keys.holding(holding) in self.ledger.due

    @invariant()
    def standing_access_is_left_as_it_was(self) -> None:
        for resource in self.standing.values():
            target = self.world.targets[resource.kind]
            assert target.has(resource) or resource.holding in target.through_group

    @invariant()
    def each_holding_has_the_grants_that_are_not_closed(self) -> None:
        for holding in self._resources():
            record = self._record(keys.holding(holding), Holding)
            live = {life.id for life in self._on_holding(holding) if life.live}
            assert set(record.grants if record else ()) == live

    def _resources(self) -> dict[str, Resource]:
        return {life.resource.holding: life.resource for life in self.lives.values() if life.resource is not None}

    # ------------------------------------------------------------ the end of the day

    def teardown(self) -> None:
        self._faults_stop()
        self._pass(60)
        self._what_is_overdue_is_gone_within_a_minute()
        last = max([life.deadline for life in self.lives.values() if life.deadline], default=self.clock.now())
        # An ask that is pending gets its hour.
        until = max(last, self.clock.now() + timedelta(hours=1)) + PATIENCE
        self._pass((until - self.clock.now()).total_seconds())
        self._nothing_is_left()

    def _faults_stop(self) -> None:
        self.ledger.before_commit, self.ledger.lose_answers, self.ledger.full = None, 0, False
        self.ledger.is_durable = Durability(True, "verify")
        self.world.chat.unreachable = False
        self.at_call.clear()
        for kind in AwsKind:
            self.world.targets[kind].stale_s = 0.0
            self.world.targets[kind]._scripts.clear()

    def _what_is_overdue_is_gone_within_a_minute(self) -> None:
        now = self.clock.now()
        for life in self.lives.values():
            if life.live and life.deadline <= now - timedelta(minutes=1) and not self._still_settling(life.resource):
                raise AssertionError(f"{life} should have ended by now, {now}")

    def _still_settling(self, resource: Resource) -> bool:
        """Whether the target itself is still at an operation that it was given while it misbehaved."""
        target, recently = self.world.targets[resource.kind], self.clock.now() - timedelta(minutes=1)
        late = [change for change in target._changes if change.at > recently]
        return bool(late) or any(at > recently for at, _ in target._operations.values())

    def _nothing_is_left(self) -> None:
        for life in self.lives.values():
            assert life.state in (*NO_ACCESS, *OVER), f"{life} is not closed"
        for holding, resource in self._resources().items():
            assert holding in self.standing or not self.world.targets[resource.kind].has(resource)
        self.records_say_what_the_audit_log_says()
        self.standing_access_is_left_as_it_was()
        records = self.ledger._records
        assert [key for key in records if key.startswith(("holding:", "slot:"))] == []
        assert [item for item in self.ledger.due if not _is_chat(item)] == []
        for who in PEOPLE:
            record = self._record(keys.person(who), PersonRecord)
            assert record is None or record.pending == ()
        assert (self.ledger.count(keys.PENDING), self.ledger.count(keys.LIVE)) == (0, 0)


def _is_chat(item: str) -> bool:
    return item.startswith("chat:")


# The same examples each time, so that a red run is red for its change and for nothing else.
STEADY = settings(
    derandomize=True,
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestLives = Lives.TestCase
TestLives.settings = settings.get_profile("deep") if settings.get_current_profile_name() == "deep" else STEADY

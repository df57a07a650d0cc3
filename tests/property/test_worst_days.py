"""The whole workflow on its worst days: emergencies, less than was asked, delegates, escalations, freezes, the panic switch,
people who leave and policies that change. Whatever they do: nobody is given what the policy in force at the decision would not
allow, nobody approves their own access by any path, and each grant ends.

The judge in this file knows people, groups and rules by itself, and shares no rule with the code. What the target, the worker
and the ledger do wrong is `test_lives`' part; here they work.

    pytest tests/property --hypothesis-profile=deep   # minutes, random
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import permutations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.support import build
from tests.support.build import DANA, GUS, HOUR, MINUTE, NIA, OLU, PAT, SUE
from tests.support.people import new_account
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.audit import AuditEntry
from workflows.core.identity import Address
from workflows.core.people import Membership, PersonId, is_fresh
from workflows.core.policy import BreakGlass, Escalation, Freeze, Group, Policy, Risk
from workflows.core.records.grant import CLOSED, Grant
from workflows.core.records.oversight import Review
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Origin, Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.ports import Change, Committed, Lost
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.decisions.approve import approve, decline
from workflows.usecases.decisions.approve_reduced import approve_reduced
from workflows.usecases.identity.confirm_account import Saying, confirm
from workflows.usecases.oversight.break_glass_review import acknowledge, flag
from workflows.usecases.oversight.delegate import delegate, end_delegation
from workflows.usecases.oversight.unblock import lift
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.requests.request_extension import ask_for_more_time
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all
from workflows.usecases.shared.actor import fresh, in_doubt
from workflows.usecases.shared.context import Outcome

PEOPLE = (DANA, NIA, OLU, PAT, SUE)
PLACE = "payments-prod"
# Workers decide on facts that may be a minute old.
KNOWN_BY = timedelta(seconds=61)
RISKS = {"reader": Risk.READ, "quick": Risk.READ, "deploy": Risk.CHANGE, "admin": Risk.ADMIN}
ROLES = tuple(RISKS)
GLASS_ROLES = ("reader", "admin")
DURATIONS = (MINUTE, 10 * MINUTE, HOUR, 3 * HOUR)

people = st.sampled_from(PEOPLE)
numbers = st.integers(0, 3)


@dataclass(frozen=True)
class Law:
    """What the policy says, in the judge's words; the real policy is made from it."""

    number: int = 0
    owners: str = "platform"
    longest: timedelta = 2 * HOUR
    without: str | None = None
    glass: bool = True
    escalation_approves: bool = False
    frozen: bool = False

    def places(self, role: str) -> list[str]:
        return [self.owners, "security"] if role == "admin" else [self.owners]


ASKERS = ("developers", "platform")
QUICK_TIMES = 2
GLASS_TIMES = 2
GLASS_LONGEST = 30 * MINUTE
RULE = "on call, now and then"


def policy_of(law: Law, now: datetime) -> Policy:
    kinds = {
        "reader": AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="ReadOnlyAccess"),
        "quick": AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="ViewOnlyAccess"),
        "deploy": AwsSpec(AwsKind.IAM_GROUP, user="{local_part}", group="deployers"),
        "admin": AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="AdministratorAccess"),
    }
    rule_ = build.auto(RULE, ("oncall",), max_uses_per_day=QUICK_TIMES)
    roles = [
        build.entitlement(
            name,
            risk=RISKS[name],
            target=kinds[name],
            owners=(law.owners,),
            requesters=ASKERS,
            max_duration=law.longest,
            approve={"owners": 1, "security": 1} if name == "admin" else {"owners": 1},
            auto_approve=(rule_,) if name == "quick" else (),
        )
        for name in ROLES
        if name != law.without
    ]
    glass = BreakGlass(("oncall",), GLASS_ROLES, GLASS_LONGEST, max_per_day=GLASS_TIMES, review_within=HOUR)
    place = build.environment(
        *roles,
        owners=(law.owners,),
        requesters=ASKERS,
        break_glass=glass if law.glass else None,
        escalate=Escalation(10 * MINUTE, ("oncall",), law.escalation_approves),
        freezes=(Freeze(now - MINUTE, now + timedelta(days=30), "year's end"),) if law.frozen else (),
    )
    groups = {name: Group(name, slack_usergroup=f"S0{name.upper()}", trusted=True) for name in build.GROUPS}
    return build.policy(place, groups=groups, hash=f"{law.number:064x}")


class WorstDays(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.law = Law()
        self.world = World(policy_of(self.law, build.NOW))
        self.ledger, self.clock = self.world.ledger, self.world.clock
        # Everybody has used it before: whose their accounts are is on record.
        self.world.knows(*PEOPLE)
        self.members: dict[str, frozenset[PersonId]] = dict(build.GROUPS)
        self.gone: set[PersonId] = set()
        # Delegator -> (delegate, since, until), as it was typed and taken.
        self.delegations: dict[PersonId, tuple[PersonId, datetime, datetime]] = {}
        # Whose account has another address than the one that it is known by: somebody has to say whose it is.
        self.known_by: dict[PersonId, str] = {who: str(who) for who in PEOPLE}
        self.break_glass_suspended: set[PersonId] = set()
        self.ids: list[str] = []
        self.asked: dict[str, tuple[str, timedelta]] = {}
        self.uses: dict[tuple[str, PersonId], list[datetime]] = {}
        self.changed_at = self.clock.now() - HOUR
        self.head = 0
        commit = self.ledger.commit

        def committed(change: Change) -> Committed | Lost:
            try:
                return commit(change)
            finally:
                self._hear()

        self.ledger.commit = committed  # type: ignore[method-assign]
        self.world.chat.refresh_groups = self._refresh_groups  # type: ignore[method-assign]

    # ------------------------------------------------------------ what the judge knows

    def _refresh_groups(self, policy: Policy, names: object):
        for name, found in self.members.items():
            listed = Membership(as_of=self.clock.now(), accounts=frozenset(map(account, found)))
            self.world.directory.put_members(f"slack:S0{name.upper()}", listed)
        return self.world.directory.groups(policy, tuple(build.GROUPS))

    @property
    def _settled(self) -> bool:
        """Whether everybody has heard of the last change to people and rules."""
        return self.clock.now() - self.changed_at > KNOWN_BY

    def _is_odd(self, who: PersonId) -> bool:
        return self.world.chat.people[account(who)].address != self.known_by[who]

    def _humans(self, request: Request) -> set[str]:
        """Who asked and who would hold it, by the accounts that did: a human is who presses, whatever they are called."""
        asked = (request.requester_slack, request.holder_slack)
        return {slack.user for slack in asked if slack is not None}

    def _may_speak(self, who: PersonId, group: str, request: Request, at: datetime) -> bool:
        parties = {request.requester, request.holder}
        if who in parties:
            return False
        if who in self.members[group]:
            return True
        called = self.law.escalation_approves and group == self.law.owners and request.escalated_at is not None
        if called and request.escalated_at <= at and who in self.members["oncall"]:
            return True
        return any(
            to == who and since <= at < until and away not in parties and self._stands(away, group, request, at)
            for away, (to, since, until) in self.delegations.items()
        )

    def _stands(self, away: PersonId, group: str, request: Request, at: datetime) -> bool:
        called = self.law.escalation_approves and group == self.law.owners and request.escalated_at is not None
        return away in self.members[group] or bool(called and away in self.members["oncall"])

    def _enough(self, request: Request) -> bool:
        places = self.law.places(request.terms.role)
        voters = [(vote.by, vote.at) for vote in request.votes if not self._is_odd(vote.by)]
        return any(
            all(self._may_speak(who, group, request, at) for (who, at), group in zip(order, places, strict=True))
            for order in permutations(voters, len(places))
        )

    # ------------------------------------------------------------ what the record says, as it is written

    def _hear(self) -> None:
        for entry in self.ledger.entries(after=self.head, limit=1000):
            self.head = entry.number
            tell = getattr(self, "_on_" + entry.event.value.replace(".", "_"), None)
            if tell:
                tell(entry)

    def _request(self, id_: str) -> Request:
        found = self.ledger._versioned(keys.request(id_)).record
        assert isinstance(found, Request)
        return found

    def _on_request_made(self, entry: AuditEntry) -> None:
        request = self._request(entry.subject)
        self.ids.append(entry.subject)
        self.asked[entry.subject] = (request.terms.role, request.terms.duration)

    def _allowed(self, request: Request, longest: timedelta) -> None:
        role, duration = self.asked[request.id]
        terms = request.terms
        assert terms.duration <= min(duration, longest), "more time than was asked, or than the policy gives"
        assert terms.role == role or _reduced_approval(terms.role, role), "another role, and no lesser"
        assert terms.role != self.law.without

    def _on_grant_active(self, entry: AuditEntry) -> None:
        # Who has left may still be approved by somebody who has not heard of it; a worker looks before anything is given.
        assert self._request(entry.subject).holder not in self.gone or not self._settled, (
            "given to somebody who has left"
        )
        assert not self._is_odd(self._request(entry.subject).holder) or not self._settled, "given to nobody knows whom"

    def _on_request_approved(self, entry: AuditEntry) -> None:
        request = self._request(entry.subject)
        voters = {vote.by for vote in request.votes}
        assert not voters & {request.requester, request.holder}, "nobody approves their own request"
        pressed = {str(vote.account).rpartition(":")[2] for vote in request.votes}
        assert not pressed & self._humans(request), "nobody approves their own request by any account"
        assert all(str(vote.account) == account(vote.by).id for vote in request.votes), "in the name of another"
        assert not {right for vote in request.votes for right in vote.for_} & {request.requester, request.holder}
        assert len(voters) == len(request.votes)
        self._allowed(request, self.law.longest)
        assert self._enough(request) or not self._settled, "too few agreed, or people who have no say"
        assert not self.law.frozen, "approved in a freeze"
        askers = frozenset().union(*(self.members[name] for name in ASKERS))
        assert {request.holder, request.requester} <= askers or not self._settled, "for somebody who may not ask"
        if request.extends:
            grant = self.ledger._versioned(keys.grant(request.extends)).record
            assert isinstance(grant, Grant)
            assert grant.state not in CLOSED, "more time on access that is over"

    def _on_request_auto_approved(self, entry: AuditEntry) -> None:
        request = self._request(entry.subject)
        assert (request.terms.role, entry.facts["rule"]) == ("quick", RULE)
        assert request.requester == request.holder, "a rule gave to somebody what another asked for"
        self._allowed(request, self.law.longest)
        assert not self.law.frozen
        assert request.holder in self.members["oncall"] or not self._settled
        self._count(("rule", request.holder), entry.at, QUICK_TIMES)

    def _on_break_glass_used(self, entry: AuditEntry) -> None:
        request = self._request(entry.subject)
        assert request.break_glass
        assert request.terms.role in GLASS_ROLES
        self._allowed(request, GLASS_LONGEST)
        assert request.requester == request.holder
        assert request.holder not in self.break_glass_suspended, "in again before security lifted it"
        assert (self.law.glass and request.holder in self.members["oncall"]) or not self._settled
        self._count(("glass", request.holder), entry.at, GLASS_TIMES)
        review = self.ledger._versioned(keys.review(entry.subject)).record
        assert isinstance(review, Review), "a review is owed from the same moment on"

    def _count(self, what: tuple[str, PersonId], at: datetime, most: int) -> None:
        used = self.uses.setdefault(what, [])
        used.append(at)
        assert sum(at - use < timedelta(days=1) for use in used) <= most, f"{what} too often"

    def _on_person_barred(self, entry: AuditEntry) -> None:
        self.break_glass_suspended.add(PersonId(entry.private["person"]))

    def _on_person_lifted(self, entry: AuditEntry) -> None:
        whom = PersonId(entry.private["person"])
        assert entry.private["actor"] != whom, "nobody lifts their own bar"
        self.break_glass_suspended.discard(whom)

    def _on_review_acknowledged(self, entry: AuditEntry) -> None:
        request = self._request(entry.subject)
        assert entry.private["actor"] != request.holder, "nobody reviews their own"
        reviewers = self.members[self.law.owners] | self.members["security"]
        assert entry.private["actor"] in reviewers or not self._settled

    _on_review_flagged = _on_review_acknowledged

    # ------------------------------------------------------------ acts

    def _press(
        self, who: PersonId, act: Callable[[str], Outcome | Refused], *, gives: bool = True
    ) -> Outcome | Refused:
        """On facts that are fresh: the groups as they are, and the person as they stand."""
        self._refresh_groups(self.world.policy.policy, ())
        self.world.knows(who)
        answer = act(self.world.press_id())
        if isinstance(answer, Refused) and answer.code is Code.FACTS_STALE:
            # That nobody can approve would rest on who left a while ago: a worker looks at them anew first.
            self._look_at_who_left()
            answer = act(self.world.press_id())
        assert not (isinstance(answer, Outcome) and who in self.gone), "somebody who has left acted"
        assert not (isinstance(answer, Outcome) and gives and self._is_odd(who)), "nobody knows who that was"
        assert not (isinstance(answer, Refused) and answer.code is Code.FACTS_STALE)
        return answer

    def _look_at_who_left(self) -> None:
        ctx, policy = self.world.ctx, self.world.policy.policy
        names = tuple(policy.groups)
        for gone in in_doubt(ctx, self.world.directory.groups(policy, names), names):
            fresh(ctx, policy, gone, self.clock.now())

    def _pick(self, number: int) -> str | None:
        return self.ids[-1 - number % len(self.ids)] if self.ids else None

    @rule(who=people, role=st.sampled_from(ROLES), duration=st.sampled_from(DURATIONS))
    def ask(self, who: PersonId, role: str, duration: timedelta) -> None:
        self._press(who, lambda _: self.world.ask(who, role, duration=duration))
        self.world.work()

    @rule(
        who=st.sampled_from((OLU, DANA, PAT)),
        holder=st.sampled_from((DANA, NIA, PAT, OLU)),
        role=st.sampled_from(ROLES),
        voters=st.lists(st.sampled_from((OLU, PAT, SUE, NIA, DANA)), min_size=1, max_size=4),
    )
    def asks_for_somebody_else(self, who: PersonId, holder: PersonId, role: str, voters: list[PersonId]) -> None:
        """Neither of the two has a say, and whoever holds it may decline."""
        self.world.knows(holder)
        ask = Ask(PLACE, role, 10 * MINUTE, "their first week", holder=holder)
        self._press(who, lambda press: ask_for_access(self.world.ctx, ask, account(who), Origin(), press))
        self.world.work()
        for voter in (who, holder, *voters):
            self.approve(voter, 0)

    @rule(who=people, number=numbers)
    def declines(self, who: PersonId, number: int) -> None:
        id_ = self._pick(number)
        if id_:
            request = self._request(id_)
            answer = self._press(who, lambda press: decline(self.world.ctx, id_, account(who), press), gives=False)
            assert not isinstance(answer, Outcome) or who == request.holder != request.requester

    @rule(
        number=numbers,
        duration=st.sampled_from((MINUTE, 10 * MINUTE, HOUR)),
        voters=st.lists(st.sampled_from((OLU, PAT, SUE, DANA, NIA)), min_size=1, max_size=3),
        late=st.booleans(),
    )
    def asks_for_more_time(self, number: int, duration: timedelta, voters: list[PersonId], late: bool) -> None:
        """On a grant that is live, by its holder; some of the answers come after its end."""
        live = self._live()
        if not live:
            return
        grant = live[-1 - number % len(live)]
        who, ctx = grant.holder, self.world.ctx
        self._press(
            who, lambda press: ask_for_more_time(ctx, grant.id, duration, "not done", account(who), Origin(), press)
        )
        self.world.work()
        if late:
            self.time_passes(700)
        for voter in (who, *voters):
            self.approve(voter, 0)

    @rule(who=st.sampled_from((OLU, OLU, PAT, SUE, NIA, DANA)), number=numbers)
    def approve(self, who: PersonId, number: int) -> None:
        id_ = self._pick(number)
        if id_:
            self._press(who, lambda press: self.world.approve(id_, who, press=press))
            self.world.work()

    @rule(
        who=st.sampled_from((DANA, DANA, NIA, OLU)),
        role=st.sampled_from(ROLES),
        duration=st.sampled_from((10 * MINUTE, HOUR)),
        between=st.sampled_from(
            (
                "",
                "",
                "freeze",
                "shorter",
                "other owners",
                "holder moves",
                "holder leaves",
                "owner leaves",
                "delegate",
                "late",
            )
        ),
        voters=st.lists(st.sampled_from((OLU, PAT, SUE, NIA, DANA)), min_size=2, max_size=4),
        less=st.sampled_from((None, None, None, "reader", "deploy")),
    )
    def asks_and_they_decide(
        self, who: PersonId, role: str, duration: timedelta, between: str, voters: list[PersonId], less: str | None
    ) -> None:
        """The common story, with something that happens between the ask and the answers."""
        self.ask(who, role, duration)
        self._between(between, who, voters[0])
        if less:
            self.less(voters[0], 0, less, None)
        for voter in voters:
            self.approve(voter, 0)

    def _between(self, what: str, asker: PersonId, voter: PersonId) -> None:
        changes = {
            "freeze": {"frozen": True},
            "shorter": {"longest": 5 * MINUTE},
            "other owners": {"owners": "security"},
        }
        if what in changes:
            self.another_policy(changes[what])
        if what == "holder moves":
            self.changes_groups(asker, "developers" if asker in (DANA, NIA) else "platform")
        if what == "holder leaves":
            self.leaves_or_comes_back(asker)
        if what == "owner leaves":
            self.leaves_or_comes_back(OLU)
        if what == "delegate":
            self.delegates(OLU, voter, 3)
            self.delegates(PAT, asker, 3)
        if what == "late":
            self.another_policy({"escalation_approves": True})
            self.time_passes(700)

    @rule(
        who=st.sampled_from((OLU, PAT, SUE, NIA)),
        number=numbers,
        role=st.sampled_from((None, *ROLES)),
        duration=st.sampled_from((None, *DURATIONS)),
    )
    def less(self, who: PersonId, number: int, role: str | None, duration: timedelta | None) -> None:
        id_ = self._pick(number)
        if id_:
            at = account(who)
            self._press(who, lambda press: approve_reduced(self.world.ctx, id_, at, role, duration, press))
            self.world.work()

    @rule(who=people, number=numbers, how=st.sampled_from(("deny", "withdraw", "end", "end")))
    def closes(self, who: PersonId, number: int, how: str) -> None:
        id_ = self._pick(number)
        if id_:
            acts = {
                "deny": lambda _: self.world.deny(id_, who),
                "withdraw": lambda _: self.world.withdraw(id_, who),
                "end": lambda _: self.world.end(id_, who, "enough"),
            }
            answer = self._press(who, acts[how], gives=False)
            request, grant = self._request(id_), self.ledger._versioned(keys.grant(id_)).record
            if how == "end" and who == request.holder and isinstance(grant, Grant) and who not in self.gone:
                over = isinstance(answer, Outcome) or answer.code is Code.GRANT_OVER
                assert over, "what somebody holds is theirs to give back, whatever their address is"
            self.world.work()

    @rule(
        who=st.sampled_from((NIA, NIA, NIA, DANA, OLU)),
        role=st.sampled_from(GLASS_ROLES),
        duration=st.sampled_from((None, MINUTE, HOUR)),
        at_once=st.booleans(),
    )
    def breaks_the_glass(self, who: PersonId, role: str, duration: timedelta | None, at_once: bool) -> None:
        ask = Ask(PLACE, role, duration, "everything is down")
        self._press(who, lambda press: break_glass(self.world.ctx, ask, account(who), Origin(), press))
        if at_once:
            self.world.work()

    @rule(times=st.integers(2, 4), glass=st.booleans())
    def on_call_all_night(self, times: int, glass: bool) -> None:
        for _ in range(times):
            if glass:
                self.breaks_the_glass(NIA, "reader", MINUTE, True)
            else:
                self.ask(NIA, "quick", MINUTE)
            self.time_passes(70)

    @rule(who=people, number=numbers, fine=st.booleans())
    def reviews(self, who: PersonId, number: int, fine: bool) -> None:
        id_ = self._pick(number)
        if id_:
            judge = acknowledge if fine else lambda ctx, id_, at, press: flag(ctx, id_, at, "why so long?", press)
            self._press(who, lambda press: judge(self.world.ctx, id_, account(who), press), gives=fine)

    @rule(who=people, whom=people)
    def lifts(self, who: PersonId, whom: PersonId) -> None:
        answer = self._press(who, lambda press: lift(self.world.ctx, whom, account(who), "talked to them", press))
        assert not isinstance(answer, Outcome) or who in self.members["security"]

    @rule(who=people, to=st.sampled_from((NIA, DANA, PAT, SUE, OLU)), days=st.integers(1, 40))
    def delegates(self, who: PersonId, to: PersonId, days: int) -> None:
        until = self.clock.now() + timedelta(days=days)
        self.world.knows(to)
        facts = self.world.chat.people[account(to)]
        answer = self._press(who, lambda press: delegate(self.world.ctx, account(who), facts, until, press))
        if isinstance(answer, Outcome):
            assert to != who
            assert days <= 30
            self.delegations[who] = (to, self.clock.now(), until)

    @rule(who=people)
    def decides_again(self, who: PersonId) -> None:
        if isinstance(
            self._press(who, lambda press: end_delegation(self.world.ctx, account(who), press), gives=False), Outcome
        ):
            self.delegations.pop(who, None)
            self.changed_at = self.clock.now()

    @rule(who=people, whom=st.sampled_from((DANA, NIA, None)))
    def panics(self, who: PersonId, whom: PersonId | None) -> None:
        if whom:
            self.world.knows(whom)
        # By the account that is mentioned, as it is typed: whatever address it has.
        seen = self.world.directory.person(account(whom)) if whom else None
        scope = RevocationScope(seen.id, "Somebody") if seen else RevocationScope(environment=PLACE)
        act = lambda press: revoke_all(self.world.ctx, scope, account(who), "leaked keys", press)  # noqa: E731 - said twice
        answer = self._press(who, act, gives=False)
        if not isinstance(answer, Outcome):
            return
        assert who in self.members[self.law.owners] | self.members["security"]
        open_then = [grant.id for grant in self._live() if whom in (None, grant.holder)]
        self.world.work()
        self.world.advance(5)
        assert not {grant.id for grant in self._live()} & set(open_then), "something of it is still open"

    # ------------------------------------------------------------ people, rules and time

    @rule(who=people)
    def leaves_or_comes_back(self, who: PersonId) -> None:
        here = who in self.gone
        (self.gone.discard if here else self.gone.add)(who)
        facts = self.world.chat.people[account(who)]
        problem = None if here else "person_deactivated"
        self.world.chat.people[account(who)] = replace(facts, standing_problem=problem)
        self.changed_at = self.clock.now()

    @rule(who=people, address=st.sampled_from(("", "", "new@example.com", *map(str, PEOPLE))), back=st.booleans())
    def changes_address(self, who: PersonId, address: str, back: bool) -> None:
        """To one that nobody has, or to somebody else's; and perhaps back again."""
        for one in (address or str(who), *((self.known_by[who],) if back else ())):
            facts = self.world.chat.people[account(who)]
            self.world.chat.people[account(who)] = replace(facts, address=Address(one))
        self.world.run(keys.whois(account(who)))
        self.changed_at = self.clock.now()

    @rule(
        who=st.sampled_from((OLU, OLU, PAT, SUE, NIA)),
        team=st.sampled_from(("T1", "T9")),
        act=st.sampled_from(("approve", "ask", "glass", "lift", "panic")),
        number=numbers,
    )
    def somebody_acts_under_anothers_address(self, who: PersonId, team: str, act: str, number: int) -> None:
        """A new account, or the very user id in another workspace: it is nobody, and stops nobody."""
        user = account(who).user if team == "T9" else f"UNEW{len(self.world.chat.people)}"
        there = new_account(self.world, user, self.known_by[who], team=team)
        self._refresh_groups(self.world.policy.policy, ())
        self.world.chat.refresh_person(there, self.world.policy.policy)
        id_, ctx, press = self._pick(number), self.world.ctx, self.world.press_id()
        ask = Ask(PLACE, "reader", MINUTE, "everything is down")
        acts: dict[str, Callable[[], Outcome | Refused]] = {
            "approve": lambda: approve(ctx, id_ or "PA-1", there, press),
            "ask": lambda: ask_for_access(ctx, ask, there, Origin(), press),
            "glass": lambda: break_glass(ctx, ask, there, Origin(), press),
            "lift": lambda: lift(ctx, NIA, there, "why not", press),
            "panic": lambda: revoke_all(ctx, RevocationScope(environment=PLACE), there, "mischief", press),
        }
        assert isinstance(acts[act](), Refused), "a stranger did that in somebody's name"
        found = self.world.directory.of_person(who)
        assert found is not None
        assert found.slack == account(who), "whoever came last is taken for who was there"

    @rule(who=people, same=st.just(True))
    def they_say_whose_it_is(self, who: PersonId, same: bool) -> None:
        """Security, two of them, where that is needed: never who it is about."""
        if not self._is_odd(who):
            return
        self.world.run(keys.whois(account(who)))
        facts = self.world.chat.people[account(who)]
        if who in self.gone:
            return
        for one in (PAT, SUE, OLU, NIA):
            said = Saying(account(who).id, same, "asked them")
            answer = self._press(
                one, lambda press, said=said, one=one: confirm(self.world.ctx, said, account(one), press)
            )
            if isinstance(answer, Outcome):
                assert one != who
                assert one in self.members["security"]
            if isinstance(answer, Outcome) and answer.outcome == "confirmed":
                # Whoever had the address before has lost it.
                self.known_by = {who_: "" if known == facts.address else known for who_, known in self.known_by.items()}
                self.known_by[who] = str(facts.address)
                self.changed_at = self.clock.now()
                return

    @rule(who=people, age=st.sampled_from((5, 30, 200)))
    def old_news_arrive(self, who: PersonId, age: int) -> None:
        """What was said of somebody a while ago, and is delivered again: it says nothing of today."""
        before = self.world.chat.people[account(who)]
        old = replace(
            before, standing_problem=None, address=Address(who), as_of=self.clock.now() - timedelta(seconds=age)
        )
        known = self.world.directory.person(account(who))
        if known is not None and known.as_of > old.as_of:
            self.world.directory.put_person(old)
            after = self.world.directory.person(account(who))
            assert after is not None
            # What is older by more than an answer takes may stand there, and no decision rests on it.
            old_news = not is_fresh(after.as_of, self.clock.now())
            assert old_news or after.standing_problem == known.standing_problem, "older news overwrote younger"

    @rule(who=people, group=st.sampled_from(sorted(build.GROUPS)))
    def changes_groups(self, who: PersonId, group: str) -> None:
        self.members[group] = self.members[group] ^ {who}
        self.changed_at = self.clock.now()

    @rule(
        change=st.sampled_from(
            (
                {"owners": "security"},
                {"owners": "platform"},
                {"longest": 5 * MINUTE},
                {"longest": 2 * HOUR},
                {"without": "admin"},
                {"without": "reader"},
                {"without": None},
                {"glass": False},
                {"glass": True},
                {"escalation_approves": True},
                {"escalation_approves": False},
                {"frozen": True},
                {"frozen": False},
            )
        )
    )
    def another_policy(self, change: dict) -> None:
        self.law = replace(self.law, number=self.law.number + 1, **change)
        self.world.policy.policy = policy_of(self.law, self.clock.now())
        self.world.activate()
        self.changed_at = self.clock.now()

    @rule(seconds=st.sampled_from((1, 30, 70, 700, 4000, 90_000)))
    def time_passes(self, seconds: int) -> None:
        self.world.advance(seconds, step_s=max(1.0, seconds / 30))

    # ------------------------------------------------------------ what holds

    def _live(self) -> list[Grant]:
        found = (self.ledger._versioned(keys.grant(id_)).record for id_ in self.ids)
        return [grant for grant in found if isinstance(grant, Grant) and grant.state not in CLOSED]

    @invariant()
    def access_stands_on_a_live_grant(self) -> None:
        open_ = {grant.holding for grant in self._live()}
        for id_ in self.ids:
            resource = self._request(id_).resource
            if resource is not None and self.world.targets[resource.kind].has(resource):
                assert resource.holding in open_, f"{id_}: access that no live grant stands for"

    @invariant()
    def every_live_grant_has_its_end_on_the_clock(self) -> None:
        assert all(keys.end_due(grant.id) in self.ledger.due for grant in self._live())

    def teardown(self) -> None:
        """A day later, with nobody pressing anything, nobody has anything."""
        self.world.policy.policy = policy_of(replace(self.law, number=self.law.number + 1), self.clock.now())
        self.world.activate()
        self.world.advance(86_400, step_s=600)
        assert self._live() == []
        for id_ in self.ids:
            resource = self._request(id_).resource
            assert resource is None or not self.world.targets[resource.kind].has(resource)
        for who in (*PEOPLE, GUS):
            record = self.ledger._versioned(keys.person(who)).record
            assert record is None or (isinstance(record, PersonRecord) and record.pending == ())


def _reduced_approval(role: str, than: str) -> bool:
    order = (Risk.READ, Risk.CHANGE, Risk.ADMIN)
    return order.index(RISKS[role]) < order.index(RISKS[than])


STEADY = settings(
    derandomize=True,
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestWorstDays = WorstDays.TestCase
TestWorstDays.settings = settings.get_profile("deep") if settings.get_current_profile_name() == "deep" else STEADY

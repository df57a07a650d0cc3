"""Who may agree to what, as the judge sees it: by people, groups and laws alone, and by what was known a moment ago.

Whoever decides goes by facts that are a minute old at most, so what was true within the last moments may still count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import permutations

from tests.simulation.house import House
from tests.simulation.law import (
    ASKERS,
    AUTO_GROUP,
    GLASS_GROUP,
    GLASS_LONGEST,
    GLASS_ROLES,
    PANIC_GROUP,
    RULES,
    Law,
)
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.people import PersonId
from workflows.core.records.grant import Grant
from workflows.core.records.oversight import Review
from workflows.core.records.request import DecisionKind, Request
from workflows.ports import Change

# Facts are a minute old at most, a decision some seconds, and a worker's step lasts no longer than its lease.
KNOWN_BY_S = 75.0
Wrong = Callable[[str, str], None]
NEVER = -1e9


class Votes:
    def __init__(self, house: House) -> None:
        self._house = house
        # Since when somebody is in no group that they were in, is gone, or has an address that is not theirs.
        self.left_s: dict[tuple[str, PersonId], float] = {}
        self.gone_s: dict[PersonId, float] = {}
        self.odd_s: dict[PersonId, float] = {}
        # The addresses that are somebody's: the first one, and those of which people have said so.
        self.theirs: dict[str, set[str]] = {}
        self.changed_s = NEVER
        # Who decides in whose place: (delegator, delegate) -> from and until, in seconds.
        self.delegations: dict[tuple[str, str], tuple[float, float]] = {}
        # Request -> voter -> the places that they could fill when they voted.
        self.could: dict[str, dict[str, frozenset[str]]] = {}
        # Whoever broke the glass, by request; and votes that nobody pressed: request and voter.
        self.broke: dict[str, str] = {}
        self.forged: set[tuple[str, str]] = set()

    @property
    def _now_s(self) -> float:
        return self._house.scheduler.now_s

    # ------------------------------------------------------------ what happens to people

    def group_changed(self, who: PersonId, group: str, *, inside: bool) -> None:
        self.changed_s = self._now_s
        if inside:
            self.left_s.pop((group, who), None)
        else:
            self.left_s[group, who] = self._now_s

    def gone(self, who: PersonId, *, here: bool) -> None:
        self.changed_s = self._now_s
        if here:
            self.gone_s.pop(who, None)
        else:
            self.gone_s[who] = self._now_s

    def address_changed(self, who: PersonId) -> None:
        self.changed_s = self._now_s
        if self._house.town.address(who) in self.theirs.get(who, {str(who)}):
            self.odd_s.pop(who, None)
        else:
            self.odd_s.setdefault(who, self._now_s)

    def heard(self, event: AuditEvent) -> None:
        if event.event is Event.DELEGATION_SET:
            self.delegations[event.private["actor"], event.private["to"]] = (self._now_s, 1e12)
        if event.event is Event.DELEGATION_ENDED:
            pair = event.private["actor"], event.private["to"]
            self.delegations[pair] = (self.delegations.get(pair, (0.0, 0.0))[0], self._now_s)

        if event.event is Event.PERSON_CONFIRMED and event.private.get("person"):
            who = PersonId(event.private["person"])
            self.theirs.setdefault(who, {str(who)}).add(self._house.town.address(who))
            self.address_changed(who)

    def fell_back(self, lost: Iterable[str]) -> None:
        """What was said since the copy was made is gone. Who decides in whose place goes by the copy: each of them may count."""
        for id_ in lost:
            self.could.pop(id_, None)
            self.broke.pop(id_, None)
        self.delegations = {pair: (since_s, 1e12) for pair, (since_s, _) in self.delegations.items()}

    # ------------------------------------------------------------ who may

    def _lately(self, since_s: float | None) -> bool:
        """Whether what began then may not have been heard of yet."""
        return since_s is None or self._now_s - since_s < KNOWN_BY_S

    def is_in(self, who: str, group: str) -> bool:
        person = PersonId(who)
        if person in self._house.town.members[group]:
            return True
        left_s = self.left_s.get((group, person))
        return left_s is not None and self._lately(left_s)

    def _speaks(self, who: str, group: str, law: Law, request: Request) -> bool:
        if self.is_in(who, group):
            return True
        return bool(
            law.escalation_approves and group == law.owners and request.escalated_at and self.is_in(who, GLASS_GROUP)
        )

    def _may(self, who: str, group: str, law: Law, request: Request) -> bool:
        parties = {request.requester, request.holder}
        if who in parties:
            return False
        if self._speaks(who, group, law, request):
            return True
        return any(
            to == who
            and away not in parties
            and self._lately_until(until_s)
            and self._speaks(away, group, law, request)
            for (away, to), (_, until_s) in self.delegations.items()
        )

    def _lately_until(self, until_s: float) -> bool:
        return self._now_s - until_s < KNOWN_BY_S

    def may_press(self, who: str) -> bool:
        """Whether the panic group's word is theirs to say."""
        person = PersonId(who)
        here = self._lately(self.gone_s.get(person)) and self._lately(self.odd_s.get(person))
        return here and self.is_in(who, PANIC_GROUP)

    # ------------------------------------------------------------ what is decided

    def voted(self, request: Request, by: str, law: Law, wrong: Wrong) -> None:
        vote = next((one for one in request.votes if one.by == by), None)
        if vote is None:
            wrong("no access without a decision", f"{request.id} was agreed to by {by}, whose vote is not there")
            return
        if vote.by in (request.requester, request.holder):
            wrong("nobody approves their own access", f"{vote.by} agreed to {request.id} of {request.holder}")
        parties = {slack.user for slack in (request.requester_slack, request.holder_slack) if slack is not None}
        if str(vote.account).rpartition(":")[2] in parties:
            wrong("nobody approves their own access", f"the account {vote.account} agreed to its own {request.id}")
        if set(vote.for_) & {request.requester, request.holder}:
            wrong("nobody approves their own access", f"{vote.by} agreed to {request.id} in the asker's own place")
        places = frozenset(
            group for group in set(law.places(request.terms.role)) if self._may(vote.by, group, law, request)
        )
        if not places:
            wrong("no access without a decision", f"{vote.by} agreed to {request.id} and has no say")
        if not self._lately(self.gone_s.get(vote.by)) or not self._lately(self.odd_s.get(vote.by)):
            wrong("an unknown person gives nothing", f"{vote.by} agreed to {request.id}, and is gone or on hold")
        self.could.setdefault(request.id, {})[vote.by] = places
        self.forged.discard((request.id, vote.by))

    def decided(self, request: Request, law: Law, change: Change, wrong: Wrong) -> None:
        decision, terms = request.decision, request.terms
        if decision is None and not request.votes:
            wrong("no access without a decision", f"{request.id} is given, and nobody decided")
            return
        if terms.duration > law.longest or terms.role == law.without:
            wrong("the policy in force decides", f"{request.id} is for {terms.role}, {terms.duration}")
        askers = any(self.is_in(request.holder, group) for group in ASKERS)
        kind = decision.kind if decision else DecisionKind.APPROVAL
        starts = any(event.event is Event.REQUEST_STARTED for event in change.audit)
        if law.frozen and kind is not DecisionKind.BREAK_GLASS and not starts:
            wrong("the policy in force decides", f"{request.id} was agreed to in a freeze")
        if kind is not DecisionKind.BREAK_GLASS and not askers:
            wrong("the policy in force decides", f"{request.holder} may not ask for {request.id}")
        judge = {
            DecisionKind.APPROVAL: self._enough,
            DecisionKind.AUTO: self._by_rule,
            DecisionKind.BREAK_GLASS: self._by_breaking_glass,
        }[kind]
        judge(request, law, change, wrong)

    def _enough(self, request: Request, law: Law, change: Change, wrong: Wrong) -> None:
        """Whether distinct people fill all places, by trying all orders: slow and plain."""
        could = self.could.get(request.id, {})
        voters = [vote.by for vote in request.votes]
        places = law.places(request.terms.role)

        def fills(who: str, group: str) -> bool:
            return group in could.get(who, frozenset()) or self._may(who, group, law, request)

        if not any(
            all(fills(who, group) for who, group in zip(order, places, strict=True))
            for order in permutations(voters, len(places))
        ):
            wrong("no access without a decision", f"{request.id} was approved by {voters}, and needs {places}")

    def _by_rule(self, request: Request, law: Law, change: Change, wrong: Wrong) -> None:
        rule = request.decision.rule if request.decision else None
        right = rule is not None and RULES.get(request.terms.role) == rule
        if not (right and self.is_in(request.holder, AUTO_GROUP) and request.requester == request.holder):
            wrong("no access without a decision", f"no rule lets {request.holder} have {request.id} ({rule})")

    def _by_breaking_glass(self, request: Request, law: Law, change: Change, wrong: Wrong) -> None:
        terms = request.terms
        allowed = law.glass and terms.role in GLASS_ROLES and terms.duration <= GLASS_LONGEST
        if not (allowed and self.is_in(request.holder, GLASS_GROUP) and request.requester == request.holder):
            wrong("no access without a decision", f"{request.holder} may not break the glass for {request.id}")
        before = sum(who == request.holder for who in self.broke.values())
        if before >= law.glass_a_day:
            wrong("the policy in force decides", f"{request.holder} broke the glass {before} times before {request.id}")
        self.broke[request.id] = request.holder
        if not isinstance(change.puts.get(keys.review(request.id)), Review):
            wrong("break-glass is reviewed", f"nobody owes a review of {request.id}")

    def still_right(self, request: Request, grant: Grant, law: Law, wrong: Wrong) -> None:
        """Right before it is given: the holder and whoever agreed are looked at anew."""
        # Where a rule or an emergency decides, no vote is looked at.
        agreed = [vote.by for vote in request.votes] if grant.decision.kind is DecisionKind.APPROVAL else []
        for who in agreed:
            if (request.id, who) in self.forged:
                wrong("what nobody pressed gives nothing", f"{request.id} is given on a vote of {who}")
        for who in (request.holder, *agreed):
            person = PersonId(who)
            if not self._lately(self.gone_s.get(person)):
                wrong("failing safe", f"{request.id} is given, and {who} has left")
            if not self._lately(self.odd_s.get(person)):
                wrong("failing safe", f"{request.id} is given, and nobody knows whose {who}'s account is")
        if self._settled():
            self._decision_stands(request, grant, law, wrong)

    def _settled(self) -> bool:
        """Whether everybody has heard of the last change to people and rules."""
        return not self._lately(max(self.changed_s, self._house.folder.laws[-1][0]))

    def _decision_stands(self, request: Request, grant: Grant, law: Law, wrong: Wrong) -> None:
        kind, holder = grant.decision.kind, request.holder
        if request.terms.role == law.without:
            wrong("failing safe", f"{request.id} is given, and the policy has no such role any more")
        if kind is DecisionKind.AUTO and not self.is_in(holder, AUTO_GROUP):
            wrong("failing safe", f"{request.id} is given by a rule that is not for {holder} any more")
        if kind is DecisionKind.BREAK_GLASS and not (law.glass and self.is_in(holder, GLASS_GROUP)):
            wrong("failing safe", f"{request.id} is given, and {holder} may not break the glass any more")
        voters, places = [vote.by for vote in request.votes], law.places(request.terms.role)
        enough = any(
            all(self._may(who, group, law, request) for who, group in zip(order, places, strict=True))
            for order in permutations(voters, len(places))
        )
        if kind is DecisionKind.APPROVAL and not enough:
            wrong("failing safe", f"{request.id} is given on the word of {voters}, who have no say any more")

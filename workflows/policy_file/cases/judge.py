"""What the policy's rules make of one case: the rules that decide in chat, asked in the same order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from workflows.core.identity import Address, listed_as
from workflows.core.people import GroupFacts, PersonFacts
from workflows.core.policy import Entitlement, Policy
from workflows.core.provider import TemplateRefused
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.person import PersonRecord, Uses
from workflows.core.records.request import Decision, DecisionKind, Origin, Request, RequestState
from workflows.core.records.target import Resource
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approvers import can_speak
from workflows.core.rules.break_glass import History, longest, may_break, review_owed
from workflows.core.rules.by_rule import rule_for
from workflows.core.rules.eligibility import Ask, MayAsk, may_ask, unfit_holder
from workflows.core.rules.extension import total_max, total_problem
from workflows.core.rules.grant_terms import terms_for
from workflows.core.rules.groups import held
from workflows.core.rules.reminders import escalation_due, escalation_of
from workflows.core.rules.ticket_check import TicketSeen, TicketState, verified
from workflows.policy_file.cases.facts import Known, folded, group_facts, person_facts
from workflows.policy_file.cases.raw import APPROVAL, BREAK_GLASS, REFUSED, RULE, Case

_ID = "PA-1"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outcome`: as a case's `expect` names it. `request`: what the ask became; None where it was refused."""

    outcome: str
    refused: Refused | None = None
    entitlement: Entitlement | None = None
    request: Request | None = None
    approvals: Mapping[str, int] = field(default_factory=dict)
    approvers: tuple[Address, ...] = ()
    rule: str | None = None
    used_up: tuple[str, ...] = ()
    lasts: timedelta | None = None
    max_duration: timedelta | None = None
    max_total: timedelta | None = None
    review_within: timedelta | None = None
    escalated: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """One case with its facts."""

    policy: Policy
    case: Case
    at: datetime
    person: PersonFacts
    holder: PersonFacts
    groups: GroupFacts
    barred: str | None

    @property
    def ask(self) -> Ask:
        case = self.case
        holder = None if self.holder is self.person else self.holder.id
        return Ask(case.environment, case.role, case.duration, case.reason, case.ticket, case.start_at, holder)

    @property
    def used(self) -> tuple[datetime, ...]:
        return (self.at,) * self.case.uses_today


def judge(policy: Policy, case: Case, on: Known, at: datetime) -> Verdict:
    """What becomes of this ask, made at that time."""
    who = folded(policy, case.who)
    person, groups = person_facts(policy, on, who, at), group_facts(policy, on, at)
    address = folded(policy, case.holder) if case.holder else who
    holder = person if address == who else person_facts(policy, on, address, at)
    barred = on.people[who].barred if who in on.people else None
    asked = _Asked(policy, case, at, person, holder, groups, barred)
    if person.suspended is not None:
        return _refused(held(person.suspended))
    return _broken(asked) if case.break_glass else _requested(asked)


def _refused(refused: Refused) -> Verdict:
    return Verdict(REFUSED, refused)


# ---------------------------------------------------------------- in an emergency


def _broken(asked: _Asked) -> Verdict:
    person, policy = asked.person, asked.policy
    history = History(_record(asked), Uses("", asked.used))
    answer = may_break(policy, asked.ask, person, asked.groups, history, asked.at)
    if isinstance(answer, Refused):
        return _refused(answer)
    request = _request(asked, answer)
    if isinstance(request, Refused):
        return _refused(request)
    place = policy.environments[answer.entitlement.environment]
    review = review_owed(_ID, place.name, place.break_glass, person.id, asked.at)
    limits = place.break_glass
    return Verdict(
        BREAK_GLASS,
        entitlement=answer.entitlement,
        request=request,
        lasts=answer.duration,
        max_duration=longest(limits) if limits else None,
        max_total=limits.max_total if limits else None,
        review_within=review.due_at - review.since,
    )


def _record(asked: _Asked) -> PersonRecord:
    return PersonRecord(asked.person.id, asked.person.name, break_glass_barred=asked.barred)


# ---------------------------------------------------------------- as usual


def _requested(asked: _Asked) -> Verdict:
    name = asked.holder.name if asked.holder is not asked.person else ""
    kept_out = _holder_problem(asked) if name else None
    answer = kept_out or may_ask(asked.policy, asked.ask, asked.person, asked.holder.id, asked.groups, asked.at, name)
    if isinstance(answer, Refused):
        return _refused(answer)
    request = _request(asked, answer)
    if isinstance(request, Refused):
        return _refused(request)
    grant = _grant(asked, request)
    too_long = total_problem(asked.policy, grant, answer.duration) if grant else None
    refused = too_long or _ticket_problem(asked, answer)
    return _refused(refused) if refused else _decided(asked, answer, request, grant)


def _holder_problem(asked: _Asked) -> Refused | None:
    if asked.holder.suspended is not None:
        return Refused(Code.HOLDER_BLOCKED, {"name": asked.holder.name})
    return unfit_holder(asked.holder)


def _ticket_problem(asked: _Asked, answer: MayAsk) -> Refused | None:
    rule = answer.entitlement.ticket
    if rule is None or rule.verify is None or not answer.ticket:
        return None
    found = verified(rule.verify, answer.ticket, TicketSeen(TicketState(asked.case.ticket_is), "it did not answer"))
    return found if isinstance(found, Refused) else None


def _decided(asked: _Asked, answer: MayAsk, request: Request, grant: Grant | None) -> Verdict:
    """By a rule at once, or by people later on."""
    policy, role = asked.policy, answer.entitlement
    limits = Verdict(
        RULE,
        entitlement=role,
        request=request,
        lasts=answer.duration,
        max_duration=role.max_duration,
        max_total=total_max(policy, grant) if grant else role.max_total,
    )
    uses = {rule.name: asked.used for rule in role.auto_approve}
    by_rule = rule_for(policy, request, grant, asked.groups, asked.at, uses)
    if by_rule.rule is not None:
        return replace(limits, rule=by_rule.rule.name)
    later = asked.at + asked.case.waited
    called = escalation_due(request, escalation_of(policy, request), later)
    waiting = replace(request, escalated_at=later) if called else request
    people = can_speak(policy, role, waiting, asked.groups)
    return replace(
        limits,
        outcome=APPROVAL,
        approvals=role.approve,
        approvers=tuple(sorted(address for who in people if (address := listed_as(who)))),
        used_up=tuple(name for name, _ in by_rule.used_up),
        escalated=called,
    )


# ---------------------------------------------------------------- what the record would hold


def _request(asked: _Asked, answer: MayAsk) -> Request | Refused:
    person, holder, role = asked.person, asked.holder, answer.entitlement
    try:
        terms = terms_for(role, holder.id, answer.duration, holder.address)
    except TemplateRefused as problem:
        return Refused(Code.TEMPLATE_REFUSED, {"why": str(problem)})
    return Request(
        id=_ID,
        requester=person.id,
        requester_name=person.name,
        requester_slack=person.slack,
        holder=holder.id,
        holder_name=holder.name,
        terms=terms,
        reason=answer.reason,
        state=RequestState.PENDING,
        created_at=asked.at,
        expires_at=asked.at + role.expires_after,
        policy_hash=asked.policy.hash,
        origin=Origin(incident=asked.case.in_incident_channel),
        ticket=answer.ticket,
        break_glass=asked.case.break_glass,
        start_at=answer.start_at,
        extends=_ID if asked.case.extends else None,
        accounts=(person.account, holder.account),
        holder_address=holder.address,
    )


def _grant(asked: _Asked, request: Request) -> Grant | None:
    """The access that would be prolonged."""
    live = asked.case.extends
    if live is None:
        return None
    kind = DecisionKind.BREAK_GLASS if live.break_glass else DecisionKind.APPROVAL
    return Grant(
        id=_ID,
        holder=request.holder,
        holder_name=request.holder_name,
        terms=request.terms,
        resource=Resource("", request.terms.target, {}, ""),
        holding="",
        state=GrantState.ACTIVE,
        decision=Decision(kind, asked.at - live.since, asked.policy.hash),
        deadline=asked.at + live.left,
    )

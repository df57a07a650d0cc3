"""What the policy's rules make of a pipeline's wait for a gate: those that decide when one asks, in the same order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from workflows.core.gates.ask import GateAsk, Starter, pipeline_person
from workflows.core.identity import Address, first_person, listed_as
from workflows.core.people import Account
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.identity import Forge, Part, PipelineRun
from workflows.core.policy import Entitlement, Gate, Policy
from workflows.core.records.person import PersonRecord, Uses
from workflows.core.records.request import Origin, Request, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approvers import can_speak
from workflows.core.rules.break_glass import History, review_owed
from workflows.core.rules.eligibility import Ask, clean, find_ticket, slips_of, time_problem
from workflows.core.rules.gate_asking import gate_terms, starter_refused
from workflows.core.rules.gate_emergency import may_open
from workflows.core.rules.groups import held
from workflows.core.rules.reminders import escalation_due, escalation_of
from workflows.core.rules.ticket_check import TicketSeen, TicketState, verified
from workflows.policy_file.cases.facts import Known, folded, group_facts, person_facts
from workflows.policy_file.cases.judge import Verdict
from workflows.policy_file.cases.raw import APPROVAL, BREAK_GLASS, REFUSED, GateCase

_ID = "PA-1"


def judge_gate(policy: Policy, case: GateCase, on: Known, at: datetime) -> Verdict:
    """What becomes of this ask, made at that time."""
    place = policy.environments.get(case.environment.strip().lower())
    gate = place.gates.get(case.gate.strip().lower()) if place is not None else None
    if place is None or gate is None:
        code = Code.ENVIRONMENT_UNKNOWN if place is None else Code.GATE_UNKNOWN
        params = {"name": case.environment if place is None else case.gate, "environment": case.environment}
        return Verdict(REFUSED, Refused(code, {**params, "known": "", "near": ""}))
    asked = _asked(policy, case)
    role = gate.asked_with(len(asked.unknown))
    # An emergency stops at no freeze and at no hours.
    shut = time_problem(policy, place, role, at) if case.broken_by is None else None
    refused = (
        _not_allowed(policy, case, place.name) or _slips(case, role, gate, asked) or shut or _ticket_problem(case, role)
    )
    if refused:
        return Verdict(REFUSED, refused)
    decided = _decided(policy, case, on, at, role, asked)
    return decided if case.broken_by is None else _broken(policy, gate, case, case.broken_by, on, at, decided)


def _broken(
    policy: Policy, gate: Gate, case: GateCase, who: Address, on: Known, at: datetime, waits: Verdict
) -> Verdict:
    """While it waits somebody opens it alone. The case has no reason of theirs: one is taken as given."""
    address, groups = folded(policy, who), group_facts(policy, on, at)
    person = person_facts(policy, on, address, at)
    if person.suspended is not None:
        return Verdict(REFUSED, held(person.suspended))
    barred = on.people[address].barred if address in on.people else None
    record = PersonRecord(person.id, person.name, break_glass_barred=barred)
    history = History(record, Uses("", (at,) * case.uses_today))
    refused = may_open(policy, gate, _ID, case.change or "an emergency", person, groups, history, at)
    if refused is not None:
        return Verdict(REFUSED, refused)
    place = policy.environments[gate.entitlement.environment]
    review = review_owed(_ID, place.name, place.break_glass, person.id, at)
    return Verdict(
        BREAK_GLASS, entitlement=waits.entitlement, request=waits.request, review_within=review.due_at - review.since
    )


def _asked(policy: Policy, case: GateCase) -> GateAsk:
    known = tuple(
        Starter(Part.PUSHED, str(one), first_person(one), str(one))
        for one in dict.fromkeys(folded(policy, each) for each in case.began)
    )
    nobody = tuple(Starter(Part.STARTED, f"somebody {number}") for number in range(case.unknown))
    run = PipelineRun(
        issuer="",
        forge=Forge.KEY,
        repository=case.pipeline or "a pipeline",
        repository_id=case.pipeline or "",
        owner_id="",
        ref="",
        ref_protected=None,
        commit="0" * 40,
        run="1",
        attempt="1",
        job="",
        environment="",
        workflow="",
        event="push",
        actor_id="",
        starters=(),
    )
    return GateAsk(case.gate.strip().lower(), run, "", "", (*known, *nobody))


def _not_allowed(policy: Policy, case: GateCase, environment: str) -> Refused | None:
    """Whether no run of it could ask. Which of its runs can, its tokens prove."""

    def meant(one: Pipeline) -> bool:
        return case.pipeline is None or one.name == case.pipeline

    if any(meant(one) and one.may_ask_for(environment) for one in policy.pipelines):
        return None
    why = f"The policy does not let {case.pipeline or 'any pipeline'} ask for {environment}."
    return Refused(Code.PIPELINE_NOT_ALLOWED, {"why": why}, rules=("pipelines",))


def _slips(case: GateCase, role: Entitlement, gate: Gate, asked: GateAsk) -> Refused | None:
    problem = slips_of(_typed(case, role), role) or starter_refused(gate, asked)
    return problem and replace(problem, params={**problem.params, "gate": gate.name})


def _typed(case: GateCase, role: Entitlement) -> Ask:
    return Ask(role.environment, role.role, None, case.change, case.ticket)


def _ticket_problem(case: GateCase, role: Entitlement) -> Refused | None:
    check, ticket = role.ticket.verify if role.ticket else None, find_ticket(_typed(case, role), role)
    if check is None or not ticket:
        return None
    found = verified(check, ticket, TicketSeen(TicketState(case.ticket_is), "it did not answer"))
    return found if isinstance(found, Refused) else None


def _decided(policy: Policy, case: GateCase, on: Known, at: datetime, role: Entitlement, asked: GateAsk) -> Verdict:
    request = _request(policy, case, role, asked, at)
    later = at + case.waited
    called = escalation_due(request, escalation_of(policy, request), later)
    waiting = replace(request, escalated_at=later) if called else request
    people = can_speak(policy, role, waiting, group_facts(policy, on, at))
    return Verdict(
        APPROVAL,
        entitlement=role,
        request=request,
        approvals=role.approve,
        approvers=tuple(sorted(address for who in people if (address := listed_as(who)))),
        escalated=called,
    )


def _request(policy: Policy, case: GateCase, role: Entitlement, asked: GateAsk, at: datetime) -> Request:
    who = pipeline_person(asked.run)
    return Request(
        id=_ID,
        requester=who,
        requester_name=asked.run.repository,
        requester_slack=Account("policy", "test", who),
        holder=who,
        holder_name=asked.run.repository,
        terms=gate_terms(role, asked),
        reason=clean(case.change),
        state=RequestState.PENDING,
        created_at=at,
        expires_at=at + role.expires_after,
        policy_hash=policy.hash,
        origin=Origin(),
        gate=asked,
    )

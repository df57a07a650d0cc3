"""May an approver give less than was asked for, and what is less? Pure: never more than was asked in any dimension."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.core.people import GroupFacts, PersonFacts
from workflows.core.policy import Entitlement, Environment, Policy, Risk
from workflows.core.records.request import Request, Terms, Vote
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approval import may_decide
from workflows.core.rules.eligibility import find_entitlement, not_now
from workflows.core.rules.groups import groups_named, not_a_member

_RISKS = tuple(Risk)


@dataclass(frozen=True, slots=True)
class ReducedApproval:
    """Yes: this instead. `same_role` where only the time is cut. `groups` are what the approver speaks for there."""

    entitlement: Entitlement
    duration: timedelta
    same_role: bool
    groups: tuple[str, ...]


def may_reduce(
    policy: Policy,
    request: Request,
    role: str | None,
    duration: timedelta | None,
    person: PersonFacts,
    groups: GroupFacts,
    now: datetime,
) -> ReducedApproval | Refused:
    """Whether `person` may approve `request` for less: a shorter time, or a role of less risk in the same environment.

    Without a role the same is meant; without a duration as much of what was asked as the lesser role is given for.
    """
    may = may_decide(policy, request, person, groups)
    if isinstance(may, Refused):
        return may
    if request.gate is not None:
        return Refused(Code.GATE_NOT_LESS, {"id": request.id}, audited=False)
    found = find_entitlement(policy, request.terms.environment, role or request.terms.role)
    if isinstance(found, Refused):
        return found
    if found.role == request.terms.role:
        if duration is None or duration >= request.terms.duration:
            return _not_shorter(request)
        return _within(ReducedApproval(found, duration, True, may.groups), request)
    return _other_role(policy, request, found, duration, person, groups, now)


def _other_role(
    policy: Policy,
    request: Request,
    found: Entitlement,
    duration: timedelta | None,
    person: PersonFacts,
    groups: GroupFacts,
    now: datetime,
) -> ReducedApproval | Refused:
    if not is_reduced(found, request.terms) or request.extends is not None:
        return _refused(request, "risk", found)
    not_theirs = _not_asked_by_right(request, found, groups)
    if not_theirs:
        return not_theirs
    there = replace(request, terms=replace(request.terms, role=found.role, risk=found.risk))
    may = may_decide(policy, there, person, groups)
    if isinstance(may, Refused):
        return may
    shut = not_now(policy, there, now, person.id, groups)
    time = duration if duration is not None else min(request.terms.duration, found.max_duration)
    return shut or _within(ReducedApproval(found, time, False, may.groups), request)


def is_reduced(entitlement: Entitlement, terms: Terms) -> bool:
    """Whether a role's risk is less than that of what was asked."""
    return _RISKS.index(entitlement.risk) < _RISKS.index(terms.risk)


def is_anything_less(environment: Environment, request: Request) -> bool:
    """Whether there is less to choose, whoever chooses: a shorter time of the role's menu, or a role of less risk."""
    if request.gate is not None:
        return False
    asked, terms = environment.roles.get(request.terms.role), request.terms
    shorter = asked is not None and any(time < terms.duration for time in asked.durations)
    return shorter or (request.extends is None and any(is_reduced(role, terms) for role in environment.roles.values()))


def _not_asked_by_right(request: Request, entitlement: Entitlement, groups: GroupFacts) -> Refused | None:
    names = groups_named(entitlement, entitlement.requesters)
    refused = _refused(request, "requester", entitlement)
    return not_a_member(groups, request.requester, names, refused) or not_a_member(
        groups, request.holder, names, refused
    )


def _not_shorter(request: Request) -> Refused:
    params = {"id": request.id, "why": "time", "asked_s": str(request.terms.duration_s)}
    return Refused(Code.NOT_LESS, params, audited=False)


def _within(found: ReducedApproval, request: Request) -> ReducedApproval | Refused:
    """Longer than was asked is more, and the lesser role's own limit holds."""
    role = found.entitlement
    if found.duration < timedelta(seconds=1):
        return Refused(Code.DURATION_ZERO, audited=False)
    if found.duration > request.terms.duration:
        return _not_shorter(request)
    if found.duration > role.max_duration:
        params = {
            "asked_s": str(int(found.duration.total_seconds())),
            "max_s": str(int(role.max_duration.total_seconds())),
            "role": role.role,
            "environment": role.environment,
        }
        return Refused(Code.DURATION_TOO_LONG, params, audited=False)
    return found


def _refused(request: Request, why: str, entitlement: Entitlement) -> Refused:
    params = {"id": request.id, "why": why, "role": entitlement.role, "asked": request.terms.role}
    return Refused(Code.NOT_LESS, params | {"holder": request.holder_name}, audited=False)


def choices(
    policy: Policy, request: Request, person: PersonFacts, groups: GroupFacts, now: datetime
) -> tuple[tuple[Entitlement, ...], tuple[timedelta, ...]]:
    """For a form: the roles, the asked one first where there is a shorter time for it, and the times of their menus."""
    environment = policy.environments.get(request.terms.environment)
    if environment is None:
        return (), ()
    asked = environment.roles.get(request.terms.role)
    others = [role for role in environment.roles.values() if role is not asked]
    fits = [
        role
        for role in others
        if isinstance(may_reduce(policy, request, role.role, None, person, groups, now), ReducedApproval)
    ]
    shorter = sorted(time for time in asked.durations if time < request.terms.duration) if asked else []
    roles = ((asked,) if asked and shorter else ()) + tuple(sorted(fits, key=lambda role: _RISKS.index(role.risk)))
    times = {time for role in roles for time in role.durations if time < request.terms.duration}
    return roles, tuple(sorted(times | ({request.terms.duration} if fits else set())))


def votes_for_reduced(votes: tuple[Vote, ...], before: Terms, after: Terms) -> tuple[Vote, ...]:
    """The votes that hold when only the time is cut: who agreed to more time agreed to less of it. Other votes do not count."""
    return tuple(replace(vote, terms_hash=after.hash) for vote in votes if vote.terms_hash == before.hash)

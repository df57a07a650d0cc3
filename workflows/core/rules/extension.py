"""More time on a live grant: may it be asked for, and what the grant becomes. Pure.

The approval is looked at again before the deadline moves, as before anything is given: until then `Grant.extended_to` holds the
new end, and the deadline stays where it was. A target that enforces an end is told of the later one first, and has to show it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from workflows.core.people import PersonId
from workflows.core.policy import Entitlement, Policy
from workflows.core.provider import TemplateRefused
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.request import Decision, DecisionKind, Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.break_glass import longest_total
from workflows.core.rules.grant_terms import terms_for


def over(grant: Grant | None, now: datetime, id_: str) -> Refused | None:
    """Why nothing can be added: only what is active, and has not begun to end, lasts longer."""
    if grant is not None and grant.state is GrantState.ACTIVE and grant.deadline > now:
        return None
    state = grant.state if grant else GrantState.ENDED
    if state is GrantState.ACTIVE:
        state = GrantState.ENDED
    return Refused(Code.GRANT_OVER, {"id": id_, "state": state.value, "what": "extend"}, audited=False)


def not_to_extend(
    request: Request, grant: Grant | None, role: Entitlement | None, person: PersonId, now: datetime
) -> Refused | None:
    """Why `person` may not ask for more of this now, as far as that is known before how much is said."""
    if person not in (request.requester, request.holder):
        return Refused(Code.NOT_YOURS, {"groups": "", "what": "extend"})
    problem = over(grant, now, request.id)
    if problem or grant is None:
        return problem
    if role is None:
        return Refused(Code.ROLE_CHANGED, {"id": request.id, "role": request.terms.role}, audited=False)
    return Refused(Code.ALREADY_ASKED, {"id": grant.extension}, audited=False) if grant.extension else None


def times_to_add(policy: Policy, grant: Grant, entitlement: Entitlement) -> tuple[timedelta, ...]:
    """The times of the role's menu that fit under its limit with all extensions, the least first."""
    menu = sorted({*entitlement.durations, entitlement.default_duration})
    return tuple(time for time in menu if total_problem(policy, grant, time) is None)


def can_be_extended(policy: Policy, request: Request, grant: Grant) -> bool:
    """Whether anybody may ask for more of this by the policy as it is: the role still gives the same, and there is time left."""
    role = policy.entitlement(grant.terms.environment, grant.terms.role)
    if role is None or request.gate is not None:
        # A pipeline's run asks anew.
        return False
    try:
        today = terms_for(role, grant.holder, grant.terms.duration, request.holder_address)
    except TemplateRefused:
        return False
    return today.target.same_access(grant.terms.target) and bool(times_to_add(policy, grant, role))


def total_problem(policy: Policy, grant: Grant, extra: timedelta) -> Refused | None:
    """Whether it would last longer, from its decision on, than the policy gives it with all extensions."""
    most, asked = total_max(policy, grant), total(grant, extra)
    if most is None or asked <= most:
        return None
    params = {
        "id": grant.id,
        "asked_s": str(int(asked.total_seconds())),
        "max_s": str(int(most.total_seconds())),
        "left_s": str(max(0, int((most - total(grant, timedelta(0))).total_seconds()))),
        "role": grant.terms.role,
        "environment": grant.terms.environment,
    }
    return Refused(Code.TOTAL_TOO_LONG, params, rules=("max_total",))


def total_max(policy: Policy, grant: Grant) -> timedelta | None:
    """The longest with all extensions. What was taken by break-glass has the limit of break-glass, too."""
    entitlement = policy.entitlement(grant.terms.environment, grant.terms.role)
    broken = grant.decision.kind is DecisionKind.BREAK_GLASS
    limits = (entitlement.max_total if entitlement else None, longest_total(policy, grant) if broken else None)
    return min((limit for limit in limits if limit is not None), default=None)


def total(grant: Grant, extra: timedelta) -> timedelta:
    """How long it lasts with `extra`, from its decision on: what limits of rules count."""
    return grant.deadline + extra - grant.decision.at


def new_end(grant: Grant, request: Request) -> datetime:
    return grant.deadline + request.terms.duration


def extended_grant(grant: Grant, request: Request, decision: Decision) -> Grant:
    """The grant after the approval of an extension."""
    by = ", ".join(decision.by_names) or f"rule '{decision.rule}'"
    names = (*grant.extended_by, by)
    return replace(grant, extension=request.id, extended_to=new_end(grant, request), extended_by=names)


def in_place(grant: Grant) -> Grant:
    """The later end holds: it is the deadline now, and there will be another warning before it."""
    if grant.extended_to is None or grant.extension is None:
        return grant
    return replace(
        grant,
        deadline=grant.extended_to,
        extended_to=None,
        extension=None,
        extensions=(*grant.extensions, grant.extension),
        warned=False,
        error=None,
    )


def extension_facts(grant: Grant, extension: str, until: datetime) -> dict[str, str]:
    """For the record. `grant`: as it was before its deadline moved."""
    return {"extension": extension, "before": grant.deadline.isoformat(), "until": until.isoformat()}


def given_up(grant: Grant) -> Grant:
    """The later end is not put in place any more; the old one stands."""
    names = grant.extended_by[: len(grant.extensions)]
    return replace(grant, extended_to=None, extension=None, extended_by=names, error=None)

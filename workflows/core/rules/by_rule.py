"""Which rule of the policy approves a request by itself, if any may at all. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from workflows.core.people import GroupFacts
from workflows.core.policy import Policy
from workflows.core.records.grant import Grant
from workflows.core.records.request import DecisionKind, Request
from workflows.core.rules.approval import NO_USES, ByRule, auto_approval
from workflows.core.rules.eligibility import no_longer
from workflows.core.rules.extension import total, total_problem


def rule_for(
    policy: Policy,
    request: Request,
    grant: Grant | None,
    groups: GroupFacts,
    now: datetime,
    uses: Mapping[str, Sequence[datetime]] = NO_USES,
) -> ByRule:
    """What the role's rules say of it. `grant`: what it would prolong; None where it prolongs nothing, or nothing that is there.

    `uses`: as `auto_approval` takes them.
    """
    terms = request.terms
    entitlement = policy.entitlement(terms.environment, terms.role)
    # For somebody else nobody gets anything by a rule: people decide.
    if entitlement is None or request.requester != request.holder or no_longer(policy, request, groups):
        return ByRule(None)
    if grant is not None and total_problem(policy, grant, terms.duration):
        return ByRule(None)
    if request.extends and (grant is None or grant.decision.kind is DecisionKind.BREAK_GLASS):
        # What was taken in an emergency lasts longer only where people agree.
        return ByRule(None)
    asked = total(grant, terms.duration) if grant else terms.duration
    return auto_approval(
        policy, entitlement, request.holder, asked, request.origin, groups, now, uses, request.start_at
    )

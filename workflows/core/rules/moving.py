"""Who has moved: whether whoever holds access might still ask for it. Pure."""

from __future__ import annotations

from workflows.core.gates.ask import is_pipeline
from workflows.core.people import GroupFacts
from workflows.core.policy import Policy
from workflows.core.records.grant import Grant
from workflows.core.records.request import DecisionKind
from workflows.core.rules.groups import groups_named, groups_that_count


def groups_that_ask(policy: Policy, grant: Grant) -> tuple[str, ...]:
    """Whose members may hold this. After a break-glass those who may use one, too. Empty where the policy has no such role any
    more, or no break-glass there: that is no move of theirs."""
    entitlement = policy.entitlement(grant.terms.environment, grant.terms.role)
    if entitlement is None or is_pipeline(grant.holder):
        # What a gate gives is a pipeline's, which asks for nothing by a group.
        return ()
    asking = groups_named(entitlement, entitlement.requesters)
    if grant.decision.kind is not DecisionKind.BREAK_GLASS:
        return asking
    place = policy.environments[entitlement.environment]
    if place.break_glass is None:
        return ()
    return tuple(dict.fromkeys((*asking, *groups_that_count(policy, place, place.break_glass.who))))


def has_moved(policy: Policy, grant: Grant, groups: GroupFacts) -> bool | None:
    """Whether the holder stands in none of these groups. None where that is not known; whoever asked for them does not matter."""
    names = groups_that_ask(policy, grant)
    if not names:
        return False
    if any(grant.holder in groups.by_name[name].members for name in names if name in groups.by_name):
        return False
    return None if groups.unknown(names) else True

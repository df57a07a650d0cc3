"""Where the policy wants it, what was done with access is looked up once it is over, without anybody asking."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from workflows.core import keys
from workflows.core.policy import Policy
from workflows.core.records.grant import Grant
from workflows.core.rules.activity import first_look, trail_of, window_of
from workflows.ports import PolicyUnavailable
from workflows.usecases.shared.context import Context


def is_wanted(policy: Policy, grant: Grant) -> bool:
    """Of what was never seen to be there nothing is looked up."""
    place = policy.environments.get(grant.terms.environment)
    return place is not None and place.activity and grant.activated_at is not None


def looks_after(ctx: Context, closed: Sequence[Grant]) -> dict[str, datetime]:
    """When each of these, which are just being closed, is looked up. Nothing waits for it: without a policy nothing is."""
    if not closed:
        return {}
    try:
        policy = ctx.policy.current()
    except PolicyUnavailable:
        return {}
    found: dict[str, datetime] = {}
    for grant in closed:
        trail = trail_of(grant, policy) if is_wanted(policy, grant) else None
        at = first_look(window_of(grant), trail) if trail is not None else None
        if at is not None:
            found[keys.activity(grant.id)] = at
    return found

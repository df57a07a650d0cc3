"""For which time it is asked what was done with access, and when the answer can be had. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from workflows.core.activity import Trail, Window
from workflows.core.policy import Policy
from workflows.core.provider import Sought, provider_of
from workflows.core.records.grant import Grant


def window_of(grant: Grant) -> Window:
    """Nothing is given before the commit that makes the grant; a session that is open when it ends goes on as long as its kind
    lets it.
    """
    over = grant.closed_at or max(filter(None, (grant.deadline, grant.extended_to)))
    return Window(grant.decision.at, over + timedelta(seconds=grant.resource.session_s or 0), grant.closed_at)


def first_look(window: Window, trail: Trail) -> datetime | None:
    """When the log can be asked at the soonest; None while the access is not gone."""
    return window.gone + trail.delay if window.gone is not None else None


def last_look(window: Window, trail: Trail) -> datetime:
    """From when on the log has all there will be: no session can be open any more."""
    return window.until + trail.delay


def trail_of(grant: Grant, policy: Policy | None) -> Trail | None:
    """None where the provider knows of no log. `policy`: the one at hand, which says where to look."""
    asked, window = sought(grant, policy), window_of(grant)
    return provider_of(asked.terms.kind).trail(asked, window)


def sought(grant: Grant, policy: Policy | None) -> Sought:
    resource = grant.resource
    connection = policy.connections.get(resource.target.connection) if policy is not None else None
    return Sought(resource.target, resource.ids, resource.names, connection)

"""When whoever can decide a request is reminded, and when the next group is called. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from workflows.core.policy import Escalation, Policy
from workflows.core.records.request import Request

# Reminders, as shares of the time for which a request waits: ever more seldom, and none after half of it.
SHARES = (1 / 8, 1 / 4, 1 / 2)
# Whoever waits for less than this looks at the card anyway, and a reminder would only be noise.
SHORTEST = timedelta(minutes=10)
# Two calls are never closer to each other than this.
APART = timedelta(minutes=1)


def escalation_of(policy: Policy, request: Request) -> Escalation | None:
    environment = policy.environments.get(request.terms.environment)
    return environment.escalate if environment else None


def next_chase(request: Request, escalate: Escalation | None) -> datetime | None:
    """When the clock must look again: the next reminder or the escalation; None where nothing more comes."""
    points = [point for point in _reminders(request) if point > _last(request)]
    due = _escalation_at(request, escalate)
    found = [*points[:1], *([due] if due else [])]
    calls = _calls(request)
    return max((min(found), *(call + APART for call in calls))) if found else None


def reminder_due(request: Request, now: datetime) -> bool:
    """Whether a reminder has come. Those that were missed while nobody was at work are one."""
    if any(now - call < APART for call in _calls(request)):
        return False
    return any(_last(request) < point <= now for point in _reminders(request))


def escalation_due(request: Request, escalate: Escalation | None, now: datetime) -> bool:
    due = _escalation_at(request, escalate)
    return due is not None and due <= now


def _reminders(request: Request) -> list[datetime]:
    waits = request.expires_at - request.created_at
    return [request.created_at + waits * share for share in SHARES] if waits >= SHORTEST else []


def _calls(request: Request) -> tuple[datetime, ...]:
    return (*request.chased_at, *((request.escalated_at,) if request.escalated_at else ()))


def _last(request: Request) -> datetime:
    return max(request.chased_at, default=request.created_at)


def _escalation_at(request: Request, escalate: Escalation | None) -> datetime | None:
    if escalate is None or request.escalated_at is not None:
        return None
    due = request.created_at + escalate.after
    return due if due < request.expires_at else None

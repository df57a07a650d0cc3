"""From the record's requests to what suggestions count. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from workflows.core.access_review.rows import Agreed, Row, RowOutcome, row
from workflows.core.policy import Policy
from workflows.core.provider import TemplateRefused
from workflows.core.records.grant import EndCause, Grant
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.request import Request
from workflows.core.refusal import Code
from workflows.core.rules.grant_terms import terms_for
from workflows.core.suggestions.limits import MINUTES
from workflows.core.suggestions.model import Ask, Because

# Refusals that say nothing of whoever asked: too late, not now, a bystander's press, or trouble of our own. All others count.
HARMLESS = frozenset(
    {
        Code.DECIDED,
        Code.GRANT_OVER,
        Code.REVIEWED,
        Code.TERMS_CHANGED,
        Code.ALREADY_VOTED,
        Code.NOT_AN_APPROVER,
        Code.FREEZE,
        Code.OUTSIDE_HOURS,
        Code.NOT_KNOWN_YET,
        Code.POLICY_NOT_IN_FORCE,
        Code.LEDGER_NOT_DURABLE,
        Code.LEDGER_IN_DOUBT,
        Code.LEDGER_UNREACHABLE,
        Code.CLOCK_IN_DOUBT,
        Code.OLDER_VERSION_RUNS,
    }
)


def ask_of(
    policy: Policy, request: Request, grant: Grant | None, review: Review | None, seen_at: datetime | None
) -> Ask:
    """`seen_at`: when the card went out; None where the log does not say."""
    told = row(request, grant, review, seen_at)
    closing = request.closing
    return Ask(
        id=request.id,
        environment=told.environment,
        role=told.role,
        requester=request.requester,
        requester_name=request.requester_name,
        holder=request.holder,
        at=told.at,
        outcome=told.outcome,
        duration=request.terms.duration,
        waited=told.waited,
        answers=tuple(Agreed(one.by, one.name, max(timedelta(0), one.after)) for one in told.votes),
        denied_by=told.denied_by,
        denied_name=(closing.by_name or "") if closing is not None else "",
        own=request.requester == request.holder and is_as_now(policy, request),
        incident=request.origin.incident,
        extends=request.extends is not None,
        troubles=frozenset(_troubles(request, told, grant, review)),
    )


def is_as_now(policy: Policy, request: Request) -> bool:
    """Whether the policy in force would give the same for this ask."""
    terms = request.terms
    found = policy.entitlement(terms.environment, terms.role)
    if found is None or (found.tier, found.risk) != (terms.tier, terms.risk):
        return False
    try:
        now = terms_for(found, request.holder, terms.duration, request.holder_address)
    except TemplateRefused:
        return False
    return now.target.same_access(terms.target)


def _troubles(request: Request, told: Row, grant: Grant | None, review: Review | None) -> Iterator[Because]:
    if request.extends is not None and told.outcome in (RowOutcome.DENIED, RowOutcome.EXPIRED, RowOutcome.IMPOSSIBLE):
        yield Because.MORE_TIME
    if told.lessened:
        yield Because.LESSENED
    closing = request.closing
    if told.outcome is RowOutcome.WITHDRAWN and closing is not None and closing.at - request.created_at > MINUTES:
        yield Because.SLOW
    if request.break_glass:
        yield Because.BREAK_GLASS
    if review is not None and review.state is ReviewState.FLAGGED:
        yield Because.FLAGGED
    end = grant.end if grant is not None else None
    if end is not None and end.cause is EndCause.REVOKED and end.by != request.holder:
        yield Because.REVOKED
    if end is not None and end.cause is EndCause.STANDING:
        yield Because.DRIFT

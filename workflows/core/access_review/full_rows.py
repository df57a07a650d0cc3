"""One request with its grant as an auditor reads it: who, why, by whose yes, when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.core.access_review.rows import RowOutcome, outcome_of
from workflows.core.people import PersonId
from workflows.core.policy import Risk, Tier
from workflows.core.records.grant import EndCause, Grant
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.request import DecisionKind, Request


@dataclass(frozen=True, slots=True)
class Approver:
    """`name`: `Nia for Olu`, where it was another's right. `groups`: those that this person could speak for then."""

    who: PersonId
    name: str
    groups: tuple[str, ...]
    at: datetime

    @property
    def words(self) -> str:
        """`Olu Owner (platform)`."""
        return f"{self.name} ({', '.join(self.groups)})" if self.groups else self.name


@dataclass(frozen=True, slots=True)
class FullRow:
    """Times are in UTC, and None where that has not happened.

    `given`: when access was verified. `ended`: when its end began. `verified`: when its absence was read back, or when it was
    found that nothing had been given; `covered_by`: the grant under which the same access goes on, if any.
    """

    id: str
    outcome: RowOutcome
    requester: PersonId
    requester_name: str
    holder: PersonId
    holder_name: str
    environment: str
    role: str
    tier: Tier
    risk: Risk
    account: str
    duration: timedelta
    reason: str
    ticket: str | None
    approvers: tuple[Approver, ...]
    rule: str | None
    policy_hash: str
    asked: datetime
    approved: datetime | None
    given: datetime | None
    until: datetime | None
    ended: datetime | None
    end_cause: EndCause | None
    ended_by: str | None
    verified: datetime | None
    covered_by: str | None
    break_glass: bool
    review: ReviewState | None
    extends: str | None
    # In words, who agreed to each extension that is in place.
    extended_by: tuple[str, ...]
    # Whether there is a grant: it may have been given.
    granted: bool


def full_row(request: Request, grant: Grant | None, review: Review | None) -> FullRow:
    terms = grant.terms if grant else request.terms
    decision, end = (grant.decision if grant else request.decision), grant.end if grant else None
    resource = grant.resource if grant else request.resource
    return FullRow(
        id=request.id,
        outcome=outcome_of(request),
        requester=request.requester,
        requester_name=request.requester_name,
        holder=request.holder,
        holder_name=request.holder_name,
        environment=terms.environment,
        role=terms.role,
        tier=terms.tier,
        risk=terms.risk,
        account=resource.ids.get("account", "") if resource else "",
        duration=terms.duration,
        reason=request.reason,
        ticket=request.ticket,
        approvers=tuple(Approver(vote.by, vote.said_by, vote.groups, vote.at) for vote in request.votes),
        rule=decision.rule if decision and decision.kind is DecisionKind.AUTO else None,
        policy_hash=decision.policy_hash if decision else request.policy_hash,
        asked=request.created_at,
        approved=decision.at if decision else None,
        given=grant.activated_at if grant else None,
        until=grant.deadline if grant else None,
        ended=end.at if end else None,
        end_cause=end.cause if end else None,
        ended_by=end.by_name if end else None,
        verified=grant.closed_at if grant else None,
        covered_by=grant.covered_by if grant else None,
        break_glass=request.break_glass,
        review=review.state if review else None,
        extends=request.extends,
        extended_by=grant.extended_by if grant else (),
        granted=grant is not None,
    )

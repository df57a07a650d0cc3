"""One request with its grant, cut down to what an access review counts: a period may hold many thousands of them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import TypeVar

from workflows.core.people import PersonId
from workflows.core.policy import Risk, Tier
from workflows.core.records.grant import Grant
from workflows.core.records.oversight import Review
from workflows.core.records.request import DecisionKind, Request, RequestState

K = TypeVar("K")
T = TypeVar("T")


class RowOutcome(StrEnum):
    """What became of a request. `impossible`: the bot itself closed it, because it could not be given."""

    WAITING = "waiting"
    APPROVED = "approved"
    BY_RULE = "by_rule"
    BREAK_GLASS = "break_glass"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Agreed:
    """One person's yes, and how long after the card could be seen."""

    by: PersonId
    name: str
    after: timedelta


@dataclass(frozen=True, slots=True)
class Row:
    """`began` and `ended`: when access was verified, and when its absence was; None where that has not happened."""

    id: str
    holder: PersonId
    holder_name: str
    environment: str
    role: str
    tier: Tier
    risk: Risk
    at: datetime
    outcome: RowOutcome
    waited: timedelta | None = None
    votes: tuple[Agreed, ...] = ()
    rule: str | None = None
    denied_by: PersonId | None = None
    # Less was given than was asked for.
    lessened: bool = False
    # The grant that this ask would prolong: it has none of its own.
    extends: str | None = None
    began: datetime | None = None
    ended: datetime | None = None
    review: Review | None = None

    @property
    def agreed(self) -> tuple[str, ...]:
        """Who or what let them in, by name."""
        if self.outcome is RowOutcome.BREAK_GLASS:
            return ("break-glass",)
        return (f"rule '{self.rule}'",) if self.rule else tuple(vote.name for vote in self.votes)


@dataclass(frozen=True, slots=True)
class Opened:
    """A gate that somebody opened in an emergency. `at`: when."""

    id: str
    name: str
    environment: str
    gate: str
    at: datetime
    review: Review | None


def opened(request: Request, review: Review | None) -> Opened | None:
    """None where it is nothing of the kind."""
    gate, decision = request.gate, request.decision
    if gate is None or gate.emergency is None or decision is None:
        return None
    return Opened(request.id, gate.emergency.by_name, request.terms.environment, gate.gate, decision.at, review)


def row(request: Request, grant: Grant | None, review: Review | None, seen_at: datetime | None = None) -> Row:
    """`seen_at`: when the request's names were looked up, and the card went out."""
    start = seen_at or request.created_at
    terms, decision, closing = request.terms, request.decision, request.closing
    denied = request.state is RequestState.DENIED and closing is not None
    return Row(
        id=request.id,
        holder=request.holder,
        holder_name=request.holder_name,
        environment=terms.environment,
        role=terms.role,
        tier=terms.tier,
        risk=terms.risk,
        at=request.created_at,
        outcome=outcome_of(request),
        waited=max(timedelta(0), decision.at - start) if decision else None,
        votes=tuple(Agreed(vote.by, vote.by_name, max(timedelta(0), vote.at - start)) for vote in request.votes),
        rule=decision.rule if decision and decision.kind is DecisionKind.AUTO else None,
        denied_by=closing.by if denied and closing else None,
        lessened=request.asked_terms is not None,
        extends=request.extends,
        began=grant.activated_at if grant else None,
        ended=grant.closed_at if grant else None,
        review=review,
    )


_DECIDED: Mapping[DecisionKind, RowOutcome] = {
    DecisionKind.APPROVAL: RowOutcome.APPROVED,
    DecisionKind.AUTO: RowOutcome.BY_RULE,
    DecisionKind.BREAK_GLASS: RowOutcome.BREAK_GLASS,
}
_CLOSED: Mapping[RequestState, RowOutcome] = {
    RequestState.DENIED: RowOutcome.DENIED,
    RequestState.WITHDRAWN: RowOutcome.WITHDRAWN,
    RequestState.EXPIRED: RowOutcome.EXPIRED,
}


def outcome_of(request: Request) -> RowOutcome:
    if request.state in _CLOSED:
        by_itself = request.closing is not None and request.closing.code is not None
        return RowOutcome.IMPOSSIBLE if by_itself else _CLOSED[request.state]
    return _DECIDED[request.decision.kind] if request.decision else RowOutcome.WAITING


# ---------------------------------------------------------------- counting


def grouped(rows: Iterable[T], key: Callable[[T], K]) -> Mapping[K, list[T]]:
    found: dict[K, list[T]] = {}
    for item in rows:
        found.setdefault(key(item), []).append(item)
    return found


def median_of(waits: Sequence[timedelta]) -> timedelta:
    return timedelta(seconds=median(wait.total_seconds() for wait in waits))

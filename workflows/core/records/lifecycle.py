"""The life cycles as data. Every change of state goes through `step`; docs/lifecycle.md is drawn from `TRANSITIONS`."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from workflows.core.records.grant import EndCause, GrantState
from workflows.core.records.oversight import ReviewState
from workflows.core.records.request import RequestState

S = TypeVar("S", RequestState, GrantState, ReviewState)
State = RequestState | GrantState | ReviewState


class Move(StrEnum):
    """What can happen to a request, a grant or a review."""

    APPROVE = "approve"
    SCHEDULE = "approve for later"
    START = "start"
    DENY = "deny"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    ACTIVATED = "activated"
    END = "end"
    REMOVED_ENDED = "removed after its time or returned"
    REMOVED_REVOKED = "removed after a revocation"
    REMOVED_FAILED = "removed after a failed activation"
    ACKNOWLEDGE = "acknowledge"
    FLAG = "flag"


TRANSITIONS: dict[tuple[State, Move], State] = {
    (RequestState.PENDING, Move.APPROVE): RequestState.APPROVED,
    (RequestState.PENDING, Move.SCHEDULE): RequestState.SCHEDULED,
    (RequestState.SCHEDULED, Move.START): RequestState.APPROVED,
    (RequestState.SCHEDULED, Move.DENY): RequestState.DENIED,
    (RequestState.SCHEDULED, Move.WITHDRAW): RequestState.WITHDRAWN,
    (RequestState.SCHEDULED, Move.EXPIRE): RequestState.EXPIRED,
    (RequestState.PENDING, Move.DENY): RequestState.DENIED,
    (RequestState.PENDING, Move.WITHDRAW): RequestState.WITHDRAWN,
    (RequestState.PENDING, Move.EXPIRE): RequestState.EXPIRED,
    (GrantState.ACTIVATING, Move.ACTIVATED): GrantState.ACTIVE,
    (GrantState.ACTIVATING, Move.END): GrantState.REVOKING,
    (GrantState.ACTIVE, Move.END): GrantState.REVOKING,
    (GrantState.REVOKING, Move.REMOVED_ENDED): GrantState.ENDED,
    (GrantState.REVOKING, Move.REMOVED_REVOKED): GrantState.REVOKED,
    (GrantState.REVOKING, Move.REMOVED_FAILED): GrantState.ACTIVATION_FAILED,
    (ReviewState.OWED, Move.ACKNOWLEDGE): ReviewState.ACKNOWLEDGED,
    (ReviewState.OWED, Move.FLAG): ReviewState.FLAGGED,
}

_REMOVED_BY_CAUSE = {
    EndCause.TIME: Move.REMOVED_ENDED,
    EndCause.RETURNED: Move.REMOVED_ENDED,
    EndCause.REVOKED: Move.REMOVED_REVOKED,
    EndCause.FAILED: Move.REMOVED_FAILED,
    EndCause.STANDING: Move.REMOVED_FAILED,
}


class NotPossible(Exception):
    """A move that the life cycle does not have. A use case that gets here has a fault."""


def step(state: S, move: Move) -> S:
    """The state after `move`. Raises NotPossible where `TRANSITIONS` has no such move."""
    following = TRANSITIONS.get((state, move))
    if following is None or not isinstance(following, type(state)):
        raise NotPossible(f"{move.value} is not possible from {state.value}")
    return following


def can(state: State, move: Move) -> bool:
    return (state, move) in TRANSITIONS


def removal(cause: EndCause) -> Move:
    """The move that closes a grant whose end had this cause, once absence was read back."""
    return _REMOVED_BY_CAUSE[cause]


def diagram() -> str:
    """The life cycles as one Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for title, states in (("Request", RequestState), ("Grant", GrantState), ("Review", ReviewState)):
        lines.append(f"    state {title} {{")
        lines.append(f"        [*] --> {next(iter(states)).value}")
        moves = [(a, m, b) for (a, m), b in TRANSITIONS.items() if isinstance(a, states)]
        lines.extend(f"        {a.value} --> {b.value}: {move.value}" for a, move, b in moves)
        starts = {a for a, _, _ in moves}
        lines.extend(f"        {state.value} --> [*]" for state in states if state not in starts)
        lines.append("    }")
    lines.append("    Request --> Grant: approved, in the same commit")
    lines.append("    Request --> Review: break-glass, in the same commit")
    return "\n".join(lines)

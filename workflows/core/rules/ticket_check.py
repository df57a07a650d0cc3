"""What a system outside says of a ticket, and what follows from it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workflows.core.policy import TicketCheck
from workflows.core.refusal import Code, Refused


class TicketState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    # The system knows no such ticket.
    ABSENT = "absent"
    # Nobody could tell.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TicketSeen:
    """`why`: what went wrong where the state is UNKNOWN, in words that anybody may read."""

    state: TicketState
    why: str = ""


_NO = {TicketState.CLOSED: Code.TICKET_CLOSED, TicketState.ABSENT: Code.TICKET_ABSENT}


def ticket_refused(ticket: str, seen: TicketSeen) -> Refused | None:
    """Why nothing is given for this ticket; None where it is open, and where nobody knows."""
    code = _NO.get(seen.state)
    return Refused(code, {"ticket": ticket}, rules=("ticket",)) if code else None


def verified(check: TicketCheck, ticket: str, seen: TicketSeen) -> Refused | str:
    """For an ask: why it is refused; or why the ticket is taken without being verified, empty where it was.

    That nobody knows is no event for the record: it is not the asker's doing.
    """
    refused = ticket_refused(ticket, seen)
    if refused is not None or seen.state is not TicketState.UNKNOWN:
        return refused or ""
    if check.accept_unknown:
        return seen.why or "nobody could tell"
    return Refused(Code.TICKET_NOT_VERIFIED, {"ticket": ticket, "why": seen.why}, audited=False)

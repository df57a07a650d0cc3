"""How many requests one ticket may carry, where the policy limits that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workflows.core import keys
from workflows.core.policy import Policy
from workflows.core.records.person import Uses
from workflows.core.records.record import Record
from workflows.core.records.request import Request, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask, find_entitlement, find_ticket
from workflows.ports import IndexEntry, Snapshot
from workflows.usecases.shared.context import Context

# So many requests with one ticket are looked at, the newest; a limit is far below.
LOOKED_AT_MAX = 200
_CARRY = frozenset({RequestState.PENDING, RequestState.SCHEDULED, RequestState.APPROVED})


@dataclass(frozen=True, slots=True)
class Counted:
    """A ticket that so many requests may carry."""

    ticket: str
    most: int


@dataclass(frozen=True, slots=True)
class Noted:
    """What the request's own commit writes about its ticket."""

    puts: Mapping[str, Record] = field(default_factory=dict)
    index: tuple[IndexEntry, ...] = ()


def counted_ticket(policy: Policy, ask: Ask) -> Counted | None:
    """The ask's ticket, where the role limits how many requests may carry it."""
    found = find_entitlement(policy, ask.environment, ask.role)
    if isinstance(found, Refused) or found.ticket is None or found.ticket.max_requests is None:
        return None
    ticket = find_ticket(ask, found)
    return Counted(ticket, found.ticket.max_requests) if ticket else None


def used_ticket(ctx: Context, counted: Counted, more: int = 1) -> Refused | None:
    """Whether as many requests carry the ticket as may: those that wait or were approved, whoever made them.

    `more`: how many requests are about to be made with it, in one go.

    Called after the snapshot that has `keys.ticket_uses`: whoever else is counted meanwhile writes that record, and this commit
    is lost.
    """
    ids = ctx.ledger.members(keys.of_ticket(counted.ticket), limit=LOOKED_AT_MAX, newest=True)
    if len(ids) + more <= counted.most:
        return None
    snapshot = ctx.ledger.read(*map(keys.request, ids)) if ids else Snapshot(ctx.ledger.now(), {})
    carried = [id_ for id_ in ids if _carries(snapshot, id_)]
    if len(carried) + more <= counted.most:
        return None
    params = {"ticket": counted.ticket, "ids": ", ".join(reversed(carried)), "max": str(counted.most)}
    return Refused(Code.TICKET_USED, params, rules=("ticket",))


def _carries(snapshot: Snapshot, id_: str) -> bool:
    """One that cannot be read counts: nobody knows that it does not."""
    request = snapshot.readable(keys.request(id_), Request)
    return request.state in _CARRY if request is not None else bool(snapshot.items[keys.request(id_)].problem)


def noted(request: Request, snapshot: Snapshot) -> Noted:
    """The ticket remembers its requests, under whichever role; the record that guards a limit is there where one was read."""
    if not request.ticket:
        return Noted()
    guard = keys.ticket_uses(request.ticket)
    puts = {guard: Uses(guard.removeprefix(keys.uses("")), (snapshot.now,))} if guard in snapshot.items else {}
    entry = IndexEntry(keys.of_ticket(request.ticket), request.id, snapshot.now.timestamp())
    return Noted(puts, (entry,))

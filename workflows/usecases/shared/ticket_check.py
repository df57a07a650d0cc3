"""Whether the ticket behind an ask is open, where the policy names the system that knows: at the ask, and before it is given."""

from __future__ import annotations

from dataclasses import replace

from workflows.core.policy import Policy, TicketCheck
from workflows.core.records.request import DecisionKind, Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import MayAsk
from workflows.core.rules.ticket_check import TicketSeen, TicketState, ticket_refused, verified
from workflows.ports import TicketUnverified
from workflows.usecases.shared.context import Context, WorkerContext

_NOT_HERE = TicketSeen(TicketState.UNKNOWN, "nobody is there who looks")


def with_open_ticket(ctx: Context, answer: MayAsk) -> MayAsk | Refused:
    """The same, with why its ticket was taken unverified, if it was; or why it is not taken. FACTS_STALE where a worker has to
    look first.

    Called last, so that nobody learns of a ticket, and no system is asked, for what is refused anyway.
    """
    rule = answer.entitlement.ticket
    if rule is None or rule.verify is None or not answer.ticket:
        return answer
    if ctx.tickets is None:
        return Refused(Code.FACTS_STALE, audited=False)
    found = verified(rule.verify, answer.ticket, ctx.tickets.look(rule.verify, answer.ticket))
    return found if isinstance(found, Refused) else replace(answer, ticket_note=found)


def ticket_no_longer_open(ctx: WorkerContext, policy: Policy, request: Request) -> Refused | None:
    """Looked at again before anything is given. An emergency waits for no other system. Raises TicketUnverified."""
    entitlement = policy.entitlement(request.terms.environment, request.terms.role)
    check = entitlement.ticket.verify if entitlement and entitlement.ticket else None
    broken = request.decision is not None and request.decision.kind is DecisionKind.BREAK_GLASS
    if check is None or not request.ticket or broken:
        return None
    seen = ctx.tickets.look(check, request.ticket) if ctx.tickets is not None else _NOT_HERE
    _wait_where_unknown(check, request.ticket, seen)
    refused = ticket_refused(request.ticket, seen)
    return refused and replace(refused, params={**refused.params, "what": "void"})


def _wait_where_unknown(check: TicketCheck, ticket: str, seen: TicketSeen) -> None:
    if seen.state is TicketState.UNKNOWN and not check.accept_unknown:
        raise TicketUnverified(f"nobody can tell whether {ticket} is still open: {seen.why}")

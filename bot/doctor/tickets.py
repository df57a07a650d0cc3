"""Ticket systems that the policy verifies at: each is asked about one ticket that nobody has."""

from __future__ import annotations

from collections.abc import Iterator

from bot.directory.tickets import HttpTickets
from bot.doctor.context import Context, elsewhere
from bot.monotonic import monotonic_s
from workflows.core.finding import Finding, attention, broken, ok, skipped
from workflows.core.policy import Policy, TicketCheck
from workflows.core.rules.ticket_check import TicketState

# Zero is the number of no ticket; the system says that there is none, which is an answer.
NO_TICKET = "PRODACCESS-0"


def look(context: Context) -> Iterator[Finding]:
    policy = context.policy
    for check in dict.fromkeys(checks_of(policy)) if policy else ():
        yield _asked(context, check)


def checks_of(policy: Policy) -> Iterator[TicketCheck]:
    for environment in policy.environments.values():
        for role in environment.roles.values():
            if role.ticket is not None and role.ticket.verify is not None:
                yield role.ticket.verify


def _asked(context: Context, check: TicketCheck) -> Finding:
    token = check.token_env
    if token is not None and not context.secret(token) and not context.needs("worker"):
        return skipped("tickets.verify", check.host, f"{token} is not set here", elsewhere("worker"))
    context.allowance.asked["tickets"] += 1
    seen = HttpTickets(context.secret, monotonic_s).look(check, NO_TICKET)
    if seen.state is not TicketState.UNKNOWN:
        return ok("tickets.verify", check.host, f"it answers, and says of {NO_TICKET}: {seen.state.value}")
    mend = f"look at the address and its token{f' {token}' if token else ''}; docs/policy.md, Tickets that are verified"
    after = "; tickets are taken unverified meanwhile" if check.accept_unknown else "; no ticket is taken meanwhile"
    tell = attention if check.accept_unknown else broken
    return tell("tickets.verify", check.host, f"{seen.why}{after}", mend)

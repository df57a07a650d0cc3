"""What somebody asked for last, to ask for it once more. The ask itself is made like any other."""

from __future__ import annotations

from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.records.request import Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask, clean
from workflows.usecases.shared.context import Context

# How many of a person's requests are looked at for one that can be repeated.
LOOKS_BACK = 20


def last_ask(ctx: Context, who: PersonId, reason: str = "") -> Ask | Refused:
    """The newest ask of this person for themselves, in full. A new reason stands alone: the old ticket is not its ticket."""
    ids = ctx.ledger.members(keys.of_person(keys.RECENT, who), limit=LOOKS_BACK, newest=True)
    snapshot = ctx.ledger.read(*map(keys.request, ids)) if ids else None
    found = (snapshot.readable(keys.request(id_), Request) for id_ in ids) if snapshot else ()
    last = next((request for request in found if request is not None and can_be_repeated(request, who)), None)
    if last is None:
        return Refused(Code.NOTHING_TO_REPEAT, audited=False)
    return once_more(last, reason)


def can_be_repeated(request: Request, who: PersonId) -> bool:
    """An emergency is no ask, more time is for a grant that was there, and what was for another is theirs to repeat."""
    return request.requester == request.holder == who and not request.break_glass and request.extends is None


def once_more(request: Request, reason: str = "") -> Ask:
    """The same environment, role and duration as were asked for, whatever an approver made of them."""
    terms, new = request.asked_terms or request.terms, clean(reason)
    return Ask(terms.environment, terms.role, terms.duration, new or request.reason, None if new else request.ticket)

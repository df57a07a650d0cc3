"""Who is on which side of a request, on a decision's own snapshot: nobody decides on their own, whatever account they use.

The records of those who asked, who would hold it and who agreed are read together with what is decided, so that an account
that is put on hold in between is a lost race.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from workflows.core import keys
from workflows.core.errors import Code, Refused
from workflows.core.identity import AccountId, AccountRecord, Identity, PersonId
from workflows.core.model import Request
from workflows.core.people import GroupFacts
from workflows.ports import Snapshot


def party_keys(request: Request) -> tuple[str, ...]:
    """The records that say who everybody is who has a part in it."""
    people = dict.fromkeys((request.requester, request.holder))
    return (*map(keys.identity, people), *map(keys.account, (*accounts_of(request), *voting_accounts(request))))


def accounts_of(request: Request) -> tuple[AccountId, ...]:
    """The accounts of who asked and who would hold it. Older requests name the chat's own ids alone."""
    asked = (request.requester_slack, request.holder_slack)
    return tuple(dict.fromkeys(request.accounts or (slack.account for slack in asked if slack is not None)))


def voting_accounts(request: Request) -> tuple[AccountId, ...]:
    return tuple(vote.account for vote in request.votes if vote.account is not None)


def with_parties(groups: GroupFacts, snapshot: Snapshot, request: Request) -> GroupFacts:
    """The facts with who counts as whom, and with the accounts whose votes do not count, as this snapshot has them."""
    votes = {vote.account: vote.by for vote in request.votes if vote.account is not None}
    lost = frozenset(account for account, who in votes.items() if not _counts(snapshot, account, who))
    return replace(groups, alike=alike(snapshot, (request.requester, request.holder)), on_hold=lost)


def alike(snapshot: Snapshot, people: Iterable[PersonId]) -> dict[PersonId, frozenset[PersonId]]:
    """For separation of duties: whom these people count as, too."""
    found = {who: snapshot.seek(keys.identity(who), Identity) for who in people}
    return {who: frozenset(one.also) for who, one in found.items() if one is not None and one.also}


def _counts(snapshot: Snapshot, account: AccountId, who: PersonId) -> bool:
    record = snapshot.seek(keys.account(account), AccountRecord)
    if record is not None and record.moved is not None:
        # It was read under its old id. Whether it is on hold is looked at again before anything is given.
        return True
    return record is not None and record.person == who and record.suspended is None


def party_on_hold(snapshot: Snapshot, request: Request) -> Refused | None:
    """Nothing is given to, or asked by, an account that is on hold; it waits until people have said whose it is."""
    for account in accounts_of(request):
        record = snapshot.seek(keys.account(account), AccountRecord)
        if record is not None and record.suspended is not None:
            return Refused(Code.PARTY_ON_HOLD, {"id": request.id, "name": record.name}, audited=False)
    return None

"""Who is on which side of a request, on a decision's own snapshot: nobody decides on their own, whatever account they use.

The records of those who asked, who would hold it, who agreed and in whose place are read together with what is decided, so that
an account that is put on hold in between is a lost race. Each is read under the id that it has now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from workflows.core import keys
from workflows.core.identity import AccountId, AccountRecord, Identity, PersonId
from workflows.core.people import GroupFacts
from workflows.core.records.request import Request
from workflows.core.refusal import Code, Refused
from workflows.ports import Snapshot
from workflows.usecases.shared.context import Context


def party_keys(request: Request) -> tuple[str, ...]:
    """The records that say who everybody is who has a part in it; of an account that has moved, where it went."""
    people = dict.fromkeys((*request.parties, *_voters(request)))
    return (*map(keys.identity, people), *map(keys.account, (*accounts_of(request), *voting_accounts(request))))


def read_with_parties(ctx: Context, names: Iterable[str], request: Request, commit_id: str | None = None) -> Snapshot:
    """One snapshot with these records and everybody who has a part in the request. It costs one look, and another one where a
    workspace has joined an organisation since."""
    wanted = tuple(dict.fromkeys((*names, *party_keys(request))))
    while True:
        snapshot = ctx.ledger.read(*wanted, commit_id=commit_id)
        found = tuple(dict.fromkeys((*wanted, *_moved_to(snapshot))))
        if found == wanted or snapshot.replay is not None:
            return snapshot
        wanted = found


def _moved_to(snapshot: Snapshot) -> Iterable[str]:
    for item in snapshot.items.values():
        if isinstance(item.record, AccountRecord) and item.record.moved is not None:
            yield keys.account(item.record.moved)


def account_in(snapshot: Snapshot, account: AccountId) -> AccountRecord | None:
    """What is on record of an account, under the id that it has now. Whoever read the snapshot has read that, too."""
    seen: set[AccountId] = set()
    record = snapshot.seek(keys.account(account), AccountRecord)
    while record is not None and record.moved is not None and record.account not in seen:
        seen.add(record.account)
        record = snapshot.get(keys.account(record.moved), AccountRecord)
    return record


def accounts_of(request: Request) -> tuple[AccountId, ...]:
    """The accounts of who asked, would hold it or began it. Older requests name the chat's own ids alone."""
    asked = (request.requester_slack, request.holder_slack)
    return tuple(dict.fromkeys(request.accounts or (account.id for account in asked if account is not None)))


def voting_accounts(request: Request) -> tuple[AccountId, ...]:
    return tuple(vote.account for vote in request.votes if vote.account is not None)


def _voters(request: Request) -> tuple[PersonId, ...]:
    return tuple(vote.by for vote in request.votes)


def with_parties(groups: GroupFacts, snapshot: Snapshot, request: Request, *more: PersonId) -> GroupFacts:
    """The facts with who counts as whom, and with the accounts whose votes do not count, as this snapshot has them. `more`:
    who else is about to have a part in it."""
    votes = {vote.account: vote.by for vote in request.votes if vote.account is not None}
    lost = frozenset(account for account, who in votes.items() if not _counts(snapshot, account, who))
    people = dict.fromkeys((*request.parties, *_voters(request), *more))
    return replace(groups, alike=alike(snapshot, people), on_hold=lost)


def with_those_who_agreed(ctx: Context, groups: GroupFacts, request: Request) -> GroupFacts:
    """For who is named and called: the facts with whom those who agreed count as. It costs a look where somebody has."""
    voters = _voters(request)
    if not voters:
        return groups
    return replace(groups, alike=alike(ctx.ledger.read(*map(keys.identity, voters)), voters))


def alike(snapshot: Snapshot, people: Iterable[PersonId]) -> dict[PersonId, frozenset[PersonId]]:
    """For separation of duties: whom these people count as, too."""
    found = {who: snapshot.seek(keys.identity(who), Identity) for who in people}
    return {who: frozenset(one.also) for who, one in found.items() if one is not None and one.also}


def _counts(snapshot: Snapshot, account: AccountId, who: PersonId) -> bool:
    record = account_in(snapshot, account)
    return record is not None and record.person == who and record.suspended is None


def party_on_hold(snapshot: Snapshot, request: Request) -> Refused | None:
    """Nothing is given to, or asked by, an account that is on hold; it waits until people have said whose it is.

    Another account of theirs that is on hold stops nothing: it neither asked nor would hold anything. Whom it claims to be has no
    say, see `alike`.
    """
    emergency = request.gate.emergency if request.gate is not None else None
    # Who began a run may open its gate themselves: whose account is on hold there bars nobody who did.
    for account in (emergency.account,) if emergency is not None else accounts_of(request):
        record = account_in(snapshot, account)
        if record is not None and record.suspended is not None:
            return Refused(Code.PARTY_ON_HOLD, {"id": request.id, "name": record.name}, audited=False)
    return None

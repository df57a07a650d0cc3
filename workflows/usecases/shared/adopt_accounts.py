"""What an earlier version kept of accounts in each person's record is taken over into records of their own, once.

It happens before anybody is identified by this version: an account whose address has changed since is found by where it was
bound, not by where it would be bound today.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.identity import AccountId, AccountRecord, Adoption, PersonId, Suspension, Why, listed_as
from workflows.core.records.person import PersonRecord
from workflows.core.records.record import Record
from workflows.core.rules.identification import adopted
from workflows.ports import Change, Committed, IndexEntry, Snapshot
from workflows.usecases.shared.context import Context, event

# So many people are read at a time.
AT_ONCE = 200


def is_adopted(snapshot: Snapshot) -> bool:
    """Whether it is noted. A note that cannot be read is written anew, after another look: that does nothing twice."""
    return snapshot.readable(keys.ADOPTION, Adoption) is not None


def adopt(ctx: Context) -> None:
    """Take over every binding that there is. May run twice, and beside another process that does the same."""
    if is_adopted(ctx.ledger.read(keys.ADOPTION)):
        return
    claimed = _claimed(ctx, sorted(ctx.ledger.records("person")))
    for name in sorted({keys.person(who) for people in claimed.values() for who in people}):
        while not _taken_over(ctx, name, claimed):
            pass
    _noted(ctx, len(claimed))


def _claimed(ctx: Context, names: list[str]) -> dict[AccountId, list[PersonId]]:
    """Every account, and in whose records it stands: in two people's, where it has changed its address in between."""
    found: dict[AccountId, list[PersonId]] = {}
    for start in range(0, len(names), AT_ONCE):
        part = names[start : start + AT_ONCE]
        snapshot = ctx.ledger.read(*part)
        for name in part:
            # Who cannot be read keeps nobody else from acting.
            record = snapshot.readable(name, PersonRecord)
            for account in record.slack if record is not None else ():
                found.setdefault(account.id, []).append(record.id if record is not None else PersonId(""))
    return found


def _taken_over(ctx: Context, name: str, claimed: dict[AccountId, list[PersonId]]) -> bool:
    """One person. False where something was written meanwhile, and it has to be looked at again."""
    first = ctx.ledger.read(name).readable(name, PersonRecord)
    if first is None:
        return True
    wanted = (keys.identity(first.id), *(keys.account(account.id) for account in first.slack))
    snapshot = ctx.ledger.read(name, *wanted)
    record = snapshot.readable(name, PersonRecord)
    if record is None or not snapshot.items[keys.identity(record.id)].is_absent:
        return True
    if record != first:
        return False
    puts = _puts(record, snapshot, claimed)
    change = Change(
        commit_id=f"adopt:{name}:{snapshot.items[name].version}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts=puts,
        index=tuple(entry for one in puts.values() if isinstance(one, AccountRecord) for entry in on_hold(one)),
    )
    return isinstance(ctx.ledger.commit(change), Committed)


def _puts(record: PersonRecord, snapshot: Snapshot, claimed: dict[AccountId, list[PersonId]]) -> dict[str, Record]:
    """Their accounts, each as theirs. One that stands in somebody else's record as well is on hold until people say whose."""
    own = adopted(record, listed_as(record.id), snapshot.now)
    mine = [one for one in own.accounts if snapshot.items[keys.account(one.account)].is_absent]
    others = dict.fromkeys(who for one in own.accounts for who in claimed.get(one.account, ()) if who != record.id)
    identity = replace(own.identity, accounts=tuple(one.account for one in mine), also=tuple(others))
    accounts = (_doubted(one, record.id, claimed.get(one.account, ()), snapshot) for one in mine)
    return {keys.identity(record.id): identity, **{keys.account(one.account): one for one in accounts}}


def _doubted(one: AccountRecord, who: PersonId, people: Iterable[PersonId], snapshot: Snapshot) -> AccountRecord:
    others = [other for other in people if other != who]
    if not others:
        return one
    return replace(one, suspended=Suspension(Why.BEFORE, snapshot.now, one.address, others[0]))


def on_hold(record: AccountRecord) -> tuple[IndexEntry, IndexEntry]:
    """Where an account that is on hold is found, and one that is not, is not. What waits for nobody stands apart, so that it
    hides nothing that does."""
    hold = record.suspended
    since = hold.since.timestamp() if hold is not None else None
    shut = hold is not None and hold.why is Why.CLOSED
    return (
        IndexEntry(keys.ON_HOLD, record.account, None if shut else since),
        IndexEntry(keys.SHUT, record.account, since if shut else None),
    )


def _noted(ctx: Context, accounts: int) -> None:
    snapshot = ctx.ledger.read(keys.ADOPTION)
    if is_adopted(snapshot):
        return
    facts = {"accounts": str(accounts)}
    change = Change(
        commit_id=f"adopted:{snapshot.items[keys.ADOPTION].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.ADOPTION: Adoption(snapshot.now, accounts)},
        audit=(event(ctx, Event.BINDINGS_ADOPTED, "person", snapshot, facts),) if accounts else (),
    )
    ctx.ledger.commit(change)

"""People while chat is down: what a provider vouches for in place of it, for those who act from a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.identity import Account, AccountRecord, Identity, TargetUser
from workflows.core.people import PersonFacts, PersonId
from workflows.core.policy import Policy
from workflows.core.records.terminal import Vouched
from workflows.ports import DirectoryUnreachable, VouchedFor
from workflows.usecases.shared.actor import fresh
from workflows.usecases.shared.context import Context, WorkerContext

# After it somebody has to come to a terminal again, or chat is back.
VOUCHED_FOR = timedelta(hours=1)


def accounts_of(ctx: Context, who: PersonId) -> Sequence[AccountRecord]:
    """The chat accounts that are bound to a person on the record; none of somebody who was closed."""
    item = keys.identity(who)
    identity = ctx.ledger.read(item).get(item, Identity)
    if identity is None or identity.closed_at is not None or not identity.accounts:
        return ()
    snapshot = ctx.ledger.read(*map(keys.account, identity.accounts))
    found = (snapshot.get(keys.account(name), AccountRecord) for name in identity.accounts)
    return tuple(one for one in found if one is not None and one.person == who)


def whose_user(ctx: Context, user: str) -> PersonId | None:
    """The person to whom a target's user is bound on the record; None where to nobody yet."""
    item = keys.target_user(user)
    found = ctx.ledger.read(item).get(item, TargetUser)
    return found.person if found is not None else None


def facts_on_record(ctx: Context, record: AccountRecord, now: datetime) -> PersonFacts:
    """What the record has of an account, as of now: for whoever was just vouched for. What chat said last against it stands."""
    known = ctx.directory.person(record.slack)
    tenant = record.account.split(":")[1]
    facts = PersonFacts(
        record.person or PersonId(""),
        record.name,
        record.slack,
        now,
        address=record.address,
        tenant=tenant,
        suspended=record.suspended,
    )
    if known is None:
        return facts
    return replace(facts, standing_problem=known.standing_problem, time_zone=known.time_zone, also=known.also)


def fresh_or_vouched(ctx: WorkerContext, policy: Policy, who: PersonId, account: Account, now: datetime) -> PersonFacts:
    """What chat says of an account; where no chat can be reached, what the record has of whoever came to a terminal within the
    hour and is vouched for still. Raises DirectoryUnreachable.
    """
    try:
        return fresh(ctx, policy, account, now)
    except DirectoryUnreachable:
        found = _vouched(ctx, policy, who, account, now)
        if found is None:
            raise
        return found


def _vouched(ctx: WorkerContext, policy: Policy, who: PersonId, account: Account, now: datetime) -> PersonFacts | None:
    item = keys.vouched(who)
    vouched = ctx.ledger.read(item).readable(item, Vouched)
    if vouched is None or ctx.vouching is None or not timedelta(0) <= now - vouched.at <= VOUCHED_FOR:
        return None
    if ctx.vouching.chat_down_for_s() is None:
        return None
    found = ctx.vouching.look_up(policy, vouched.caller)
    if not isinstance(found, VouchedFor) or not is_theirs(ctx, policy, found, who):
        return None
    record = next((one for one in accounts_of(ctx, who) if one.slack == account), None)
    return facts_on_record(ctx, record, now) if record is not None else None


def is_theirs(ctx: Context, policy: Policy, found: VouchedFor, who: PersonId) -> bool:
    """Whether whoever the provider names is this person: by the address, and by the record of whose the user is."""
    owner = ctx.directory.owner_of(found.address, policy.former_domains)
    return owner == who and whose_user(ctx, found.user) in (None, who)

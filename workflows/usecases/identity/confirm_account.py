"""An account is on hold, and people say whose it is: the panic group in chat, two of them where it matters most; or whoever runs
the installation, by name, on the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.identity import (
    NO_DOMAINS,
    Account,
    AccountId,
    AccountRecord,
    Address,
    AddressRecord,
    Identity,
    PersonId,
    Suspension,
    Why,
    first_person,
    next_person,
    spellings,
)
from workflows.core.people import PersonFacts, is_fresh
from workflows.core.policy import Policy
from workflows.core.records.person import PersonRecord
from workflows.core.records.record import Record
from workflows.core.refusal import Code, Refused
from workflows.core.rules.account_confirmation import (
    PROPOSAL_STANDS_FOR,
    Held,
    Settled,
    as_another,
    as_the_same,
    groups_that_matter,
    is_own,
    needs_two,
    proposed,
    seconds,
    shut,
    stands,
)
from workflows.core.rules.eligibility import clean, text_problem
from workflows.core.rules.groups import not_a_member
from workflows.ports import Change, Snapshot
from workflows.usecases.shared.actor import Actor, known, not_theirs, seen_now, whose
from workflows.usecases.shared.adopt_accounts import on_hold
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run

# More than there are accounts.
HOLDS_MAX = 100_000
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Saying:
    """What somebody says of an account that is on hold. `hash`: of the hold as they saw it; None where it was typed at once."""

    account: AccountId
    same: bool
    reason: str
    hash: str | None = None


# ---------------------------------------------------------------- what there is to say something about


def holds(ctx: Context, limit: int = HOLDS_MAX) -> tuple[Held, ...]:
    """Every account that waits for somebody to say whose it is, the oldest hold first; at most `limit` of them."""
    names = _members(ctx, keys.ON_HOLD)[:limit]
    records = _records(ctx, names)
    # An earlier version kept those that wait for nobody among them.
    waiting = [name for name in names if name in records and not _is_shut(records[name])]
    return tuple(one for name in waiting if (one := held_account(ctx, name)) is not None)


def _members(ctx: Context, index: str) -> list[AccountId]:
    return [AccountId(name) for name in ctx.ledger.members(index, limit=HOLDS_MAX)]


def _records(ctx: Context, names: Sequence[AccountId]) -> dict[AccountId, AccountRecord]:
    """Those that are on hold. One that cannot be read hides no other."""
    found: dict[AccountId, AccountRecord] = {}
    for start in range(0, len(names), AT_ONCE):
        part = names[start : start + AT_ONCE]
        snapshot = ctx.ledger.read(*map(keys.account, part))
        for name in part:
            record = snapshot.readable(keys.account(name), AccountRecord)
            if record is not None and record.suspended is not None:
                found[name] = record
    return found


def _is_shut(record: AccountRecord) -> bool:
    return record.suspended is not None and record.suspended.why is Why.CLOSED


def held_account(ctx: Context, account: AccountId) -> Held | None:
    return hold_in(read_hold(ctx, account, lambda _: ()), account)


def holds_about(
    ctx: Context,
    person: PersonFacts | None,
    address: Address | None,
    former_domains: Mapping[str, str] = NO_DOMAINS,
) -> tuple[Held, ...]:
    """What WHO can mean: the very account that was mentioned; else every account on hold that has this address, had it, or
    is or claims to be the person who has it; where none of them waits, those of people who were closed."""
    if person is not None and address is None:
        own = tuple(one for name in person.accounts if (one := held_account(ctx, name)) is not None)
        return own or tuple(one for one in holds(ctx) if person.id in one.people)
    if address is None:
        return ()
    written = spellings(address, former_domains)
    owner = ctx.directory.owner_of(address, former_domains)

    def is_meant(record: AccountRecord, hold: Suspension, people: Iterable[PersonId | None]) -> bool:
        return hold.address in written or record.address in written or owner in people

    waiting = tuple(one for one in holds(ctx) if is_meant(one.account, one.suspended, one.people))
    if waiting:
        return waiting
    over = _records(ctx, [*_members(ctx, keys.SHUT), *_members(ctx, keys.ON_HOLD)])
    shut = [
        name
        for name, record in over.items()
        if _is_shut(record) and record.suspended and is_meant(record, record.suspended, (record.person,))
    ]
    return tuple(one for name in shut if (one := held_account(ctx, name)) is not None)


# ---------------------------------------------------------------- in chat


def groups_needed_to_confirm(policy: Policy) -> tuple[str, ...]:
    return groups_that_matter(policy)


def confirm(ctx: Context, saying: Saying, who: Account, commit_id: str) -> Outcome | Refused:
    """Say it. `Outcome.outcome`: `confirmed`, or `second_needed` while somebody else has to say the same."""
    problem = text_problem(saying.reason, {"what": "person confirm"})
    if problem:
        return problem
    actor = known(ctx, who, groups_needed_to_confirm)
    if isinstance(actor, Refused):
        return actor
    return _looked_at(ctx, actor, saying) or run(ctx, lambda: _once(ctx, actor, saying, commit_id))


def _looked_at(ctx: Context, actor: Actor, saying: Saying) -> Refused | None:
    """The account is looked at before anything is said of it: what the chat says of it now is on record then, so that what was
    shown is another hold if its address has changed. FACTS_STALE where a worker has to ask."""
    held = held_account(ctx, saying.account)
    if held is None or may_confirm(actor, held):
        # Said by whoever decides.
        return None
    return look_again(ctx, actor.policy, held)


def look_again(ctx: Context, policy: Policy, held: Held) -> Refused | None:
    """What the chat says of the account now is on record then. Raises DirectoryUnreachable."""
    facts = seen_now(ctx, policy, held.account.slack)
    if facts is None:
        return Refused(Code.FACTS_STALE, audited=False)
    if facts.standing_problem:
        return Refused(Code.HELD_UNFIT, {"name": held.account.name, "why": facts.standing_problem}, audited=False)
    whose(ctx, policy, facts)
    return None


def may_confirm(actor: Actor, held: Held) -> Refused | None:
    """Only the panic group, and nobody about themselves."""
    policy = actor.policy
    refused = Refused(Code.NOT_SECURITY, {"groups": ", ".join(policy.security)})
    outside = not_a_member(actor.groups, actor.person.id, policy.security, refused)
    if outside:
        return outside
    return Refused(Code.OWN_ACCOUNT) if is_own(held, actor.person) else None


def _once(ctx: Context, actor: Actor, saying: Saying, commit_id: str) -> CommitAttempt | Outcome | Refused:
    snapshot = read_hold(ctx, saying.account, lambda _: (actor.record, keys.ACTIVE_POLICY), commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    held = hold_in(snapshot, saying.account)
    if held is None:
        return Refused(Code.NOTHING_TO_CONFIRM, audited=False)
    refusal = may_confirm(actor, held) or not_theirs(snapshot, actor) or not_in_force(snapshot, actor.policy)
    if refusal:
        return refusal
    changed = said_of_another_hold(held, saying, snapshot)
    if changed:
        return changed
    held = _as_it_stands(actor, held, snapshot)
    agreed = seconds(held, actor.person, same=saying.same)
    if needs_two(actor.policy, held, actor.groups) and not agreed:
        return _first_of_two(ctx, actor, held, saying, snapshot, commit_id)
    by = {"actor": actor.person.id, "actor_name": actor.person.name}
    first = held.account.proposal
    if first is not None and agreed:
        by["second_name"] = first.by_name
    facts = {"policy": actor.policy.hash[:12]}
    return settling(ctx, held, saying, snapshot, commit_id, facts, by)


def _as_it_stands(actor: Actor, held: Held, snapshot: Snapshot) -> Held:
    """Without what the first has said, where they could not say it now, or count as who speaks second."""
    said = held.account.proposal
    if said is None:
        return held
    account = snapshot.seek(keys.account(said.account), AccountRecord)
    first = snapshot.seek(keys.identity(said.by), Identity) or Identity(said.by, said.by_name, (said.account,))
    if stands(actor.policy, held, actor.groups, account, first) and actor.person.id not in first.also:
        return held
    return replace(held, account=replace(held.account, proposal=None))


def _first_of_two(
    ctx: Context, actor: Actor, held: Held, saying: Saying, snapshot: Snapshot, commit_id: str
) -> CommitAttempt | Refused:
    before = held.account.proposal
    if before is not None and before.same is saying.same:
        own = {"own": "yes"} if before.by == actor.person.id else {}
        return Refused(Code.CONFIRMED_ALREADY, {"by": before.by_name, **own}, audited=False)
    item = keys.account(held.account.account)
    record = proposed(held, actor.person, snapshot.now, clean(saying.reason), same=saying.same)
    subject = keys.hold_subject(held.account.account)
    done = Outcome(subject, "second_needed")
    private = {"actor": actor.person.id, "actor_name": actor.person.name, **words_of(held, saying)}
    facts = {"said": _said(saying), "policy": actor.policy.hash[:12]}
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: record},
        due={keys.chat(subject): snapshot.now + SOON},
        audit=(event(ctx, Event.PERSON_CONFIRM_ASKED, subject, snapshot, facts, private),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject),))


def said_of_another_hold(held: Held, saying: Saying, snapshot: Snapshot) -> Refused | None:
    """Whether the hold is not the one that was shown, or what is said of it cannot be: the address is somebody else's."""
    if saying.hash is not None and saying.hash != held.hash:
        return Refused(Code.HOLD_CHANGED, audited=False)
    address = held.suspended.address or held.account.address
    owner = snapshot.seek(keys.address(address), AddressRecord) if address is not None else None
    given_away = held.suspended.why is Why.CLOSED and (owner is None or owner.person != held.account.person)
    return (
        Refused(Code.ADDRESS_GIVEN_AWAY, {"address": address or ""}, audited=False)
        if saying.same and given_away
        else None
    )


# ---------------------------------------------------------------- by whoever runs the installation


def confirm_by_hand(ctx: Context, saying: Saying, by: str, commit_id: str) -> Outcome | Refused:
    """On the command line: whoever reaches the ledger there may do anything anyway, and their name and reason stay on it."""
    problem = text_problem(saying.reason, {"what": "person confirm"})
    return problem or run(ctx, lambda: _by_hand(ctx, saying, by, commit_id))


def _by_hand(ctx: Context, saying: Saying, by: str, commit_id: str) -> CommitAttempt | Outcome | Refused:
    snapshot = read_hold(ctx, saying.account, lambda _: (), commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    held = hold_in(snapshot, saying.account)
    if held is None:
        return Refused(Code.NOTHING_TO_CONFIRM, audited=False)
    changed = said_of_another_hold(held, saying, snapshot)
    if changed:
        return changed
    private = {"actor_name": clean(by)}
    return settling(ctx, held, saying, snapshot, commit_id, {"by": "command_line"}, private)


# ---------------------------------------------------------------- the common part


def read_hold(
    ctx: Context, account: AccountId, more: Callable[[Snapshot], tuple[str, ...]], commit_id: str | None = None
) -> Snapshot:
    """One snapshot with the account and everybody whom it is about, their accounts, and the ids that somebody new could get."""
    names: tuple[str, ...] = (keys.account(account),)
    while True:
        snapshot = ctx.ledger.read(*names, commit_id=commit_id)
        wanted = tuple(dict.fromkeys((keys.account(account), *more(snapshot), *_about(snapshot, account))))
        if wanted == names:
            return snapshot
        names = wanted


def _about(snapshot: Snapshot, account: AccountId) -> list[str]:
    record = snapshot.seek(keys.account(account), AccountRecord)
    if record is None or record.suspended is None:
        return []
    found: list[str] = []
    for who in filter(None, (record.person, _claims(snapshot, record.suspended, record))):
        found += [keys.identity(who), keys.person(who)]
        identity = snapshot.seek(keys.identity(who), Identity)
        found += [keys.account(name) for name in (identity.accounts if identity is not None else ())]
    if record.proposal is not None:
        found += [keys.account(record.proposal.account), keys.identity(record.proposal.by)]
    address = record.suspended.address or record.address
    if address is not None:
        found.append(keys.address(address))
        for new in _candidates(address):
            found += [keys.identity(new), keys.person(new)]
            if not _is_taken(snapshot, new):
                break
    return found


def _candidates(address: Address) -> Iterator[PersonId]:
    yield first_person(address)
    yield from (next_person(address, number) for number in count(2))


def _is_taken(snapshot: Snapshot, who: PersonId) -> bool:
    identity = snapshot.seek(keys.identity(who), Identity)
    record = snapshot.seek(keys.person(who), PersonRecord)
    return identity is not None or record is not None


def hold_in(snapshot: Snapshot, account: AccountId) -> Held | None:
    record = snapshot.seek(keys.account(account), AccountRecord)
    if record is None or record.suspended is None:
        return None
    claims = _claims(snapshot, record.suspended, record)
    hold = replace(record.suspended, claims=claims)
    said = record.proposal
    if hold != record.suspended or (said is not None and not is_fresh(said.at, snapshot.now, PROPOSAL_STANDS_FOR)):
        # Somebody got the address since, so that what was said before was said of another hold; or it was too long ago.
        record = replace(record, suspended=hold, proposal=None)
    return Held(record, hold, _person(snapshot, record.person), _person(snapshot, claims))


def _claims(snapshot: Snapshot, hold: Suspension, record: AccountRecord) -> PersonId | None:
    """Whose the address is that the account has: as of now, and not as of when it was put on hold."""
    address = hold.address or record.address
    owner = snapshot.seek(keys.address(address), AddressRecord) if address is not None else None
    return owner.person if owner is not None and owner.person != record.person else hold.claims


def _person(snapshot: Snapshot, who: PersonId | None) -> Identity | None:
    if who is None:
        return None
    legacy = snapshot.seek(keys.person(who), PersonRecord)
    found = snapshot.seek(keys.identity(who), Identity)
    return found or Identity(who, legacy.name if legacy is not None else "")


def settling(
    ctx: Context,
    held: Held,
    saying: Saying,
    snapshot: Snapshot,
    commit_id: str,
    facts: dict[str, str],
    private: dict[str, str],
) -> CommitAttempt:
    settled = as_the_same(held, snapshot.now) if saying.same else as_another(held, _new(snapshot, held), snapshot.now)
    puts = _puts(settled, snapshot)
    subject = keys.hold_subject(held.account.account)
    done = Outcome(subject, "confirmed")
    words = {**private, **words_of(held, saying), "person": settled.person}
    before = held.person or held.claimed
    if before is not None:
        words |= {"before": before.person, "before_name": before.name, "before_accounts": " ".join(before.accounts)}
    changed = (record for record in puts.values() if isinstance(record, AccountRecord))
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads={**snapshot.versions(), **{name: 0 for name in puts if name not in snapshot.items}},
        puts=puts,
        due={keys.chat(subject): snapshot.now + SOON},
        index=tuple(entry for one in changed for entry in on_hold(one)),
        audit=(event(ctx, Event.PERSON_CONFIRMED, subject, snapshot, {**facts, "said": _said(saying)}, words),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject),))


def _new(snapshot: Snapshot, held: Held) -> PersonId:
    """An id that nobody has had. Whom the policy lists, and who never acted, is whoever gets their address."""
    address = held.suspended.address or held.account.address
    if address is None:
        raise ValueError(f"{held.account.account} has no address")
    return next(who for who in _candidates(address) if not _is_taken(snapshot, who))


def _puts(settled: Settled, snapshot: Snapshot) -> dict[str, Record]:
    account = settled.account
    puts: dict[str, Record] = {keys.account(account.account): account}
    puts |= {keys.identity(one.person): one for one in settled.people}
    for address, who in settled.addresses.items():
        puts[keys.address(address)] = AddressRecord(address, who)
    closed = next((one for one in settled.people if one.person == settled.closed), None)
    for name in closed.accounts if closed is not None else ():
        record = snapshot.seek(keys.account(name), AccountRecord)
        if record is not None:
            puts[keys.account(name)] = shut(record, snapshot.now)
    item = keys.person(settled.person)
    own = snapshot.seek(item, PersonRecord) or PersonRecord(settled.person, account.name)
    accounts = own.slack if account.slack in own.slack else (*own.slack, account.slack)
    # What an earlier version wrote down of a hold is settled with it.
    puts[item] = replace(own, slack=accounts, suspended=None)
    return puts


def _said(saying: Saying) -> str:
    return "same" if saying.same else "another"


def words_of(held: Held, saying: Saying) -> dict[str, str]:
    hold = held.suspended
    return {
        "account": held.account.account,
        "account_name": held.account.name,
        "address": hold.address or "",
        "address_before": held.account.address or "",
        "claims": hold.claims or "",
        "reason": clean(saying.reason),
    }

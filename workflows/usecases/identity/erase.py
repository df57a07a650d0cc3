"""Somebody is erased: their names and words leave the record, and it stays whole.

An operator's command, in bites that each are on the record with the numbers of the entries whose words left. Whatever is killed
when, another run goes on: what says who they are, and the keys of their words in the archive, go in the last step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from workflows.core import keys
from workflows.core.absent_words import NUMBERS, NumberRanges
from workflows.core.audit import AuditEvent, Event
from workflows.core.erasing import NAME, Whom, is_theirs, scrubbed
from workflows.core.identity import ERASED_PERSON, Account, AccountRecord, Address, Identity, PersonId, TargetUser
from workflows.core.records.erased import Erased, ErasedPeople
from workflows.core.records.grant import Grant
from workflows.core.records.person import PersonRecord
from workflows.core.records.record import Record
from workflows.core.records.request import Request, slot_id
from workflows.core.records.signed import SignedVotes
from workflows.core.refusal import Refused
from workflows.core.rules.eligibility import clean, text_problem
from workflows.ports import Change, Committed, IndexEntry, Snapshot
from workflows.usecases.identity.erase_survey import Kept, Stays, Survey, is_touched, kept_by, survey, words
from workflows.usecases.identity.erase_whom import erased_people, parts_of, whom
from workflows.usecases.shared.closing import places_of
from workflows.usecases.shared.context import ATTEMPTS_MAX, SOON, Contended, Context, event

# So many records, and words of so many entries, change in one step.
RECORDS_AT_ONCE, NUMBERS_AT_ONCE = 50, 500
# What comes in beside is looked for again; somebody who never stops is not erased.
ROUNDS_MAX = 5

Forget = Callable[[Sequence[Account], Sequence[Address]], None]


class NoRights(Exception):
    """The Redis user may not delete words of the audit log. Nothing that was to go in this step has gone."""


@dataclass(frozen=True, slots=True)
class Said:
    """Who says so, and why; neither names whom it is about."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """`entries`: whose words left; `records`: rewritten or taken away; `number`: of the last entry about it."""

    entries: int
    records: int
    number: int


@dataclass
class _Run:
    ctx: Context
    who: Whom
    said: Said
    theirs: set[str]
    entries: int = 0
    records: int = 0

    @property
    def subject(self) -> str:
        return self.who.instead


def planned(ctx: Context, who: PersonId) -> tuple[Whom, Survey]:
    """What would go, and what keeps it. Writes nothing."""
    before = erased_people(ctx)
    known = before.of(who) if before is not None else None
    found = whom(ctx, who, known.instead if known is not None and known.done_at is None else PersonId(ERASED_PERSON))
    return found, survey(ctx, found)


def erase(ctx: Context, forget: Forget, who: PersonId, said: Said) -> Done | Survey | Refused:
    """`forget`: what was learnt of accounts and addresses, and is kept beside the ledger. A Survey: what keeps them, and nothing
    more was done. Raises LedgerUnreachable, Contended, NoRights.
    """
    problem = text_problem(said.reason, {"what": "person erase"})
    if problem:
        return problem
    found, seen = planned(ctx, who)
    if found.is_named_in(said.by, said.reason):
        seen.kept.append(Kept(Stays.SAID))
    if seen.kept:
        return seen
    run = _Run(ctx, _begun(ctx, found), Said(clean(said.by), clean(said.reason)), seen.theirs)
    for _ in range(ROUNDS_MAX):
        _bites(run, seen)
        seen = survey(ctx, run.who)
        run.theirs |= seen.theirs
        if seen.kept:
            seen.begun = True
            return seen
        if not seen.touched and not seen.numbers:
            _forget(forget, run.who)
            number = _last(run)
            if number:
                _forget(forget, run.who)
                _stragglers(run, seen)
                return Done(run.entries, run.records, number)
    raise Contended("they are written about again and again")


def _begun(ctx: Context, found: Whom) -> Whom:
    """It is noted under which name they stand from now on, so that another run gives them the same one."""
    for _ in range(ATTEMPTS_MAX):
        snapshot = ctx.ledger.read(keys.ERASED)
        people = snapshot.get(keys.ERASED, ErasedPeople) or ErasedPeople(ctx.chance.hex(64))
        before = people.of(found.person)
        if before is not None and before.done_at is None:
            return replace(found, instead=before.instead)
        instead = PersonId(f"{ERASED_PERSON}{ctx.chance.hex(12)}")
        noted = people.noted(found.person, Erased(instead, snapshot.now))
        change = _change(ctx, snapshot, puts={keys.ERASED: noted})
        if isinstance(ctx.ledger.commit(change), Committed):
            return replace(found, instead=instead)
    raise Contended("somebody else keeps erasing people")


def _change(ctx: Context, snapshot: Snapshot, **parts: object) -> Change:
    commit_id = f"erase:{ctx.chance.hex(24)}"
    return Change(commit_id, snapshot.now, snapshot.versions(), removes_access=True, **parts)  # type: ignore[arg-type]  # as given


# ---------------------------------------------------------------- in bites


def _bites(run: _Run, seen: Survey) -> None:
    records, numbers = parts_of(seen.touched, RECORDS_AT_ONCE), parts_of(seen.numbers, NUMBERS_AT_ONCE)
    for some, entries in zip_longest(records, numbers, fillvalue=()):
        _bite(run, some, entries)


def _bite(run: _Run, names: Sequence[str], numbers: Sequence[int]) -> None:
    for _ in range(ATTEMPTS_MAX):
        snapshot = run.ctx.ledger.read(*names)
        puts, deletes, index = _without(run, snapshot)
        entry = _entry(run, snapshot, numbers, {"records": str(len(puts) + len(deletes))})
        change = _change(
            run.ctx,
            snapshot,
            puts=puts,
            deletes=frozenset(deletes),
            index=tuple(index),
            audit=(entry,),
            forget=tuple(numbers),
        )
        if not (puts or deletes or numbers):
            return
        done = run.ctx.ledger.commit(change)
        if isinstance(done, Committed):
            run.entries += len(numbers)
            run.records += len(puts) + len(deletes)
            return
        if done.why == "rights":
            raise NoRights
    raise Contended("their records are written again and again")


def _entry(run: _Run, snapshot: Snapshot, numbers: Sequence[int], facts: dict[str, str]) -> AuditEvent:
    listed = {NUMBERS: str(NumberRanges.of(numbers))} if numbers else {}
    words = {"actor_name": run.said.by, "reason": run.said.reason}
    return event(run.ctx, Event.PERSON_ERASED, run.subject, snapshot, {**listed, **facts}, words)


def _without(run: _Run, snapshot: Snapshot) -> tuple[dict[str, Record], list[str], list[IndexEntry]]:
    puts: dict[str, Record] = {}
    deletes: list[str] = []
    index: list[IndexEntry] = []
    for key, item in snapshot.items.items():
        record = item.record
        if record is None or not is_touched(key, record, run.who) or any(kept_by(record, run.who, snapshot.now)):
            # What is needed again meanwhile keeps them: the next look says so.
            continue
        index += _places(record, run.who)
        if isinstance(record, SignedVotes) or run.who.is_surely_in(key.partition(":")[2]):
            deletes.append(key)
        else:
            puts[key] = _rewritten(record, run.who)
    return puts, deletes, index


def _rewritten(record: Record, who: Whom) -> Record:
    if isinstance(record, Identity):
        return replace(record, before=None)
    if isinstance(record, PersonRecord):
        return replace(record, delegation=None)
    if isinstance(record, AccountRecord):
        return replace(record, proposal=None)
    if isinstance(record, TargetUser) and record.person == who.person:
        return replace(record, person=who.instead, name=NAME)
    return scrubbed(record, who)


def _places(record: Record, who: Whom) -> Iterator[IndexEntry]:
    """Where a request or grant of theirs is found: under the name that stands there now."""
    after = scrubbed(record, who)
    if isinstance(record, Request) and isinstance(after, Request) and is_theirs(record, who):
        was, now = set(places_of(keys.RECENT, record)), set(places_of(keys.RECENT, after))
        yield from (IndexEntry(name, record.id, None) for name in sorted(was - now))
        yield from (IndexEntry(name, record.id, record.created_at.timestamp()) for name in sorted(now - was))
        if record.ticket:
            yield IndexEntry(keys.of_ticket(record.ticket), record.id, None)
    elif isinstance(record, Grant) and isinstance(after, Grant) and record.closed_at is not None:
        was_slot, slot = (slot_id(one.holder, one.terms.environment, one.terms.role) for one in (record, after))
        if was_slot != slot:
            yield IndexEntry(keys.last_of(was_slot), record.id, None)
            yield IndexEntry(keys.last_of(slot), record.id, record.closed_at.timestamp())
    elif isinstance(record, SignedVotes):
        yield IndexEntry(keys.SIGNED, record.request, None)
    elif isinstance(record, PersonRecord):
        yield IndexEntry(keys.DELEGATIONS, record.id, None)


# ---------------------------------------------------------------- the last step


def _last(run: _Run) -> int:
    """Who they are goes, with the keys of their words in the archive; the number of the entry that says so. 0 where something
    came in beside, which the next round finds.
    """
    ctx, who = run.ctx, run.who
    names = [*_own_names(ctx, who), keys.ERASED]
    snapshot = ctx.ledger.read(*names)
    people = snapshot.get(keys.ERASED, ErasedPeople)
    if people is None or any(ctx.ledger.count(keys.of_person(name, who.person)) for name in _OPEN):
        return 0
    own = [name for name in names if name != keys.ERASED and not snapshot.items[name].is_absent]
    facts = {"records": str(len(own)), "done": "yes", "entries": str(run.entries), "all": str(run.records + len(own))}
    kept = _noted(people, snapshot, who)
    change = _change(
        ctx,
        snapshot,
        puts={keys.ERASED: kept},
        deletes=frozenset(own),
        index=tuple(_out_of_lists(who)),
        due={keys.chat(run.subject): snapshot.now + SOON, **_due_no_more(who)},
        audit=(_entry(run, snapshot, (), facts),),
    )
    done = ctx.ledger.commit(change)
    if not isinstance(done, Committed):
        return 0
    run.records += len(own)
    ctx.wake(keys.chat(run.subject))
    return done.numbers[0]


_OPEN = (keys.LIVE, keys.PENDING, keys.SCHEDULED, keys.REVIEWS)


def _own_names(ctx: Context, who: Whom) -> Iterator[str]:
    """The keys of all that says who they are, and of the words that name them: also whom they were mixed up with."""
    identity = ctx.ledger.read(keys.identity(who.person)).readable(keys.identity(who.person), Identity)
    mixed = (*identity.also, *((identity.before,) if identity.before else ())) if identity is not None else ()
    yield from (keys.identity(who.person), keys.person(who.person), keys.target_ids(who.person))
    yield from (keys.words_key(one) for one in sorted({who.person, *mixed}))
    yield keys.refusals(who.person)
    yield from map(keys.account, sorted(who.account_ids))
    yield from map(keys.address, sorted(who.addresses))


def _noted(people: ErasedPeople, snapshot: Snapshot, who: Whom) -> ErasedPeople:
    """Digests of the accounts, so that one that comes back with another address is held."""
    before = people.of(who.person)
    since = before.since if before is not None else snapshot.now
    noted = people.noted(who.person, Erased(who.instead, since, snapshot.now))
    for name in sorted(who.account_ids):
        record = snapshot.seek(keys.account(name), AccountRecord)
        noted = noted.with_account(name, record.address if record is not None else None)
    return noted


def _out_of_lists(who: Whom) -> Iterator[IndexEntry]:
    for name in who.account_ids:
        yield from (IndexEntry(index, name, None) for index in (keys.ON_HOLD, keys.SHUT))
    yield from (IndexEntry(index, who.person, None) for index in (keys.BARRED, keys.DELEGATIONS))
    for account in who.accounts:
        yield from (IndexEntry(keys.CLOSED_PLACES, place, None) for place in (account.user, account.id))


def _due_no_more(who: Whom) -> dict[str, None]:
    items = (item for one in who.accounts for item in (keys.whois(one), keys.chat(keys.home(one))))
    return dict.fromkeys(items)


def _forget(forget: Forget, who: Whom) -> None:
    forget(sorted(who.accounts, key=lambda one: one.id), sorted(who.addresses))


def _stragglers(run: _Run, seen: Survey) -> None:
    """What was written of them while the last step was made."""
    late = Survey(theirs=run.theirs, upto=seen.upto)
    words(run.ctx, run.who, late)
    for numbers in parts_of(late.numbers, NUMBERS_AT_ONCE):
        _bite(run, (), numbers)

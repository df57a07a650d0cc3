"""What the record has of somebody, and what keeps it there: something is open, owed, on hold, or the policy names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from workflows.core import keys
from workflows.core.absent_words import NumberRanges
from workflows.core.erasing import Whom, is_theirs
from workflows.core.identity import AccountRecord, Identity, PersonId, TargetUser, Why
from workflows.core.records.chat import Press
from workflows.core.records.drift import Drift
from workflows.core.records.grant import LIVE, Grant
from workflows.core.records.holding import Holding
from workflows.core.records.leavers import Leavers
from workflows.core.records.oversight import BulkRevocation, Review, ReviewState
from workflows.core.records.person import PersonRecord
from workflows.core.records.policy_in_force import PolicyFiles, WaitingPolicy, WaitingState
from workflows.core.records.record import Record
from workflows.core.records.request import ID_PATTERN, Request, RequestState
from workflows.core.records.signed import SignedVotes
from workflows.ports import PolicyUnavailable, Snapshot
from workflows.usecases.identity.erase_whom import pages
from workflows.usecases.identity.erase_words import words_of
from workflows.usecases.shared.context import Context

_OPEN = frozenset({RequestState.PENDING, RequestState.SCHEDULED})
# Kinds that go as a whole, in the last step: they say who somebody is.
OWN = frozenset({"person", "person-id", "account", "address", "target-ids", "words-key", "refusals", "vouched"})
# What is no record of people: the policy as it is written is looked at for itself.
_NOT_OF_PEOPLE = frozenset({"policy-files", "policy", "summary", "erased", "seal", "installation", "words-key"})
ENTRIES_AT_ONCE = 1000


class Stays(StrEnum):
    """Why somebody cannot be erased yet."""

    OPEN = "open"  # a request that waits, or access that is open
    OWED = "owed"  # a review
    HELD = "held"  # an account on hold
    BARRED = "barred"
    DELEGATES = "delegates"
    DRIFT = "drift"
    LEAVING = "leaving"
    PRESS = "press"
    SWEEPOUT = "sweepout"
    POLICY = "policy"
    GROUP = "group"
    DOUBT = "doubt"
    SAID = "said"  # by who says so, or in the reason


@dataclass(frozen=True, slots=True)
class Kept:
    """`what`: an id, a file with its line, a group."""

    why: Stays
    what: str = ""


@dataclass
class Survey:
    """`touched`: keys of records that say something of them. `theirs`: ids of requests of theirs. `numbers`: entries whose words
    name them. `unreadable`: records of which nobody can tell. `begun`: some of it is done.
    """

    kept: list[Kept] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    theirs: set[str] = field(default_factory=set)
    numbers: list[int] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    upto: int = 0
    begun: bool = False

    @property
    def kinds(self) -> Mapping[str, int]:
        return Counter(key.partition(":")[0] for key in self.touched)

    @property
    def ranges(self) -> NumberRanges:
        return NumberRanges.of(self.numbers)


def survey(ctx: Context, who: Whom) -> Survey:
    """All records and all entries. Raises LedgerUnreachable."""
    found = Survey()
    for snapshot in pages(ctx, _names(ctx)):
        for key, item in snapshot.items.items():
            if item.problem:
                found.unreadable.append(key)
            elif item.record is not None:
                _look(found, key, item.record, who, snapshot.now)
    found.kept += [*_elsewhere(ctx, who), *_open_of(ctx, found)]
    found.kept = sorted(set(found.kept), key=lambda one: (one.why, one.what))
    words(ctx, who, found)
    return found


def _names(ctx: Context) -> Iterator[str]:
    return (key for key in ctx.ledger.records("*") if key.partition(":")[0] not in _NOT_OF_PEOPLE)


def _look(found: Survey, key: str, record: Record, who: Whom, now: datetime) -> None:
    if isinstance(record, Request) and is_theirs(record, who):
        found.theirs.add(record.id)
    found.kept += kept_by(record, who, now)
    if is_touched(key, record, who):
        found.touched.append(key)


def is_touched(key: str, record: Record, who: Whom) -> bool:
    """Whether it is to be rewritten or taken away; what says who they are goes in the last step."""
    kind, _, name = key.partition(":")
    if is_own(key, record, who):
        return False
    if isinstance(record, SignedVotes):
        return who.is_surely_in(*(vote.act.body for vote in record.votes)) or who.has(record)
    if isinstance(record, TargetUser):
        # Whose the user is stays, under the name that stands for them now: nobody else is given it unseen.
        return record.person == who.person
    # Of other people it is said in these kinds alone whom they are mixed up with.
    return who.is_surely_in(name) or (kind not in OWN and who.has(record)) or _mixes(record, who)


def _mixes(record: Record, who: Whom) -> bool:
    if isinstance(record, Identity):
        return record.before == who.person
    if isinstance(record, PersonRecord):
        return record.delegation is not None and record.delegation.to == who.person
    return isinstance(record, AccountRecord) and record.proposal is not None and record.proposal.by == who.person


def is_own(key: str, record: Record, who: Whom) -> bool:
    """Whether it says who they are."""
    kind = key.partition(":")[0]
    if kind not in OWN:
        return False
    person = getattr(record, "person", None) or getattr(record, "id", None)
    return person == who.person or (isinstance(record, AccountRecord) and record.account in who.account_ids)


# ---------------------------------------------------------------- what is open


def kept_by(record: Record, who: Whom, now: datetime) -> Iterator[Kept]:
    """What this record is still needed for, where it says something of them."""
    if isinstance(record, Request):
        if record.state in _OPEN and who.has(record):
            yield Kept(Stays.OPEN, record.id)
    elif isinstance(record, Grant):
        if record.state in LIVE and who.has(record):
            yield Kept(Stays.OPEN, record.id)
    elif isinstance(record, Holding):
        if who.has(record):
            yield from (Kept(Stays.OPEN, id_) for id_ in record.grants or (record.last_grant or record.id,))
    elif isinstance(record, Review):
        if record.state is ReviewState.OWED and who.has(record):
            yield Kept(Stays.OWED, record.id)
    else:
        yield from _kept_beside(record, who, now)


def _kept_beside(record: Record, who: Whom, now: datetime) -> Iterator[Kept]:
    if isinstance(record, AccountRecord):
        yield from _held(record, who)
    elif isinstance(record, PersonRecord):
        yield from _of_person(record, who, now)
    elif isinstance(record, Drift) and who.has(record):
        yield Kept(Stays.DRIFT, record.id)
    elif isinstance(record, Leavers) and record.finding is not None and who.person in record.finding.people:
        yield Kept(Stays.LEAVING)
    elif isinstance(record, Press) and (who.has(record) or who.is_surely_in(record.payload)):
        yield Kept(Stays.PRESS)
    elif isinstance(record, BulkRevocation) and record.finished_at is None and who.has(record):
        yield Kept(Stays.SWEEPOUT)
    elif isinstance(record, WaitingPolicy) and record.state is WaitingState.WAITING and who.has(record):
        yield Kept(Stays.POLICY, "the change that waits")


def _held(record: AccountRecord, who: Whom) -> Iterator[Kept]:
    hold = record.suspended
    about = (record.person, hold.claims if hold else None)
    if hold is not None and hold.why is not Why.CLOSED and who.person in about:
        yield Kept(Stays.HELD, record.account)


def _of_person(record: PersonRecord, who: Whom, now: datetime) -> Iterator[Kept]:
    delegation = record.delegation
    if delegation is not None and delegation.until > now and who.person in (record.id, delegation.to):
        yield Kept(Stays.DELEGATES, record.name)
    if record.id != who.person:
        return
    if record.break_glass_barred is not None or (record.blocked_until is not None and record.blocked_until > now):
        yield Kept(Stays.BARRED)
    yield from (Kept(Stays.OPEN, id_) for id_ in record.pending)


def _open_of(ctx: Context, found: Survey) -> Iterator[Kept]:
    """What chat has shown of requests that are still open: it is needed until they are over."""
    names = (key.partition(":")[2] for key in found.touched if key.partition(":")[0] in ("chat", "signed"))
    ids = [name for name in names if ID_PATTERN.fullmatch(name)]
    for page in pages(ctx, [key for id_ in ids for key in (keys.request(id_), keys.grant(id_))]):
        for key in page.items:
            record = page.items[key].record
            waits = isinstance(record, Request) and record.state in _OPEN
            if waits or (isinstance(record, Grant) and record.state in LIVE):
                yield Kept(Stays.OPEN, key.partition(":")[2])


# ---------------------------------------------------------------- what stands elsewhere


def _elsewhere(ctx: Context, who: Whom) -> Iterator[Kept]:
    snapshot = ctx.ledger.read(keys.POLICY_FILES, keys.POLICY_WAITING, keys.POLICY_WAITING_FILES, keys.LEDGER_DOUBT)
    if not snapshot.items[keys.LEDGER_DOUBT].is_absent:
        yield Kept(Stays.DOUBT)
    yield from _in_files(snapshot, keys.POLICY_FILES, who)
    waiting = snapshot.readable(keys.POLICY_WAITING, WaitingPolicy)
    if waiting is not None and waiting.state is WaitingState.WAITING:
        yield from _in_files(snapshot, keys.POLICY_WAITING_FILES, who)
    yield from _in_groups(ctx, who.person)


def _in_files(snapshot: Snapshot, key: str, who: Whom) -> Iterator[Kept]:
    written = snapshot.readable(key, PolicyFiles)
    for name, text in sorted(written.files.items()) if written is not None else ():
        for number, line in enumerate(text.splitlines(), 1):
            if who.is_surely_in(line):
                yield Kept(Stays.POLICY, f"{name}:{number}")


def _in_groups(ctx: Context, who: PersonId) -> Iterator[Kept]:
    """A group that a chat or a directory keeps, or one of the policy whose files are not on record."""
    try:
        policy = ctx.policy.current()
    except PolicyUnavailable:
        return
    groups = ctx.directory.groups(policy, tuple(policy.groups))
    yield from (Kept(Stays.GROUP, name) for name, one in sorted(groups.by_name.items()) if who in one.members)


# ---------------------------------------------------------------- words


def words(ctx: Context, who: Whom, found: Survey) -> None:
    """Adds the entries behind `found.upto` whose words name them, or are about a request of theirs."""
    while page := ctx.ledger.stored_entries(after=found.upto, limit=ENTRIES_AT_ONCE):
        for entry in page:
            said = words_of(entry)
            if said is None or not said.words or said.subject == who.instead:
                continue
            if said.subject in found.theirs or who.is_named_in(*said.words):
                found.numbers.append(entry.number)
        found.upto = page[-1].number

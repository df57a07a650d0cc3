"""What the use cases need from the outside. Each Protocol has a fake and a real thing that pass the same contract tests."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeVar

from workflows.core.activity import LogPage, Window
from workflows.core.audit import AuditEntry, AuditEvent, Event
from workflows.core.audit_check import AuditState, StoredEntry
from workflows.core.identity import NO_DOMAINS, Address
from workflows.core.people import Account, GroupFacts, Membership, PersonFacts, PersonId
from workflows.core.policy import Policy, TicketCheck
from workflows.core.provider import Sought, TargetTerms
from workflows.core.records.record import Record
from workflows.core.records.signed import SignedAct
from workflows.core.records.target import Observation, Operation, Resource
from workflows.core.refusal import Refused
from workflows.core.rules.leaving import Looked
from workflows.core.rules.signed_votes import Said
from workflows.core.rules.ticket_check import TicketSeen
from workflows.core.seal.public_key import PublicKey
from workflows.core.terminal.caller import Caller

if TYPE_CHECKING:
    from workflows.core.records.forge import ForgeWait
    from workflows.core.rules.forge_run import BranchSeen, RunSeen

T = TypeVar("T")

# Told of what cannot be read: what it is (`record:grant:PA-7`, `index:pending`), and why. Never raises, and holds nothing up.
Notice = Callable[[str, str], None]


def no_notice(_what: str, _why: str) -> None:
    """For whoever keeps no list of it."""


# ---------------------------------------------------------------- ledger


class CorruptLedger(Exception):
    """Something stands in the ledger that prodaccess did not write like this. Nobody should guess what it meant."""


class CorruptRecord(CorruptLedger):
    """A stored record cannot be read; the message names its key and the fields, but no values. `key` is its key."""

    def __init__(self, words: str, key: str = "") -> None:
        super().__init__(words)
        self.key = key


@dataclass(frozen=True, slots=True)
class Versioned:
    """A record and the version at which it was read. Version 0 is absence, which is a version, too.

    `problem`: why what stands there cannot be read; then there is no record, and that is no absence.
    """

    version: int
    record: Record | None
    problem: str = ""

    @property
    def is_absent(self) -> bool:
        return self.record is None and not self.problem


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one read saw, all of it at one instant, and that instant on the ledger's clock.

    `replay` is the stored answer where the commit id that was asked about has been committed before.
    """

    now: datetime
    items: Mapping[str, Versioned]
    replay: str | None = None

    def get(self, key: str, kind: type[T]) -> T | None:
        """The record under `key`, or None where it is absent: for whatever a decision rests on.

        Raises CorruptRecord where it cannot be read, and TypeError where it is of another kind.
        """
        found = self.items[key]
        if found.problem:
            raise CorruptRecord(found.problem, key)
        if found.record is None:
            return None
        if not isinstance(found.record, kind):
            raise TypeError(f"{key} holds a {type(found.record).__name__}, not a {kind.__name__}")
        return found.record

    def readable(self, key: str, kind: type[T]) -> T | None:
        """The same, and None where it cannot be read: for lists, and where not knowing it gives nothing to anybody."""
        return None if self.items[key].problem else self.get(key, kind)

    def seek(self, key: str, kind: type[T]) -> T | None:
        """As `get`, and None where `key` was not read."""
        return self.get(key, kind) if key in self.items else None

    def versions(self) -> dict[str, int]:
        return {key: item.version for key, item in self.items.items()}


@dataclass(frozen=True, slots=True)
class Fence:
    """Proof of a lease: the commit is refused unless this number is still the lease's, and it has not run out."""

    lease: str
    number: int


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """`member` stands in the index `name` at `score` (seconds since the epoch), or is taken out where it is None."""

    name: str
    member: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Trim:
    """Audit entries before `first` go, out of the log and out of the lists of `subjects`, which are all that they were about."""

    first: int
    subjects: tuple[str, ...]


# How long a commit is remembered: nothing repeats one later than that, and no access stands behind it.
ANSWER_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Change:
    """One atomic step: all of it is applied, or nothing.

    `commit_id`: made from the press, the form or the job; a second commit of the same id changes nothing and gets the
    first one's `answer`. `at`: the instant of the snapshot on which it was decided; it is the time of every entry, and the
    ledger refuses it when more than `STALE_S_MAX` have passed since. `reads`: key -> version, all that the decision rested on.
    `due`: item -> when the clock must look at it again; None takes it out. `gives_access` is refused while the ledger is not
    durable, or it or its clock is in doubt; `removes_access` may use memory past the limit. `sooner`: all that is due comes so
    much sooner, before `due` is looked at. `forget`: the words of entries of these numbers are deleted; an entry of the same
    change has to list them, see `core.absent_words`.
    """

    commit_id: str
    at: datetime
    reads: Mapping[str, int]
    puts: Mapping[str, Record] = field(default_factory=dict)
    deletes: frozenset[str] = frozenset()
    due: Mapping[str, datetime | None] = field(default_factory=dict)
    index: tuple[IndexEntry, ...] = ()
    audit: tuple[AuditEvent, ...] = ()
    fence: Fence | None = None
    gives_access: bool = False
    removes_access: bool = False
    sooner: timedelta = timedelta(0)
    answer: str = ""
    # How long a second commit of the same id gets the first one's answer: a key is left behind for so long.
    remembered_s: float = ANSWER_S
    # So many entries are sealed with this: the seal is due again where there are more, and is not where there are none.
    sealed: int | None = None
    forget: tuple[int, ...] = ()
    # The oldest audit entries go with this; they have to be in the archive.
    trim: Trim | None = None


# A decision older than this on the ledger's clock is made again on fresh facts.
STALE_S_MAX = 5.0


@dataclass(frozen=True, slots=True)
class Committed:
    """`numbers`: of the audit entries, in order. `answer`: what the commit stored, or an earlier one of the same id did."""

    numbers: tuple[int, ...]
    answer: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """Nothing was written. `why`: `version` (somebody else was first), `stale`, `fence`, `durability`, `clock` (in doubt),
    `older` (processes of an older version run), `restored` (the ledger is perhaps an older copy of itself) or `rights` (this user
    of the server may take nothing out of the audit log)."""

    why: str
    keys: tuple[str, ...] = ()


class LedgerUnreachable(Exception):
    """Redis did not answer, or answered that it cannot write. Nothing is known of the last commit; its id tells."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest audit entry as this process saw it: its number, its link to all before it, and when, on the ledger's clock."""

    number: int
    link: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LostEntries:
    """The ledger answered, and has not what this process saw there before. `newest`: the number of the entry that is now its
    newest; 0 where there is none.
    """

    seen: Head
    newest: int


@dataclass(frozen=True, slots=True)
class Lease:
    """`deadline_s`: on this host's monotonic clock, taken before the lease was asked for, so it errs on the early side."""

    name: str
    number: int
    token: str
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Durability:
    """Whether what is committed survives a crash of the server. `why` is one sentence where it does not."""

    durable: bool
    mode: str
    why: str = ""


# So many ids are read at a time, and the records of as many.
WALKED_AT_ONCE = 200


class Ledger(Protocol):
    """The record, the truth. Raises LedgerUnreachable from every method when the server does not answer."""

    def now(self) -> datetime: ...
    def read(self, *keys: str, commit_id: str | None = None) -> Snapshot: ...
    def commit(self, change: Change) -> Committed | Lost: ...
    def records(self, kind: str) -> Iterator[str]:
        """The keys of all records of a kind (`request`), of `*` of every kind, in no order. Slow: for what is rare."""
        ...

    def next_id(self) -> str:
        """A fresh `PA-...`. Ids of commits that lost are not used again."""
        ...

    def raise_ids(self, least: int) -> int:
        """From now on no id up to `PA-<least>` is given out; a counter beyond it stays. Returns the last number that counts as
        given out.
        """
        ...

    def members(
        self,
        index: str,
        *,
        low: float | None = None,
        high: float | None = None,
        limit: int = 1000,
        newest: bool = False,
    ) -> Sequence[str]:
        """Members by score, ascending unless `newest`."""
        ...

    def walk(self, index: str, *, at_once: int = WALKED_AT_ONCE) -> Iterator[Sequence[str]]:
        """All members by score, so many at a time: for whatever grows with the installation, and is never held as a whole.

        Who stands there all the while comes once; who is moved meanwhile comes once or twice, or not where that was towards the
        beginning.
        """
        ...

    def count(self, index: str) -> int: ...
    def score(self, index: str, member: str) -> float | None:
        """Where `member` stands in an index; None where it does not."""
        ...

    def entries(
        self, *, after: int = 0, limit: int = 100, events: Collection[Event] | None = None
    ) -> Sequence[AuditEntry]:
        """Audit entries with a number above `after`, in order. One that cannot be read is left out, here and below.

        `events`: of these kinds alone, where there are some among so many: the others are passed over, which is cheap.
        """
        ...

    def stored_entries(self, *, after: int = 0, limit: int = 100) -> Sequence[StoredEntry]:
        """The same, as they stand there, and those among them that cannot be read."""
        ...

    def audit_state(self) -> AuditState: ...
    def audit_lists(self) -> Iterator[tuple[str, Sequence[int | None]]]:
        """Each subject with the numbers of its entries, as its own list has them; None for what is no number."""
        ...

    def entries_of(self, subject: str, *, after: int = 0) -> Sequence[AuditEntry]: ...
    def stored_entries_of(self, subjects: Sequence[str], *, after: int = 0) -> Mapping[str, Sequence[StoredEntry]]:
        """All entries about each of these subjects, as they stand there, for the price of one question."""
        ...

    def head(self) -> int:
        """The number of the newest audit entry; 0 where there is none."""
        ...

    def newest_seen(self) -> int:
        """The number of the newest audit entry that this process has seen there; 0 for none. Asks nobody."""
        ...

    def lost(self) -> LostEntries | None:
        """What this process saw there, and is there no more: the server took over without it, or holds an older copy.

        Asks nobody: each read and commit has looked. While it stands, this process gives nothing.
        """
        ...

    def trust(self) -> None:
        """The ledger is right as it is: what this process saw before is forgotten."""
        ...

    def acquire(self, name: str) -> Lease | None:
        """Take the lease for `LEASE_S`, or None where somebody holds it. Each has a number above all before it."""
        ...

    def renew(self, lease: Lease) -> Lease | None: ...
    def release(self, lease: Lease) -> None: ...
    def remind(self, item: str, after_s: float) -> None:
        """Make `item` due in `after_s` seconds, unless it is due sooner already."""
        ...

    def due_among(self, items: Sequence[str]) -> frozenset[str]:
        """Those of these items that the clock has to look at, now or later."""
        ...

    def durability(self) -> Durability: ...
    def make_durable(self, commit_id: str = "") -> bool:
        """Wait until all that this client has committed is on disk and on the replicas that are configured, and see that this
        commit is still there: another server may have taken over that has never heard of it.

        False where that cannot be had: then the call that an intent stands for is not made.
        """
        ...

    def together(self, asks: Sequence[Ask]) -> Sequence[object]:
        """What the methods of these names would answer, in as few round trips as can be. Each is as atomic as it is by itself,
        and none knows of another one. What one would raise is its answer. LedgerUnreachable is raised where nothing is known of
        any of them.
        """
        ...


# ---------------------------------------------------------------- many questions in one go


@dataclass(frozen=True, slots=True)
class Reading:
    """`Ledger.read`."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Committing:
    """`Ledger.commit`."""

    change: Change


@dataclass(frozen=True, slots=True)
class Acquiring:
    """`Ledger.acquire`."""

    name: str


@dataclass(frozen=True, slots=True)
class Renewing:
    """`Ledger.renew`."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Releasing:
    """`Ledger.release`."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class MakingDurable:
    """`Ledger.make_durable`."""

    commit_id: str


Ask = Reading | Committing | Acquiring | Renewing | Releasing | MakingDurable


def ask_one(ledger: Ledger, ask: Ask) -> object:
    """One question by itself, by the method that it is named after."""
    match ask:
        case Reading():
            return ledger.read(*ask.keys)
        case Committing():
            return ledger.commit(ask.change)
        case Acquiring():
            return ledger.acquire(ask.name)
        case Renewing():
            return ledger.renew(ask.lease)
        case Releasing():
            ledger.release(ask.lease)
            return None
        case MakingDurable():
            return ledger.make_durable(ask.commit_id)


def ask_each(ledger: Ledger, asks: Sequence[Ask]) -> list[object]:
    """As `Ledger.together`, one after the other. Raises LedgerUnreachable."""
    answers: list[object] = []
    for ask in asks:
        try:
            answers.append(ask_one(ledger, ask))
        except LedgerUnreachable:
            raise
        except Exception as problem:
            answers.append(problem)
    return answers


# Short, so that what a killed worker held is free again within seconds; a live one renews it every second.
LEASE_S = 3.0


class Due(Protocol):
    """The clock's side of the ledger: what is due, and the wake-ups for it."""

    def lead(self, token: str) -> bool:
        """Be, or stay, the one leader for `LEASE_S`."""
        ...

    def resign(self, token: str) -> None:
        """Lead no longer: whoever asks next does. Nothing where `token` does not lead."""
        ...

    def claim(self, token: str, *, limit: int = 500) -> Sequence[str]:
        """Items that are due and for which a wake-up shall be sent now; each is moved to now + 5 s in the same step.

        Empty where `token` does not lead. An item whose wake-up still waits in a queue is moved, but not returned.
        """
        ...

    def awake(self, *items: str) -> None:
        """A worker has taken the wake-up of these."""
        ...

    def waking(self, *items: str) -> Sequence[str]:
        """Note that wake-ups for these are being sent outside `claim`. Returns those of which none waits already."""
        ...


class Wake(Protocol):
    """Sends a wake-up for due items. Losing one does no harm: the clock finds the item again. Never raises."""

    def __call__(self, *items: str) -> None: ...


# Whether nobody waits for what is asked of a target now: it is time that ends access, or a look after that. Then whoever finds a
# quota used up stands in line, and people's asks go first.
IN_LINE: ContextVar[bool] = ContextVar("prodaccess_in_line", default=False)


class Buckets(Protocol):
    """Shared token buckets, by name, across all processes."""

    def take(
        self,
        name: str,
        *,
        rate: float,
        burst: float,
        amount: float = 1.0,
        reserve: float = 0.0,
        gate: str = "",
        in_line: bool = False,
    ) -> float:
        """Take `amount`. Returns 0.0, or the seconds to wait before trying again (then nothing was taken).

        `reserve`: so much has to be left over afterwards, for those who matter more. `gate`: another name; while that is blocked
        nothing is taken here. `in_line`: whoever has to wait is told a later time than those before it, so that not all come
        again at once; nothing is kept for them, and who does not stand in line goes first.
        """
        ...

    def block(self, name: str, seconds: float, *, spent: bool = False) -> None:
        """Nobody takes from `name` for so long: what the other side asked for by `Retry-After`.

        `spent`: and it is empty; it fills again from the end of a short block on, and during a long one.
        """
        ...


# ---------------------------------------------------------------- people


class Directory(Protocol):
    """What is known of people and groups: what the chat said, from a cache, through the binding of accounts to people that the
    ledger keeps. Never calls out.

    `several_chats`: people may have accounts in more than one. Only then is it kept, and looked at, where they were seen last.
    """

    several_chats: bool

    def person(self, who: Account) -> PersonFacts | None:
        """The cached facts, however old; None where the account was never looked up."""
        ...

    def of_person(self, who: PersonId) -> PersonFacts | None:
        """The facts of the account that is bound to a person; of several, of one that can act, in the chat in which they did
        last. `PersonFacts.elsewhere` names those of other chats."""
        ...

    def of_people(self, people: Iterable[PersonId]) -> Mapping[PersonId, PersonFacts]:
        """The same for many, for the price of one; without those to whom no account is bound that was ever looked up."""
        ...

    def owner_of(self, address: Address, former_domains: Mapping[str, str] = NO_DOMAINS) -> PersonId:
        """Whose an address is now. `former_domains`: the policy's."""
        ...

    def by_address(self, address: Address, former_domains: Mapping[str, str] = NO_DOMAINS) -> PersonFacts | None:
        """What somebody typed: the bound account of the person whose address this is."""
        ...

    def groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts: ...

    def saw(self, who: Account) -> None:
        """Somebody has just acted with this account: messages to them go there. Nothing is kept where there is one chat."""
        ...


class Ahead(Protocol):
    """Within an act, what is read of ledger and directory is read at one instant, in as few round trips as can be. It changes no
    answer but its age: an act is decided on what stood there when it began, and commits name the versions, as ever.
    """

    def act(self) -> AbstractContextManager[None]:
        """One act of this thread; within another one it is part of that."""
        ...

    def question(self, what: Hashable) -> AbstractContextManager[None]:
        """What is read in here answers `what`: the next act that asks it reads the same keys at once."""
        ...

    def expect(self, *questions: Hashable) -> None:
        """These will be asked in this act."""
        ...

    def answered(self, *questions: Hashable) -> None:
        """These will not be asked again in this act."""
        ...

    def expect_records(self, *keys: str, commit_id: str = "", newest_of: str = "") -> None:
        """These will be read: records, the answer of a commit, the newest member of an index and the grant that it names."""
        ...

    def forget(self) -> None:
        """What comes now is read anew: for a look that is to see what has come since the act began."""
        ...


def about_person(who: Account) -> Hashable:
    """The question that `Directory.person` answers."""
    return "person", who


def about_groups(policy: Policy, names: Iterable[str]) -> Hashable:
    """The question that `Directory.groups` answers."""
    return "groups", policy.hash, frozenset(names)


class NotAhead:
    """An `Ahead` where everything is read when it is asked for."""

    def act(self) -> AbstractContextManager[None]:
        return nullcontext()

    def question(self, what: Hashable) -> AbstractContextManager[None]:  # noqa: ARG002 - of the port
        return nullcontext()

    def expect(self, *questions: Hashable) -> None: ...

    def answered(self, *questions: Hashable) -> None: ...

    def expect_records(self, *keys: str, commit_id: str = "", newest_of: str = "") -> None: ...

    def forget(self) -> None: ...


class DirectoryStore(Directory, Protocol):
    """The cache with its writing side. A source names where a group's members come from: `slack:S0ONCALL`."""

    def people(self, accounts: Iterable[Account]) -> Mapping[Account, PersonFacts]:
        """The cached facts of many accounts, for the price of one; without those that were never looked up."""
        ...

    def put_person(self, facts: PersonFacts) -> PersonFacts:
        """Keep them, unless younger ones are known; returns those that stand."""
        ...

    def mark_stale(self, who: Account, at: datetime) -> None:
        """There is news of an account: what is known stays, and is too old for a decision. Nothing where nothing is known."""
        ...

    def put_nobody(self, address: Address) -> None:
        """The chat has just said that nobody has this address: for a while nobody counts on whoever a list means by it."""
        ...

    def forget(self, accounts: Iterable[Account], addresses: Iterable[Address]) -> None:
        """Nothing of these is known any more, until the chat says it again."""
        ...

    def put_members(self, source: str, membership: Membership) -> None: ...
    def members(self, source: str) -> Membership | None: ...


class DirectoryUnreachable(Exception):
    """Nobody could tell who somebody is; the message says whom was asked. Nothing is granted, and nothing refused, on a guess.

    `after_s`: when to ask again, where whoever was asked said so.
    """

    def __init__(self, why: str, after_s: float = 0.0) -> None:
        super().__init__(why)
        self.after_s = after_s


class OnHold(DirectoryUnreachable):
    """Somebody's account is on hold: until people have said whose it is, nobody knows. What was decided waits."""


class DirectoryRefresher(Protocol):
    """Calls out, so only workers have it. `refresh_person` raises DirectoryUnreachable; of a group that cannot be
    learnt, `Membership.problem` says why. `refresh_groups` asks for these groups alone, and hands out what is known then."""

    def refresh_person(self, who: Account, policy: Policy) -> PersonFacts: ...
    def find(self, address: Address, policy: Policy) -> PersonFacts | None:
        """The account that the chat says has this address today; None where it says nobody has. It is not yet bound to
        anybody. Raises DirectoryUnreachable where that is not known."""
        ...

    def refresh_groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts: ...
    def look_at(self, accounts: Collection[Account], policy: Policy) -> Looked:
        """What the chats say of all these accounts, for the price of few questions. What was not said is not known, and `silent`
        says why."""
        ...


# ---------------------------------------------------------------- targets


class TargetThrottled(Exception):
    """The target asked to wait. `after_s`: how long, in seconds. A changing call that raises this had no effect."""

    def __init__(self, after_s: float, what: str = "") -> None:
        super().__init__(what)
        self.after_s = after_s


class TargetInDoubt(Exception):
    """No answer: the call may or may not have had its effect, or have it later."""


class TargetRefused(Exception):
    """The target said no, and will again: `words` say what and what to do by hand. The call had no effect."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class NoCredentials(TargetRefused):
    """Nothing here leads to credentials for the target."""


class LeaseOver(Exception):
    """The lease ran out before the call was sent, so it was not."""


class SentTooLate(LeaseOver):
    """The lease lives, and the intent is too old: what is in doubt for so long would be over before the call is."""


# Called right before each attempt goes on the wire; raises LeaseOver.
BeforeSend = Callable[[], None]


# For `Target.resolve`, of whom no user is known yet.
NOT_BOUND: Mapping[str, str] = MappingProxyType({})


class Target(Protocol):
    """An adapter to a system that holds access. Reads raise TargetThrottled or TargetInDoubt; changing calls those and
    TargetRefused and LeaseOver. None of them sleeps or retries by itself.
    """

    def resolve(
        self, terms: TargetTerms, person: Address, request_id: str, bound: Mapping[str, str] = NOT_BOUND
    ) -> Resource | Refused:
        """Names to immutable ids, or why not. Nothing is changed. Names are cached.

        `bound`: the users that are theirs already, `Resource.place` -> id. Such a user is taken, whatever address it carries;
        by `person`, an address of theirs, one is looked for where there is none, or where the target itself says that it is gone.
        """
        ...

    def observe(self, resource: Resource) -> Observation:
        """Whether this very access is there now, as the target says. One call, however many grants there are."""
        ...

    def grant(self, resource: Resource, until: datetime, before_send: BeforeSend) -> Operation: ...
    def revoke(self, resource: Resource, before_send: BeforeSend) -> Operation:
        """Success where it is gone already."""
        ...

    def deny_sessions(self, resource: Resource, before: datetime, before_send: BeforeSend) -> Operation:
        """Take the access away, and have sessions that were begun before `before` denied what it gave, in one call; a `revoke`
        undoes that, too. Only where the terms' `sessions` is `DENIED`.
        """
        ...

    def poll(self, resource: Resource, operation: Operation) -> Operation:
        """How an asynchronous operation stands. Synchronous targets return it unchanged."""
        ...

    def list_managed(self, terms: TargetTerms) -> Iterable[Observation]:
        """For drift: all access of the kind that this bot manages or could have given under `terms`."""
        ...

    def whose(self, resource: Resource) -> tuple[Address, ...]:
        """For people: by which addresses the target calls the user of something that was listed. A call or none; empty where it
        says nothing. Decides nothing."""
        ...

    def activity(self, asked: Sought, place: str, window: Window, more: str = "") -> LogPage:
        """A page of the target's own log, the newest first: what was done by this person in the window. `place`: one of the
        trail's. `more`: as the page before names it.

        Raises TargetRefused, too, with why it cannot be looked up there.
        """
        ...

    @property
    def tells_ours_apart(self) -> bool:
        """Whether access given by us can be told from access that stood before (by name)."""
        ...


class LeaseRenewer(Protocol):
    """Renews leases while work goes on, every second."""

    def keep(self, lease: Lease) -> AbstractContextManager[Callable[[], Lease | None]]:
        """While the context is open the lease is renewed; the callable gives its latest form, or None once it is lost."""
        ...


class Targets(Protocol):
    def for_terms(self, terms: TargetTerms) -> Target: ...


# ---------------------------------------------------------------- the seal


class SignerUnavailable(Exception):
    """Nothing could be signed: a key that cannot be read, a service that does not answer. `words`: one sentence, no secrets."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Signer(Protocol):
    """The private half of a key: workers alone have one."""

    @property
    def public(self) -> PublicKey:
        """Raises SignerUnavailable where whoever holds the key does not answer."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Raises SignerUnavailable."""
        ...


# Public key, message, signature: whether the signature is the key's over this message. Never raises.
Verifier = Callable[[PublicKey, bytes, bytes], bool]


class WordsCipher(Protocol):
    """Hides the words of entries from whoever has not the keys of all whom they name. A key is 32 bytes. Pure."""

    def tag(self, key: bytes) -> str:
        """A name for the key, 16 hex digits, which says nothing of it."""
        ...

    def hide(self, keys: Sequence[bytes], about: bytes, words: bytes) -> bytes:
        """The same words under the same keys become the same. `about`: what they belong to."""
        ...

    def show(self, keys: Sequence[bytes], about: bytes, hidden: bytes) -> bytes | None:
        """None where they were hidden under other keys, belong to something else, or were changed."""
        ...


class ArchiveUnavailable(Exception):
    """The archive could not be reached, or refused. `words`: one sentence, no secrets. It is tried again."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class ArchiveConflict(Exception):
    """Under `name` stands something else than what should be kept there. Nothing is written over."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is in the archive already, and is not the same")
        self.name = name


class ReadableArchive(Protocol):
    """What whoever checks needs of an archive. Raises ArchiveUnavailable."""

    def get(self, name: str) -> bytes | None: ...
    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """All that begin with `prefix` and come after the name `after`, ascending."""
        ...


class Archive(ReadableArchive, Protocol):
    """Where sealed runs and heads are kept: written once, in the order of their names. Raises ArchiveUnavailable."""

    def put(self, name: str, content: bytes) -> None:
        """The same content again is fine; other content raises ArchiveConflict."""
        ...

    def problem(self) -> str:
        """Why what is kept there could be changed, or nothing be kept: one sentence; empty where all is well. Never raises."""
        ...


# ---------------------------------------------------------------- the rest


class PolicySource(Protocol):
    """This process's copy of the policy folder."""

    def current(self) -> Policy:
        """The last valid load. Raises PolicyUnavailable where there never was one."""
        ...


class Tickets(Protocol):
    """Whether tickets exist and are open. Calls out, so only workers have it."""

    def look(self, check: TicketCheck, ticket: str) -> TicketSeen:
        """Within seconds, and never raises: where nobody can tell, the state is UNKNOWN, and it says why."""
        ...


class ForgeSilent(Exception):
    """The forge gave no answer that says yes or no; the message says why, in words for people. `after_s`: when to ask again,
    where it said so.
    """

    def __init__(self, words: str, after_s: float = 0.0) -> None:
        super().__init__(words)
        self.after_s = after_s


class Forge(Protocol):
    """A forge that holds deployments back until it is told. Calls out, so only workers have it. Each raises ForgeSilent."""

    def run(self, wait: ForgeWait) -> RunSeen | None:
        """The run as it is now; None where the forge knows none of that number there."""
        ...

    def branch(self, wait: ForgeWait, seen: RunSeen) -> BranchSeen | None:
        """None where there is no branch of the run's name."""
        ...

    def authors(self, wait: ForgeWait, seen: RunSeen) -> frozenset[int]:
        """Who stands at the commit as author and committer, by number, as far as the forge knows accounts for them."""
        ...

    def went_on(self, wait: ForgeWait) -> bool:
        """Whether the deployment has begun: proof that it was let on. False: there is no sign of that, or not yet."""
        ...

    def answer(self, wait: ForgeWait, *, approved: bool, comment: str, before_send: BeforeSend) -> bool:
        """Tell it. Whether it waited for that, and has it. `before_send` is asked before each call that changes something."""
        ...


class Signatures(Protocol):
    """Reads again what a chat has signed. For workers whose chat's requests come over HTTP. `surface`: which chat, `slack`."""

    @property
    def surface(self) -> str: ...

    def read(self, act: SignedAct) -> Said | None:
        """What it says; None where no secret fits, or where it is no vote. Never raises, whatever stands there."""
        ...


@dataclass(frozen=True, slots=True)
class VouchedFor:
    """`address`: whose the caller is by a tag or the directory. `user`: as `TargetTerms.user_of` names them."""

    address: Address
    user: str


@dataclass(frozen=True, slots=True)
class NotVouched:
    """Why not, in one sentence."""

    sentence: str


class Vouching(Protocol):
    """Who stands behind a caller of a provider, looked up there each time; and whether there is a chat. For workers alone."""

    def chat_down_for_s(self) -> float | None:
        """For how many seconds no chat that is set up could be reached from here, found by asking each now; None: one answers."""
        ...

    def look_up(self, policy: Policy, caller: Caller) -> VouchedFor | NotVouched:
        """Raises DirectoryUnreachable where nobody can tell now."""
        ...


class TicketUnverified(DirectoryUnreachable):
    """Nobody can tell whether a ticket is still open, and the policy takes none of which that is not known."""


class PolicyUnavailable(Exception):
    """The folder could not be read or is not valid; the message says why in one sentence."""


class Fault(Protocol):
    """Takes an exception that should not have happened: into the log with its traceback (once, however often it comes) and
    into the count. Returns its number, which can be said: `E-7F3K2`; the same fault has the same one. Never raises.
    """

    def __call__(self, what: str, problem: BaseException, **facts: str) -> str: ...


class RandomSource(Protocol):
    """Randomness, passed in so that tests repeat."""

    def hex(self, digits: int) -> str: ...

"""Who holds something that is live, waits or begins later, and by which accounts they are known: in few reads, however many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from workflows.core import keys
from workflows.core.gates.ask import is_pipeline
from workflows.core.identity import Account, AccountId, AccountRecord, Identity, PersonId
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.lifecycle import Move, can
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Request, RequestState
from workflows.core.rules.identification import account_ids
from workflows.ports import Snapshot
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.rebuilt import grant_where_known

T = TypeVar("T")

AT_ONCE = 200
FOUND_MAX = 20_000
# A look comes every five minutes; the clock, which comes by once a minute, asks for one within so many seconds.
ASKED_WITHIN_S = 240.0
# What ends already needs nobody to end it.
_OPEN = frozenset({GrantState.ACTIVATING, GrantState.ACTIVE})
INDEXES = (keys.LIVE, keys.PENDING, keys.SCHEDULED)


@dataclass(slots=True)
class Held:
    """What one person has: grants that are open, and requests of theirs that wait for an answer or for their start."""

    name: str
    grants: list[Grant] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    @property
    def open(self) -> tuple[str, ...]:
        return tuple(sorted(grant.id for grant in self.grants))

    @property
    def waiting(self) -> tuple[str, ...]:
        return tuple(sorted(request.id for request in self.requests))

    @property
    def things(self) -> tuple[str, ...]:
        """For people: `admin in payments-prod (PA-12)`."""
        has = (f"{one.terms.role} in {one.terms.environment} ({one.id})" for one in self.grants)
        asks = (f"asks for {one.terms.role} in {one.terms.environment} ({one.id})" for one in self.requests)
        return (*sorted(has), *sorted(asks))

    @property
    def environments(self) -> tuple[str, ...]:
        terms = [*(grant.terms for grant in self.grants), *(request.terms for request in self.requests)]
        return tuple(dict.fromkeys(one.environment for one in terms))


def anybody(ctx: Context) -> bool:
    """Whether there is anything at all to look at."""
    return any(ctx.ledger.count(index) for index in INDEXES)


def ask_for_a_look(ctx: Context) -> None:
    """For the clock. While nobody holds anything nothing is put there; a look that is due sooner stays."""
    if anybody(ctx):
        ctx.ledger.remind(keys.LEAVERS, ASKED_WITHIN_S)


def holds_something(ctx: Context, who: PersonId) -> bool:
    return any(ctx.ledger.count(keys.of_person(index, who)) for index in INDEXES)


def holders(ctx: Context, only: PersonId | None = None) -> dict[PersonId, Held]:
    """Everybody who holds something, or `only` this person. A record that cannot be read hides no other one."""
    found: dict[PersonId, Held] = {}
    for grant in _grants(ctx, _members(ctx, keys.LIVE, only)):
        if grant.state in _OPEN and only in (None, grant.holder) and not is_pipeline(grant.holder):
            found.setdefault(grant.holder, Held(grant.holder_name)).grants.append(grant)
    waiting = (*_members(ctx, keys.PENDING, only), *_members(ctx, keys.SCHEDULED, only))
    for request in _requests(ctx, tuple(dict.fromkeys(waiting))):
        for who, name in _whose(request).items():
            if only in (None, who):
                found.setdefault(who, Held(name)).requests.append(request)
    return found


def _members(ctx: Context, index: str, only: PersonId | None) -> Sequence[str]:
    return ctx.ledger.members(keys.of_person(index, only) if only else index, limit=FOUND_MAX)


def _whose(request: Request) -> dict[PersonId, str]:
    """Whom it closes with: who would have it; and who asked, as long as nobody has decided. What was agreed to for somebody else
    is that person's."""
    if not can(request.state, Move.DENY) or request.gate is not None:
        # A pipeline is nobody who could leave.
        return {}
    asked = {request.requester: request.requester_name} if request.state is RequestState.PENDING else {}
    return {**asked, request.holder: request.holder_name}


def _grants(ctx: Context, ids: Sequence[str]) -> Iterator[Grant]:
    for part in _parts(ids):
        snapshot = ctx.ledger.read(*map(keys.grant, part))
        yield from (grant for id_ in part if (grant := grant_where_known(ctx, snapshot, id_)) is not None)


def _requests(ctx: Context, ids: Sequence[str]) -> Iterator[Request]:
    for part in _parts(ids):
        snapshot = ctx.ledger.read(*map(keys.request, part))
        found = (snapshot.readable(keys.request(id_), Request) for id_ in part)
        yield from (request for request in found if request is not None)


def _parts(items: Iterable[T]) -> Iterator[list[T]]:
    left = iter(items)
    while part := list(islice(left, AT_ONCE)):
        yield part


# ---------------------------------------------------------------- by which accounts they are known


def accounts_of(ctx: Context, people: Iterable[PersonId]) -> dict[PersonId, tuple[AccountRecord, ...]]:
    """The accounts that are bound to each of them now."""
    wanted = list(dict.fromkeys(people))
    named: dict[PersonId, tuple[AccountId, ...]] = {}
    for part in _parts(wanted):
        snapshot = ctx.ledger.read(*(name for who in part for name in (keys.identity(who), keys.person(who))))
        named |= {who: _named(snapshot, who) for who in part}
    records: dict[AccountId, AccountRecord] = {}
    for names in _parts(dict.fromkeys(name for accounts in named.values() for name in accounts)):
        snapshot = ctx.ledger.read(*map(keys.account, names))
        read = {name: snapshot.readable(keys.account(name), AccountRecord) for name in names}
        records |= {name: record for name, record in read.items() if record is not None}
    return {
        who: tuple(records[name] for name in accounts if name in records and records[name].person == who)
        for who, accounts in named.items()
    }


def _named(snapshot: Snapshot, who: PersonId) -> tuple[AccountId, ...]:
    identity = snapshot.readable(keys.identity(who), Identity)
    legacy = snapshot.readable(keys.person(who), PersonRecord)
    return account_ids(identity, legacy)


def chats(bound: Mapping[PersonId, tuple[AccountRecord, ...]]) -> list[Account]:
    return list(dict.fromkeys(record.slack for records in bound.values() for record in records))

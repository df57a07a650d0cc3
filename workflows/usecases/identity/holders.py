"""Who holds something that is live, waits or begins later, and by which accounts they are known: a part at a time."""

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
# A look comes every five minutes; the clock, which comes by once a minute, asks for one within so many seconds.
ASKED_WITHIN_S = 240.0
# What ends already needs nobody to end it.
_OPEN = frozenset({GrantState.ACTIVATING, GrantState.ACTIVE})
WAITING = (keys.PENDING, keys.SCHEDULED)
INDEXES = (keys.LIVE, *WAITING)


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


def holders(ctx: Context) -> dict[PersonId, str]:
    """Everybody who holds something, and what they are called. A record that cannot be read hides no other one.

    Not what they hold: that is more than fits into a process. See `held_by`.
    """
    found: dict[PersonId, str] = {}
    for grant in open_grants(ctx):
        found.setdefault(grant.holder, grant.holder_name)
    for index in WAITING:
        for request in _walked(ctx, index):
            for who, name in _whose(request).items():
                found.setdefault(who, name)
    return found


def held_by(ctx: Context, who: PersonId, name: str) -> Held:
    """What one person has; `name`: as `holders` has it."""
    grants = (grant for part in ctx.ledger.walk(keys.of_person(keys.LIVE, who)) for grant in _grants(ctx, part))
    held = Held(name, [grant for grant in grants if _is_held(grant) and grant.holder == who])
    asked = (request for index in WAITING for request in _walked(ctx, keys.of_person(index, who)))
    held.requests += {request.id: request for request in asked if who in _whose(request)}.values()
    return held


def open_grants(ctx: Context) -> Iterator[Grant]:
    """All that people hold, a part at a time."""
    for part in ctx.ledger.walk(keys.LIVE):
        yield from filter(_is_held, _grants(ctx, part))


def grants_of(ctx: Context, ids: Iterable[str]) -> Iterator[Grant]:
    """Those of these that people hold."""
    for part in _parts(ids):
        yield from filter(_is_held, _grants(ctx, part))


def _is_held(grant: Grant) -> bool:
    return grant.state in _OPEN and not is_pipeline(grant.holder)


def _walked(ctx: Context, index: str) -> Iterator[Request]:
    for part in ctx.ledger.walk(index):
        yield from _requests(ctx, part)


def _whose(request: Request) -> dict[PersonId, str]:
    """Whom it closes with: who would have it; and who asked, as long as nobody has decided. What was agreed to for somebody else
    is that person's."""
    if not can(request.state, Move.DENY) or request.gate is not None:
        # A pipeline is nobody who could leave.
        return {}
    asked = {request.requester: request.requester_name} if request.state is RequestState.PENDING else {}
    return {**asked, request.holder: request.holder_name}


def _grants(ctx: Context, ids: Sequence[str]) -> Iterator[Grant]:
    """So many as were read at a time."""
    snapshot = ctx.ledger.read(*map(keys.grant, ids))
    yield from (grant for id_ in ids if (grant := grant_where_known(ctx, snapshot, id_)) is not None)


def _requests(ctx: Context, ids: Sequence[str]) -> Iterator[Request]:
    snapshot = ctx.ledger.read(*map(keys.request, ids))
    found = (snapshot.readable(keys.request(id_), Request) for id_ in ids)
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

"""Grants that are active already, written straight into the ledger: what a life of asking and approving would have left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice, product

from bench.place import DEVELOPERS, Place, person
from bot.monotonic import monotonic_s
from bot.sandbox.aws.spec import WorldSpec
from tests.support.installation import CASES, GENERAL, PEOPLE, account_of, aws_world, case_name
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.people import Account, PersonId
from workflows.core.policy import Policy
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.holding import Baseline, Holding
from workflows.core.records.record import Record
from workflows.core.records.request import Decision, DecisionKind, Origin, Request, RequestState, Slot
from workflows.core.records.target import Resource
from workflows.core.rules.grant_terms import approve, grant_for, held, terms_for, warning_at
from workflows.ledger.redis_ledger import RedisLedger
from workflows.policy_file import PolicyFolder
from workflows.ports import Change, Committed, IndexEntry

ROLES = ("read-only", "admin")
# Every tenth environment has no approvals channel.
PLACES = [number for number in range(CASES) if number % 10 != 9]
# So many grants are written in one commit.
BATCH = 50


@dataclass(frozen=True)
class Filled:
    """One active grant with all that stands behind it."""

    request: Request
    grant: Grant
    holding: Holding


def fill(
    at: Place,
    count: int,
    deadline: Callable[[int], datetime],
    *,
    at_aws: bool = True,
    spread: bool = False,
    first: int = 0,
) -> list[Filled]:
    """So many active grants, each another person's, environment's or role's: developers of the crowd, as many as are needed.

    `spread`: everybody of the crowd has about as many, else the first have as many as there can be. `first`: so many are there.
    """
    policy = PolicyFolder(at.config, monotonic=monotonic_s).current()
    chosen = islice(enumerate(_spread() if spread else everything()), first, first + count)
    found = written(at.ledger(), policy, chosen, deadline, at.slack.app.team_id)
    for item in found if at_aws else ():
        terms = item.grant.terms.target
        at.aws.world.assign(item.grant.holder, str(terms.permission_set), str(terms.account))
    return found


def written(
    ledger: RedisLedger,
    policy: Policy,
    chosen: Iterable[tuple[int, tuple[str, int, str]]],
    deadline: Callable[[int], datetime],
    team: str,
) -> list[Filled]:
    """`chosen`: a number, and whose grant it is, in which place and role."""
    now, world = ledger.now(), aws_world()
    found = [_one(policy, world, now, n, who, place, role, deadline(n), team) for n, (who, place, role) in chosen]
    for start in range(0, len(found), BATCH):
        _write(ledger, found[start : start + BATCH])
    return found


def developers_for(count: int) -> int:
    """How many developers the crowd must have for so many grants."""
    return count // (len(PLACES) * len(ROLES)) + 1


def everything() -> Iterator[tuple[str, int, str]]:
    number = 0
    while True:
        for role in ROLES:
            for place in PLACES:
                yield person(DEVELOPERS, number), place, role
        number += 1


def _spread() -> Iterator[tuple[str, int, str]]:
    people = sum(name.startswith(DEVELOPERS) for name in PEOPLE)
    for turn, role in product(range(len(PLACES)), ROLES):
        for number in range(people):
            yield person(DEVELOPERS, number), PLACES[(turn + number) % len(PLACES)], role


def _one(
    policy: Policy,
    world: WorldSpec,
    now: datetime,
    n: int,
    who: str,
    place: int,
    role: str,
    deadline: datetime,
    team: str,
) -> Filled:
    holder, account = PersonId(f"{who}@example.com"), Account("slack", team, PEOPLE[who])
    entitlement = policy.environments[case_name(place)].roles[role]
    made = now - timedelta(minutes=10)
    terms = terms_for(entitlement, holder, deadline - made)
    ids = {
        "instance": world.instance_arn,
        "account": account_of(place),
        "permission_set": world.permission_set_arn(str(terms.target.permission_set)),
        "user": world.user_id(holder),
    }
    resource = Resource(
        terms.target.kind, terms.target, ids, f"{terms.target.permission_set} in account {account_of(place)}", 3600
    )
    asked = Request(
        id=f"PA-{500_000 + n}",
        requester=holder,
        requester_name=who,
        requester_slack=account,
        holder=holder,
        holder_name=who,
        terms=terms,
        reason="INC-42 checkout errors since the deploy of 14:05",
        state=RequestState.PENDING,
        created_at=made,
        expires_at=made + timedelta(hours=1),
        policy_hash=policy.hash,
        origin=Origin(team, GENERAL, "general"),
        ticket="INC-42",
        resource=resource,
    )
    olu = PersonId("olu@example.com")
    decision = Decision(DecisionKind.APPROVAL, made + timedelta(seconds=30), policy.hash, by=(olu,), by_names=("Olu",))
    request = approve(asked, decision)
    given = replace(
        grant_for(request, decision),
        state=GrantState.ACTIVE,
        deadline=deadline,
        activated_at=made + timedelta(seconds=31),
    )
    holding = replace(held(None, given), baseline=Baseline.ABSENT, ours=True)
    return Filled(request, given, holding)


# ---------------------------------------------------------------- writing


def _write(ledger: RedisLedger, found: Sequence[Filled]) -> None:
    """Through the ledger's own commit, so that records, due items and indexes are what they would be."""
    now = ledger.now()
    puts: dict[str, Record] = {}
    due: dict[str, datetime | None] = {}
    index: list[IndexEntry] = []
    audit: list[AuditEvent] = []
    for item in found:
        request, grant = item.request, item.grant
        puts[keys.request(request.id)] = request
        puts[keys.grant(grant.id)] = grant
        puts[keys.holding(grant.holding)] = item.holding
        puts[keys.slot(request.slot)] = Slot(request.slot, request.id)
        puts[keys.chat(request.id)] = _shown(item)
        due[keys.end_due(grant.id)] = grant.deadline
        due[keys.holding(grant.holding)] = grant.deadline
        warning = warning_at(grant)
        due |= {keys.warn_due(grant.id): warning} if warning and warning > now else {}
        index += _entries(item)
        audit += [
            AuditEvent(
                kind, request.id, now, f"{n:032x}", "0" * 32, {"terms": request.terms.hash}, {"actor": request.holder}
            )
            for n, kind in enumerate((Event.REQUEST_MADE, Event.REQUEST_APPROVED, Event.GRANT_ACTIVE))
        ]
    change = Change(
        commit_id=f"bench:{found[0].grant.id}:{now.timestamp()}",
        at=now,
        reads=dict.fromkeys(puts, 0),
        puts=puts,
        due=due,
        index=tuple(index),
        audit=tuple(audit),
    )
    if not isinstance(ledger.commit(change), Committed):
        raise SystemExit("the ledger was not filled: was it empty?")


def _entries(item: Filled) -> list[IndexEntry]:
    request, grant = item.request, item.grant
    environment = request.terms.environment
    live = keys.places(keys.LIVE, environment=environment, person_id=grant.holder)
    made = keys.places(keys.RECENT, environment=environment, person_id=grant.holder)
    return [
        *(IndexEntry(name, grant.id, grant.deadline.timestamp()) for name in live),
        *(IndexEntry(name, grant.id, request.created_at.timestamp()) for name in made),
    ]


def _shown(item: Filled) -> ChatRecord:
    """The messages that such a grant has by then; the stand-in does not have them, and nothing edits them while it lives."""
    environment = item.request.terms.environment
    channel = f"C0SHOP{environment.split('-')[1]}"
    slots = {
        f"card:{channel}": channel,
        "receipts:C0RECEIPTS": "C0RECEIPTS",
        f"holder:{item.request.requester_slack.user}": channel,
    }
    return ChatRecord(
        item.request.id, {slot: Posting(place, ts="1.000001", posted_channel=place) for slot, place in slots.items()}
    )

"""The panic switch: all access of one person, or in one environment, is taken back, and what they asked for is closed.

The press is one commit: what it is for, who pressed, and the block on new asks. A worker does the rest, and looks again until
a look finds nothing: an approval that won its race against the press is caught, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.identity import Identity
from workflows.core.people import Account, PersonFacts, PersonId
from workflows.core.policy import Policy
from workflows.core.records.grant import CLOSED, End, EndCause, Grant, GrantState
from workflows.core.records.lifecycle import Move, can
from workflows.core.records.oversight import BulkRevocation
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Closing, Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import clean, text_problem
from workflows.core.rules.grant_terms import close
from workflows.core.rules.groups import person_problem
from workflows.ports import Change, Snapshot
from workflows.usecases.revocation.end import take_back
from workflows.usecases.shared.actor import Actor, is_bound, known, not_theirs
from workflows.usecases.shared.closing import closing_change, keys_of
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run
from workflows.usecases.shared.due_items import take_off
from workflows.usecases.shared.rebuilt import grant_where_known

SUBJECT = "sweepout-"
# A worker's job is short: so many at a time, and at once again while there are more.
AT_ONCE = 100
FOUND_MAX = 20_000
LOOK_AGAIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class RevocationScope:
    """What shall be taken back: everything of a person, or everything in an environment. One of the two."""

    person: PersonId | None = None
    person_name: str = ""
    environment: str | None = None


def aim_at(ctx: Context, account: PersonFacts) -> RevocationScope:
    """Everything of whoever has this account. One that is nobody's yet has nothing: whom it claims to be is meant, so that a
    new account under somebody's address keeps nothing of theirs out of reach."""
    claims = account.suspended.claims if account.suspended is not None and not is_bound(account) else None
    if claims is None:
        return RevocationScope(account.id, account.name)
    known_ = ctx.directory.of_person(claims)
    return RevocationScope(claims, known_.name if known_ is not None else account.name)


@dataclass(frozen=True, slots=True)
class EffectiveScope:
    """What an actor's press reaches: in these environments (None: everywhere), and how long new asks are kept out after it."""

    environments: tuple[str, ...] | None
    block: timedelta | None


def revoke_all(ctx: Context, aim: RevocationScope, who: Account, reason: str, commit_id: str) -> Outcome | Refused:
    """Press the switch. `Outcome.outcome`: `sweeping`; its id names the sweepout."""
    problem = text_problem(reason, {"what": "revoke-all"})
    if problem:
        return problem
    actor = known(ctx, who, groups_that_may, on_hold=True)
    if isinstance(actor, Refused):
        return actor
    return run(ctx, lambda: _once(ctx, actor, aim, clean(reason), commit_id))


def groups_that_may(policy: Policy) -> tuple[str, ...]:
    owners = (name for place in policy.environments.values() for name in place.owners)
    return tuple(dict.fromkeys([*owners, *_panic(policy)]))


def may_revoke_all(actor: Actor, aim: RevocationScope) -> EffectiveScope | Refused:
    """The panic group reaches everything; owners reach the environments that they own."""
    problem = person_problem(actor.person)
    if problem:
        return problem
    policy, me = actor.policy, actor.person.id
    if actor.groups.surely(me, _panic(policy)):
        return EffectiveScope(
            (aim.environment,) if aim.environment else None, policy.panic_block if aim.person else None
        )
    own = tuple(place.name for place in policy.environments.values() if actor.groups.surely(me, place.owners))
    reached = tuple(name for name in own if aim.environment in (None, name))
    if reached:
        return EffectiveScope(reached, None)
    unknown = actor.groups.unknown((*_panic(policy), *_owners(policy, aim)))
    if unknown:
        return actor.groups.not_known(unknown)
    place = policy.environments.get(aim.environment or "")
    names = (*(place.owners if place else ()), *_panic(policy))
    return Refused(Code.NOT_YOURS, {"groups": ", ".join(names)})


def _owners(policy: Policy, aim: RevocationScope) -> tuple[str, ...]:
    """Whose press could reach this."""
    places = (place for place in policy.environments.values() if aim.environment in (None, place.name))
    return tuple(dict.fromkeys(name for place in places for name in place.owners))


def _panic(policy: Policy) -> tuple[str, ...]:
    return (policy.panic_group,) if policy.panic_group else ()


def in_reach(ctx: Context, aim: RevocationScope, reach: EffectiveScope) -> tuple[str, ...]:
    """Ids of everything that is live, pending or scheduled there now."""
    people = _meant(ctx, aim.person)
    found = _members(ctx, people, reach.environments)
    return tuple(open_.id for open_ in _open(ctx, found) if _hit(open_, people, reach))


def _meant(ctx: Context, person: PersonId | None) -> tuple[PersonId, ...]:
    """The person, and whoever was closed for them: who takes back everything under an address leaves nothing open there. Empty
    where an environment is meant."""
    found: dict[PersonId, None] = {}
    while person is not None and person not in found:
        item = keys.identity(person)
        # What cannot be read leads to nobody; the person's own is taken back all the same.
        known_ = ctx.ledger.read(item).readable(item, Identity)
        if not found or (known_ is not None and known_.closed_at is not None):
            found[person] = None
        person = known_.before if known_ is not None else None
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Open:
    """One ask with what came of it, as far as both can be read: one of them is there."""

    id: str
    request: Request | None
    grant: Grant | None

    @property
    def asked_at(self) -> datetime:
        if self.request is not None:
            return self.request.created_at
        return self.grant.decision.at if self.grant else datetime.min.replace(tzinfo=UTC)


def _open(ctx: Context, ids: Sequence[str]) -> Iterator[_Open]:
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        snapshot = ctx.ledger.read(*(name for id_ in part for name in (keys.request(id_), keys.grant(id_))))
        for id_ in part:
            request, grant = snapshot.readable(keys.request(id_), Request), grant_where_known(ctx, snapshot, id_)
            if request is not None or grant is not None:
                yield _Open(id_, request, grant)


def _hit(found: _Open, people: tuple[PersonId, ...], reach: EffectiveScope) -> bool:
    # What somebody has whom the person merely asked for is not the person's.
    asking = found.request is not None and found.request.decision is None and found.request.requester in people
    of = found.request or found.grant
    of_person = not people or (of is not None and of.holder in people) or asking
    where = of.terms.environment if of is not None else ""
    return of_person and (reach.environments is None or where in reach.environments)


def _members(ctx: Context, people: tuple[PersonId, ...], environments: Iterable[str] | None) -> tuple[str, ...]:
    indexes = (keys.LIVE, keys.PENDING, keys.SCHEDULED)
    if people:
        names = [keys.of_person(index, person) for index in indexes for person in people]
    elif environments is not None:
        names = [keys.of_environment(index, name) for index in indexes for name in environments]
    else:
        names = list(indexes)
    return tuple(dict.fromkeys(id_ for name in names for id_ in ctx.ledger.members(name, limit=FOUND_MAX)))


def _once(
    ctx: Context, actor: Actor, aim: RevocationScope, reason: str, commit_id: str
) -> CommitAttempt | Outcome | Refused:
    whom = keys.person(aim.person) if aim.person else None
    snapshot = ctx.ledger.read(*filter(None, (keys.ACTIVE_POLICY, actor.record, whom)), commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    reach = may_revoke_all(actor, aim)
    refusal = not_theirs(snapshot, actor, on_hold=True) or not_in_force(snapshot, actor.policy)
    if isinstance(reach, Refused):
        return reach
    if refusal:
        return refusal
    if reach.block is None and not in_reach(ctx, aim, reach):
        return nothing_there(aim)
    return _started(ctx, actor, aim, reach, reason, snapshot, commit_id)


def nothing_there(aim: RevocationScope) -> Refused:
    return Refused(Code.NOTHING_TO_REVOKE, {"name": aim.person_name or aim.environment or ""}, audited=False)


def _started(
    ctx: Context,
    actor: Actor,
    aim: RevocationScope,
    reach: EffectiveScope,
    reason: str,
    snapshot: Snapshot,
    commit_id: str,
) -> CommitAttempt:
    now, me = snapshot.now, actor.person
    sweepout = BulkRevocation(
        id=ctx.chance.hex(12),
        by=me.id,
        by_name=me.name,
        by_slack=me.slack,
        at=now,
        reason=reason,
        person=aim.person,
        person_name=aim.person_name or None,
        environments=reach.environments,
        blocked_until=now + reach.block if reach.block else None,
    )
    item, subject = keys.sweepout(sweepout.id), SUBJECT + sweepout.id
    done = Outcome(sweepout.id, "sweeping")
    blocked = _blocked(snapshot, sweepout)
    facts = {
        "of": "person" if aim.person else "environment",
        "environments": "all" if reach.environments is None else ",".join(reach.environments),
        "blocked_until": sweepout.blocked_until.isoformat() if sweepout.blocked_until else "",
        "policy": actor.policy.hash[:12],
    }
    private = {"actor": me.id, "actor_name": me.name, "person": aim.person or "", "reason": reason}
    change = Change(
        commit_id=commit_id,
        at=now,
        reads={**snapshot.versions(), item: 0},
        puts={item: sweepout, **blocked},
        due={item: now + SOON, keys.chat(subject): now + SOON},
        audit=(event(ctx, Event.SWEEPOUT_STARTED, subject, snapshot, facts, private),),
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(item, keys.chat(subject)))


def _blocked(snapshot: Snapshot, sweepout: BulkRevocation) -> dict[str, PersonRecord]:
    if sweepout.person is None or sweepout.blocked_until is None:
        return {}
    item = keys.person(sweepout.person)
    if snapshot.items[item].problem:
        # Whose record cannot be read may ask for nothing anyway, and what else it says is not lost.
        return {}
    record = snapshot.get(item, PersonRecord) or PersonRecord(sweepout.person, sweepout.person_name or "")
    why = f"{sweepout.by_name} took back everything"
    return {item: replace(record, blocked_until=sweepout.blocked_until, blocked_why=why)}


# ---------------------------------------------------------------- a worker's part


def sweep_out(ctx: Context, id_: str) -> None:
    """Take back what is still open in its reach, and look again soon; finished when a look finds nothing. May run twice."""
    item = keys.sweepout(id_)
    sweepout = ctx.ledger.read(item).get(item, BulkRevocation)
    if sweepout is None or sweepout.finished_at is not None:
        take_off(ctx, item, item)
        return
    left = _left(ctx, sweepout)
    fresh = tuple(islice((found for found in left if _take(ctx, sweepout, found)), AT_ONCE))
    run(ctx, lambda: _note(ctx, id_, tuple(found.id for found in fresh), finished=not left))


def _left(ctx: Context, sweepout: BulkRevocation) -> list[_Open]:
    """What is in reach and not over, that was asked for before the press. What is asked later is decided by people who know."""
    reach = EffectiveScope(sweepout.environments, None)
    people = _meant(ctx, sweepout.person)
    ids = _members(ctx, people, sweepout.environments)
    return [
        found
        for found in _open(ctx, ids)
        if found.asked_at <= sweepout.at and _hit(found, people, reach) and _is_open(found)
    ]


def _is_open(found: _Open) -> bool:
    if found.grant is not None:
        return found.grant.state not in CLOSED
    return found.request is not None and can(found.request.state, Move.DENY)


def _take(ctx: Context, sweepout: BulkRevocation, found: _Open) -> bool:
    """Begin the end of one grant, or close one request. False where it has begun already."""
    grant = found.grant
    if found.id in sweepout.taken and (grant is None or grant.state is GrantState.REVOKING):
        return False
    commit_id = f"sweepout:{sweepout.id}:{found.id}:{'grant' if grant else 'request'}"
    if grant is None:
        run(ctx, lambda: _close(ctx, sweepout, found.id, commit_id))
    elif grant.state is not GrantState.REVOKING:
        end = End(EndCause.REVOKED, ctx.ledger.now(), sweepout.by, sweepout.by_name, sweepout.reason)
        take_back(ctx, grant.id, end, commit_id)
    return True


def _close(ctx: Context, sweepout: BulkRevocation, id_: str, commit_id: str) -> CommitAttempt | Outcome:
    first = ctx.ledger.read(keys.request(id_)).get(keys.request(id_), Request)
    if first is None:
        return Outcome(id_, "overtaken")
    snapshot = ctx.ledger.read(*keys_of(first))
    request = snapshot.get(keys.request(id_), Request)
    if request is None or not can(request.state, Move.DENY):
        return Outcome(id_, "overtaken")
    over = close(request, Move.DENY, Closing(snapshot.now, sweepout.by, sweepout.by_name, sweepout.reason))
    private = {"actor": sweepout.by, "actor_name": sweepout.by_name, "reason": sweepout.reason}
    entry = event(ctx, Event.REQUEST_DENIED, id_, snapshot, {"sweepout": sweepout.id}, private)
    done = Outcome(id_, "denied")
    return CommitAttempt(closing_change(snapshot, over, commit_id, (entry,), done.answer), done, wake=(keys.chat(id_),))


def _note(ctx: Context, id_: str, fresh: tuple[str, ...], *, finished: bool) -> CommitAttempt | Outcome:
    item, subject = keys.sweepout(id_), keys.chat(SUBJECT + id_)
    snapshot = ctx.ledger.read(item)
    before = snapshot.get(item, BulkRevocation)
    if before is None or before.finished_at is not None:
        return Outcome(id_, "overtaken")
    now = snapshot.now
    taken = tuple(dict.fromkeys((*before.taken, *fresh)))
    after = replace(before, taken=taken, finished_at=now if finished else None)
    facts = {"taken": str(len(taken))}
    again: datetime | None = None if finished else now + LOOK_AGAIN
    done = Outcome(id_, "finished" if finished else "sweeping")
    change = Change(
        commit_id=f"swept:{item}:{snapshot.items[item].version}",
        at=now,
        reads=snapshot.versions(),
        # Written each time, so that the version, and with it the commit's id, is another one at the next look.
        puts={item: after},
        # What is there is shown again at each look: grants close between two of them.
        due={item: again, subject: now + SOON},
        audit=(event(ctx, Event.SWEEPOUT_FINISHED, SUBJECT + id_, snapshot, facts),) if finished else (),
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(subject,))

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
from workflows.core.gates.events import as_told
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
from workflows.usecases.shared.actor import Actor, is_bound, known, not_theirs
from workflows.usecases.shared.closing import closing_change, keys_of
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run
from workflows.usecases.shared.due_items import take_off
from workflows.usecases.shared.emergencies import barred_by_taking_back
from workflows.usecases.shared.gate_release import calling_off, can_be_called_off
from workflows.usecases.shared.limits import kept_out
from workflows.usecases.shared.rebuilt import grant_where_known
from workflows.usecases.shared.take_back import take_back

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


def revoke_all(ctx: Context, scope: RevocationScope, who: Account, reason: str, commit_id: str) -> Outcome | Refused:
    """Press the switch. `Outcome.outcome`: `sweeping`; its id names the bulk revocation."""
    problem = text_problem(reason, {"what": "revoke-all"})
    if problem:
        return problem
    actor = known(ctx, who, groups_that_may, on_hold=True)
    if isinstance(actor, Refused):
        return actor
    return run(ctx, lambda: _once(ctx, actor, scope, clean(reason), commit_id))


def groups_that_may(policy: Policy) -> tuple[str, ...]:
    owners = (name for place in policy.environments.values() for name in place.owners)
    return tuple(dict.fromkeys([*owners, *policy.security]))


def may_revoke_all(actor: Actor, scope: RevocationScope) -> EffectiveScope | Refused:
    """The panic group reaches everything; owners reach the environments that they own."""
    problem = person_problem(actor.person)
    if problem:
        return problem
    policy, me = actor.policy, actor.person.id
    if actor.groups.surely(me, policy.security):
        return EffectiveScope(
            (scope.environment,) if scope.environment else None, policy.panic_block if scope.person else None
        )
    own = tuple(place.name for place in policy.environments.values() if actor.groups.surely(me, place.owners))
    reached = tuple(name for name in own if scope.environment in (None, name))
    if reached:
        return EffectiveScope(reached, None)
    unknown = actor.groups.unknown((*policy.security, *_owners(policy, scope)))
    if unknown:
        return actor.groups.not_known(unknown)
    place = policy.environments.get(scope.environment or "")
    names = (*(place.owners if place else ()), *policy.security)
    return Refused(Code.NOT_YOURS, {"groups": ", ".join(names)})


def _owners(policy: Policy, scope: RevocationScope) -> tuple[str, ...]:
    """Whose press could reach this."""
    places = (place for place in policy.environments.values() if scope.environment in (None, place.name))
    return tuple(dict.fromkeys(name for place in places for name in place.owners))


def in_reach(ctx: Context, scope: RevocationScope, effective_scope: EffectiveScope) -> tuple[str, ...]:
    """Ids of everything that is live, pending or scheduled there now."""
    people = _meant(ctx, scope.person)
    found = _members(ctx, people, effective_scope.environments)
    return tuple(open_.id for open_ in _open(ctx, found) if _hit(open_, people, effective_scope))


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


def _hit(found: _Open, people: tuple[PersonId, ...], effective_scope: EffectiveScope) -> bool:
    of = found.request or found.grant
    where = of.terms.environment if of is not None else ""
    of_person = not people or _is_theirs(found, people)
    return of_person and (effective_scope.environments is None or where in effective_scope.environments)


def _is_theirs(found: _Open, people: tuple[PersonId, ...]) -> bool:
    request = found.request
    # What somebody has whom the person merely asked for is not the person's.
    asking = request is not None and request.decision is None and request.requester in people
    # A pipeline's run is nobody's, and who began it answers for it; or opened its gate.
    answer = request.gate.answerable if request is not None and request.gate is not None else ()
    of = request or found.grant
    return (of is not None and of.holder in people) or asking or not set(people).isdisjoint(answer)


def _members(ctx: Context, people: tuple[PersonId, ...], environments: Iterable[str] | None) -> tuple[str, ...]:
    indexes = (keys.LIVE, keys.PENDING, keys.SCHEDULED)
    if people:
        # Runs that one of them began wait under their pipeline's name, wherever they may go on.
        waiting = (keys.PENDING, keys.SCHEDULED)
        runs = [name for index in waiting for name in _all_of(index, environments)]
        names = [*(keys.of_person(index, person) for index in indexes for person in people), *runs, keys.RUNS]
    else:
        names = [*(name for index in indexes for name in _all_of(index, environments)), keys.RUNS]
    return tuple(dict.fromkeys(id_ for name in names for id_ in ctx.ledger.members(name, limit=FOUND_MAX)))


def _all_of(index: str, environments: Iterable[str] | None) -> list[str]:
    return [index] if environments is None else [keys.of_environment(index, name) for name in environments]


def _once(
    ctx: Context, actor: Actor, scope: RevocationScope, reason: str, commit_id: str
) -> CommitAttempt | Outcome | Refused:
    whom = keys.person(scope.person) if scope.person else None
    snapshot = ctx.ledger.read(*filter(None, (keys.ACTIVE_POLICY, actor.record, whom)), commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    effective_scope = may_revoke_all(actor, scope)
    refusal = not_theirs(snapshot, actor, on_hold=True) or not_in_force(snapshot, actor.policy)
    if isinstance(effective_scope, Refused):
        return effective_scope
    if refusal:
        return refusal
    if effective_scope.block is None and not in_reach(ctx, scope, effective_scope):
        return nothing_there(scope)
    return _started(ctx, actor, scope, effective_scope, reason, snapshot, commit_id)


def nothing_there(scope: RevocationScope) -> Refused:
    return Refused(Code.NOTHING_TO_REVOKE, {"name": scope.person_name or scope.environment or ""}, audited=False)


def _started(
    ctx: Context,
    actor: Actor,
    scope: RevocationScope,
    effective_scope: EffectiveScope,
    reason: str,
    snapshot: Snapshot,
    commit_id: str,
) -> CommitAttempt:
    now, me = snapshot.now, actor.person
    bulk_revocation = BulkRevocation(
        id=ctx.chance.hex(12),
        by=me.id,
        by_name=me.name,
        by_slack=me.slack,
        at=now,
        reason=reason,
        person=scope.person,
        person_name=scope.person_name or None,
        environments=effective_scope.environments,
        blocked_until=now + effective_scope.block if effective_scope.block else None,
    )
    item, subject = keys.bulk_revocation(bulk_revocation.id), SUBJECT + bulk_revocation.id
    done = Outcome(bulk_revocation.id, "sweeping")
    blocked = _blocked(snapshot, bulk_revocation)
    facts = {
        "of": "person" if scope.person else "environment",
        "environments": "all" if effective_scope.environments is None else ",".join(effective_scope.environments),
        "blocked_until": bulk_revocation.blocked_until.isoformat() if bulk_revocation.blocked_until else "",
        "policy": actor.policy.hash[:12],
    }
    private = {"actor": me.id, "actor_name": me.name, "person": scope.person or "", "reason": reason}
    change = Change(
        commit_id=commit_id,
        at=now,
        reads={**snapshot.versions(), item: 0},
        puts={item: bulk_revocation, **blocked},
        due={item: now + SOON, keys.chat(subject): now + SOON},
        index=tuple(kept_out(one, now) for one in blocked.values()),
        audit=(event(ctx, Event.BULK_REVOCATION_STARTED, subject, snapshot, facts, private),),
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(item, keys.chat(subject)))


def _blocked(snapshot: Snapshot, bulk_revocation: BulkRevocation) -> dict[str, PersonRecord]:
    if bulk_revocation.person is None or bulk_revocation.blocked_until is None:
        return {}
    item = keys.person(bulk_revocation.person)
    if snapshot.items[item].problem:
        # Whose record cannot be read may ask for nothing anyway, and what else it says is not lost.
        return {}
    record = snapshot.get(item, PersonRecord) or PersonRecord(bulk_revocation.person, bulk_revocation.person_name or "")
    why = f"{bulk_revocation.by_name} revoked everything"
    return {item: replace(record, blocked_until=bulk_revocation.blocked_until, blocked_why=why)}


# ---------------------------------------------------------------- a worker's part


def carry_out_revocation(ctx: Context, id_: str) -> None:
    """Take back what is still open in its reach, and look again soon; finished when a look finds nothing. May run twice."""
    item = keys.bulk_revocation(id_)
    bulk_revocation = ctx.ledger.read(item).get(item, BulkRevocation)
    if bulk_revocation is None or bulk_revocation.finished_at is not None:
        take_off(ctx, item, item)
        return
    left = _left(ctx, bulk_revocation)
    fresh = tuple(islice((found for found in left if _take(ctx, bulk_revocation, found)), AT_ONCE))
    run(ctx, lambda: _note(ctx, id_, tuple(found.id for found in fresh), finished=not left))


def _left(ctx: Context, bulk_revocation: BulkRevocation) -> list[_Open]:
    """What is in reach and not over, that was asked for before the press. What is asked later is decided by people who know."""
    effective_scope = EffectiveScope(bulk_revocation.environments, None)
    people = _meant(ctx, bulk_revocation.person)
    ids = _members(ctx, people, bulk_revocation.environments)
    return [
        found
        for found in _open(ctx, ids)
        if found.asked_at <= bulk_revocation.at and _hit(found, people, effective_scope) and _is_open(found)
    ]


def _is_open(found: _Open) -> bool:
    if found.grant is not None:
        return found.grant.state not in CLOSED
    return found.request is not None and _can_be_closed(found.request)


def _can_be_closed(request: Request) -> bool:
    """Also what a run has taken, as long as the forge that holds it back has not heard of it."""
    return can(request.state, Move.DENY) or can_be_called_off(request)


def _take(ctx: Context, bulk_revocation: BulkRevocation, found: _Open) -> bool:
    """Begin the end of one grant, or close one request. False where it has begun already."""
    grant = found.grant
    if found.id in bulk_revocation.taken and (grant is None or grant.state is GrantState.REVOKING):
        return False
    commit_id = f"sweepout:{bulk_revocation.id}:{found.id}:{'grant' if grant else 'request'}"
    if grant is None:
        run(ctx, lambda: _close(ctx, bulk_revocation, found.id, commit_id))
    elif grant.state is not GrantState.REVOKING:
        end = End(
            EndCause.REVOKED, ctx.ledger.now(), bulk_revocation.by, bulk_revocation.by_name, bulk_revocation.reason
        )
        take_back(ctx, grant.id, end, commit_id)
    return True


def _close(ctx: Context, bulk_revocation: BulkRevocation, id_: str, commit_id: str) -> CommitAttempt | Outcome:
    first = ctx.ledger.read(keys.request(id_)).get(keys.request(id_), Request)
    if first is None:
        return Outcome(id_, "overtaken")
    snapshot = ctx.ledger.read(*keys_of(first))
    request = snapshot.get(keys.request(id_), Request)
    if request is None or not _can_be_closed(request):
        return Outcome(id_, "overtaken")
    closing = Closing(snapshot.now, bulk_revocation.by, bulk_revocation.by_name, bulk_revocation.reason)
    private = {"actor": bulk_revocation.by, "actor_name": bulk_revocation.by_name, "reason": bulk_revocation.reason}
    kind = as_told(Event.REQUEST_DENIED, request.gate)
    entry = event(ctx, kind, id_, snapshot, {"sweepout": bulk_revocation.id}, private)
    if can_be_called_off(request):
        attempt = calling_off(request, closing, snapshot, commit_id, entry)
    else:
        done, over = Outcome(id_, "denied"), close(request, Move.DENY, closing)
        change = closing_change(snapshot, over, commit_id, (entry,), done.answer)
        attempt = CommitAttempt(change, done, wake=(keys.chat(id_),))
    return barred_by_taking_back(ctx, snapshot, request, bulk_revocation.by_name, attempt)


def _note(ctx: Context, id_: str, fresh: tuple[str, ...], *, finished: bool) -> CommitAttempt | Outcome:
    item, subject = keys.bulk_revocation(id_), keys.chat(SUBJECT + id_)
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
        audit=(event(ctx, Event.BULK_REVOCATION_FINISHED, SUBJECT + id_, snapshot, facts),) if finished else (),
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(subject,))

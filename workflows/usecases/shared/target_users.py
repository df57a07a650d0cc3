"""Whose a user in a target is. It is bound to the person for whom it was found, in the very commit that resolves their ask;
nobody else gets anything with it, whatever address it carries by now, and whoever has that address.

Removals ask none of this: they take away what the holding says, whosever the user is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.identity import (
    Address,
    AddressRecord,
    Adoption,
    Identity,
    PersonId,
    TargetIds,
    TargetUser,
    first_person,
    listed_as,
    renamed,
    spellings,
)
from workflows.core.policy import Policy
from workflows.core.provider import NAME
from workflows.core.records.grant import CLOSED, Grant
from workflows.core.records.record import Record
from workflows.core.records.request import Request
from workflows.core.records.target import Resource
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import clean, text_problem
from workflows.ports import Change, Committed, Ledger, Snapshot
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, run
from workflows.usecases.shared.parties import read_with_parties

SUBJECT = "target-user-"
# So many users are written at a time.
_AT_ONCE = 200


# ---------------------------------------------------------------- what is known before the target is asked


def read_users(ctx: Context, who: PersonId) -> Snapshot:
    """A snapshot with the person and their users, after what was given before any was bound is taken over."""
    snapshot = ctx.ledger.read(keys.ADOPTED_USERS, keys.identity(who), keys.target_ids(who))
    if not _is_adopted(snapshot):
        adopt_users(ctx)
    return snapshot


def users_of(snapshot: Snapshot, who: PersonId) -> Mapping[str, str]:
    """By `Resource.place`."""
    found = snapshot.get(keys.target_ids(who), TargetIds)
    return found.users if found is not None else {}


# ---------------------------------------------------------------- the commit that resolves an ask


@dataclass(frozen=True, slots=True)
class Claim:
    """What has to be written down of the holder's user, and what is news of it."""

    puts: Mapping[str, Record] = field(default_factory=dict)
    news: tuple[AuditEvent, ...] = ()

    def in_force(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot as it is once this is written: for what is decided in the same commit."""
        items = {name: replace(snapshot.items[name], record=record) for name, record in self.puts.items()}
        return replace(snapshot, items={**snapshot.items, **items})

    def added(self, attempt: CommitAttempt) -> CommitAttempt:
        """`attempt` decides in the same commit; what it writes of the user is what is in force."""
        change = attempt.change
        both = replace(change, puts={**self.puts, **change.puts}, audit=(*change.audit, *self.news))
        return replace(attempt, change=both)


def user_keys(request: Request) -> tuple[str, ...]:
    """The record that says whose the user is, where it was looked up."""
    return (keys.target_user(request.resource.user),) if request.resource is not None else ()


def read_with_user(ctx: Context, policy: Policy, request: Request, names: Iterable[str]) -> Snapshot:
    """One snapshot with these records and all that it takes to tell whose the user of `request.resource` is. In the usual case
    one read: whose else it is, or the address that it carries, leads to more.
    """
    known = (*names, *user_keys(request), keys.target_ids(request.holder), *_of_addresses(policy, request))
    wanted = tuple(dict.fromkeys(known))
    while True:
        snapshot = read_with_parties(ctx, wanted, request)
        more = tuple(dict.fromkeys((*wanted, *_others(snapshot, request))))
        if more == wanted:
            return snapshot
        wanted = more


def _of_addresses(policy: Policy, request: Request) -> Iterable[str]:
    """What says whose the addresses are that the user carries."""
    carries = request.resource.carries if request.resource is not None and request.extends is None else ()
    for form in (form for address in carries for form in spellings(address, policy.former_domains)):
        yield from (keys.address(form), keys.identity(first_person(form)), keys.person(first_person(form)))


def _others(snapshot: Snapshot, request: Request) -> Iterable[str]:
    """The people to whom this snapshot leads."""
    for item in snapshot.items.values():
        found = item.record
        if isinstance(found, TargetUser | AddressRecord) and found.person != request.holder:
            yield keys.identity(found.person)


def claimed(ctx: Context, policy: Policy, request: Request, snapshot: Snapshot) -> Claim | Refused:
    """On a snapshot of `read_with_user`: the user is the holder's from this commit on, if it may be."""
    resource, holder = _resource(request), request.holder
    user = snapshot.get(keys.target_user(resource.user), TargetUser)
    if request.extends is not None:
        # What is prolonged is theirs, or was given to them before any user was bound.
        return _of_another(user, request) or Claim()
    refusal = _of_another(user, request) if not _may_move(user, snapshot) else None
    refusal = refusal or _still_used(ctx, user, request) or _carries_anothers(policy, request, snapshot)
    if refusal:
        return refusal
    own = snapshot.get(keys.target_ids(holder), TargetIds) or TargetIds(holder)
    before = own.users.get(resource.place)
    puts: dict[str, Record] = {}
    news: list[AuditEvent] = []
    if user is None or user.person != holder:
        puts[keys.target_user(resource.user)] = _bound(request, snapshot)
    if user is not None and user.person != holder:
        news.append(_moved(ctx, request, user, snapshot))
    if before != resource.user_id:
        puts[keys.target_ids(holder)] = replace(own, users={**own.users, resource.place: resource.user_id})
    if before not in (None, resource.user_id):
        facts = {"place": resource.place, "before": before or "", "after": resource.user_id}
        who = {"person": holder, "person_name": request.holder_name}
        news.append(event(ctx, Event.TARGET_USER_CHANGED, request.id, snapshot, facts, who))
    return Claim(puts, tuple(news))


def _resource(request: Request) -> Resource:
    if request.resource is None:
        raise ValueError(f"{request.id} has no resource yet")
    return request.resource


def _bound(request: Request, snapshot: Snapshot) -> TargetUser:
    return TargetUser(_resource(request).user, request.holder, request.holder_name, snapshot.now, request.id)


def _of_another(user: TargetUser | None, request: Request) -> Refused | None:
    if user is None or user.person == request.holder:
        return None
    resource = _resource(request)
    params = {"name": user.name, "user": resource.user_id, "address": request.holder_address or ""}
    return Refused(Code.TARGET_USER_BOUND, {**params, NAME: resource.target.provider})


def _may_move(user: TargetUser | None, snapshot: Snapshot) -> bool:
    """Whose user it was is closed: people have said that whoever has the address now is somebody else."""
    identity = snapshot.seek(keys.identity(user.person), Identity) if user is not None else None
    return identity is not None and identity.closed_at is not None


def _still_used(ctx: Context, user: TargetUser | None, request: Request) -> Refused | None:
    """Whether the one before has access that is still open. Who is given some meanwhile writes the user's record, too."""
    if user is None or user.person == request.holder:
        return None
    ids = open_grants(ctx.ledger, user.person)
    where = _resource(request).target.provider
    return Refused(Code.TARGET_PERSON_ELSES, {"name": user.name, "ids": ", ".join(ids), NAME: where}) if ids else None


def open_grants(ledger: Ledger, who: PersonId) -> tuple[str, ...]:
    return tuple(ledger.members(keys.of_person(keys.LIVE, who)))


def _moved(ctx: Context, request: Request, user: TargetUser, snapshot: Snapshot) -> AuditEvent:
    facts = {"user": user.id, "cause": "closed"}
    private = {"before": user.person, "before_name": user.name}
    private |= {"person": request.holder, "person_name": request.holder_name}
    return event(ctx, Event.TARGET_USER_MOVED, request.id, snapshot, facts, private)


# ---------------------------------------------------------------- whose is the address that it carries


def _carries_anothers(policy: Policy, request: Request, snapshot: Snapshot) -> Refused | None:
    """Whether somebody else has the address that the user carries: one of the two directories is behind, and nobody can tell
    who would use it. A tag, which says whose the user is, must name an address that is theirs, or was.
    """
    resource = _resource(request)
    for address in resource.carries:
        owner = _owner(snapshot, policy, address)
        if owner is not None and owner != request.holder:
            params = {"user": resource.user_id, "address": address, "name": _name(snapshot, owner) or address}
            return Refused(Code.TARGET_USER_CARRIES, {**params, NAME: resource.target.provider})
    if resource.person is not None and not _was_ever_theirs(policy, request, snapshot, resource.person):
        params = {"user": resource.ids["user"], "address": request.holder_address or "", "tag": "prodaccess:person"}
        return Refused(Code.TARGET_PERSON_NOT_TAGGED, {**resource.target.words, **params})
    return None


def _owner(snapshot: Snapshot, policy: Policy, address: Address) -> PersonId | None:
    """Whose an address is; None where it is nobody's, or of somebody who was closed."""
    for form in spellings(address, policy.former_domains):
        record = snapshot.get(keys.address(form), AddressRecord)
        first = first_person(form)
        known = not all(snapshot.items[name].is_absent for name in (keys.identity(first), keys.person(first)))
        owner = record.person if record is not None else first if known else None
        if owner is not None:
            identity = snapshot.seek(keys.identity(owner), Identity)
            return owner if identity is None or identity.closed_at is None else None
    listed = first_person(renamed(address, policy.former_domains))
    return listed if any(listed in (group.members or ()) for group in policy.groups.values()) else None


def _name(snapshot: Snapshot, who: PersonId) -> str:
    identity = snapshot.seek(keys.identity(who), Identity)
    return identity.name if identity is not None else ""


def _was_ever_theirs(policy: Policy, request: Request, snapshot: Snapshot, address: Address) -> bool:
    identity = snapshot.seek(keys.identity(request.holder), Identity)
    known = (span.address for span in (identity.addresses if identity is not None else ()))
    own = (request.holder_address, listed_as(request.holder), *known)
    domains = policy.former_domains
    return renamed(address, domains) in {renamed(one, domains) for one in own if one is not None}


# ---------------------------------------------------------------- whenever something is given


def taken_into_use(snapshot: Snapshot, request: Request) -> Mapping[str, Record] | Refused:
    """What is written of the user with what is given: as it stands, so that nobody makes it another's at the same time.

    Nothing where it is bound to nobody yet: what an older process has resolved is bound before the target is called.
    """
    item = keys.target_user(_resource(request).user)
    user = snapshot.get(item, TargetUser)
    return _of_another(user, request) or ({item: user} if user is not None else {})


def still_theirs(ctx: Context, snapshot: Snapshot, request: Request) -> Refused | None:
    """Before the target is called: why not. A user that is bound to nobody yet is bound now."""
    item = keys.target_user(_resource(request).user)
    if snapshot.get(item, TargetUser) is None:
        adopt_users(ctx)
        answer = run(ctx, lambda: _bind(ctx, item, request))
        return answer if isinstance(answer, Refused) else None
    return _of_another(snapshot.get(item, TargetUser), request)


def _bind(ctx: Context, item: str, request: Request) -> CommitAttempt | Outcome | Refused:
    snapshot, done = ctx.ledger.read(item), Outcome(request.id, "bound")
    user = snapshot.get(item, TargetUser)
    if user is not None:
        return _of_another(user, request) or done
    puts: dict[str, Record] = {item: _bound(request, snapshot)}
    change = Change(f"bind:{item}:{request.id}", snapshot.now, snapshot.versions(), puts, answer=done.answer)
    return CommitAttempt(change, done)


# ---------------------------------------------------------------- what was given before any user was bound


def _is_adopted(snapshot: Snapshot) -> bool:
    return snapshot.readable(keys.ADOPTED_USERS, Adoption) is not None


def adopt_users(ctx: Context) -> None:
    """Bind the users of all open grants to those who hold them, once. May run twice, and beside another process that does it."""
    if _is_adopted(ctx.ledger.read(keys.ADOPTED_USERS)):
        return
    users = _in_use(ctx)
    for start in range(0, len(users), _AT_ONCE):
        while not _adopted(ctx, users[start : start + _AT_ONCE]):
            pass
    snapshot = ctx.ledger.read(keys.ADOPTED_USERS)
    if not _is_adopted(snapshot):
        commit_id = f"adopted-users:{snapshot.items[keys.ADOPTED_USERS].version}:{ctx.chance.hex(8)}"
        note = Adoption(snapshot.now, len(users))
        ctx.ledger.commit(Change(commit_id, snapshot.now, snapshot.versions(), {keys.ADOPTED_USERS: note}))


def _in_use(ctx: Context) -> list[TargetUser]:
    """Whose the users of open grants are. Where two people hold one, it is whoever got it first."""
    found: dict[str, TargetUser] = {}
    for part in ctx.ledger.walk(keys.LIVE):
        snapshot = ctx.ledger.read(*map(keys.grant, part))
        for name in snapshot.items:
            # Who cannot be read keeps nobody else from asking.
            grant = snapshot.readable(name, Grant)
            if grant is None or grant.state in CLOSED:
                continue
            id_ = grant.resource.user
            user = TargetUser(id_, grant.holder, grant.holder_name, grant.decision.at, grant.id)
            found[id_] = min(found.get(id_, user), user, key=lambda one: one.since)
    return list(found.values())


def _adopted(ctx: Context, users: list[TargetUser]) -> bool:
    """Some of them. False where something was written meanwhile."""
    snapshot = ctx.ledger.read(*(keys.target_user(user.id) for user in users))
    puts: dict[str, Record] = {
        item: user for user in users if snapshot.items[item := keys.target_user(user.id)].is_absent
    }
    change = Change(f"adopt-users:{ctx.chance.hex(16)}", snapshot.now, snapshot.versions(), puts)
    return not puts or isinstance(ctx.ledger.commit(change), Committed)


# ---------------------------------------------------------------- by whoever runs the installation


def users_called(ctx: Context, text: str) -> tuple[TargetUser, ...]:
    """The users that somebody can mean: by the whole id, or by the target's own."""
    names = [
        name
        for name in ctx.ledger.records("target-user")
        if name.partition(":")[2] == text or name.endswith(f":{text}")
    ]
    snapshot = ctx.ledger.read(*names) if names else None
    found = (snapshot.readable(name, TargetUser) for name in names) if snapshot is not None else ()
    return tuple(one for one in found if one is not None)


def move_by_hand(ctx: Context, user: str, to: PersonId, by: str, reason: str, commit_id: str) -> Outcome | Refused:
    """On the command line: the user is `to`'s from now on. Their name and reason stay on the record, and chat is told."""
    problem = text_problem(reason, {"what": "person user"})
    return problem or run(ctx, lambda: _by_hand(ctx, user, to, clean(by), clean(reason), commit_id))


def _by_hand(
    ctx: Context, user: str, to: PersonId, by: str, reason: str, commit_id: str
) -> CommitAttempt | Outcome | Refused:
    item = keys.target_user(user)
    first = ctx.ledger.read(item, commit_id=commit_id)
    if first.replay is not None:
        return done_from(first.replay)
    before = first.get(item, TargetUser)
    if before is None:
        return Refused(Code.TARGET_USER_UNKNOWN, {"user": user}, audited=False)
    snapshot = ctx.ledger.read(item, keys.identity(to), keys.target_ids(before.person), keys.target_ids(to))
    identity = snapshot.get(keys.identity(to), Identity)
    if identity is None or identity.closed_at is not None:
        return Refused(Code.PERSON_UNKNOWN, {"name": to}, audited=False)
    ids = _open_with(ctx.ledger, before) if before.person != to else ()
    if ids:
        params = {"name": before.name, "ids": ", ".join(ids), "user": user}
        return Refused(Code.TARGET_USER_IN_USE, params, audited=False)
    return _moving(ctx, replace(before, person=to, name=identity.name, by=by), before, reason, snapshot, commit_id)


def _open_with(ledger: Ledger, user: TargetUser) -> tuple[str, ...]:
    """Open grants of theirs on that very user; one that cannot be read may be one."""
    ids = open_grants(ledger, user.person)
    snapshot = ledger.read(*map(keys.grant, ids)) if ids else None
    found = {id_: snapshot.readable(keys.grant(id_), Grant) for id_ in ids} if snapshot is not None else {}
    return tuple(id_ for id_, grant in found.items() if grant is None or grant.resource.user == user.id)


def _moving(
    ctx: Context, user: TargetUser, before: TargetUser, reason: str, snapshot: Snapshot, commit_id: str
) -> CommitAttempt:
    subject = SUBJECT + ctx.chance.hex(12)
    done = Outcome(subject, "moved")
    theirs = snapshot.get(keys.target_ids(before.person), TargetIds) or TargetIds(before.person)
    own = snapshot.get(keys.target_ids(user.person), TargetIds) or TargetIds(user.person)
    places = {place: id_ for place, id_ in theirs.users.items() if user.id.endswith(f":{id_}")}
    left = {place: id_ for place, id_ in theirs.users.items() if place not in places}
    puts: dict[str, Record] = {
        keys.target_user(user.id): replace(user, since=snapshot.now),
        keys.target_ids(before.person): replace(theirs, users=left),
        keys.target_ids(user.person): replace(own, users={**own.users, **places}),
    }
    private = {"actor_name": user.by, "reason": reason, "before": before.person, "before_name": before.name}
    private |= {"person": user.person, "person_name": user.name}
    facts = {"user": user.id, "cause": "command_line"}
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts=puts,
        due={keys.chat(subject): snapshot.now + SOON},
        audit=(event(ctx, Event.TARGET_USER_MOVED, subject, snapshot, facts, private),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject),))

"""People say whether a change that loosens production may come into force: so many of these groups, as the policy in force has
it. It is decided on the groups as they are when they press."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.identity import AccountRecord
from workflows.core.people import Account
from workflows.core.policy import Policy
from workflows.core.records.policy_in_force import PolicyFiles, PolicyVote, WaitingPolicy, WaitingState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.groups import not_a_member, person_problem
from workflows.core.rules.seat_matching import match_people
from workflows.ports import Change, Snapshot
from workflows.usecases.oversight.policy_activation import OF_POLICIES, NewPolicy, activation, compared_now
from workflows.usecases.oversight.policy_waiting import named, subject_of_change, words_of
from workflows.usecases.shared.actor import Actor, known, not_theirs
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run
from workflows.usecases.shared.parties import account_in, alike

# A policy by its hash and its files; None where this version cannot read it, or they are not the files of that hash.
Read = Callable[[PolicyFiles, str | None], NewPolicy | None]
Decide = Callable[[Actor, Snapshot, WaitingPolicy], CommitAttempt | Refused]


def agree(ctx: Context, change: str, who: Account, commit_id: str, read: Read) -> Outcome | Refused:
    """`change`: as `policy_waiting.named` has it. `Outcome.outcome`: `activated`, or `agreed` while others must agree, too."""

    def vote(actor: Actor, snapshot: Snapshot, waiting: WaitingPolicy) -> CommitAttempt | Refused:
        return _vote(ctx, actor, snapshot, waiting, commit_id, read)

    return _decide(ctx, change, who, commit_id, vote)


def refuse(ctx: Context, change: str, who: Account, commit_id: str) -> Outcome | Refused:
    """The policy in force stays until the folder changes again. `Outcome.outcome`: `denied`."""

    def deny(actor: Actor, snapshot: Snapshot, waiting: WaitingPolicy) -> CommitAttempt | Refused:
        return _deny(ctx, actor, snapshot, waiting, commit_id)

    return _decide(ctx, change, who, commit_id, deny, on_hold=True)


def _asked(policy: Policy) -> tuple[str, ...]:
    return tuple(policy.policy_changes)


def _decide(
    ctx: Context, change: str, who: Account, commit_id: str, decide: Decide, *, on_hold: bool = False
) -> Outcome | Refused:
    actor = known(ctx, who, _asked, on_hold=on_hold)
    if isinstance(actor, Refused):
        return actor
    return run(ctx, lambda: _once(ctx, actor, change, commit_id, decide, on_hold=on_hold))


def _once(
    ctx: Context, actor: Actor, change: str, commit_id: str, decide: Decide, *, on_hold: bool
) -> CommitAttempt | Outcome | Refused:
    first = ctx.ledger.read(keys.POLICY_WAITING).readable(keys.POLICY_WAITING, WaitingPolicy)
    voters = first.votes if first is not None else ()
    people = dict.fromkeys((actor.person.id, *(vote.by for vote in voters)))
    accounts = dict.fromkeys(keys.account(vote.account) for vote in voters)
    snapshot = ctx.ledger.read(
        *dict.fromkeys((*OF_POLICIES, actor.record, *map(keys.identity, people), *accounts, *_moved(ctx, accounts))),
        commit_id=commit_id,
    )
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    waiting = snapshot.readable(keys.POLICY_WAITING, WaitingPolicy)
    if waiting is None or named(waiting) != change or waiting.state is not WaitingState.WAITING:
        return Refused(Code.POLICY_CHANGE_OVER, audited=False)
    if waiting != first:
        return _once(ctx, actor, change, commit_id, decide, on_hold=on_hold)
    names = _asked(actor.policy)
    problem = (
        person_problem(actor.person)
        or not_a_member(actor.groups, actor.person.id, names, Refused(Code.NOT_SECURITY, {"groups": ", ".join(names)}))
        or not_theirs(snapshot, actor, on_hold=on_hold)
        or not_in_force(snapshot, actor.policy)
    )
    return problem or decide(actor, snapshot, waiting)


def _moved(ctx: Context, accounts: Mapping[str, None]) -> tuple[str, ...]:
    """Where an account went whose workspace has joined an organisation since."""
    found = ctx.ledger.read(*accounts) if accounts else None
    records = [found.seek(name, AccountRecord) for name in accounts] if found else []
    return tuple(keys.account(one.moved) for one in records if one is not None and one.moved is not None)


def _vote(
    ctx: Context, actor: Actor, snapshot: Snapshot, waiting: WaitingPolicy, commit_id: str, read: Read
) -> CommitAttempt | Refused:
    names = _asked(actor.policy)
    if actor.groups.unknown(names):
        # A vote would be counted for less than it is.
        return actor.groups.not_known(names)
    me = actor.person
    votes = [vote for vote in waiting.votes if vote.by != me.id]
    mine = PolicyVote(me.id, me.name, snapshot.now, me.account)
    counted = [mine, *(vote for vote in votes if _counts(snapshot, vote))]
    left = missing(actor, counted, snapshot)
    if len(votes) < len(waiting.votes) and left:
        return Refused(Code.POLICY_CHANGE_SAID, {"missing": words_of(left)}, audited=False)
    agreed = replace(waiting, votes=(*votes, mine))
    entry = _said(ctx, Event.POLICY_AGREED, actor, snapshot, waiting, {"missing": words_of(left)})
    if left:
        return _attempt(snapshot, agreed, Outcome(waiting.hash, "agreed"), entry, commit_id)
    return _in_force(ctx, snapshot, agreed, entry, commit_id, read)


def _in_force(
    ctx: Context, snapshot: Snapshot, agreed: WaitingPolicy, entry: AuditEvent, commit_id: str, read: Read
) -> CommitAttempt | Refused:
    files = snapshot.readable(keys.POLICY_WAITING_FILES, PolicyFiles)
    new = read(files, agreed.commit_sha) if files is not None and files.hash == agreed.hash else None
    if new is None:
        why = "what waits cannot be read by this version, or is not what was kept: change the folder again"
        return Refused(Code.POLICY_NOT_IN_FORCE, {"why": why})
    found = activation(ctx, snapshot, new, compared_now(snapshot, new))
    over = {**found.change.puts, keys.POLICY_WAITING: replace(agreed, state=WaitingState.OVER)}
    told = tuple(one for one in found.change.audit if one.event is not Event.POLICY_REPLACED)
    change = replace(found.change, commit_id=commit_id, puts=over, audit=(entry, *told))
    return CommitAttempt(change, found.done, wake=found.wake)


def missing(actor: Actor, votes: Sequence[PolicyVote], snapshot: Snapshot) -> dict[str, int]:
    """How many must still agree, by group. One person counts once, and so do two of whom one may be the other."""
    asks = actor.policy.policy_changes
    places = [name for name, count in asks.items() for _ in range(count)]
    offers = {name: tuple(vote.by for vote in votes if vote.by in actor.groups.members((name,))) for name in asks}
    taken = match_people(places, offers, alike(snapshot, (vote.by for vote in votes)))
    return dict(Counter(name for number, name in enumerate(places) if number not in taken))


def _counts(snapshot: Snapshot, vote: PolicyVote) -> bool:
    record = account_in(snapshot, vote.account)
    return record is not None and record.person == vote.by and record.suspended is None


def _deny(ctx: Context, actor: Actor, snapshot: Snapshot, waiting: WaitingPolicy, commit_id: str) -> CommitAttempt:
    denied = replace(waiting, state=WaitingState.DENIED, denied_by=actor.person.name)
    entry = _said(ctx, Event.POLICY_REFUSED, actor, snapshot, waiting, {})
    return _attempt(snapshot, denied, Outcome(waiting.hash, "denied"), entry, commit_id)


def _said(
    ctx: Context, kind: Event, actor: Actor, snapshot: Snapshot, waiting: WaitingPolicy, more: Mapping[str, str]
) -> AuditEvent:
    facts = {"policy": waiting.hash, "before": waiting.before, **more}
    private = {"actor": actor.person.id, "actor_name": actor.person.name}
    return event(ctx, kind, subject_of_change(waiting.hash), snapshot, facts, private)


def _attempt(
    snapshot: Snapshot, waiting: WaitingPolicy, done: Outcome, entry: AuditEvent, commit_id: str
) -> CommitAttempt:
    chat = keys.chat(subject_of_change(waiting.hash))
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.POLICY_WAITING: waiting},
        due={chat: snapshot.now + SOON},
        audit=(entry,),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(chat,))

"""Whoever holds access and may ask for it no longer: the policy says whether it ends, is told of, or stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.canonical_json import digest
from workflows.core.identity import PersonId
from workflows.core.people import GroupFacts
from workflows.core.policy import OnMover, Policy
from workflows.core.records.grant import End, EndCause, Grant
from workflows.core.records.leavers import Leavers
from workflows.core.refusal import Code
from workflows.core.rules.leaving import too_many
from workflows.core.rules.moving import groups_that_ask, has_moved
from workflows.ports import Change
from workflows.usecases.identity.holders import Held, accounts_of, grants_of, held_by, open_grants
from workflows.usecases.identity.leaving import BY_ITSELF, said_of, subject_of
from workflows.usecases.shared.context import SOON, CommitAttempt, Outcome, WorkerContext, event, not_in_force, run
from workflows.usecases.shared.take_back import take_back

ENDED, TOLD = "ended", "told"


@dataclass(frozen=True, slots=True)
class _Asking:
    """All that people hold whom the same groups let ask: `people` have it. There are few of them, however many grants."""

    example: Grant
    people: set[PersonId]


def look_at_movers(ctx: WorkerContext, policy: Policy, found: Mapping[PersonId, str]) -> None:
    """`found`: who holds something, without those who have left. On groups of this moment, under the policy in force."""
    if policy.on_mover is OnMover.KEEP or not_in_force(ctx.ledger.read(keys.ACTIVE_POLICY), policy):
        return
    held = _asking(ctx, policy, found)
    groups = _groups(ctx, policy, held)
    _forget(ctx, policy, groups, found)
    moved = [
        who for who in found if any(who in one.people and _moved(policy, one, who, groups) for one in held.values())
    ]
    # A group that lost its members by mistake takes nothing from so many: they are told of.
    ends = policy.on_mover is OnMover.END and not too_many(len(moved), len(found))
    for who in moved:
        theirs = _theirs(ctx, policy, who, found[who], groups)
        if theirs.grants:
            _settle(ctx, policy, who, theirs, ends=ends)


def _asking(ctx: WorkerContext, policy: Policy, found: Mapping[PersonId, str]) -> Mapping[tuple[str, ...], _Asking]:
    """By the groups that let somebody ask for it."""
    held: dict[tuple[str, ...], _Asking] = {}
    for grant in open_grants(ctx):
        names = groups_that_ask(policy, grant)
        if names and grant.holder in found:
            held.setdefault(names, _Asking(grant, set())).people.add(grant.holder)
    return held


def _moved(policy: Policy, one: _Asking, who: PersonId, groups: GroupFacts) -> bool:
    return bool(has_moved(policy, replace(one.example, holder=who), groups))


def _theirs(ctx: WorkerContext, policy: Policy, who: PersonId, name: str, groups: GroupFacts) -> Held:
    """What of theirs they may ask for no more."""
    return Held(name, [grant for grant in held_by(ctx, who, name).grants if has_moved(policy, grant, groups)])


def _groups(ctx: WorkerContext, policy: Policy, asking: Iterable[tuple[str, ...]]) -> GroupFacts:
    names = tuple(dict.fromkeys(name for names in asking for name in names))
    if not names:
        return GroupFacts()
    facts = ctx.directory.groups(policy, names)
    old = facts.to_look_up(names, ctx.ledger.now())
    if old:
        ctx.refresher.refresh_groups(policy, old)
        facts = ctx.directory.groups(policy, names)
    stale = facts.stale(names, ctx.ledger.now())
    # What is not of this moment is not known.
    return replace(facts, by_name={name: one for name, one in facts.by_name.items() if name not in stale})


def _settle(ctx: WorkerContext, policy: Policy, who: PersonId, held: Held, *, ends: bool) -> None:
    groups = ", ".join(dict.fromkeys(name for grant in held.grants for name in groups_that_ask(policy, grant)))
    run(ctx, lambda: _told(ctx, who, held, groups, ends=ends))
    if not ends:
        return
    params = {"name": held.name, "groups": groups}
    for grant in held.grants:
        why = f"{held.name} is no longer in {groups.replace(', ', ' or ')}"
        code = Code.NO_LONGER_A_REQUESTER.value
        end = End(
            EndCause.REVOKED,
            ctx.ledger.now(),
            by_name=BY_ITSELF,
            reason=why,
            code=code,
            params={**params, "id": grant.id},
        )
        take_back(ctx, grant.id, end, f"moved:{grant.id}")


def _told(ctx: WorkerContext, who: PersonId, held: Held, groups: str, *, ends: bool) -> CommitAttempt | Outcome:
    """Once: of each grant that it stays, and of what ends that it does."""
    ended_id = f"moved:{digest([who, held.open])}"
    snapshot = ctx.ledger.read(keys.LEAVERS, commit_id=ended_id if ends else None)
    before = snapshot.readable(keys.LEAVERS, Leavers) or Leavers()
    new = tuple(id_ for id_ in held.open if id_ not in before.moved)
    if snapshot.replay is not None or not (new or ends):
        return Outcome(who, "told")
    records = accounts_of(ctx, (who,))[who]
    subject, done = subject_of(records, who), Outcome(who, "moved")
    told = Held(held.name, [grant for grant in held.grants if ends or grant.id in new])
    facts = {**said_of(told), "groups": groups, "became": ENDED if ends else TOLD}
    address = next((record.address for record in records if record.address), "")
    private = {"actor": who, "actor_name": held.name, "address": address or ""}
    change = Change(
        commit_id=ended_id if ends else f"{ended_id}:{snapshot.items[keys.LEAVERS].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.LEAVERS: replace(before, moved=(*before.moved, *new))},
        due={keys.chat(subject): snapshot.now + SOON},
        audit=(event(ctx, Event.PERSON_MOVED, subject, snapshot, facts, private),),
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject),))


def _forget(ctx: WorkerContext, policy: Policy, groups: GroupFacts, found: Mapping[PersonId, str]) -> None:
    """Of whoever is back, and of what is over, nothing has been told: should they move again, that is news."""

    def once() -> CommitAttempt | Outcome:
        snapshot = ctx.ledger.read(keys.LEAVERS)
        before = snapshot.readable(keys.LEAVERS, Leavers) or Leavers()
        still = {
            grant.id
            for grant in grants_of(ctx, before.moved)
            if grant.holder in found and has_moved(policy, grant, groups) is not False
        }
        kept = tuple(id_ for id_ in before.moved if id_ in still)
        done = Outcome(keys.LEAVERS, "forgotten")
        if kept == before.moved:
            return done
        commit_id = f"moved-back:{snapshot.items[keys.LEAVERS].version}:{ctx.chance.hex(8)}"
        puts = {keys.LEAVERS: replace(before, moved=kept)}
        return CommitAttempt(Change(commit_id, snapshot.now, snapshot.versions(), puts=puts, answer=done.answer), done)

    run(ctx, once)

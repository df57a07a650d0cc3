"""The first account of somebody in a second chat: whoever it claims to be says in the first chat whether it is theirs.

Nothing but that makes it theirs, save security (`confirm_account`): an address proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.identity import Account, AccountId
from workflows.core.refusal import Code, Refused
from workflows.core.rules.account_confirmation import Held
from workflows.core.rules.second_chat import disowned, is_asked, waits
from workflows.ports import Change, Snapshot
from workflows.usecases.identity.confirm_account import (
    Saying,
    held_account,
    hold_in,
    look_again,
    read_hold,
    said_of_another_hold,
    settling,
    words_of,
)
from workflows.usecases.shared.actor import Actor, known, nobody, not_theirs
from workflows.usecases.shared.adopt_accounts import on_hold
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody says of an account that claims to be them. `hash`: of the hold as they were shown it."""

    account: AccountId
    mine: bool
    hash: str


def answer(ctx: Context, said: Answer, who: Account, commit_id: str) -> Outcome | Refused:
    """Say it. `Outcome.outcome`: `confirmed`, or `disowned`. Raises DirectoryUnreachable."""
    actor = known(ctx, who, nobody)
    if isinstance(actor, Refused):
        return actor
    held = held_account(ctx, said.account)
    # What is only taken back from an account needs no look at it. Others learn nothing of it, so nobody looks for them.
    if held is not None and said.mine and is_asked(held, actor.person):
        unfit = look_again(ctx, actor.policy, held)
        if unfit:
            return unfit
    return run(ctx, lambda: _once(ctx, actor, said, commit_id))


def _once(ctx: Context, actor: Actor, said: Answer, commit_id: str) -> CommitAttempt | Outcome | Refused:
    snapshot = read_hold(ctx, said.account, lambda _: (actor.record, keys.ACTIVE_POLICY), commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    held = hold_in(snapshot, said.account)
    if held is None:
        return Refused(Code.NOTHING_TO_CONFIRM, {"asked": "yes"}, audited=False)
    saying = Saying(said.account, same=True, reason="", hash=said.hash)
    refusal = _may_answer(actor, held) or not_theirs(snapshot, actor) or not_in_force(snapshot, actor.policy)
    refusal = refusal or _is_over(actor, held) or said_of_another_hold(held, saying, snapshot)
    if refusal:
        return refusal if refusal.code is not Code.HOLD_CHANGED else replace(refusal, params={"asked": "yes"})
    if not said.mine:
        return _not_theirs(ctx, actor, held, snapshot, commit_id)
    facts = {"policy": actor.policy.hash[:12], "by": "own_account"}
    return settling(ctx, held, saying, snapshot, commit_id, facts, _by(actor))


def _may_answer(actor: Actor, held: Held) -> Refused | None:
    if is_asked(held, actor.person):
        return None
    name = held.claimed.name if held.claimed is not None else ""
    return Refused(Code.NOT_ASKED, {"name": name})


def _is_over(actor: Actor, held: Held) -> Refused | None:
    """They said No before, or nobody is asked here any more: it is for security now."""
    return None if waits(held, actor.person) else Refused(Code.NOTHING_TO_CONFIRM, {"asked": "over"}, audited=False)


def _by(actor: Actor) -> dict[str, str]:
    return {
        "actor": actor.person.id,
        "actor_name": actor.person.name,
        "by_account": actor.person.account,
    }


def _not_theirs(ctx: Context, actor: Actor, held: Held, snapshot: Snapshot, commit_id: str) -> CommitAttempt:
    record = disowned(held, snapshot.now)
    subject = keys.hold_subject(record.account)
    done = Outcome(subject, "disowned")
    words = {**_by(actor), **words_of(held, Saying(record.account, same=False, reason=""))}
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.account(record.account): record},
        due={keys.chat(subject): snapshot.now + SOON},
        index=on_hold(record),
        audit=(event(ctx, Event.PERSON_DISOWNED, subject, snapshot, {"policy": actor.policy.hash[:12]}, words),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject),))

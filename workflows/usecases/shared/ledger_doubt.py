"""The ledger may be an older copy of itself: what is done about that.

Each process knows the newest audit entry that it saw. Where the ledger has it no more, that is on record at once, and from then
on `commit.lua` refuses whatever gives access; taking away goes on. It lasts until an operator has looked and says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.ledger_doubt import LedgerDoubt, Sign
from workflows.core.records.installation import Installation
from workflows.core.refusal import Refused
from workflows.core.rules.eligibility import clean, text_problem
from workflows.ports import Change, Committed, LostEntries, Snapshot
from workflows.usecases.shared.accepted_copy import accepted, take_as_it_is
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, event, run
from workflows.usecases.shared.installation import installation
from workflows.usecases.shared.perhaps_given import take_for_ours

SUBJECT = "ledger-"
# How often a process looks at what its own reads and commits have found, in seconds. It asks nobody.
LOOK_EVERY_S = 3.0


def watch(ctx: Context) -> bool:
    """Where the ledger has no more what this process saw there, say so, unless somebody accepted that.

    Returns whether it is this call that said it. Raises LedgerUnreachable.
    """
    lost = ctx.ledger.lost()
    if lost is None:
        return False
    snapshot = ctx.ledger.read(keys.INSTALLATION, keys.LEDGER_DOUBT)
    if ctx.ledger.lost() is None:
        return False  # that read was answered by a server that has it
    if accepted(ctx, snapshot, lost):
        return False
    if not snapshot.items[keys.LEDGER_DOUBT].is_absent:
        return False
    return raise_doubt(ctx, Sign.GONE if lost.newest < lost.seen.number else Sign.REPLACED, _facts(lost))


def _facts(lost: LostEntries) -> dict[str, str]:
    return {"seen": str(lost.seen.number), "seen_at": lost.seen.at.isoformat(), "newest": str(lost.newest)}


def raise_doubt(
    ctx: Context, why: Sign, facts: Mapping[str, str], private: Mapping[str, str] | None = None, *, epoch: int = 0
) -> bool:
    """Nothing is given from now on. `facts`: `seen`, the number of the newest entry that is known of, and `newest`, that of the
    ledger's own, each where it is known; `seen_at`, when it was seen. `epoch`: the highest that is known from elsewhere.

    Returns whether it is this call that raised it: where a doubt stands already, that one stays. Raises LedgerUnreachable.
    """
    made = installation(ctx)
    snapshot = ctx.ledger.read(keys.LEDGER_DOUBT)
    item = snapshot.items[keys.LEDGER_DOUBT]
    if not item.is_absent:
        return False
    # First, so that a process that dies in between is followed by one that does both.
    take_for_ours(ctx)
    snapshot = ctx.ledger.read(keys.LEDGER_DOUBT)
    subject = f"{SUBJECT}{made.epoch}"
    doubt = LedgerDoubt(why, snapshot.now, max(made.epoch, epoch), dict(facts))
    change = Change(
        commit_id=f"doubt:{item.version}:{ctx.chance.hex(12)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.LEDGER_DOUBT: doubt},
        due={keys.chat(subject): snapshot.now + SOON},
        audit=(event(ctx, Event.LEDGER_ROLLED_BACK, subject, snapshot, {"why": why.value, **facts}, private),),
        removes_access=True,
    )
    if not isinstance(ctx.ledger.commit(change), Committed):
        return False
    ctx.wake(keys.chat(subject))
    return True


def stands(ctx: Context) -> bool:
    """Whether the ledger is in doubt now: on the record, or because this process has seen what is not there."""
    return not ctx.ledger.read(keys.LEDGER_DOUBT).items[keys.LEDGER_DOUBT].is_absent or ctx.ledger.lost() is not None


def said(ctx: Context, by: str, reason: str) -> Outcome | Refused:
    """An operator has put an older copy back. `Outcome.outcome`: `raised`, or `stands` where there is a doubt already."""
    problem = text_problem(reason, {"what": "ledger doubt"})
    if problem:
        return problem
    private = {"actor_name": clean(by), "reason": clean(reason)}
    raised = raise_doubt(ctx, Sign.SAID, {"newest": str(ctx.ledger.head())}, private)
    return Outcome("ledger", "raised" if raised else "stands")


def accept(ctx: Context, by: str, reason: str) -> Outcome | Refused:
    """An operator says that the ledger, as it is, is the record from now on. `Outcome.outcome`: `accepted`, or `trusted` where
    nobody doubts it.

    It begins another epoch, by which processes know that what they saw before is no more.
    """
    problem = text_problem(reason, {"what": "ledger accept"})
    if problem:
        return problem
    installation(ctx)
    private = {"actor_name": clean(by), "reason": clean(reason)}
    done = run(ctx, lambda: _accept(ctx, private))
    take_as_it_is(ctx)
    return done


def _accept(ctx: Context, private: Mapping[str, str]) -> CommitAttempt | Outcome:
    snapshot = ctx.ledger.read(keys.LEDGER_DOUBT, keys.INSTALLATION)
    made = snapshot.get(keys.INSTALLATION, Installation)
    if snapshot.items[keys.LEDGER_DOUBT].is_absent or made is None:
        return Outcome("ledger", "trusted")
    subject, done = f"{SUBJECT}{made.epoch}", Outcome("ledger", "accepted")
    raised = next_epoch(made, snapshot)
    change = Change(
        commit_id=f"doubt:accepted:{snapshot.items[keys.LEDGER_DOUBT].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.INSTALLATION: raised},
        deletes=frozenset({keys.LEDGER_DOUBT}),
        due={keys.chat(subject): snapshot.now + SOON},
        audit=(event(ctx, Event.LEDGER_ACCEPTED, subject, snapshot, {"epoch": str(raised.epoch)}, private),),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject),))


def next_epoch(made: Installation, snapshot: Snapshot) -> Installation:
    """On a snapshot with the doubt: the installation in an epoch above all that are known of."""
    doubt = snapshot.readable(keys.LEDGER_DOUBT, LedgerDoubt)
    highest = max(made.epoch, doubt.epoch if doubt else 0)
    return Installation(made.id, made.made_at, highest + 1, snapshot.now)

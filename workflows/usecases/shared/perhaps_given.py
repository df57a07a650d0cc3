"""What an older copy of the ledger has as not given yet may have been given since.

Such a grant is taken for ours from then on: found at the target, it is no access that stood before us, and at its end it is taken
away, whether or not this ledger ever gave it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from workflows.core import keys
from workflows.core.records.grant import GrantState
from workflows.core.records.holding import Baseline, Holding
from workflows.ports import Change
from workflows.usecases.shared.context import CommitAttempt, Context, Outcome, run
from workflows.usecases.shared.rebuilt import grant_where_known


def take_for_ours(ctx: Context) -> None:
    """All that is decided and not given yet. Doing it again changes nothing. Raises LedgerUnreachable."""
    for holding in dict.fromkeys(_not_given_yet(ctx)):
        run(ctx, lambda holding=holding: _ours(ctx, holding))  # type: ignore[misc]  # bound at once, called at once


def _not_given_yet(ctx: Context) -> Iterator[str]:
    for part in ctx.ledger.walk(keys.LIVE):
        snapshot = ctx.ledger.read(*map(keys.grant, part))
        for id_ in part:
            grant = grant_where_known(ctx, snapshot, id_)
            if grant is not None and grant.state is GrantState.ACTIVATING:
                yield grant.holding


def _ours(ctx: Context, id_: str) -> CommitAttempt | Outcome:
    item, done = keys.holding(id_), Outcome(id_, "ours")
    snapshot = ctx.ledger.read(item)
    holding = snapshot.readable(item, Holding)
    # What stood before us was seen before the copy was made.
    if holding is None or holding.ours or holding.baseline is Baseline.STANDING:
        return done
    change = Change(
        commit_id=f"ours:{id_}:{snapshot.items[item].version}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: replace(holding, baseline=Baseline.ABSENT, ours=True)},
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done)

"""Somebody wants to know what was done with a grant: for whoever asks and does not look."""

from __future__ import annotations

from dataclasses import replace

from workflows.core import keys
from workflows.core.records.activity import Activity
from workflows.ports import Change, Committed
from workflows.usecases.shared.context import ATTEMPTS_MAX, Contended, Context


def ask_for_look(ctx: Context, id_: str) -> int:
    """Returns the number of the look that will tell: a new one, or the one that was asked for and has not ended."""
    key = keys.activity(id_)
    for _ in range(ATTEMPTS_MAX):
        snapshot = ctx.ledger.read(key)
        # What cannot be read is asked for anew: it decides nothing.
        was = snapshot.readable(key, Activity) or Activity(id_)
        wanted = was if was.asked > was.done else replace(was, asked=was.asked + 1)
        change = Change(
            commit_id=f"activity-asked:{id_}:{snapshot.items[key].version}:{ctx.chance.hex(8)}",
            at=snapshot.now,
            reads=snapshot.versions(),
            puts={key: wanted},
            due={key: snapshot.now},
        )
        if isinstance(ctx.ledger.commit(change), Committed):
            ctx.wake(key)
            return wanted.asked
    raise Contended(f"lost {ATTEMPTS_MAX} races in a row")


def seen_of(ctx: Context, id_: str) -> Activity:
    """How it stands. One that cannot be read is as good as none."""
    key = keys.activity(id_)
    return ctx.ledger.read(key).readable(key, Activity) or Activity(id_)

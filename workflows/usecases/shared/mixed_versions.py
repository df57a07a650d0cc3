"""Older processes beside this version: what was heard of them is on the ledger, where each commit that gives looks."""

from __future__ import annotations

from collections.abc import Iterable

from workflows.core import keys
from workflows.core.mixed import OlderRunning, heard, is_news
from workflows.ports import Change
from workflows.usecases.shared.context import Context


def note_older(ctx: Context, kinds: Iterable[str]) -> None:
    """Processes of these kinds have shown that they are older. Nobody else's word is lost: whoever was first said as much.

    Raises LedgerUnreachable.
    """
    found = frozenset(kinds)
    if not found:
        return
    snapshot = ctx.ledger.read(keys.OLDER)
    # What cannot be read is written anew.
    if not is_news(snapshot.readable(keys.OLDER, OlderRunning), found, snapshot.now):
        return
    change = Change(
        commit_id=f"older:{snapshot.items[keys.OLDER].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.OLDER: heard(found, snapshot.now)},
        removes_access=True,
    )
    ctx.ledger.commit(change)

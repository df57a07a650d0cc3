"""The installation's own name, made by whoever needs it first."""

from __future__ import annotations

from workflows.core import keys
from workflows.core.records.installation import Installation
from workflows.ports import Change, Committed
from workflows.usecases.shared.context import ATTEMPTS_MAX, Contended, Context


def installation(ctx: Context) -> Installation:
    """Of two that make it at once, one wins, and both have that one. Raises CorruptRecord where it cannot be read: another name
    would make all that carries this one somebody else's.
    """
    for _ in range(ATTEMPTS_MAX):
        snapshot = ctx.ledger.read(keys.INSTALLATION)
        found = snapshot.get(keys.INSTALLATION, Installation)
        if found is not None:
            return found
        made = Installation(ctx.chance.hex(32), snapshot.now)
        change = Change(
            commit_id=f"installation:{made.id}",
            at=snapshot.now,
            reads=snapshot.versions(),
            puts={keys.INSTALLATION: made},
            removes_access=True,
        )
        if isinstance(ctx.ledger.commit(change), Committed):
            return made
    raise Contended("somebody else keeps writing the installation's name, and it is never there")

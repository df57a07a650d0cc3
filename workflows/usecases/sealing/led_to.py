"""Which changes of the key lead to the one that begins an epoch."""

from __future__ import annotations

from dataclasses import replace

from workflows.core.seal.key_chain import chain_to, handed_over
from workflows.ports import Verifier
from workflows.usecases.sealing.archivist import Archivist
from workflows.usecases.sealing.ground import Ground, NotSealed
from workflows.usecases.sealing.noted import Seen


def led_to(archivist: Archivist, seen: Seen, ground: Ground, verify: Verifier) -> Ground:
    """With them, where nothing was signed before in this epoch, so that auditors can follow from there, too. A ledger that lost
    all has them from the archive.

    Raises NotSealed where our key has handed over to another one: nobody would believe what it signs.
    """
    if not ground.begins:
        return ground
    own = seen.state.key_changes if seen.state is not None else ()
    changes = (*own, *archivist.changes(seen.made.id, seen.made.epoch))
    if gone := handed_over(seen.key, seen.made.id, changes, verify):
        raise NotSealed(
            f"PRODACCESS_AUDIT_KEY is the key {gone.old[:12]}, which has handed over to {gone.new[:12]}: give workers that "
            "one, or a new one where it is lost"
        )
    return replace(ground, key_changes=chain_to(seen.key, seen.made.id, changes, verify) or ground.key_changes)

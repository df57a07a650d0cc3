"""What one bite stands on: looked at anew each time, and nothing leaves where any of it is in doubt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.policy import Policy
from workflows.core.records.installation import Installation
from workflows.core.records.retained import Retained
from workflows.core.records.seal import SealState
from workflows.core.seal.layout import folder
from workflows.ports import Snapshot
from workflows.usecases.shared.context import Context, clock_in_doubt, ledger_in_doubt, not_in_force, older_runs
from workflows.usecases.upkeep.retention.reading_back import NotThere

# A commit of ours is repeated within seconds, if at all.
REMEMBERED_S = 60.0
_RESTS_ON = (
    keys.RETAINED,
    keys.SEAL,
    keys.INSTALLATION,
    keys.ACTIVE_POLICY,
    keys.LEDGER_DOUBT,
    keys.CLOCK,
    keys.OLDER,
)


@dataclass(frozen=True, slots=True)
class Ground:
    """`stands`: the note. `folder`: of this log in the archive. `before`: what was over by then may leave."""

    snapshot: Snapshot
    stands: Retained
    seal: SealState
    folder: str
    before: datetime


def ground_of(ctx: Context, policy: Policy, retention: timedelta) -> Ground:
    """Raises NotThere, which says why nothing may leave now."""
    snapshot = ctx.ledger.read(*_RESTS_ON)
    made, seal = snapshot.readable(keys.INSTALLATION, Installation), snapshot.readable(keys.SEAL, SealState)
    if why := _why_not(snapshot, policy):
        raise NotThere(why)
    if seal is None or made is None or not seal.archived:
        raise NotThere("nothing is sealed and archived")
    if seal.archive_problem:
        raise NotThere(f"the archive has a problem: {seal.archive_problem.rstrip('.')}")
    stands = snapshot.get(keys.RETAINED, Retained) or Retained()
    return Ground(snapshot, stands, seal, folder(made.id, made.epoch), snapshot.now - retention)


def _why_not(snapshot: Snapshot, policy: Policy) -> str:
    if not_in_force(snapshot, policy):
        return "the worker that seals has another copy of the policy than the one in force"
    if ledger_in_doubt(snapshot):
        return "the ledger may be an older copy of itself"
    if clock_in_doubt(snapshot):
        return "the ledger's clock is in doubt"
    if older_runs(snapshot):
        return "processes of an older version run"
    return "its note of what has left cannot be read" if snapshot.items[keys.RETAINED].problem else ""

"""The looks of a pass, in parts: there may be a hundred thousand, and each step takes the one that comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workflows.core import keys
from workflows.core.policy import Policy
from workflows.core.records.drift import DriftPass, DriftPlan, Look
from workflows.ports import Change, Committed, Fence
from workflows.usecases.drift.plan import Planned
from workflows.usecases.shared.context import Context

# Looks in one part, and parts in one commit: a look of something that hundreds of roles give names all of them.
PART = 10
_PARTS_AT_ONCE = 10


def part_of(look: int) -> int:
    """In which part a look stands, by its place in the pass."""
    return look // PART


def write(ctx: Context, fence: Fence, policy: Policy, number: int, planned: Planned, before: int) -> bool:
    """All parts, in place of those of a pass of so many looks `before`. False where somebody else carries it on."""
    parts = {
        keys.drift_plan(part): DriftPlan(
            number, policy.hash, planned.looks[part * PART : (part + 1) * PART], (), complete
        )
        for complete in (not planned.not_known,)
        for part in range(_parts(len(planned.looks)))
    }
    surplus = [keys.drift_plan(part) for part in range(len(parts), _parts(before))]
    names = [*parts, *surplus, keys.DRIFT_PLAN]
    some = (names[first : first + _PARTS_AT_ONCE] for first in range(0, len(names), _PARTS_AT_ONCE))
    return all(_written(ctx, fence, number, parts, part) for part in some)


def _parts(looks: int) -> int:
    """One at least: it says which policy was planned."""
    return part_of(max(looks - 1, 0)) + 1


def _written(ctx: Context, fence: Fence, number: int, parts: dict[str, DriftPlan], names: Sequence[str]) -> bool:
    snapshot = ctx.ledger.read(*names)
    change = Change(
        commit_id=f"drift-plan:{number}:{names[0]}:{fence.number}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={name: parts[name] for name in names if name in parts},
        deletes=frozenset(name for name in names if name not in parts and not snapshot.items[name].is_absent),
        fence=fence,
        removes_access=True,
    )
    return isinstance(ctx.ledger.commit(change), Committed)


def read_looks(ctx: Context, policy: Policy, stands: DriftPass) -> Iterator[tuple[Look, ...] | None]:
    """Those of the pass that runs, a part at a time; None for one that is not there, or cannot be read."""
    for part in range(_parts(stands.planned)):
        key = keys.drift_plan(part)
        found = ctx.ledger.read(key).readable(key, DriftPlan)
        is_its = found is not None and (found.number, found.policy) == (stands.number, policy.hash)
        yield found.looks if found is not None and is_its else None

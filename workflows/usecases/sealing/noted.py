"""The ledger's own note of what is sealed: as it was when a round began, and as it becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.records.installation import Installation
from workflows.core.records.seal import SealState
from workflows.core.seal import layout
from workflows.core.seal.public_key import PublicKey
from workflows.ports import Change, Committed, Fence, Lease, Signer, Snapshot
from workflows.usecases.sealing.batch import Batch
from workflows.usecases.sealing.ground import NotSealed
from workflows.usecases.sealing.subjects import BEGUN, missing_from
from workflows.usecases.shared.context import SOON, Context, event
from workflows.usecases.shared.installation import installation

# A commit of ours is repeated within seconds, if at all.
REMEMBERED_S = 60.0
# What goes onto the record with a note, at the time of the commit.
Events = Callable[[Snapshot], tuple[AuditEvent, ...]]


def no_events(_snapshot: Snapshot) -> tuple[AuditEvent, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Seen:
    """`state`: None where nothing was ever sealed. `key`: the one that signs now."""

    snapshot: Snapshot
    made: Installation
    state: SealState | None
    key: PublicKey

    @property
    def folder(self) -> str:
        return layout.folder(self.made.id, self.made.epoch)

    @property
    def version(self) -> int:
        return self.snapshot.items[keys.SEAL].version


def see(ctx: Context, signer: Signer) -> Seen:
    """Raises NotSealed, SignerUnavailable."""
    snapshot = ctx.ledger.read(keys.SEAL, keys.LEDGER_DOUBT, keys.INSTALLATION, keys.RETAINED)
    if not snapshot.items[keys.LEDGER_DOUBT].is_absent:
        # Which has an alarm of its own.
        raise NotSealed(
            "the ledger may be an older copy of itself: nothing is signed until that is cleared up", alarms=False
        )
    made = snapshot.get(keys.INSTALLATION, Installation) or installation(ctx)
    return Seen(snapshot, made, snapshot.get(keys.SEAL, SealState), signer.public)


def events_of(ctx: Context, seen: Seen, state: SealState, batch: Batch) -> Events:
    """With the head of this batch: that sealing began, and that entries are missing."""

    def made(snapshot: Snapshot) -> tuple[AuditEvent, ...]:
        found: list[AuditEvent] = []
        if seen.state is None:
            facts = {"key": seen.key.fingerprint, "size": str(state.size)}
            found.append(event(ctx, Event.AUDIT_SEALING_STARTED, BEGUN, snapshot, facts))
        if missing := batch.missing:
            facts = {"first": str(missing[0]), "count": str(len(missing))}
            found.append(event(ctx, Event.AUDIT_ENTRY_MISSING, missing_from(missing[0]), snapshot, facts))
        return tuple(found)

    return made


def with_problem(state: SealState, problem: str, seen: Seen) -> SealState:
    """`problem`: the archive's, empty where all is well."""
    before = seen.state
    since = before.since if before is not None and before.archive_problem else seen.snapshot.now
    return replace(state, archive_problem=problem, since=since if problem else None)


def put(ctx: Context, lease: Lease, seen: Seen, state: SealState, events: Events = no_events) -> bool:
    """Whether it stands there: not where somebody else was first, or the lease is over.

    A signature or an archive that took its time does not make it stale: it was not decided on anything that can change meanwhile.
    """
    snapshot = seen.snapshot
    for _ in range(2):
        audit = events(snapshot)
        result = ctx.ledger.commit(_change(ctx, lease, seen, state, snapshot, audit))
        if isinstance(result, Committed):
            ctx.wake(*(keys.chat(entry.subject) for entry in audit))
            return True
        if result.why != "stale":
            return False
        snapshot = ctx.ledger.read(keys.SEAL)
    return False


def _change(
    ctx: Context,
    lease: Lease,
    seen: Seen,
    state: SealState,
    snapshot: Snapshot,
    audit: tuple[AuditEvent, ...],
) -> Change:
    return Change(
        commit_id=f"seal:{seen.version}:{ctx.chance.hex(12)}",
        at=snapshot.now,
        reads={keys.SEAL: seen.version},
        puts={} if state == seen.state else {keys.SEAL: state},
        due={keys.chat(entry.subject): snapshot.now + SOON for entry in audit},
        audit=audit,
        fence=Fence(lease.name, lease.number),
        removes_access=True,
        remembered_s=REMEMBERED_S,
        sealed=state.size,
    )

"""Another key signs the audit log from now on; the one before it says so, on the record."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.records.installation import Installation
from workflows.core.records.seal import SealState
from workflows.core.refusal import Refused
from workflows.core.rules.eligibility import clean, text_problem
from workflows.core.seal import layout
from workflows.core.seal.key_chain import signed_changes
from workflows.core.seal.public_key import PublicKey, Seal
from workflows.core.seal.statement import KeyChange, key_change, key_change_in, signed
from workflows.ports import Archive, Change, Fence, Lease, Signer, Snapshot, Verifier
from workflows.usecases.sealing.archived import archived_changes
from workflows.usecases.sealing.ground import newest_key
from workflows.usecases.sealing.keeping import Keeper
from workflows.usecases.sealing.subjects import key_changed_at
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, event, run


@dataclass(frozen=True, slots=True)
class Kept:
    """The archive, which has the change before it counts: else it would be lost with Redis before the new key's first head."""

    archive: Archive
    verify: Verifier

    def before(self, made: Installation, change: KeyChange) -> Seal | None:
        """The same change, where an earlier try has brought it there and no further."""
        there = archived_changes(self.archive, layout.folder(made.id, made.epoch))
        for seal, found in signed_changes(made.id, there, self.verify):
            if (found.old, found.new, found.size, found.epoch) == (change.old, change.new, change.size, change.epoch):
                return seal
        return None

    def keep(self, made: Installation, state: SealState) -> None:
        Keeper(self.verify, None).keys(self.archive, layout.folder(made.id, made.epoch), state)


def change_key(
    ctx: Context, old: Signer, new: PublicKey, by: str, reason: str, kept: Kept | None = None
) -> Outcome | Refused:
    """`Outcome.outcome`: `changed`; `unsealed` where nothing is sealed yet; `same` where `new` signs already; `unknown` where
    `old` is not the key that signs now; `used` where `new` signed before; `busy` while the log is being sealed;
    `no_archive` where the log is archived and `kept` is None.

    Raises SignerUnavailable; ArchiveUnavailable; ArchiveConflict where the archive has another change. Nothing is changed then.
    From then on heads are `new`'s to sign, and the old key's are believed up to what is sealed.
    """
    problem = text_problem(reason, {"what": "audit rotate"})
    if problem:
        return problem
    private = {"actor_name": clean(by), "reason": clean(reason)}
    # A head that the sealer has in its hands would reach the archive, signed by a key whose time was over.
    lease = ctx.ledger.acquire(keys.SEAL)
    if lease is None:
        return Outcome("audit", "busy")
    try:
        return run(ctx, lambda: _change(ctx, lease, old, new, private, kept))
    finally:
        ctx.ledger.release(lease)


def _change(
    ctx: Context, lease: Lease, old: Signer, new: PublicKey, private: dict[str, str], kept: Kept | None
) -> CommitAttempt | Outcome:
    snapshot = ctx.ledger.read(keys.SEAL, keys.INSTALLATION)
    state = snapshot.get(keys.SEAL, SealState)
    made = snapshot.get(keys.INSTALLATION, Installation)
    if state is None or made is None:
        return Outcome("audit", "unsealed")
    if found := _why_not(state, old.public, new):
        return Outcome("audit", found)
    if kept is None and state.archived:
        return Outcome("audit", "no_archive")
    change = key_change(made.id, old.public, new, state.size, snapshot.now, made.epoch)
    seal = kept.before(made, change) if kept is not None else None
    if seal is None:
        seal = signed(change.statement, old.public, old.sign(change.statement.encode()))
    after = replace(state, key_changes=(*state.key_changes, seal))
    if kept is not None:
        kept.keep(made, after)
    return _commit(ctx, lease, snapshot, after, seal, private)


def _why_not(state: SealState, old: PublicKey, new: PublicKey) -> str:
    now = newest_key(state)
    if now == new.fingerprint:
        return "same"
    if now != old.fingerprint:
        return "unknown"
    before = {key_change_in(each.statement).old for each in state.key_changes}
    return "used" if new.fingerprint in before else ""


def _commit(
    ctx: Context, lease: Lease, snapshot: Snapshot, state: SealState, seal: Seal, private: dict[str, str]
) -> CommitAttempt:
    said = key_change_in(seal.statement)
    subject = key_changed_at(state.size)
    done = Outcome("audit", "changed")
    facts = {"old": said.old, "new": said.new, "size": str(state.size)}
    change = Change(
        commit_id=f"audit-key:{said.new[:16]}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.SEAL: state},
        due={keys.chat(subject): snapshot.now + SOON},
        audit=(event(ctx, Event.AUDIT_KEY_CHANGED, subject, snapshot, facts, private),),
        fence=Fence(lease.name, lease.number),
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject),))

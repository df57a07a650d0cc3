"""Signs the head of the audit log, soon after each entry, and keeps what was signed in the archive. One at a time.

Nothing is signed that was not read and held against what was signed before: a ledger that was set back, or written over, is
never signed over; it is doubted instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from workflows.core import keys
from workflows.core.ledger_doubt import Sign
from workflows.core.records.seal import SealState
from workflows.core.seal.public_key import Seal, pem_of
from workflows.core.seal.statement import Head, fits, head_in, signed
from workflows.ports import (
    LEASE_S,
    Archive,
    Lease,
    LeaseRenewer,
    Signer,
    SignerUnavailable,
    Verifier,
    WordsCipher,
)
from workflows.usecases.sealing.adopt import grown_to, may_be_ours
from workflows.usecases.sealing.archivist import AGAIN_S, Archivist
from workflows.usecases.sealing.batch import Batch, gone_from_the_end, next_batch
from workflows.usecases.sealing.beside import has_other_log
from workflows.usecases.sealing.ground import Distrusted, Ground, NotSealed, ground_of
from workflows.usecases.sealing.hiding import Hiding
from workflows.usecases.sealing.keeping import HeadTaken
from workflows.usecases.sealing.led_to import led_to
from workflows.usecases.sealing.noted import Seen, events_of, put, see, with_problem
from workflows.usecases.sealing.whole_log import whole_log
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.ledger_doubt import raise_doubt
from workflows.usecases.shared.troubles import Failure, note, over

# One job signs for so long, in seconds, where there is much to do; then the clock wakes another one.
WORK_S = 30.0


class Sealer:
    """`archive`, `cipher` of words: None where there is none. Lives as long as its process: it knows what it has just signed."""

    def __init__(
        self,
        ctx: Context,
        signer: Signer,
        archive: Archive | None,
        verify: Verifier,
        leases: LeaseRenewer,
        monotonic_s: Callable[[], float],
        cipher: WordsCipher | None = None,
    ) -> None:
        self._ctx, self._signer, self._verify = ctx, signer, verify
        self._leases, self._monotonic_s = leases, monotonic_s
        self._archivist = Archivist(archive, monotonic_s, verify, Hiding(ctx, cipher) if cipher is not None else None)
        # While this stands on the ledger the archive has no newer one that could have been lost.
        self._mine = ""
        self._failed = False

    def seal(self) -> None:
        """Sign what is not signed, and archive what is not archived. What is in the way becomes a trouble, or a doubt.

        Raises LedgerUnreachable.
        """
        lease = self._ctx.ledger.acquire(keys.SEAL)
        if lease is None:
            self._ctx.ledger.remind(keys.SEAL, LEASE_S / 2)
            return
        try:
            with self._leases.keep(lease) as current:
                self._work(current)
            self._works()
        except Distrusted as problem:
            raise_doubt(self._ctx, problem.why, problem.facts, epoch=problem.epoch)
            self._note(problem.words)
        except NotSealed as problem:
            self._note(problem.words, alarms=problem.alarms)
        except SignerUnavailable as problem:
            self._note(problem.words)
        finally:
            self._ctx.ledger.release(lease)

    def _note(self, words: str, *, alarms: bool = True) -> None:
        self._failed = True
        note(self._ctx, keys.SEAL, Failure(words, alarms=alarms))

    def _works(self) -> None:
        if self._failed:
            over(self._ctx, keys.SEAL)
            self._failed = False

    def _work(self, current: Callable[[], Lease | None]) -> None:
        began_s = self._monotonic_s()
        while self._monotonic_s() - began_s < WORK_S:
            lease = current()
            if lease is None or not self._round(lease):
                return

    def _round(self, lease: Lease) -> bool:
        """Returns whether there is more to do now."""
        seen = see(self._ctx, self._signer)
        ground = ground_of(seen.state, seen.made, seen.key, self._verify)
        if seen.state is None or seen.state.seal.statement != self._mine:
            above = -1 if ground.begins else ground.size
            newer = self._archivist.newer_head(seen.folder, above, lambda seal: may_be_ours(seal, seen, self._verify))
            if newer is not None:
                return self._adopt(lease, seen, ground, newer)
        if seen.state is None or not seen.state.archived:
            # Before anything of this log is in the archive; one that is away does not hold up the seal.
            self._archivist.look_once(
                seen.folder, lambda there: has_other_log(there, seen, self._ctx.ledger, self._verify)
            )
        if ground.begins and self._signed_here(seen):
            words = "the note of what is sealed is gone: somebody has deleted it"
            raise Distrusted(Sign.CHANGED, words, {"seen": str(head_in(self._mine).size)})
        batch = next_batch(whole_log(self._archivist, self._ctx.ledger, seen, ground.size), ground)
        if not batch.entries and not ground.begins:
            batch = gone_from_the_end(self._ctx.ledger, ground)
        if batch.entries or ground.begins:
            return self._sign(lease, seen, led_to(self._archivist, seen, ground, self._verify), batch)
        return self._rest(lease, seen, ground)

    def _signed_here(self, seen: Seen) -> bool:
        """Whether this process has signed a head of this log, in this epoch."""
        mine = head_in(self._mine) if self._mine else None
        return mine is not None and (mine.log, mine.epoch) == (seen.made.id, seen.made.epoch)

    # ------------------------------------------------------------ a head

    def _sign(self, lease: Lease, seen: Seen, ground: Ground, batch: Batch) -> bool:
        root = batch.tree.root().hex()
        head = Head(seen.made.id, batch.tree.size, root, seen.snapshot.now, seen.made.epoch, ground.before)
        seal = signed(head.statement, seen.key, self._signer.sign(head.statement.encode()))
        if not fits(seal, seen.key, self._verify):
            raise NotSealed("what signs is not the key that it says it is")
        state = _state(seen, replace(ground, tree=batch.tree, link=batch.link), head, seal)
        try:
            if ground.archived == ground.size and self._archivist.keep(seen.folder, batch.entries, state):
                state = replace(state, archived=state.size)
        except HeadTaken as taken:
            return self._adopt(lease, seen, ground, taken.seal, kept=True)
        state = with_problem(state, self._archivist.problem, seen)
        if put(self._ctx, lease, seen, state, events_of(self._ctx, seen, state, batch)):
            self._mine = seal.statement
        # That sealing began is an entry, too; what else came meanwhile is due in a second.
        return self._archive_follows(state) or batch.more or seen.state is None

    def _adopt(self, lease: Lease, seen: Seen, ground: Ground, archived: Seal, *, kept: bool = False) -> bool:
        """`kept`: the archive has all that the head stands over."""
        log = whole_log(self._archivist, self._ctx.ledger, seen, ground.size)
        head, grown = grown_to(log, ground, archived, seen.key, self._verify)
        state = _state(seen, led_to(self._archivist, seen, grown, self._verify), head, archived)
        # The run of a head is there before the head is.
        done = head.size if kept or ground.archived == ground.size else ground.archived
        put(self._ctx, lease, seen, with_problem(replace(state, archived=done), self._archivist.problem, seen))
        return True

    # ------------------------------------------------------------ nothing to sign

    def _rest(self, lease: Lease, seen: Seen, ground: Ground) -> bool:
        """Let the archive follow; then there is nothing to do until the next entry."""
        state = seen.state
        if state is None:
            return False
        behind = self._archivist.is_there and state.archived < state.size
        try:
            log = whole_log(self._archivist, self._ctx.ledger, seen, state.archived)
            archived = self._archivist.catch_up(log, seen.folder, state) if behind else state.archived
        except HeadTaken as taken:
            return self._adopt(lease, seen, ground, taken.seal, kept=True)
        now = with_problem(replace(state, archived=archived), self._archivist.problem, seen)
        return put(self._ctx, lease, seen, now) and self._archive_follows(now)

    def _archive_follows(self, state: SealState) -> bool:
        """Whether there is more to archive now; what failed a moment ago is due again later."""
        behind = self._archivist.is_there and state.archived < state.size
        if behind and not self._archivist.works:
            self._ctx.ledger.remind(keys.SEAL, AGAIN_S)
        return behind and self._archivist.works


def _state(seen: Seen, grown: Ground, head: Head, seal: Seal) -> SealState:
    return SealState(
        size=head.size,
        root=head.root,
        frontier=tuple(part.hex() for part in grown.tree.frontier),
        at=head.at,
        seal=seal,
        link=grown.link or "",
        public_key=pem_of(seen.key),
        key_changes=grown.key_changes,
        archived=grown.archived,
    )

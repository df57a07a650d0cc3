"""What the next head stands on: the newest one, looked at as if somebody had been at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workflows.core.ledger_doubt import Sign
from workflows.core.records.installation import Installation
from workflows.core.records.seal import SealState
from workflows.core.seal.merkle import Tree
from workflows.core.seal.public_key import NotAPublicKey, PublicKey, Seal, public_key_from
from workflows.core.seal.statement import BadSeal, Head, fits, head_in, key_change_in, statement_digest
from workflows.ports import Verifier


class NotSealed(Exception):
    """Nothing is signed; somebody has to see to it. `words`: why, as in `sealing fails: WORDS`."""

    def __init__(self, words: str, *, alarms: bool = True) -> None:
        super().__init__(words)
        self.words = words
        self.alarms = alarms


class Distrusted(NotSealed):
    """The ledger is not what was signed of it: nothing is signed over it, and nothing given on it. `facts`: as `raise_doubt` has
    them. `epoch`: the highest that is known from elsewhere.
    """

    def __init__(self, why: Sign, words: str, facts: Mapping[str, str], epoch: int = 0) -> None:
        super().__init__(words)
        self.why = why
        self.facts = dict(facts)
        self.epoch = epoch


@dataclass(frozen=True, slots=True)
class Ground:
    """`tree` grows; `link`: of its newest entry, None where nobody can know it. `before`: digest of the newest statement.
    `archived`: so many entries are in the archive. `begins`: no head was signed before, or none in this epoch.
    """

    tree: Tree
    link: str | None = ""
    before: str = ""
    archived: int = 0
    key_changes: tuple[Seal, ...] = field(default=())
    begins: bool = False

    @property
    def size(self) -> int:
        return self.tree.size


def ground_of(state: SealState | None, made: Installation, key: PublicKey, verify: Verifier) -> Ground:
    """Raises NotSealed where `key` is not the one whose turn it is, and Distrusted where the record is not what was signed.

    An epoch that an operator has begun may begin with any key: one that was lost cannot hand over.
    """
    if state is None:
        return Ground(Tree(), begins=True)
    head = _own_head(state, made, verify)
    newest, before = newest_key(state), statement_digest(state.seal.statement)
    if head.epoch < made.epoch:
        changes = state.key_changes if key.fingerprint == newest else ()
        return Ground(Tree(), before=before, key_changes=changes, begins=True)
    if key.fingerprint != newest:
        raise NotSealed(
            f"PRODACCESS_AUDIT_KEY is the key {key.fingerprint[:12]}, and the log is sealed by {newest[:12]}: give workers that "
            "one, or change the key with `prodaccess audit rotate`"
        )
    return Ground(_tree(state, head), state.link or None, before, state.archived, state.key_changes)


def newest_key(state: SealState) -> str:
    """The fingerprint of the key that signs the next head. Raises Distrusted where that cannot be read."""
    try:
        return key_change_in(state.key_changes[-1].statement).new if state.key_changes else state.seal.key
    except BadSeal:
        raise _rewritten(state, "comes with a change of the key that cannot be read") from None


def _own_head(state: SealState, made: Installation, verify: Verifier) -> Head:
    try:
        head, signer = head_in(state.seal.statement), public_key_from(state.public_key)
    except (BadSeal, NotAPublicKey):
        raise _rewritten(state, "cannot be read") from None
    if not fits(state.seal, signer, verify) or head.log != made.id or head.epoch > made.epoch:
        raise _rewritten(state, "is not one that was signed for this installation")
    if (head.size, head.root) != (state.size, state.root):
        raise _rewritten(state, "is not what its note says")
    if not 0 <= state.archived <= state.size:
        # Else nothing more would ever go to the archive.
        raise _rewritten(state, "is said to be archived up to where nothing is sealed")
    return head


def _tree(state: SealState, head: Head) -> Tree:
    try:
        tree = Tree(state.size, [bytes.fromhex(part) for part in state.frontier])
    except ValueError:
        raise _rewritten(state, "has no tree that fits") from None
    if tree.root().hex() != head.root:
        raise _rewritten(state, "has another tree than the one that was signed")
    return tree


def _rewritten(state: SealState, how: str) -> Distrusted:
    return Distrusted(
        Sign.CHANGED,
        f"the ledger's newest seal, of #{state.size}, {how}: somebody has changed it",
        {"seen": str(state.size)},
    )

"""A head that is in the archive and not on the ledger: signed by whoever died before they could note it, or proof that the ledger
is an older copy of itself, or another one.
"""

from __future__ import annotations

from dataclasses import replace

from workflows.core.ledger_doubt import Sign
from workflows.core.seal.public_key import NotAPublicKey, PublicKey, Seal, public_key_from
from workflows.core.seal.statement import BadSeal, Head, fits, head_in
from workflows.ports import Verifier
from workflows.usecases.sealing.batch import next_batch
from workflows.usecases.sealing.ground import Distrusted, Ground
from workflows.usecases.sealing.noted import Seen
from workflows.usecases.sealing.past_log import Log


def may_be_ours(seal: Seal, seen: Seen, verify: Verifier) -> bool:
    """Whether the key that signs now, or the one that signed last, has signed it for this log and epoch. Where the ledger has no
    note any more nobody knows which keys have signed, so that each head has to be looked at.
    """
    if seen.state is None:
        return True
    try:
        head, before = head_in(seal.statement), public_key_from(seen.state.public_key)
    except (BadSeal, NotAPublicKey):
        return False
    same = (head.log, head.epoch) == (seen.made.id, seen.made.epoch)
    return same and (fits(seal, seen.key, verify) or fits(seal, before, verify))


def grown_to(ledger: Log, ground: Ground, archived: Seal, key: PublicKey, verify: Verifier) -> tuple[Head, Ground]:
    """What the head says, and the ledger's entries up to it, where they are the head's. Raises Distrusted where they are not."""
    try:
        head = head_in(archived.statement)
    except BadSeal:
        raise Distrusted(Sign.ARCHIVE_DIFFERS, "the archive has a head that cannot be read", {}) from None
    counted = ledger.head()
    facts = {"seen": str(head.size), "seen_at": head.at.isoformat(), "newest": str(counted)}
    if counted < head.size:
        words = f"the archive has a head of #{head.size}, and the ledger ends at #{counted}"
        raise Distrusted(Sign.ARCHIVE_AHEAD, words, facts)
    if not fits(archived, key, verify):
        words = f"the archive has a head of #{head.size} that another key has signed"
        raise Distrusted(Sign.ARCHIVE_DIFFERS, words, facts)
    while ground.size < head.size:
        batch = next_batch(ledger, ground, head.size)
        if not batch.entries:
            break
        ground = replace(ground, tree=batch.tree, link=batch.link)
    if (ground.size, ground.tree.root().hex()) != (head.size, head.root):
        words = f"the archive has a head of #{head.size}, and the ledger's entries are others"
        raise Distrusted(Sign.ARCHIVE_DIFFERS, words, facts)
    return head, ground

"""Changes of the key, seen from the key that signs now. Each is believed only where the key that it names has signed it."""

from __future__ import annotations

from collections.abc import Iterable

from workflows.core.seal.public_key import NotAPublicKey, PublicKey, Seal, public_key_from
from workflows.core.seal.statement import BadSeal, KeyChange, Verify, fits, key_change_in

# More than an installation has in its life. They stand in one record.
CHAIN_MAX = 200


def chain_to(key: PublicKey, log: str, changes: Iterable[Seal], verify: Verify) -> tuple[Seal, ...]:
    """All that lead to `key`, of which those that name it are the last; `changes` in any order.

    Whoever can write there can name `key` as the one after theirs. That is no harm: an auditor follows from a key of their own,
    and from the one that is true there is a way. So none is left out in favour of another one, up to `CHAIN_MAX`.
    """
    by_new: dict[str, dict[str, Seal]] = {}
    for seal, change in signed_changes(log, changes, verify):
        by_new.setdefault(change.new, {}).setdefault(change.old, seal)
    chain: list[Seal] = []
    seen, ahead = {key.fingerprint}, [key.fingerprint]
    while ahead and len(chain) < CHAIN_MAX:
        for old, seal in by_new.get(ahead.pop(0), {}).items():
            chain.append(seal)
            if old not in seen:
                seen.add(old)
                ahead.append(old)
    return tuple(reversed(chain[:CHAIN_MAX]))


def handed_over(key: PublicKey, log: str, changes: Iterable[Seal], verify: Verify) -> KeyChange | None:
    """What `key` itself has signed: that another one follows it."""
    signed = (change for _, change in signed_changes(log, changes, verify) if change.old == key.fingerprint)
    return next(signed, None)


def signed_changes(log: str, changes: Iterable[Seal], verify: Verify) -> Iterable[tuple[Seal, KeyChange]]:
    """Those of this log that the key which they name as the old one has signed."""
    for seal in changes:
        try:
            change = key_change_in(seal.statement)
            old = public_key_from(change.old_key)
        except (BadSeal, NotAPublicKey):
            continue
        if change.log == log and change.old == old.fingerprint and fits(seal, old, verify):
            yield seal, change

"""Which of a log's epochs `prodaccess ledger rebuild` reads. All raise ArchiveUnavailable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bot.cli.audit.candidates import candidates
from workflows.core.seal.layout import folder
from workflows.core.seal.public_key import PublicKey
from workflows.core.seal.statement import BadSeal
from workflows.core.seal.trust import Trust
from workflows.ports import Archive
from workflows.signing import verify
from workflows.usecases.sealing.archived import archived_changes, archived_heads, archived_keys


def keys_of(archive: Archive, log: str, epochs: Sequence[int]) -> Iterator[PublicKey]:
    """Believe none of them but by its fingerprint."""
    for epoch in epochs:
        at = folder(log, epoch)
        yield from archived_keys(archive, at)
        yield from candidates("", archived_changes(archive, at))


def newest_proved(
    archive: Archive, log: str, epochs: Sequence[int], key: PublicKey, say: Callable[[str], object]
) -> tuple[int, Trust]:
    """The newest of `epochs`, which ascend, with a head that `key` proves, or one that followed it; else the newest. Whoever may
    write into the archive can make a folder that looks like an epoch.
    """

    def trust(upto: int) -> Trust:
        there = (each for each in epochs if each <= upto)
        return Trust(
            key, verify, log, (change for at in there for change in archived_changes(archive, folder(log, at)))
        )

    passed: list[str] = []
    for epoch in reversed(epochs):
        found = trust(epoch)
        if _has_head(archive, log, epoch, found):
            if passed:
                say(
                    f"Epoch {', '.join(passed)} has no head that your key proves: epoch {epoch} is read. Where that is wrong, "
                    "give the key that signed there, or say --epoch."
                )
            return epoch, found
        passed.insert(0, str(epoch))
    if len(epochs) > 1:
        say(
            f"No epoch has a head that your key proves. The archive has {', '.join(passed)}: --epoch says which is meant."
        )
    return epochs[-1], trust(epochs[-1])


def _has_head(archive: Archive, log: str, epoch: int, trust: Trust) -> bool:
    for seal in archived_heads(archive, folder(log, epoch)):
        try:
            if trust.head(seal).epoch == epoch:
                return True
        except BadSeal:
            continue
    return False

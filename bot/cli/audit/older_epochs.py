"""What the archive has of older epochs of the same log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from workflows.core.records.installation import Installation
from workflows.core.seal.epochs import Finding, Log, against
from workflows.core.seal.layout import folder
from workflows.core.seal.public_key import PublicKey
from workflows.signing.verify import verify
from workflows.usecases.sealing.archived import archived_entries
from workflows.usecases.sealing.other_logs import logs, newest_head

if TYPE_CHECKING:
    from workflows.ports import ReadableArchive


def older_epochs(
    archive: ReadableArchive,
    made: Installation,
    keys: Sequence[PublicKey],
    log: Log,
    knows: Callable[[str], bool] = lambda _key: True,
) -> Iterator[Finding]:
    """`keys`: the auditor's own, and those that followed; none: whoever signed is believed. `knows`: whether the chain
    of keys has the one with this fingerprint. Raises ArchiveUnavailable.
    """
    # Those that are there: the number that stands in the ledger may be any.
    for epoch in sorted(epoch for id_, epoch in logs(archive) if id_ == made.id and epoch < made.epoch):
        at = folder(made.id, epoch)
        newest = newest_head(archive, at, keys, verify)
        if newest is None:
            yield from _of_another_key(archive, at, knows)
            continue
        head, _ = newest
        if head.log == made.id and head.epoch == epoch:
            found = against(head, log, lambda at=at: archived_entries(archive, at))  # type: ignore[misc]  # bound at once
            if found is not None:
                yield found


def _of_another_key(archive: ReadableArchive, log_folder: str, knows: Callable[[str], bool]) -> Iterator[Finding]:
    """A key that was lost could not hand over. Nothing of this is proved: anybody may have written what stands there."""
    newest = newest_head(archive, log_folder, (), verify)
    if newest is not None and not knows(newest[1]):
        head, key = newest
        yield Finding(
            f"Epoch {head.epoch}, up to head {head.shown} of {head.at:%Y-%m-%d %H:%M:%S} UTC, is signed by another key, "
            f"{key[:12]}: the chain of keys does not lead from that one to yours. Check that epoch with that key.",
            is_fault=False,
        )

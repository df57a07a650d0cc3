"""Before the first head of a log: whether our own key has signed another log in the same archive. Then all of Redis was lost, or
somebody has deleted the installation's name, and what is there now would be signed as if nothing had been before.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from workflows.core.ledger_doubt import Sign
from workflows.core.seal import layout
from workflows.core.seal.statement import Head
from workflows.ports import Ledger, Verifier
from workflows.usecases.sealing.ground import Distrusted
from workflows.usecases.sealing.noted import Seen
from workflows.usecases.sealing.other_logs import newest_head, top_folders

if TYPE_CHECKING:
    from workflows.ports import ReadableArchive

# So many folders of an archive are looked into, with two questions each.
FOLDERS_MAX = 1000


def has_other_log(archive: ReadableArchive, seen: Seen, ledger: Ledger, verify: Verifier) -> None:
    """Raises Distrusted, and ArchiveUnavailable.

    A log of an epoch before this installation's does not count: an operator has accepted the ledger since, on the record.
    """
    heads = list(_others(archive, seen, verify))
    if heads:
        found = max(heads, key=lambda head: head.at)
        raise Distrusted(
            Sign.ARCHIVE_AHEAD,
            f"the archive has another log of this key, {found.log[:12]}, up to #{found.size}, of which the ledger knows nothing",
            {"seen": str(found.size), "seen_at": found.at.isoformat(), "newest": str(ledger.head())},
            epoch=max(head.epoch for head in heads),
        )


def _others(archive: ReadableArchive, seen: Seen, verify: Verifier) -> Iterator[Head]:
    for folder in islice(top_folders(archive), FOLDERS_MAX):
        if _is_before(folder, seen) or archive.get(layout.public_key_name(folder, seen.key.fingerprint)) is None:
            continue
        found = newest_head(archive, folder, (seen.key,), verify)
        # Else somebody has copied heads to where they do not belong.
        if found is not None and layout.folder(found[0].log, found[0].epoch) == folder:
            yield found[0]


def _is_before(folder: str, seen: Seen) -> bool:
    """Of this log itself, whose heads are looked at elsewhere; of an earlier epoch; or no log at all."""
    log, _, epoch = folder.rstrip("/").partition("-")
    return log == seen.made.id or not (epoch or "1").isdecimal() or int(epoch or 1) < seen.made.epoch

"""What else stands in the archive: a log of another name beside the one that is checked may be the true one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workflows.core.seal.public_key import PublicKey
from workflows.signing.verify import verify
from workflows.usecases.sealing.other_logs import newest_head, top_folders

if TYPE_CHECKING:
    from workflows.ports import ReadableArchive


def other_logs(archive: ReadableArchive, folder: str, keys: Sequence[PublicKey]) -> Iterator[str]:
    """One sentence for each log of another name whose newest head one of `keys` has signed: the auditor's own, and the one that
    followed it. Without any nothing is said: other installations may share the archive. Nor of an older epoch of the same log:
    see `older_epochs`.
    """
    for other in top_folders(archive):
        same = other.partition("-")[0].rstrip("/") == folder.partition("-")[0].rstrip("/")
        found = None if same or not keys else newest_head(archive, other, keys, verify)
        if found is not None:
            head, _ = found
            yield (
                f"The archive has another log of this key, {head.log[:12]}, with a head of #{head.size} at "
                f"{head.at:%Y-%m-%d %H:%M:%S} UTC: the log that is checked was begun anew, or belongs to another installation."
            )

"""What else stands in an archive: its top folders, and the newest head in each. All raise ArchiveUnavailable."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workflows.core.seal.layout import folder, heads
from workflows.core.seal.public_key import PublicKey
from workflows.core.seal.statement import BadSeal, Head, Verify, fits, head_in, seal_from

if TYPE_CHECKING:
    from workflows.ports import ReadableArchive

# Of a log's heads so many of the newest are looked at first: somebody may have put things there that nobody signed.
NEWEST = 1000
# Behind the slash, in the order of names.
_AFTER_SLASH = "0"
# Of an epoch.
_DIGITS_MAX = 9


def top_folders(archive: ReadableArchive) -> Iterator[str]:
    """Each with its slash, and with one question each, however much is in them."""
    after = ""
    while (name := next(iter(archive.names("", after)), None)) is not None:
        top, slash, _ = name.partition("/")
        if slash:
            yield f"{top}/"
        after = f"{top}{_AFTER_SLASH}" if slash else name


def logs(archive: ReadableArchive) -> Iterator[tuple[str, int]]:
    """Id and epoch of each log that there is, as the names of folders have it."""
    for top in top_folders(archive):
        id_, _, epoch = top.rstrip("/").partition("-")
        if len(epoch) <= _DIGITS_MAX and (epoch or "1").isdecimal() and folder(id_, int(epoch or 1)) == top:
            yield id_, int(epoch or 1)


def newest_head(
    archive: ReadableArchive, log_folder: str, keys: Sequence[PublicKey], verify: Verify
) -> tuple[Head, str] | None:
    """The newest head there that one of `keys` has signed (anybody, where there are none), and the fingerprint that its seal
    names. What nobody signed is passed over, so that whoever may write there hides nothing.
    """
    names = deque(archive.names(heads(log_folder)), NEWEST)
    found = (_signed(archive, name, keys, verify) for name in reversed(names))
    head = next((each for each in found if each is not None), None)
    if head is not None or len(names) < NEWEST:
        return head
    others = (_signed(archive, name, keys, verify) for name in archive.names(heads(log_folder)))
    return next((each for each in others if each is not None), None)


def _signed(archive: ReadableArchive, name: str, keys: Sequence[PublicKey], verify: Verify) -> tuple[Head, str] | None:
    try:
        seal = seal_from(archive.get(name) or b"")
        head = head_in(seal.statement)
    except BadSeal:
        return None
    return (head, seal.key) if not keys or any(fits(seal, key, verify) for key in keys) else None

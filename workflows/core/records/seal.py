"""How far the audit log is sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workflows.core.seal.public_key import Seal


@dataclass(frozen=True, slots=True)
class SealState:
    """The newest signed head, and how far the archive has followed.

    `size`: entries that are sealed, from #1 on. `root`: of their tree, 64 hex digits. `frontier`: the tree's right edge, as
    `merkle.Tree` has it, in hex. `at`: when, on the ledger's clock. `link`: of the newest sealed entry, empty where it has none.
    `public_key`: of the key that signed, PEM; believe it by its fingerprint alone. `key_changes`: each signed by the key before
    it, the oldest first. `archived`: so many entries, and their head, are in the archive; `archive_problem`: why no more are,
    since `since`; empty where all is well or there is no archive.
    """

    size: int
    root: str
    frontier: tuple[str, ...]
    at: datetime
    seal: Seal
    link: str = ""
    public_key: str = ""
    key_changes: tuple[Seal, ...] = ()
    archived: int = 0
    archive_problem: str = ""
    since: datetime | None = None

"""How far the audit log is sealed and archived, in words for the person who runs it."""

from __future__ import annotations

from datetime import timedelta

from workflows.core import keys
from workflows.core.records.seal import SealState
from workflows.ports import Ledger, Snapshot

# An entry is sealed within two seconds. After so long something is in the way.
BEHIND = timedelta(seconds=10)

NO_KEY = "the audit log is not sealed: no worker has PRODACCESS_AUDIT_KEY. `prodaccess audit keygen` makes a key (docs/audit.md)"


def seal_attention(ledger: Ledger) -> list[str]:
    """What somebody has to look at; nothing while all is sealed, and archived where there is an archive."""
    snapshot = ledger.read(keys.SEAL)
    if snapshot.items[keys.SEAL].problem:
        return ["how far the audit log is sealed cannot be read"]
    state = snapshot.get(keys.SEAL, SealState)
    if state is None:
        return [NO_KEY]
    return [*_behind(ledger, snapshot, state), *_not_archived(state)]


def _behind(ledger: Ledger, snapshot: Snapshot, state: SealState) -> list[str]:
    if ledger.newest_seen() <= state.size:
        return []
    waits = ledger.entries(after=state.size, limit=1)
    if not waits or snapshot.now - waits[0].at < BEHIND:
        return []
    return [
        f"sealing is behind since {waits[0].at:%Y-%m-%d %H:%M:%S} UTC: the audit log is sealed up to #{state.size}, and nobody "
        "signs what follows"
    ]


def _not_archived(state: SealState) -> list[str]:
    if not state.archive_problem:
        return []
    since = f" since {state.since:%Y-%m-%d %H:%M:%S} UTC" if state.since else ""
    if state.archived < state.size:
        return [
            f"the audit archive cannot be written{since}, and has entries up to #{state.archived}: {state.archive_problem}"
        ]
    return [f"the audit archive is not safe{since}: {state.archive_problem}"]

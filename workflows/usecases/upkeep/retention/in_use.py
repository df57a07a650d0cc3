"""Which subjects of the audit log are still of use: their entries stay in the ledger, and all that came after them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from workflows.core import keys
from workflows.core.identity import AccountId
from workflows.core.records.drift import DriftPass
from workflows.core.records.leavers import Leavers
from workflows.core.records.policy_in_force import WaitingPolicy
from workflows.core.records.request import ID_PATTERN
from workflows.ports import Snapshot
from workflows.usecases.drift.standing import HOLD
from workflows.usecases.identity.leavers import SUBJECT as LEAVERS
from workflows.usecases.oversight.policy_waiting import subject_of_change
from workflows.usecases.revocation.revoke_all import SUBJECT as BULK
from workflows.usecases.shared.context import Context

# So many accounts on hold are looked at; where there are more, nothing is let go of.
_HOLDS_MAX = 10_000


def in_use(ctx: Context, subjects: Collection[str]) -> dict[str, str]:
    """Of these, each with why: a request that has its record, what chat has not told, what waits for people."""
    requests = [one for one in subjects if ID_PATTERN.fullmatch(one)]
    snapshot = ctx.ledger.read(*_OPEN, *map(keys.request, requests))
    found = {id_: f"{id_} is in the record" for id_ in requests if not snapshot.items[keys.request(id_)].is_absent}
    due = ctx.ledger.due_among([item for subject in subjects for item in _items(subject)])
    found |= {subject: f"{subject} has something to tell" for subject in subjects if due & set(_items(subject))}
    waiting = set(_waiting(ctx, snapshot))
    return found | {subject: f"{subject} waits for people" for subject in subjects if subject in waiting}


_OPEN = (keys.POLICY_WAITING, keys.LEAVERS, keys.DRIFT_PROGRESS)


def _items(subject: str) -> Iterator[str]:
    """What is due while something of a subject is left to do."""
    yield keys.chat(subject)
    if subject.startswith(BULK):
        yield keys.bulk_revocation(subject.removeprefix(BULK))


def _waiting(ctx: Context, snapshot: Snapshot) -> Iterator[str]:
    """Subjects that people are asked about. What cannot be read asks for nothing that could still be shown."""
    policy = snapshot.readable(keys.POLICY_WAITING, WaitingPolicy)
    if policy is not None and policy.holds:
        yield subject_of_change(policy.hash)
    leavers = snapshot.readable(keys.LEAVERS, Leavers)
    if leavers is not None and leavers.finding is not None:
        yield f"{LEAVERS}{leavers.finding.number}"
    drift = snapshot.readable(keys.DRIFT_PROGRESS, DriftPass)
    if drift is not None and drift.held:
        yield f"{HOLD}{drift.hold}"
    yield from (keys.hold_subject(AccountId(one)) for one in ctx.ledger.members(keys.ON_HOLD, limit=_HOLDS_MAX))

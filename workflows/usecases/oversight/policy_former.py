"""Policies from which something of production went lately: they are kept, and what comes back is held against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.canonical_json import digest
from workflows.core.records.policy_in_force import FormerPolicies, FormerPolicy, PolicyFiles
from workflows.ports import Snapshot

Files = Mapping[str, str]

# Whoever wants production forgotten has to do without it for so long.
REMEMBERED = timedelta(days=30)
# So many characters are kept of all of them together; what policies share is kept once.
LENGTH_MAX = 4_000_000
# Lines of what is looser, where nobody can tell more.
NOT_READ = "everywhere: what was in production in the last 30 days is not on record"
TOO_LONG = (
    "everywhere: something leaves production and cannot be remembered for 30 days, because its files are too long"
)


def lately(snapshot: Snapshot) -> Sequence[Files]:
    """Their files, the newest first. `snapshot` has read `keys.POLICY_FORMER`."""
    kept = _kept(snapshot)
    return [{path: kept.texts[name] for path, name in one.files.items()} for one in _young(kept, snapshot.now)]


def is_lost(snapshot: Snapshot) -> bool:
    """Whether there is a record of them that cannot be read."""
    return bool(snapshot.items[keys.POLICY_FORMER].problem)


def remembered(snapshot: Snapshot, files: PolicyFiles) -> FormerPolicies | None:
    """With the policy that goes now; None where that is too much to keep."""
    kept, now = _kept(snapshot), snapshot.now
    names = {path: digest(text) for path, text in files.files.items()}
    others = tuple(one for one in _young(kept, now) if one.hash != files.hash)
    policies = (FormerPolicy(files.hash, now, names), *others)
    texts = {**kept.texts, **{names[path]: text for path, text in files.files.items()}}
    needed = {name: texts[name] for one in policies for name in one.files.values()}
    return FormerPolicies(policies, needed) if sum(map(len, needed.values())) <= LENGTH_MAX else None


def _kept(snapshot: Snapshot) -> FormerPolicies:
    return snapshot.readable(keys.POLICY_FORMER, FormerPolicies) or FormerPolicies()


def _young(kept: FormerPolicies, now: datetime) -> tuple[FormerPolicy, ...]:
    """Of the last 30 days, as far as all of their files are there."""
    return tuple(
        one
        for one in kept.policies
        if now - one.until <= REMEMBERED and all(name in kept.texts for name in one.files.values())
    )

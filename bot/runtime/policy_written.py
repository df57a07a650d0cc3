"""How a policy that comes into force is held against the one before it, and how one that was kept is read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from workflows.core.records.policy_in_force import PolicyFiles
from workflows.usecases.oversight.policy_activation import Compared, NewPolicy, Written


def written(files: Mapping[str, str]) -> Written:
    """The policy of these files."""

    def looser(before: Mapping[str, str], lately: Sequence[Mapping[str, str]], now: datetime) -> Compared | None:
        from workflows.policy_file.looser_words import compared  # noqa: PLC0415 - needed when a policy changes, and not to start

        found = compared(before, files, now, lately)
        return Compared(*found) if found is not None else None

    return Written(files, looser)


def kept_policy(files: PolicyFiles, commit_sha: str | None) -> NewPolicy | None:
    """The policy of files that were kept on the ledger; None where they are not what they were, or not for this version."""
    from workflows.policy_file import difference, summary  # noqa: PLC0415 - as above
    from workflows.policy_file.cron import next_slot  # noqa: PLC0415 - as above
    from workflows.policy_file.folder import Snapshot, hash_of  # noqa: PLC0415 - as above
    from workflows.policy_file.load import understand  # noqa: PLC0415 - as above

    if hash_of(files.files) != files.hash:
        return None
    policy = understand(Snapshot(files.hash, files.files)).policy
    if policy is None:
        return None
    return NewPolicy(policy, summary, difference, next_slot, commit_sha, written(files.files))

"""How a policy that comes into force is held against the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from workflows.usecases.oversight.policy_activation import Compared, Written


def written(files: Mapping[str, str]) -> Written:
    """The policy of these files."""

    def looser(before: Mapping[str, str], now: datetime) -> Compared | None:
        from workflows.policy_file.looser_words import compared  # noqa: PLC0415 - needed when a policy changes, and not to start

        found = compared(before, files, now)
        return Compared(*found) if found is not None else None

    return Written(files, looser)

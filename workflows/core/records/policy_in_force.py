"""Which copy of the policy decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ActivePolicy:
    """The policy in force. Every deciding commit names its hash."""

    hash: str
    activated_at: datetime
    commit_sha: str | None = None


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """The policy in force in words, so that the next activation can say what changed. Apart, because it is large and
    every decision reads `ActivePolicy`."""

    hash: str
    lines: Mapping[str, str] = field(default_factory=dict)

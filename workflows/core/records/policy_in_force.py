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


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """The policy in force as it was written, so that the next one can be held against it by whoever sees it first. Apart, and
    read at an activation alone. `files`: relative path -> text; empty where that was too much to keep."""

    hash: str
    files: Mapping[str, str] = field(default_factory=dict)

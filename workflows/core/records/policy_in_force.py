"""Which copy of the policy decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from workflows.core.identity import AccountId, PersonId

# The line of `PolicySummary` that says whose agreement a change waits for. It stands there also where the files do not.
POLICY_CHANGES_LINE = "workspace: policy_changes"


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


@dataclass(frozen=True, slots=True)
class FormerPolicy:
    """One that was in force until then. `files`: relative path -> a name in `FormerPolicies.texts`."""

    hash: str
    until: datetime
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormerPolicies:
    """Policies from which something of production went lately, the newest first, so that what comes back is held against what
    it was. `texts`: what stands in their files, each once, by its digest."""

    policies: tuple[FormerPolicy, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)


class WaitingState(StrEnum):
    """`OVER`: it came into force, or the folder has changed since."""

    WAITING = "waiting"
    DENIED = "denied"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class PolicyVote:
    """`account`: which pressed; the vote counts while it is theirs and on no hold."""

    by: PersonId
    by_name: str
    at: datetime
    account: AccountId


@dataclass(frozen=True, slots=True)
class WaitingPolicy:
    """A valid folder that is not in force, because it loosens production and `before`, the policy in force, has people asked.

    `asks`: of which groups how many; as `before` says it. Its files stand apart, because this is read often.
    """

    hash: str
    before: str
    since: datetime
    asks: Mapping[str, int]
    commit_sha: str | None = None
    state: WaitingState = WaitingState.WAITING
    votes: tuple[PolicyVote, ...] = ()
    denied_by: str = ""

    @property
    def holds(self) -> bool:
        """Whether the policy in force stays although a folder holds another one."""
        return self.state is not WaitingState.OVER

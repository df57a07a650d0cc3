"""A job of a pipeline: what starts it, what it holds, and whether it speaks of production."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from bot.boundaries.model import Place


class Role(Enum):
    """What a job is to production. UNCLEAR: it holds something, and nothing says of what."""

    PRODUCTION = "production"
    OTHER = "other"
    UNCLEAR = "unclear"
    BARE = "bare"


class What(Enum):
    ENVIRONMENT = "environment"
    TOKEN = "token"  # noqa: S105 - a kind, and none itself
    SECRET = "secret"  # noqa: S105 - as above
    UNSEEN = "unseen"  # whether it is a credential cannot be seen here


@dataclass(frozen=True, slots=True)
class Held:
    """A credential, or what may be one, as words: `the secret DEPLOY_KEY`."""

    words: str
    place: Place
    kind: What


@dataclass(frozen=True, slots=True)
class Named:
    """A text of the job, and where it stands."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Job:
    """`environments`: of the forge; None: worked out by a run. `events`: what starts it, as the forge calls it."""

    forge: str
    id: str
    place: Place
    events: tuple[str, ...]
    role: Role
    environments: tuple[str, ...] | None = ()
    environment_place: Place | None = None
    condition: str = ""
    held: tuple[Held, ...] = ()
    # ARNs of roles that it takes on, as far as they stand there, and keys that last.
    roles: tuple[Named, ...] = ()
    keys: tuple[Named, ...] = ()
    # Environments of ours whose gate it asks for, itself or a job before it.
    gates: tuple[Named, ...] = ()
    # What a push must be to start it: names and patterns of branches; None: any.
    branches: tuple[str, ...] | None = None
    # Places at which Terraform is told not to lock, and at which it is told where its state stands.
    unlocked: tuple[Place, ...] = ()
    led_elsewhere: tuple[Place, ...] = ()
    # Its token may write to the repository, as far as is known.
    writes: bool = False

    @property
    def title(self) -> str:
        return f"job {self.id}"


# What can be started with content that nobody has reviewed.
# https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
UNREVIEWED = (
    "pull_request",
    "pull_request_target",
    "workflow_run",
    "issue_comment",
    "issues",
    "discussion",
    "discussion_comment",
    "fork",
    "watch",
    "gollum",
    "check_run",
    "check_suite",
    "status",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_comment",
    "merge_request_event",
    "external_pull_request_event",
)
# Of these a run's own ref is never a branch: what asks for a branch is skipped there.
_REF_IS_NO_BRANCH = ("pull_request", "pull_request_review", "pull_request_review_comment")
_EVENT_IS = re.compile(r"github\.event_name\s*==\s*'(\w+)'")
_EVENT_IS_NOT = re.compile(r"github\.event_name\s*!=\s*'(\w+)'")
_REF_IS = re.compile(
    r"github\.ref\s*==\s*'refs/(?:heads|tags)/[^']+'|startsWith\(\s*github\.ref\s*,\s*'refs/(?:heads|tags)/[^']*'\s*\)"
)


def keeps_out(condition: str, event: str) -> bool:
    """Whether an `if` surely lets no run of that event on. Parts that are joined by `&&` alone are understood."""
    # With a blank round it, `${{ }}` is a text that is not empty, and so always true.
    text = re.sub(r"\A\$\{\{(.*)\}\}\Z", r"\1", condition, flags=re.DOTALL).strip()
    if not text or "||" in text or "${{" in text or re.search(r"!\s*\(|\balways\(", text):
        return False
    for part in text.split("&&"):
        word = part.strip()
        while word.startswith("(") and word.endswith(")"):
            word = word[1:-1].strip()
        if (found := _EVENT_IS.fullmatch(word)) and found[1] != event:
            return True
        if (found := _EVENT_IS_NOT.fullmatch(word)) and found[1] == event:
            return True
        if event in _REF_IS_NO_BRANCH and _REF_IS.fullmatch(word):
            return True
    return False


_GATE = re.compile(r"\bprodaccess\s+gate\s+[\"']?([a-z0-9][a-z0-9_-]*)")
_UNLOCKED = re.compile(r"-lock=(?:false|0)\b")
_LED_ELSEWHERE = re.compile(r"-backend-config\b|\b(?:terraform|tofu)\b[^\n|;&]*\bworkspace\b")


def gates_in(texts: Iterable[Named]) -> tuple[Named, ...]:
    """Environments of `prodaccess gate ENV` in scripts; not what is commented out."""
    return tuple(
        Named(found[1], one.place) for one in texts for line in _lines(one.text) for found in _GATE.finditer(line)
    )


def unlocked_in(texts: Iterable[Named]) -> tuple[Place, ...]:
    return _found(_UNLOCKED, texts)


def led_elsewhere_in(texts: Iterable[Named]) -> tuple[Place, ...]:
    """Where a backend is given other values than its file has, or another workspace."""
    return _found(_LED_ELSEWHERE, texts)


def _found(pattern: re.Pattern[str], texts: Iterable[Named]) -> tuple[Place, ...]:
    return tuple(one.place for one in texts if any(pattern.search(line) for line in _lines(one.text)))


def _lines(text: str) -> Iterable[str]:
    return (line for line in text.splitlines() if not line.lstrip().startswith("#"))

"""A job of a pipeline: what starts it, what it holds, and whether it speaks of production."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice

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
    # What it runs that may be a file or a folder of the checkout, as it is written.
    paths: tuple[str, ...] = ()
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


# A longer one keeps nobody out, as far as this program is concerned.
_CONDITION_MAX, _PARENTHESES_MAX = 4_000, 20


def keeps_out(condition: str, event: str) -> bool:
    """Whether an `if` surely lets no run of that event on. Parts that are joined by `&&` alone are understood."""
    # With a blank round it, `${{ }}` is a text that is not empty, and so always true.
    text = re.sub(r"\A\$\{\{(.*)\}\}\Z", r"\1", condition[: _CONDITION_MAX + 1], flags=re.DOTALL).strip()
    if not text or len(text) > _CONDITION_MAX or "||" in text or "${{" in text:
        return False
    if re.search(r"!\s*\(|\balways\(", text, re.IGNORECASE):
        return False
    return _shuts(text, event, 0)


def _shuts(text: str, event: str, depth: int) -> bool:
    """One part that shuts is enough. What stands in parentheses is a part, unless something is done with it."""
    parts = _joined(text)
    if depth > _PARENTHESES_MAX or parts is None:
        return False
    if len(parts) > 1:
        return any(_shuts(part, event, depth + 1) for part in parts)
    word = parts[0]
    if word.startswith("(") and word.endswith(")"):
        return _shuts(word[1:-1], event, depth + 1)
    # GitHub compares texts whatever their case.
    if found := _EVENT_IS.fullmatch(word):
        return found[1].lower() != event
    if found := _EVENT_IS_NOT.fullmatch(word):
        return found[1].lower() == event
    return event in _REF_IS_NO_BRANCH and bool(_REF_IS.fullmatch(word))


def _joined(text: str) -> list[str] | None:
    """What stands between `&&`, outside of texts and parentheses; None where those do not fit together."""
    parts, start, depth, quoted = [], 0, 0, False
    for at, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif not quoted and char in "([":
            depth += 1
        elif not quoted and char in ")]":
            depth -= 1
            if depth < 0:
                return None
        elif not quoted and not depth and text.startswith("&&", at):
            parts.append(text[start:at].strip())
            start = at + 2
    return None if quoted or depth else [*parts, text[start:].strip()]


_GATE = re.compile(r"\bprodaccess\s+gate\s+[\"']?([a-z0-9][a-z0-9_-]*)")
# As Go reads a flag: `-lock=F`, and as a shell does: `-lock='false'`.
_UNLOCKED = re.compile(r"-lock=[\"']?(?:false|f|0)\b", re.IGNORECASE)
_LED_ELSEWHERE = re.compile(r"-backend-config\b|\bTF_WORKSPACE\b")
# Two looks at a command of its own: one pattern for both would look at a long line again for each word in it.
_TERRAFORM, _WORKSPACE = re.compile(r"\b(?:terraform|tofu)\b"), re.compile(r"\bworkspace\b")
_COMMAND_ENDS = re.compile(r"[|;&]+")


def gates_in(texts: Iterable[Named]) -> tuple[Named, ...]:
    """Environments of `prodaccess gate ENV` in scripts; not what is commented out."""
    return tuple(
        Named(found[1], one.place) for one in texts for line in _lines(one.text) for found in _GATE.finditer(line)
    )


def unlocked_in(texts: Iterable[Named]) -> tuple[Place, ...]:
    return _found(_UNLOCKED, texts)


def led_elsewhere_in(texts: Iterable[Named]) -> tuple[Place, ...]:
    """Where a backend is given other values than its file has, or another workspace. Of variables the name is a text, too."""
    return tuple(one.place for one in texts if any(map(_leads_elsewhere, _lines(one.text))))


def _leads_elsewhere(line: str) -> bool:
    if _LED_ELSEWHERE.search(line):
        return True
    commands = _COMMAND_ENDS.split(line) if "workspace" in line else []
    return any(
        (found := _TERRAFORM.search(command)) and _WORKSPACE.search(command, found.end()) for command in commands
    )


def deploying_in(texts: Iterable[Named]) -> Iterator[Named]:
    """Lines of scripts that change something elsewhere, or may."""
    return (Named(line, one.place) for one in texts for line in _lines(one.text) if _DEPLOYS.search(line))


_DEPLOYS = re.compile(
    r"\b(?:terraform|tofu|terragrunt|kubectl|helm|aws|cdk|pulumi|serverless|sls|ansible-playbook|argocd|deploy[\w./-]*|ssh|rsync)\b"
)


_PATH = re.compile(r"[\w.-]*(?:/[\w.-]+)+|[\w-]+\.\w+")
_PATHS_MAX = 2_000


def paths_in(texts: Iterable[Named]) -> tuple[str, ...]:
    """Words that look like paths."""
    words = (found[0] for one in texts for line in _lines(one.text) for found in _PATH.finditer(line))
    return tuple(dict.fromkeys(islice(words, _PATHS_MAX)))


def _found(pattern: re.Pattern[str], texts: Iterable[Named]) -> tuple[Place, ...]:
    return tuple(one.place for one in texts if any(pattern.search(line) for line in _lines(one.text)))


def _lines(text: str) -> Iterable[str]:
    return (line for line in text.splitlines() if not line.lstrip().startswith("#"))

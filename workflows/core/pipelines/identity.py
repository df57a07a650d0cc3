"""A run of a pipeline, as its token proves it. Nothing that somebody typed stands here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workflows.core.canonical_json import digest


class Forge(StrEnum):
    """What a pipeline runs on. `KEY`: anywhere, and it signs with a key that the policy lists."""

    GITHUB = "github"
    GITLAB = "gitlab"
    KEY = "key"

    @property
    def label(self) -> str:
        return {"github": "GitHub", "gitlab": "GitLab"}.get(self.value, "the pipeline")


class Part(StrEnum):
    """What somebody did so that this run is here. In words: "started by Dana"."""

    STARTED = "started"
    RE_RAN = "re-ran"
    PUSHED = "pushed"


@dataclass(frozen=True, slots=True)
class StarterId:
    """Somebody who must not approve this run. `number`: their id at the forge, as the policy's `people` has it; None where it
    cannot be known, or is no human's (a schedule, a bot, a merge queue). `name`: as the forge writes it; empty where unknown.
    """

    forge: Forge
    number: int | None
    name: str
    part: Part


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """All of it from claims that were proved. Ids and numbers are the forge's own, as text.

    `repository`: its name today, to be shown; `repository_id` is what it is. `ref`: whole (`refs/heads/main`).
    `ref_protected`: None where the forge does not say. `job`: empty where the forge has no id for it. `environment`: the forge's
    own word, not ours. `workflow`: file and ref that define the job. `actor_id`: empty where the forge names nobody.
    `server`: where links to it lead, without a slash at its end; empty where there is nothing to link to.
    """

    issuer: str
    forge: Forge
    repository: str
    repository_id: str
    owner_id: str
    ref: str
    ref_protected: bool | None
    commit: str
    run: str
    attempt: str
    job: str
    environment: str
    workflow: str
    event: str
    actor_id: str
    starters: tuple[StarterId, ...]
    server: str = ""

    @property
    def key(self) -> str:
        """What a decision is for, beside environment and gate: 64 hex digits, another for another commit, run, attempt or job."""
        return digest([self.forge, self.issuer, self.repository_id, self.commit, self.run, self.attempt, self.job])

    @property
    def has_unknown_starter(self) -> bool:
        return any(one.number is None for one in self.starters)

"""Which pipelines may ask: what the policy says of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workflows.core.pipelines.identity import Forge

# What may start a run that asks. Whatever an outsider can start with content of their own is not here, and cannot be added by a
# policy: `pull_request`, `pull_request_target`, `workflow_run` and `issue_comment` least of all.
# Sources: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows and, for
# `pipeline_source`, https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable
EVENTS: Mapping[Forge, tuple[str, ...]] = {
    Forge.GITHUB: ("push", "workflow_dispatch", "schedule", "release", "merge_group", "repository_dispatch"),
    Forge.GITLAB: ("push", "web", "schedule", "api", "trigger"),
    Forge.KEY: (),
}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One that may ask. `name`: how the policy and its messages call it.

    `repository_id`, `owner_id`: at GitLab the project's and the namespace's. `ref`, `environment`, `workflow`: None where the
    policy does not say; else exactly. `environments`: ours, for whose gates it may ask; None: for all. `key`: the raw Ed25519
    public key, 64 hex digits; empty where a forge proves who it is. `rule`: the gate at which the forge's own `environment`
    waits, by a protection rule, for the one of `environments`; empty where there is no such rule.
    """

    name: str
    forge: Forge
    issuer: str = ""
    repository_id: str = ""
    owner_id: str = ""
    events: tuple[str, ...] = ()
    ref: str | None = None
    ref_protected: bool = True
    environment: str | None = None
    workflow: str | None = None
    environments: tuple[str, ...] | None = None
    key: str = ""
    rule: str = ""

    def may_ask_for(self, environment: str) -> bool:
        return self.environments is None or environment in self.environments


def holds_back(pipelines: Iterable[Pipeline], forge: Forge) -> bool:
    """Whether by the policy any deployment waits at this forge for a gate."""
    return any(one.rule and one.forge is forge for one in pipelines)

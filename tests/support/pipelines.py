"""Claims as GitHub and GitLab write them, and pipelines that they fit."""

from __future__ import annotations

from typing import Any

from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.claims import run_of
from workflows.core.pipelines.identity import Forge, PipelineRun

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
GITLAB_ISSUER = "https://gitlab.example.com"
COMMIT = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"
WORKFLOW = "acme/orders/.github/workflows/deploy.yml@refs/heads/main"
GITLAB_WORKFLOW = "gitlab.example.com/acme/orders//.gitlab-ci.yml@refs/heads/main"


def github_claims(**changed: Any) -> dict[str, Any]:
    """Of a push to main; what is changed to None is not there."""
    found = {
        "sub": "repo:acme/orders:environment:production",
        "environment": "production",
        "ref": "refs/heads/main",
        "ref_type": "branch",
        "ref_protected": "true",
        "sha": COMMIT,
        "repository": "acme/orders",
        "repository_owner": "acme",
        "repository_id": "1296269",
        "repository_owner_id": "583231",
        "repository_visibility": "private",
        "run_id": "22259804324",
        "run_number": "42",
        "run_attempt": "1",
        "check_run_id": "90000001",
        "runner_environment": "github-hosted",
        "actor": "dana",
        "actor_id": "1001",
        "workflow": "deploy",
        "workflow_ref": WORKFLOW,
        "workflow_sha": COMMIT,
        "job_workflow_ref": WORKFLOW,
        "job_workflow_sha": COMMIT,
        "event_name": "push",
        "head_ref": "",
        "base_ref": "",
    } | changed
    return {name: value for name, value in found.items() if value is not None}


def gitlab_claims(**changed: Any) -> dict[str, Any]:
    """Of a push to main; what is changed to None is not there."""
    found = {
        "sub": "project_path:acme/orders:ref_type:branch:ref:main",
        "namespace_id": "72",
        "namespace_path": "acme",
        "project_id": "20",
        "project_path": "acme/orders",
        "user_id": "77",
        "user_login": "dana",
        "user_email": "dana@example.com",
        "user_access_level": "developer",
        "pipeline_id": "574",
        "pipeline_source": "push",
        "job_id": "302",
        "ref": "main",
        "ref_type": "branch",
        "ref_path": "refs/heads/main",
        "ref_protected": "true",
        "environment": "production",
        "environment_protected": "false",
        "deployment_tier": "production",
        "runner_id": 1,
        "runner_environment": "self-hosted",
        "sha": COMMIT,
        "project_visibility": "private",
        "ci_config_ref_uri": GITLAB_WORKFLOW,
        "ci_config_sha": COMMIT,
    } | changed
    return {name: value for name, value in found.items() if value is not None}


def github_pipeline(**changed: Any) -> Pipeline:
    return Pipeline(
        **(
            {
                "name": "orders",
                "forge": Forge.GITHUB,
                "issuer": GITHUB_ISSUER,
                "repository_id": "1296269",
                "owner_id": "583231",
                "events": ("push", "workflow_dispatch"),
                "ref": "refs/heads/main",
                "workflow": WORKFLOW,
            }
            | changed
        )
    )


def github_run(issuer: str = GITHUB_ISSUER, **changed: Any) -> PipelineRun:
    found = run_of(Forge.GITHUB, issuer, github_claims(**changed))
    assert isinstance(found, PipelineRun), found
    return found


def gitlab_run(issuer: str = GITLAB_ISSUER, **changed: Any) -> PipelineRun:
    found = run_of(Forge.GITLAB, issuer, gitlab_claims(**changed))
    assert isinstance(found, PipelineRun), found
    return found

"""Proved claims: which run they tell of, and who must not approve it."""

from __future__ import annotations

import pytest

from tests.support.pipelines import (
    COMMIT,
    GITHUB_ISSUER,
    GITLAB_ISSUER,
    WORKFLOW,
    github_claims,
    github_run,
    gitlab_claims,
    gitlab_run,
)
from workflows.core.pipelines.claims import run_of, run_of_key
from workflows.core.pipelines.identity import Forge, Part, PipelineRun, StarterId
from workflows.core.pipelines.judge import NotAllowed, Why


def parts(run: PipelineRun) -> list[tuple[str, int | None]]:
    return [(one.part.value, one.number) for one in run.starters]


def test_githubs_claims_are_the_run() -> None:
    run = github_run()

    assert (run.repository, run.repository_id, run.owner_id) == ("acme/orders", "1296269", "583231")
    assert (run.commit, run.run, run.attempt, run.job) == (COMMIT, "22259804324", "1", "90000001")
    assert (run.ref, run.ref_protected, run.environment) == ("refs/heads/main", True, "production")
    assert (run.workflow, run.event, run.server) == (WORKFLOW, "push", "https://github.com")


def test_gitlabs_claims_are_the_run() -> None:
    run = gitlab_run()

    assert (run.repository, run.repository_id, run.owner_id) == ("acme/orders", "20", "72")
    assert (run.commit, run.run, run.job) == (COMMIT, "574", "302")
    assert (run.ref, run.ref_protected, run.event) == ("refs/heads/main", True, "push")
    assert run.server == GITLAB_ISSUER


def test_an_older_gitlab_says_the_ref_in_two_claims() -> None:
    assert gitlab_run(ref_path=None).ref == "refs/heads/main"
    assert gitlab_run(ref_path=None, ref_type="tag", ref="v1").ref == "refs/tags/v1"
    assert isinstance(run_of(Forge.GITLAB, GITLAB_ISSUER, gitlab_claims(ref_path=None, ref_type="odd")), NotAllowed)


def test_a_job_of_a_fork_inside_the_project_is_no_run_of_the_project() -> None:
    found = run_of(Forge.GITLAB, GITLAB_ISSUER, gitlab_claims(job_project_id="21"))

    assert found == NotAllowed(Why.CLAIMS, "The token has no usable claim 'job_project_id'.")


def test_another_commit_run_attempt_or_job_is_another_decision() -> None:
    changes: list[dict[str, str]] = [
        {},
        {"sha": "b" * 40},
        {"run_id": "5"},
        {"run_attempt": "2"},
        {"check_run_id": "6"},
        {"repository_id": "7"},
    ]

    assert len({github_run(**change).key for change in changes}) == len(changes)
    assert github_run().key == github_run(repository="acme/renamed", actor="other").key
    assert len(github_run().key) == 64


def test_two_forges_that_count_alike_are_not_one() -> None:
    assert github_run().key != github_run(issuer="https://github.example.com/_services/token").key


# ---------------------------------------------------------------- who must not approve


def test_who_pushed_has_started_and_pushed() -> None:
    assert github_run().starters == (
        StarterId(Forge.GITHUB, 1001, "dana", Part.STARTED),
        StarterId(Forge.GITHUB, 1001, "dana", Part.PUSHED),
    )


def test_who_starts_by_hand_need_not_have_pushed() -> None:
    assert parts(github_run(event_name="workflow_dispatch")) == [("started", 1001), ("pushed", None)]


def test_who_runs_it_again_no_claim_tells() -> None:
    assert parts(github_run(run_attempt="2")) == [("started", 1001), ("pushed", 1001), ("re-ran", None)]


@pytest.mark.parametrize(
    "change",
    [
        {"event_name": "schedule"},
        {"event_name": "merge_group"},
        {"actor": "github-merge-queue[bot]", "actor_id": "9919"},
        {"actor_id": None},
        {"actor_id": "0x3e9"},
    ],
    ids=["schedule", "merge queue", "bot", "no id", "odd id"],
)
def test_a_schedule_a_bot_and_a_merge_queue_are_nobody_who_is_known(change: dict[str, str]) -> None:
    run = github_run(**change)

    assert run.starters[0].number is None
    assert run.has_unknown_starter


def test_whoever_executes_a_job_of_gitlab_need_not_have_pushed() -> None:
    assert parts(gitlab_run()) == [("started", 77), ("pushed", None)]
    assert parts(gitlab_run(user_login="project_20_bot_1f")) == [("started", None), ("pushed", None)]
    assert parts(gitlab_run(pipeline_source="schedule")) == [("started", None), ("pushed", None)]


def test_who_holds_a_key_is_not_known() -> None:
    run = run_of_key("jenkins", "key:00", {"commit": COMMIT, "run": "r-1"})

    assert isinstance(run, PipelineRun)
    assert (run.repository, run.repository_id, run.commit) == ("jenkins", "key:00", COMMIT)
    assert run.has_unknown_starter


# ---------------------------------------------------------------- what is odd


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("repository_id", None),
        ("repository_id", "1296269 "),
        ("repository_id", "01296269"),
        ("repository_id", ["1296269"]),
        ("repository_id", True),
        ("repository_owner_id", "acme"),
        ("sha", "main"),
        ("sha", "A" * 40),
        ("run_id", "-1"),
        ("run_attempt", "0"),
        ("job_workflow_ref", "x" * 513),
        ("repository", "acme/orders\nApproved"),
        ("event_name", {"push": 1}),
        ("check_run_id", "job"),
    ],
)
def test_a_claim_that_is_not_of_its_form_is_told_by_name_alone(claim: str, value: object) -> None:
    found = run_of(Forge.GITHUB, GITHUB_ISSUER, github_claims(**{claim: value}))

    assert found == NotAllowed(Why.CLAIMS, f"The token has no usable claim {claim!r}.")


@pytest.mark.parametrize("value", [None, "yes", "TRUE", 1, [], "false"])
def test_a_ref_is_protected_only_where_the_claim_says_so(value: object) -> None:
    assert not github_run(ref_protected=value).ref_protected


@pytest.mark.parametrize(
    ("issuer", "server"),
    [
        ("https://token.actions.githubusercontent.com/acme", "https://github.com"),
        ("https://github.example.com/_services/token", "https://github.example.com"),
        ("https://token.actions.acme.ghe.com", "https://acme.ghe.com"),
    ],
)
def test_links_lead_to_the_server_that_issued(issuer: str, server: str) -> None:
    assert github_run(issuer=issuer).server == server

"""Whether the policy lets a run ask: exactly, and with one sentence where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.pipelines import GITLAB_ISSUER, WORKFLOW, github_pipeline, github_run, gitlab_run
from workflows.core.pipelines.allowed import EVENTS
from workflows.core.pipelines.identity import Forge
from workflows.core.pipelines.judge import NotAllowed, Why, judge

ORDERS = github_pipeline(environments=("orders-prod",), environment="production")


def test_the_pipeline_that_the_policy_names_may_ask() -> None:
    assert judge([ORDERS], github_run(), "orders-prod") is ORDERS


@pytest.mark.parametrize(
    ("claims", "why", "words"),
    [
        (
            {"repository_id": "5", "repository": "evil/orders"},
            Why.REPOSITORY,
            "no pipeline of evil/orders, whose id is 5",
        ),
        ({"repository_owner_id": "5"}, Why.OWNER, "belongs to the owner 5"),
        ({"event_name": "pull_request"}, Why.EVENT, "started by 'pull_request', and only runs started by push or"),
        ({"event_name": "pull_request_target"}, Why.EVENT, "'pull_request_target'"),
        ({"event_name": "workflow_run"}, Why.EVENT, "'workflow_run'"),
        ({"event_name": "issue_comment"}, Why.EVENT, "'issue_comment'"),
        ({"ref": "refs/heads/feature"}, Why.REF, "runs on refs/heads/feature, and the policy asks for refs/heads/main"),
        ({"ref": "refs/heads/main2"}, Why.REF, "refs/heads/main2"),
        ({"ref_protected": "false"}, Why.UNPROTECTED, "refs/heads/main is not protected. Protect it at GitHub"),
        ({"ref_protected": None}, Why.UNPROTECTED, "not protected"),
        ({"job_workflow_ref": WORKFLOW.replace("main", "x")}, Why.WORKFLOW, "defined by acme/orders/"),
        ({"job_workflow_ref": f"{WORKFLOW}x"}, Why.WORKFLOW, "defined by"),
        ({"environment": "staging"}, Why.FORGE_ENVIRONMENT, "for the environment staging"),
        ({"environment": None}, Why.FORGE_ENVIRONMENT, "for the environment nothing that its token names"),
    ],
)
def test_what_is_not_exactly_so_is_refused_with_a_sentence(claims: dict[str, Any], why: Why, words: str) -> None:
    found = judge([ORDERS], github_run(**claims), "orders-prod")

    assert isinstance(found, NotAllowed)
    assert found.why is why
    assert words in found.sentence
    assert found.sentence.endswith(".")


def test_a_fork_of_the_same_name_is_another_repository() -> None:
    found = judge([ORDERS], github_run(repository_id="777", repository_owner_id="888"), "orders-prod")

    assert isinstance(found, NotAllowed)
    assert found.why is Why.REPOSITORY


def test_another_issuer_proves_nothing_of_this_one() -> None:
    found = judge([ORDERS], github_run(issuer="https://evil.example.com"), "orders-prod")

    assert found == NotAllowed(Why.ISSUER, "The policy names no pipeline of the issuer of this token.")


def test_it_asks_for_the_environments_that_are_named_and_no_others() -> None:
    found = judge([ORDERS], github_run(), "payments-prod")

    assert found == NotAllowed(Why.ENVIRONMENT, "The policy does not let this pipeline ask for payments-prod.")
    assert judge([github_pipeline()], github_run(), "payments-prod") == github_pipeline()


def test_a_foreign_repository_is_told_nothing_of_ours() -> None:
    found = judge([ORDERS], github_run(repository_id="5", repository="evil/orders"), "orders-prod")

    assert isinstance(found, NotAllowed)
    assert not any(word in found.sentence for word in ("1296269", "acme", "refs/heads/main", "production"))


def test_the_refusal_is_of_the_pipeline_that_is_most_like_it() -> None:
    nightly = github_pipeline(
        name="nightly", events=("schedule",), workflow="acme/orders/.github/workflows/night.yml@x"
    )
    other = github_pipeline(name="other", repository_id="9")

    found = judge([nightly, ORDERS, other], github_run(ref_protected="false"), "orders-prod")

    assert isinstance(found, NotAllowed)
    assert found.why is Why.UNPROTECTED


def test_one_of_several_that_fits_is_enough() -> None:
    hotfix = github_pipeline(name="hotfix", ref="refs/heads/hotfix")

    assert judge([ORDERS, hotfix], github_run(ref="refs/heads/hotfix"), "orders-prod") is hotfix


def test_what_the_policy_does_not_say_is_not_asked() -> None:
    open_one = github_pipeline(ref=None, environment=None, ref_protected=False)

    assert judge([open_one], github_run(ref="refs/heads/x", ref_protected="false", environment=None), "e") is open_one


def test_a_project_at_gitlab_is_judged_the_same_way() -> None:
    ours = github_pipeline(
        forge=Forge.GITLAB, issuer=GITLAB_ISSUER, repository_id="20", owner_id="72", events=("push",), workflow=None
    )

    assert judge([ours], gitlab_run(), "orders-prod") is ours
    refused = judge([ours], gitlab_run(pipeline_source="merge_request_event"), "orders-prod")
    assert isinstance(refused, NotAllowed)
    assert refused.why is Why.EVENT


def test_no_list_of_events_holds_what_an_outsider_can_start() -> None:
    offered = {event for events in EVENTS.values() for event in events}

    assert not {
        event for event in offered if event.startswith(("pull_request", "issue", "workflow_run", "merge_request"))
    }
    assert not {event for event in offered if "external" in event or "comment" in event}

"""What GitHub says, over HTTP: what holds for everybody is a yes, what it does not tell is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot.boundaries.forge.client import GitHubClient
from bot.boundaries.forge.github import GitHubRules
from bot.boundaries.model import Evidence, Verdict
from tests.support.github_api import (
    FORBIDDEN,
    NOT_FOUND,
    REPOSITORY,
    REVIEWERS,
    TOKEN,
    GitHubApi,
    environment,
    github_api,
    protection,
    pull_request_rule,
)

YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN
APP = {
    "id": 3,
    "node_id": "x",
    "enabled": True,
    "app": {"id": 77, "slug": "prodaccess", "integration_url": "x", "node_id": "y"},
}
_PATH = f"/repos/{REPOSITORY}"
_ENVIRONMENT = f"{_PATH}/environments/production"


def rules_of(api: GitHubApi, token: str | None = TOKEN, app_id: str = "77") -> GitHubRules:
    return GitHubRules(GitHubClient(api.url, REPOSITORY, token), REPOSITORY, app_id)


@pytest.fixture(scope="module")
def server() -> Iterator[GitHubApi]:
    with github_api() as found:
        yield found


def given(**more: Any) -> dict[str, Any]:
    return {"environments": {"production": environment(**more)}}


def reviews(**more: Any) -> dict[str, Any]:
    return {"main": protection(required_pull_request_reviews={**protection()["required_pull_request_reviews"], **more})}


def ruled(actors: list[Any], **parameters: Any) -> dict[str, Any]:
    return {
        "protections": {},
        "rules": {"main": [{"type": "deletion"}, pull_request_rule(42, **parameters)]},
        "rulesets": {"42": {"id": 42, "name": "main", "bypass_actors": actors}},
    }


Asks = Callable[[GitHubRules], Evidence]


def waits(rules: GitHubRules) -> Evidence:
    return rules.waits("production", app_rule=False)


def asks_us(rules: GitHubRules) -> Evidence:
    return rules.waits("production", app_rule=True)


def branches(rules: GitHubRules) -> Evidence:
    return rules.branches("production")


def review(rules: GitHubRules) -> Evidence:
    return rules.owners_review()


_BARE = {"protection_rules": []}


@pytest.mark.parametrize(
    ("ask", "api", "verdict", "words"),
    [
        (waits, {}, YES, "waits for one of its reviewers"),
        (waits, given(can_admins_bypass=True), NO, "can_admins_bypass"),
        (waits, given(can_admins_bypass=None), UNKNOWN, "not told"),
        (waits, given(protection_rules=[{**REVIEWERS, "prevent_self_review": False}]), NO, "prevent_self_review"),
        (waits, given(protection_rules=[{**REVIEWERS, "reviewers": []}]), NO, "waits for nobody"),
        (waits, given(protection_rules=[{"type": "wait_timer", "wait_timer": 30}]), NO, "waits for nobody"),
        (waits, given(protection_rules=None), UNKNOWN, "does not tell"),
        (waits, {"environments": {}}, NO, "without rules"),
        (waits, {"environments": {}, "answers": {f"{_PATH}/environments": (404, {})}}, UNKNOWN, "may not see it"),
        (waits, {"answers": {_ENVIRONMENT: (403, FORBIDDEN)}}, UNKNOWN, "refused the token"),
        (waits, {"answers": {_ENVIRONMENT: (301, {})}}, UNKNOWN, "another address"),
        (waits, {"answers": {_ENVIRONMENT: (200, [])}}, UNKNOWN, "something else"),
        (waits, {"answers": {_ENVIRONMENT: (200, b"<html>")}}, UNKNOWN, "not JSON"),
        (waits, {"answers": {_ENVIRONMENT: (502, b"")}}, UNKNOWN, "error"),
        (waits, {**given(**_BARE), "app_rules": {"production": [APP]}}, UNKNOWN, "no protection_rule"),
        (asks_us, {**given(**_BARE), "app_rules": {"production": [APP]}}, YES, "asks prodaccess"),
        (asks_us, {**given(**_BARE), "app_rules": {"production": [{**APP, "enabled": False}]}}, NO, "waits for nobody"),
        (asks_us, {**given(**_BARE), "app_rules": {"production": [{**APP, "app": {"id": 78}}]}}, UNKNOWN, "not among"),
        (asks_us, {**given(**_BARE, can_admins_bypass=True), "app_rules": {"production": [APP]}}, NO, "pass by"),
        (branches, {}, YES, "main requires a review, of everybody"),
        (branches, given(deployment_branch_policy=None), NO, "any branch"),
        (branches, {"protections": {}, "branches": ("main",)}, UNKNOWN, "there is none"),
        (branches, {"protections": reviews(required_approving_review_count=0)}, NO, "nobody has to approve"),
        (branches, {"protections": {"main": protection(required_pull_request_reviews=None)}}, NO, "nobody reviewed"),
        (branches, {"protections": {"main": protection(enforce_admins={"enabled": False})}}, NO, "administrators"),
        (
            branches,
            {"protections": reviews(bypass_pull_request_allowances={"apps": [{"slug": "bot"}]})},
            NO,
            "pass it by",
        ),
        (
            branches,
            {"protections": {"main": protection(), "next": protection(enforce_admins={"enabled": False})}},
            NO,
            "next",
        ),
        (branches, {"administers": False}, UNKNOWN, "administration: read"),
        (branches, ruled([]), YES, "of everybody"),
        (branches, ruled([{"actor_id": 5, "actor_type": "RepositoryRole"}]), NO, "1 may pass it by"),
        (branches, {**ruled([]), "administers": False}, UNKNOWN, "not told to this token"),
        (branches, ruled([], required_approving_review_count=0), NO, "nobody has to approve"),
        (review, {}, YES, "requires review from code owners, of everybody"),
        (review, {"protections": reviews(require_code_owner_reviews=False)}, NO, "code owners"),
        (review, ruled([], require_code_owner_review=False), NO, "code owners"),
        (review, ruled([]), YES, "code owners"),
        (review, {"protections": {}}, NO, "not protected"),
        (review, {"answers": {_PATH: (404, {})}}, UNKNOWN, "may not see it"),
        (GitHubRules.owners_exist, {}, YES, "each line"),
        (GitHubRules.owners_exist, {"owner_errors": [{"line": 7, "kind": "Unknown owner"}]}, NO, "line 7"),
        (lambda rules: rules.reviewers("production"), {}, YES, "names 1"),
        (lambda rules: rules.reviewers("production"), given(**_BARE), NO, "nobody"),
    ],
)
def test_each_thing_that_github_says(
    ask: Asks, api: dict[str, Any], verdict: Verdict, words: str, server: GitHubApi
) -> None:
    found = ask(rules_of(server.become(**api)))
    assert found.verdict is verdict, found
    assert words in found.words
    assert TOKEN not in found.words


def _taking(*policies: dict[str, Any]) -> dict[str, Any]:
    named = given(deployment_branch_policy={"protected_branches": False, "custom_branch_policies": True})
    return {**named, "branch_policies": {"production": [{"id": 1, **each} for each in policies]}}


@pytest.mark.parametrize(
    ("api", "verdict"),
    [
        (_taking({"name": "main", "type": "branch"}), YES),
        (_taking({"name": "main", "type": "branch"}, {"name": "next", "type": "branch"}), NO),
        (_taking({"name": "release/*", "type": "branch"}), UNKNOWN),
        (_taking({"name": "v1", "type": "tag"}), UNKNOWN),
        (_taking(), UNKNOWN),
        # The one that is not protected stands on the second page.
        (
            _taking(*({"name": "main", "type": "branch"} for _ in range(100)), {"name": "release/*", "type": "branch"}),
            UNKNOWN,
        ),
    ],
)
def test_branches_that_are_named_are_looked_at_one_by_one(
    api: dict[str, Any], verdict: Verdict, server: GitHubApi
) -> None:
    assert branches(rules_of(server.become(**api))).verdict is verdict


def test_a_list_without_an_end_and_too_many_questions_are_not_known(server: GitHubApi) -> None:
    rules = rules_of(server.become(**_taking(*({"name": "main", "type": "branch"} for _ in range(600)))))
    assert "more of it than is read" in branches(rules).words
    before = len(server.asked)
    branches(rules)
    assert len(server.asked) == before  # nobody is asked twice
    for number in range(100):
        rules.reviewers(f"e{number}")
    assert len(server.asked) == 80
    assert "no more" in rules.reviewers("production-2").words


def test_the_token_stands_in_the_head_alone_and_without_one_nothing_stands_there(server: GitHubApi) -> None:
    waits(rules_of(server.become()))
    assert server.tokens == {f"Bearer {TOKEN}"}
    assert not any(TOKEN in path for path in server.asked)
    server.tokens.clear()
    waits(rules_of(server, token=None))
    assert server.tokens == {""}
    assert "refused the token" in waits(rules_of(server, token="other")).words


def test_an_environment_that_is_not_there_is_made_without_rules_by_whoever_names_it() -> None:
    """GitHub makes it when a job names it: a slip in its name is an open door."""
    with github_api() as api:
        rules = rules_of(api)
        for said in (
            rules.waits("prodution", app_rule=False),
            rules.branches("prodution"),
            rules.reviewers("prodution"),
        ):
            assert said.verdict is Verdict.NO
            assert "without rules" in said.words
    with github_api(environments={"Production": environment("Production")}) as api:
        api.answers["/repos/larkspur/orders/environments/production"] = (404, NOT_FOUND)
        assert rules_of(api).waits("production", app_rule=False).verdict is Verdict.UNKNOWN
    with github_api() as api:
        api.answers["/repos/larkspur/orders/environments"] = (404, NOT_FOUND)
        assert rules_of(api).waits("prodution", app_rule=False).verdict is Verdict.UNKNOWN


def test_another_repository_is_another_one() -> None:
    with github_api() as api:
        assert rules_of(api).is_of("Larkspur/Orders")
        assert not rules_of(api).is_of("larkspur/other")

"""What GitLab says, over HTTP: a yes is what nobody gets round, and what it does not tell is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.boundaries.answers.every import report_of
from bot.boundaries.forge.client import GitLabClient
from bot.boundaries.forge.gitlab import GitLabRules
from bot.boundaries.model import Answer, Evidence, Report, Verdict
from bot.boundaries.pipelines.gitlab import GITLAB
from bot.boundaries.pipelines.workflows import GITHUB
from bot.boundaries.production import Production
from bot.boundaries.reading.parser import ChildParser
from bot.boundaries.rules import Rules
from bot.boundaries.seen import look
from tests.support.checkouts import MENDED, Files, checkout
from tests.support.github_api import github_api
from tests.support.gitlab_api import (
    DEPLOY_KEY,
    MAINTAINERS,
    NOBODY,
    PROJECT,
    TOKEN,
    GitLabApi,
    approval_rule,
    branch,
    environment,
    gitlab_api,
    rule,
    settings,
)
from tests.unit.boundaries.test_github import rules_of as rules_of_github

YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN
_ENVIRONMENT = "protected_environments/production"


def rules_of(api: GitLabApi, token: str | None = TOKEN) -> GitLabRules:
    return GitLabRules(GitLabClient(api.url, PROJECT, token), PROJECT)


@pytest.fixture(scope="module")
def server() -> Iterator[GitLabApi]:
    with gitlab_api() as found:
        yield found


Asks = Callable[[GitLabRules], Evidence]


def waits(rules: GitLabRules) -> Evidence:
    return rules.waits("production", app_rule=False)


def branches(rules: GitLabRules) -> Evidence:
    return rules.branches("production")


def review(rules: GitLabRules) -> Evidence:
    return rules.owners_review()


def reviewers(rules: GitLabRules) -> Evidence:
    return rules.reviewers("production")


def given(**more: Any) -> dict[str, Any]:
    return {"environments": (environment(**more),)}


def taking(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"branches": entries, **more}


@pytest.mark.parametrize(
    ("ask", "api", "verdict", "words"),
    [
        (waits, {}, YES, "waits for an approval of somebody who did not start it"),
        (waits, {"project": {"allow_pipeline_trigger_approve_deployment": True}}, NO, "whoever started a pipeline"),
        (waits, {"project": {}}, UNKNOWN, "not told"),
        (waits, {"project": {"allow_pipeline_trigger_approve_deployment": "false"}}, UNKNOWN, "not told"),
        (waits, given(approval_rules=[]), NO, "waits for nobody"),
        (waits, given(approval_rules=[rule(0)]), NO, "waits for nobody"),
        (waits, given(approval_rules=[rule(0), rule(2)]), YES, "waits for an approval"),
        (waits, given(approval_rules=[], required_approval_count=2), YES, "waits for an approval"),
        (waits, given(approval_rules=None, required_approval_count=None), UNKNOWN, "does not tell"),
        (waits, given(approval_rules=[rule("1")]), UNKNOWN, "something else"),
        (waits, given(approval_rules=["1"]), UNKNOWN, "something else"),
        (waits, given(approval_rules={}), UNKNOWN, "something else"),
        (waits, {"environments": ()}, UNKNOWN, "not protected in this project, or this token may not see it"),
        (waits, {"answers": {"": (404, {}), _ENVIRONMENT: (404, {})}}, UNKNOWN, "may not see it"),
        (waits, {"answers": {_ENVIRONMENT: (403, {})}}, UNKNOWN, "refused the token"),
        (waits, {"answers": {_ENVIRONMENT: (429, {})}}, UNKNOWN, "left alone"),
        (waits, {"answers": {_ENVIRONMENT: (302, {})}}, UNKNOWN, "another address"),
        (waits, {"answers": {_ENVIRONMENT: (502, b"")}}, UNKNOWN, "error"),
        (waits, {"answers": {_ENVIRONMENT: (200, b"<html>")}}, UNKNOWN, "not JSON"),
        (waits, {"answers": {_ENVIRONMENT: (200, [])}}, UNKNOWN, "something else"),
        (waits, {"answers": {_ENVIRONMENT: (200, environment("staging"))}}, UNKNOWN, "something else"),
        (waits, {"answers": {"": (500, {})}}, UNKNOWN, "error"),
        (reviewers, {}, YES, "1 must agree"),
        (reviewers, given(approval_rules=[]), NO, "names nobody"),
        (reviewers, {"environments": ()}, UNKNOWN, "may not see it"),
        # An environment of GitLab's keeps no branch out, so the best is that all protected ones want an approval.
        (branches, {}, UNKNOWN, "takes any branch of whoever may deploy"),
        (branches, taking(), NO, "no branch of this project is protected"),
        (branches, taking(branch(push_access_levels=[MAINTAINERS])), NO, "Maintainers may push to it"),
        (branches, taking(branch(), branch("next", push_access_levels=[DEPLOY_KEY])), NO, "Deploy key may push"),
        (branches, taking(branch(push_access_levels=[NOBODY, {**NOBODY, "user_id": 5}])), NO, "may push to it"),
        (branches, taking(branch(push_access_levels=[{"access_level": None}])), NO, "may push to it"),
        (branches, taking(branch(push_access_levels=[])), UNKNOWN, "who may push"),
        (branches, taking(branch(push_access_levels=None)), UNKNOWN, "who may push"),
        (branches, {"rules": ()}, NO, "nobody has to approve"),
        (branches, {"rules": (approval_rule(0),)}, NO, "nobody has to approve"),
        (branches, {"rules": (approval_rule(rule_type="report_approver"),)}, NO, "nobody has to approve"),
        (
            branches,
            {"rules": (approval_rule(applies_to_all_protected_branches=False, protected_branches=[branch("next")]),)},
            NO,
            "nobody has to approve",
        ),
        (branches, {"settings": settings(merge_requests_author_approval=True)}, NO, "their own merge requests"),
        (branches, {"settings": {}}, UNKNOWN, "not told"),
        (
            branches,
            {"settings": settings(disable_overriding_approvers_per_merge_request=False)},
            NO,
            "may leave out who has to approve",
        ),
        (branches, {"answers": {"approvals": (404, {})}}, UNKNOWN, "error (404)"),
        (branches, {"answers": {"protected_branches": (403, {})}}, UNKNOWN, "refused the token"),
        (branches, taking(branch(name=None)), UNKNOWN, "something else"),
        (branches, taking(*(branch(f"b{number}") for number in range(21))), UNKNOWN, "more than are looked at"),
        (review, {}, YES, "requires approval from code owners"),
        (review, taking(branch(code_owner_approval_required=False)), NO, "code owners"),
        (review, taking(branch(code_owner_approval_required=None)), UNKNOWN, "code owners"),
        (review, taking(branch(push_access_levels=[MAINTAINERS])), NO, "may push"),
        (review, taking(branch("m*")), YES, "code owners"),
        (review, taking(branch("m*", push_access_levels=[MAINTAINERS]), branch()), NO, "may push"),
        (review, taking(branch("ma*", code_owner_approval_required=False), branch()), UNKNOWN, "code owners"),
        (review, taking(branch("next")), NO, "main is not protected"),
        (review, taking(branch("mai?")), NO, "main is not protected"),
        (review, taking(branch("[m]ain")), NO, "main is not protected"),
        (review, {"settings": settings(merge_requests_author_approval=True)}, NO, "their own merge requests"),
        (review, {"project": {"default_branch": None}}, UNKNOWN, "default one"),
        (review, {"answers": {"": (404, {})}}, UNKNOWN, "may not see it"),
        (GitLabRules.owners_exist, {}, UNKNOWN, "does not tell"),
    ],
)
def test_each_thing_that_gitlab_says(
    ask: Asks, api: dict[str, Any], verdict: Verdict, words: str, server: GitLabApi
) -> None:
    found = ask(rules_of(server.become(**api)))
    assert found.verdict is verdict, found
    assert words in found.words
    assert TOKEN not in found.words


def test_what_stands_behind_a_short_page_counts(server: GitLabApi) -> None:
    names = [branch(f"b{number}") for number in range(5)]
    server.become(branches=(*names, branch(push_access_levels=[MAINTAINERS])), page=2)
    assert review(rules_of(server)).verdict is NO
    server.become(branches=tuple(branch(f"b{number}") for number in range(30)), page=2)
    assert "more of it than is read" in branches(rules_of(server)).words


def test_nobody_is_asked_twice_and_the_token_stands_in_the_head_alone(server: GitLabApi) -> None:
    rules = rules_of(server.become())
    for _ in range(2):
        for ask in (waits, branches, reviewers, review):
            ask(rules)
    assert len(server.asked) == len(set(server.asked)) <= 8
    assert server.tokens == {f"Bearer {TOKEN}"}
    assert not any(TOKEN in path for path in server.asked)
    server.tokens.clear()
    waits(rules_of(server, token=None))
    assert server.tokens == {""}
    assert "refused the token" in waits(rules_of(server, token="other")).words


# ---------------------------------------------------------------- of a checkout

_CI = """
deploy-prod:
  environment: {name: production}
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  script: ["terraform apply"]
"""
_OWNED: Files = {".gitlab-ci.yml": _CI, "CODEOWNERS": "* @larkspur/platform\n"}


def report(folder: Path, parser: ChildParser, files: Files, **rules: Rules) -> Report:
    return report_of(replace(look(checkout(folder, files), Production(), parser=parser), rules=rules), "shop")


def answers(found: Report) -> dict[str, Answer]:
    return {answer.question: answer for answer in found.answers}


def test_a_checkout_of_gitlab_s_gets_its_answers_and_no_yes_that_gitlab_does_not_give(
    tmp_path: Path, parser: ChildParser, server: GitLabApi
) -> None:
    offline = report(tmp_path / "offline", parser, _OWNED)
    assert any("GitLab was not asked (--gitlab GROUP/NAME)" in one for one in offline.not_seen)
    assert not any("GitHub" in one for one in offline.not_seen)
    assert answers(offline)["pipeline-approval"].verdict is UNKNOWN
    asked = report(tmp_path / "asked", parser, _OWNED, **{GITLAB: rules_of(server.become())})
    assert not any("was not asked (--git" in one for one in asked.not_seen)
    found = {name: answer.verdict for name, answer in answers(asked).items()}
    assert (found["pipeline-approval"], found["owner-named"]) == (YES, YES)
    assert {found[name] for name in ("pipeline-branch", "pipeline-outsiders", "owner-reviews")} == {UNKNOWN}
    server.become(branches=(branch(push_access_levels=[MAINTAINERS]),), environments=(environment(approval_rules=[]),))
    faulty = answers(report(tmp_path / "faulty", parser, _OWNED, **{GITLAB: rules_of(server)}))
    for question in ("pipeline-approval", "pipeline-branch", "owner-named", "owner-reviews"):
        assert faulty[question].verdict is NO, faulty[question]


def test_what_one_forge_says_is_no_answer_for_a_job_of_the_other(
    tmp_path: Path, parser: ChildParser, server: GitLabApi
) -> None:
    found = report(tmp_path / "lab", parser, MENDED, **{GITLAB: rules_of(server.become())})
    assert answers(found)["pipeline-approval"].verdict is UNKNOWN
    assert any("GitHub was not asked" in one for one in found.not_seen)
    with github_api() as hub:
        other = report(tmp_path / "hub", parser, _OWNED, **{GITHUB: rules_of_github(hub)})
    assert answers(other)["pipeline-approval"].verdict is UNKNOWN
    assert any("GitLab was not asked" in one for one in other.not_seen)

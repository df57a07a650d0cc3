"""What starts a job, what it holds, which gate it asks for: of workflows and of GitLab's file, and no more than is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.boundaries.answers.every import report_of
from bot.boundaries.model import Answer, Verdict
from bot.boundaries.pipelines.job import Job, Role, keeps_out
from bot.boundaries.pipelines.workflows import GITHUB
from bot.boundaries.production import Production
from bot.boundaries.reading.parser import ChildParser
from bot.boundaries.seen import Seen, look
from tests.support.checkouts import DEPLOY, MENDED, Files, checkout
from tests.support.github_api import environment, github_api
from tests.unit.boundaries.test_github import APP, rules_of


def seen_of(folder: Path, parser: ChildParser, files: Files, *also: str) -> Seen:
    return look(checkout(folder, files), Production(also), parser=parser)


def jobs_of(folder: Path, parser: ChildParser, text: str, file: str = ".github/workflows/x.yml") -> list[Job]:
    return list(seen_of(folder, parser, {file: text}).jobs)


def answer_of(seen: Seen, question: str) -> Answer:
    return next(each for each in report_of(seen, "x").answers if each.question == question)


@pytest.mark.parametrize(
    ("condition", "event", "kept"),
    [
        ("github.event_name == 'push'", "pull_request", True),
        ("${{ github.event_name == 'push' }}", "pull_request", True),
        ("github.event_name != 'pull_request'", "pull_request", True),
        ("github.ref == 'refs/heads/main' && success()", "pull_request", True),
        ("(github.event_name == 'push') && github.ref == 'refs/heads/main'", "pull_request_target", True),
        # There a run's ref is the branch that the pull request wants to go into.
        ("github.ref == 'refs/heads/main'", "pull_request_target", False),
        ("github.event_name == 'push' || github.actor == 'me'", "pull_request", False),
        ("github.event_name != 'pull_request'", "pull_request_target", False),
        ("always() && github.event_name == 'push'", "pull_request", False),
        # Two that are always true: a text that is not empty.
        ("${{ github.event_name }} == 'push'", "pull_request", False),
        ("${{ github.event_name == 'push' }}\n", "pull_request", False),
        ("github.actor == 'me'", "pull_request", False),
        ("", "pull_request", False),
    ],
)
def test_an_if_keeps_out_what_it_surely_keeps_out(condition: str, event: str, kept: bool) -> None:
    assert keeps_out(condition, event) is kept


_STEP = "    steps: [{run: x}]\n"
_HEAD = "on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-latest\n"


@pytest.mark.parametrize(
    ("text", "held"),
    [
        (_HEAD + _STEP, []),
        (_HEAD + "    permissions: {id-token: write}\n" + _STEP, ["id-token"]),
        (_HEAD + "    permissions: write-all\n" + _STEP, ["id-token"]),
        ("permissions: write-all\n" + _HEAD + "    permissions: {}\n" + _STEP, []),
        (_HEAD + "    environment: {name: production, url: x}\n" + _STEP, ["environment"]),
        (_HEAD + "    env: {A: '${{ secrets.GITHUB_TOKEN }}'}\n" + _STEP, []),
        (_HEAD + "    env: {A: '${{ secrets.KEY }}'}\n" + _STEP, ["KEY"]),
        (_HEAD + "    env: {A: \"${{ secrets['KEY'] }}\"}\n" + _STEP, ["KEY"]),
        (_HEAD + "    env: {A: '${{ secrets[matrix.name] }}'}\n" + _STEP, ["all secrets"]),
        (_HEAD + "    env: {A: '${{ toJSON(secrets) }}'}\n" + _STEP, ["all secrets"]),
        ("env: {A: '${{ secrets.KEY }}'}\n" + _HEAD + _STEP, ["KEY"]),
        (_HEAD.replace("ubuntu-latest", "ubuntu-prod-runner") + _STEP, ["not GitHub's"]),
        (_HEAD.replace("ubuntu-latest", "{group: big}") + _STEP, ["not GitHub's"]),
        (_HEAD.replace("ubuntu-latest", "${{ vars.RUNNER }}") + _STEP, ["not GitHub's"]),
        (
            _HEAD.replace("ubuntu-latest", "${{ matrix.os }}")
            + "    strategy: {matrix: {os: [ubuntu-24.04, windows-latest]}}\n"
            + _STEP,
            [],
        ),
        ("on: pull_request\njobs:\n  a: {uses: other/repo/.github/workflows/x.yml@v1}\n", ["not read here"]),
    ],
)
def test_what_a_job_holds(tmp_path: Path, parser: ChildParser, text: str, held: list[str]) -> None:
    (job,) = jobs_of(tmp_path, parser, text)
    assert len(job.held) == len(held)
    assert all(words in one.words for words, one in zip(held, job.held, strict=True))


def test_words_of_production(tmp_path: Path) -> None:
    says = Production(("live",)).says
    for name in ("orders-prod", "orders_prod_2", "OrdersProd", "envs/production/x", "PROD", "prd", "live"):
        assert says(name), name
    for name in ("product", "nonprod", "non-prod", "pre_prod", "reproduce", "deliver", "prodigy"):
        assert not says(name), name
    assert not Production().says("live")


# ---------------------------------------------------------------- our own gate

_GATED = DEPLOY.replace(
    "      - run: terraform", "      - run: prodaccess gate production --change x\n      - run: terraform"
)


_ENVIRONMENT = MENDED["policy/environments/production.yaml"] + "gates:\n  deploy:\n    approve: {owners: 1}\n"
_TEMPLATE = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
_ENTRY = """
pipelines:
  - issuer: https://token.actions.githubusercontent.com
    repository_id: "1296269"
    repository_owner_id: "583231"
    events: [push]
    workflow: larkspur/orders/.github/workflows/deploy.yml@refs/heads/main
    environment: production
    environments: [production]
"""


def _policy(*, target: str = "", rule: bool = False) -> Files:
    """The policy folder with a gate, which gives that role something, or at which GitHub's environment asks."""
    given = f"    target: {{kind: aws-iam-role-policy, role: {target}, policy: policies/deploy.json}}\n    for: 30m\n"
    entry = _ENTRY + ("    protection_rule: deploy\n" if rule else "")
    return {
        "policy/environments/production.yaml": _ENVIRONMENT + (given if target else ""),
        "policy/prodaccess.yaml": MENDED["policy/prodaccess.yaml"] + entry,
        "policy/policies/deploy.json": _TEMPLATE,
    }


@pytest.mark.parametrize(
    ("target", "rule", "bare", "verdict", "words"),
    [
        ("", False, True, Verdict.NO, "advice alone"),
        ("orders-prod-deploy", False, True, Verdict.YES, "by gate deploy of production"),
        ("orders-prod-deploy", False, False, Verdict.YES, "by gate deploy of production"),
        ("another-role", False, True, Verdict.UNKNOWN, "takes on that role alone"),
        ("", True, False, Verdict.UNKNOWN, "switched on is not looked at"),
        ("", False, False, Verdict.UNKNOWN, "GitHub knows"),
    ],
)
def test_a_gate_is_a_yes_where_it_is_enforced_and_advice_elsewhere(
    tmp_path: Path, parser: ChildParser, target: str, rule: bool, bare: bool, verdict: Verdict, words: str
) -> None:
    deploy = _GATED.replace("    environment: production\n", "") if bare else _GATED
    seen = seen_of(
        tmp_path, parser, {**MENDED, ".github/workflows/deploy.yml": deploy, **_policy(target=target, rule=rule)}
    )
    assert [policy.problem for policy in seen.policies] == [""]
    answer = answer_of(seen, "pipeline-approval")
    assert answer.verdict is verdict, answer
    assert words in answer.evidence[0].words


@pytest.mark.parametrize("role", ["aws_iam_role.deploy.name", "each.value", '"${var.role}"'])
def test_a_role_that_holds_something_for_good_needs_no_gate(tmp_path: Path, parser: ChildParser, role: str) -> None:
    """Also where it may be that a run hands it out to that role."""
    standing = (
        f'resource "aws_iam_role_policy_attachment" "deploy" {{\n  role = {role}\n'
        '  policy_arn = "arn:aws:iam::aws:policy/PowerUserAccess"\n}\n'
    )
    files = {
        **MENDED,
        **_policy(target="orders-prod-deploy"),
        ".github/workflows/deploy.yml": _GATED,
        "envs/prod/standing.tf": standing,
    }
    answer = answer_of(seen_of(tmp_path, parser, files), "pipeline-approval")
    assert answer.verdict is Verdict.UNKNOWN
    assert "for good" in answer.evidence[0].words


@pytest.mark.parametrize(("rule", "verdict"), [(True, Verdict.YES), (False, Verdict.UNKNOWN)])
def test_the_rule_of_our_app_is_a_yes_where_the_policy_and_github_say_so(
    tmp_path: Path, parser: ChildParser, rule: bool, verdict: Verdict
) -> None:
    """What GitHub has and the policy does not know is not ours to judge."""
    with github_api(
        environments={"production": environment(protection_rules=[])}, app_rules={"production": [APP]}
    ) as api:
        seen = replace(seen_of(tmp_path, parser, {**MENDED, **_policy(rule=rule)}), rules={GITHUB: rules_of(api)})
        assert answer_of(seen, "pipeline-approval").verdict is verdict


# ---------------------------------------------------------------- GitLab

_GITLAB = """
include:
  - local: /ci/deploy.gitlab-ci.yml
.base:
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
test:
  script: [make test]
"""
_GITLAB_DEPLOY = """
deploy:
  extends: .base
  environment: {name: production}
  script: ["terraform apply"]
"""


def test_gitlab_is_read_with_what_it_includes_and_never_a_yes(tmp_path: Path, parser: ChildParser) -> None:
    files = {".gitlab-ci.yml": _GITLAB, "ci/deploy.gitlab-ci.yml": _GITLAB_DEPLOY}
    seen = seen_of(tmp_path, parser, files)
    assert {job.id: (job.role, job.branches) for job in seen.jobs} == {
        "test": (Role.BARE, None),
        "deploy": (Role.PRODUCTION, ("$CI_DEFAULT_BRANCH",)),
    }
    for question in ("pipeline-approval", "pipeline-branch", "pipeline-outsiders"):
        assert answer_of(seen, question).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("question", "change"),
    [
        (
            "pipeline-outsiders",
            ("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", '$CI_PIPELINE_SOURCE == "merge_request_event"'),
        ),
        ("pipeline-approval", ("  environment: {name: production}\n", "  variables: {A: b}\n")),
        ("state-locked", ("terraform apply", "terraform apply -lock=false")),
    ],
)
def test_what_is_wrong_at_gitlab_is_told(
    tmp_path: Path, parser: ChildParser, question: str, change: tuple[str, str]
) -> None:
    text = (_GITLAB.replace("include:\n  - local: /ci/deploy.gitlab-ci.yml\n", "") + _GITLAB_DEPLOY).replace(*change)
    text = text.replace("deploy:", "deploy-prod:")
    assert answer_of(seen_of(tmp_path, parser, {".gitlab-ci.yml": text}), question).verdict is Verdict.NO

"""Layouts that the field has, each with one thing in it that makes a yes untrue: none of them is answered with yes.

GitHub is asked, and all is in order there, so that a yes hangs on the one thing alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.boundaries.answers.every import report_of
from bot.boundaries.forge.client import GitHubClient
from bot.boundaries.forge.github import GitHubRules
from bot.boundaries.model import Answer, Verdict
from bot.boundaries.pipelines.workflows import GITHUB
from bot.boundaries.production import Production
from bot.boundaries.reading.parser import ChildParser
from bot.boundaries.seen import look
from tests.support import checkouts
from tests.support.checkouts import DEPLOY, MENDED, OWNERS, POLICY, TRUST, Files, backend, checkout
from tests.support.github_api import REPOSITORY, TOKEN, github_api

YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN
DEPLOYS = ".github/workflows/deploy.yml"
STATE, TRUSTS = "envs/prod/state.tf", "envs/prod/deploy.tf"
GUARDED = checkouts.BUCKET + checkouts.GUARD
_NAMED = "    environment: production\n"
_PUSHED = "on:\n  push:\n    branches: [main]\n"
_SUBJECT = '"repo:larkspur/orders:environment:production"'
_NOBODYS = OWNERS.replace("* @larkspur/developers\n", "")


@pytest.fixture(scope="module")
def rules() -> Iterator[GitHubRules]:
    with github_api() as api:
        yield GitHubRules(GitHubClient(api.url, REPOSITORY, TOKEN), REPOSITORY)


def told(folder: Path, files: Files, parser: ChildParser, rules: GitHubRules) -> Mapping[str, Answer]:
    seen = look(checkout(folder, {**MENDED, **files}), Production(), parser=parser)
    return {each.question: each for each in report_of(replace(seen, rules={GITHUB: rules}), "shop").answers}


def by_hand(*options: str) -> str:
    """Started by hand, for an environment that is chosen."""
    asked = f"on:\n  workflow_dispatch:\n    inputs:\n      env: {{type: choice, options: [{', '.join(options)}]}}\n"
    return DEPLOY.replace(_PUSHED, asked).replace("environment: production", "environment: ${{ inputs.env }}")


def by_matrix(*lines: str) -> str:
    matrix = "    environment: ${{ matrix.env }}\n    strategy:\n      matrix:\n"
    return DEPLOY.replace(_NAMED, matrix + "".join(f"        {line}\n" for line in lines))


_CALLED = DEPLOY.replace(
    _PUSHED,
    "on:\n  workflow_call:\n    inputs:\n      env: {type: string, default: prod-two}\n"
    "  workflow_dispatch:\n    inputs:\n      env: {type: choice, options: [production]}\n",
).replace("environment: production", "environment: ${{ inputs.env }}")

_CALLING_EACH_OTHER: Files = {
    ".github/workflows/a.yml": "on: push\njobs:\n  a: {uses: ./.github/workflows/b.yml}\n",
    **{
        f".github/workflows/{name}.yml": "on: workflow_call\njobs:\n"
        + "".join(f"  j{n}: {{uses: ./.github/workflows/{other}.yml}}\n" for n in range(50))
        for name, other in (("b", "c"), ("c", "d"), ("d", "e"))
    },
}
_PIPELINES: Mapping[str, tuple[str, Verdict, Files]] = {
    "a combination without an environment": (
        "pipeline-approval",
        UNKNOWN,
        {DEPLOYS: by_matrix("region: [eu, us]", "include: [{region: eu, env: production}]")},
    ),
    "an included combination without one": (
        "pipeline-approval",
        UNKNOWN,
        {DEPLOYS: by_matrix("env: [production]", "region: [eu]", "include: [{region: us}]")},
    ),
    "a choice of no environment": ("pipeline-approval", UNKNOWN, {DEPLOYS: by_hand("''", "production")}),
    "a choice of something else": ("pipeline-approval", UNKNOWN, {DEPLOYS: by_hand("live", "production")}),
    "called, with what is said when nothing is given": (
        "pipeline-approval",
        NO,
        {DEPLOYS: _CALLED, ".github/workflows/go.yml": f"on: push\njobs:\n  go:\n    uses: ./{DEPLOYS}\n"},
    ),
    "a push to here that deploys": (
        "pipeline-approval",
        UNKNOWN,
        {
            ".github/workflows/gitops.yml": "on: push\npermissions: {contents: write}\njobs:\n  deploy-prod:\n"
            "    runs-on: ubuntu-latest\n    steps:\n      - run: git push\n"
        },
    ),
    "GitLab beside it": (
        "pipeline-approval",
        NO,
        {".gitlab-ci.yml": "apply:\n  script:\n    - terraform -chdir=envs/prod apply\n"},
    ),
    "GitLab beside it, of nobody knows what": (
        "pipeline-approval",
        UNKNOWN,
        {".gitlab-ci.yml": ".base:\n  script: [terraform apply]\napply:\n  extends: .base\n"},
    ),
    "a pipeline that starts another": (
        "pipeline-approval",
        UNKNOWN,
        {".gitlab-ci.yml": "child:\n  trigger: {include: x/child.yml}\n"},
    ),
    "an `if` that something is done with": (
        "pipeline-outsiders",
        UNKNOWN,
        {
            DEPLOYS: DEPLOY.replace("on:\n", "on:\n  pull_request_target:\n").replace(
                _NAMED, f"    if: (true && github.event_name == 'push' && true) == false\n{_NAMED}"
            )
        },
    ),
    "an `if` in another case": (
        "pipeline-outsiders",
        UNKNOWN,
        {
            DEPLOYS: DEPLOY.replace("on:\n", "on:\n  pull_request_target:\n").replace(
                _NAMED, f"    if: github.event_name == 'Pull_Request_Target'\n{_NAMED}"
            )
        },
    ),
    "more jobs than are read": ("pipeline-outsiders", UNKNOWN, _CALLING_EACH_OTHER),
}
_TRUSTED: Mapping[str, tuple[str, Verdict, Files]] = {
    "staging's runs": ("pipeline-trust", NO, {TRUSTS: TRUST.replace("environment:production", "environment:staging")}),
    "an environment that is called something": (
        "pipeline-trust",
        UNKNOWN,
        {TRUSTS: TRUST.replace(_SUBJECT, f'{_SUBJECT}, "repo:larkspur/orders:environment:release"')},
    ),
    "one environment more, which no job names": (
        "pipeline-approval",
        NO,
        {TRUSTS: TRUST.replace(_SUBJECT, f'{_SUBJECT}, "repo:larkspur/orders:environment:production-hotfix"')},
    ),
    "a branch beside it": (
        "pipeline-approval",
        NO,
        {TRUSTS: TRUST.replace(_SUBJECT, f'{_SUBJECT}, "repo:larkspur/orders:ref:refs/heads/next"')},
    ),
    "another repository": (
        "pipeline-approval",
        UNKNOWN,
        {TRUSTS: TRUST.replace(_SUBJECT, f'{_SUBJECT}, "repo:larkspur/other:environment:production"')},
    ),
    "people, too": (
        "pipeline-trust",
        NO,
        {
            TRUSTS: TRUST.replace(
                "  statement {\n",
                '  statement {\n    actions = ["sts:AssumeRole"]\n    principals {\n      type = "AWS"\n'
                '      identifiers = ["arn:aws:iam::210987654321:root"]\n    }\n  }\n  statement {\n',
                1,
            )
        },
    ),
    "any repository writes the state": (
        "state-writers",
        NO,
        {TRUSTS: TRUST.replace('"StringEquals"', '"StringLike"').replace(_SUBJECT, '"repo:*"')},
    ),
    "a role that a script takes on": (
        "pipeline-trust",
        UNKNOWN,
        {
            DEPLOYS: DEPLOY.replace(
                "          role-to-assume: arn:aws:iam::210987654321:role/orders-prod-deploy\n", ""
            ).replace("terraform -chdir", "aws sts assume-role-with-web-identity --role-arn $R; terraform -chdir")
        },
    ),
    "a key of another cloud": (
        "pipeline-trust",
        NO,
        {DEPLOYS: f"{DEPLOY}        env: {{G: '${{{{ secrets.GCP_SA_KEY }}}}'}}\n"},
    ),
    "a key by what it is handed on as": (
        "pipeline-trust",
        NO,
        {DEPLOYS: f"{DEPLOY}        env: {{AWS_SECRET_ACCESS_KEY: '${{{{ secrets.DEPLOYER }}}}'}}\n"},
    ),
}
_WORKSPACE = (
    'terraform {\n  cloud {\n    organization = "larkspur"\n    workspaces {\n      name = "orders-%s"\n    }\n  }\n}\n'
)
_STATES: Mapping[str, tuple[str, Verdict, Files]] = {
    "no lock, quoted": ("state-locked", NO, {DEPLOYS: DEPLOY.replace("apply ", "apply -lock='false' ")}),
    "no lock, as Go reads it": ("state-locked", NO, {DEPLOYS: DEPLOY.replace("apply ", "apply -lock=F ")}),
    "Consul without a lock": (
        "state-locked",
        NO,
        {"envs/prod/main.tf": 'terraform {\n  backend "consul" {\n    path = "prod"\n    lock = false\n  }\n}\n'},
    ),
    "a workspace by a variable": ("state-apart", UNKNOWN, {DEPLOYS: f"{DEPLOY}        env: {{TF_WORKSPACE: other}}\n"}),
    "a backend that GitLab's default leads elsewhere": (
        "state-apart",
        UNKNOWN,
        {
            ".gitlab-ci.yml": "default:\n  before_script: [terraform init -backend-config=key=x]\nplan:\n  script: [make]\n"
        },
    ),
    "an environment that is called test": (
        "state-apart",
        NO,
        {"envs/test/main.tf": backend("larkspur-state-prod", "orders/test.tfstate"), STATE: checkouts.BUCKET},
    ),
    "workspaces of one organisation": (
        "state-apart",
        UNKNOWN,
        {f"envs/{name}/main.tf": _WORKSPACE % name for name in ("prod", "staging")},
    ),
    "older versions that others bring back": (
        "state-writers",
        NO,
        {STATE: GUARDED.replace(', "s3:DeleteObjectVersion"', "")},
    ),
    "a permission set that a run hands out": (
        "state-writers",
        UNKNOWN,
        {
            STATE: GUARDED.replace(
                "[aws_iam_role.deploy.arn]",
                '["arn:aws:iam::210987654321:role/aws-reserved/sso.amazonaws.com*/AWSReservedSSO_ReadOnlyAccess_'
                f'{"?" * 16}"]',
            ),
            "sso/main.tf": 'resource "aws_ssoadmin_account_assignment" "x" {\n  for_each           = var.x\n'
            "  permission_set_arn = each.value\n}\n",
        },
    ),
}
_OWNED: Mapping[str, tuple[str, Verdict, Files]] = {
    "a module that production is made of": (
        "owner-reviews",
        NO,
        {
            "modules/app/main.tf": 'module "inner" {\n  source = "./inner"\n}\n',
            "modules/app/inner/main.tf": "locals {}\n",
            "envs/prod/app.tf": 'module "app" {\n  source = "../../modules/app"\n}\n',
            ".github/CODEOWNERS": f"{_NOBODYS}/modules/app/*.tf @larkspur/platform\n",
        },
    ),
    "other files of a root module at the root": (
        "owner-reviews",
        NO,
        {
            "main.tf": backend("larkspur-prod-root", "root/prod.tfstate"),
            "app.tf": "locals {}\n",
            ".github/CODEOWNERS": f"{_NOBODYS}/main.tf @larkspur/platform\n",
        },
    ),
    "settings of production": (
        "owner-reviews",
        NO,
        {"deploy/values-prod.yaml": "replicas: 3\n", ".github/CODEOWNERS": _NOBODYS},
    ),
    "an action of the checkout": (
        "owner-reviews",
        NO,
        {"ci/go/action.yml": "", DEPLOYS: f"{DEPLOY}      - uses: ./ci/go\n", ".github/CODEOWNERS": _NOBODYS},
    ),
    "more policy folders than are read": (
        "owner-named",
        UNKNOWN,
        {
            f"{folder}{name.removeprefix('policy')}": MENDED[name]
            for folder in ("a", "b", "c", "d", "e")
            for name in MENDED
            if name.startswith("policy/")
        },
    ),
    "a script that the job runs": (
        "owner-reviews",
        NO,
        {"ci/go.sh": "", DEPLOYS: f"{DEPLOY}      - run: bash ci/go.sh\n", ".github/CODEOWNERS": _NOBODYS},
    ),
    "two forges that look in two places": (
        "owner-reviews",
        UNKNOWN,
        {".gitlab-ci.yml": "stages: []\n", "CODEOWNERS": "* @larkspur/a\n", ".github/CODEOWNERS": "/x @larkspur/b\n"},
    ),
}
_ALL = {**_PIPELINES, **_TRUSTED, **_STATES, **_OWNED}


@pytest.mark.parametrize("name", _ALL)
def test_it_is_no_yes(tmp_path: Path, parser: ChildParser, rules: GitHubRules, name: str) -> None:
    question, verdict, files = _ALL[name]
    answer = told(tmp_path, files, parser, rules)[question]
    assert answer.verdict is verdict, answer


def test_a_policy_that_is_an_example_is_in_force_nowhere(
    tmp_path: Path, parser: ChildParser, rules: GitHubRules
) -> None:
    seen = look(checkout(tmp_path, {"examples/policy/prodaccess.yaml": POLICY}), Production(), parser=parser)
    assert seen.policies == ()
    answers = {each.question: each for each in report_of(replace(seen, rules={GITHUB: rules}), "shop").answers}
    assert answers["owner-named"].verdict is UNKNOWN


# ---------------------------------------------------------------- nor a wrong no

_UNTIL_RUN: Mapping[str, tuple[str, Verdict, Files]] = {
    "versions by a dynamic block": (
        "state-bucket",
        UNKNOWN,
        {
            STATE: GUARDED.replace(
                '  versioning_configuration {\n    status = "Enabled"\n  }',
                '  dynamic "versioning_configuration" {\n    for_each = [1]\n    content {\n      status = "Enabled"\n    }\n  }',
            )
        },
    ),
    "a bucket that is one of several": (
        "state-bucket",
        UNKNOWN,
        {STATE: GUARDED.replace("aws_s3_bucket.state.id", "aws_s3_bucket.state[0].id")},
    ),
    "its policy": (
        "state-writers",
        UNKNOWN,
        {STATE: GUARDED.replace("aws_s3_bucket.state.id", "aws_s3_bucket.state[0].id")},
    ),
    "a state on somebody's machine beside it": (
        "state-apart",
        YES,
        {"envs/dev/main.tf": 'terraform {\n  backend "local" {}\n}\n'},
    ),
}


@pytest.mark.parametrize("name", _UNTIL_RUN)
def test_it_is_no_wrong_no(tmp_path: Path, parser: ChildParser, rules: GitHubRules, name: str) -> None:
    question, verdict, files = _UNTIL_RUN[name]
    answer = told(tmp_path, files, parser, rules)[question]
    assert answer.verdict is verdict, answer

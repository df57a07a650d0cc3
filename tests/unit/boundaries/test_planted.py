"""A checkout with five faults is told all five, and none after mending; what cannot be seen is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.boundaries.answers.every import report_of
from bot.boundaries.forge.client import GitHubClient
from bot.boundaries.forge.github import GitHubRules
from bot.boundaries.model import Answer, Report, Verdict
from bot.boundaries.pipelines.workflows import GITHUB
from bot.boundaries.production import Production
from bot.boundaries.reading.parser import ChildParser
from bot.boundaries.rules import Rules
from bot.boundaries.seen import look
from tests.support import checkouts
from tests.support.checkouts import FAULTS, MENDED, Files, all_faults, checkout
from tests.support.github_api import REPOSITORY, TOKEN, github_api

YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN
# What files alone do not tell.
_FORGES = {"pipeline-approval", "pipeline-branch", "owner-reviews"}


@pytest.fixture(scope="module")
def rules() -> Iterator[GitHubRules]:
    """Of a repository at which all is in order."""
    with github_api() as api:
        yield GitHubRules(GitHubClient(api.url, REPOSITORY, TOKEN), REPOSITORY)


def told(folder: Path, files: Files, parser: ChildParser, rules: Rules | None = None) -> Mapping[str, Answer]:
    return {answer.question: answer for answer in report(folder, files, parser, rules).answers}


def report(folder: Path, files: Files, parser: ChildParser, rules: Rules | None = None) -> Report:
    seen = look(checkout(folder, files), Production(), parser=parser)
    return report_of(replace(seen, rules={GITHUB: rules} if rules else {}), "shop")


def with_verdict(found: Mapping[str, Answer], verdict: Verdict) -> set[str]:
    return {name for name, answer in found.items() if answer.verdict is verdict}


def test_the_five_faults_are_told_all_five_and_none_after_mending(tmp_path: Path, parser: ChildParser) -> None:
    faulty = told(tmp_path / "faulty", all_faults(), parser)
    assert {question for question, _ in FAULTS.values()} <= with_verdict(faulty, NO)
    mended = told(tmp_path / "mended", MENDED, parser)
    assert with_verdict(mended, NO) == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone_is_told_with_its_line(tmp_path: Path, parser: ChildParser, fault: str) -> None:
    question, plant = FAULTS[fault]
    answer = told(tmp_path, plant(MENDED), parser)[question]
    assert answer.verdict is NO
    assert answer.to_do
    place = answer.evidence[0].place
    assert place is not None
    assert (tmp_path / place.file).is_file()
    assert place.line > 0


def test_nine_of_twelve_are_answered_offline_and_all_with_github(
    tmp_path: Path, parser: ChildParser, rules: GitHubRules
) -> None:
    offline = told(tmp_path, MENDED, parser)
    assert with_verdict(offline, UNKNOWN) == _FORGES
    asked = told(tmp_path, MENDED, parser, rules)
    assert with_verdict(asked, YES) == set(asked)
    assert len(asked) == 12


def test_nine_of_twelve_are_answered_of_a_checkout_full_of_faults(tmp_path: Path, parser: ChildParser) -> None:
    assert len(with_verdict(told(tmp_path, all_faults(), parser), UNKNOWN)) <= 3


def test_documents_that_mend_it_stand_below_and_mend_it(tmp_path: Path, parser: ChildParser) -> None:
    _, plant = FAULTS["developers write the state"]
    found = report(tmp_path / "before", plant(MENDED), parser)
    document = next(each for each in found.documents if each.question == "state-writers")
    text = document.text.replace("ACCOUNT_ID", "210987654321").replace("PERMISSION_SET_OF_A_GRANT", "ReadOnlyAccess")
    policy = (
        'resource "aws_s3_bucket_policy" "state" {\n  bucket = aws_s3_bucket.state.id\n'
        f"  policy = <<EOT\n{text}\nEOT\n}}\n"
    )
    files = {**plant(MENDED), "envs/prod/guard.tf": policy}
    after = told(tmp_path / "after", files, parser)
    assert after["state-writers"].verdict is YES
    # Whether somebody has the grant's permission set for good, no file tells.
    assert after["state-people"].verdict is UNKNOWN


# ---------------------------------------------------------------- never a wrong yes


_UNSURE: Mapping[str, tuple[str, Files]] = {
    "a partial backend": ("state-apart", {"envs/prod/main.tf": 'terraform {\n  backend "s3" {}\n}\n'}),
    "another one is partial": (
        "state-apart",
        {"envs/staging/main.tf": 'terraform {\n  backend "s3" {\n  key = "staging"\n}\n}\n'},
    ),
    "a lock that a variable says": (
        "state-locked",
        {
            "envs/prod/main.tf": checkouts.backend(
                "larkspur-state-prod", "orders/prod.tfstate", "  use_lockfile = var.lock\n"
            )
        },
    ),
    "versions that a variable says": (
        "state-bucket",
        {"envs/prod/state.tf": checkouts.BUCKET.replace('"Enabled"', "var.versions") + checkouts.GUARD},
    ),
    "a block that may not be there": (
        "state-bucket",
        {"envs/prod/state.tf": checkouts.BUCKET.replace("block_public_acls  ", "count = var.n\n  block_public_acls  ")},
    ),
    "a bucket that is made elsewhere": ("state-bucket", {"envs/prod/state.tf": ""}),
    "an exception that a variable names": (
        "state-writers",
        {"envs/prod/state.tf": checkouts.BUCKET + checkouts.GUARD.replace("aws_iam_role.deploy.arn", "var.writer")},
    ),
    "a second condition beside the exception": (
        "state-writers",
        {
            "envs/prod/state.tf": checkouts.BUCKET
            + checkouts.GUARD.replace(
                "    condition {",
                '    condition {\n  test = "Bool"\n  variable = "aws:ViaAWSService"\n  values = ["false"]\n}\n    condition {',
            )
        },
    ),
    "statements that are made by a run": (
        "state-writers",
        {
            "envs/prod/state.tf": checkouts.BUCKET
            + checkouts.GUARD.replace("  statement {", '  dynamic "statement" {', 1)
        },
    ),
    "a sub that a variable says": (
        "pipeline-trust",
        {"envs/prod/deploy.tf": checkouts.TRUST.replace("larkspur/orders:", "${var.repository}:")},
    ),
    "an environment that a run says": (
        "pipeline-approval",
        {
            ".github/workflows/deploy.yml": checkouts.DEPLOY.replace(
                "environment: production", "environment: ${{ vars.ENV }}"
            )
        },
    ),
    "a workflow from elsewhere": (
        "pipeline-outsiders",
        {
            ".github/workflows/tests.yaml": "on: pull_request\njobs:\n  test:\n    secrets: inherit\n"
            "    uses: larkspur/shared/.github/workflows/x.yml@v1\n"
        },
    ),
    "a machine of one's own": (
        "pipeline-outsiders",
        {".github/workflows/tests.yaml": checkouts.TESTS.replace("ubuntu-24.04", "[self-hosted, linux]")},
    ),
    "a secret of some name": (
        "pipeline-outsiders",
        {".github/workflows/tests.yaml": checkouts.TESTS + "        env: {KEY: '${{ secrets.SOME_KEY }}'}\n"},
    ),
    "a pipeline that says where the state stands": (
        "state-apart",
        {
            ".github/workflows/deploy.yml": checkouts.DEPLOY.replace(
                "-auto-approve", "&& terraform init -backend-config=key=x"
            )
        },
    ),
    "tokens that people have, too": (
        "state-writers",
        {
            "envs/prod/deploy.tf": checkouts.TRUST.replace(
                "token.actions.githubusercontent.com", "cognito-identity.amazonaws.com"
            )
        },
    ),
    "a second condition behind the exception": (
        "state-writers",
        {
            "envs/prod/state.tf": checkouts.BUCKET
            + checkouts.GUARD.replace(
                "values   = [aws_iam_role.deploy.arn]\n    }",
                'values   = [aws_iam_role.deploy.arn]\n    }\n    condition {\n      test     = "Bool"\n'
                '      variable = "aws:ViaAWSService"\n      values   = ["false"]\n    }',
            )
        },
    ),
    "a role of that name, which is not production's": (
        "state-writers",
        {
            "envs/prod/state.tf": checkouts.BUCKET
            + checkouts.GUARD.replace("aws_iam_role.deploy.arn", '"arn:aws:iam::999999999999:role/deployer"'),
            "envs/staging/deploy.tf": checkouts.TRUST.replace("orders-prod-deploy", "deployer"),
        },
    ),
    "a workflow of two documents": (
        "pipeline-outsiders",
        {".github/workflows/tests.yaml": checkouts.TESTS + "---\n" + checkouts.TESTS},
    ),
    "Terraform that writes over": ("state-locked", {"envs/prod/override.tf": checkouts.backend("x", "y")}),
    "Terraform that cannot be understood": ("state-apart", {"envs/other/main.tf": "}{"}),
    "a pipeline of another system": ("pipeline-outsiders", {"Jenkinsfile": "node { sh 'deploy prod' }"}),
    "no code owners that are read": ("owner-reviews", {".github/CODEOWNERS": "[Platform]\n* @larkspur/platform\n"}),
}


@pytest.mark.parametrize("name", _UNSURE)
def test_what_is_absent_partial_remote_or_worked_out_by_a_run_is_not_known(
    tmp_path: Path, parser: ChildParser, rules: GitHubRules, name: str
) -> None:
    question, files = _UNSURE[name]
    answer = told(tmp_path, {**MENDED, **files}, parser, rules)[question]
    assert answer.verdict is UNKNOWN, answer
    assert answer.to_do


_WRONG: Mapping[str, tuple[str, Files]] = {
    "an exception for all": (
        "state-writers",
        {
            "envs/prod/state.tf": checkouts.BUCKET
            + checkouts.GUARD.replace("[aws_iam_role.deploy.arn]", '["arn:aws:iam::*:*"]')
        },
    ),
    "a policy that others may take away": (
        "state-writers",
        {"envs/prod/state.tf": checkouts.BUCKET + checkouts.GUARD.replace('"s3:DeleteBucketPolicy"', '"s3:GetObject"')},
    ),
    "the gate alone": (
        "pipeline-approval",
        {
            ".github/workflows/deploy.yml": checkouts.DEPLOY.replace("    environment: production\n", "").replace(
                "terraform -chdir", "prodaccess gate production --change x && terraform -chdir"
            )
        },
    ),
    "no sub at all": (
        "pipeline-trust",
        {"envs/prod/deploy.tf": checkouts.TRUST.replace("githubusercontent.com:sub", "githubusercontent.com:actor")},
    ),
    "a sub that may be missing": (
        "pipeline-trust",
        {"envs/prod/deploy.tf": checkouts.TRUST.replace('"StringEquals"', '"StringEqualsIfExists"')},
    ),
    "keys that last": (
        "pipeline-trust",
        {
            ".github/workflows/deploy.yml": checkouts.DEPLOY
            + "        env: {A: '${{ secrets.AWS_SECRET_ACCESS_KEY }}'}\n"
        },
    ),
    "a pipeline that does not lock": (
        "state-locked",
        {".github/workflows/deploy.yml": checkouts.DEPLOY.replace("apply ", "apply -lock=false ")},
    ),
    "another region": (
        "state-region",
        {
            "envs/prod/main.tf": checkouts.backend("larkspur-state-prod", "orders/prod.tfstate").replace(
                "eu-central-1", "us-east-1", 1
            )
        },
    ),
    "no code owners": ("owner-reviews", {".github/CODEOWNERS": "/docs/ @larkspur/writers\n"}),
    "a workflow that is only added": (
        "owner-reviews",
        {
            ".github/CODEOWNERS": checkouts.OWNERS.replace(
                "* @larkspur/developers\n/.github/ ",
                "/.github/CODEOWNERS @larkspur/platform\n/.github/workflows/*s.yaml @larkspur/a\n"
                "/.github/workflows/deploy.yml ",
            )
            + "/envs/ @larkspur/platform\n"
        },
    ),
    "owners taken away again": (
        "owner-reviews",
        {".github/CODEOWNERS": checkouts.OWNERS + "/.github/workflows/deploy.yml\n"},
    ),
    "a policy folder that is not in order": ("owner-named", {"policy/roles.yaml": "roles: 7\n"}),
}


@pytest.mark.parametrize("name", _WRONG)
def test_what_is_wrong_is_told(tmp_path: Path, parser: ChildParser, name: str) -> None:
    question, files = _WRONG[name]
    answer = told(tmp_path, {**MENDED, **files}, parser)[question]
    assert answer.verdict is NO, answer

"""What AWS says of the bucket of a state: read through botocore, with answers of its own shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from bot.boundaries.answers.every import report_of
from bot.boundaries.cloud.ask import live_of
from bot.boundaries.cloud.aws import AwsLook
from bot.boundaries.mending import guard_policy
from bot.boundaries.model import Answer, Verdict
from bot.boundaries.production import Production
from bot.boundaries.reading.parser import ChildParser
from bot.boundaries.seen import Seen, look
from tests.support.checkouts import MENDED, checkout

YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN
ACCOUNT, BUCKET = "210987654321", "larkspur-state-prod"
DEPLOY = f"arn:aws:iam::{ACCOUNT}:role/orders-prod-deploy"
SSO = "/aws-reserved/sso.amazonaws.com/eu-central-1/"
PEOPLES = f"arn:aws:iam::{ACCOUNT}:role{SSO}AWSReservedSSO_Admin_0123456789abcdef"
BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
GUARD = json.dumps(guard_policy(BUCKET, ["*"], [DEPLOY]))


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, parser: ChildParser) -> Seen:
    """The Terraform of the bucket stands elsewhere."""
    files = {**MENDED, "envs/prod/state.tf": ""}
    return look(checkout(tmp_path_factory.mktemp("shop"), files), Production(), parser=parser)


@cache
def _client(service: str) -> Any:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
    return boto3.client(service, region_name="eu-central-1", config=Config(retries={"max_attempts": 0}), **keys)


def role(name: str, path: str = "/", **principal: str) -> dict[str, Any]:
    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}]}
    arn = f"arn:aws:iam::{ACCOUNT}:role{path}{name}"
    return {
        "Path": path,
        "RoleName": name,
        "RoleId": "AROA" + "1" * 16,
        "Arn": arn,
        "CreateDate": "2026-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": json.dumps(trust),
    }


def roles() -> list[dict[str, Any]]:
    """Made anew: botocore puts the trust policy in its place as it hands it out."""
    return [
        role("AWSReservedSSO_Admin_0123456789abcdef", SSO, Federated=f"arn:aws:iam::{ACCOUNT}:saml-provider/sso"),
        role("worker", Service="ecs-tasks.amazonaws.com"),
        role(
            "orders-prod-deploy", Federated=f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
        ),
    ]


ANYBODY = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Principal": "*"}]}
_ERRORS = {"get_bucket_policy": "NoSuchBucketPolicy", "get_public_access_block": "NoSuchPublicAccessBlockConfiguration"}


def asked(seen: Seen, decision: str = "implicitDeny", **answers: Any) -> Mapping[str, Answer]:
    """`answers`: method -> what it answers; a text is an error's code."""
    s3, iam = _client("s3"), _client("iam")
    of_s3 = {
        "get_bucket_policy": {"Policy": GUARD},
        "get_bucket_location": {"LocationConstraint": "eu-central-1"},
        "get_bucket_versioning": {"Status": "Enabled"},
        "get_public_access_block": {"PublicAccessBlockConfiguration": BLOCKED},
        **answers,
    }
    with Stubber(s3) as stub, Stubber(iam) as people:
        for method in ("get_bucket_policy", "get_bucket_location", "get_bucket_versioning", "get_public_access_block"):
            answer = of_s3[method]
            if isinstance(answer, str):
                stub.add_client_error(method, answer)
            else:
                stub.add_response(method, answer, {"Bucket": BUCKET, "ExpectedBucketOwner": ACCOUNT})
        _people(people, decision)
        live = live_of(seen, AwsLook(s3, iam, ACCOUNT))
    return {answer.question: answer for answer in report_of(replace(seen, live=live), "shop").answers}


def _people(stub: Stubber, decision: str) -> None:
    stub.add_response("list_roles", {"Roles": roles(), "IsTruncated": False})
    stub.add_response("list_users", {"Users": [], "IsTruncated": False})
    asked_of = (
        (["s3:PutObject", "s3:DeleteObject"], f"{BUCKET}/orders/prod.tfstate"),
        (["s3:PutBucketPolicy"], BUCKET),
    )
    for actions, resource in asked_of:
        results = [{"EvalActionName": action, "EvalDecision": decision} for action in actions]
        stub.add_response(
            "simulate_principal_policy",
            {"EvaluationResults": results, "IsTruncated": False},
            {"PolicySourceArn": PEOPLES, "ActionNames": actions, "ResourceArns": [f"arn:aws:s3:::{resource}"]},
        )


@pytest.mark.parametrize(
    ("question", "verdict", "decision", "answers"),
    [
        ("state-region", YES, "implicitDeny", {}),
        ("state-region", NO, "implicitDeny", {"get_bucket_location": {"LocationConstraint": "us-west-2"}}),
        ("state-region", UNKNOWN, "implicitDeny", {"get_bucket_location": "AccessDenied"}),
        ("state-bucket", YES, "implicitDeny", {}),
        ("state-bucket", NO, "implicitDeny", {"get_bucket_versioning": {}}),
        ("state-bucket", NO, "implicitDeny", {"get_public_access_block": _ERRORS["get_public_access_block"]}),
        ("state-bucket", UNKNOWN, "implicitDeny", {"get_public_access_block": "AccessDenied"}),
        ("state-writers", YES, "allowed", {}),
        ("state-writers", NO, "implicitDeny", {"get_bucket_policy": _ERRORS["get_bucket_policy"]}),
        ("state-writers", UNKNOWN, "implicitDeny", {"get_bucket_policy": "AccessDenied"}),
        # The bucket's policy denies it, whatever the role's own policies allow.
        ("state-people", YES, "allowed", {}),
        ("state-people", NO, "allowed", {"get_bucket_policy": _ERRORS["get_bucket_policy"]}),
        ("state-people", YES, "implicitDeny", {"get_bucket_policy": _ERRORS["get_bucket_policy"]}),
        ("state-people", UNKNOWN, "implicitDeny", {"get_bucket_policy": "AccessDenied"}),
        (
            "state-people",
            UNKNOWN,
            "implicitDeny",
            {
                "get_bucket_policy": {
                    "Policy": json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Principal": "*"}]})
                }
            },
        ),
    ],
)
def test_what_aws_says_counts(
    seen: Seen, question: str, verdict: Verdict, decision: str, answers: dict[str, Any]
) -> None:
    answer = asked(seen, decision, **answers)[question]
    assert answer.verdict is verdict, answer


def test_what_cannot_be_asked_is_not_known_with_why(seen: Seen) -> None:
    answer = asked(seen, get_bucket_policy="AccessDenied", get_bucket_versioning="ServiceUnavailable")["state-bucket"]
    told = " ".join(one.words for one in answer.evidence)
    assert "refused it" in told
    assert "answered ServiceUnavailable" in told

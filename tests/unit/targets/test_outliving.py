"""Templates whose holder keeps access after the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.policy_file.policy_folder import SHOP, problems, warnings
from workflows.targets.aws.outliving import outliving


def template(*actions: str) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [*actions], "Resource": "*"}]}
    )


KEEPING = [
    "*",
    "iam:*",
    "IAM:*",
    "i*:*",
    "*:*",
    "*:Create*",
    "iam:Put*",
    "iam:*Key",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:PutUserPolicy",
    "iam:AttachUserPolicy",
    "iam:PassRole",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:AddUserToGroup",
    "iam:CreatePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:DeleteUserPermissionsBoundary",
    "iam:UploadSSHPublicKey",
    "iam:CreateServiceSpecificCredential",
    "iam:PutRolePolicy",
    "iam:AttachRolePolicy",
    "iam:TagUser",
    "iam:P?ssRole",
    "iam:G*",
    "iam:?etUser",
    "sts:AssumeRole",
    "sts:assumerole",
    "sts:*",
    "sts:Assume*",
    "sts:GetFederationToken",
    "sts:Get*",
    "sts:AssumeRoot",
    "*:AssumeRole",
    "sso:CreateAccountAssignment",
    "sso:*",
    "identitystore:CreateGroupMembership",
    "organizations:AttachPolicy",
    "lambda:CreateFunction",
    "lambda:Update*",
    "lambda:*",
    "lambda:AddPermission",
    "ec2:RunInstances",
    "ec2:*",
    "ssm:SendCommand",
    "ssm:StartSession",
    "cloudformation:CreateStack",
    "ecs:RunTask",
    "s3:PutBucketPolicy",
    "s3:*",
    "s3:Put*",
    "kms:CreateGrant",
    "kms:PutKeyPolicy",
    "eks:CreateAccessEntry",
    "secretsmanager:*",
    "events:PutTargets",
    "scheduler:CreateSchedule",
]
FINE = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "s3:Get*",
    "s3:List*",
    "s3:DeleteObject",
    "logs:FilterLogEvents",
    "logs:Get*",
    "cloudwatch:*",
    "ec2:Describe*",
    "ec2:StopInstances",
    "iam:Get*",
    "iam:List*",
    "iam:GetUser",
    "iam:ListRoles",
    "iam:ChangePassword",
    "iam:SimulatePrincipalPolicy",
    "iam:GenerateCredentialReport",
    "sts:GetCallerIdentity",
    "sts:DecodeAuthorizationMessage",
    "lambda:InvokeFunction",
    "lambda:Get*",
    "sqs:SendMessage",
    "sqs:PurgeQueue",
    "dynamodb:PutItem",
    "kms:Decrypt",
    "ssm:GetParameter",
    "rds-db:connect",
    "states:StartExecution",
    "sso:List*",
    "organizations:Describe*",
    "ecs:Describe*",
]


@pytest.mark.parametrize("action", KEEPING)
def test_what_outlives_the_end_is_found_however_it_is_spelt(action: str) -> None:
    assert outliving(template("s3:GetObject", action)) == (action,)


@pytest.mark.parametrize("action", FINE)
def test_everyday_work_is_not_suspected(action: str) -> None:
    assert outliving(template(action)) == ()


STATE, ROLES = "policies/state.json", "roles.yaml"
WRITES = (STATE, "s3:GetObject", "iam:CreateAccessKey")
STAGING = (SHOP, "tier: production", "tier: staging")
SAID = "a grant of shop-prod state-write can outlive its end: policies/state.json allows iam:CreateAccessKey"
HELP = 'take it out, or say why it has to be: outlives: "..." in the role'


def test_in_production_it_is_an_error_until_somebody_says_why(tmp_path: Path) -> None:
    assert problems(tmp_path, WRITES) == [f"{ROLES}:9: {SAID}; {HELP}"]


@pytest.mark.parametrize(
    "why",
    [
        (
            ROLES,
            "    allows: Write state\n",
            '    allows: Write state\n    outlives: "keys are rotated by its holder"\n',
        ),
        (SHOP, "  state-write: {}", '  state-write: {outlives: "keys are rotated by its holder"}'),
    ],
    ids=["everywhere", "here"],
)
def test_with_a_reason_it_passes(tmp_path: Path, why: tuple[str, str, str]) -> None:
    assert warnings(tmp_path, WRITES, why) == []


def test_elsewhere_it_is_a_warning(tmp_path: Path) -> None:
    assert f"{ROLES}:9: {SAID}; {HELP}" in warnings(tmp_path, WRITES, STAGING)


def test_a_reason_for_what_is_not_there_is_a_warning(tmp_path: Path) -> None:
    why = (ROLES, "    allows: Write state\n", '    allows: Write state\n    outlives: "once upon a time"\n')
    message = "shop-prod state-write says why it outlives its end, and nothing that it allows does"
    assert warnings(tmp_path, why) == [f"{ROLES}:9: {message}; take outlives out"]


def test_many_are_named_in_part(tmp_path: Path) -> None:
    many = (STATE, '"s3:GetObject"', '["iam:CreateAccessKey", "sts:AssumeRole", "iam:PassRole", "lambda:*", "ec2:*"]')
    (said,) = problems(tmp_path, many)
    assert "allows iam:CreateAccessKey, sts:AssumeRole, iam:PassRole and 2 more" in said

"""Whom a role's trust policy lets in by a forge's word: only where its condition demands that the subject is a certain one."""

from __future__ import annotations

from typing import Any

import pytest

from workflows.targets.aws.iam_roles import IamRole, problem_of
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsTerms

HOME = "111122223333"
TERMS = AwsTerms(
    AwsKind.IAM_ROLE_POLICY, "main", "eu-central-1", account=HOME, gate="orders-prod", role="orders-deploy"
)
OURS = "repo:acme/orders:environment:production"


def problem(condition: Any, provider: str = "token.actions.githubusercontent.com") -> str | None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{HOME}:oidc-provider/{provider}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    arn = f"arn:aws:iam::{HOME}:role/orders-deploy"
    return problem_of(
        IamRole("orders-deploy", "AROAX", arn, HOME, "/", "orders-prod", {"Statement": [statement]}), TERMS
    )


def sub(*values: str, operator: str = "StringLike", key: str = "token.actions.githubusercontent.com:sub") -> Any:
    return {operator: {key: values[0] if len(values) == 1 else list(values)}}


@pytest.mark.parametrize(
    "condition",
    [
        sub(OURS),
        sub(OURS, operator="StringEquals"),
        sub(OURS, operator="stringequals", key="TOKEN.actions.githubusercontent.com:SUB"),
        sub(OURS, operator="ForAnyValue:StringEquals"),
        sub("repo:acme/*"),
        sub("repo:acme/orders:*", "repo:acme/shop:*"),
        sub("repo:acme@583231/orders@1296269:*"),
        sub("system:serviceaccount:ci:*"),
        {**sub("*"), **sub(OURS, operator="StringEquals")},
    ],
)
def test_a_subject_that_is_demanded_is_a_pipeline(condition: Any) -> None:
    assert problem(condition) is None


@pytest.mark.parametrize(
    "condition",
    [
        None,
        {},
        [],
        {"StringLike": []},
        sub("*"),
        sub("repo:*"),
        sub("repo:*/*"),
        sub("repo:*/orders:*"),
        sub("repo:acme*"),
        sub("rep?:acme/orders:*"),
        sub("r*"),
        sub(OURS, "repo:*"),
        sub("repo:${aws:username}/orders"),
        # It lets everybody else in.
        sub(OURS, operator="StringNotEquals"),
        sub(OURS, operator="StringNotLike"),
        # It demands nothing where there is nothing to look at.
        sub(OURS, operator="StringLikeIfExists"),
        sub(OURS, operator="ForAllValues:StringLike"),
        sub("false", operator="Null"),
        # Of another issuer, and of no subject.
        sub(OURS, key="gitlab.example.com:sub"),
        sub(OURS, key="token.actions.githubusercontent.com:aud"),
        sub(OURS, key="xtoken.actions.githubusercontent.com:sub"),
    ],
)
def test_what_lets_any_other_in_is_given_nothing(condition: Any) -> None:
    found = problem(condition)

    assert found is not None
    assert found.startswith("People may take on orders-deploy")


def test_an_issuer_with_a_path_has_it_in_its_key() -> None:
    assert problem(sub(OURS, key="git.example.com/_services/token:sub"), "git.example.com/_services/token") is None

"""What can be given in AWS."""

from __future__ import annotations

from enum import StrEnum


class AwsKind(StrEnum):
    IDENTITY_CENTER = "aws-identity-center"
    IDENTITY_CENTER_GROUP = "aws-identity-center-group"
    IAM_POLICY = "aws-iam-policy"
    IAM_GROUP = "aws-iam-group"
    # Of a pipeline, through a gate alone: no role of the policy gives it, because nobody asks for it.
    IAM_ROLE_POLICY = "aws-iam-role-policy"


# Whose users are those of an identity store; the others' are users of an account.
OF_IDENTITY_CENTER = frozenset({AwsKind.IDENTITY_CENTER, AwsKind.IDENTITY_CENTER_GROUP})
# An inline policy of its own for each grant, which says by its name that it is ours, and ends by itself.
BY_NAME = frozenset({AwsKind.IAM_POLICY, AwsKind.IAM_ROLE_POLICY})

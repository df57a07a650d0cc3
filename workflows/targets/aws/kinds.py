"""What can be given in AWS."""

from __future__ import annotations

from enum import StrEnum


class AwsKind(StrEnum):
    IDENTITY_CENTER = "aws-identity-center"
    IDENTITY_CENTER_GROUP = "aws-identity-center-group"
    IAM_POLICY = "aws-iam-policy"
    IAM_GROUP = "aws-iam-group"


# Whose users are those of an identity store; the others' are users of an account.
OF_IDENTITY_CENTER = frozenset({AwsKind.IDENTITY_CENTER, AwsKind.IDENTITY_CENTER_GROUP})

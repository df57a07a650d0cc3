"""The kinds of value that stand in the policy's files for AWS alone."""

from __future__ import annotations

from workflows.policy_file.values import shape

Region = shape("[a-z]{2,3}(?:-[a-z]+)+-[0-9]+", "an AWS region", "write it like eu-central-1")
InstanceArn = shape(r"arn:aws[a-z-]*:sso:::instance/[A-Za-z0-9-]+", "an Identity Center instance", "write its ARN")
RoleArn = shape(
    r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", "the ARN of an IAM role", "it has an account of 12 digits"
)

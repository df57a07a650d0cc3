"""The kinds of value that stand in the policy's files for AWS alone."""

from __future__ import annotations

from workflows.policy_file.values import shape

Region = shape("[a-z]{2,3}(?:-[a-z]+)+-[0-9]+", "an AWS region", "write it like eu-central-1")
InstanceArn = shape(r"arn:aws[a-z-]*:sso:::instance/[A-Za-z0-9-]+", "an Identity Center instance", "write its ARN")
RoleArn = shape(
    r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", "the ARN of an IAM role", "it has an account of 12 digits"
)
RoleName = shape(r"[\w+=,.@/-]{1,512}", "the name of an IAM role", "write its name, with its path before it")
# People take on the roles of Identity Center, and AWS's own services theirs.
PipelineRole = shape(
    r"(?!(?i:AWSReservedSSO_|AWSServiceRoleFor))[\w+=,.@-]{1,64}",
    "the name of a pipeline's role",
    "write the name alone, without path or ARN; roles of Identity Center are people's",
)

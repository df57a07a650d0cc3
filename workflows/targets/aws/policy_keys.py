"""What the policy's files may say of AWS: a connection, and a role's target of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from workflows.policy_file.strict_model import Raw
from workflows.policy_file.values import Https, TemplatePath, Text
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsConnection, AwsSpec
from workflows.targets.aws.values import InstanceArn, PipelineRole, Region, RoleArn, RoleName


class Connection(Raw):
    kind: Literal["aws"]
    region: Region = Field(description="of Identity Center, where it is used")
    portal: Https | None = Field(None, description="the start address of the access portal")
    instance_arn: InstanceArn | None = Field(None, description="not needed where the account has one instance")
    role_arn: RoleArn | None = Field(None, description="the role that the worker takes on")
    external_id: Text | None = None
    profile: Text | None = Field(None, description="a profile of the worker's AWS configuration")
    partition: Literal["aws", "aws-cn", "aws-us-gov"] | None = Field(None, description="else taken from the region")
    match: Annotated[tuple[Literal["email", "user_name"], ...], Field(strict=False, min_length=1)] | None = Field(
        None, description="which names of a user in Identity Center are an address; [email] unless said"
    )

    activity_role: RoleName | None = Field(
        None, description="the name of a role in each account that the worker takes on to look at CloudTrail there"
    )
    activity_regions: Annotated[tuple[Region, ...], Field(strict=False, min_length=1)] | None = Field(
        None, description="where CloudTrail is asked what was done with access; the connection's region unless said"
    )

    def connection(self, name: str) -> AwsConnection:
        return AwsConnection(
            name=name,
            kind=self.kind,
            region=self.region,
            portal=self.portal,
            instance_arn=self.instance_arn,
            role_arn=self.role_arn,
            external_id=self.external_id,
            profile=self.profile,
            partition=self.partition or _partition(self.region),
            match=self.match,
            activity_role=self.activity_role,
            activity_regions=self.activity_regions,
        )


def _partition(region: str) -> str:
    starts = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((partition for start, partition in starts.items() if region.startswith(start)), "aws")


class PermissionSetTarget(Raw):
    kind: Literal["aws-identity-center"]
    permission_set: Text

    def spec(self, templates: Mapping[str, str]) -> AwsSpec:  # noqa: ARG002 - it has none
        return AwsSpec(AwsKind(self.kind), permission_set=self.permission_set)


class DirectoryGroupTarget(Raw):
    kind: Literal["aws-identity-center-group"]
    group: Text

    def spec(self, templates: Mapping[str, str]) -> AwsSpec:  # noqa: ARG002 - as above
        return AwsSpec(AwsKind(self.kind), group=self.group)


class InlinePolicyTarget(Raw):
    kind: Literal["aws-iam-policy"]
    user: Text
    policy: TemplatePath

    def spec(self, templates: Mapping[str, str]) -> AwsSpec:
        template = templates.get(self.policy)
        return AwsSpec(AwsKind(self.kind), user=self.user, policy_template=template, policy_path=self.policy)


class IamGroupTarget(Raw):
    kind: Literal["aws-iam-group"]
    user: Text
    group: Text

    def spec(self, templates: Mapping[str, str]) -> AwsSpec:  # noqa: ARG002 - as above
        return AwsSpec(AwsKind(self.kind), user=self.user, group=self.group)


class PipelineRoleTarget(Raw):
    """Of a gate."""

    kind: Literal["aws-iam-role-policy"]
    role: PipelineRole = Field(
        description="the pipeline's own role, by its name; its tag prodaccess:gate names the environment"
    )
    policy: TemplatePath = Field(description="what it is given for that time")

    def spec(self, templates: Mapping[str, str]) -> AwsSpec:
        template = templates.get(self.policy)
        return AwsSpec(AwsKind(self.kind), role=self.role, policy_template=template, policy_path=self.policy)

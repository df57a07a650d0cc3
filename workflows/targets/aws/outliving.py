"""Actions with which the holder of a template keeps access after its end: keys and passwords, policies of their own, other roles,
code that runs on, and doors that are opened to others.

The end is a condition in each statement of the template; what was made while it held knows nothing of it. The names are those
of AWS's service authorization reference. No list of this kind is complete: it catches what people write without a thought.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# Services that are about who may do what: there everything counts but looking.
_IDENTITY = frozenset(
    ["iam", "sts", "sso", "sso-directory", "identitystore", "organizations", "account", "ram", "rolesanywhere"]
)
_LOOKING = re.compile(r"(get|list|describe|generate|simulate|search|decode|is)[a-z]*", re.IGNORECASE)
# Looking by name, and yet credentials come back; and the other way round.
_CREDENTIALS = frozenset(["sts:getfederationtoken", "sts:getsessiontoken", "sts:getservicebearertoken"])
_HARMLESS = frozenset(["iam:changepassword", "sts:tagsession", "sts:setsourceidentity"])

# Elsewhere what is made and runs on, with rights of its own, and what lets others in: service -> actions.
_ELSEWHERE: Mapping[str, str] = {
    "apprunner": "CreateService UpdateService",
    "autoscaling": "CreateLaunchConfiguration CreateAutoScalingGroup UpdateAutoScalingGroup",
    "backup": "PutBackupVaultAccessPolicy",
    "batch": "RegisterJobDefinition SubmitJob",
    "cloudformation": "CreateStack UpdateStack CreateChangeSet ExecuteChangeSet CreateStackSet UpdateStackSet "
    "CreateStackInstances",
    "codebuild": "CreateProject UpdateProject StartBuild StartBuildBatch PutResourcePolicy",
    "codepipeline": "CreatePipeline UpdatePipeline",
    "codestar": "CreateProject AssociateTeamMember",
    "cognito-identity": "SetIdentityPoolRoles UpdateIdentityPool GetCredentialsForIdentity",
    "cognito-idp": "AdminCreateUser AdminSetUserPassword AdminAddUserToGroup CreateGroup",
    "datapipeline": "CreatePipeline PutPipelineDefinition",
    "dynamodb": "PutResourcePolicy",
    "ec2": "RunInstances RequestSpotInstances RequestSpotFleet CreateFleet CreateLaunchTemplate CreateLaunchTemplateVersion "
    "ModifyInstanceAttribute AssociateIamInstanceProfile ReplaceIamInstanceProfileAssociation CreateKeyPair ImportKeyPair "
    "AuthorizeSecurityGroupIngress ModifySnapshotAttribute ModifyImageAttribute CreateVpcPeeringConnection",
    "ec2-instance-connect": "SendSSHPublicKey SendSerialConsoleSSHPublicKey OpenTunnel",
    "ecr": "SetRepositoryPolicy PutRegistryPolicy PutImage",
    "ecs": "RegisterTaskDefinition RunTask StartTask CreateService UpdateService ExecuteCommand",
    "eks": "CreateAccessEntry UpdateAccessEntry AssociateAccessPolicy CreatePodIdentityAssociation UpdateClusterConfig",
    "elasticfilesystem": "PutFileSystemPolicy",
    "elasticmapreduce": "RunJobFlow AddJobFlowSteps",
    "es": "UpdateDomainConfig UpdateElasticsearchDomainConfig",
    "events": "PutRule PutTargets PutPermission",
    "execute-api": "ManageConnections",
    "glacier": "SetVaultAccessPolicy",
    "glue": "CreateDevEndpoint UpdateDevEndpoint CreateJob UpdateJob CreateTrigger CreateSession PutResourcePolicy",
    "kms": "PutKeyPolicy CreateGrant",
    "lambda": "CreateFunction UpdateFunctionCode UpdateFunctionConfiguration AddPermission AddLayerVersionPermission "
    "CreateFunctionUrlConfig UpdateFunctionUrlConfig CreateEventSourceMapping UpdateEventSourceMapping PublishLayerVersion",
    "lightsail": "GetInstanceAccessDetails DownloadDefaultKeyPair CreateInstances",
    "logs": "PutResourcePolicy PutSubscriptionFilter PutDestinationPolicy",
    "rds": "ModifyDBInstance ModifyDBCluster ModifyDBSnapshotAttribute ModifyDBClusterSnapshotAttribute AddRoleToDBInstance "
    "AddRoleToDBCluster",
    "redshift": "CreateClusterUser ModifyCluster AuthorizeSnapshotAccess AuthorizeEndpointAccess GetClusterCredentials",
    "s3": "PutBucketPolicy PutBucketAcl PutObjectAcl PutObjectVersionAcl PutAccessPointPolicy PutMultiRegionAccessPointPolicy "
    "PutBucketPublicAccessBlock PutAccountPublicAccessBlock PutReplicationConfiguration PutBucketOwnershipControls "
    "CreateAccessGrant",
    "sagemaker": "CreateNotebookInstance CreatePresignedNotebookInstanceUrl CreatePresignedDomainUrl CreateProcessingJob "
    "CreateTrainingJob UpdateNotebookInstance CreateNotebookInstanceLifecycleConfig",
    "scheduler": "CreateSchedule UpdateSchedule",
    "secretsmanager": "PutResourcePolicy",
    "servicecatalog": "ProvisionProduct CreateProvisioningArtifact",
    "sns": "AddPermission SetTopicAttributes",
    "sqs": "AddPermission SetQueueAttributes",
    "ssm": "StartSession SendCommand CreateAssociation UpdateAssociation StartAutomationExecution CreateDocument "
    "UpdateDocument PutResourcePolicy ModifyDocumentPermission CreateActivation",
    "states": "CreateStateMachine UpdateStateMachine",
}
_NAMES = tuple(f"{service}:{action}".lower() for service, actions in _ELSEWHERE.items() for action in actions.split())


def outliving(template: str) -> tuple[str, ...]:
    """Those of the actions that a valid template allows, as it spells them, with which access outlives its end."""
    document: dict[str, Any] = json.loads(template)
    statements = document.get("Statement", [])
    found = (action for each in _listed(statements) for action in _listed(each.get("Action", [])) if _outlives(action))
    return tuple(dict.fromkeys(found))


def _outlives(action: str) -> bool:
    """An action may have wildcards, `*` and `?`, also in the service; capitals do not matter."""
    folded = action.lower()
    service, _, name = folded.partition(":")
    like = re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in folded))
    if any(like.fullmatch(each) for each in (*_NAMES, *_CREDENTIALS)):
        return True
    if not any(like.fullmatch(f"{each}:{name}") for each in _IDENTITY) and service not in _IDENTITY:
        return False
    return folded not in _HARMLESS and not _only_looks(name)


def _only_looks(name: str) -> bool:
    """Whether all that the name stands for begins with a word for looking: that word is there before the first wildcard."""
    return _LOOKING.match(re.split(r"[*?]", name)[0]) is not None


def _listed(value: Any) -> Iterator[Any]:
    items: Iterable[Any] = value if isinstance(value, list) else [value]
    return iter(items)

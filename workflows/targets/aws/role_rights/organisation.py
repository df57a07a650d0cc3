"""What an organisation keeps everybody in production from: other regions, services it does not use, and its Terraform state,
which the pipeline's role and grants alone write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.core.policy import Entitlement
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.role_rights.covers import Right, listed, meet
from workflows.targets.aws.role_rights.covers import read as read_document
from workflows.targets.aws.role_rights.never import stays
from workflows.targets.aws.role_rights.statement import CONTROL_MAX, Condition, Statement, document, packed, size_of
from workflows.targets.aws.terms import AwsSpec
from workflows.targets.aws.wanted import SOMEBODY, WHOEVER, terms_of

# Services that have one endpoint for all regions, mostly in us-east-1, so that a limit on regions would take them away whole.
# "Deny access to AWS based on the requested Region" of Control Tower's reference of controls, as far as people and pipelines need
# them; a service that an organisation uses beside these is named with --global-service.
GLOBAL = (
    "access-analyzer:*",
    "account:*",
    "acm:*",
    "artifact:*",
    "aws-portal:*",
    "billing:*",
    "budgets:*",
    "ce:*",
    "chatbot:*",
    "cloudfront:*",
    "cloudtrail:LookupEvents",
    "compute-optimizer:*",
    "cur:*",
    "directconnect:*",
    "ecr-public:*",
    "globalaccelerator:*",
    "health:*",
    "iam:*",
    "identitystore:*",
    "invoicing:*",
    "networkmanager:*",
    "notifications:*",
    "organizations:*",
    "payments:*",
    "pricing:*",
    "route53:*",
    "route53domains:*",
    "s3:GetAccountPublicAccessBlock",
    "s3:GetBucketLocation",
    "s3:ListAllMyBuckets",
    "s3:PutAccountPublicAccessBlock",
    "savingsplans:*",
    "shield:*",
    "signin:*",
    "sso-directory:*",
    "sso:*",
    "sts:*",
    "support:*",
    "supportplans:*",
    "tax:*",
    "trustedadvisor:*",
    "waf:*",
    "wafv2:*",
)
_WRITES = (
    "s3:AbortMultipartUpload",
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionTagging",
    "s3:ReplicateDelete",
    "s3:ReplicateObject",
    "s3:RestoreObject",
)
# With which whoever holds them opens the state to others, or takes its past away.
_OPENS = (
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
)
_LOCKS = ("dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
_LOCK_TABLE = (
    "dynamodb:DeleteResourcePolicy",
    "dynamodb:DeleteTable",
    "dynamodb:PutResourcePolicy",
    "dynamodb:UpdateTable",
)
# Of the name that Identity Center gives to a permission set's role.
_ENDING = "?" * 16
_NOWHERE = "NOWHERE"


@dataclass(frozen=True, slots=True)
class State:
    """Where the production state is, and who writes it: ARNs or patterns of roles and users. `locks`: a table of DynamoDB's."""

    bucket: str
    prefix: str
    pipelines: tuple[str, ...]
    grants: tuple[str, ...] = ()
    administrators: tuple[str, ...] = ()
    locks: str = ""

    def things(self, partition: str) -> str:
        return f"arn:{partition}:s3:::{self.bucket}/{self.prefix}*"


@dataclass(frozen=True, slots=True)
class Asked:
    partition: str = "aws"
    regions: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    global_services: tuple[str, ...] = ()
    state: State | None = None
    # The IAM path before the names of people's users, and their account, where no connection's role says it.
    path: str = ""
    users_in: str = ""


def control_policies(asked: Asked) -> tuple[dict[str, Any], ...]:
    """For the organisational unit of production; several where one would be too long."""
    found = (*_regions(asked), *_services(asked), *_state(asked), stays("ProductionStaysInItsOrganisation"))
    return tuple(document(each) for each in packed(found, CONTROL_MAX))


def too_long(asked: Asked) -> tuple[str, ...]:
    """Sids of statements that no service control policy can hold."""
    found = (*_regions(asked), *_services(asked), *_state(asked))
    return tuple(each.sid for each in found if size_of((each,)) > CONTROL_MAX)


def _regions(asked: Asked) -> tuple[Statement, ...]:
    if not asked.regions:
        return ()
    elsewhere: Condition = {"StringNotEquals": {"aws:RequestedRegion": asked.regions}}
    beside = tuple(sorted({*GLOBAL, *(f"{each}:*" for each in asked.global_services)}))
    return (Statement("ProductionStaysInItsRegions", beside, ("*",), elsewhere, "Deny", "actions"),)


def _services(asked: Asked) -> tuple[Statement, ...]:
    if not asked.services:
        return ()
    return (
        Statement("ProductionUsesNoneOfTheseServices", tuple(f"{each}:*" for each in asked.services), effect="Deny"),
    )


def _state(asked: Asked) -> tuple[Statement, ...]:
    state = asked.state
    if state is None:
        return ()
    others = _others((*state.pipelines, *state.grants))
    nobody = _others(state.administrators)
    bucket = f"arn:{asked.partition}:s3:::{state.bucket}"
    table = f"arn:{asked.partition}:dynamodb:*:*:table/{state.locks}"
    return (
        Statement("StateIsWrittenByThePipelineAndByGrants", _WRITES, (state.things(asked.partition),), others, "Deny"),
        Statement("StateKeepsItsPastAndItsDoor", _OPENS, (bucket,), nobody, "Deny"),
        *((Statement("StateIsLockedByThoseWhoWriteIt", _LOCKS, (table,), others, "Deny"),) if state.locks else ()),
        *((Statement("LocksOfTheStateStay", _LOCK_TABLE, (table,), nobody, "Deny"),) if state.locks else ()),
    )


def _others(but: tuple[str, ...]) -> Condition:
    return {"ArnNotLike": {"aws:PrincipalArn": but}} if but else {}


def bucket_policy(asked: Asked) -> dict[str, Any] | None:
    """For the bucket itself: it binds also who is in another organisation, or in the management account."""
    state = asked.state
    if state is None:
        return None
    bucket, things = f"arn:{asked.partition}:s3:::{state.bucket}", state.things(asked.partition)
    tls: Condition = {"Bool": {"aws:SecureTransport": "false"}}
    writers = _others((*state.pipelines, *state.grants))
    found = (
        Statement("StateIsWrittenByThePipelineAndByGrants", _WRITES, (things,), writers, "Deny"),
        Statement("OnlyOverTls", ("s3:*",), (bucket, f"{bucket}/*"), tls, "Deny"),
    )
    content = document(found)
    content["Statement"] = [
        {"Sid": each["Sid"], "Effect": each["Effect"], "Principal": "*", **each} for each in content["Statement"]
    ]
    return content


# ---------------------------------------------------------------- who a grant is


@dataclass(frozen=True, slots=True)
class Grants:
    """`principals`: patterns of those who hold a role of the policy that writes the state. `unsure`: roles of which the policy
    does not say whether they do, or whose holders cannot be told by who they are. `homeless`: roles given to IAM users of an
    account that nobody has said.
    """

    principals: tuple[str, ...]
    unsure: tuple[str, ...]
    homeless: tuple[str, ...]


def grants_that_write(entitlements: Iterable[Entitlement], asked: Asked, named: Sequence[str]) -> Grants:
    """Of production's roles. What a template writes, it says itself; of a permission set or a group it is not known here, so
    `named` says which roles do.
    """
    principals, unsure, homeless = set[str](), set[str](), set[str]()
    for one in entitlements:
        spec = one.target
        if not isinstance(spec, AwsSpec):
            continue
        if not (one.role in named or _writes(one, asked)):
            if not spec.tells_ours_apart and not _only_reads(one):
                unsure.add(one.role)
            continue
        found = _principal(one, asked)
        if found is None:
            unsure.add(one.role)
        elif _NOWHERE in found:
            homeless.add(one.role)
        else:
            principals.add(found)
    return Grants(tuple(sorted(principals)), tuple(sorted(unsure)), tuple(sorted(homeless)))


def _only_reads(one: Entitlement) -> bool:
    return one.risk.value == "read"


def _writes(one: Entitlement, asked: Asked) -> bool:
    terms = terms_of(one, SOMEBODY)
    if terms is None or terms.document is None or asked.state is None:
        return False
    found = read_document([_loaded(terms.document)])
    wanted = [Right(action, asked.state.things(asked.partition)) for action in _WRITES]
    return any(
        meet(right.action.lower(), each.action.lower()) and meet(right.thing, each.thing)
        for right in found.allowed
        for each in wanted
    )


def _loaded(text: str) -> dict[str, Any]:
    found = json.loads(text)
    return found if isinstance(found, dict) and listed(found.get("Statement")) else {}


def _principal(one: Entitlement, asked: Asked) -> str | None:
    """A pattern of those who hold it; None where who they are does not tell that they do."""
    terms = terms_of(one, SOMEBODY)
    if terms is None:
        return None
    if terms.kind is AwsKind.IDENTITY_CENTER and terms.permission_set and not terms.permission_set.startswith("arn:"):
        name = f"AWSReservedSSO_{terms.permission_set}_{_ENDING}"
        return f"arn:{asked.partition}:iam::{terms.account}:role/aws-reserved/sso.amazonaws.com/*{name}"
    if terms.role:
        return f"arn:{asked.partition}:iam::{terms.account}:role/{terms.role}"
    if terms.user:
        account = terms.role_arn.split(":")[4] if terms.role_arn else asked.users_in or _NOWHERE
        return f"arn:{asked.partition}:iam::{account}:user/{asked.path}{terms.user.replace(WHOEVER, '*')}"
    return None

"""What the worker calls, as rights: one function for each file of deploy/aws, whose statements these are.

A test holds them against the calls in this folder: what is called is granted, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from workflows.targets.aws.iam_roles import TAG as GATE_TAG
from workflows.targets.aws.iam_users import TAG
from workflows.targets.aws.role_rights.scope import Center, Scope
from workflows.targets.aws.role_rights.statement import Condition, Statement, merged


def needed(scope: Scope) -> tuple[Statement, ...]:
    """All that it needs for its work, each right once."""
    return merged(each for name in FOR_WORK for each in RIGHTS[name](scope))


def optional(scope: Scope) -> tuple[Statement, ...]:
    """What only tells more: `prodaccess doctor`, `prodaccess activity`."""
    wanted = {"activity": scope.activity, "doctor": scope.doctor}
    return tuple(each for name, is_wanted in wanted.items() if is_wanted for each in RIGHTS[name](scope))


def worker(scope: Scope) -> tuple[Statement, ...]:
    return merged((*needed(scope), *optional(scope)))


# ---------------------------------------------------------------- Identity Center


def _identity_center(scope: Scope) -> tuple[Statement, ...]:
    return tuple(each for center in scope.centers if center.sets for each in _assigns(scope, center))


def _assigns(scope: Scope, center: Center) -> tuple[Statement, ...]:
    instance = center.instance.rpartition("/")[2]
    reading = (
        "sso:ListPermissionSets",
        "sso:DescribePermissionSet",
        "sso:ListAccountAssignments",
        "sso:ListAccountAssignmentsForPrincipal",
        "sso:DescribeAccountAssignmentCreationStatus",
        "sso:DescribeAccountAssignmentDeletionStatus",
        "sso:ListAccountAssignmentDeletionStatus",
    )
    # A name is found by looking at each set; nothing is given by it.
    read = (center.instance, scope.sso(f"permissionSet/{instance}/*"), scope.sso("account/*"))
    finding = ("GetUserId", "DescribeUser", "ListUsers", "IsMemberInGroups")
    return (
        _FIND_INSTANCE,
        Statement("ReadIdentityCenter", reading, read),
        _in_store(scope, center, "FindPeople", finding),
        Statement(
            "AssignAndUnassign",
            ("sso:CreateAccountAssignment", "sso:DeleteAccountAssignment"),
            (center.instance, *center.sets, *(scope.sso(f"account/{one}") for one in center.accounts)),
        ),
    )


_FIND_INSTANCE = Statement("FindInstance", ("sso:ListInstances",))


def _in_store(
    scope: Scope, center: Center, sid: str, calls: tuple[str, ...], groups: tuple[str, ...] = ("*",)
) -> Statement:
    things = (
        scope.store_of(center),
        scope.store("user/*"),
        *(scope.store(f"group/{one}") for one in groups),
        scope.store("membership/*"),
    )
    return Statement(sid, tuple(f"identitystore:{call}" for call in calls), things)


def _identity_center_groups(scope: Scope) -> tuple[Statement, ...]:
    finding = (
        "GetUserId",
        "DescribeUser",
        "ListUsers",
        "GetGroupId",
        "IsMemberInGroups",
        "GetGroupMembershipId",
        "ListGroupMemberships",
    )
    return tuple(
        each
        for center in scope.centers
        if center.groups
        for each in (
            _FIND_INSTANCE,
            _in_store(scope, center, "FindPeopleAndGroups", finding),
            _in_store(scope, center, "AddMembers", ("CreateGroupMembership",), center.groups),
            _in_store(scope, center, "RemoveMembers", ("DeleteGroupMembership",), center.groups),
        )
    )


def _policy_groups(scope: Scope) -> tuple[Statement, ...]:
    reading = ("GetGroupId", "ListGroupMemberships", "DescribeUser", "ListUsers")
    return tuple(
        each
        for center in scope.centers
        if center.reads_groups
        for each in (_FIND_INSTANCE, _in_store(scope, center, "ReadMembers", reading))
    )


def _management_account(scope: Scope) -> tuple[Statement, ...]:
    """In the management account Identity Center makes the roles behind permission sets with the caller's rights."""
    own = next((one.owner for one in scope.centers if one.owner in one.accounts), None)
    if own is None:
        return ()
    changing = (
        "AttachRolePolicy",
        "CreateRole",
        "DeleteRole",
        "DeleteRolePolicy",
        "DetachRolePolicy",
        "GetRole",
        "ListAttachedRolePolicies",
        "ListRolePolicies",
        "PutRolePolicy",
        "UpdateRole",
        "UpdateRoleDescription",
    )
    reserved = f"arn:{scope.partition}:iam::{own}:role/aws-reserved/sso.amazonaws.com/*"
    provider = f"arn:{scope.partition}:iam::{own}:saml-provider/AWSSSO_*_DO_NOT_DELETE"
    return (
        Statement("ProvisionRolesOfPermissionSets", tuple(f"iam:{each}" for each in changing), (reserved,)),
        Statement("ListForProvisioning", ("iam:ListPolicies", "iam:ListRoles")),
        Statement("IdentityCentersOwnSamlProvider", ("iam:GetSAMLProvider", "iam:UpdateSAMLProvider"), (provider,)),
    )


# ---------------------------------------------------------------- IAM users


def _iam_policy(scope: Scope) -> tuple[Statement, ...]:
    if not scope.written_on:
        return ()
    users = scope.users(scope.written_on)
    inside: Condition = {"Null": {f"aws:ResourceTag/{TAG}": "false"}}
    if scope.bounded:
        inside = {**inside, "ArnEquals": {"iam:PermissionsBoundary": scope.peoples_boundary}}
    return (
        Statement(
            "ReadUsersAndTheirInlinePolicies", ("iam:GetUser", "iam:ListUserPolicies", "iam:GetUserPolicy"), users
        ),
        Statement("GiveToTaggedUsersInsideTheBoundary", ("iam:PutUserPolicy",), users, inside),
        Statement("TakeAwayFromAnyUser", ("iam:DeleteUserPolicy",), users),
    )


def _iam_group(scope: Scope) -> tuple[Statement, ...]:
    if not scope.groups:
        return ()
    groups = tuple(scope.iam(f"group/{one}") for one in scope.groups)
    return (
        Statement(
            "ReadUsersAndTheirGroups", ("iam:GetUser", "iam:ListGroupsForUser"), scope.users(scope.grouped or ("*",))
        ),
        Statement("UseTheseGroupsOnly", ("iam:GetGroup", "iam:AddUserToGroup", "iam:RemoveUserFromGroup"), groups),
    )


def _iam_role_policy(scope: Scope) -> tuple[Statement, ...]:
    if not scope.pipelines:
        return ()
    roles = scope.pipeline_roles
    inside: Condition = {
        "Null": {f"aws:ResourceTag/{GATE_TAG}": "false"},
        "ArnEquals": {"iam:PermissionsBoundary": scope.pipelines_boundary},
    }
    reading = ("iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy")
    return (
        Statement("ReadPipelineRolesAndTheirInlinePolicies", reading, roles),
        Statement("GiveToTaggedRolesInsideTheBoundary", ("iam:PutRolePolicy",), roles, inside),
        Statement("TakeAwayFromThesePipelineRoles", ("iam:DeleteRolePolicy",), roles),
    )


# ---------------------------------------------------------------- beside access


def _terminal(scope: Scope) -> tuple[Statement, ...]:
    """Whose somebody is who acts from a terminal."""
    reserved = (scope.iam("role/aws-reserved/sso.amazonaws.com/*"),)
    here = (
        Statement("WhoseIsAnIamUser", ("iam:GetUser",), scope.users(("*",))),
        Statement("IsARoleOneOfIdentityCenters", ("iam:GetRole",), reserved),
    )
    calls = ("identitystore:GetUserId", "identitystore:DescribeUser")
    there = (
        each
        for center in scope.centers
        for each in (
            _FIND_INSTANCE,
            Statement("WhoseIsASession", calls, (scope.store_of(center), scope.store("user/*"))),
        )
    )
    return (*(here if scope.vouches else ()), *(there if scope.sessions else ()))


def _connections(scope: Scope) -> tuple[Statement, ...]:
    return (Statement("TakeOnTheRolesOfConnections", ("sts:AssumeRole",), scope.roles),) if scope.roles else ()


def _activity(_: Scope) -> tuple[Statement, ...]:
    return (Statement("LookAtWhatWasDone", ("cloudtrail:LookupEvents",)),)


def _doctor(scope: Scope) -> tuple[Statement, ...]:
    owners = dict.fromkeys(one.owner for one in scope.centers)
    accounts = tuple(f"arn:{scope.partition}:organizations::{owner}:account/*" for owner in owners)
    asked = (Statement("AskWhetherAnAccountIsThere", ("organizations:DescribeAccount",), accounts),) if accounts else ()
    own = ("iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies")
    return (
        *asked,
        Statement("AskWhatItsOwnRoleMayDo", ("iam:SimulatePrincipalPolicy",), (scope.role,)),
        Statement("ReadItsOwnRole", own, (scope.role,)),
        Statement("ReadItsOwnPolicies", ("iam:GetPolicy", "iam:GetPolicyVersion"), (scope.own_policies,)),
    )


def _audit(scope: Scope) -> tuple[Statement, ...]:
    if scope.archive is None or not scope.seals:
        return ()
    looking = ("s3:GetBucketObjectLockConfiguration", "s3:GetBucketVersioning", "s3:ListBucketVersions")
    return (
        Statement("WriteTheArchive", ("s3:PutObject", "s3:PutObjectRetention"), (scope.objects,)),
        Statement("ReadTheArchive", ("s3:GetObjectVersion",), (scope.objects,)),
        Statement("LookAtTheBucket", looking, (scope.bucket,)),
    )


def signs(scope: Scope) -> tuple[Statement, ...]:
    """The key's own policy lets the worker sign; a boundary has to let it, too."""
    own = scope.key if scope.seals else ""
    return (Statement("SignTheHead", ("kms:GetPublicKey", "kms:Sign"), (own,)),) if own else ()


# By the files' names: worker-policy.NAME.json.
RIGHTS: Mapping[str, Callable[[Scope], tuple[Statement, ...]]] = MappingProxyType(
    {
        "identity-center": _identity_center,
        "identity-center-groups": _identity_center_groups,
        "policy-groups": _policy_groups,
        "iam-policy": _iam_policy,
        "iam-group": _iam_group,
        "iam-role-policy": _iam_role_policy,
        "terminal": _terminal,
        "connections": _connections,
        "audit": _audit,
        "identity-center-management-account": _management_account,
        "activity": _activity,
        "doctor": _doctor,
    }
)
FOR_WORK = tuple(name for name in RIGHTS if name not in ("activity", "doctor"))

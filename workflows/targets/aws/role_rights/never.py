"""What is denied, whatever else allows it: to the worker's role by its boundary, to everybody in the account by a service control
policy. Each statement's Sid says what it keeps; docs/guardrails.md says what would happen without it.

Removals are never denied: what was given yesterday has to go, also where the policy names it no more.
"""

from __future__ import annotations

from workflows.targets.aws.iam_roles import TAG as GATE_TAG
from workflows.targets.aws.iam_users import TAG
from workflows.targets.aws.role_rights.scope import Archive, Scope
from workflows.targets.aws.role_rights.statement import Condition, Statement

# The role, and what says what it may do.
_ROLE = (
    "iam:AttachRolePolicy",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PassRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
)
_POLICIES = ("iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion")

# What somebody could still use after every grant has ended: identities, their keys and passwords, what they may do, who may
# take on what. Names of the service authorization reference; `*` only where all of the kind is meant.
_OUTLIVING = (
    "iam:AddClientIDToOpenIDConnectProvider",
    "iam:AddRoleToInstanceProfile",
    "iam:Attach*",
    "iam:ChangePassword",
    "iam:Create*",
    "iam:Deactivate*",
    "iam:DeleteUserPermissionsBoundary",
    "iam:Enable*",
    "iam:PassRole",
    "iam:PutGroupPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
    "iam:Reset*",
    "iam:Set*",
    "iam:Tag*",
    "iam:Untag*",
    "iam:Update*",
    "iam:Upload*",
    "identitystore:CreateGroup",
    "identitystore:CreateUser",
    "identitystore:DeleteGroup",
    "identitystore:DeleteUser",
    "identitystore:Update*",
    "organizations:Accept*",
    "organizations:Attach*",
    "organizations:Create*",
    "organizations:Delete*",
    "organizations:Detach*",
    "organizations:Disable*",
    "organizations:Enable*",
    "organizations:Move*",
    "organizations:Put*",
    "organizations:Register*",
    "organizations:Update*",
    "rolesanywhere:*",
    "sso-directory:*",
    "sso:Associate*",
    "sso:Attach*",
    "sso:CreateApplication*",
    "sso:CreateInstance*",
    "sso:CreatePermissionSet",
    "sso:CreateTrustedTokenIssuer",
    "sso:Delete*PermissionSet",
    "sso:Detach*",
    "sso:ProvisionPermissionSet",
    "sso:Put*",
    "sso:Start*",
    "sso:Update*",
    "sts:AssumeRoot",
    "sts:GetFederationToken",
)

# What ends, weakens or empties a bucket with Object Lock.
_UNLOCKS = (
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
)
_WRITES = ("s3:PutObject", "s3:PutObjectRetention")
_READS_OR_WRITES = ("s3:Get*", "s3:List*", *_WRITES)
_KEY_GONE = ("kms:DeleteImportedKeyMaterial", "kms:DisableKey", "kms:ScheduleKeyDeletion")
_KEY_OPENED = ("kms:CreateGrant", "kms:PutKeyPolicy", "kms:ReplicateKey")
_MODE, _DAYS = "s3:object-lock-mode", "s3:object-lock-remaining-retention-days"


def by_the_boundary(scope: Scope, *, lists: bool = True) -> tuple[Statement, ...]:
    """On the worker's own role alone. `lists`: also what it gives to nobody, which is denied anyhow where nothing allows it."""
    return (
        _denied("NeverItself", _ROLE, (scope.role,)),
        _denied("NeverItsOwnPolicies", _POLICIES, (scope.own_policies,)),
        *(_what_it_never_gives(scope) if lists else (_outliving(scope),)),
        *(_denied_all_but("ArchiveOnlyReadAndWritten", scope) if scope.archive else ()),
        *_retention(scope),
        *((_denied("NeverTheKey", (*_KEY_GONE, *_KEY_OPENED), (scope.key,)),) if scope.key else ()),
    )


def by_the_guardrail(scope: Scope, administrators: tuple[str, ...] = ()) -> tuple[Statement, ...]:
    """A service control policy for the worker's account. `administrators`: patterns of roles that may change the worker's role
    and the settings of bucket and key; without one nobody may while it is attached.
    """
    others: Condition = {"ArnNotLike": {"aws:PrincipalArn": administrators}} if administrators else {}
    the_worker: Condition = {"ArnEquals": {"aws:PrincipalArn": scope.role}}
    return (
        _denied("NobodyChangesTheWorkersRole", _ROLE, (scope.role,)).where(others),
        _denied("NobodyChangesWhatTheWorkerMay", _POLICIES, (scope.own_policies,)).where(others),
        *(_tags(scope, others) if administrators else ()),
        *(each.where(the_worker) for each in _what_it_never_gives(scope, in_a_control_policy=True)),
        *_bucket(scope, others),
        *_retention(scope),
        *_key(scope, others),
        stays("TheAccountStaysInItsOrganisation"),
    )


def stays(sid: str) -> Statement:
    """An account that has left is bound by no control policy, and one that was closed keeps nothing, Object Lock or not."""
    return _denied(sid, ("account:CloseAccount", "organizations:LeaveOrganization"), ("*",))


def tells_people_apart(scope: Scope) -> bool:
    """Whether the tag of an IAM user of this account decides whose it is."""
    return bool(scope.vouches or scope.written_on or scope.grouped)


def _tags(scope: Scope, others: Condition) -> tuple[Statement, ...]:
    if not tells_people_apart(scope):
        return ()
    theirs: Condition = {"ForAnyValue:StringEquals": {"aws:TagKeys": TAG}}
    own = (scope.iam("user/*"),)
    return (_denied("NobodySaysWhoseAUserIs", ("iam:TagUser", "iam:UntagUser"), own).where({**theirs, **others}),)


def _bucket(scope: Scope, others: Condition) -> tuple[Statement, ...]:
    if scope.archive is None:
        return ()
    return (
        _denied("NobodyUnlocksTheArchive", _UNLOCKS, (scope.bucket, scope.objects)),
        *(each.where(others) for each in _denied_all_but("ArchiveOnlyReadAndWritten", scope)),
        _denied("OnlyTheWorkerWritesTheArchive", _WRITES, (scope.objects,)).where(
            {"ArnNotEquals": {"aws:PrincipalArn": scope.sealer or scope.role}}
        ),
    )


def _key(scope: Scope, others: Condition) -> tuple[Statement, ...]:
    if not scope.key:
        return ()
    return (
        _denied("NobodyThrowsTheKeyAway", _KEY_GONE, (scope.key,)),
        _denied("NobodyOpensTheKeyToOthers", _KEY_OPENED, (scope.key,)).where(others),
        _denied("OnlyTheWorkerSigns", ("kms:Sign",), (scope.key,)).where(
            {"ArnNotEquals": {"aws:PrincipalArn": scope.sealer or scope.role}}
        ),
    )


# ---------------------------------------------------------------- what it gives, and nothing else


def _what_it_never_gives(scope: Scope, *, in_a_control_policy: bool = False) -> tuple[Statement, ...]:
    lists = scope.partition != "aws-cn" or not in_a_control_policy
    return (
        _outliving(scope),
        *(_assignments(scope) if lists else ()),
        *(_memberships(scope) if lists else ()),
        *(_users(scope) if lists else ()),
        *(_role_policies(scope) if lists else ()),
        *(_roles(scope) if lists else ()),
    )


def _outliving(scope: Scope) -> Statement:
    sid, theirs = "NeverWhatOutlivesTheEnd", _of_identity_center(scope)
    return _denied_elsewhere(sid, _OUTLIVING, theirs) if theirs else _denied(sid, _OUTLIVING, ("*",))


def _of_identity_center(scope: Scope) -> tuple[str, ...]:
    """In the management account Identity Center makes its roles with the worker's rights."""
    own = next((one.owner for one in scope.centers if one.owner in one.accounts), None)
    if own is None:
        return ()
    return (
        f"arn:{scope.partition}:iam::{own}:role/aws-reserved/sso.amazonaws.com/*",
        f"arn:{scope.partition}:iam::{own}:saml-provider/AWSSSO_*_DO_NOT_DELETE",
    )


def _assignments(scope: Scope) -> tuple[Statement, ...]:
    """AWS holds all three things of the call against each statement: one that is not listed is enough."""
    action, given = ("sso:CreateAccountAssignment",), [one for one in scope.centers if one.sets]
    if not given:
        return (_denied("NeverAnAssignment", action, ("*",)),)
    instances = tuple(one.instance for one in given)
    sets = tuple(each for one in given for each in one.sets)
    accounts = tuple(dict.fromkeys(scope.sso(f"account/{each}") for one in given for each in one.accounts))
    any_set = tuple(scope.sso(f"permissionSet/{each.rpartition('/')[2]}/*") for each in instances)
    return (
        _denied_elsewhere("NeverAnotherPermissionSet", action, (*instances, *sets, scope.sso("account/*"))),
        _denied_elsewhere("NeverInAnotherAccount", action, (*instances, *any_set, *accounts)),
    )


def _memberships(scope: Scope) -> tuple[Statement, ...]:
    given = [one for one in scope.centers if one.groups]
    groups = tuple(scope.store(f"group/{each}") for one in given for each in one.groups)
    things = (*(scope.store_of(one) for one in given), scope.store("user/*"), scope.store("membership/*"), *groups)
    iam_groups = tuple(scope.iam(f"group/{each}") for each in scope.groups)
    directory, own = ("identitystore:CreateGroupMembership",), ("iam:AddUserToGroup",)
    return (
        _denied_elsewhere("NeverIntoAnotherGroup", directory, things)
        if given
        else _denied("NeverIntoADirectorysGroup", directory, ("*",)),
        _denied_elsewhere("NeverIntoAnotherIamGroup", own, iam_groups)
        if iam_groups
        else _denied("NeverIntoAnIamGroup", own, ("*",)),
    )


def _users(scope: Scope) -> tuple[Statement, ...]:
    action = ("iam:PutUserPolicy",)
    if not scope.written_on:
        return (_denied("NeverAnInlinePolicy", action, ("*",)),)
    untagged: Condition = {"Null": {f"aws:ResourceTag/{TAG}": "true"}}
    outside: Condition = {"ArnNotEquals": {"iam:PermissionsBoundary": scope.peoples_boundary}}
    return (
        _denied_elsewhere("NeverOnAnotherUser", action, scope.users(scope.written_on)),
        _denied("NeverOnAnUntaggedUser", action, ("*",)).where(untagged),
        *((_denied("NeverOutsideTheirBoundary", action, ("*",)).where(outside),) if scope.bounded else ()),
    )


def _role_policies(scope: Scope) -> tuple[Statement, ...]:
    action = ("iam:PutRolePolicy",)
    own = scope.pipeline_roles
    roles = (*own, *_of_identity_center(scope)[:1])
    if not roles:
        return (_denied("NeverOnARole", action, ("*",)),)
    untagged: Condition = {"Null": {f"aws:ResourceTag/{GATE_TAG}": "true"}}
    outside: Condition = {"ArnNotEquals": {"iam:PermissionsBoundary": scope.pipelines_boundary}}
    return (
        _denied_elsewhere("NeverOnAnotherRole", action, roles),
        *((_denied("NeverOnAnUntaggedRole", action, own).where(untagged),) if own else ()),
        *((_denied("NeverOutsideItsBoundary", action, own).where(outside),) if own else ()),
    )


def _roles(scope: Scope) -> tuple[Statement, ...]:
    if scope.roles:
        return (_denied_elsewhere("NeverAnotherRole", ("sts:AssumeRole",), scope.roles),)
    return (_denied("NeverARole", ("sts:AssumeRole",), ("*",)),)


# ---------------------------------------------------------------- the archive


def _denied_all_but(sid: str, scope: Scope) -> tuple[Statement, ...]:
    things = (scope.bucket, scope.objects)
    return (Statement(sid, _READS_OR_WRITES, things, effect="Deny", others_than="actions"),)


def _retention(scope: Scope) -> tuple[Statement, ...]:
    """A write that names a retention names COMPLIANCE, and the days that were agreed; where no write names one, the bucket's own
    rules count, and a write that does is one of somebody else's.
    """
    archive = scope.archive
    if archive is None:
        return ()
    other_mode: Condition = {"StringNotEquals": {_MODE: "COMPLIANCE"}}
    if archive.days is None:
        # Absent is the bucket's default; the operator alone would deny that, too.
        other_mode = {"Null": {_MODE: "false"}, **other_mode}
    return (
        _denied("ArchiveOnlyInComplianceMode", _WRITES, (scope.objects,)).where(other_mode),
        *_days(scope, archive),
    )


def _days(scope: Scope, archive: Archive) -> tuple[Statement, ...]:
    if archive.days is None:
        return ()
    # A clock apart, or a moment on the way, leaves a part of a day less.
    fewer: Condition = {"NumericLessThan": {_DAYS: str(max(archive.days - 1, 1))}}
    return (_denied("ArchiveOnlyForSoLong", _WRITES, (scope.objects,)).where(fewer),)


def _denied(sid: str, actions: tuple[str, ...], resources: tuple[str, ...]) -> Statement:
    return Statement(sid, actions, resources, effect="Deny")


def _denied_elsewhere(sid: str, actions: tuple[str, ...], but: tuple[str, ...]) -> Statement:
    return Statement(sid, actions, but, effect="Deny", others_than="resources")

"""Where AWS refuses and moto 5.2.5 does not. Each rule names its source.

A rule takes a call and the state, and gives AWS's refusal or None.
"""

import re
from collections.abc import Callable, Mapping

from bot.sandbox.aws.answers import Answer, error, named
from bot.sandbox.aws.calls import IDENTITY_STORE, SSO_ADMIN, Call
from bot.sandbox.aws.state import State

Rule = Callable[[Call, State], Answer | None]

USER_POLICY_CHARACTERS_MAX = 2048
"""All inline policies of a user together, white space not counted (IAM and STS quotas)."""

ROLE_POLICY_CHARACTERS_MAX = 10_240
"""The same of a role (IAM and STS quotas)."""

GROUPS_PER_USER_MAX = 10
"""IAM and STS quotas."""


def refuse(call: Call, state: State) -> Answer | None:
    """The first refusal that AWS would give and moto would not."""
    for rule in _RULES.get(call.name, ()):
        answer = rule(call, state)
        if answer is not None:
            return answer
    return None


def other_region(call: Call, state: State) -> Answer | None:
    """An organisation has one instance, in one region; moto would make another one in each."""
    if (
        call.service not in (SSO_ADMIN, IDENTITY_STORE)
        or call.region == state.spec.region
        or call.action == "ListInstances"
    ):
        return None
    return error(call, "ResourceNotFoundException", f"No instance in {call.region}")


def _known_instance(call: Call, state: State) -> Answer | None:
    if call.arguments.get("InstanceArn") == state.spec.instance_arn:
        return None
    return error(call, "ResourceNotFoundException", "Instance not found")


def _known_permission_set(call: Call, state: State) -> Answer | None:
    arn = call.arguments.get("PermissionSetArn")
    if any(entry.permission_set_arn == arn for entry in state.sso.permission_sets):
        return None
    return error(call, "ResourceNotFoundException", f"Could not find PermissionSet with id {arn}")


def _management_account(call: Call, state: State) -> Answer | None:
    """A delegated administrator may not touch the management account, nor a permission set that is used there.

    Source: "Delegated administration" in the IAM Identity Center user guide; seen as AccessDeniedException.
    """
    spec = state.spec
    if not spec.delegated_admin:
        return None
    arn = call.arguments.get("PermissionSetArn")
    used_there = any(
        entry.target_id == spec.management_account and entry.permission_set_arn == arn
        for entry in state.sso.account_assignments
    )
    if call.arguments.get("TargetId") != spec.management_account and not used_there:
        return None
    return named(call, "denied", f"User is not authorized to perform: sso:{call.action} on resource: {arn}")


def _only_from_management(call: Call, state: State) -> Answer | None:
    """ListAccountAssignmentsForPrincipal "must be called from the management account" (API reference)."""
    return named(call, "denied") if state.spec.delegated_admin else None


def _known_member(call: Call, state: State) -> Answer | None:
    user_id = (call.arguments.get("MemberId") or {}).get("UserId")
    if user_id in state.store.users:
        return None
    return error(call, "ResourceNotFoundException", "MEMBER not found.", ResourceType="USER")


def _known_group(call: Call, state: State) -> Answer | None:
    if call.arguments.get("GroupId") in state.store.groups:
        return None
    return error(call, "ResourceNotFoundException", "GROUP not found.", ResourceType="GROUP")


def _new_membership(call: Call, state: State) -> Answer | None:
    """A second membership of the same user is a ConflictException (API reference, CreateGroupMembership)."""
    wanted = (call.arguments.get("GroupId"), call.arguments.get("MemberId"))
    if all((entry["GroupId"], entry["MemberId"]) != wanted for entry in state.store.group_memberships.values()):
        return None
    message = "Member and Group relationship already exists."
    return error(call, "ConflictException", message, 409, Reason="UNIQUENESS_CONSTRAINT_VIOLATION")


def _known_membership(call: Call, state: State) -> Answer | None:
    """Deleting a membership that is gone is a ResourceNotFoundException (API reference, DeleteGroupMembership)."""
    if call.arguments.get("MembershipId") in state.store.group_memberships:
        return None
    return error(call, "ResourceNotFoundException", "GROUP_MEMBERSHIP not found.", ResourceType="GROUP_MEMBERSHIP")


def _policy_fits(call: Call, state: State) -> Answer | None:
    user = state.iam(call.account).users.get(call.arguments.get("UserName"))
    return user and _too_large(call, f"user {user.name}", user.policies, USER_POLICY_CHARACTERS_MAX)


def _role_policy_fits(call: Call, state: State) -> Answer | None:
    roles = state.iam(call.account).roles.values()
    role = next((one for one in roles if one.name == call.arguments.get("RoleName")), None)
    return role and _too_large(call, f"role {role.name}", role.policies, ROLE_POLICY_CHARACTERS_MAX)


def _too_large(call: Call, whose: str, policies: Mapping[str, str], limit: int) -> Answer | None:
    """Whether they would have more characters than `limit` with the one that is put."""
    name: str = call.arguments.get("PolicyName", "")
    together = {**policies, name: call.arguments.get("PolicyDocument", "")}
    if sum(len(re.sub(r"\s", "", text)) for text in together.values()) <= limit:
        return None
    return error(call, "LimitExceeded", f"Maximum policy size of {limit} bytes exceeded for {whose}", 409)


def _room_for_group(call: Call, state: State) -> Answer | None:
    iam = state.iam(call.account)
    user = iam.users.get(call.arguments.get("UserName"))
    inside = [group.name for group in iam.groups.values() if user is not None and user in group.users]
    if len(inside) < GROUPS_PER_USER_MAX or call.arguments.get("GroupName") in inside:
        return None
    return error(call, "LimitExceeded", f"Cannot exceed quota for GroupsPerUser: {GROUPS_PER_USER_MAX}", 409)


def _known_role(call: Call, state: State) -> Answer | None:
    """moto assumes any role in any account; AWS only one that is there and trusts the caller."""
    found = re.fullmatch(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/(.+)", call.arguments.get("RoleArn", ""))
    if found and any(role.name == found[2].rpartition("/")[2] for role in state.iam(found[1]).roles.values()):
        return None
    resource = call.arguments.get("RoleArn")
    return named(call, "denied", f"User is not authorized to perform: sts:AssumeRole on resource: {resource}")


_ASSIGNMENT: tuple[Rule, ...] = (_known_instance, _known_permission_set, _management_account)
_RULES: dict[str, tuple[Rule, ...]] = {
    "sso-admin:CreateAccountAssignment": _ASSIGNMENT,
    "sso-admin:DeleteAccountAssignment": _ASSIGNMENT,
    "sso-admin:ListAccountAssignments": (_known_instance, _known_permission_set),
    "sso-admin:ListAccountAssignmentsForPrincipal": (_known_instance, _only_from_management),
    "sso-admin:ListPermissionSets": (_known_instance,),
    "identitystore:CreateGroupMembership": (_known_group, _known_member, _new_membership),
    "identitystore:DeleteGroupMembership": (_known_membership,),
    "identitystore:ListGroupMemberships": (_known_group,),
    "identitystore:ListGroupMembershipsForMember": (_known_member,),
    "identitystore:IsMemberInGroups": (_known_member,),
    "iam:PutUserPolicy": (_policy_fits,),
    "iam:PutRolePolicy": (_role_policy_fits,),
    "iam:AddUserToGroup": (_room_for_group,),
    "sts:AssumeRole": (_known_role,),
}

"""Calls that moto 5.2.5 lacks or answers otherwise than AWS, answered here from moto's own state."""

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from bot.sandbox.aws.answers import Answer, error, page, success
from bot.sandbox.aws.calls import IDENTITY_STORE, SSO_ADMIN, Call
from bot.sandbox.aws.state import State


def answer(call: Call, state: State) -> Answer | None:
    """AWS's answer to a call that moto has not, or not right; None for all others."""
    handler = _HANDLERS.get(call.name)
    return handler(call, state) if handler else None


def _for_principal(call: Call, state: State) -> Answer:
    """Everything that a principal has access to. For a user AWS counts what comes through groups, too, and names the
    group as the principal; moto knows only direct assignments.
    """
    kind, principal = call.arguments.get("PrincipalType"), call.arguments.get("PrincipalId")
    wanted = {(kind, principal)}
    if kind == "USER":
        memberships = state.store.group_memberships.values()
        wanted |= {("GROUP", entry["GroupId"]) for entry in memberships if entry["MemberId"]["UserId"] == principal}
    account = (call.arguments.get("Filter") or {}).get("AccountId")
    chosen = [
        {
            "AccountId": entry.target_id,
            "PermissionSetArn": entry.permission_set_arn,
            "PrincipalId": entry.principal_id,
            "PrincipalType": entry.principal_type,
        }
        for entry in state.sso.account_assignments
        if (entry.principal_type, entry.principal_id) in wanted and account in (None, entry.target_id)
    ]
    return page(call, "AccountAssignments", chosen)


def _sets_of_account(call: Call, state: State) -> Answer:
    """A permission set is provisioned where it is assigned; moto keeps a list that assignments do not touch."""
    entries, account = state.sso.account_assignments, call.arguments.get("AccountId")
    return page(
        call, "PermissionSets", sorted({entry.permission_set_arn for entry in entries if entry.target_id == account})
    )


def _accounts_of_set(call: Call, state: State) -> Answer:
    entries, arn = state.sso.account_assignments, call.arguments.get("PermissionSetArn")
    return page(call, "AccountIds", sorted({entry.target_id for entry in entries if entry.permission_set_arn == arn}))


def _instances(call: Call, state: State) -> Answer:
    return page(call, "Instances", [_instance(state)] if call.region == state.spec.region else [])


def _instance(state: State) -> dict[str, Any]:
    payload: dict[str, Any] = state.sso.instances[0].to_json()
    # The organisation's, also where a delegated administrator asks.
    payload["OwnerAccountId"] = state.spec.management_account
    return {name: value for name, value in payload.items() if value is not None}


def _user_id(call: Call, state: State) -> Answer | None:
    """By address or user name. moto looks into the e-mails of users who have none, and answers 500."""
    unique = (call.arguments.get("AlternateIdentifier") or {}).get("UniqueAttribute") or {}
    path, value = str(unique.get("AttributePath", "")).lower(), unique.get("AttributeValue")
    if path not in ("emails.value", "username"):
        return None
    for user in state.store.users.values():
        names = [user.UserName] if path == "username" else [email["Value"] for email in user.Emails or []]
        if value in names:
            return success({"UserId": user.UserId, "IdentityStoreId": call.arguments.get("IdentityStoreId")})
    return error(call, "ResourceNotFoundException", "USER not found.", ResourceType="USER")


def _permission_set(call: Call, state: State) -> Answer | None:
    """A session duration is a text; where none was given moto has a number."""
    arn = call.arguments.get("PermissionSetArn")
    for entry in state.sso.permission_sets:
        if entry.permission_set_arn == arn and not isinstance(entry.session_duration, str):
            found: dict[str, Any] = entry.to_json(include_creation_date=True)
            return success({"PermissionSet": found | {"SessionDuration": "PT1H"}})
    return None


def _account(call: Call, state: State) -> Answer:
    """moto knows organisations that were made in it; here one stands since the beginning."""
    id_ = str(call.arguments.get("AccountId"))
    if id_ not in (*state.spec.accounts, state.spec.home_account, state.spec.management_account):
        message = "You specified an account that doesn't exist."
        return error(call, "AccountNotFoundException", message)
    return success({"Account": {"Id": id_, "Name": f"account {id_}", "Status": "ACTIVE"}})


def _simulated(call: Call, state: State) -> Answer:
    """moto has no simulation: what `state.may_not` names is refused, and all else allowed."""

    def listed(name: str) -> list[str]:
        return [value for key, value in sorted(call.arguments.items()) if key.startswith(f"{name}.member.")]

    members = "".join(
        f"<member><EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>{escape(thing)}</EvalResourceName>"
        f"<EvalDecision>{'implicitDeny' if action in state.may_not else 'allowed'}</EvalDecision></member>"
        for action in listed("ActionNames")
        for thing in listed("ResourceArns")
    )
    found = f"<IsTruncated>false</IsTruncated><EvaluationResults>{members}</EvaluationResults>"
    text = (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult>'
        f"{found}</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
    )
    return Answer(200, text.encode(), [("Content-Type", "text/xml")])


_HANDLERS: dict[str, Callable[[Call, State], Answer | None]] = {
    f"{IDENTITY_STORE}:GetUserId": _user_id,
    "iam:SimulatePrincipalPolicy": _simulated,
    "organizations:DescribeAccount": _account,
    f"{SSO_ADMIN}:DescribePermissionSet": _permission_set,
    f"{SSO_ADMIN}:ListAccountAssignmentsForPrincipal": _for_principal,
    f"{SSO_ADMIN}:ListPermissionSetsProvisionedToAccount": _sets_of_account,
    f"{SSO_ADMIN}:ListAccountsForProvisionedPermissionSet": _accounts_of_set,
    f"{SSO_ADMIN}:ListInstances": _instances,
    f"{SSO_ADMIN}:DescribeInstance": lambda _call, state: success(_instance(state)),
}

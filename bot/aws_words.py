"""What people do themselves at AWS: use what they were given, and take away by hand what the bot could not. Pure text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from workflows.core.policy import TargetKind
from workflows.core.records.target import Resource, TargetTerms


@dataclass(frozen=True, slots=True)
class HowToUse:
    """`console`: an address to open, or None. `lines`: for a terminal, to paste as they are."""

    console: str | None
    lines: tuple[str, ...]


def how_to_use(environment: str, role: str, target: TargetTerms) -> HowToUse:
    """How the holder gets in. The link is AWS's own shortcut link of the access portal."""
    if target.kind is TargetKind.IDENTITY_CENTER:
        return HowToUse(_shortcut(target), _sso_lines(environment, role, target))
    if target.kind is TargetKind.IDENTITY_CENTER_GROUP:
        return HowToUse(_portal(target), ("aws sso login",))
    # An IAM user of their own, with keys of their own: nothing to sign in to.
    return HowToUse(_iam_console(target), ("aws sts get-caller-identity",))


def _portal(target: TargetTerms) -> str | None:
    return target.portal.rstrip("/") if target.portal and target.portal.startswith("https://") else None


def _shortcut(target: TargetTerms) -> str | None:
    """IAM Identity Center user guide, "Create shortcut links": /#/console?account_id=...&role_name=PERMISSION_SET."""
    portal = _portal(target)
    if portal is None or not target.account or not target.permission_set:
        return portal
    return f"{portal}/#/console?account_id={quote(target.account)}&role_name={quote(target.permission_set, safe='')}"


def _sso_lines(environment: str, role: str, target: TargetTerms) -> tuple[str, ...]:
    profile = re.sub(r"[^A-Za-z0-9._-]", "-", f"{environment}-{role}")
    if not (target.portal and target.account and target.permission_set):
        return ("aws sso login",)
    settings = {
        "sso_start_url": target.portal,
        "sso_region": target.region,
        "sso_account_id": target.account,
        "sso_role_name": target.permission_set,
        "region": target.region,
    }
    set_up = (f"aws configure set {key} {shlex.quote(value)} --profile {profile}" for key, value in settings.items())
    return (*set_up, f"aws sso login --profile {profile}", f"aws sts get-caller-identity --profile {profile}")


_SIGN_IN = {
    "aws": "signin.aws.amazon.com",
    "aws-cn": "signin.amazonaws.cn",
    "aws-us-gov": "signin.amazonaws-us-gov.com",
}


def _iam_console(target: TargetTerms) -> str | None:
    host = _SIGN_IN.get(target.partition)
    return f"https://{quote(target.account)}.{host}/console" if host and target.account else None


# ---------------------------------------------------------------- by hand


def by_hand(resource: Resource, grant_id: str) -> tuple[str, ...]:
    """Commands that take this very access away and show that it is gone, for somebody with rights to do so."""
    return _BY_HAND[resource.kind](resource, grant_id)


def _id(resource: Resource, name: str, otherwise: str | None = None) -> str:
    return shlex.quote(resource.ids.get(name) or otherwise or name.upper())


def _assignment(resource: Resource, _grant_id: str) -> tuple[str, ...]:
    instance, account = _id(resource, "instance"), _id(resource, "account", resource.target.account)
    user, region = _id(resource, "user"), shlex.quote(resource.target.region)
    return (
        f"aws sso-admin delete-account-assignment --region {region} --instance-arn {instance} "
        f"--target-type AWS_ACCOUNT --target-id {account} --permission-set-arn {_id(resource, 'permission_set')} "
        f"--principal-type USER --principal-id {user}",
        f"aws sso-admin list-account-assignments-for-principal --region {region} --instance-arn {instance} "
        f"--principal-type USER --principal-id {user} --filter AccountId={account}",
    )


def _group_membership(resource: Resource, _grant_id: str) -> tuple[str, ...]:
    store, region = _id(resource, "store"), shlex.quote(resource.target.region)
    where = f"--region {region} --identity-store-id {store}"
    member = f"--group-id {_id(resource, 'group')} --member-id UserId={_id(resource, 'user')}"
    find = f"aws identitystore get-group-membership-id {where} {member} --query MembershipId --output text"
    return (
        f'aws identitystore delete-group-membership {where} --membership-id "$({find})"',
        f"aws identitystore is-member-in-groups {where} --member-id UserId={_id(resource, 'user')} "
        f"--group-ids {_id(resource, 'group')}",
    )


def _inline_policy(resource: Resource, grant_id: str) -> tuple[str, ...]:
    user = _id(resource, "user", resource.target.user)
    policy = _id(resource, "policy", f"prodaccess-{grant_id}")
    return (
        *_in_account(resource),
        f"aws iam delete-user-policy --user-name {user} --policy-name {policy}",
        f"aws iam list-user-policies --user-name {user}",
    )


def _iam_group(resource: Resource, _grant_id: str) -> tuple[str, ...]:
    user = _id(resource, "user", resource.target.user)
    return (
        *_in_account(resource),
        f"aws iam remove-user-from-group --user-name {user} --group-name {_id(resource, 'group', resource.target.group)}",
        f"aws iam list-groups-for-user --user-name {user}",
    )


def _in_account(resource: Resource) -> tuple[str, ...]:
    account = resource.ids.get("account") or resource.target.account
    return (f"# with credentials for account {account}",) if account else ()


_BY_HAND: dict[TargetKind, Callable[[Resource, str], tuple[str, ...]]] = {
    TargetKind.IDENTITY_CENTER: _assignment,
    TargetKind.IDENTITY_CENTER_GROUP: _group_membership,
    TargetKind.IAM_POLICY: _inline_policy,
    TargetKind.IAM_GROUP: _iam_group,
}

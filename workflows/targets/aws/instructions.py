"""What people do themselves at AWS: use what they were given, and take away by hand what the bot could not. Pure text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from workflows.core.provider import HowToUse, TargetTerms
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsTerms, own_terms


def how_to_use(terms: TargetTerms, environment: str, role: str, ids: Mapping[str, str]) -> HowToUse:
    """How the holder gets in. The link is AWS's own shortcut link of the access portal."""
    known = own_terms(terms)
    target = replace(known, account=ids.get("account") or known.account)
    if target.kind is AwsKind.IDENTITY_CENTER:
        return HowToUse(_shortcut(target), *_sso_lines(environment, role, target))
    if target.kind is AwsKind.IDENTITY_CENTER_GROUP:
        return HowToUse(_portal(target), ("aws sso login",))
    # An IAM user of their own, with keys of their own: nothing to sign in to.
    return HowToUse(_iam_console(target), ("aws sts get-caller-identity",))


def _portal(target: AwsTerms) -> str | None:
    return target.portal.rstrip("/") if target.portal and target.portal.startswith("https://") else None


def _shortcut(target: AwsTerms) -> str | None:
    """IAM Identity Center user guide, "Create shortcut links": /#/console?account_id=...&role_name=PERMISSION_SET."""
    portal = _portal(target)
    if portal is None or not target.account or not target.permission_set:
        return portal
    return f"{portal}/#/console?account_id={quote(target.account)}&role_name={quote(target.permission_set, safe='')}"


def _sso_lines(environment: str, role: str, target: AwsTerms) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The line that signs in, and those that make its profile once."""
    profile = re.sub(r"[^A-Za-z0-9._-]", "-", f"{environment}-{role}")
    if not (target.portal and target.account and target.permission_set):
        return ("aws sso login",), ()
    settings = {
        "sso_start_url": target.portal,
        "sso_region": target.region,
        "sso_account_id": target.account,
        "sso_role_name": target.permission_set,
        "region": target.region,
    }
    set_up = (f"aws configure set {key} {shlex.quote(value)} --profile {profile}" for key, value in settings.items())
    return (f"aws sso login --profile {profile}",), tuple(set_up)


_SIGN_IN = {
    "aws": "signin.aws.amazon.com",
    "aws-cn": "signin.amazonaws.cn",
    "aws-us-gov": "signin.amazonaws-us-gov.com",
}


def _iam_console(target: AwsTerms) -> str | None:
    host = _SIGN_IN.get(target.partition)
    return f"https://{quote(target.account)}.{host}/console" if host and target.account else None


# ---------------------------------------------------------------- by hand


@dataclass(frozen=True, slots=True)
class _Held:
    target: AwsTerms
    ids: Mapping[str, str]


def by_hand(terms: TargetTerms, ids: Mapping[str, str], grant_id: str) -> tuple[str, ...]:
    """Commands that take this very access away and show that it is gone, for somebody with rights to do so."""
    target = own_terms(terms)
    return _BY_HAND[target.kind](_Held(target, ids), grant_id)


def _id(held: _Held, name: str, otherwise: str | None = None) -> str:
    return shlex.quote(held.ids.get(name) or otherwise or name.upper())


def _assignment(held: _Held, _grant_id: str) -> tuple[str, ...]:
    instance, account = _id(held, "instance"), _id(held, "account", held.target.account)
    user, region = _id(held, "user"), shlex.quote(held.target.region)
    return (
        f"aws sso-admin delete-account-assignment --region {region} --instance-arn {instance} "
        f"--target-type AWS_ACCOUNT --target-id {account} --permission-set-arn {_id(held, 'permission_set')} "
        f"--principal-type USER --principal-id {user}",
        f"aws sso-admin list-account-assignments-for-principal --region {region} --instance-arn {instance} "
        f"--principal-type USER --principal-id {user} --filter AccountId={account}",
    )


def _group_membership(held: _Held, _grant_id: str) -> tuple[str, ...]:
    store, region = _id(held, "store"), shlex.quote(held.target.region)
    where = f"--region {region} --identity-store-id {store}"
    member = f"--group-id {_id(held, 'group')} --member-id UserId={_id(held, 'user')}"
    find = f"aws identitystore get-group-membership-id {where} {member} --query MembershipId --output text"
    return (
        f'aws identitystore delete-group-membership {where} --membership-id "$({find})"',
        f"aws identitystore is-member-in-groups {where} --member-id UserId={_id(held, 'user')} "
        f"--group-ids {_id(held, 'group')}",
    )


def _inline_policy(held: _Held, grant_id: str) -> tuple[str, ...]:
    user = _id(held, "user", held.target.user)
    policy = _id(held, "policy", f"prodaccess-{grant_id}")
    return (
        *_in_account(held),
        f"aws iam delete-user-policy --user-name {user} --policy-name {policy}",
        f"aws iam list-user-policies --user-name {user}",
    )


def _role_policy(held: _Held, grant_id: str) -> tuple[str, ...]:
    role = _id(held, "role", held.target.role)
    policy = _id(held, "policy", f"prodaccess-{grant_id}")
    return (
        *_in_account(held),
        f"aws iam delete-role-policy --role-name {role} --policy-name {policy}",
        f"aws iam list-role-policies --role-name {role}",
    )


def _iam_group(held: _Held, _grant_id: str) -> tuple[str, ...]:
    user = _id(held, "user", held.target.user)
    return (
        *_in_account(held),
        f"aws iam remove-user-from-group --user-name {user} --group-name {_id(held, 'group', held.target.group)}",
        f"aws iam list-groups-for-user --user-name {user}",
    )


def _in_account(held: _Held) -> tuple[str, ...]:
    account = held.ids.get("account") or held.target.account
    return (f"# with credentials for account {account}",) if account else ()


_BY_HAND: dict[AwsKind, Callable[[_Held, str], tuple[str, ...]]] = {
    AwsKind.IDENTITY_CENTER: _assignment,
    AwsKind.IDENTITY_CENTER_GROUP: _group_membership,
    AwsKind.IAM_POLICY: _inline_policy,
    AwsKind.IAM_GROUP: _iam_group,
    AwsKind.IAM_ROLE_POLICY: _role_policy,
}

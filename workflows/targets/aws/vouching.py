"""Whose a caller of AWS is, by what stands there now: the tag of an IAM user, or the user of Identity Center behind a session.

What AWS says of a call (an ARN with a name in it) proves that somebody holds credentials of that name. Which human being that is
an administrator of the account has to say, so it is looked up each time: a tag is taken away in a second, a user switched off.
"""

from __future__ import annotations

from collections.abc import Sequence

from workflows.core.refusal import Refused
from workflows.core.terminal.caller import Caller
from workflows.ports import NotVouched, TargetRefused, VouchedFor
from workflows.targets.aws.connections import Link, Links, Place
from workflows.targets.aws.errors import Missing
from workflows.targets.aws.iam_users import TAG, look_up
from workflows.targets.aws.identity_store import BY_EMAIL, IdentityStore, StoreUser
from workflows.targets.aws.permission_sets import PermissionSets
from workflows.targets.aws.terms import AwsConnection

# Nobody but Identity Center makes a role under this path; its name alone anybody may choose.
# https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
_RESERVED = "role/aws-reserved/sso.amazonaws.com/"


def vouch(links: Links, connections: Sequence[AwsConnection], caller: Caller) -> VouchedFor | NotVouched | None:
    """None where no connection leads to the caller's account. Raises TargetThrottled, TargetInDoubt and TargetRefused."""
    for connection in connections:
        link = links.to(Place.of_connection(connection))
        if _account(link) != caller.account:
            continue
        if not caller.session:
            return _of_iam(link, caller)
        return _not_reserved(link, caller) or _of_identity_center(links, connections, caller)
    return None


def _account(link: Link) -> str | None:
    """Where its credentials are at home; None of a connection that cannot be used, which is nobody else's fault."""
    try:
        return link.known_account() or link.account()
    except TargetRefused:
        return None


def _of_iam(link: Link, caller: Caller) -> VouchedFor | NotVouched:
    user = look_up(link, caller.name)
    # A user that was deleted and made anew under the same name is another one.
    if user is None or (user.id, user.account) != (caller.id, caller.account):
        return NotVouched(f"There is no IAM user {caller.title} any more that signed this.")
    if user.person is None:
        return NotVouched(f"The IAM user {caller.title} has no tag {TAG} with an address: an administrator sets it.")
    return VouchedFor(user.person, f"iam:{user.account}:{user.id}")


def _not_reserved(link: Link, caller: Caller) -> NotVouched | None:
    """Whether the role is not Identity Center's own, whatever it is called."""
    try:
        role = link.iam.read("iam GetRole", lambda client: client.get_role(RoleName=caller.name)["Role"])
    except Missing:
        role = None
    home = f"arn:{caller.partition}:iam::{caller.account}:{_RESERVED}"
    if role is not None and role["RoleId"] == caller.id and role["Arn"].startswith(home):
        return None
    return NotVouched(f"The role {caller.name} in account {caller.account} is not one of Identity Center's.")


def _of_identity_center(links: Links, connections: Sequence[AwsConnection], caller: Caller) -> VouchedFor | NotVouched:
    """A session does not tell by which Identity Center it was begun, and each has users of its own under the same names. A
    connection that may see none is for IAM alone.
    """
    found = dict[str, tuple[Link, tuple[str, ...]]]()
    refused: TargetRefused | None = None
    for connection in connections:
        link = links.to(Place.of_connection(connection))
        try:
            instance = PermissionSets(link).instance(connection.instance_arn)
        except TargetRefused as problem:
            refused = refused or problem
            continue
        if not isinstance(instance, Refused):
            found.setdefault(instance.store, (link, connection.match or BY_EMAIL))
    if refused is not None and not found:
        raise refused
    if len(found) > 1:
        return NotVouched(
            "Connections of the policy lead to more than one Identity Center, and nobody can tell by which one this session was "
            "begun. Here an IAM user with a tag counts alone."
        )
    for store, (link, match) in found.items():
        user = IdentityStore(link, match).called_now(store, caller.session)
        address = user.address(match) if user is not None else None
        if user is not None and address is not None:
            return VouchedFor(address, f"identity-store:{user.id}")
        return NotVouched(_lacking(caller, user))
    return NotVouched("No connection of the policy leads to Identity Center.")


def _lacking(caller: Caller, user: StoreUser | None) -> str:
    if user is None:
        return f"Identity Center knows no user called exactly {caller.session}."
    return f"The user {caller.session} of Identity Center is disabled, or has no address."

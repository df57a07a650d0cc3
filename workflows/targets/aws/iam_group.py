"""`aws-iam-group`: an IAM user's membership of an IAM group.

Calls: observe 1 (an IAM user is in ten groups at most), grant 3 (GetUser and GetGroup to see that the
names still mean what was approved, AddUserToGroup), revoke 1. Resolving costs GetUser and GetGroup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from workflows.core.identity import Address
from workflows.core.records.target import Observation, Operation, OperationKind, Presence, Resource
from workflows.core.refusal import Refused
from workflows.ports import BeforeSend, TargetRefused
from workflows.targets.aws import iam_users
from workflows.targets.aws.base import AwsTarget, done
from workflows.targets.aws.connections import Link
from workflows.targets.aws.errors import Missing
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.lacking import missing
from workflows.targets.aws.terms import AwsTerms

_PAGE = 1000
_MEMBER_PAGES_MAX = 1000


class IamGroupTarget(AwsTarget):
    def _resolve(
        self,
        terms: AwsTerms,
        person: Address,
        request_id: str,  # noqa: ARG002  # one of a person
        bound: Mapping[str, str],
    ) -> Resource | Refused:
        link = self.link(terms)
        if terms.group is None:
            return missing("group for the role", "the policy")
        user = iam_users.owned(link, terms, person, bound)
        if isinstance(user, Refused):
            return user
        group = group_id(link, terms.group)
        if group is None:
            return missing(
                f"IAM group {terms.group}", f"AWS IAM (connection {link.place.connection}, account {user.account})"
            )
        found = _resource(terms, user.name, user.id, user.account, group, user.person)
        return replace(found, place=user.place, carries=user.carries)

    def _observe(self, resource: Resource) -> Observation:
        ids = resource.ids
        groups = self.link(resource.target).iam.every(
            "iam ListGroupsForUser",
            "Groups",
            lambda client, more: client.list_groups_for_user(UserName=ids["user"], **more),
        )
        if ids["group_id"] in {group["GroupId"] for group in groups}:
            return Observation(Presence.PRESENT, resource)
        # A user of that name may be in another account, too.
        doubt = self._without(resource)
        return Observation(Presence.ABSENT if doubt is None else Presence.UNKNOWN, resource, detail=doubt)

    def _without(self, resource: Resource) -> str | None:
        return iam_users.doubt_of(self.link(resource.target), resource.ids["account"], resource.ids["user"])

    def _grant(self, resource: Resource, until: datetime, before_send: BeforeSend) -> Operation:  # noqa: ARG002  # it knows no end
        link, ids = self.link(resource.target), resource.ids
        iam_users.still_the_same(link, ids["user"], ids["user_id"], resource.person)
        if group_id(link, ids["group"]) != ids["group_id"]:
            raise TargetRefused(f"The IAM group {ids['group']} is not the one that was approved. Ask again.")
        link.iam.change(
            "iam AddUserToGroup",
            before_send,
            lambda client: client.add_user_to_group(GroupName=ids["group"], UserName=ids["user"]),
        )
        return done(OperationKind.GRANT)

    def _revoke(self, resource: Resource, before_send: BeforeSend) -> Operation:
        ids = resource.ids
        self.link(resource.target).iam.change(
            "iam RemoveUserFromGroup",
            before_send,
            lambda client: client.remove_user_from_group(GroupName=ids["group"], UserName=ids["user"]),
        )
        return done(OperationKind.REVOKE)

    def _list_managed(self, terms: AwsTerms) -> list[Observation] | Refused:
        """All members of the group, a call for each thousand: ours cannot be told apart."""
        link, name = self.link(terms), terms.group or ""
        group = group_id(link, name)
        if group is None:
            return missing(f"IAM group {name}", f"AWS IAM (connection {link.place.connection})")
        users = link.iam.every(
            "iam GetGroup",
            "Users",
            lambda client, more: client.get_group(GroupName=name, MaxItems=_PAGE, **more),
            pages_max=_MEMBER_PAGES_MAX,
        )
        resources = [
            _resource(terms, user["UserName"], user["UserId"], user["Arn"].split(":")[4], group, None) for user in users
        ]
        return [Observation(Presence.PRESENT, resource) for resource in resources]

    def by_hand(self, resource: Resource, kind: OperationKind) -> str:
        ids = resource.ids
        verb = "add the user {} to" if kind is OperationKind.GRANT else "remove the user {} from"
        return (
            f"By hand: in the IAM console of account {ids['account']}, under User groups, "
            f"{verb.format(ids['user'])} {ids['group']}."
        )


def _resource(
    terms: AwsTerms, user: str, user_id: str, account: str, group_id: str, person: Address | None
) -> Resource:
    group = terms.group or ""
    return Resource(
        kind=AwsKind.IAM_GROUP,
        target=terms,
        ids={
            "account": account,
            "user": user,
            "user_id": user_id,
            "group": group,
            "group_id": group_id,
        },
        title=f"membership of the IAM group {group} in account {account}, for the IAM user {user}",
        person=person,
    )


def group_id(link: Link, name: str) -> str | None:
    """None where there is no such group. Raises as `Door.read` does."""
    try:
        # Of the group alone: what it lists of its users is not looked at.
        return link.iam.read(
            "iam GetGroup", lambda client: client.get_group(GroupName=name, MaxItems=1)["Group"]["GroupId"]
        )
    except Missing:
        return None

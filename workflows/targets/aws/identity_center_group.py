"""`aws-identity-center-group`: a user's membership of an identity-store group; one call opens many accounts.

Calls: observe 1, grant 1, revoke 2 (the membership's id, then its removal). The id is not remembered: whoever takes a
person out and puts them in again makes another one, and removing the old one would look like a success.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from workflows.core.identity import Address
from workflows.core.records.target import Observation, Operation, OperationKind, Presence, Resource
from workflows.core.refusal import Refused
from workflows.ports import BeforeSend
from workflows.targets.aws.base import AwsTarget, done
from workflows.targets.aws.identity_store import IdentityStore, place_of
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.lacking import missing
from workflows.targets.aws.permission_sets import PermissionSets
from workflows.targets.aws.terms import AwsTerms, own_terms
from workflows.targets.aws.who import named


class IdentityCenterGroupTarget(AwsTarget):
    def _resolve(
        self,
        terms: AwsTerms,
        person: Address,
        request_id: str,  # noqa: ARG002  # one of a person
        bound: Mapping[str, str],
    ) -> Resource | Refused:
        names = IdentityStore(self.link(terms), terms.match)
        where = self._group(terms)
        if isinstance(where, Refused):
            return where
        store, group = where
        user = names.user(store, person, bound.get(place_of(store)))
        if isinstance(user, Refused):
            return user
        found = _resource(terms, store, group, user.id)
        return replace(found, place=place_of(store), carries=user.carries(terms.match), names=named(user.user_name))

    def _group(self, terms: AwsTerms) -> tuple[str, str] | Refused:
        """Ids of the store and the group."""
        link = self.link(terms)
        if terms.group is None:
            return missing("group for the role", "the policy")
        instance = PermissionSets(link).instance(terms.instance_arn)
        if isinstance(instance, Refused):
            return instance
        group = IdentityStore(link).group(instance.store, terms.group)
        return group if isinstance(group, Refused) else (instance.store, group)

    def _observe(self, resource: Resource) -> Observation:
        ids = resource.ids
        names = IdentityStore(self.link(resource.target))
        inside = names.groups_of(ids["store"], ids["user"], [ids["group"]])
        return Observation(Presence.PRESENT if inside else Presence.ABSENT, resource)

    def _without(self, resource: Resource) -> str | None:
        """The user or the group is gone, so what is remembered of them is wrong."""
        self.link(resource.target).names.forget()
        return None

    def _grant(self, resource: Resource, until: datetime, before_send: BeforeSend) -> Operation:  # noqa: ARG002  # it knows no end
        ids = resource.ids
        self.link(resource.target).store.change(
            "identitystore CreateGroupMembership",
            before_send,
            lambda client: client.create_group_membership(
                IdentityStoreId=ids["store"], GroupId=ids["group"], MemberId={"UserId": ids["user"]}
            )["MembershipId"],
        )
        return done(OperationKind.GRANT)

    def _revoke(self, resource: Resource, before_send: BeforeSend) -> Operation:
        ids, store = resource.ids, self.link(resource.target).store
        membership = store.read(
            "identitystore GetGroupMembershipId",
            lambda client: client.get_group_membership_id(
                IdentityStoreId=ids["store"], GroupId=ids["group"], MemberId={"UserId": ids["user"]}
            )["MembershipId"],
        )
        store.change(
            "identitystore DeleteGroupMembership",
            before_send,
            lambda client: client.delete_group_membership(IdentityStoreId=ids["store"], MembershipId=membership),
        )
        return done(OperationKind.REVOKE)

    def _list_managed(self, terms: AwsTerms) -> list[Observation] | Refused:
        """All members of the group, one call for each hundred: ours cannot be told apart."""
        found = self._group(terms)
        if isinstance(found, Refused):
            return found
        store, group = found
        users = IdentityStore(self.link(terms)).members(store, group)
        return [Observation(Presence.PRESENT, _resource(terms, store, group, user)) for user in users]

    def _whose(self, resource: Resource) -> tuple[Address, ...]:
        terms = own_terms(resource.target)
        return IdentityStore(self.link(terms), terms.match).called(resource.ids["store"], resource.ids["user"])

    def by_hand(self, resource: Resource, kind: OperationKind) -> str:
        verb = "add the user {} to" if kind is OperationKind.GRANT else "remove the user {} from"
        return (
            "By hand: in the console of IAM Identity Center, under Groups, "
            f"{verb.format(resource.ids['user'])} {own_terms(resource.target).group}."
        )


def _resource(terms: AwsTerms, store: str, group: str, user: str) -> Resource:
    return Resource(
        kind=AwsKind.IDENTITY_CENTER_GROUP,
        target=terms,
        ids={"store": store, "group": group, "user": user},
        title=f"membership of the group {terms.group}",
    )

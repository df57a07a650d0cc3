"""Members of Identity Center groups as addresses, for groups that the policy names (`identity_center_group: NAME`)."""

from __future__ import annotations

from workflows.core.people import Listed
from workflows.core.provider import Connection
from workflows.core.refusal import Refused
from workflows.ports import TargetRefused
from workflows.targets.aws.connections import Links, Place
from workflows.targets.aws.identity_store import IdentityStore
from workflows.targets.aws.odd import readable
from workflows.targets.aws.permission_sets import PermissionSets
from workflows.targets.aws.terms import AwsConnection, own_connection


class IdentityCenterGroups:
    def __init__(self, links: Links) -> None:
        self._links = links

    def members(self, connection: Connection, group_name: str) -> Listed:
        """Addresses of the group's enabled members, as they are now: what the connection's `match` calls so.

        One call for each hundred members; who they are is remembered for ten minutes. Raises TargetThrottled, TargetInDoubt, and
        TargetRefused where the group is not there.
        """
        with readable(f"reading the group {group_name}"):
            return self._members(own_connection(connection), group_name)

    def _members(self, connection: AwsConnection, group_name: str) -> Listed:
        link = self._links.to(Place.of_connection(connection))
        names = IdentityStore(link, connection.match)
        instance = PermissionSets(link).instance(connection.instance_arn)
        if isinstance(instance, Refused):
            raise _not_there(instance)
        group = names.group(instance.store, group_name)
        if isinstance(group, Refused):
            raise _not_there(group)
        return names.addresses(instance.store, names.members(instance.store, group))


def _not_there(refused: Refused) -> TargetRefused:
    return TargetRefused(f"There is no {refused.params['thing']} in {refused.params['where']}.")

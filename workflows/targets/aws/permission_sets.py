"""Names in IAM Identity Center to ids: the instance and its permission sets. Remembered in the process."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workflows.core.refusal import Refused
from workflows.targets.aws.connections import Link
from workflows.targets.aws.errors import Denied, Missing
from workflows.targets.aws.lacking import missing
from workflows.targets.aws.name_cache import PERSON_S, THING_S

_PAGE = 100
_SESSION_S_MAX = 12 * 3600
_DURATION = re.compile(r"PT(?:(?P<h>[0-9]{1,6})H)?(?:(?P<m>[0-9]{1,6})M)?(?:(?P<s>[0-9]{1,6})S)?")


@dataclass(frozen=True, slots=True)
class Instance:
    """`owner`: the account that it belongs to; empty where AWS does not say."""

    arn: str
    store: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class PermissionSet:
    arn: str
    name: str
    session_s: int


class PermissionSets:
    """Look-ups through one link. All raise TargetThrottled, TargetInDoubt and TargetRefused."""

    def __init__(self, link: Link) -> None:
        self._link, self._names = link, link.names
        self.where = f"IAM Identity Center (connection {link.place.connection})"

    def instance(self, arn: str | None) -> Instance | Refused:
        """The instance of that ARN, or the only one. One call, then none for an hour."""
        return self._names.remember(("instance", arn), THING_S, lambda: self.find_instance(arn))

    def permission_set(self, instance: Instance, name: str) -> PermissionSet | Refused:
        """By name or ARN. Finding a name takes a call for each set not seen before; they are remembered one by one."""
        if name.startswith("arn:"):
            return self._names.remember(("set", name), THING_S, lambda: self._describe_set(instance, name))
        return self._names.remember(("set of", instance.arn, name), THING_S, lambda: self._find_set(instance, name))

    def assigned(self, instance: Instance, account: str, permission_set: str) -> frozenset[str] | None:
        """Principals that hold the permission set in the account. A call for each hundred, then none for ten minutes.

        None where the worker may not know.
        """
        key = ("assigned", instance.arn, account, permission_set)
        try:
            found = self._names.remember(key, PERSON_S, lambda: self._find_assigned(instance, account, permission_set))
        except Denied:
            return None
        return None if isinstance(found, Refused) else found

    def find_instance(self, arn: str | None) -> Instance | Refused:
        """As `instance`, as it is now."""
        found = self._link.sso.every(
            "sso-admin ListInstances", "Instances", lambda client, more: client.list_instances(**more)
        )
        chosen = [entry for entry in found if arn is None or entry.get("InstanceArn") == arn]
        if len(chosen) == 1:
            return Instance(
                chosen[0]["InstanceArn"], chosen[0]["IdentityStoreId"], str(chosen[0].get("OwnerAccountId") or "")
            )
        if arn is not None:
            return missing(f"instance {arn}", self.where)
        if chosen:
            return missing(f"single instance ({len(chosen)} are there; set `instance_arn`)", self.where)
        return missing(f"instance in {self._link.place.region}", self.where)

    def _find_set(self, instance: Instance, name: str) -> PermissionSet | Refused:
        for arn in self._set_arns(instance):
            found = self.permission_set(instance, arn)
            if isinstance(found, PermissionSet) and found.name == name:
                return found
        return missing(f"permission set {name}", self.where)

    def _set_arns(self, instance: Instance) -> list[str]:
        return self._link.sso.every(
            "sso-admin ListPermissionSets",
            "PermissionSets",
            lambda client, more: client.list_permission_sets(InstanceArn=instance.arn, MaxResults=_PAGE, **more),
        )

    def _describe_set(self, instance: Instance, arn: str) -> PermissionSet | Refused:
        try:
            described = self._link.sso.read(
                "sso-admin DescribePermissionSet",
                lambda client: client.describe_permission_set(InstanceArn=instance.arn, PermissionSetArn=arn)[
                    "PermissionSet"
                ],
            )
        except Missing:
            return missing(f"permission set {arn}", self.where)
        # AWS's default is one hour.
        return PermissionSet(arn, described["Name"], seconds_of(described.get("SessionDuration", "PT1H")))

    def _find_assigned(self, instance: Instance, account: str, permission_set: str) -> frozenset[str] | Refused:
        found = self._link.sso.every(
            "sso-admin ListAccountAssignments",
            "AccountAssignments",
            lambda client, more: client.list_account_assignments(
                InstanceArn=instance.arn, AccountId=account, PermissionSetArn=permission_set, MaxResults=_PAGE, **more
            ),
        )
        return frozenset(entry["PrincipalId"] for entry in found)


def seconds_of(duration: object) -> int:
    """`PT1H30M` -> 5400. It only informs people, so nothing fails here: what cannot be read, and what AWS does not allow, is told
    as the longest that it allows: rather too much than too little. Some stand-ins for AWS have a number of seconds.
    """
    if isinstance(duration, int) and not isinstance(duration, bool):
        return duration if 0 < duration <= _SESSION_S_MAX else _SESSION_S_MAX
    found = _DURATION.fullmatch(duration) if isinstance(duration, str) else None
    if found is None or not any(found.groups()):
        return _SESSION_S_MAX
    hours, minutes, seconds = (int(found[part] or 0) for part in ("h", "m", "s"))
    return min(hours * 3600 + minutes * 60 + seconds, _SESSION_S_MAX)

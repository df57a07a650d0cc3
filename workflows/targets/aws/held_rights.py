"""What the worker's own role has in IAM, read by itself: its policies, and its boundary. The worker's work needs none of these
calls (`worker-policy.doctor.json`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.targets.aws.connections import Link
from workflows.targets.aws.errors import Denied, Missing

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """`arn`: the role's own, with its path. `unread`: policies attached to it that it may not read. `boundary`: its name, empty
    for none; `bounds`: what it says, None where that may not be read.
    """

    arn: str
    documents: tuple[Json, ...]
    unread: tuple[str, ...]
    boundary: str
    bounds: Json | None


def held_by(link: Link, role: str) -> Held:
    """`role`: its name. Raises as `Door.every`."""
    described: Any = link.iam.read("iam GetRole", lambda client: client.get_role(RoleName=role)["Role"])
    inline = link.iam.every(
        "iam ListRolePolicies", "PolicyNames", lambda client, more: client.list_role_policies(RoleName=role, **more)
    )
    attached = link.iam.every(
        "iam ListAttachedRolePolicies",
        "AttachedPolicies",
        lambda client, more: client.list_attached_role_policies(RoleName=role, **more),
    )
    found = {str(one["PolicyName"]): _attached(link, str(one["PolicyArn"])) for one in attached}
    bounding = str((described.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn") or "")
    return Held(
        str(described["Arn"]),
        (*(_inline(link, role, name) for name in inline), *(one for one in found.values() if one is not None)),
        tuple(name for name, one in found.items() if one is None),
        bounding.rpartition("/")[2],
        _attached(link, bounding) if bounding else None,
    )


def _inline(link: Link, role: str, name: str) -> Json:
    return link.iam.read(
        "iam GetRolePolicy",
        lambda client: _document(client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]),
    )


def _attached(link: Link, arn: str) -> Json | None:
    try:
        version = link.iam.read(
            "iam GetPolicy", lambda client: str(client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"])
        )
        return link.iam.read(
            "iam GetPolicyVersion",
            lambda client: _document(
                client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
            ),
        )
    except (Denied, Missing):
        return None


def _document(found: Any) -> Json:
    """botocore decodes IAM's documents to what the JSON says."""
    return found if isinstance(found, Mapping) else {}

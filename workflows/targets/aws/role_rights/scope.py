"""Exactly what a policy gives through one role of the worker: instances, accounts, permission sets, users, groups."""

from __future__ import annotations

from dataclasses import dataclass

# The managed policy that bounds people's IAM users: deploy/aws/permissions-boundary.example.json.
PEOPLES_BOUNDARY = "prodaccess-boundary"
# The same of pipelines' roles.
PIPELINES_BOUNDARY = "prodaccess-pipeline-boundary"


@dataclass(frozen=True, slots=True)
class Center:
    """One instance of Identity Center. `owner`: the account that it belongs to, the organisation's management account.

    `accounts`, `sets` (ARNs) and `groups` (ids) are what roles give; `reads_groups`: the policy's own groups are kept there.
    """

    instance: str
    store: str
    owner: str
    accounts: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    reads_groups: bool = False


@dataclass(frozen=True, slots=True)
class Archive:
    """Where sealed entries go. `days`: the retention that each object is written with; None: the bucket's default rules."""

    bucket: str
    prefix: str = ""
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """`role`: the worker's, an ARN. `written_on`, `grouped`: patterns of IAM users that get inline policies, or memberships of
    `groups`; `path` is the IAM path before their names, `bounded`: each has the permissions boundary `PEOPLES_BOUNDARY`. `roles`:
    those that it takes on. What is not used is empty.
    """

    role: str
    partition: str = "aws"
    centers: tuple[Center, ...] = ()
    written_on: tuple[str, ...] = ()
    grouped: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    path: str = ""
    bounded: bool = True
    roles: tuple[str, ...] = ()
    # Names of pipelines' own roles that gates give something to, and the IAM path before them.
    pipelines: tuple[str, ...] = ()
    pipeline_path: str = ""
    # Whether its account vouches for people at a terminal, and whether sessions of Identity Center are looked up for that.
    vouches: bool = False
    sessions: bool = False
    activity: bool = False
    doctor: bool = True
    archive: Archive | None = None
    key: str = ""
    # The role that seals, where a worker of its own does that: it writes the archive and signs, and this one does not.
    sealer: str = ""

    @property
    def seals(self) -> bool:
        return self.sealer in ("", self.role)

    @property
    def account(self) -> str:
        return self.role.split(":")[4]

    @property
    def role_name(self) -> str:
        """Without its path."""
        return self.role.rpartition("/")[2]

    @property
    def gives(self) -> bool:
        """Whether anything is given through it at all."""
        centers = any(one.sets or one.groups for one in self.centers)
        return bool(centers or self.written_on or self.groups or self.pipelines)

    def sso(self, thing: str) -> str:
        return f"arn:{self.partition}:sso:::{thing}"

    def store(self, thing: str) -> str:
        return f"arn:{self.partition}:identitystore:::{thing}"

    def store_of(self, center: Center) -> str:
        return f"arn:{self.partition}:identitystore::{center.owner}:identitystore/{center.store}"

    def iam(self, thing: str) -> str:
        """Of the role's own account."""
        return f"arn:{self.partition}:iam::{self.account}:{thing}"

    def users(self, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.iam(f"user/{self.path}{pattern}") for pattern in patterns)

    @property
    def peoples_boundary(self) -> str:
        return self.iam(f"policy/{PEOPLES_BOUNDARY}")

    @property
    def pipeline_roles(self) -> tuple[str, ...]:
        return tuple(self.iam(f"role/{self.pipeline_path}{one}") for one in self.pipelines)

    @property
    def pipelines_boundary(self) -> str:
        return self.iam(f"policy/{PIPELINES_BOUNDARY}")

    @property
    def own_policies(self) -> str:
        """What `documents` calls its policies, all of them."""
        return self.iam(f"policy/{self.role_name}*")

    @property
    def bucket(self) -> str:
        return f"arn:{self.partition}:s3:::{self.archive.bucket}" if self.archive else ""

    @property
    def objects(self) -> str:
        prefix = f"{self.archive.prefix}/" if self.archive and self.archive.prefix else ""
        return f"{self.bucket}/{prefix}*"

"""What the simulated AWS holds at the start: plain data, in Python or JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any
from uuid import NAMESPACE_URL, uuid5


def stable_id(kind: str, name: str) -> str:
    """An id that is the same in every run, so that a config file or a test may name it."""
    return str(uuid5(NAMESPACE_URL, f"prodaccess:{kind}:{name}"))


@dataclass(frozen=True)
class PermissionSetSpec:
    """`session` is ISO 8601, as AWS has it."""

    name: str
    session: str = "PT1H"

    def arn(self, instance_arn: str) -> str:
        """`arn:aws:sso:::permissionSet/ssoins-.../ps-<16 hex digits>`, the same in every run."""
        instance = instance_arn.rpartition("/")[2]
        short = stable_id("permission-set", self.name).replace("-", "")[:16]
        return f"arn:aws:sso:::permissionSet/{instance}/ps-{short}"


@dataclass(frozen=True)
class PersonSpec:
    """A user of the identity store; the user name is the address unless said. `mail`: whether it is kept as an e-mail, too."""

    email: str
    given: str = "Given"
    family: str = "Family"
    user_name: str = ""
    mail: bool = field(default=True, kw_only=True)

    @property
    def id(self) -> str:
        """The user's id in the identity store."""
        return stable_id("user", self.email)


@dataclass(frozen=True)
class AssignmentSpec:
    """Standing access: `principal` is an address or the name of an identity store group."""

    principal: str
    permission_set: str
    account: str


@dataclass(frozen=True)
class IamUserSpec:
    """An IAM user; `person` becomes its tag `prodaccess:person`, `policies` are inline policies by name."""

    name: str
    person: str = ""
    account: str = "111122223333"
    policies: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class IamGroupSpec:
    """An IAM group and the names of its users."""

    name: str
    members: tuple[str, ...] = ()
    account: str = "111122223333"


@dataclass(frozen=True)
class IamRoleSpec:
    """A role that may be assumed: for connections to other accounts by anybody, with `trust` by whom that names. `gate` becomes
    its tag `prodaccess:gate`."""

    name: str
    account: str
    gate: str = ""
    trust: Mapping[str, Any] = field(default_factory=dict)
    path: str = "/"


@dataclass(frozen=True)
class BucketSpec:
    """A bucket of the home account."""

    name: str
    object_lock: bool = False


@dataclass(frozen=True)
class WorldSpec:
    """Everything at the start.

    `home_account` is where all credentials belong that STS did not issue, and where Identity Center is administered;
    `management_account` is the organisation's own. With `delegated_admin` the home account may not touch the latter.
    """

    region: str = "eu-central-1"
    home_account: str = "111122223333"
    management_account: str = "999988887777"
    delegated_admin: bool = False
    instance_arn: str = "arn:aws:sso:::instance/ssoins-7223a1b2c3d4e5f6"
    identity_store_id: str = "d-9967012345"
    accounts: tuple[str, ...] = ("111122223333", "444455556666")
    permission_sets: tuple[PermissionSetSpec, ...] = ()
    people: tuple[PersonSpec, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    assignments: tuple[AssignmentSpec, ...] = ()
    iam_users: tuple[IamUserSpec, ...] = ()
    iam_groups: tuple[IamGroupSpec, ...] = ()
    iam_roles: tuple[IamRoleSpec, ...] = ()
    buckets: tuple[BucketSpec, ...] = ()

    def permission_set_arn(self, name: str) -> str:
        """The ARN of a permission set by its name, seeded or not."""
        return PermissionSetSpec(name).arn(self.instance_arn)

    def user_id(self, email: str) -> str:
        """The identity store's id of a person."""
        return stable_id("user", email)

    def group_id(self, name: str) -> str:
        """The identity store's id of a group."""
        return stable_id("group", name)

    def to_json(self) -> str:
        """The text that `from_json` reads."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "WorldSpec":
        """Reads `to_json`'s form; every field may be left out. Raises `ValueError` for an unknown one."""
        raw = json.loads(text)
        known = {entry.name for entry in fields(cls)}
        if unknown := set(raw) - known:
            raise ValueError(f"unknown fields in the seed: {', '.join(sorted(unknown))}")
        for name, kind in _LISTS.items():
            if name in raw:
                raw[name] = tuple(kind(**_with_tuples(item)) for item in raw[name])
        if "groups" in raw:
            raw["groups"] = {name: tuple(members) for name, members in raw["groups"].items()}
        if "accounts" in raw:
            raw["accounts"] = tuple(raw["accounts"])
        return cls(**raw)


def _with_tuples(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in item.items()}


_LISTS: dict[str, type] = {
    "permission_sets": PermissionSetSpec,
    "people": PersonSpec,
    "assignments": AssignmentSpec,
    "iam_users": IamUserSpec,
    "iam_groups": IamGroupSpec,
    "iam_roles": IamRoleSpec,
    "buckets": BucketSpec,
}

# Who may take on the role of a pipeline at GitHub: runs of one repository for one of its environments.
OF_GITHUB: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                    "token.actions.githubusercontent.com:sub": "repo:acme/orders:environment:production",
                }
            },
        }
    ],
}

# The people and places of the example policy in `config/`.
EXAMPLE = WorldSpec(
    permission_sets=(PermissionSetSpec("ReadOnlyAccess"), PermissionSetSpec("AdministratorAccess", "PT4H")),
    people=(
        PersonSpec("dana@example.com", "Dana", "Developer"),
        PersonSpec("dev@example.com", "Dev", "Patel"),
        PersonSpec("olu@example.com", "Olu", "Owner"),
        PersonSpec("pat@example.com", "Pat", "Platform"),
        PersonSpec("sid@example.com", "Sid", "Security"),
        PersonSpec("sue@example.com", "Sue", "Security"),
        PersonSpec("cal@example.com", "Cal", "Oncall"),
    ),
    groups={
        "payments-developers": ("dana@example.com", "dev@example.com"),
        "payments-readers": (),
    },
    iam_users=(
        IamUserSpec("dana", "dana@example.com"),
        IamUserSpec("dev", "dev@example.com"),
        IamUserSpec("olu", "olu@example.com"),
        IamUserSpec("dana", "dana@example.com", account="444455556666"),
        IamUserSpec("dev", "dev@example.com", account="444455556666"),
    ),
    iam_groups=(
        IamGroupSpec("payments-prod-deployers"),
        IamGroupSpec("payments-staging-deployers", account="444455556666"),
    ),
    iam_roles=(
        IamRoleSpec("prodaccess", "111122223333"),
        IamRoleSpec("prodaccess", "444455556666"),
        IamRoleSpec("orders-deploy", "111122223333", "orders-prod", OF_GITHUB),
    ),
    buckets=(BucketSpec("prodaccess-audit", object_lock=True),),
)

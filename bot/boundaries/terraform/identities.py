"""Roles, users, groups and permission sets of a checkout's Terraform: who can take them on, and what they allow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from bot.boundaries.model import Place, Verdict
from bot.boundaries.terraform.files import HOLE, Stanza, Terraform
from bot.boundaries.terraform.policies import Condition, Policy, policy_of

# Of AWS's own policies: those that can write any bucket, and those that surely cannot.
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
_WRITING = frozenset({"AdministratorAccess", "PowerUserAccess", "AmazonS3FullAccess"})
_READING = frozenset(
    {"ReadOnlyAccess", "ViewOnlyAccess", "SecurityAudit", "Billing", "AmazonS3ReadOnlyAccess", "IAMReadOnlyAccess"}
)


_BY_TOKEN = frozenset({"sts:AssumeRoleWithWebIdentity", "sts:TagSession"})


class Kind(Enum):
    PERSON = "people"
    PIPELINE = "a pipeline"
    SERVICE = "a service"
    UNKNOWN = "nobody knows whom"


@dataclass(frozen=True, slots=True)
class Identity:
    """`managed`: ARNs of policies that AWS keeps. `bounded`: a permissions boundary may take away what its policies allow."""

    what: str
    name: str
    ref: str
    kind: Kind
    place: Place
    trust: Policy | None = None
    policies: tuple[Policy, ...] = ()
    managed: tuple[str, ...] = ()
    bounded: bool = False
    # Whether something is attached that was not read.
    more: bool = False

    @property
    def title(self) -> str:
        return f"{self.what} {self.name}"

    def is_meant_by(self, principal: str) -> bool:
        """By an ARN or by its name in Terraform, exactly."""
        if principal == self.ref:
            return True
        found = re.fullmatch(
            rf"arn:aws[a-z-]*:iam::(?:[0-9]{{12}}|{HOLE}):role/(?:[\w+=,.@/-]+/)?([\w+=,.@-]+)", principal
        )
        return bool(found and found[1] == self.name and self.what == "role")

    def can_write(self, bucket: str, key: str) -> Verdict:
        """Whether its policies let it put or delete the state, or change the bucket's policy."""
        asked = _asked(bucket, key)
        found = [self._may(action, resource) for action, resource in asked]
        if Verdict.YES in found:
            return Verdict.UNKNOWN if self.bounded else Verdict.YES
        return Verdict.UNKNOWN if Verdict.UNKNOWN in found or self.more else Verdict.NO

    def _may(self, action: str, resource: str) -> Verdict:
        statements = [each for policy in self.policies for each in policy.statements]
        for each in statements:
            if not each.allows and not each.conditions and each.covers(action, resource) is Verdict.YES:
                return Verdict.NO
        denied = any(not each.allows and each.covers(action, resource) is not Verdict.NO for each in statements)
        found = {_managed(arn) for arn in self.managed}
        found |= {Verdict.UNKNOWN for policy in self.policies if not policy.complete}
        for each in statements:
            if each.allows:
                covers = each.covers(action, resource)
                found.add(Verdict.UNKNOWN if covers is Verdict.YES and (each.conditions or denied) else covers)
        if Verdict.YES in found:
            return Verdict.UNKNOWN if denied else Verdict.YES
        return Verdict.UNKNOWN if Verdict.UNKNOWN in found else Verdict.NO


def _asked(bucket: str, key: str) -> tuple[tuple[str, str], ...]:
    arn = f"arn:aws:s3:::{bucket}"
    return (("s3:PutObject", f"{arn}/{key}"), ("s3:DeleteObject", f"{arn}/{key}"), ("s3:PutBucketPolicy", arn))


def _managed(arn: str) -> Verdict:
    name = arn.rpartition("/")[2]
    if not re.match(r"arn:aws[a-z-]*:iam::aws:policy/", arn) or HOLE in arn:
        return Verdict.UNKNOWN
    return Verdict.YES if name in _WRITING else Verdict.NO if name in _READING else Verdict.UNKNOWN


# ---------------------------------------------------------------- out of Terraform


def identities_of(terraform: Terraform) -> tuple[Identity, ...]:
    found = [*_roles(terraform), *_users(terraform), *_sets(terraform)]
    attached = _Attachments(terraform)
    return tuple(_with_policies(terraform, attached, each) for each in found)


@dataclass(frozen=True, slots=True)
class _Attached:
    """Which attribute of which resource names whom, and holds what."""

    resource: str
    whom: str
    document: str = ""
    arn: str = ""


_ATTACHED = {
    "role": (
        _Attached("aws_iam_role_policy", "role", document="policy"),
        _Attached("aws_iam_role_policy_attachment", "role", arn="policy_arn"),
    ),
    "user": (
        _Attached("aws_iam_user_policy", "user", document="policy"),
        _Attached("aws_iam_user_policy_attachment", "user", arn="policy_arn"),
    ),
    "group": (
        _Attached("aws_iam_group_policy", "group", document="policy"),
        _Attached("aws_iam_group_policy_attachment", "group", arn="policy_arn"),
    ),
    "permission set": (
        _Attached("aws_ssoadmin_permission_set_inline_policy", "permission_set_arn", document="inline_policy"),
        _Attached("aws_ssoadmin_managed_policy_attachment", "permission_set_arn", arn="managed_policy_arn"),
    ),
}
# What attaches in ways that are not followed: where one stands, any identity may have more.
_NOT_FOLLOWED = (
    "aws_iam_policy_attachment",
    "aws_iam_role_policies_exclusive",
    "aws_iam_role_policy_attachments_exclusive",
    "aws_ssoadmin_customer_managed_policy_attachment",
)


class _Attachments:
    """Of each way, by whom it names."""

    def __init__(self, terraform: Terraform) -> None:
        self._found: dict[tuple[_Attached, str], list[Stanza]] = {}
        # One that a run hands out may go to anybody.
        self.unclear: set[str] = set()
        for what, ways in _ATTACHED.items():
            for way in ways:
                for stanza in terraform.all("resource", way.resource):
                    whom = terraform.text(stanza.folder, stanza.block.get(way.whom))
                    if whom is None or HOLE in whom:
                        self.unclear.add(what)
                    else:
                        self._found.setdefault((way, whom), []).append(stanza)
        if any(any(terraform.all("resource", name)) for name in _NOT_FOLLOWED):
            self.unclear |= _ATTACHED.keys()

    def of(self, way: _Attached, identity: Identity) -> list[Stanza]:
        names = dict.fromkeys((identity.ref, identity.name))
        return [stanza for name in names for stanza in self._found.get((way, name), ())]


def _with_policies(terraform: Terraform, attached: _Attachments, identity: Identity) -> Identity:
    policies, managed = list(identity.policies), list(identity.managed)
    for way in _ATTACHED[identity.what]:
        for stanza in attached.of(way, identity):
            if way.document:
                policies.append(policy_of(terraform, stanza, stanza.block.get(way.document)))
                continue
            arn = terraform.text(stanza.folder, stanza.block.get(way.arn))
            own = _own_policy(terraform, arn)
            if own is not None:
                policies.append(own)
            else:
                managed.append(arn or HOLE)
    return replace(
        identity,
        policies=tuple(policies),
        managed=tuple(managed),
        more=identity.more or identity.what in attached.unclear,
    )


def _own_policy(terraform: Terraform, arn: str | None) -> Policy | None:
    """Of `aws_iam_policy` in the checkout."""
    folder, mark, address = (arn or "").removeprefix("ref:").partition("#")
    stanza = terraform.find(folder, address) if mark and address.startswith("aws_iam_policy.") else None
    return policy_of(terraform, stanza, stanza.block.get("policy")) if stanza is not None else None


def _roles(terraform: Terraform) -> Iterator[Identity]:
    for stanza in terraform.all("resource", "aws_iam_role"):
        block = stanza.block
        trust = policy_of(terraform, stanza, block.get("assume_role_policy"))
        inline = tuple(policy_of(terraform, stanza, each.get("policy")) for each in block.all("inline_policy"))
        given = terraform.plain(stanza.folder, block.get("managed_policy_arns"))
        managed = (
            tuple(str(each) for each in given) if isinstance(given, list) else (HOLE,) if given is not None else ()
        )
        yield Identity(
            "role",
            _name(terraform, stanza),
            stanza.ref,
            _kind(trust),
            stanza.place,
            trust,
            inline,
            managed,
            bounded="permissions_boundary" in block.fields,
        )


def _users(terraform: Terraform) -> Iterator[Identity]:
    for what in ("user", "group"):
        for stanza in terraform.all("resource", f"aws_iam_{what}"):
            bounded = "permissions_boundary" in stanza.block.fields
            yield Identity(what, _name(terraform, stanza), stanza.ref, Kind.PERSON, stanza.place, bounded=bounded)


def _sets(terraform: Terraform) -> Iterator[Identity]:
    bounded = {
        terraform.text(stanza.folder, stanza.block.get("permission_set_arn"))
        for stanza in terraform.all("resource", "aws_ssoadmin_permissions_boundary_attachment")
    }
    for stanza in terraform.all("resource", "aws_ssoadmin_permission_set"):
        name = _name(terraform, stanza)
        yield Identity("permission set", name, stanza.ref, Kind.PERSON, stanza.place, bounded=stanza.ref in bounded)


def _name(terraform: Terraform, stanza: Stanza) -> str:
    return terraform.exact(stanza.folder, stanza.block.get("name")) or stanza.address


def _kind(trust: Policy) -> Kind:
    """Whoever else than a forge's tokens and AWS's services can take it on counts as people."""
    principals = [each for statement in trust.statements if statement.allows for each in statement.principals]
    if not trust.complete or not principals or any(statement.not_principals for statement in trust.statements):
        return Kind.UNKNOWN
    kinds = {principal.partition(":")[0] for principal in principals}
    if kinds == {"Federated"}:
        return _federated(trust)
    return Kind.SERVICE if kinds == {"Service"} else Kind.PERSON


def _federated(trust: Policy) -> Kind:
    """By OpenID Connect, not by SAML; and of a forge, because its `sub` is asked for: others have tokens for people."""
    allowing = [statement for statement in trust.statements if statement.allows]
    if not {action for statement in allowing for action in statement.actions} <= _BY_TOKEN:
        return Kind.PERSON
    of_a_forge = all(any(_asks_a_forge(each) for each in statement.conditions) for statement in allowing)
    return Kind.PIPELINE if of_a_forge else Kind.UNKNOWN


def _asks_a_forge(condition: Condition) -> bool:
    host, _, claim = condition.key.lower().rpartition(":")
    asked = condition.test.lower() in ("stringequals", "stringlike") and bool(condition.values)
    return asked and claim == "sub" and (host.startswith("token.actions.githubusercontent.com") or "gitlab" in host)

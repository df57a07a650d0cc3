"""What AWS is given: a role's target as the policy has it, the connection to use, and what both resolve to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from workflows.core.identity import Address
from workflows.core.provider import (
    NAME,
    PIECE,
    PIECES,
    USER,
    Connection,
    Outliving,
    TargetSpec,
    TargetTerms,
)
from workflows.targets.aws.kinds import OF_IDENTITY_CENTER, AwsKind
from workflows.targets.aws.outliving import outliving
from workflows.targets.aws.templates import check_template, fill, fill_words

WORDS: Mapping[str, str] = MappingProxyType({NAME: "AWS", USER: "IAM user", PIECE: "policy", PIECES: "inline policies"})
# What of the terms says which access it is; the others say how it is reached.
_SAME_ACCESS = ("kind", "partition", "account", "instance_arn", "permission_set", "group", "user", "document")


@dataclass(frozen=True, slots=True)
class AwsConnection(Connection):
    provider: ClassVar[str] = WORDS[NAME]

    region: str
    portal: str | None = None
    instance_arn: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    profile: str | None = None
    partition: str = "aws"
    # Which names of a user in Identity Center are an address: `email`, `user_name`; None: e-mail alone.
    match: tuple[str, ...] | None = None

    def phrase(self) -> str:
        match = f"match {', '.join(self.match)}" if self.match else None
        reached = (self.portal, self.instance_arn, self.role_arn, self.external_id, self.profile, match)
        return " ".join(filter(None, (self.kind, self.region, self.partition, *reached)))


def own_connection(connection: Connection) -> AwsConnection:
    """The policy lets no role be given through another provider's connection."""
    if not isinstance(connection, AwsConnection):
        raise TypeError(f"{connection.name} is no connection to AWS")
    return connection


@dataclass(frozen=True, slots=True)
class AwsTerms(TargetTerms):
    """What is not of its kind is None."""

    words: ClassVar[Mapping[str, str]] = WORDS

    kind: AwsKind
    region: str
    partition: str = "aws"
    account: str | None = None
    instance_arn: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    profile: str | None = None
    portal: str | None = None
    permission_set: str | None = None
    group: str | None = None
    user: str | None = None
    # The filled-in policy document as JSON text, without its end.
    document: str | None = None
    # By which names of a user people are found in a directory; None: as before there was a choice, by e-mail alone.
    match: tuple[str, ...] | None = None

    def agreed(self) -> dict[str, object]:
        found = TargetTerms.agreed(self)
        if self.match is None:
            # What was agreed to before this field existed is still agreed to.
            del found["match"]
        return found

    def same_access(self, held: TargetTerms) -> bool:
        return isinstance(held, AwsTerms) and all(getattr(self, name) == getattr(held, name) for name in _SAME_ACCESS)

    def user_of(self, ids: Mapping[str, str]) -> str:
        """`identity-store:906-...`, `iam:111122223333:AIDA...`.

        Identity stores name no user as another store does, and what was resolved before names no store: the id alone says it.
        """
        user = ids.get("user_id") or ids["user"]
        return f"identity-store:{user}" if self.kind in OF_IDENTITY_CENTER else f"iam:{ids.get('account', '')}:{user}"


def own_terms(terms: TargetTerms) -> AwsTerms:
    """What reaches AWS was made for AWS, as its kind says."""
    if not isinstance(terms, AwsTerms):
        raise TypeError(f"{terms.kind} is nothing that AWS can give")
    return terms


@dataclass(frozen=True, slots=True)
class AwsSpec(TargetSpec):
    """What is not of its kind is None."""

    provider: ClassVar[str] = WORDS[NAME]

    kind: AwsKind
    permission_set: str | None = None
    group: str | None = None
    user: str | None = None
    # The text of the template file (JSON), as read when the policy was loaded.
    policy_template: str | None = None
    policy_path: str | None = None

    def terms(self, connection: Connection, environment: str, account: str | None, address: Address | None) -> AwsTerms:
        own = own_connection(connection)
        values = {
            "environment": environment,
            "account": account or "",
            "region": own.region,
            "partition": own.partition,
            "local_part": (address or "").partition("@")[0],
        }
        return AwsTerms(
            kind=self.kind,
            connection=own.name,
            region=own.region,
            partition=own.partition,
            account=account,
            instance_arn=own.instance_arn,
            role_arn=own.role_arn,
            external_id=own.external_id,
            profile=own.profile,
            portal=own.portal,
            permission_set=self.permission_set,
            group=fill_words(self.group, values) if self.group else None,
            user=fill_words(self.user, values) if self.user else None,
            match=own.match,
            document=fill(self.policy_template, values) if self.policy_template else None,
        )

    def phrase(self) -> str:
        """`aws-iam-policy user {local_part} policies/x.json (3f2a91c07ab3)`; the digits are of the template's content."""
        parts = [str(self.kind), self.permission_set, f"user {self.user}" if self.user else None]
        parts.append(f"group {self.group}" if self.group else None)
        if self.policy_template is not None:
            digits = hashlib.sha256(self.policy_template.encode()).hexdigest()[:12]
            parts.append(f"{self.policy_path} ({digits})")
        return " ".join(part for part in parts if part)

    def lacks(self, account: str | None) -> tuple[str, str] | None:
        worded = (self.permission_set, self.group, self.user, self.policy_template)
        needs = self.kind is AwsKind.IDENTITY_CENTER or any("{account}" in text for text in worded if text)
        return ("an account", 'account: "012345678901"') if needs and account is None else None

    def outliving(self) -> Outliving | None:
        """What is wrong with a template itself is said elsewhere."""
        template = self.policy_template
        found = outliving(template) if template and not check_template(template) else ()
        return Outliving(self.policy_path or "", found) if found else None

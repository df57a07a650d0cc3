"""What AWS is given: a role's target as the policy has it, the connection to use, and what both resolve to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar

from workflows.core.identity import Address
from workflows.core.provider import (
    NAME,
    PIECE,
    PIECES,
    USER,
    ByHand,
    Connection,
    Outliving,
    Sessions,
    TargetSpec,
    TargetTerms,
    TemplateRefused,
)
from workflows.targets.aws.kinds import BY_NAME, OF_IDENTITY_CENTER, AwsKind
from workflows.targets.aws.outliving import outliving
from workflows.targets.aws.sessions import control_policy
from workflows.targets.aws.templates import (
    INLINE_CHARACTERS_MAX,
    check_template,
    denial_size,
    fill,
    fill_words,
)

WORDS: Mapping[str, str] = MappingProxyType({NAME: "AWS", USER: "IAM user", PIECE: "policy", PIECES: "inline policies"})
_SESSIONS: Mapping[AwsKind, Sessions] = MappingProxyType(
    {AwsKind.IAM_POLICY: Sessions.DENIED, AwsKind.IDENTITY_CENTER: Sessions.BY_HAND}
)
_IN_AN_ACCOUNT = frozenset({AwsKind.IDENTITY_CENTER, AwsKind.IAM_ROLE_POLICY})
# What of the terms says which access it is; the others say how it is reached.
_SAME_ACCESS = ("kind", "partition", "account", "instance_arn", "permission_set", "group", "user", "role", "document")


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
    # To look at what was done with access: the name of a role in each account, where it is not done as whoever the worker is
    # anyway; and the regions; None: its own.
    activity_role: str | None = None
    activity_regions: tuple[str, ...] | None = None

    def phrase(self) -> str:
        match = f"match {', '.join(self.match)}" if self.match else None
        seen_in = f"activity_regions {', '.join(self.activity_regions)}" if self.activity_regions else None
        reached = (
            self.portal,
            self.instance_arn,
            self.role_arn,
            self.external_id,
            self.profile,
            match,
            f"activity_role {self.activity_role}" if self.activity_role else None,
            seen_in,
        )
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
    unkept: ClassVar[frozenset[str]] = frozenset({"document", "external_id", "portal", "profile"})

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
    # A revocation ends sessions that are open, too.
    end_sessions: bool = False
    # Of a pipeline's role: its name, and the environment for which its account has put it at the gate's disposal.
    role: str | None = None
    gate: str | None = None

    def agreed(self) -> dict[str, object]:
        found = TargetTerms.agreed(self)
        # What was agreed to before these fields existed is still agreed to.
        if self.match is None:
            del found["match"]
        if not self.end_sessions:
            del found["end_sessions"]
        for name in ("role", "gate"):
            if found[name] is None:
                del found[name]
        return found

    @property
    def sessions(self) -> Sessions:
        return _SESSIONS.get(self.kind, Sessions.LEFT) if self.end_sessions else Sessions.LEFT

    def ending_sessions(self) -> AwsTerms:
        return replace(self, end_sessions=True)

    def sessions_by_hand(self, ids: Mapping[str, str], grant_id: str, before: datetime) -> ByHand | None:
        if self.kind is not AwsKind.IDENTITY_CENTER:
            return None
        account = ids.get("account") or self.account or ""
        ask = (
            f"whoever manages your AWS organisation to attach this as a service control policy to the account {account}"
        )
        return ByHand(control_policy(self.partition, self.permission_set or "", ids, grant_id, before), ask)

    def through(self, connection: Connection) -> AwsTerms:
        own = own_connection(connection)
        return replace(self, region=own.region, role_arn=own.role_arn, external_id=own.external_id, profile=own.profile)

    def same_access(self, held: TargetTerms) -> bool:
        return isinstance(held, AwsTerms) and all(getattr(self, name) == getattr(held, name) for name in _SAME_ACCESS)

    def scope(self) -> tuple[str, ...]:
        """Of an inline policy that is the user, whatever the role: all of ours stand on it side by side."""
        thing = self.user if self.kind is AwsKind.IAM_POLICY else self.permission_set or self.group or self.role
        account = self.account if self.kind is AwsKind.IDENTITY_CENTER else None
        return tuple(str(one or "") for one in (self.kind, self.connection, self.instance_arn, account, thing))

    def user_of(self, ids: Mapping[str, str]) -> str:
        """`identity-store:906-...`, `iam:111122223333:AIDA...`, `iam-role:111122223333:AROA...`.

        Identity stores name no user as another store does, and what was resolved before names no store: the id alone says it.
        """
        user = ids.get("user_id") or ids["user"]
        if self.kind in OF_IDENTITY_CENTER:
            return f"identity-store:{user}"
        return f"{'iam-role' if self.kind is AwsKind.IAM_ROLE_POLICY else 'iam'}:{ids.get('account', '')}:{user}"


def own_terms(terms: TargetTerms) -> AwsTerms:
    """What reaches AWS was made for AWS, as its kind says."""
    if not isinstance(terms, AwsTerms):
        raise TypeError(f"{terms.kind} is nothing that AWS can give")
    return terms


def _is_role(arn: str | None, account: str | None, name: str) -> bool:
    """Whether that ARN, with whatever path, is of this role."""
    return arn is not None and arn.split(":")[4:5] == [account] and arn.rpartition("/")[2] == name


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
    role: str | None = None

    def terms(self, connection: Connection, environment: str, account: str | None, address: Address | None) -> AwsTerms:
        own = own_connection(connection)
        if self.role and _is_role(own.role_arn, account, self.role):
            raise TemplateRefused(f"{self.role} is the worker's own role.")
        values = {
            "environment": environment,
            "account": account or "",
            "region": own.region,
            "partition": own.partition,
            # A pipeline has no address.
            **({} if self.role else {"local_part": (address or "").partition("@")[0]}),
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
            role=self.role,
            gate=environment if self.role else None,
            match=own.match,
            document=fill(self.policy_template, values) if self.policy_template else None,
        )

    def phrase(self) -> str:
        """`aws-iam-policy user {local_part} policies/x.json (3f2a91c07ab3)`; the digits are of the template's content."""
        parts = [str(self.kind), self.permission_set, f"user {self.user}" if self.user else None]
        parts.append(f"group {self.group}" if self.group else None)
        parts.append(f"role {self.role}" if self.role else None)
        if self.policy_template is not None:
            digits = hashlib.sha256(self.policy_template.encode()).hexdigest()[:12]
            parts.append(f"{self.policy_path} ({digits})")
        return " ".join(part for part in parts if part)

    def lacks(self, account: str | None) -> tuple[str, str] | None:
        worded = (self.permission_set, self.group, self.user, self.policy_template)
        needs = self.kind in _IN_AN_ACCOUNT or any("{account}" in text for text in worded if text)
        return ("an account", 'account: "012345678901"') if needs and account is None else None

    def given_in(self, connection: Connection, account: str | None) -> str | None:
        """What is IAM's is given where the worker's credentials are at home."""
        role_arn = own_connection(connection).role_arn
        reached = role_arn.split(":")[4] if role_arn else None
        return account if self.kind in OF_IDENTITY_CENTER else reached

    @property
    def tells_ours_apart(self) -> bool:
        return self.kind in BY_NAME

    def sessions_problem(self) -> tuple[str, str] | None:
        if self.kind not in _SESSIONS:
            problem = f"what {self.kind} gives is not written here, so that older sessions cannot be denied just that"
            return problem, "take end_sessions out, or give it by aws-iam-policy or aws-identity-center"
        template = self.policy_template
        size = denial_size(template) if template and not check_template(template) else 0
        if size <= INLINE_CHARACTERS_MAX:
            return None
        problem = f"what denies it to older sessions has {size} characters, and {INLINE_CHARACTERS_MAX} are possible"
        return problem, f"shorten {self.policy_path}, or take end_sessions out"

    def outliving(self) -> Outliving | None:
        """What is wrong with a template itself is said elsewhere."""
        template = self.policy_template
        found = outliving(template) if template and not check_template(template) else ()
        return Outliving(self.policy_path or "", found) if found else None

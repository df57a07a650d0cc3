"""By which marks an event of CloudTrail is a person's own: a session of a permission set's role, or an IAM user.

Shapes: "CloudTrail userIdentity element" in the CloudTrail user guide. A permission set becomes a role `AWSReservedSSO_<name>_<16
hex digits>` in each account ("Referencing permission sets in resource policies" in the user guide of IAM Identity Center), and a
session of it is named as the user is in Identity Center.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.core.provider import Sought
from workflows.targets.aws.kinds import OF_IDENTITY_CENTER, AwsKind
from workflows.targets.aws.terms import own_terms

# Of `Resource.names`.
USER_NAME, PERMISSION_SET = "user_name", "permission_set"
# What STS takes for the name of a session (AssumeRole, `RoleSessionName`).
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_SUFFIX = "[0-9a-f]{16}"


def named(user_name: str) -> Mapping[str, str]:
    return {USER_NAME: user_name} if user_name else {}


@dataclass(frozen=True, slots=True)
class Who:
    """`account`, `name`: empty where they are not known. `user_id`: of an IAM user (`AIDA...`), or in the identity store.

    `permission_set`: empty where any counts: whoever is in a group of Identity Center has what the group gives, which nobody here
    knows.
    """

    account: str
    name: str
    user_id: str
    in_center: bool
    permission_set: str = ""

    @property
    def nameable(self) -> bool:
        """Whether a session can be called so, letter by letter."""
        return not self.in_center or _SESSION_NAME.fullmatch(self.name) is not None

    @property
    def role(self) -> str:
        """A pattern for the whole name of the role; of an IAM user there is none."""
        return f"AWSReservedSSO_{re.escape(self.permission_set) if self.permission_set else '.+'}_{_SUFFIX}"

    def did(self, event: Mapping[str, Any]) -> bool:
        """Whether an event of CloudTrail, as the JSON in it says, is theirs and of this account. Raises where it has another
        shape than CloudTrail's.
        """
        who: Mapping[str, Any] = event["userIdentity"]
        if event.get("recipientAccountId", self.account) != self.account:
            return False
        return self._session(who) if self.in_center else self._user(who)

    def _session(self, who: Mapping[str, Any]) -> bool:
        if who.get("type") != "AssumedRole":
            return False
        # arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
        _, role, session = str(who["arn"]).split("/")
        # Where AWS says for whom it is, the name alone does not do: names are given again.
        whose = (who.get("onBehalfOf") or {}).get("userId") or self.user_id
        theirs = session == self.name and whose == self.user_id
        return theirs and re.fullmatch(self.role, role) is not None

    def _user(self, who: Mapping[str, Any]) -> bool:
        return who.get("type") == "IAMUser" and who.get("principalId") == self.user_id


def who_of(asked: Sought) -> Who:
    terms, ids = own_terms(asked.terms), asked.ids
    account = ids.get("account") or terms.account or ""
    if terms.kind not in OF_IDENTITY_CENTER:
        return Who(account, ids.get("user", ""), ids.get("user_id", ""), in_center=False)
    name = terms.permission_set or ""
    # The policy may name a permission set by its ARN, which says nothing of its role.
    written = "" if name.startswith("arn:") or terms.kind is AwsKind.IDENTITY_CENTER_GROUP else name
    chosen = asked.names.get(PERMISSION_SET) or written
    return Who(account, asked.names.get(USER_NAME, ""), ids.get("user", ""), in_center=True, permission_set=chosen)

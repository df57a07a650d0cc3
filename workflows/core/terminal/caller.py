"""Who AWS says has signed a call: which of its answers stand for one human being."""

from __future__ import annotations

import re
from dataclasses import dataclass

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
_USER = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::([0-9]{12}):user/(?:[\x21-\x7e]+/)?([A-Za-z0-9+=,.@_-]{1,64})")
_SESSION = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):sts::([0-9]{12}):assumed-role/(AWSReservedSSO_[A-Za-z0-9+=,.@_-]{1,32}_[0-9a-f]{16})"
    r"/([A-Za-z0-9+=,.@_-]{2,64})"
)
_USER_ID, _ROLE_ID = re.compile(r"AIDA[A-Z0-9]{12,28}"), re.compile(r"AROA[A-Z0-9]{12,28}")


@dataclass(frozen=True, slots=True)
class Caller:
    """`name`, `id`: of the IAM user (`AIDA...`), or of the role of Identity Center (`AROA...`). `session`: the user name in
    Identity Center; empty for an IAM user.
    """

    partition: str
    account: str
    name: str
    id: str
    session: str = ""

    @property
    def title(self) -> str:
        return f"{self.session or self.name} in account {self.account}"


def caller_of(account: str, arn: str, user_id: str) -> Caller | None:
    """None for root, federated users, roles of machines, and what does not fit together: none of these is one person."""
    user, session = _USER.fullmatch(arn), _SESSION.fullmatch(arn)
    if user is not None and user[2] == account and _USER_ID.fullmatch(user_id):
        return Caller(user[1], account, user[3], user_id)
    if session is None or session[2] != account:
        return None
    role, _, name = user_id.partition(":")
    if _ROLE_ID.fullmatch(role) is None or name != session[4]:
        return None
    return Caller(session[1], account, session[3], role, session[4])

"""What a bucket's policy denies to everybody but a few, whatever their own policies say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.boundaries.model import Place, Verdict
from bot.boundaries.terraform.files import HOLE
from bot.boundaries.terraform.policies import Policy, Statement

# Whoever deletes the newest version brings an older state back.
OBJECT_WRITES = ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion")
BUCKET_WRITES = ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy")
# A value of one of these is an exception to the Deny. Of an assumed role the ARN is the role's own.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
_EXCEPTING = frozenset({"arnnotlike", "arnnotequals", "stringnotlike", "stringnotequals"})


@dataclass(frozen=True, slots=True)
class Guard:
    """`excepted`: whom it lets write, as written. `missing`: what it does not deny."""

    place: Place
    excepted: tuple[str, ...]
    missing: tuple[str, ...]


def guard_of(policy: Policy, bucket: str, key: str) -> Guard | None:
    """None where nothing of it keeps anybody from writing that object. `key` may be `*`: any in the bucket."""
    arn = f"arn:aws:s3:::{bucket}"
    excepted: list[str] = []
    missing: list[str] = []
    for action in (*OBJECT_WRITES, *BUCKET_WRITES):
        resource = f"{arn}/{key}" if action in OBJECT_WRITES else arn
        lists = [_excepted(each) for each in policy.statements if _denies(each, action, resource)]
        known: list[tuple[str, ...]] = [each for each in lists if each is not None]
        if not known:
            missing.append(action)
            continue
        # Of several that hold at once the narrowest is enough.
        excepted += sorted(known, key=len)[0]
    if OBJECT_WRITES[0] in missing:
        return None
    return Guard(policy.place, tuple(dict.fromkeys(excepted)), tuple(missing))


def _denies(statement: Statement, action: str, resource: str) -> bool:
    everybody = bool({"*", "AWS:*", "*:*"} & set(statement.principals)) and not statement.not_principals
    return not statement.allows and everybody and statement.covers(action, resource) is Verdict.YES


def _excepted(statement: Statement) -> tuple[str, ...] | None:
    """None where it holds for some reason that is not read here."""
    if not statement.conditions:
        return ()
    if len(statement.conditions) > 1:
        return None
    condition = statement.conditions[0]
    if condition.key.lower() != "aws:principalarn" or condition.test.lower() not in _EXCEPTING:
        return None
    return condition.values


def odd_denials(policies: Iterable[Policy]) -> bool:
    """Whether a policy denies something in a way that is not read here."""
    return any(
        not policy.complete or any(not each.allows and not _is_of_transport(each) for each in policy.statements)
        for policy in policies
    )


def _is_of_transport(statement: Statement) -> bool:
    """The common ones about TLS and encryption keep nobody from writing."""
    keys = {condition.key.lower() for condition in statement.conditions}
    return bool(keys) and all(
        key in ("aws:securetransport", "s3:tlsversion") or key.startswith("s3:x-amz-server-side-encryption")
        for key in keys
    )


# `AWSReservedSSO_NAME_0123456789abcdef`: what a permission set becomes in an account. Nobody else can make a role in that path.
# https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
_RESERVED = re.compile(
    rf"arn:aws[a-z-]*:iam::(?:[0-9]{{12}}|{HOLE}):role/aws-reserved/sso\.amazonaws\.com\*?/(?:[^/]*/)?"
    r"AWSReservedSSO_([\w+=,.@-]+)_(?:\?{16}|[0-9a-f]{16})"
)


def permission_set_in(arn: str) -> str | None:
    """`NAME` of `...AWSReservedSSO_NAME_????????????????`; None where it is no permission set's, or may be another one's, too."""
    found = _RESERVED.fullmatch(arn)
    return found[1] if found else None

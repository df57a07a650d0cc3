"""The sessions of a permission set, ended by whoever manages the organisation: the bot attaches nothing itself.

A session on Identity Center is one of a role that all its holders share, and it lives for up to twelve hours. AWS's way to end it
is a service control policy on the person's id in the identity store: "Use a Deny policy to revoke active user permissions" and
"Revoke active IAM role sessions created by permission sets" in the user guide of IAM Identity Center. The right to do that is the
right to lock everybody out of everything, so a worker never has it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

# The roles of permission sets, whatever their region: "Referencing permission sets in resource policies", the same guide.
_ROLE = "arn:{partition}:iam::{account}:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_{name}_*"


def control_policy(partition: str, permission_set: str, ids: Mapping[str, str], grant_id: str, before: datetime) -> str:
    """Denies this person's sessions of this permission set in this account that were begun before; whole seconds, rounded up.

    A permission set that the policy names by its ARN has a name that nobody here knows: then all of the person's sessions there
    are denied. `ids`: `account`, and `user` in the identity store. Indented JSON.
    """
    moment = (before.astimezone(UTC) + timedelta(microseconds=999_999)).strftime("%Y-%m-%dT%H:%M:%SZ")
    name = "*" if permission_set.startswith("arn:") or not permission_set else permission_set
    role = _ROLE.format(partition=partition, account=ids.get("account") or "*", name=name)
    statement = {
        "Sid": "prodaccess" + "".join(filter(str.isalnum, grant_id)),
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {
            "StringEquals": {"identitystore:userId": ids.get("user", "")},
            "ArnLike": {"aws:PrincipalArn": role},
            "DateLessThan": {"aws:TokenIssueTime": moment},
        },
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)

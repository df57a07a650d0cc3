"""Events as CloudTrail writes them: "CloudTrail userIdentity element" and "CloudTrail record contents" in its user guide."""

from __future__ import annotations

from typing import Any

ACCOUNT = "111122223333"


def session(name: str, permission_set: str, account: str = ACCOUNT) -> dict[str, Any]:
    """`userIdentity` of a session through Identity Center."""
    role = f"AWSReservedSSO_{permission_set}_0123456789abcdef"
    path = "role/aws-reserved/sso.amazonaws.com/eu-central-1"
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE0123456789:{name}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        "accountId": account,
        "accessKeyId": "ASIAEXAMPLE0123456789",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLE0123456789",
                "arn": f"arn:aws:iam::{account}:{path}/{role}",
                "accountId": account,
                "userName": role,
            },
            "attributes": {"creationDate": "2026-11-27T03:21:00Z", "mfaAuthenticated": "false"},
        },
    }


def event(who: dict[str, Any], account: str = ACCOUNT, **changes: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "userIdentity": who,
        "eventTime": "2026-11-27T03:30:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "ListBuckets",
        "awsRegion": "eu-central-1",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
        **changes,
    }

"""AWS in a dictionary: one true answer for each call that the targets make, and any other in its place. No server, no moto.

aws = CannedAws(monkeypatch)
aws.answers["ListInstances"] = Answer(b"<html>a proxy's page</html>", 200)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

ACCOUNT, INSTANCE, STORE = "111122223333", "arn:aws:sso:::instance/ssoins-1", "d-1"
SET, USER, GROUP = "arn:aws:sso:::permissionSet/ssoins-1/ps-1", "u-dana", "g-1"
OPERATION = {"RequestId": "0b9e8d6c-1f5a-4a3e-9d2b-7c6f5e4d3c2b", "Status": "SUCCEEDED", "CreatedDate": 1.5}
HELD = {"AccountId": ACCOUNT, "PermissionSetArn": SET, "PrincipalId": USER, "PrincipalType": "USER"}
PERSON = {"UserId": USER, "UserName": "dana", "Emails": [{"Value": "dana@example.com", "Primary": True}]}

# Of the services that speak JSON; what is held is there.
JSON: Mapping[str, Any] = {
    "ListInstances": {"Instances": [{"InstanceArn": INSTANCE, "IdentityStoreId": STORE, "Status": "ACTIVE"}]},
    "ListPermissionSets": {"PermissionSets": [SET]},
    "DescribePermissionSet": {
        "PermissionSet": {"Name": "ReadOnlyAccess", "PermissionSetArn": SET, "SessionDuration": "PT2H"}
    },
    "ListAccountAssignments": {"AccountAssignments": [HELD]},
    "ListAccountAssignmentsForPrincipal": {"AccountAssignments": [HELD]},
    "CreateAccountAssignment": {"AccountAssignmentCreationStatus": OPERATION | {"Status": "IN_PROGRESS"}},
    "DeleteAccountAssignment": {"AccountAssignmentDeletionStatus": OPERATION | {"Status": "IN_PROGRESS"}},
    "DescribeAccountAssignmentCreationStatus": {"AccountAssignmentCreationStatus": OPERATION},
    "DescribeAccountAssignmentDeletionStatus": {"AccountAssignmentDeletionStatus": OPERATION},
    "ListUsers": {"Users": [PERSON]},
    "GetUserId": {"UserId": USER, "IdentityStoreId": STORE},
    "DescribeUser": PERSON,
    "GetGroupId": {"GroupId": GROUP, "IdentityStoreId": STORE},
    "IsMemberInGroups": {"Results": [{"GroupId": GROUP, "MemberId": {"UserId": USER}, "MembershipExists": True}]},
    "ListGroupMemberships": {
        "GroupMemberships": [{"MembershipId": "m-1", "GroupId": GROUP, "MemberId": {"UserId": USER}}]
    },
    "GetGroupMembershipId": {"MembershipId": "m-1", "IdentityStoreId": STORE},
    "CreateGroupMembership": {"MembershipId": "m-1", "IdentityStoreId": STORE},
    "DeleteGroupMembership": {},
}

_IAM_USER = (
    f"<UserName>dana</UserName><UserId>AIDA1</UserId><Arn>arn:aws:iam::{ACCOUNT}:user/dana</Arn><Path>/</Path>"
    "<CreateDate>2026-01-01T00:00:00Z</CreateDate>"
)
_TAGS = "<Tags><member><Key>prodaccess:person</Key><Value>dana@example.com</Value></member></Tags>"
_GROUP = (
    f"<GroupName>deployers</GroupName><GroupId>AGPA1</GroupId><Arn>arn:aws:iam::{ACCOUNT}:group/deployers</Arn>"
    "<Path>/</Path><CreateDate>2026-01-01T00:00:00Z</CreateDate>"
)
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)
_ROLE = (
    f"<RoleName>orders-deploy</RoleName><RoleId>AROA2</RoleId><Arn>arn:aws:iam::{ACCOUNT}:role/orders-deploy</Arn>"
    f"<Path>/</Path><CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>{quote(TRUST)}"
    "</AssumeRolePolicyDocument><Tags><member><Key>prodaccess:gate</Key><Value>orders-prod</Value></member></Tags>"
)
DOCUMENT = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*",'
    '"Condition":{"DateLessThan":{"aws:CurrentTime":"2030-01-01T12:00:00Z"}}}]}'
)
# Of IAM: what stands inside the result.
XML: Mapping[str, str] = {
    "GetUser": f"<User>{_IAM_USER}{_TAGS}</User>",
    "GetGroup": f"<Group>{_GROUP}</Group><Users><member>{_IAM_USER}</member></Users><IsTruncated>false</IsTruncated>",
    "ListGroupsForUser": f"<Groups><member>{_GROUP}</member></Groups><IsTruncated>false</IsTruncated>",
    "ListUserPolicies": "<PolicyNames><member>prodaccess-PA-1</member></PolicyNames><IsTruncated>false</IsTruncated>",
    "GetUserPolicy": "<UserName>dana</UserName><PolicyName>prodaccess-PA-1</PolicyName>"
    f"<PolicyDocument>{quote(DOCUMENT)}</PolicyDocument>",
    "PutUserPolicy": "",
    "DeleteUserPolicy": "",
    "GetRole": f"<Role>{_ROLE}</Role>",
    "ListRolePolicies": "<PolicyNames><member>prodaccess-PA-1</member></PolicyNames><IsTruncated>false</IsTruncated>",
    "GetRolePolicy": "<RoleName>orders-deploy</RoleName><PolicyName>prodaccess-PA-1</PolicyName>"
    f"<PolicyDocument>{quote(DOCUMENT)}</PolicyDocument>",
    "PutRolePolicy": "",
    "DeleteRolePolicy": "",
    "AddUserToGroup": "",
    "RemoveUserFromGroup": "",
    "GetCallerIdentity": f"<UserId>AROA1</UserId><Account>{ACCOUNT}</Account><Arn>arn:aws:sts::{ACCOUNT}:assumed-role/w/w</Arn>",
}


@dataclass(frozen=True)
class Answer:
    body: bytes
    status: int = 200
    kind: str = "application/x-amz-json-1.1"
    request_id: str | None = "r-1"


def true_answer(action: str) -> Answer:
    if action in JSON:
        return Answer(json.dumps(JSON[action]).encode())
    return xml_answer(action, XML[action])


def xml_answer(action: str, inside: str) -> Answer:
    result = f"<{action}Result>{inside}</{action}Result>" if XML[action] else ""
    whole = (
        f'<{action}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/">{result}'
        f"<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{action}Response>"
    )
    return Answer(whole.encode(), kind="text/xml", request_id=None)


class CannedAws:
    """Every client of boto3 in this process gets these answers, the true one where `answers` has none. `calls`: by name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, Answer] = {}
        self.calls: list[str] = []
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(URLLib3Session, "send", lambda _, request: self._send(request))

    def _send(self, request: AWSPreparedRequest) -> AWSResponse:
        target = request.headers.get("X-Amz-Target")
        text = target.decode() if isinstance(target, bytes) else target
        body = request.body if isinstance(request.body, str) else (request.body or b"").decode()
        action = text.rpartition(".")[2] if text else parse_qs(body)["Action"][0]
        self.calls.append(action)
        answer = self.answers.get(action) or true_answer(action)
        headers = {"content-type": answer.kind} | ({"x-amzn-requestid": answer.request_id} if answer.request_id else {})
        response = AWSResponse(request.url, answer.status, headers, _Raw(answer.body))
        assert response.content == answer.body
        return response


class _Raw(BytesIO):
    """As urllib3 hands a body out."""

    def stream(self, **_: Any) -> Any:
        yield self.read()

"""What an HTTP request to AWS asks for: service, action and arguments, whatever protocol it came in."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal
from urllib.parse import parse_qs, unquote

Protocol = Literal["json", "query", "s3"]
Environ = dict[str, Any]

SSO_ADMIN = "sso-admin"
IDENTITY_STORE = "identitystore"

# X-Amz-Target's prefix -> the service's name in boto3; the others keep the name they are signed with.
_TARGETS = {"SWBExternalService": SSO_ADMIN, "AWSIdentityStore": IDENTITY_STORE, "TrentService": "kms"}
_QUERY_SERVICES = frozenset({"iam", "sts"})
_CREDENTIAL = re.compile(r"Credential=([^/]+)/[0-9]+/([^/]+)/([^/]+)/aws4_request")
_READS = ("Get", "List", "Describe", "Head", "Is", "Assume", "Lookup", "Simulate")
_S3_SUBRESOURCES = {"object-lock": "ObjectLockConfiguration", "retention": "Retention", "legal-hold": "LegalHold"}


@dataclass(frozen=True)
class Call:
    """One request: `service` and `action` as boto3 and CloudTrail name them (`sso-admin`, `CreateAccountAssignment`).

    `account` is the one that the caller's credentials belong to.
    """

    service: str
    action: str
    arguments: Mapping[str, Any]
    region: str
    access_key: str
    protocol: Protocol
    account: str = ""

    @property
    def name(self) -> str:
        """`service:action`, as in an IAM policy."""
        return f"{self.service}:{self.action}"

    @property
    def changes(self) -> bool:
        """True for a call that may change something."""
        return not self.action.startswith(_READS)

    def matches(self, pattern: str, where: Mapping[str, Any]) -> bool:
        """Whether the call is meant by `pattern` and has all the arguments of `where`.

        A pattern is an action, `service:action` (both with `*`), or one of the words `reads` and `changes`.
        """
        if pattern in {"reads", "changes"}:
            named = self.changes == (pattern == "changes")
        else:
            named = fnmatchcase(self.name if ":" in pattern else self.action, pattern)
        return named and all(self.arguments.get(key) == value for key, value in where.items())


def parse(environ: Environ, body: bytes) -> Call:
    """Reads a WSGI request; what it cannot place becomes a call of S3, as in moto."""
    found = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    access_key, region, signed_for = found.groups() if found else ("", "us-east-1", "s3")
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        prefix, _, action = target.rpartition(".")
        arguments = json.loads(body or b"{}")
        return Call(_TARGETS.get(prefix, signed_for), action, arguments, region, access_key, "json")
    if signed_for in _QUERY_SERVICES or b"Action=" in body[:200]:
        fields = {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        return Call(signed_for, fields.pop("Action", ""), fields, region, access_key, "query")
    return _s3(environ, region, access_key)


def _s3(environ: Environ, region: str, access_key: str) -> Call:
    """S3 names no action; it follows from method and path."""
    bucket, _, key = unquote(environ.get("PATH_INFO", "/")).lstrip("/").partition("/")
    query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", ""), True).items()}
    verb = {"PUT": "Put", "POST": "Post", "DELETE": "Delete", "HEAD": "Head"}.get(environ["REQUEST_METHOD"], "Get")
    special = next((word for name, word in _S3_SUBRESOURCES.items() if name in query), "")
    if special:
        action = verb + ("Object" if key and not special.startswith("Object") else "") + special
    elif key:
        action = f"{verb}Object"
    elif not bucket:
        action = "ListBuckets"
    else:
        action = {"Put": "CreateBucket", "Get": "ListObjectsV2"}.get(verb, f"{verb}Bucket")
    return Call("s3", action, {"Bucket": bucket, "Key": key, **query}, region, access_key, "s3")

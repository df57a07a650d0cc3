"""What a read-only profile may see of AWS: accounts, permission sets and groups, to choose from.

Nothing is changed, and nothing is needed: what may not be read is one sentence, and is typed by hand. `READ` names all rights
that it can use; `policy` is an IAM policy of them, the same as `deploy/aws/init-policy.json`. boto3 is imported when it is first
used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

# Rows of one list that are read; nobody chooses from more, and a search by name helps with these.
ROWS_MAX = 5000
# Pages may be empty, and an answer that always names another one would keep somebody waiting for ever.
PAGES_MAX = 1000
# Each permission set is a call of its own, under a quota of 20 calls a second (FACTS of Identity Center's API reference).
SETS_MAX = 400
READ = (
    "organizations:ListAccounts",
    "sso:ListInstances",
    "sso:ListPermissionSets",
    "sso:DescribePermissionSet",
    "identitystore:ListGroups",
    "iam:ListGroups",
)
_DENIED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized|Forbidden")
_CREDENTIALS = re.compile(r"Token|Signature|Credential|AuthFailure|RequestExpired|InvalidAccessKey")
_NO_ORGANISATION = "AWSOrganizationsNotInUseException"


@dataclass(frozen=True, slots=True)
class Listed:
    """The names that were read, or `why` they are not known, as a sentence. `whole`: whether these are all that there are."""

    names: tuple[str, ...] = ()
    why: str = ""
    whole: bool = True

    @property
    def known(self) -> bool:
        return not self.why


_UNREAD = Listed(why="It was not read.")


@dataclass(frozen=True, slots=True)
class Seen:
    """`accounts`: `NUMBER NAME`. `why`: why nothing at all could be read; empty where something could."""

    why: str = ""
    accounts: Listed = _UNREAD
    permission_sets: Listed = _UNREAD
    groups: Listed = _UNREAD
    iam_groups: Listed = _UNREAD
    portal: str = ""


@dataclass(frozen=True, slots=True)
class Aws:
    """One profile in one region. `client`: makes boto3's client of a service."""

    who: str
    client: Callable[[str], Any]


def connect(profile: str, region: str) -> Aws:
    """`profile`: empty for what boto3 finds by itself. Calls nothing yet."""
    import boto3  # noqa: PLC0415 - only who reads AWS pays for it
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=3,
        read_timeout=10,
        retries={"total_max_attempts": 4, "mode": "standard"},
        user_agent_extra="prodaccess-init",
    )

    @cache
    def session() -> boto3.Session:
        return boto3.Session(profile_name=profile or None, region_name=region)

    @cache
    def client(service: str) -> Any:
        return session().client(service, config=config)  # type: ignore[call-overload]  # one of five names

    return Aws(f"the profile {profile}" if profile else "these credentials", client)


def look(aws: Aws, *, identity_center: bool) -> Seen:
    """Reads what can be read; never raises for what AWS or the network does."""
    account, why = _tried(aws, "sts:GetCallerIdentity", lambda: aws.client("sts").get_caller_identity()["Account"])
    if why:
        return Seen(why=why)
    accounts = _accounts(aws, account)
    if not identity_center:
        return Seen(accounts=accounts, iam_groups=_listed(aws, "iam", "iam:ListGroups", "Groups", "GroupName"))
    instances, why = _tried(
        aws, "sso:ListInstances", lambda: tuple(_rows(aws, "sso-admin", "list_instances", "Instances"))
    )
    if why or len(instances) != 1:
        nothing = Listed(why=why or _INSTANCES[bool(instances)])
        return Seen(accounts=accounts, permission_sets=nothing, groups=nothing)
    return _of_instance(aws, accounts, instances[0])


_INSTANCES = {
    False: "Identity Center is not in this region, so names are typed by hand.",
    True: "There are several instances of Identity Center here, so names are typed by hand.",
}


def _of_instance(aws: Aws, accounts: Listed, instance: Mapping[str, Any]) -> Seen:
    arn, store = str(instance.get("InstanceArn", "")), str(instance.get("IdentityStoreId", ""))
    return Seen(
        accounts=accounts,
        permission_sets=_permission_sets(aws, arn),
        groups=_listed(
            aws, "identitystore", "identitystore:ListGroups", "Groups", "DisplayName", IdentityStoreId=store
        ),
        portal=f"https://{store}.awsapps.com/start" if re.fullmatch(r"d-[a-z0-9]+", store) else "",
    )


def _accounts(aws: Aws, own: str) -> Listed:
    def rows() -> Iterator[str]:
        for row in _rows(aws, "organizations", "list_accounts", "Accounts"):
            if row.get("Status", "ACTIVE") == "ACTIVE":
                yield f"{row['Id']} {row.get('Name', '')}".strip()

    return _names(aws, "organizations:ListAccounts", rows, alone=own)


def _permission_sets(aws: Aws, instance: str) -> Listed:
    def rows() -> Iterator[str]:
        client = aws.client("sso-admin")
        arns = _rows(aws, "sso-admin", "list_permission_sets", "PermissionSets", InstanceArn=instance)
        for arn in islice(arns, SETS_MAX):
            found = client.describe_permission_set(InstanceArn=instance, PermissionSetArn=arn)
            yield found["PermissionSet"]["Name"]

    found = _names(aws, "sso:ListPermissionSets and sso:DescribePermissionSet", rows)
    return Listed(found.names, found.why, whole=found.whole and len(found.names) < SETS_MAX)


def _listed(aws: Aws, service: str, action: str, key: str, name: str, **arguments: str) -> Listed:
    method = re.sub(r"(?<!^)(?=[A-Z])", "_", action.partition(":")[2]).lower()

    def rows() -> Iterator[str]:
        return (row[name] for row in _rows(aws, service, method, key, **arguments) if row.get(name))

    return _names(aws, action, rows)


def _rows(aws: Aws, service: str, method: str, key: str, **arguments: str) -> Iterator[Any]:
    """All rows of a list, page by page, empty pages too. Raises ValueError where it has no end."""
    for number, page in enumerate(aws.client(service).get_paginator(method).paginate(**arguments)):
        if number >= PAGES_MAX:
            raise ValueError("no end")
        yield from page.get(key, ())


def _names(aws: Aws, action: str, rows: Callable[[], Iterator[str]], *, alone: str = "") -> Listed:
    found, why = _tried(aws, action, lambda: tuple(islice(rows(), ROWS_MAX + 1)), alone=(alone,))
    if why:
        return Listed(why=why)
    names = tuple(sorted(dict.fromkeys(found), key=str.casefold))
    return Listed(names[:ROWS_MAX], whole=len(names) <= ROWS_MAX)


def _tried(aws: Aws, action: str, call: Callable[[], Any], *, alone: Any = None) -> tuple[Any, str]:
    """The answer, or why there is none. `alone`: the answer for an account that is in no organisation."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    try:
        return call(), ""
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code == _NO_ORGANISATION and alone is not None:
            return alone, ""
        return None, _said(aws.who, action, code)
    except BotoCoreError as error:
        return None, _failed(aws.who, type(error).__name__)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # an answer in a shape that nobody expects
        return None, f"What AWS answered to {action} could not be read."


def _said(who: str, action: str, code: str) -> str:
    """Never AWS's own message, which may repeat what was signed."""
    if _DENIED.search(code):
        return f"{who[:1].upper()}{who[1:]} may not call {action}."
    if _CREDENTIALS.search(code):
        return f"AWS does not accept {who}: log in again (aws sso login, say)."
    word = re.sub(r"[^A-Za-z0-9.]", "", code)[:60]
    return f"AWS answered {word or 'with an error'} to {action}."


_BY_EXCEPTION = (
    (("ProfileNotFound", "ConfigNotFound", "ConfigParseError"), "There is no such profile on this machine."),
    (("Credential", "Token", "SSO", "Login"), "There are no credentials that work: log in (aws sso login, say)."),
    (("Endpoint", "Timeout", "Connection", "HTTPClient", "Proxy", "SSLError"), "AWS does not answer from here."),
)


def _failed(who: str, exception: str) -> str:
    for parts, words in _BY_EXCEPTION:
        if any(part in exception for part in parts):
            return words
    return f"AWS could not be asked with {who} ({exception})."


def policy() -> str:
    """An IAM policy with which everything can be read. AWS narrows none of it to single resources in a way that helps here."""
    statement = {"Sid": "ReadNames", "Effect": "Allow", "Action": list(READ), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2) + "\n"


def profiles() -> tuple[str, ...]:
    """The names of the profiles on this machine; none where they cannot be read."""
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    try:
        return tuple(boto3.Session().available_profiles)
    except (BotoCoreError, OSError):
        return ()

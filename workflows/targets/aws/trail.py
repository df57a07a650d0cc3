"""CloudTrail asked what was done with access: by the AWS CLI, and by SQL. Pure text, to be pasted.

`lookup-events` takes one attribute, and calls a session's name the user name (API reference, LookupEvents; AWS CLI examples).
The SQL has the columns of "Create a table for CloudTrail logs in Athena using manual partitioning" (Athena user guide); they are
those of CloudTrail Lake, too, where times are no texts.
"""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime, timedelta

from workflows.core.activity import LogQuery, Trail, Window
from workflows.core.provider import Sought
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsConnection, AwsTerms, own_connection, own_terms
from workflows.targets.aws.who import Who, who_of

LOG, THINGS, LACKS = "CloudTrail", "management events", "data events are not in it"
# The event history has an event "typically within an average of about 5 minutes" of the call, and as a rule within 15 (CloudTrail
# user guide, "How CloudTrail works"): it is asked for what was over so long ago.
DELAY = timedelta(minutes=20)
# Where events of services without a region are, IAM's and those of the sign-in among them.
_GLOBAL = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_PLAIN = re.compile(r"[\w+.@-]+", re.ASCII)
_HARMLESS = re.compile(r"[\w+=,.@/?()'\[\] -]+", re.ASCII)
_TABLE, _STORE = "cloudtrail_logs", "EVENT_DATA_STORE_ID"
_COLUMNS = (
    "eventtime, awsregion, eventsource, eventname, readonly, errorcode, sourceipaddress, useragent, requestparameters"
)


def trail(asked: Sought, window: Window) -> Trail:
    terms, who = own_terms(asked.terms), who_of(asked)
    places = regions(asked)
    # AWS counts whole seconds: none of the window is left out.
    since = window.since.astimezone(UTC).replace(microsecond=0)
    until = (window.until.astimezone(UTC) + timedelta(microseconds=999_999)).replace(microsecond=0)
    return Trail(
        log=LOG,
        who=_words(who),
        things=THINGS,
        lacks=LACKS,
        delay=DELAY,
        queries=(
            *(LogQuery(f"the AWS CLI in {region}", _lookup(who, region, since, until)) for region in places),
            LogQuery("Athena", _athena(who, since, until)),
            LogQuery("CloudTrail Lake", _lake(who, since, until)),
        ),
        notes=tuple(_notes(who, terms, asked)),
        places=places,
        unknown=_unknown(who),
    )


def regions(asked: Sought) -> tuple[str, ...]:
    """Those that the policy names, and the one where events without a region are."""
    terms = own_terms(asked.terms)
    own = own_connection(asked.connection) if isinstance(asked.connection, AwsConnection) else None
    named = (own.activity_regions if own else None) or (own.region if own else terms.region,)
    return tuple(dict.fromkeys((*named, _GLOBAL.get(terms.partition, _GLOBAL["aws"]))))


def _words(who: Who) -> str:
    where = f" in account {who.account}" if who.account else ""
    if not who.in_center:
        return f"the IAM user {who.name} ({who.user_id}){where}"
    what = f"the permission set {who.permission_set}" if who.permission_set else "any permission set"
    name = f"the session name {who.name}" if who.name else f"the session name of the user {who.user_id}"
    return f"sessions of {what} with {name}{where}"


def _notes(who: Who, terms: AwsTerms, asked: Sought) -> list[str]:
    found = []
    if not who.account:
        found.append("The access opens accounts that are not written here: ask in each of them.")
    elif terms.kind is AwsKind.IDENTITY_CENTER_GROUP:
        found.append("The group may open other accounts, too: ask in each of them.")
    if who.in_center and not who.name:
        store = asked.ids.get("store") or "IDENTITY_STORE_ID"
        ask = f"aws identitystore describe-user --region {terms.region} --identity-store-id {store} --user-id {who.user_id}"
        found.append(f"The session's name is the user's UserName in Identity Center, which `{ask}` says.")
    if who.in_center and not who.permission_set:
        found.append("Which permission set it was is not written here: all of the person's sessions there count.")
    if not who.in_center:
        found.append("What the user did by other rights of theirs counts, too; what they did through a role does not.")
    return found


def _unknown(who: Who) -> str:
    """Why no worker can look."""
    if not who.account:
        return "The access opens accounts that are not written here."
    if who.name and not who.nameable:
        return (
            f"The user name {who.name} is no name that a session can have, so how AWS calls the session is not known."
        )
    return ""


# ---------------------------------------------------------------- questions


def _name(who: Who) -> str:
    return who.name or f"USER_NAME_OF_{who.user_id}"


def _lookup(who: Who, region: str, since: datetime, until: datetime) -> str:
    """One line."""
    name = _name(who)
    by = (
        f"AttributeKey=Username,AttributeValue={name}"
        if _PLAIN.fullmatch(name)
        else json.dumps([{"AttributeKey": "Username", "AttributeValue": name}])
    )
    shown = "[EventTime,EventSource,EventName,ReadOnly]"
    # Others may have a session, or be a user, of the same name.
    mark = f"/AWSReservedSSO_{who.permission_set}{'_' if who.permission_set else ''}" if who.in_center else who.user_id
    query = f"Events[?contains(CloudTrailEvent, '{mark}')].{shown}"
    return (
        f"aws cloudtrail lookup-events --region {region} --lookup-attributes {shlex.quote(by)} "
        f"--start-time {_iso(since)} --end-time {_iso(until)} --query {_quoted(query)} --output text"
    )


def _quoted(query: str) -> str:
    """For a shell; it holds quotes of its own."""
    return f'"{query}"' if _HARMLESS.fullmatch(query) else shlex.quote(query)


def _athena(who: Who, since: datetime, until: datetime) -> str:
    """The table is called as in AWS's own description. A table with partitions reads all of them unless they are named."""
    return _sql(who, _TABLE, f"eventtime BETWEEN '{_iso(since)}' AND '{_iso(until)}'")


def _lake(who: Who, since: datetime, until: datetime) -> str:
    when = f"eventtime >= '{since:%Y-%m-%d %H:%M:%S}' AND eventtime <= '{until:%Y-%m-%d %H:%M:%S}'"
    return _sql(who, _STORE, when)


def _sql(who: Who, source: str, when: str) -> str:
    conditions = [when, *_where(who)]
    return f"SELECT {_COLUMNS}\nFROM {source}\nWHERE " + "\n  AND ".join(conditions) + "\nORDER BY eventtime"


def _where(who: Who) -> list[str]:
    account = [f"recipientaccountid = {_text(who.account)}"] if who.account else []
    if not who.in_center:
        return [*account, "useridentity.type = 'IAMUser'", f"useridentity.principalid = {_text(who.user_id)}"]
    role = f"regexp_like(useridentity.sessioncontext.sessionissuer.username, {_text(f'^{who.role}$')})"
    name = f"split_part(useridentity.principalid, ':', 2) = {_text(_name(who))}"
    return [*account, "useridentity.type = 'AssumedRole'", role, name]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"

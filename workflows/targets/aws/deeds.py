"""What somebody did with access, out of CloudTrail's event history: LookupEvents, a page at a time, the newest first.

Source: LookupEvents and Event in the API reference of CloudTrail (2013-11-01). An event stands in the account in which it
happened, so that is where the worker has to look; what is signed for in another one is nobody's absence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from workflows.core.activity import Deed, LogPage, Window
from workflows.core.provider import Sought
from workflows.ports import TargetRefused
from workflows.targets.aws.connections import Link, Links, Place
from workflows.targets.aws.session_name import as_called
from workflows.targets.aws.terms import AwsConnection, own_terms
from workflows.targets.aws.who import Who, who_of

_PAGE = 50
_WHAT = "cloudtrail LookupEvents"
SEE = "deploy/aws/README.md"


def page(links: Links, asked: Sought, region: str, window: Window, more: str) -> LogPage:
    """Raises TargetThrottled, TargetInDoubt and TargetRefused."""
    who = as_called(links, asked, who_of(asked))
    link = _there(links, asked, who, region)
    wanted: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": "Username", "AttributeValue": who.name}],
        "StartTime": window.since.astimezone(UTC).replace(microsecond=0),
        "EndTime": window.until.astimezone(UTC),
        "MaxResults": _PAGE,
        **({"NextToken": more} if more else {}),
    }
    # A page is all that is asked for: whoever adds them up reads on until none is named.
    return link.trail.read(_WHAT, lambda client: _page_of(client.lookup_events(**wanted), who))


def _page_of(said: Mapping[str, Any], who: Who) -> LogPage:
    rows = [(row, json.loads(row["CloudTrailEvent"])) for row in said["Events"]]
    theirs = tuple(_deed(row, event) for row, event in rows if who.did(event))
    return LogPage(theirs, min((_at(row) for row, _ in rows), default=None), said.get("NextToken") or "")


def _at(row: Mapping[str, Any]) -> datetime:
    when: datetime = row["EventTime"]
    return when.astimezone(UTC)


def _deed(row: Mapping[str, Any], event: Mapping[str, Any]) -> Deed:
    service, name = str(event["eventSource"]).removesuffix(".amazonaws.com"), str(event["eventName"])
    # A text in the row; true or false in the event itself, where it stands at all.
    reads = {"true": True, "false": False}.get(str(row.get("ReadOnly", event.get("readOnly"))).lower())
    return Deed(_at(row), f"{service} {name}", None if reads is None else not reads, bool(event.get("errorCode")))


# ---------------------------------------------------------------- where


def _there(links: Links, asked: Sought, who: Who, region: str) -> Link:
    """In the account of the access, by a role of that account where the connection names one."""
    own = asked.connection if isinstance(asked.connection, AwsConnection) else None
    place = Place.of_connection(own) if own else Place.of_terms(own_terms(asked.terms))
    return _link(links, place, own, who.account, region)


def _link(links: Links, place: Place, own: AwsConnection | None, wanted: str, region: str) -> Link:
    if own is not None and own.activity_role:
        role = f"arn:{own.partition}:iam::{wanted}:role/{own.activity_role}"
        return links.passing(replace(place, region=region, role_arn=role))
    link = links.passing(replace(place, region=region))
    account = link.known_account() or link.account()
    if account != wanted:
        raise TargetRefused(
            f"The worker looks in account {account}, and the access was in account {wanted}: name a role of that account as "
            f"activity_role of the connection {place.connection} ({SEE})."
        )
    return link


def may_look(links: Links, connection: AwsConnection, account: str, region: str) -> None:
    """Whether the worker may look there at all, by one call that changes nothing. Raises as `page`."""
    link = _link(links, Place.of_connection(connection), connection, account, region)
    link.trail.read(_WHAT, lambda client: client.lookup_events(MaxResults=1)["Events"])

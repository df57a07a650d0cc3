"""CloudTrail's event history: LookupEvents as strict as AWS has it. moto has no such call.

Sources: LookupEvents and Event in the API reference (2013-11-01): one attribute at most, pages of 50 at most, the newest first,
90 days, two calls a second for an account and region, and a token that goes with the parameters of the call that gave it. "How
CloudTrail works" in the user guide: an event is there some minutes after the call. Events of services without a region are in
us-east-1 alone ("Global service events").
"""

import hashlib
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from bot.sandbox.aws.answers import Answer, error, named, success
from bot.sandbox.aws.calls import Call

SERVICE, ACTION = "cloudtrail", "LookupEvents"
GLOBAL_REGION = "us-east-1"
CALLS_PER_SECOND = 2.0
PAGE_MAX = 50
KEPT_S = 90 * 24 * 3600.0
# Attribute -> what of an event it is compared with.
_ATTRIBUTES: Mapping[str, Callable[["Told"], str]] = {
    "EventId": lambda one: one.id,
    "EventName": lambda one: str(one.event["eventName"]),
    "EventSource": lambda one: str(one.event["eventSource"]),
    "ReadOnly": lambda one: one.read_only,
    "Username": lambda one: one.user_name,
    "ResourceName": lambda _one: "",
    "ResourceType": lambda _one: "",
    "AccessKeyId": lambda one: str(one.event["userIdentity"].get("accessKeyId", "")),
}
# How often a page is empty though another follows, and how often it is shorter than it could be.
_EMPTY, _SHORT = 0.2, 0.4


@dataclass(frozen=True)
class Told:
    """One event. `at_s`: when it was, `seen_s`: from when on it can be looked up; both since 1970."""

    id: str
    account: str
    region: str
    at_s: float
    seen_s: float
    event: Mapping[str, Any]

    @property
    def read_only(self) -> str:
        return str(self.event["readOnly"]).lower() if "readOnly" in self.event else ""

    @property
    def user_name(self) -> str:
        """Of a session its name."""
        who = self.event["userIdentity"]
        return str(who.get("userName") or str(who.get("principalId", "")).partition(":")[2])

    def row(self) -> dict[str, Any]:
        key = self.event["userIdentity"].get("accessKeyId")
        return {
            "EventId": self.id,
            "EventName": self.event["eventName"],
            **({"ReadOnly": self.read_only} if self.read_only else {}),
            **({"AccessKeyId": key} if key else {}),
            "EventTime": self.at_s,
            "EventSource": self.event["eventSource"],
            "Username": self.user_name,
            "Resources": [],
            "CloudTrailEvent": json.dumps(self.event),
        }


@dataclass
class Trail:
    """`strict`: whether the two calls a second are all there are. `tear`: a seed, for short and empty pages. `now_s`: since
    1970.
    """

    now_s: Callable[[], float]
    monotonic_s: Callable[[], float] = time.monotonic
    strict: bool = True
    _told: list[Told] = field(default_factory=list)
    _tokens: dict[str, tuple[str, list[Told]]] = field(default_factory=dict)
    _filled: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    _chance: random.Random | None = None

    def tear(self, seed: int | None) -> None:
        self._chance = None if seed is None else random.Random(seed)

    def calm(self) -> None:
        """Nothing was ever done."""
        self._told.clear()
        self._tokens.clear()
        self._filled.clear()
        self.strict = True

    def tell(
        self,
        who: Mapping[str, Any],
        name: str,
        at: datetime,
        *,
        account: str,
        region: str = "eu-central-1",
        source: str = "s3.amazonaws.com",
        read_only: bool | None = True,
        late_s: float = 0.0,
        error_code: str = "",
    ) -> str:
        """Something was done by `who` (CloudTrail's `userIdentity`), and can be looked up `late_s` later. Returns the event's
        id.
        """
        at, id_ = at.astimezone(UTC).replace(microsecond=0), str(uuid4())
        event = {
            "eventVersion": "1.11",
            "userIdentity": dict(who),
            "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": source,
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": "192.0.2.7",
            "userAgent": "aws-cli/2.31",
            "requestParameters": None,
            "responseElements": None,
            "eventID": id_,
            **({} if read_only is None else {"readOnly": read_only}),
            **({"errorCode": error_code} if error_code else {}),
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": account,
            "eventCategory": "Management",
        }
        seen_s = at.timestamp() + late_s
        self._told.append(Told(id_, account, region, at.timestamp(), seen_s, event))
        return id_

    # ------------------------------------------------------------ the call

    def refuse(self, call: Call) -> Answer | None:
        """The throttling answer where the two calls of this second are used up."""
        if not _is_ours(call) or not self.strict:
            return None
        where, now = (call.account, call.region), self.monotonic_s()
        left, filled_at = self._filled.get(where, (CALLS_PER_SECOND, now))
        left = min(CALLS_PER_SECOND, left + (now - filled_at) * CALLS_PER_SECOND)
        self._filled[where] = (left - 1 if left >= 1 else left, now)
        return None if left >= 1 else named(call, "throttled")

    def answer(self, call: Call) -> Answer | None:
        """None for all other calls."""
        if not _is_ours(call):
            return None
        wrong = _wrong(call)
        if wrong is not None:
            return wrong
        asked, token = _digest(call), call.arguments.get("NextToken")
        if token is None:
            rest = self._matching(call)
        else:
            known, rest = self._tokens.pop(str(token), ("", []))
            if known != asked:
                return error(call, "InvalidNextTokenException", "Invalid NextToken")
        return self._page(call, asked, rest)

    def _page(self, call: Call, asked: str, rest: list[Told]) -> Answer:
        count = min(int(call.arguments.get("MaxResults", PAGE_MAX)), len(rest))
        drawn = self._chance.random() if self._chance else 1.0
        if drawn < _EMPTY:
            count = 0
        elif drawn < _SHORT and count and self._chance:
            count = self._chance.randrange(count)
        more = {}
        if count < len(rest) or drawn < _EMPTY / 2:
            more["NextToken"] = str(uuid4())
            self._tokens[more["NextToken"]] = (asked, rest[count:])
        return success({"Events": [one.row() for one in rest[:count]], **more})

    def _matching(self, call: Call) -> list[Told]:
        now_s, arguments = self.now_s(), call.arguments
        since, until = float(arguments.get("StartTime", 0)), float(arguments.get("EndTime", now_s))
        found = [
            one
            for one in self._here(call)
            if one.seen_s <= now_s and max(since, now_s - KEPT_S) <= one.at_s <= until and _fits(one, arguments)
        ]
        return sorted(found, key=lambda one: one.at_s, reverse=True)

    def _here(self, call: Call) -> Iterator[Told]:
        return (one for one in self._told if (one.account, one.region) == (call.account, call.region))


def _is_ours(call: Call) -> bool:
    return (call.service, call.action) == (SERVICE, ACTION)


def _fits(one: Told, arguments: Mapping[str, Any]) -> bool:
    return all(
        _ATTRIBUTES[each["AttributeKey"]](one) == each["AttributeValue"]
        for each in arguments.get("LookupAttributes", [])
    )


def _wrong(call: Call) -> Answer | None:
    given = call.arguments
    attributes = given.get("LookupAttributes", [])
    if len(attributes) > 1 or any(each.get("AttributeKey") not in _ATTRIBUTES for each in attributes):
        return error(call, "InvalidLookupAttributesException", "Currently the list can contain only one item.")
    if not 1 <= int(given.get("MaxResults", PAGE_MAX)) <= PAGE_MAX:
        return error(call, "InvalidMaxResultsException", f"MaxResults must be between 1 and {PAGE_MAX}.")
    if "StartTime" in given and "EndTime" in given and given["StartTime"] > given["EndTime"]:
        return error(call, "InvalidTimeRangeException", "The start time is after the end time.")
    if given.get("EventCategory", "insight") != "insight":
        return error(call, "InvalidEventCategoryException", "The event category is not valid.")
    return None


def _digest(call: Call) -> str:
    """Of what a token goes with."""
    kept = {key: value for key, value in call.arguments.items() if key != "NextToken"}
    text = json.dumps([call.account, call.region, kept], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()

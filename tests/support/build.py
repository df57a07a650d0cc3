"""Small, valid things to test with: a policy, people, requests. Everything can be changed by keyword."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from workflows.core.identity import Address
from workflows.core.people import Account, GroupFacts, Membership, PersonFacts, PersonId, person_id
from workflows.core.policy import (
    AutoApproval,
    Entitlement,
    Environment,
    Group,
    Policy,
    Risk,
    Tier,
)
from workflows.core.records.request import Request, RequestState
from workflows.core.records.target import Resource
from workflows.core.rules.grant_terms import terms_for
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsConnection, AwsSpec

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

DANA, OLU, PAT = person_id("dana@example.com"), person_id("olu@example.com"), person_id("pat@example.com")
NIA, SUE, GUS = person_id("nia@example.com"), person_id("sue@example.com"), person_id("gus@example.com")

GROUPS: Mapping[str, frozenset[PersonId]] = {
    "platform": frozenset({OLU, PAT}),
    "developers": frozenset({DANA, NIA}),
    "security": frozenset({SUE, PAT}),
    "oncall": frozenset({NIA}),
}
MAIN = AwsConnection("main", "aws", "eu-central-1", portal="https://acme.awsapps.com/start")


def facts(who: PersonId, **changes: Any) -> PersonFacts:
    name = who.partition("@")[0].title()
    own = PersonFacts(who, name, Account("slack", "T1", f"U{name.upper()}"), NOW, address=Address(who))
    return replace(own, **changes)


def groups(**changes: frozenset[PersonId] | Membership) -> GroupFacts:
    known: dict[str, Membership] = {name: Membership(people, NOW) for name, people in GROUPS.items()}
    for name, people in changes.items():
        known[name] = people if isinstance(people, Membership) else Membership(people, NOW)
    return GroupFacts(known)


def entitlement(role: str = "read-only", **changes: Any) -> Entitlement:
    own = Entitlement(
        environment="payments-prod",
        role=role,
        tier=Tier.PRODUCTION,
        risk=Risk.READ,
        allows="Read logs and metrics",
        target=AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="ReadOnlyAccess"),
        connection=MAIN,
        account="111122223333",
        requesters=("developers", "platform"),
        owners=("platform",),
        approve={"owners": 1},
        durations=(timedelta(minutes=30), HOUR, 4 * HOUR),
        default_duration=timedelta(minutes=30),
        max_duration=8 * HOUR,
    )
    return replace(own, **changes)


def environment(*roles: Entitlement, **changes: Any) -> Environment:
    own = Environment(
        name="payments-prod",
        title="Payments",
        tier=Tier.PRODUCTION,
        owners=("platform",),
        requesters=("developers", "platform"),
        roles={role.role: role for role in roles or (entitlement(),)},
        approvals_channels=("C0PAYMENTS",),
    )
    return replace(own, **changes)


def policy(*environments: Environment, **changes: Any) -> Policy:
    own = Policy(
        hash="f" * 64,
        timezone="Europe/Berlin",
        email_domains=("example.com",),
        connections={"main": MAIN},
        receipts_channels=("C0RECEIPTS",),
        groups={name: Group(name, members=people) for name, people in GROUPS.items()},
        environments={item.name: item for item in environments or (environment(),)},
        panic_group="security",
    )
    return replace(own, **changes)


def auto(name: str = "rule", who: tuple[str, ...] = ("developers",), **changes: Any) -> AutoApproval:
    return replace(AutoApproval(name, who), **changes)


def resource(request_terms: Any, user: str = "u-dana") -> Resource:
    target = request_terms.target
    return Resource(
        target.kind, target, {"account": str(target.account), "user": user}, "ReadOnlyAccess in 111122223333"
    )


def request(id_: str = "PA-1042", who: PersonId = DANA, role: Entitlement | None = None, **changes: Any) -> Request:
    terms = terms_for(role or entitlement(), who, HOUR)
    person = facts(who)
    own = Request(
        id=id_,
        requester=who,
        requester_name=person.name,
        requester_slack=person.slack,
        holder=who,
        holder_name=person.name,
        terms=terms,
        reason="INC-42 checkout errors",
        state=RequestState.PENDING,
        created_at=NOW,
        expires_at=NOW + HOUR,
        policy_hash="f" * 64,
        resource=resource(terms),
    )
    return replace(own, **changes)

"""Records and views for the tests of what is said and shown: one request, told in every state."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.chat.views.request_view import RequestView, last_time, request_view
from workflows.core.audit import AuditEntry, Event
from workflows.core.people import Account, person_id
from workflows.core.policy import Entitlement, Environment, Risk, Ticket, Tier
from workflows.core.records.grant import End, EndCause, Grant, GrantState
from workflows.core.records.request import Closing, Decision, DecisionKind, Origin, Request, RequestState, Terms, Vote
from workflows.core.records.target import Resource
from workflows.core.refusal import Code, Refused
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsConnection, AwsSpec, AwsTerms

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
DANA, OLU, SID = person_id("dana@example.com"), person_id("olu@example.com"), person_id("sid@example.com")
PORTAL = "https://acme.awsapps.com/start"
MAIN = AwsConnection("main", "aws", "eu-central-1", portal=PORTAL)
REASON = "INC-42 checkout errors since the 02:40 deploy"


def entitlement(role: str = "read-only", **changes: object) -> Entitlement:
    found = Entitlement(
        environment="payments-prod",
        role=role,
        tier=Tier.PRODUCTION,
        risk=Risk.READ,
        allows="Read logs, metrics and configuration",
        target=AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="ReadOnlyAccess"),
        connection=MAIN,
        account="111122223333",
        requesters=("payments-devs", "oncall"),
        owners=("platform",),
        approve={"owners": 1},
        durations=(timedelta(minutes=30), timedelta(hours=1), timedelta(hours=4)),
        default_duration=timedelta(minutes=30),
        max_duration=timedelta(hours=8),
        ticket=Ticket("(INC|OPS)-[0-9]+", "https://tickets.example.com/{ticket}"),
        how_to="Dashboards are at go/payments-dashboards",
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def admin() -> Entitlement:
    return entitlement(
        "admin",
        risk=Risk.ADMIN,
        allows="Change anything",
        danger="can delete customer data",
        approve={"owners": 1, "security": 1},
        target=AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="AdministratorAccess"),
    )


def environment(*roles: Entitlement, **changes: object) -> Environment:
    found = Environment(
        name="payments-prod",
        title="Payments",
        tier=Tier.PRODUCTION,
        owners=("platform",),
        requesters=("payments-devs", "oncall"),
        roles={role.role: role for role in roles or (entitlement(), admin())},
        approvals_channels=("C0PAYMENTS",),
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def target(kind: AwsKind = AwsKind.IDENTITY_CENTER) -> AwsTerms:
    return AwsTerms(
        kind=kind,
        connection="main",
        region="eu-central-1",
        account="111122223333",
        portal=PORTAL,
        permission_set="ReadOnlyAccess",
        user="dana",
        group="payments-prod-deployers",
    )


IDS = {
    AwsKind.IDENTITY_CENTER: {
        "instance": "arn:aws:sso:::instance/ssoins-1",
        "account": "111122223333",
        "permission_set": "arn:aws:sso:::permissionSet/ssoins-1/ps-1",
        "user": "906-dana",
    },
    AwsKind.IDENTITY_CENTER_GROUP: {"store": "d-1", "group": "g-1", "user": "906-dana"},
    AwsKind.IAM_POLICY: {
        "account": "111122223333",
        "user": "dana",
        "user_id": "AIDA1",
        "policy": "prodaccess-PA-1042",
    },
    AwsKind.IAM_GROUP: {
        "account": "111122223333",
        "user": "dana",
        "user_id": "AIDA1",
        "group": "deployers",
        "group_id": "AGPA1",
    },
    AwsKind.IAM_ROLE_POLICY: {
        "account": "111122223333",
        "role": "orders-deploy",
        "user_id": "AROA1",
        "policy": "prodaccess-PA-1042",
    },
}


def resource(kind: AwsKind = AwsKind.IDENTITY_CENTER, session_s: int | None = None) -> Resource:
    return Resource(kind, target(kind), IDS[kind], "ReadOnlyAccess in account 111122223333", session_s)


def request(role: Entitlement | None = None, **changes: object) -> Request:
    asked = role or entitlement()
    terms = Terms(
        environment="payments-prod",
        role=asked.role,
        tier=Tier.PRODUCTION,
        risk=asked.risk,
        holder=DANA,
        duration_s=3600,
        target=target(),
        allows=asked.allows,
        danger=asked.danger,
    )
    found = Request(
        id="PA-1042",
        requester=DANA,
        requester_name="Dana Dev",
        requester_slack=Account("slack", "T1", "U0DANA"),
        holder=DANA,
        holder_name="Dana Dev",
        terms=terms,
        reason=REASON,
        state=RequestState.PENDING,
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        policy_hash="ab" * 32,
        origin=Origin("T1", "C0INC", "inc-42"),
        ticket="INC-42",
        resource=resource(),
    )
    return replace(found, **changes)  # type: ignore[arg-type]


APPROVED_AT = NOW + timedelta(minutes=8)
DECISION = Decision(DecisionKind.APPROVAL, APPROVED_AT, "ab" * 32, by=(OLU,), by_names=("Olu Owner",))


def approved(role: Entitlement | None = None) -> Request:
    return request(role, state=RequestState.APPROVED, decision=DECISION)


def grant(state: GrantState = GrantState.ACTIVE, role: Entitlement | None = None, **changes: object) -> Grant:
    asked = approved(role)
    found = Grant(
        id=asked.id,
        holder=DANA,
        holder_name="Dana Dev",
        terms=asked.terms,
        resource=resource(),
        holding="H-1",
        state=state,
        decision=DECISION,
        deadline=APPROVED_AT + timedelta(hours=1),
        activated_at=APPROVED_AT + timedelta(seconds=1),
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def end(cause: EndCause, by: str | None = None, reason: str | None = None) -> End:
    return End(cause, APPROVED_AT + timedelta(hours=1), None, by, reason)


CLOSED_AT = APPROVED_AT + timedelta(hours=1, seconds=2)
LAST = last_time(
    grant(
        GrantState.ENDED,
        activated_at=NOW - timedelta(days=3, hours=1),
        closed_at=NOW - timedelta(days=3),
        end=End(EndCause.TIME, NOW - timedelta(days=3)),
    )
)


def closed(state: GrantState, end_: End, **changes: object) -> Grant:
    return grant(state, None, end=end_, closed_at=CLOSED_AT, **changes)


def _over(state: RequestState, **closing: object) -> Request:
    at = NOW + timedelta(hours=1) if state is RequestState.EXPIRED else NOW + timedelta(minutes=5)
    return request(state=state, closing=Closing(at, **closing))  # type: ignore[arg-type]


def told(asked: Request, given: Grant | None = None, after: timedelta = timedelta(0), **more: object) -> RequestView:
    return request_view(asked, given, environment(), NOW + after, **more)  # type: ignore[arg-type]


FROZEN = Refused(
    Code.FREEZE, {"id": "PA-1042", "reason": "Year-end freeze.", "until": (NOW + timedelta(days=3)).isoformat()}
)


def lessened(asked: Request) -> Request:
    """It was asked for as administrator for two hours."""
    more = replace(asked.terms, role="admin", duration_s=7200)
    return replace(asked, asked_terms=more, lessened_by="Olu Owner")


def more_time(state: RequestState = RequestState.PENDING, **changes: object) -> Request:
    """PA-1043 asks for half an hour more of PA-1042."""
    until = APPROVED_AT + timedelta(hours=1, minutes=30)
    decided = replace(DECISION, facts={"until": until.isoformat()})
    decision = decided if state is RequestState.APPROVED else None
    terms = replace(request().terms, duration_s=1800)
    own = request(id="PA-1043", terms=terms, extends="PA-1042", state=state, decision=decision)
    return replace(own, expires_at=APPROVED_AT + timedelta(hours=1), **changes)  # type: ignore[arg-type]


def every_state() -> dict[str, RequestView]:
    """Each state that a card can be in, by a name for it."""
    later = timedelta(minutes=10)
    one_vote = (Vote(OLU, "Olu Owner", NOW, ("owners",), "x"),)
    standing = resource()
    failing = grant(GrantState.REVOKING, end=end(EndCause.TIME), error="AWS refused it (AccessDenied).")
    in_time, by_owner = end(EndCause.TIME), end(EndCause.REVOKED, "Olu Owner", "wrong account")
    return {
        "looking up names": told(request(resource=None)),
        "pending": told(request(), last=LAST),
        "pending, dangerous": told(request(admin())),
        "pending, 1 of 2": told(request(admin(), votes=one_vote)),
        "pending, frozen": told(request(), shut=FROZEN),
        "pending, for less": told(lessened(request())),
        "pending, rule used up": told(request(used_up=(("on-call reads in an incident", 3),))),
        "role gone": request_view(request(), None, None, NOW),
        "pending, later": told(request(start_at=NOW + timedelta(hours=19))),
        "agreed": told(
            replace(approved(), state=RequestState.SCHEDULED, start_at=NOW + timedelta(hours=19)), after=later
        ),
        "being set up": told(approved(), grant(GrantState.ACTIVATING, activated_at=None), later),
        "active": told(approved(), grant(), later),
        "active by rule": told(
            replace(
                approved(), decision=Decision(DecisionKind.AUTO, APPROVED_AT, "x", rule="on-call reads in an incident")
            ),
            grant(),
            later,
        ),
        "active, for less": told(lessened(approved()), grant(), later),
        "active, extended": told(
            approved(),
            grant(extensions=("PA-1043",), extended_by=("Pat",), deadline=APPROVED_AT + timedelta(minutes=90)),
            later,
        ),
        "active, more asked": told(approved(), grant(extension="PA-1043"), later),
        "more asked": told(more_time(), extended=grant(extension="PA-1043")),
        "more, being set up": told(
            more_time(RequestState.APPROVED),
            after=later,
            extended=grant(extension="PA-1043", extended_to=APPROVED_AT + timedelta(minutes=90)),
        ),
        "more given": told(more_time(RequestState.APPROVED), after=later, extended=grant(extensions=("PA-1043",))),
        "more not given": told(
            more_time(RequestState.APPROVED), after=later, extended=closed(GrantState.ENDED, in_time)
        ),
        "being removed": told(approved(), grant(GrantState.REVOKING, end=in_time), timedelta(hours=2)),
        "could not be removed": told(approved(), failing, timedelta(hours=2)),
        "ended": told(approved(), closed(GrantState.ENDED, in_time), timedelta(hours=2)),
        "ended, session open": told(
            approved(), closed(GrantState.ENDED, in_time, resource=resource(session_s=3600)), timedelta(hours=2)
        ),
        "ended, covered": told(
            approved(),
            closed(GrantState.ENDED, in_time, covered_by="PA-1043"),
            timedelta(hours=2),
            covered_until=CLOSED_AT + timedelta(hours=2),
        ),
        "given back": told(approved(), closed(GrantState.ENDED, end(EndCause.RETURNED, "Dana Dev"))),
        "revoked": told(approved(), closed(GrantState.REVOKED, by_owner)),
        "denied": told(_over(RequestState.DENIED, by=OLU, by_name="Olu Owner", reason="use staging first")),
        "withdrawn": told(_over(RequestState.WITHDRAWN, by=DANA, by_name="Dana Dev")),
        "expired": told(_over(RequestState.EXPIRED)),
        "not given": told(
            approved(),
            closed(
                GrantState.ACTIVATION_FAILED,
                end(EndCause.FAILED, reason="AWS refused it (ConflictException)"),
                activated_at=None,
            ),
        ),
        "not given, unknown at AWS": told(
            _over(
                RequestState.DENIED,
                code="target_person_missing",
                params={"address": "dana@example.com", "where": "AWS IAM Identity Center (connection main)"},
            )
        ),
        "not given, covered": told(
            approved(),
            closed(
                GrantState.ACTIVATION_FAILED,
                end(EndCause.FAILED, reason="no answer"),
                activated_at=None,
                covered_by="PA-1043",
            ),
        ),
        "standing": told(
            approved(),
            closed(GrantState.ACTIVATION_FAILED, end(EndCause.STANDING), activated_at=None, resource=standing),
        ),
    }


_FACTS = ("until", "extension", "cause", "proof", "duration_s", "rule", "failures", "code")


def entry(number: int, event: Event, minute: int = 0, **private: str) -> AuditEntry:
    facts: dict[str, str] = {key: private.pop(key) for key in _FACTS if key in private}
    at = NOW + timedelta(minutes=minute)
    return AuditEntry(number, event, "PA-1042", at, f"{number:02x}" * 32, facts, private, "{}")

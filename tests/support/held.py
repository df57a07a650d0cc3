"""Access of the past, written straight into a ledger: for reports, and for lists of what was."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import redis

from tests.support import build
from tests.support.build import DANA, HOUR, OLU
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.people import PersonId
from workflows.core.records.grant import End, EndCause, Grant, GrantState
from workflows.core.records.request import Decision, DecisionKind, RequestState, Vote
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change, Committed, IndexEntry


def said(client: redis.Redis, name: str, event: Event, at: datetime) -> None:
    """An entry of the past, which no commit would take."""
    entry = AuditEvent(event, name, at, "0" * 32, "5" * 32)
    number = client.xlen("prodaccess:audit") + 1
    client.xadd("prodaccess:audit", {"body": json.dumps(entry.body()), "digest": entry.digest}, id=f"{number}-0")


def held(
    ledger: RedisLedger,
    number: int,
    ago: timedelta,
    who: PersonId = DANA,
    name: str = "Dana",
    role: str = "read-only",
    *,
    by: tuple[PersonId, str] = (OLU, "Olu"),
    after: timedelta = timedelta(seconds=40),
) -> None:
    """Asked for so long ago, approved by Olu after 40 s, and held for an hour."""
    at, id_ = ledger.now() - ago, f"PA-{number}"
    terms = replace(build.request(who=who).terms, environment="shop-prod", role=role)
    vote = Vote(*by, at + after, ("platform",), terms.hash)
    decision = Decision(DecisionKind.APPROVAL, vote.at, "f" * 64, by=by[:1], by_names=by[1:])
    request = build.request(
        id_,
        who,
        holder_name=name,
        terms=terms,
        created_at=at,
        expires_at=at + HOUR,
        votes=(vote,),
        decision=decision,
        state=RequestState.APPROVED,
    )
    resource = build.resource(terms)
    over = at + 2 * HOUR
    grant = Grant(
        id_,
        who,
        name,
        terms,
        resource,
        resource.holding,
        GrantState.ENDED,
        decision,
        deadline=over,
        activated_at=over - HOUR,
        end=End(EndCause.TIME, over),
        closed_at=over,
    )
    scores = ((keys.RECENT, at), (keys.CLOSED, over))
    change = Change(
        f"held-{number}",
        ledger.now(),
        {keys.request(id_): 0, keys.grant(id_): 0},
        puts={keys.request(id_): request, keys.grant(id_): grant},
        index=tuple(IndexEntry(index, id_, when.timestamp()) for index, when in scores),
    )
    assert isinstance(ledger.commit(change), Committed)

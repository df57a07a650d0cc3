"""Refusals leave a trace: the first of a person in a minute as an entry, the others as a count when the minute is over.

Whoever is refused again and again leaves nothing that grows: one record, and what each commit leaves goes with the minute.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.people import PersonId
from workflows.core.records.person import Refusals
from workflows.core.refusal import Refused
from workflows.ports import Change, Committed
from workflows.usecases.shared.context import Context, event

COALESCED_FOR = timedelta(minutes=1)
# Losing this many races means that others are counting: one more or less refusal in a burst changes nothing.
_ATTEMPTS = 5
# A refusal is sent again within seconds, or never.
_REMEMBERED_S = COALESCED_FOR.total_seconds()


def record_refusal(
    ctx: Context,
    who: PersonId,
    subject: str,
    refused: Refused,
    commit_id: str,
    name: str = "",
    kind: Event = Event.REQUEST_REFUSED,
) -> None:
    """Put the refusal on the audit log. Slips of the keyboard (`audited` False) are none of its business."""
    if not refused.audited:
        return
    for attempt in range(_ATTEMPTS):
        if isinstance(
            ctx.ledger.commit(_change(ctx, who, name, subject, refused, f"{commit_id}:refused:{attempt}", kind)),
            Committed,
        ):
            return


def _change(
    ctx: Context, who: PersonId, name: str, subject: str, refused: Refused, commit_id: str, kind: Event
) -> Change:
    item = keys.refusals(who)
    snapshot = ctx.ledger.read(item)
    standing = snapshot.readable(item, Refusals)
    if standing is not None:
        counted = replace(standing, more=standing.more + 1)
        return Change(commit_id, snapshot.now, snapshot.versions(), puts={item: counted}, remembered_s=_REMEMBERED_S)
    facts = {"code": refused.code.value, "rules": ",".join(refused.rules)}
    entry = event(ctx, kind, subject, snapshot, facts, {"actor": who, "actor_name": name})
    first = Refusals(who, snapshot.now)
    due = {item: snapshot.now + COALESCED_FOR}
    puts, reads = {item: first}, snapshot.versions()
    return Change(commit_id, snapshot.now, reads, puts=puts, due=due, audit=(entry,), remembered_s=_REMEMBERED_S)


def count_refusals(ctx: Context, who: PersonId) -> None:
    """The minute is over: write down how many more there were, and start afresh."""
    item = keys.refusals(who)
    snapshot = ctx.ledger.read(item)
    standing = snapshot.readable(item, Refusals)
    audit: tuple[AuditEvent, ...] = ()
    if standing is not None and standing.more:
        facts = {"more": str(standing.more), "since": standing.since.isoformat()}
        audit = (event(ctx, Event.REFUSALS_COUNTED, "person", snapshot, facts, {"actor": who}),)
    change = Change(
        commit_id=f"refusals:{who}:{snapshot.items[item].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        deletes=frozenset() if snapshot.items[item].is_absent else frozenset({item}),
        due={item: None},
        audit=audit,
        remembered_s=_REMEMBERED_S,
    )
    ctx.ledger.commit(change)

"""Who broke the glass, and that they break none any more: the same wherever it is found out, for access and for gates."""

from __future__ import annotations

from dataclasses import replace

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.people import PersonId
from workflows.core.records.grant import Grant
from workflows.core.records.person import PersonRecord
from workflows.core.records.record import Record
from workflows.core.records.request import DecisionKind, Request
from workflows.core.rules.break_glass import bar, who_broke
from workflows.ports import Snapshot
from workflows.usecases.shared.context import CommitAttempt, Context, event
from workflows.usecases.shared.limits import kept_out


def keys_of_breaker(broken: Request | Grant) -> tuple[str, ...]:
    """The record of whoever broke the glass for it; none where nobody did."""
    decision = broken.decision
    if decision is None or decision.kind is not DecisionKind.BREAK_GLASS:
        return ()
    return (keys.person(who_broke(decision, broken.holder)),)


def barring(
    ctx: Context, snapshot: Snapshot, id_: str, who: PersonId, why: str, cause: str
) -> tuple[dict[str, Record], list[AuditEvent]]:
    """No break-glass for them until security lifts it: their record, and the entry where that is news."""
    item = keys.person(who)
    record = snapshot.readable(item, PersonRecord)
    if record is None or record.break_glass_barred:
        return {}, []
    private = {"person": who, "actor": who}
    return {item: bar(record, why)}, [event(ctx, Event.PERSON_BARRED, id_, snapshot, {"cause": cause}, private)]


def barred_by_taking_back(
    ctx: Context, snapshot: Snapshot, broken: Request | Grant, by_name: str | None, attempt: CommitAttempt
) -> CommitAttempt:
    """Whose break-glass was taken back breaks no more glass until security lifts that. The same where it was none."""
    decision = broken.decision
    if decision is None or decision.kind is not DecisionKind.BREAK_GLASS:
        return attempt
    why = f"{by_name or 'somebody'} revoked the break-glass {broken.id}"
    puts, entries = barring(ctx, snapshot, broken.id, who_broke(decision, broken.holder), why, "revoked")
    change = attempt.change
    listed = (kept_out(record, snapshot.now) for record in puts.values() if isinstance(record, PersonRecord))
    return replace(
        attempt,
        change=replace(
            change,
            puts={**change.puts, **puts},
            index=(*change.index, *listed),
            audit=(*change.audit, *entries),
        ),
    )

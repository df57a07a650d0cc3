"""What follows from the records, made again from them: the indexes, and what is due.

A commit that meets something else in the place of an index, or of the set of due items, puts it aside and begins anew; what stood
there before is added here. Nothing is taken away by this, and what is there already stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice

from workflows.core import keys
from workflows.core.gates.ask import is_pipeline
from workflows.core.identity import AccountRecord
from workflows.core.people import NEVER
from workflows.core.policy import Policy
from workflows.core.records.certification import Certification
from workflows.core.records.drift import Drift
from workflows.core.records.gate import TokenOnce
from workflows.core.records.grant import CLOSED, Grant
from workflows.core.records.oversight import BulkRevocation, Review, ReviewState
from workflows.core.records.person import PersonRecord
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.core.records.record import Record
from workflows.core.records.request import Request, RequestState, slot_id
from workflows.core.records.signed import SignedVotes
from workflows.core.records.terminal import TerminalAct
from workflows.core.rules.break_glass import next_chase as next_review_chase
from workflows.core.rules.grant_terms import warning_at
from workflows.core.rules.reminders import escalation_of, next_chase
from workflows.ports import Change, CorruptLedger, IndexEntry, PolicyUnavailable
from workflows.usecases.certification.standing import entry_of as entry_of_certification
from workflows.usecases.drift.standing import FIRST_AFTER_S
from workflows.usecases.drift.standing import entries_of as entries_of_drift
from workflows.usecases.oversight.policy_activation import digest_due, digest_key
from workflows.usecases.requests.request_access import entries_of
from workflows.usecases.shared.adopt_accounts import on_hold
from workflows.usecases.shared.closing import places_of, runs_of
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.limits import kept_out
from workflows.usecases.shared.signed_votes import look_at_them

_AT_ONCE = 200
_DUE = ("due", "woken")
# Kinds that something follows from; what is due of a press is found by its own key alone.
_KINDS = (
    "request",
    "grant",
    "holding",
    "review",
    "person",
    "press",
    "sweepout",
    "policy",
    "account",
    "seal",
    "signed",
    "drift",
    "certification",
    "jti",
    "forge",
    "terminal",
)


def mend(ctx: Context) -> None:
    """Where somebody has met a broken index, or due items that were none: make all of them again."""
    try:
        listed = ctx.ledger.members(keys.UNREADABLE)
    except CorruptLedger:
        listed = [f"index:{keys.UNREADABLE}"]
    broken = [what for what in listed if what in _DUE or what.startswith("index:")]
    if broken:
        make_again(ctx)
        # Touched by this commit, a broken one is put aside, also where nothing belongs into it.
        touched = (IndexEntry(what.removeprefix("index:"), "-", None) for what in broken if what.startswith("index:"))
        out = (*touched, *(IndexEntry(keys.UNREADABLE, what, None) for what in broken))
        now = ctx.ledger.now()
        ctx.ledger.commit(Change(f"mended:{ctx.chance.hex(16)}", now, {}, index=out, removes_access=True))


def list_kept_out(ctx: Context) -> None:
    """Once: whom a version without the list kept out stands on it, too."""
    done = IndexEntry(keys.LISTED, keys.BARRED, ctx.ledger.now().timestamp())
    if not _is_missing(ctx, done):
        return
    names = ctx.ledger.records("person")
    while part := list(islice(names, _AT_ONCE)):
        snapshot = ctx.ledger.read(*part)
        people = (snapshot.readable(name, PersonRecord) for name in part)
        index = [entry for one in people if one is not None for entry in _of_person(one) if entry.name == keys.BARRED]
        _add(ctx, snapshot.now, index, {})
    _add(ctx, ctx.ledger.now(), [done], {})


def make_again(ctx: Context) -> None:
    """Every index and every due item of every record that can be read."""
    policy = _policy(ctx)
    for kind in _KINDS:
        names = ctx.ledger.records(kind)
        while part := list(islice(names, _AT_ONCE)):
            snapshot = ctx.ledger.read(*part)
            index: list[IndexEntry] = []
            due: dict[str, datetime] = {}
            for name, item in snapshot.items.items():
                if item.record is not None:
                    index += indexed(item.record)
                    due |= due_items(name, item.record, policy, snapshot.now)
            _add(ctx, snapshot.now, index, due)


def _add(ctx: Context, now: datetime, index: list[IndexEntry], due: Mapping[str, datetime]) -> None:
    missing = tuple(entry for entry in index if _is_missing(ctx, entry))
    if missing:
        ctx.ledger.commit(Change(f"again:{ctx.chance.hex(16)}", now, {}, index=missing, removes_access=True))
    for item, at in due.items():
        ctx.ledger.remind(item, max(0.0, (at - now).total_seconds()))


def _is_missing(ctx: Context, entry: IndexEntry) -> bool:
    try:
        return ctx.ledger.score(entry.name, entry.member) is None
    except CorruptLedger:
        return True


def _policy(ctx: Context) -> Policy | None:
    try:
        return ctx.policy.current()
    except PolicyUnavailable:
        return None


# ---------------------------------------------------------------- what follows from one record


def indexed(record: Record) -> Iterator[IndexEntry]:
    """Where a record stands in the indexes."""
    if isinstance(record, Request):
        yield from _of_request(record)
    elif isinstance(record, Grant):
        yield from _of_grant(record)
    elif isinstance(record, Review):
        yield from _of_review(record)
    elif isinstance(record, PersonRecord):
        yield from _of_person(record)
    elif isinstance(record, SignedVotes):
        yield look_at_them(record)
    elif isinstance(record, TokenOnce | TerminalAct):
        yield from _of_what_runs_out(record)
    elif isinstance(record, Drift):
        yield from entries_of_drift(record)
    elif isinstance(record, Certification):
        yield entry_of_certification(record)
    elif isinstance(record, AccountRecord):
        yield from (entry for entry in on_hold(record) if entry.score is not None)


def _of_what_runs_out(record: TokenOnce | TerminalAct) -> Iterator[IndexEntry]:
    if isinstance(record, TokenOnce):
        yield IndexEntry(keys.TOKENS, f"jti:{record.id}", record.until.timestamp())
        return
    yield IndexEntry(keys.TERMINAL, record.id, record.until.timestamp())
    if record.at is not None and record.answer is None:
        yield IndexEntry(keys.TERMINAL_WAITING, record.id, record.at.timestamp())


def _of_request(request: Request) -> Iterator[IndexEntry]:
    waits = request.state is RequestState.PENDING
    recent = set(places_of(keys.RECENT, request))
    yield from (entry for entry in entries_of(request) if waits or entry.name in recent)
    later = request.start_at if request.gate is None else request.expires_at
    if request.state is RequestState.SCHEDULED and later is not None:
        at = later.timestamp()
        yield from (IndexEntry(name, request.id, at) for name in places_of(keys.SCHEDULED, request))
    if request.gate is not None and request.gate.is_being_told:
        yield from runs_of(request)
    if request.ticket:
        yield IndexEntry(keys.of_ticket(request.ticket), request.id, request.created_at.timestamp())


def _of_grant(grant: Grant) -> Iterator[IndexEntry]:
    if grant.state not in CLOSED:
        live = keys.places(keys.LIVE, environment=grant.terms.environment, person_id=grant.holder)
        runs = (keys.RUNS,) if is_pipeline(grant.holder) else ()
        yield from (IndexEntry(name, grant.id, grant.deadline.timestamp()) for name in (*live, *runs))
    elif grant.closed_at is not None:
        slot = slot_id(grant.holder, grant.terms.environment, grant.terms.role)
        closed = (keys.CLOSED, keys.last_of(slot))
        yield from (IndexEntry(name, grant.id, grant.closed_at.timestamp()) for name in closed)


def _of_person(record: PersonRecord) -> Iterator[IndexEntry]:
    if record.delegation is not None:
        yield IndexEntry(keys.DELEGATIONS, record.id, record.delegation.until.timestamp())
    # Since when they are kept out is not on their record.
    listed = kept_out(record, NEVER)
    if listed.score is not None:
        yield listed


def _of_review(review: Review) -> Iterator[IndexEntry]:
    if review.state is ReviewState.OWED:
        places = keys.places(keys.REVIEWS, environment=review.environment, person_id=review.holder)
        yield from (IndexEntry(name, review.id, review.due_at.timestamp()) for name in places)
    if review.unannounced_at is not None:
        yield IndexEntry(keys.UNANNOUNCED, review.id, review.unannounced_at.timestamp())


def due_items(name: str, record: Record, policy: Policy | None, now: datetime) -> dict[str, datetime]:
    """What the clock must look at for a record, and when at the latest. What a job finds nothing to do for, it takes off."""
    due: dict[str, datetime | None] = {}
    if isinstance(record, Request) and record.state in (RequestState.PENDING, RequestState.SCHEDULED):
        due = {name: now, keys.chat(record.id): now}
        if record.state is RequestState.PENDING and record.is_resolved and policy is not None:
            due[keys.chase_due(record.id)] = next_chase(record, escalation_of(policy, record))
    elif isinstance(record, Grant) and record.state not in CLOSED:
        warn = None if record.warned or record.end is not None else warning_at(record)
        due = {keys.end_due(record.id): record.deadline, keys.warn_due(record.id): warn, keys.chat(record.id): now}
    elif isinstance(record, Review) and record.state is ReviewState.OWED:
        due = {name: next_review_chase(record), keys.announced_due(record.id): now, keys.chat(record.id): now}
    elif isinstance(record, BulkRevocation):
        due = {name: now} if record.finished_at is None else {}
    elif isinstance(record, ActivePolicy):
        due = {digest_due(digest_key(plan)): now + _SOON for plan in (policy.digests if policy else ())}
        due[keys.DRIFT_DUE] = now + timedelta(seconds=FIRST_AFTER_S)
        due[keys.RETAINED] = now + _SOON if policy is not None and policy.retention is not None else None
        due[keys.CERTIFY_NEXT] = now + _SOON if policy is not None and policy.certify is not None else None
    elif isinstance(record, Drift):
        due = {name: now} if record.removing_since or record.agreed_by else {}
    elif isinstance(record, Certification):
        due = {name: now} if record.is_open else {}
    elif name.startswith(("holding:", "press:", "seal:", "forge:", "terminal:")):
        due = {name: now}
    return {item: at for item, at in due.items() if at is not None}


_SOON = timedelta(seconds=5)

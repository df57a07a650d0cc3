"""Somebody has left: what they hold ends now, in the ordinary way. Right before it is written they are looked at once more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.canonical_json import digest
from workflows.core.identity import AccountRecord, PersonId
from workflows.core.people import FACTS_AGE_MAX, PersonFacts, is_fresh
from workflows.core.policy import Policy
from workflows.core.records.grant import End, EndCause
from workflows.core.records.leavers import FindingState, Leavers
from workflows.core.records.lifecycle import Move, can
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.leaving import Verdict, standing, verdict
from workflows.ports import Change, Snapshot
from workflows.usecases.identity.holders import Held, accounts_of
from workflows.usecases.shared.closing import keys_of, refusing
from workflows.usecases.shared.context import SOON, CommitAttempt, Outcome, WorkerContext, event, run
from workflows.usecases.shared.delegation_end import without_delegate
from workflows.usecases.shared.take_back import take_back

BY_ITSELF = "prodaccess"
DELEGATIONS_MAX = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """What was said of all accounts of a person, just now."""

    who: PersonId
    records: tuple[AccountRecord, ...]
    facts: tuple[PersonFacts, ...]

    @property
    def name(self) -> str:
        return next((record.name for record in self.records if record.name), str(self.who))

    def is_fresh(self, snapshot: Snapshot) -> bool:
        return all(is_fresh(one.as_of, snapshot.now) for one in self.facts)


def end_of_leaver(ctx: WorkerContext, policy: Policy, who: PersonId, held: Held) -> bool:
    """Take back all that they hold, close what waits, and say so. False where they are not plainly gone by now."""
    seen = look_again(ctx, policy, who)
    if seen is None:
        return False
    noted = run(ctx, lambda: _left(ctx, seen, held))
    if not isinstance(noted, Outcome) or noted.outcome == "not_gone":
        return False
    _take(ctx, seen, held)
    return True


def look_again(ctx: WorkerContext, policy: Policy, who: PersonId) -> Seen | None:
    """None unless each account that is bound to them now is said to be gone, by facts of this moment."""
    records = accounts_of(ctx, (who,))[who]
    looked = ctx.refresher.look_at([record.slack for record in records], policy)
    now = ctx.ledger.now()
    facts = [looked.facts.get(record.slack) for record in records]
    if verdict([standing(one, now, FACTS_AGE_MAX) for one in facts]) is not Verdict.LEFT:
        return None
    return Seen(who, records, tuple(one for one in facts if one is not None))


def subject_of(records: Sequence[AccountRecord], who: PersonId) -> str:
    """What is told of somebody stands with their first account, where the news of accounts stand."""
    return keys.hold_subject(records[0].account) if records else keys.hold_subject(who)  # type: ignore[arg-type]  # names it alone


def said_of(held: Held) -> dict[str, str]:
    """As facts: what they hold, and where."""
    return {
        "open": ", ".join(held.open),
        "waiting": ", ".join(held.waiting),
        "environments": ",".join(held.environments),
    }


# ---------------------------------------------------------------- on record first


def _left(ctx: WorkerContext, seen: Seen, held: Held) -> CommitAttempt | Outcome:
    names = [keys.account(record.account) for record in seen.records]
    # The same things of the same person are told of once, however often this runs.
    told_once = f"left:{digest([seen.who, held.open, held.waiting])}"
    snapshot = ctx.ledger.read(keys.LEAVERS, keys.identity(seen.who), *names, commit_id=told_once)
    if _people_are_asked(snapshot):
        return Outcome(seen.who, "not_gone")
    now_bound = {record.account for record in accounts_of(ctx, (seen.who,))[seen.who]}
    records = [snapshot.readable(name, AccountRecord) for name in names]
    whole = all(record is not None and record.person == seen.who for record in records)
    if not whole or now_bound != {record.account for record in seen.records}:
        return Outcome(seen.who, "not_gone")
    if not seen.is_fresh(snapshot) or _overtaken(ctx, seen):
        return Outcome(seen.who, "not_gone")
    if snapshot.replay is not None:
        return Outcome(seen.who, "left")
    done, subject = Outcome(seen.who, "left"), subject_of(seen.records, seen.who)
    left = {name: replace(record, left_at=snapshot.now) for name, record in zip(names, records, strict=True) if record}
    change = Change(
        commit_id=told_once,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts=left,
        due={keys.chat(subject): snapshot.now + SOON},
        audit=(_entry(ctx, seen, held, snapshot, subject),),
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(subject),))


def _people_are_asked(snapshot: Snapshot) -> bool:
    """Another look has found so many meanwhile that nothing ends by itself."""
    known = snapshot.readable(keys.LEAVERS, Leavers)
    finding = known.finding if known is not None else None
    return finding is not None and finding.state is FindingState.WAITING


def _overtaken(ctx: WorkerContext, seen: Seen) -> bool:
    """Whether a chat has said since that something has changed with one of their accounts."""
    known = (ctx.directory.person(record.slack) for record in seen.records)
    asked_at = min(one.as_of for one in seen.facts)
    return any(one is not None and one.heard_at is not None and one.heard_at > asked_at for one in known)


def _entry(ctx: WorkerContext, seen: Seen, held: Held, snapshot: Snapshot, subject: str) -> AuditEvent:
    facts = {**said_of(held), "code": Code.PERSON_DISABLED.value, "became": "ended"}
    first = seen.records[0]
    private = {
        "actor": seen.who,
        "actor_name": seen.name,
        "address": first.address or "",
        "accounts": ", ".join(record.account for record in seen.records),
    }
    return event(ctx, Event.PERSON_LEFT, subject, snapshot, facts, private)


# ---------------------------------------------------------------- then what they have


def _take(ctx: WorkerContext, seen: Seen, held: Held) -> None:
    """Each by itself: what another process ends at the same time is ended."""
    why = Refused(Code.PERSON_DISABLED, {"name": seen.name})
    for grant in held.grants:
        now = ctx.ledger.now()
        gone = f"{seen.name}'s account is gone from the chat"
        end = End(
            EndCause.REVOKED,
            now,
            by_name=BY_ITSELF,
            reason=gone,
            code=why.code,
            params=why.params,
        )
        take_back(ctx, grant.id, end, f"left:{grant.id}")
    for request in held.requests:
        run(ctx, lambda id_=request.id: _close(ctx, id_, why))  # type: ignore[misc]  # bound at once, called at once
    for away in _delegations(ctx, seen.who):
        run(ctx, lambda away=away: _no_delegate(ctx, away, seen.who))  # type: ignore[misc]  # as above


def _close(ctx: WorkerContext, id_: str, why: Refused) -> CommitAttempt | Outcome:
    first = ctx.ledger.read(keys.request(id_)).readable(keys.request(id_), Request)
    if first is None:
        return Outcome(id_, "overtaken")
    snapshot = ctx.ledger.read(*keys_of(first))
    request = snapshot.readable(keys.request(id_), Request)
    if request is None or not can(request.state, Move.DENY):
        return Outcome(id_, "overtaken")
    return refusing(ctx, snapshot, request, why)


def _delegations(ctx: WorkerContext, who: PersonId) -> Iterable[PersonId]:
    """Whoever named them to decide in their place, and themselves."""
    away = [PersonId(one) for one in ctx.ledger.members(keys.DELEGATIONS, limit=DELEGATIONS_MAX)]
    snapshot = ctx.ledger.read(*map(keys.person, away)) if away else None
    for one in away:
        record = snapshot.readable(keys.person(one), PersonRecord) if snapshot is not None else None
        if record is not None and record.delegation is not None and who in (one, record.delegation.to):
            yield one


def _no_delegate(ctx: WorkerContext, away: PersonId, who: PersonId) -> CommitAttempt | Outcome:
    item = keys.person(away)
    snapshot = ctx.ledger.read(item)
    record = snapshot.readable(item, PersonRecord)
    if record is None or record.delegation is None or who not in (away, record.delegation.to):
        return Outcome(away, "overtaken")
    commit_id = f"left:delegation:{item}:{snapshot.items[item].version}"
    return without_delegate(ctx, snapshot, record, BY_ITSELF, commit_id, Code.PERSON_DISABLED.value)

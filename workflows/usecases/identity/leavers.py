"""The look at everybody who holds access, every five minutes: who has left loses it, who may ask no longer is told of.

One due item, which the clock puts there while anybody holds anything; so with nobody holding anything nothing is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.durations import format_duration
from workflows.core.identity import AccountRecord, PersonId
from workflows.core.records.leavers import Finding, FindingState, Leavers
from workflows.core.rules.leaving import Looked, News, Plan, Standing, Verdict, plan, standing, verdict
from workflows.ports import Change, Snapshot
from workflows.usecases.identity.departure import back, partly
from workflows.usecases.identity.holders import accounts_of, chats, held_by, holders
from workflows.usecases.identity.leaving import end_of_leaver
from workflows.usecases.identity.movers import look_at_movers
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, WorkerContext, event, run
from workflows.usecases.shared.due_items import take_off
from workflows.usecases.shared.troubles import Failure, note, over

EVERY = timedelta(minutes=5)
# A list of everybody may take some minutes to be read to its end. Nothing ends on it: each is looked at again.
PASS_MAX = timedelta(minutes=20)
# While somebody is gone and a chat has not answered to the end, it is asked again in so many seconds.
SOONER_S = 15.0
# Whoever was found to be gone and could not be ended after all is looked at again so soon, in seconds.
AGAIN_S = 3.0
# A look that comes later than it should is the same trouble still.
LATE_MAX = timedelta(minutes=1)
SUBJECT = "leavers-"
NAMES_MAX = 100


def look_at_holders(ctx: WorkerContext) -> None:
    """May run any number of times. Raises PolicyUnavailable, and DirectoryUnreachable where nobody could ask at all."""
    policy = ctx.policy.current()
    found = holders(ctx)
    before = ctx.ledger.read(keys.LEAVERS).readable(keys.LEAVERS, Leavers) or Leavers()
    if not found and before.finding is None:
        take_off(ctx, keys.LEAVERS)
        return
    # First: whoever asks for a look while this one lasts gets another one.
    _next_look(ctx)
    bound = accounts_of(ctx, found)
    looked = ctx.refresher.look_at(chats(bound), policy) if found else Looked()
    now = ctx.ledger.now()
    stands = {who: [standing(looked.facts.get(one.slack), now, PASS_MAX) for one in bound[who]] for who in found}
    verdicts = {who: verdict(said) for who, said in stands.items()}
    made = _planned(ctx, verdicts, found, partial=bool(looked.silent))
    if made.ends:
        # Should this worker die over one of them, or find no ledger, the others do not wait for the next ordinary look.
        ctx.ledger.remind(keys.LEAVERS, SOONER_S)
    if not all([end_of_leaver(ctx, policy, who, held_by(ctx, who, found[who])) for who in made.ends]):
        # What was seen was overtaken, or could not be seen again: either the next look finds them there, or it ends.
        ctx.ledger.remind(keys.LEAVERS, AGAIN_S)
    for who, said in stands.items():
        _noted(ctx, found[who], bound[who], said, verdicts[who])
    look_at_movers(ctx, policy, {who: name for who, name in found.items() if verdicts[who] is not Verdict.LEFT})
    _tell_of_silence(ctx, looked)
    if looked.silent and (Verdict.LEFT in verdicts.values() or _is_ending(made.after.finding)):
        # Who is gone waits for those of whom nothing is known, and so does what people have said.
        ctx.ledger.remind(keys.LEAVERS, max(looked.after_s, SOONER_S))


def _is_ending(finding: Finding | None) -> bool:
    return finding is not None and finding.state is FindingState.ENDING


def _next_look(ctx: Context) -> None:
    snapshot = ctx.ledger.read()
    due = {keys.LEAVERS: snapshot.now + EVERY}
    change = Change(f"leavers:next:{ctx.chance.hex(16)}", snapshot.now, {}, due=due, removes_access=True)
    ctx.ledger.commit(change)


def _tell_of_silence(ctx: WorkerContext, looked: Looked) -> None:
    """A chat that does not answer ends nothing; from the third time on it alarms. One that answers in part is asked on."""
    if looked.goes_on:
        ctx.ledger.remind(keys.LEAVERS, max(looked.after_s, 1.0))
    elif looked.silent:
        words = "; ".join(dict.fromkeys(looked.silent.values()))
        note(ctx, keys.LEAVERS, Failure(words, again_at=ctx.ledger.now() + EVERY + LATE_MAX))
    else:
        over(ctx, keys.LEAVERS)


def _noted(
    ctx: WorkerContext, name: str, records: Sequence[AccountRecord], said: Sequence[Standing], found: Verdict
) -> None:
    """Of one account while others of theirs are there: told once. Whoever is back has not left."""
    if found is Verdict.PARTLY:
        gone = [record for record, one in zip(records, said, strict=True) if one is Standing.GONE]
        for record in gone:
            if record.left_at is None and record.person is not None:
                held = held_by(ctx, record.person, name)
                partly(ctx, record, [other for other in records if other not in gone], held)
    for record, one in zip(records, said, strict=True):
        if one is Standing.HERE and record.left_at is not None:
            back(ctx, record)


# ---------------------------------------------------------------- what is remembered


def _planned(
    ctx: Context, verdicts: Mapping[PersonId, Verdict], found: Mapping[PersonId, str], *, partial: bool
) -> Plan:
    """What is to be done, after it is on record."""
    made = Plan((), Leavers())

    def once() -> CommitAttempt | Outcome:
        nonlocal made
        snapshot = ctx.ledger.read(keys.LEAVERS)
        before = snapshot.readable(keys.LEAVERS, Leavers) or Leavers()
        made = plan(before, verdicts, snapshot.now, ctx.chance.hex(12), partial=partial)
        if made.after == before and made.news is None:
            return Outcome(keys.LEAVERS, "nothing")
        return _remembered(ctx, snapshot, before, made, found)

    run(ctx, once)
    return made


def _remembered(
    ctx: Context, snapshot: Snapshot, before: Leavers, made: Plan, found: Mapping[PersonId, str]
) -> CommitAttempt:
    told = _told(ctx, snapshot, before, made, found)
    subjects = tuple(keys.chat(entry.subject) for entry in told)
    done = Outcome(keys.LEAVERS, "looked")
    change = Change(
        commit_id=f"leavers:{snapshot.items[keys.LEAVERS].version}:{ctx.chance.hex(8)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.LEAVERS: made.after},
        due=dict.fromkeys(subjects, snapshot.now + SOON),
        audit=told,
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=subjects)


def _told(
    ctx: Context, snapshot: Snapshot, before: Leavers, made: Plan, found: Mapping[PersonId, str]
) -> tuple[AuditEvent, ...]:
    entries: list[AuditEvent] = []
    old, new = before.finding, made.after.finding
    if old is not None and (new is None or new.number != old.number) and made.news is not None:
        entries.append(decided(ctx, snapshot, old, "over", {}))
    if new is not None and made.news is News.HELD:
        entries.append(_held(ctx, snapshot, new, found))
    return tuple(entries)


def decided(ctx: Context, snapshot: Snapshot, finding: Finding, said: str, private: Mapping[str, str]) -> AuditEvent:
    """`said`: `end`, `here`, or `over` where nothing is left to say."""
    subject, facts = SUBJECT + finding.number, {"said": said, "people": str(len(finding.people))}
    return event(ctx, Event.LEAVERS_DECIDED, subject, snapshot, facts, private)


def _held(ctx: Context, snapshot: Snapshot, finding: Finding, found: Mapping[PersonId, str]) -> AuditEvent:
    named = [who for who in finding.people if who in found][:NAMES_MAX]
    lines = [f"{found[who]}: {', '.join(held_by(ctx, who, found[who]).things)}" for who in named]
    facts = {"people": str(len(finding.people)), "holders": str(finding.holders), "finding": finding.named}
    if finding.lately:
        facts |= {"lately": str(finding.lately), "within": format_duration(finding.within)}
    private = {"names": "\n".join(lines)}
    return event(ctx, Event.LEAVERS_HELD, SUBJECT + finding.number, snapshot, facts, private)

"""The run takes its approval: once, and no other run, commit or attempt does.

Where the gate gives the pipeline's own role something, taking the approval begins that, in the very commit; the run is told to go
on in a second one, once it was given and read back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.pipelines.identity import Forge, PipelineRun
from workflows.core.policy import Policy
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.lifecycle import Move, step
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.core.records.request import Request, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import not_now
from workflows.ports import Change, PolicyUnavailable, Snapshot
from workflows.usecases.oversight.refusals import record_refusal
from workflows.usecases.shared.closing import keys_of, out_of, runs_of
from workflows.usecases.shared.context import SOON, CommitAttempt, Context, Outcome, done_from, event, not_in_force, run
from workflows.usecases.shared.gate_giving import gate_keys, giving_starts
from workflows.usecases.shared.parties import party_on_hold, read_with_parties

LOOKS_AGAIN = Refused(Code.GATE_LOOKED_AT_AGAIN, audited=False)
_AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Redeemed:
    """`until`: how long the pipeline's role has `what`, where the gate gives something."""

    at: datetime
    until: datetime | None = None
    what: str = ""


def redeem(ctx: Context, id_: str, pipeline: PipelineRun | None, commit_id: str) -> Redeemed | Refused:
    """Take the approval, for good. `pipeline`: who asks for it, where that was proved anew; None: whoever has the wait ticket of
    the run that asked. GATE_LOOKED_AT_AGAIN: a worker looks at it first, or gives what the gate gives, which takes seconds.

    Whoever gets an answer can rely on it after a crash of the ledger, too.
    """
    answer = run(ctx, lambda: _once(ctx, id_, pipeline, commit_id))
    if isinstance(answer, Refused):
        _noted(ctx, id_, answer, commit_id)
        return answer
    if answer.outcome == _AGAIN:
        return LOOKS_AGAIN
    if not ctx.ledger.make_durable(commit_id):
        return Refused(Code.LEDGER_NOT_DURABLE, {"why": "nobody can tell whether this is on disk"}, audited=False)
    found = _redeemed(ctx, id_)
    if found is not LOOKS_AGAIN:
        return found
    # Whoever comes again with the same id is told, too, once it is there.
    told = run(ctx, lambda: _goes_on(ctx, id_, f"{commit_id}:told"))
    return told if isinstance(told, Refused) else _redeemed(ctx, id_)


def _goes_on(ctx: Context, id_: str, commit_id: str) -> CommitAttempt | Outcome | Refused:
    snapshot = ctx.ledger.read(keys.request(id_), keys.grant(id_), commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    request = snapshot.get(keys.request(id_), Request)
    if request is None or request.gate is None:
        return Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False)
    return _not_given(request, snapshot) or _told(request, snapshot, commit_id)


def _redeemed(ctx: Context, id_: str) -> Redeemed | Refused:
    snapshot = ctx.ledger.read(keys.request(id_), keys.grant(id_))
    request, grant = snapshot.get(keys.request(id_), Request), snapshot.readable(keys.grant(id_), Grant)
    gate = request.gate if request is not None else None
    if request is None or gate is None or gate.redeemed_at is None:
        return Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False)
    if request.gives is None:
        return Redeemed(gate.redeemed_at)
    if gate.told_at is None:
        # What it gives is on its way.
        return LOOKS_AGAIN
    return Redeemed(gate.redeemed_at, grant.deadline if grant else None, grant.resource.title if grant else "")


def _noted(ctx: Context, id_: str, refused: Refused, commit_id: str) -> None:
    request = ctx.ledger.read(keys.request(id_)).readable(keys.request(id_), Request)
    if request is not None:
        who, name = request.requester, request.requester_name
        record_refusal(ctx, who, id_, refused, commit_id, name, kind=Event.GATE_REFUSED)


def _once(ctx: Context, id_: str, pipeline: PipelineRun | None, commit_id: str) -> CommitAttempt | Outcome | Refused:
    try:
        policy = ctx.policy.current()
    except PolicyUnavailable as problem:
        return Refused(Code.POLICY_NOT_IN_FORCE, {"why": str(problem)}, audited=False)
    first = ctx.ledger.read(keys.request(id_)).get(keys.request(id_), Request)
    if first is None or first.gate is None:
        return Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False)
    given = gate_keys(first)
    snapshot = read_with_parties(ctx, (*keys_of(first), *given), first, commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    request = snapshot.get(keys.request(id_), Request)
    if request is None or request.gate is None:
        return Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False)
    if gate_keys(request) != given:
        return _once(ctx, id_, pipeline, commit_id)
    return _on_snapshot(ctx, policy, request, snapshot, pipeline, commit_id)


def _on_snapshot(
    ctx: Context, policy: Policy, request: Request, snapshot: Snapshot, pipeline: PipelineRun | None, commit_id: str
) -> CommitAttempt | Refused:
    refusal = _not_theirs(request, pipeline) or _not_given(request, snapshot) or _not_open(request, snapshot, policy)
    if refusal:
        return refusal
    if request.state is RequestState.APPROVED:
        return _told(request, snapshot, commit_id)
    # While an account of who began it is on hold nobody knows whom that bars: the worker waits, and so does the run.
    if not _as_looked_at(policy, request, snapshot) or party_on_hold(snapshot, request):
        return _look_again(request, snapshot, commit_id)
    return _taken(ctx, request, snapshot, commit_id)


def _not_theirs(request: Request, pipeline: PipelineRun | None) -> Refused | None:
    if pipeline is None or request.gate is None or pipeline.key == request.gate.run.key:
        return None
    return Refused(Code.GATE_OTHER_RUN, {"id": request.id}, rules=("run",))


def _not_given(request: Request, snapshot: Snapshot) -> Refused | None:
    """Of a run that has taken what its gate gives: why it cannot go on yet, or not at all."""
    if request.state is not RequestState.APPROVED or request.gate is None or request.gives is None:
        return None
    if request.gate.told_at is not None:
        return Refused(Code.GATE_USED, {"id": request.id}, rules=("once",))
    grant = snapshot.readable(keys.grant(request.id), Grant)
    if grant is not None and grant.state is GrantState.ACTIVATING:
        return LOOKS_AGAIN
    active = grant is not None and grant.state is GrantState.ACTIVE and snapshot.now < grant.deadline
    return None if active else Refused(Code.GATE_OVER, {"id": request.id})


def _not_open(request: Request, snapshot: Snapshot, policy: Policy) -> Refused | None:
    if request.state is RequestState.APPROVED:
        return None if request.gives is not None else Refused(Code.GATE_USED, {"id": request.id}, rules=("once",))
    if request.state is RequestState.PENDING:
        return Refused(Code.GATE_NOT_DECIDED, {"id": request.id}, audited=False)
    if request.state is not RequestState.SCHEDULED or snapshot.now >= request.expires_at:
        return Refused(Code.GATE_OVER, {"id": request.id})
    return not_in_force(snapshot, policy)


def _as_looked_at(policy: Policy, request: Request, snapshot: Snapshot) -> bool:
    """Whether all is as a worker has just found it: under this policy, and before a freeze or the end of the hours."""
    gate, active = request.gate, snapshot.readable(keys.ACTIVE_POLICY, ActivePolicy)
    if gate is None or gate.checked_at is None or active is None or not gate.given_out(snapshot.now):
        return False
    # What is opened in an emergency no freeze and no hours hold up.
    open_now = request.break_glass or not_now(policy, request, snapshot.now) is None
    return active.activated_at <= gate.checked_at and open_now


def _look_again(request: Request, snapshot: Snapshot, commit_id: str) -> CommitAttempt:
    """People, groups and the policy may be others by now."""
    item, gate = keys.request(request.id), request.gate
    done = Outcome(request.id, _AGAIN)
    change = Change(
        # Whoever comes again comes with the same id, and gets another answer then.
        commit_id=f"{commit_id}:again:{snapshot.items[item].version}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: replace(request, gate=gate and replace(gate, checked_at=None))},
        due={item: snapshot.now + SOON},
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(item,))


def _taken(ctx: Context, request: Request, snapshot: Snapshot, commit_id: str) -> CommitAttempt:
    item, gate = keys.request(request.id), request.gate
    used = replace(
        request,
        state=step(request.state, Move.START),
        gate=gate and replace(gate, redeemed_at=snapshot.now),
    )
    facts = {"terms": request.terms.hash, "policy": request.policy_hash[:12]}
    if request.gives is not None:
        facts |= {"kind": request.gives.target.kind, "duration_s": str(request.gives.duration_s)}
    if gate is not None:
        facts |= {"commit": gate.run.commit, "run": gate.run.run, "attempt": gate.run.attempt, "job": gate.run.job}
        facts |= {"rule": "yes"} if gate.rule else {}
        facts |= {"forge": gate.run.forge.value} if gate.rule and gate.run.forge is Forge.GITLAB else {}
    entry = event(ctx, Event.GATE_REDEEMED, request.id, snapshot, facts)
    done = Outcome(request.id, "redeemed")
    gives = giving_starts(used, snapshot)
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        # The slot stays: this run goes through here once.
        puts={item: used, **gives.puts},
        due={item: None, keys.chat(request.id): snapshot.now + SOON, **gives.due},
        index=(*out_of(keys.SCHEDULED, request), *gives.index, *runs_of(used)),
        audit=(entry,),
        gives_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=(keys.chat(request.id), *gives.wake))


def _told(request: Request, snapshot: Snapshot, commit_id: str) -> CommitAttempt:
    """It was given, and read back: the run goes on."""
    gate, done = request.gate, Outcome(request.id, "redeemed")
    told = replace(request, gate=gate and replace(gate, told_at=snapshot.now))
    change = Change(
        commit_id=commit_id,
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={keys.request(request.id): told},
        answer=done.answer,
    )
    return CommitAttempt(change, done)

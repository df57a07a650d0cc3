"""What a worker writes down while it sees to a deployment that a forge holds back: each step before the next one is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.pipelines.identity import Forge as Kind
from workflows.core.records.forge import ForgeAnswer, ForgeWait
from workflows.core.records.record import Record
from workflows.core.records.request import Request
from workflows.core.refusal import Refused
from workflows.ports import Change, Committed, Fence, Forge, Lease, LeaseOver, Snapshot
from workflows.usecases.gates import state as stands
from workflows.usecases.shared.closing import runs_of
from workflows.usecases.shared.context import (
    ATTEMPTS_MAX,
    SOON,
    CommitAttempt,
    Contended,
    Outcome,
    WorkerContext,
    event,
)

_HELD_UP_LENGTH_MAX = 200


class Comments(Protocol):
    """What the forge shows beside its answer."""

    def no_rule(self, wait: ForgeWait) -> str: ...
    def of_state(self, id_: str, state: stands.State) -> str: ...
    def refused(self, refused: Refused) -> str: ...


@dataclass(frozen=True, slots=True)
class Turn:
    """All that one turn needs. `current`: the lease, as long as it is ours."""

    ctx: WorkerContext
    forge: Forge
    comments: Comments
    current: Callable[[], Lease | None]
    fence: Fence

    def before_send(self) -> None:
        """Raises LeaseOver: another worker may see to it by now."""
        if self.current() is None:
            raise LeaseOver


def put_off(turn: Turn, wait: ForgeWait, at: datetime, seen: Request | None = None) -> ForgeWait:
    """It is looked at again then. `seen`: the ask as it was; where it is another one by now it is looked at at once."""

    def once() -> CommitAttempt | Outcome:
        snapshot = _read(turn, wait)
        request = snapshot.readable(keys.request(wait.request or ""), Request) if wait.request else None
        if snapshot.get(keys.forge(wait.id), ForgeWait) != wait or (seen is not None and request != seen):
            return Outcome(wait.id, "overtaken")
        return _step(turn, snapshot, wait.id, "put-off", {}, at)

    _run(turn, once)
    return wait


def with_request(turn: Turn, wait: ForgeWait, id_: str, at: datetime) -> ForgeWait:
    """It was asked for under this id."""
    return _written(turn, wait, replace(wait, request=id_), at)


def answered(turn: Turn, wait: ForgeWait, answer: ForgeAnswer) -> ForgeWait:
    """This is what the forge is to be told, whatever happens to this worker."""
    return _written(turn, wait, replace(wait, answer=answer), answer.at)


def dropped(turn: Turn, wait: ForgeWait) -> None:
    """Nobody waits for it. What had asked for it and was not taken is over already."""
    _over(turn, wait, lambda _: ({}, ()))


def let_on(turn: Turn, wait: ForgeWait) -> None:
    """The forge has it: what was approved has gone on."""
    told = wait.answer is not None and wait.answer.approved

    def changes(snapshot: Snapshot) -> tuple[Mapping[str, Record], tuple[AuditEvent, ...]]:
        request = _request(snapshot, wait) if told else None
        if request is None or request.gate is None:
            return {}, ()
        gate = replace(request.gate, let_on_at=snapshot.now, held_up="")
        entry = event(turn.ctx, Event.GATE_LET_ON, request.id, snapshot, _facts(request))
        return {keys.request(request.id): replace(request, gate=gate)}, (entry,)

    _over(turn, wait, changes)


def not_taken(turn: Turn, wait: ForgeWait, why: str) -> None:
    """The forge waits for no answer any more. What was approved, if anything was, has not gone on by it. `why`: for people."""

    def changes(snapshot: Snapshot) -> tuple[Mapping[str, Record], tuple[AuditEvent, ...]]:
        request = _request(snapshot, wait)
        if request is None or request.gate is None or not request.gate.is_being_told:
            return {}, ()
        gate = replace(request.gate, not_taken=why, held_up="")
        entry = event(turn.ctx, Event.GATE_NOT_TAKEN, request.id, snapshot, _facts(request), {"reason": why})
        return {keys.request(request.id): replace(request, gate=gate)}, (entry,)

    _over(turn, wait, changes)


def held_up(turn: Turn, wait: ForgeWait, why: str) -> None:
    """Whoever looks at the card sees why an approval has not reached the forge yet."""

    def once() -> CommitAttempt | Outcome:
        snapshot = _read(turn, wait)
        request = _request(snapshot, wait)
        words = why[:_HELD_UP_LENGTH_MAX]
        if request is None or request.gate is None or not request.gate.is_being_told or request.gate.held_up == words:
            return Outcome(wait.id, "known")
        puts = {keys.request(request.id): replace(request, gate=replace(request.gate, held_up=words))}
        chat = {keys.chat(request.id): snapshot.now + SOON}
        return _step(turn, snapshot, wait.id, "held-up", puts, snapshot.now, due=chat)

    _run(turn, once)


# ---------------------------------------------------------------- one commit


def _run(turn: Turn, once: Callable[[], CommitAttempt | Outcome]) -> Outcome:
    """Raises LeaseOver where another worker sees to it by now."""
    for _ in range(ATTEMPTS_MAX):
        attempt = once()
        if isinstance(attempt, Outcome):
            return attempt
        result = turn.ctx.ledger.commit(attempt.change)
        if isinstance(result, Committed):
            turn.ctx.wake(*attempt.wake)
            return attempt.done
        if result.why == "fence":
            raise LeaseOver
    raise Contended(f"lost {ATTEMPTS_MAX} races in a row")


def _written(turn: Turn, wait: ForgeWait, anew: ForgeWait, at: datetime) -> ForgeWait:
    def once() -> CommitAttempt | Outcome:
        snapshot = _read(turn, wait)
        if snapshot.get(keys.forge(wait.id), ForgeWait) != wait:
            return Outcome(wait.id, "overtaken")
        return _step(turn, snapshot, wait.id, "step", {keys.forge(wait.id): anew}, at)

    if _run(turn, once).outcome != "step":
        raise LeaseOver
    return anew


def _over(
    turn: Turn,
    wait: ForgeWait,
    changes: Callable[[Snapshot], tuple[Mapping[str, Record], tuple[AuditEvent, ...]]],
) -> None:
    def once() -> CommitAttempt | Outcome:
        snapshot = _read(turn, wait)
        item = keys.forge(wait.id)
        if snapshot.items[item].is_absent:
            return Outcome(wait.id, "overtaken")
        puts, audit = changes(snapshot)
        request = _request(snapshot, wait)
        chat = {keys.chat(wait.request): snapshot.now + SOON} if wait.request and puts else {}
        done = Outcome(wait.id, "over")
        change = Change(
            commit_id=f"forge-over:{wait.id}:{snapshot.items[item].version}",
            at=snapshot.now,
            reads=snapshot.versions(),
            puts=puts,
            deletes=frozenset({item}),
            due={item: None, **chat},
            index=runs_of(request, told=True) if request is not None else (),
            audit=audit,
            fence=turn.fence,
            removes_access=True,
            answer=done.answer,
        )
        return CommitAttempt(change, done, wake=tuple(chat))

    _run(turn, once)


def _step(
    turn: Turn,
    snapshot: Snapshot,
    id_: str,
    what: str,
    puts: Mapping[str, Record],
    at: datetime,
    due: Mapping[str, datetime] | None = None,
) -> CommitAttempt:
    done = Outcome(id_, what)
    change = Change(
        commit_id=f"forge-{what}:{id_}:{turn.ctx.chance.hex(16)}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts=puts,
        due={keys.forge(id_): at, **(due or {})},
        fence=turn.fence,
        removes_access=True,
        answer=done.answer,
    )
    return CommitAttempt(change, done, wake=tuple(due or ()))


def _read(turn: Turn, wait: ForgeWait) -> Snapshot:
    return turn.ctx.ledger.read(keys.forge(wait.id), *((keys.request(wait.request),) if wait.request else ()))


def _request(snapshot: Snapshot, wait: ForgeWait) -> Request | None:
    return snapshot.readable(keys.request(wait.request), Request) if wait.request else None


def _facts(request: Request) -> dict[str, str]:
    gate = request.gate
    run_ = {"run": gate.run.run, "attempt": gate.run.attempt, "commit": gate.run.commit} if gate is not None else {}
    run_ |= {"forge": gate.run.forge.value} if gate is not None and gate.run.forge is Kind.GITLAB else {}
    return {"terms": request.terms.hash, **run_}

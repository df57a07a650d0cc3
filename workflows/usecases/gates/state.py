"""How a pipeline's ask stands, for whoever waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.provider import NAME
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.request import Closing, Decision, DecisionKind, Request, RequestState
from workflows.core.refusal import Code, Refused
from workflows.usecases.shared.context import Context

# How long after its end a wait ticket still learns what became of the ask.
TOLD_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nobody has decided; or a worker looks at the approval before it is given out."""


@dataclass(frozen=True, slots=True)
class Approved:
    """The run may take it, once."""

    by_names: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Denied:
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Expired:
    """Nobody answered in time, or the run did not take the approval."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    reason: str


@dataclass(frozen=True, slots=True)
class NotGiven:
    """The bot itself closed it, whatever people had said."""

    refused: Refused


@dataclass(frozen=True, slots=True)
class Used:
    """`emergency`: nobody agreed to it, and somebody opened the gate by break-glass."""

    at: datetime
    emergency: bool = False


State = Waiting | Approved | Denied | Expired | Withdrawn | NotGiven | Used


@dataclass(frozen=True, slots=True)
class Standing:
    """`wait_ticket`: SHA-256 of the one that counts. `until`: from then on nobody is told any more."""

    id: str
    state: State
    wait_ticket: str
    expires_at: datetime
    until: datetime


def standing(ctx: Context, id_: str) -> Standing | None:
    """None where there is no such ask of a pipeline. Raises LedgerUnreachable, and CorruptRecord where it cannot be read."""
    snapshot = ctx.ledger.read(keys.request(id_), keys.grant(id_))
    request, grant = snapshot.get(keys.request(id_), Request), snapshot.readable(keys.grant(id_), Grant)
    if request is None or request.gate is None:
        return None
    # What a gate gives can be given back for as long as it is there.
    until = max(request.expires_at, grant.deadline if grant is not None else request.expires_at) + TOLD_FOR
    return Standing(id_, _state(request, grant), request.gate.wait_ticket, request.expires_at, until)


def _state(request: Request, grant: Grant | None) -> State:
    gate, decision = request.gate, request.decision
    if request.state is RequestState.APPROVED and gate is not None and request.gives is not None and not gate.told_at:
        return _given(request, grant)
    if request.state is RequestState.SCHEDULED and gate is not None and gate.checked_at and decision is not None:
        return _approved(decision)
    if request.state is RequestState.APPROVED and gate is not None and gate.redeemed_at is not None:
        return Used(gate.redeemed_at, request.break_glass)
    if request.closing is None:
        return Waiting()
    return _closed(request, request.closing)


def _approved(decision: Decision) -> Approved:
    """By whom, as a job's log says it: an older command says `approved by` before it."""
    broken = decision.kind is DecisionKind.BREAK_GLASS
    return Approved(tuple(f"{name}, in an emergency" if broken else name for name in decision.by_names), decision.at)


def _given(request: Request, grant: Grant | None) -> State:
    """Of a run that has taken its approval and waits for what the gate gives."""
    decision = request.decision
    if grant is not None and grant.state is GrantState.ACTIVATING:
        return Waiting()
    if grant is not None and grant.state is GrantState.ACTIVE and decision is not None:
        return _approved(decision)
    end = grant.end if grant is not None else None
    if end is not None and end.code is not None:
        return NotGiven(Refused(Code(end.code), {NAME: request.terms.target.provider, **end.params}))
    why = end.reason if end is not None and end.reason else "what the gate gives could not be given"
    return NotGiven(Refused(Code.TARGET_REFUSED, {"words": why}))


def _closed(request: Request, closing: Closing) -> State:
    if closing.code is not None:
        return NotGiven(Refused(Code(closing.code), {NAME: request.terms.target.provider, **closing.params}))
    if request.state is RequestState.EXPIRED:
        return Expired()
    if request.state is RequestState.WITHDRAWN:
        return Withdrawn(closing.reason or "")
    return Denied(closing.by_name or "", closing.reason or "")

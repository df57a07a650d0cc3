"""The forge is told what was decided, once: the answer is on the record before, and nothing is said of it before it is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from workflows.core import keys
from workflows.core.records.forge import ForgeAnswer, ForgeWait
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.request import Request, RequestState
from workflows.core.rules.forge_run import forge_of, rule_of, run_now
from workflows.ports import ForgeSilent, Snapshot
from workflows.usecases.gates import state as stands
from workflows.usecases.gates.forge_turn import Turn, answered, let_on, not_taken
from workflows.usecases.gates.look import no_longer

RUN_IS_OVER = "the run is over, or waits for nothing any more"
RUN_AGAIN = "the run was run again since, and asks anew"
TOO_LATE = "it could not be told in time"
NOT_APPROVED = "the record has no approval of it"
NO_LONGER = "the approval does not stand any more"
CALLED_OFF = "it was called off"
GIVEN_BACK = "what it gave the pipeline's role is over"
NO_RULE = "the policy does not have it wait here any more"


def tell(turn: Turn, wait: ForgeWait) -> None:
    """May be killed anywhere: it is looked at again before anything is said. Raises ForgeSilent."""
    answer = wait.answer
    if answer is None:
        return
    seen = turn.forge.run(wait)
    if seen is None or seen.over:
        _had_it(turn, wait, answer)
        return
    rule = rule_of(turn.ctx.policy.current().pipelines, wait)
    if rule is not None and answer.run_key not in ("", run_now(rule, wait, seen).key):
        not_taken(turn, wait, RUN_AGAIN)
        return
    no_more = (NO_RULE if rule is None else _no_more(turn, wait, answer)) if answer.approved else ""
    if no_more:
        _called_off(turn, wait, no_more)
    else:
        _told(turn, wait, answer)


def _no_more(turn: Turn, wait: ForgeWait, answer: ForgeAnswer) -> str:
    """Why nobody is let on by it now. What stands on the record is derived again, as it is whenever something is given."""
    ctx, now = turn.ctx, turn.ctx.ledger.now()
    item = keys.request(wait.request or "")
    request = ctx.ledger.read(item).get(item, Request)
    gate = request.gate if request is not None and request.state is RequestState.APPROVED else None
    if request is None or gate is None or (gate.rule, gate.run.key) != (wait.id, answer.run_key):
        return NOT_APPROVED
    if request.called_off is not None:
        return CALLED_OFF
    if now >= answer.until:
        return TOO_LATE
    if request.gives is not None and not _still_has(ctx.ledger.read(keys.grant(request.id)), request, now):
        return GIVEN_BACK
    return NO_LONGER if no_longer(ctx, ctx.policy.current(), request, now) is not None else ""


def _still_has(snapshot: Snapshot, request: Request, now: datetime) -> bool:
    """Whether the pipeline's role has what the gate gives: a run that is let on without it does half of its work."""
    grant = snapshot.readable(keys.grant(request.id), Grant)
    return grant is not None and grant.state is GrantState.ACTIVE and now < grant.deadline


def _told(turn: Turn, wait: ForgeWait, answer: ForgeAnswer) -> None:
    """That it is tried stands on the record first: an answer that was lost is told from one that was never sent."""
    before = wait
    if answer.tried_at is None:
        wait = answered(turn, wait, replace(answer, tried_at=turn.ctx.ledger.now()))
    if turn.forge.answer(wait, approved=answer.approved, comment=answer.comment, before_send=turn.before_send):
        let_on(turn, wait)
    elif before.answer is not None and before.answer.tried_at is not None and answer.approved:
        _sure(turn, wait)
    else:
        not_taken(turn, wait, RUN_IS_OVER)


def _called_off(turn: Turn, wait: ForgeWait, why: str) -> None:
    """It was approved, and must not be let on by that any more. An earlier try may have reached the forge after all."""
    if turn.forge.answer(wait, approved=False, comment=_comment(turn, wait, why), before_send=turn.before_send):
        not_taken(turn, wait, why)
    else:
        _had_it(turn, wait, wait.answer)


def _comment(turn: Turn, wait: ForgeWait, why: str) -> str:
    request = turn.ctx.ledger.read(keys.request(wait.request or "")).get(keys.request(wait.request or ""), Request)
    off = request.called_off if request is not None else None
    if request is None or off is None or why != CALLED_OFF:
        return f"Approved, but {why}."
    return turn.comments.of_state(request.id, stands.Denied(off.by_name or "", off.reason or ""))


def _had_it(turn: Turn, wait: ForgeWait, answer: ForgeAnswer | None) -> None:
    """It takes no answer. One that was tried before may be what it had."""
    tried = answer is not None and answer.approved and answer.tried_at is not None
    if tried and turn.forge.went_on(wait):
        let_on(turn, wait)
    else:
        not_taken(turn, wait, RUN_IS_OVER)


def _sure(turn: Turn, wait: ForgeWait) -> None:
    """Its run goes on, and does not take the answer a second time. It is not said to have gone on before it has."""
    if not turn.forge.went_on(wait):
        raise ForgeSilent(f"{forge_of(wait).label} does not say yet whether it has the answer")
    let_on(turn, wait)

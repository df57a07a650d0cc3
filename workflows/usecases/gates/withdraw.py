"""The pipeline does not wait any more: its job was cancelled; or it is done with what the gate gave its role."""

from __future__ import annotations

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.records.grant import End, EndCause, Grant
from workflows.core.records.lifecycle import Move, can
from workflows.core.records.request import Closing, Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.grant_terms import close
from workflows.usecases.shared.closing import closing_change, keys_of
from workflows.usecases.shared.context import CommitAttempt, Context, Outcome, done_from, event, run
from workflows.usecases.shared.take_back import take_back


def withdraw(ctx: Context, id_: str, commit_id: str) -> Outcome | Refused:
    """Take back the ask, also where it was agreed to and the run has not taken it. `Outcome.outcome`: `withdrawn`.

    Where the run has taken it, and its role has something by it, that is given back: `returned`.
    """
    snapshot = ctx.ledger.read(keys.request(id_), keys.grant(id_))
    request, grant = snapshot.get(keys.request(id_), Request), snapshot.readable(keys.grant(id_), Grant)
    if request is None or request.gate is None or grant is None:
        return run(ctx, lambda: _once(ctx, id_, commit_id))
    end = End(EndCause.RETURNED, snapshot.now, request.requester, request.requester_name)
    return take_back(ctx, id_, end, commit_id)


def _once(ctx: Context, id_: str, commit_id: str) -> CommitAttempt | Outcome | Refused:
    first = ctx.ledger.read(keys.request(id_)).get(keys.request(id_), Request)
    if first is None or first.gate is None:
        return Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False)
    snapshot = ctx.ledger.read(*keys_of(first), commit_id=commit_id)
    if snapshot.replay is not None:
        return done_from(snapshot.replay)
    request = snapshot.get(keys.request(id_), Request)
    if request is None or not can(request.state, Move.WITHDRAW):
        return Refused(Code.GATE_OVER, {"id": id_}, audited=False)
    over = close(request, Move.WITHDRAW, Closing(snapshot.now, by_name=request.requester_name))
    entry = event(ctx, Event.GATE_WITHDRAWN, id_, snapshot, {"terms": request.terms.hash, "by": "pipeline"})
    done = Outcome(id_, "withdrawn")
    change = closing_change(snapshot, over, commit_id, (entry,), done.answer)
    return CommitAttempt(change, done, wake=(keys.chat(id_),))

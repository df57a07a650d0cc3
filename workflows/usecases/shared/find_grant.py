"""A grant by its id, or why there is none."""

from __future__ import annotations

from workflows.core import keys
from workflows.core.records.grant import Grant
from workflows.core.records.request import Request
from workflows.core.refusal import Code, Refused
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.rebuilt import grant_or_rebuilt


def find_grant(ctx: Context, id_: str, what: str = "end") -> Grant | Refused:
    """The grant, or why there is none to `end` or `extend`."""
    snapshot = ctx.ledger.read(keys.grant(id_), keys.request(id_))
    grant, request = grant_or_rebuilt(ctx, snapshot, id_), snapshot.readable(keys.request(id_), Request)
    if grant is None and request is not None:
        return Refused(Code.GRANT_OVER, {"id": id_, "state": request.state.value, "what": what}, audited=False)
    return grant if grant is not None else Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False)

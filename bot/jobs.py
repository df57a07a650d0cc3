"""RQ entry points: an id in, nothing else. Each may run twice, late, or after a crash.

The names are on the queue: see `queues.JOBS`, which a test pins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bound_contextvars

from workflows.announced import check_announced
from workflows.chase import chase
from workflows.converge import converge
from workflows.core import keys
from workflows.core.model import CLOSED, Grant
from workflows.core.people import PersonId
from workflows.glass_review import chase as remind_of_review
from workflows.refusals import count_refusals as write_refusals
from workflows.resolve import advance_request as bring_forward
from workflows.resolve import warn
from workflows.revoke_all import sweep_out as sweep
from workflows.sweep import take_off

if TYPE_CHECKING:
    from bot.wiring import WorkerParts

log = structlog.get_logger()
_parts: list[WorkerParts] = []


def install(parts: WorkerParts) -> None:
    """Hand the process's objects to the jobs; RQ knows functions by name only."""
    _parts[:] = [parts]


def _worker() -> WorkerParts:
    if not _parts:
        raise RuntimeError("jobs run only in a process started by `prodaccess worker`")
    return _parts[0]


def converge_holding(id_: str) -> None:
    parts = _worker()
    parts.due.awake(keys.holding(id_))
    with bound_contextvars(holding=id_):
        converge(parts.context, id_)


def end_grant(id_: str) -> None:
    """A deadline has come. The holding knows what to do; the item stays due until the grant is closed."""
    parts = _worker()
    parts.due.awake(keys.end_due(id_))
    grant = parts.context.ledger.read(keys.grant(id_)).get(keys.grant(id_), Grant)
    if grant is None or grant.state in CLOSED:
        take_off(parts.context, keys.end_due(id_), keys.grant(id_))
    else:
        with bound_contextvars(request=id_, holding=grant.holding):
            converge(parts.context, grant.holding)


def advance_request(id_: str) -> None:
    parts = _worker()
    parts.due.awake(keys.request(id_))
    with bound_contextvars(request=id_):
        bring_forward(parts.context, id_)


def warn_holder(id_: str) -> None:
    parts = _worker()
    parts.due.awake(keys.warn_due(id_))
    with bound_contextvars(request=id_):
        warn(parts.context, id_)


def chase_approvers(id_: str) -> None:
    parts = _worker()
    parts.due.awake(keys.chase_due(id_))
    with bound_contextvars(request=id_):
        chase(parts.context, id_)


def chase_review(id_: str) -> None:
    parts = _worker()
    parts.due.awake(keys.review(id_))
    with bound_contextvars(request=id_):
        remind_of_review(parts.context, id_)


def look_whether_announced(id_: str) -> None:
    parts = _worker()
    parts.due.awake(keys.announced_due(id_))
    with bound_contextvars(request=id_):
        if check_announced(parts.context, id_):
            log.error("no channel was told of a break-glass; everybody concerned gets a direct message")


def sweep_out(id_: str) -> None:
    parts = _worker()
    parts.due.awake(keys.sweepout(id_))
    sweep(parts.context, id_)


def count_refusals(id_: str) -> None:
    parts = _worker()
    parts.due.awake(keys.refusals(PersonId(id_)))
    write_refusals(parts.context, PersonId(id_))


def decide_press(id_: str) -> None:
    parts = _worker()
    parts.due.awake(keys.press(id_))
    parts.deferred.decide(id_)


def show(subject: str) -> None:
    parts = _worker()
    parts.due.awake(keys.chat(subject))
    with bound_contextvars(request=subject):
        parts.sender.show(subject)


def post_digest(key: str) -> None:
    parts = _worker()
    parts.due.awake(f"digest:{key}")
    parts.sender.post_digest(key)

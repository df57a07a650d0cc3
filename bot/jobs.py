"""RQ entry points: an id in, nothing else. Each may run twice, late, or after a crash.

The names are on the queue: see `queues.JOBS`, which a test pins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bound_contextvars

from bot.observability import tracing
from workflows.core import keys
from workflows.core.identity import PersonId, account_named
from workflows.core.records.grant import CLOSED
from workflows.ports import LedgerUnreachable
from workflows.usecases.fulfilment.advance_request import advance_request as bring_forward
from workflows.usecases.fulfilment.advance_request import warn
from workflows.usecases.fulfilment.converge import converge
from workflows.usecases.identity.departure import look_who_it_is as look
from workflows.usecases.oversight.announcement_check import check_announced
from workflows.usecases.oversight.break_glass_review import chase as remind_of_review
from workflows.usecases.oversight.policy_activation import digest_due
from workflows.usecases.oversight.refusals import count_refusals as write_refusals
from workflows.usecases.oversight.reminders import chase
from workflows.usecases.revocation.revoke_all import carry_out_revocation
from workflows.usecases.shared.due_items import take_off
from workflows.usecases.shared.rebuilt import grant_or_rebuilt
from workflows.usecases.shared.troubles import attempt

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


def _carry_out(item: str, do: Callable[[WorkerParts], object], **about: str) -> None:
    """Every job goes through here: what goes wrong with it is an outcome like any other, and never RQ's business."""
    parts = _worker()

    def awake_and_do() -> None:
        parts.due.awake(item)
        do(parts)

    with bound_contextvars(**about), tracing.job(f"job {item.partition(':')[0]}", item, parts.redis):
        try:
            attempt(parts.context, item, awake_and_do)
        except LedgerUnreachable as problem:
            # Nothing can be noted where notes are kept. The item is still due, and the clock comes again.
            log.warning("a job found no ledger", item=item, why=str(problem))


def converge_holding(id_: str) -> None:
    _carry_out(keys.holding(id_), lambda parts: converge(parts.context, id_), holding=id_)


def end_grant(id_: str) -> None:
    """A deadline has come. The holding knows what to do; the item stays due until the grant is closed."""

    def end(parts: WorkerParts) -> None:
        grant = grant_or_rebuilt(parts.context, parts.context.ledger.read(keys.grant(id_)), id_)
        if grant is None or grant.state in CLOSED:
            take_off(parts.context, keys.end_due(id_), keys.grant(id_))
        else:
            with bound_contextvars(holding=grant.holding):
                converge(parts.context, grant.holding, id_)

    _carry_out(keys.end_due(id_), end, request=id_)


def advance_request(id_: str) -> None:
    _carry_out(keys.request(id_), lambda parts: bring_forward(parts.context, id_), request=id_)


def warn_holder(id_: str) -> None:
    _carry_out(keys.warn_due(id_), lambda parts: warn(parts.context, id_), request=id_)


def chase_approvers(id_: str) -> None:
    _carry_out(keys.chase_due(id_), lambda parts: chase(parts.context, id_), request=id_)


def chase_review(id_: str) -> None:
    _carry_out(keys.review(id_), lambda parts: remind_of_review(parts.context, id_), request=id_)


def look_whether_announced(id_: str) -> None:
    def look(parts: WorkerParts) -> None:
        if check_announced(parts.context, id_):
            log.error("no channel was told of a break-glass; everybody concerned gets a direct message")

    _carry_out(keys.announced_due(id_), look, request=id_)


def sweep_out(id_: str) -> None:
    _carry_out(keys.bulk_revocation(id_), lambda parts: carry_out_revocation(parts.context, id_))


def count_refusals(id_: str) -> None:
    who = PersonId(id_)
    _carry_out(keys.refusals(who), lambda parts: write_refusals(parts.context, who))


def look_who_it_is(id_: str) -> None:
    _carry_out(f"whois:{id_}", lambda parts: look(parts.context, account_named(id_)))


def decide_press(id_: str) -> None:
    _carry_out(keys.press(id_), lambda parts: parts.deferred.decide(id_))


def show(subject: str) -> None:
    _carry_out(keys.chat(subject), lambda parts: parts.reconciler.show(subject), request=subject)


def post_digest(key: str) -> None:
    _carry_out(digest_due(key), lambda parts: parts.reconciler.post_digest(key))

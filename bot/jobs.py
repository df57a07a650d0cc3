"""RQ entry points: an id in, nothing else. Each may run twice, late, or after a crash.

The names are on the queue: see `queues.JOBS`, which a test pins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bound_contextvars

from bot.observability import tracing
from bot.queues import SEPARATOR
from workflows.core import keys
from workflows.core.identity import PersonId, account_named
from workflows.ports import LedgerUnreachable
from workflows.usecases.fulfilment.advance_request import advance_request as bring_forward
from workflows.usecases.fulfilment.advance_request import warn
from workflows.usecases.fulfilment.converge_many import Outcomes, converge_holdings, end_grants
from workflows.usecases.identity.departure import look_who_it_is as look
from workflows.usecases.identity.leavers import look_at_holders as look_at_all
from workflows.usecases.oversight.announcement_check import check_announced
from workflows.usecases.oversight.break_glass_review import chase as remind_of_review
from workflows.usecases.oversight.policy_activation import digest_due
from workflows.usecases.oversight.refusals import count_refusals as write_refusals
from workflows.usecases.oversight.reminders import chase
from workflows.usecases.revocation.revoke_all import carry_out_revocation
from workflows.usecases.shared.troubles import attempt

if TYPE_CHECKING:
    from bot.wiring import Common, WorkerParts
    from workflows.usecases.sealing.sealer import Sealer
    from workflows.usecases.upkeep.retention.retainer import Retainer

log = structlog.get_logger()
_parts: list[WorkerParts] = []
# Where this process has the key of the audit log.
_sealing: list[tuple[Common, Sealer]] = []
_retaining: list[Callable[[], Retainer]] = []


def install(parts: WorkerParts) -> None:
    """Hand the process's objects to the jobs; RQ knows functions by name only."""
    _parts[:] = [parts]


def install_sealer(parts: Common, sealer: Sealer, retainer: Callable[[], Retainer] | None = None) -> None:
    """In a process that has the key of the audit log. `retainer`: made when something shall leave for the first time."""
    _sealing[:] = [(parts, sealer)]
    _retaining[:] = [retainer] if retainer is not None else []


def _worker() -> WorkerParts:
    if not _parts:
        raise RuntimeError("jobs run only in a process started by `prodaccess worker`")
    return _parts[0]


def _carry_out(item: str, do: Callable[[WorkerParts], object], **about: str) -> None:
    parts = _worker()
    _carry_out_with(parts, item, lambda: do(parts), **about)


def _carry_out_with(parts: Common, item: str, do: Callable[[], object], **about: str) -> None:
    """Every job goes through here: what goes wrong with it is an outcome like any other, and never RQ's business."""

    def awake_and_do() -> None:
        parts.due.awake(item)
        do()

    with bound_contextvars(**about), tracing.job(f"job {item.partition(':')[0]}", item, parts.redis):
        try:
            attempt(parts.context, item, awake_and_do)
        except LedgerUnreachable as problem:
            # Nothing can be noted where notes are kept. The item is still due, and the clock comes again.
            log.warning("a job found no ledger", item=item, why=str(problem))


def converge_holding(id_: str) -> None:
    """`id_`: of one holding, or of several, as `queues.in_jobs` puts them together."""
    _carry_out_together("holding", id_, lambda parts, ids: converge_holdings(parts.context, ids), "holding")


def end_grant(id_: str) -> None:
    """Deadlines have come, of one grant or of several."""
    _carry_out_together("end", id_, lambda parts, ids: end_grants(parts.context, ids), "request")


def _carry_out_together(
    kind: str, joined: str, do: Callable[[WorkerParts, Sequence[str]], Outcomes], word: str
) -> None:
    """As `_carry_out`, for each of several things: what goes wrong with one of them is an outcome of its own."""
    parts, ids = _worker(), joined.split(SEPARATOR)
    items = {id_: f"{kind}:{id_}" for id_ in ids}
    about = {word: ids[0]} if len(ids) == 1 else {"several": kind}
    # A trace of many names none of them.
    traced = items[ids[0]] if len(ids) == 1 else f"{kind}:"
    with bound_contextvars(**about), tracing.job(f"job {kind}", traced, parts.redis):
        try:
            # Whatever is wrong with the notes of wake-ups, what is due is done.
            attempt(parts.context, items[ids[0]], lambda: parts.due.awake(*items.values()))
            _note(parts, items, do(parts, ids))
        except LedgerUnreachable as problem:
            log.warning("a job found no ledger", item=traced, why=str(problem))


def _note(parts: WorkerParts, items: Mapping[str, str], outcomes: Outcomes) -> None:
    """What went wrong, of each. That one found no ledger is said last: others may have found one."""
    away: list[LedgerUnreachable] = []
    for id_, problem in outcomes.items():
        if isinstance(problem, LedgerUnreachable):
            away.append(problem)
        elif problem is not None:
            attempt(parts.context, items[id_], partial(_raise, problem))
    if away:
        raise away[0]


def _raise(problem: Exception) -> None:
    raise problem


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


def look_at_holders(id_: str) -> None:
    _carry_out(f"leavers:{id_}", lambda parts: look_at_all(parts.context))


def look_for_drift(id_: str) -> None:
    def look_further(parts: WorkerParts) -> None:
        from workflows.usecases.drift.passes import look_for_drift as carry_on  # noqa: PLC0415 - once an hour

        carry_on(parts.context, id_)

    _carry_out(keys.drift(id_), look_further)


def see_to_certification(id_: str) -> None:
    def see_to_it(parts: WorkerParts) -> None:
        from workflows.usecases.certification.see_to import see_to  # noqa: PLC0415 - a few times a quarter

        see_to(parts.context, id_)

    _carry_out(keys.certification(id_), see_to_it)


def answer_forge(id_: str) -> None:
    """A deployment waits at a forge, or what people decided on it has to be told there."""
    _carry_out(keys.forge(id_), lambda parts: parts.forge(id_))


def look_at_activity(id_: str) -> None:
    def look_further(parts: WorkerParts) -> None:
        from workflows.usecases.oversight.activity_look import look_at_activity as carry_on  # noqa: PLC0415 - now and then

        carry_on(parts.context, id_)

    _carry_out(keys.activity(id_), look_further, request=id_)


def decide_press(id_: str) -> None:
    _carry_out(keys.press(id_), lambda parts: parts.deferred.decide(id_))


def decide_terminal(id_: str) -> None:
    _carry_out(keys.terminal(id_), lambda parts: parts.terminal().decide(id_))


def show(subject: str) -> None:
    _carry_out(keys.chat(subject), lambda parts: parts.reconciler.show(subject), request=subject)


def post_digest(key: str) -> None:
    _carry_out(digest_due(key), lambda parts: parts.reconciler.post_digest(key))


def seal(id_: str) -> None:
    """Entries stand in the audit log that nobody has signed. Only who has the key listens to this."""
    if not _sealing:
        raise RuntimeError("the audit log is sealed only in a worker that has its key")
    ((parts, sealer),) = _sealing
    _carry_out_with(parts, f"seal:{id_}", sealer.seal)


def retain(id_: str) -> None:
    """What is over may leave the ledger for the archive."""
    if not _sealing or not _retaining:
        raise RuntimeError("nothing leaves but in a worker that has the key of the audit log")
    ((parts, _),), (retainer,) = _sealing, _retaining
    _carry_out_with(parts, f"retained:{id_}", lambda: retainer().bite())

"""Certifications that begin by themselves, where the policy has `certify`. By a worker."""

from __future__ import annotations

from datetime import datetime, timedelta

from workflows.core import keys
from workflows.core.certification.rules import DAY
from workflows.core.durations import format_duration
from workflows.core.policy import CertifyPlan, Policy
from workflows.core.records.certification import Certification
from workflows.core.refusal import Code, Refused
from workflows.ports import Change, PolicyUnavailable
from workflows.usecases.certification.standing import all_of
from workflows.usecases.certification.start import Wanted, start
from workflows.usecases.shared.context import Context, not_in_force
from workflows.usecases.shared.due_items import take_off

# Who begins it, as the record says it.
BY = "the policy"
# How long to wait for a policy that this process does not have, or that is not in force yet.
_ASK_AGAIN = timedelta(seconds=5)


def begin_what_is_due(ctx: Context) -> None:
    """Begins one where the last was so long ago, or none ever was; and notes when to look again. May run any number of times."""
    try:
        policy = ctx.policy.current()
    except PolicyUnavailable:
        return _look_again(ctx, ctx.ledger.now() + _ASK_AGAIN)
    if not_in_force(ctx.ledger.read(keys.ACTIVE_POLICY), policy):
        return _look_again(ctx, ctx.ledger.now() + _ASK_AGAIN)
    plan, now = policy.certify, ctx.ledger.now()
    if plan is None:
        return take_off(ctx, keys.CERTIFY_NEXT, keys.ACTIVE_POLICY)
    last = _last(ctx, policy)
    if last is not None and now < last.at + plan.every:
        return _look_again(ctx, last.at + plan.every)
    return _look_again(ctx, now + _begin(ctx, plan, last))


def _last(ctx: Context, policy: Policy) -> Certification | None:
    """The newest that asked about everything: this schedule's own, or one that covers all that the policy has."""
    all_ = frozenset(policy.environments)
    whole = [one for one in all_of(ctx.ledger) if one.by == BY or all_ <= frozenset(one.environments)]
    return max(whole, key=lambda one: one.at, default=None)


def _begin(ctx: Context, plan: CertifyPlan, last: Certification | None) -> timedelta:
    """After how long to look again. One that is open for some environment is let come to its end first."""
    reason = f"every {format_duration(plan.every)}, as the policy says"
    wanted = Wanted(BY, reason, within=plan.due, window=plan.every)
    answer = start(ctx, wanted, f"certify-scheduled:{last.id if last is not None else 0}:{ctx.chance.hex(8)}")
    if isinstance(answer, Refused):
        return DAY if answer.code is Code.CERTIFICATION_OPEN else _ASK_AGAIN
    return plan.every


def _look_again(ctx: Context, at: datetime) -> None:
    now = ctx.ledger.now()
    name = f"certify-next:{int(at.timestamp())}:{ctx.chance.hex(8)}"
    ctx.ledger.commit(Change(name, now, {}, due={keys.CERTIFY_NEXT: at}))

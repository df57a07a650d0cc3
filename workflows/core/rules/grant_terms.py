"""From an entitlement to terms, and from a decided request to the grant that follows. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from workflows.core.gates.terms import GateTerms, NothingToGive
from workflows.core.identity import Address, listed_as
from workflows.core.people import PersonId
from workflows.core.policy import Entitlement
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.holding import Holding
from workflows.core.records.lifecycle import Move, step
from workflows.core.records.request import Closing, Decision, Request, RequestState, Terms, slot_id

# Five minutes before the end, or a tenth of the duration, whichever is less. Below half a minute a warning warns of nothing.
WARNING_MAX = timedelta(minutes=5)
WARNING_MIN = timedelta(seconds=30)


def terms_for(entitlement: Entitlement, holder: PersonId, duration: timedelta, address: Address | None = None) -> Terms:
    """What exactly would be given; `address` is the holder's. Raises `provider.TemplateRefused` where a placeholder's value may
    not be used.
    """
    target = entitlement.target.terms(
        entitlement.connection, entitlement.environment, entitlement.account, address or listed_as(holder)
    )
    return Terms(
        environment=entitlement.environment,
        role=entitlement.role,
        tier=entitlement.tier,
        risk=entitlement.risk,
        holder=holder,
        duration_s=int(duration.total_seconds()),
        target=target.ending_sessions() if entitlement.end_sessions else target,
        allows=entitlement.allows,
        danger=entitlement.danger,
    )


def approve(request: Request, decision: Decision) -> Request:
    """The request that access follows from. One that was agreed to before its start keeps when and how it was decided."""
    if request.state is RequestState.SCHEDULED:
        return replace(request, state=step(request.state, Move.START))
    return replace(request, state=step(request.state, Move.APPROVE), decision=decision)


def schedule(request: Request, decision: Decision) -> Request:
    """Agreed to, and nothing is given before its start."""
    return replace(request, state=step(request.state, Move.SCHEDULE), decision=decision)


def close(request: Request, move: Move, closing: Closing) -> Request:
    return replace(request, state=step(request.state, move), closing=closing)


def grant_for(request: Request, decision: Decision) -> Grant:
    """The grant that follows. Its deadline is the deciding commit's time plus the duration.

    Raises `NothingToGive` for a gate.
    """
    if request.gate is not None or isinstance(request.terms.target, GateTerms):
        raise NothingToGive(f"{request.id} is a pipeline's ask: no access follows from it")
    if request.resource is None:
        raise ValueError(f"{request.id} was decided before its names were resolved")
    return Grant(
        id=request.id,
        holder=request.holder,
        holder_name=request.holder_name,
        terms=request.terms,
        resource=request.resource,
        holding=request.resource.holding,
        state=GrantState.ACTIVATING,
        decision=decision,
        deadline=decision.at + request.terms.duration,
    )


def grant_of_gate(request: Request, at: datetime) -> Grant:
    """What the pipeline's own role has from the instant at which its run took the approval. The holder is the pipeline.

    Raises `NothingToGive` where the gate has no target, or what it names has not been looked up.
    """
    gives = request.gives if request.gate is not None else None
    if gives is None or gives.resource is None or request.decision is None:
        raise NothingToGive(f"{request.id} is no approved ask of a gate that gives something")
    return Grant(
        id=request.id,
        holder=request.holder,
        holder_name=request.holder_name,
        terms=replace(request.terms, target=gives.target),
        resource=gives.resource,
        holding=gives.resource.holding,
        state=GrantState.ACTIVATING,
        decision=replace(request.decision, at=at),
        deadline=at + gives.duration,
    )


def held(holding: Holding | None, grant: Grant) -> Holding:
    """The holding with one more grant on it."""
    if holding is None:
        holding = Holding(id=grant.holding, resource=grant.resource)
    slot = slot_id(grant.holder, grant.terms.environment, grant.terms.role)
    slots = tuple(dict.fromkeys((*holding.slots, slot)))
    # Where nobody else has a grant on it, only a look after an end was told to wait, and it is not taken any more.
    next_try = holding.next_try if holding.grants or holding.operation else None
    # The newest terms say how to reach it: the same ids, perhaps through another role.
    return replace(
        holding,
        resource=grant.resource,
        grants=(*holding.grants, grant.id),
        slots=slots,
        looks=(),
        next_try=next_try,
    )


def warning_at(grant: Grant) -> datetime | None:
    """When the holder is told that the end is near; None where the access is too short for it."""
    lead = min(WARNING_MAX, grant.terms.duration / 10)
    return grant.deadline - lead if lead >= WARNING_MIN else None

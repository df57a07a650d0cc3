"""From an entitlement to terms, and from a decided request to the grant that follows. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from workflows.core.identity import Address, listed_as
from workflows.core.people import PersonId
from workflows.core.policy import Entitlement
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.holding import Holding
from workflows.core.records.lifecycle import Move, step
from workflows.core.records.request import Closing, Decision, Request, RequestState, Terms, slot_id
from workflows.core.records.target import TargetTerms
from workflows.core.templates import fill, fill_words

# Five minutes before the end, or a tenth of the duration, whichever is less. Below half a minute a warning warns of nothing.
WARNING_MAX = timedelta(minutes=5)
WARNING_MIN = timedelta(seconds=30)


def terms_for(entitlement: Entitlement, holder: PersonId, duration: timedelta, address: Address | None = None) -> Terms:
    """What exactly would be given; `address` is the holder's. Raises `templates.TemplateRefused` where a placeholder's value may
    not be used.
    """
    return Terms(
        environment=entitlement.environment,
        role=entitlement.role,
        tier=entitlement.tier,
        risk=entitlement.risk,
        holder=holder,
        duration_s=int(duration.total_seconds()),
        target=_target_terms(entitlement, address or listed_as(holder)),
        allows=entitlement.allows,
        danger=entitlement.danger,
    )


def _target_terms(entitlement: Entitlement, address: Address | None) -> TargetTerms:
    spec, connection = entitlement.target, entitlement.connection
    values = {
        "environment": entitlement.environment,
        "account": entitlement.account or "",
        "region": connection.region,
        "partition": connection.partition,
        "local_part": (address or "").partition("@")[0],
    }
    return TargetTerms(
        kind=spec.kind,
        connection=connection.name,
        region=connection.region,
        partition=connection.partition,
        account=entitlement.account,
        instance_arn=connection.instance_arn,
        role_arn=connection.role_arn,
        external_id=connection.external_id,
        profile=connection.profile,
        portal=connection.portal,
        permission_set=spec.permission_set,
        group=fill_words(spec.group, values) if spec.group else None,
        user=fill_words(spec.user, values) if spec.user else None,
        match=connection.match,
        document=fill(spec.policy_template, values) if spec.policy_template else None,
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
    """The grant that follows. Its deadline is the deciding commit's time plus the duration."""
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


def held(holding: Holding | None, grant: Grant) -> Holding:
    """The holding with one more grant on it."""
    if holding is None:
        holding = Holding(id=grant.holding, resource=grant.resource)
    slot = slot_id(grant.holder, grant.terms.environment, grant.terms.role)
    slots = tuple(dict.fromkeys((*holding.slots, slot)))
    # The newest terms say how to reach it: the same ids, perhaps through another role.
    return replace(holding, resource=grant.resource, grants=(*holding.grants, grant.id), slots=slots, looks=())


def warning_at(grant: Grant) -> datetime | None:
    """When the holder is told that the end is near; None where the access is too short for it."""
    lead = min(WARNING_MAX, grant.terms.duration / 10)
    return grant.deadline - lead if lead >= WARNING_MIN else None

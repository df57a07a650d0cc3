"""Several asked for in one go: which of them one decision is about, and what exactly is decided. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workflows.core.canonical_json import digest
from workflows.core.people import PersonId
from workflows.core.policy import OWNERS, Policy, one_or_all
from workflows.core.records.request import Request, slot_id
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import PENDING_MAX, Ask
from workflows.core.rules.groups import groups_named

# More than one person may have waiting would be refused anyway.
SEVERAL_MAX = PENDING_MAX


def distinct(asks: Iterable[Ask], holder: PersonId) -> tuple[Ask, ...]:
    """Without those that are there twice."""
    found: dict[str, Ask] = {}
    for ask in asks:
        found.setdefault(place_of(ask, holder), ask)
    return tuple(found.values())


def place_of(ask: Ask, holder: PersonId) -> str:
    """The slot that the ask would take."""
    return slot_id(holder, ask.environment.strip().lower(), ask.role.strip().lower())


def part(ask: Ask) -> str:
    """`read-only in orders-prod`: which of several is meant."""
    return f"{ask.role.strip()[:60]} in {ask.environment.strip()[:60]}"


def too_many_at_once(asks: Sequence[Ask]) -> Refused | None:
    if len(asks) <= SEVERAL_MAX:
        return None
    return Refused(Code.SEVERAL_TOO_MANY, {"count": str(len(asks)), "max": str(SEVERAL_MAX)}, audited=False)


def panels(policy: Policy | None, requests: Sequence[Request]) -> tuple[tuple[Request, ...], ...]:
    """The requests by who decides them: one card, one Approve and one Deny for each panel.

    Together are those whose cards stand in the same channels and that want the same people, as many of each.
    """
    found: dict[str, list[Request]] = {}
    for request in requests:
        found.setdefault(_audience(policy, request), []).append(request)
    return tuple(tuple(panel) for panel in found.values())


def _audience(policy: Policy | None, request: Request) -> str:
    place = policy.environments.get(request.terms.environment) if policy else None
    role = place.roles.get(request.terms.role) if place else None
    if place is None or role is None:
        return request.id
    needs = {word: [sorted(groups_named(role, (word,))), count] for word, count in role.approve.items()}
    return digest([one_or_all(place.approvals_channels), sorted(groups_named(role, (OWNERS,))), needs])


def panel_of(policy: Policy | None, requests: Sequence[Request], id_: str) -> tuple[Request, ...]:
    return next((panel for panel in panels(policy, requests) if any(item.id == id_ for item in panel)), ())


def shown(panel: Sequence[Request]) -> tuple[Request, ...]:
    """Those whose names are known, so that somebody can decide them."""
    return tuple(request for request in panel if request.resource is not None)


def terms_of(panel: Sequence[Request]) -> str:
    """16 hex digits over the terms of all that a card shows; its button carries them, as a single card's does."""
    return digest([[request.id, request.terms.hash] for request in shown(panel)])[:16]

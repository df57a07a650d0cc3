"""Roles whose holder keeps access after its end: wrong in production, unwise elsewhere, until somebody says why it has to be."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.core.policy import Entitlement, Tier
from workflows.policy_file.problem import Problem

_NAMED_MAX = 3


def errors(entitlement: Entitlement) -> Iterator[Problem]:
    """What must not be in production."""
    if entitlement.tier is Tier.PRODUCTION:
        yield from _unexplained(entitlement)


def of_sessions(entitlement: Entitlement) -> Iterator[Problem]:
    """`end_sessions` where nobody could keep the promise."""
    problem = entitlement.target.sessions_problem() if entitlement.end_sessions else None
    if problem is not None:
        yield _at(entitlement.origins["end_sessions"], f"{entitlement.name}: {problem[0]}", problem[1])


def warnings(entitlement: Entitlement) -> Iterator[Problem]:
    if entitlement.tier is not Tier.PRODUCTION:
        yield from _unexplained(entitlement)
    if entitlement.outlives and not entitlement.target.outliving():
        message = f"{entitlement.name} says why it outlives its end, and nothing that it allows does"
        yield _at(entitlement.origins["outlives"], message, "take outlives out")


def _unexplained(entitlement: Entitlement) -> Iterator[Problem]:
    found = entitlement.target.outliving()
    if found is None or entitlement.outlives:
        return
    rest = f" and {len(found.actions) - _NAMED_MAX} more" if len(found.actions) > _NAMED_MAX else ""
    named = ", ".join(found.actions[:_NAMED_MAX]) + rest
    message = f"a grant of {entitlement.name} can outlive its end: {found.source} allows {named}"
    yield _at(
        entitlement.origins["target"], message, 'take it out, or say why it has to be: outlives: "..." in the role'
    )


def _at(place: str, message: str, suggestion: str) -> Problem:
    file, _, line = place.rpartition(":")
    return Problem(file, int(line), message, suggestion)

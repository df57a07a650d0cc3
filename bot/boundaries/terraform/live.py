"""What AWS itself says of the bucket of a state."""

from __future__ import annotations

from dataclasses import dataclass

from bot.boundaries.model import Evidence
from bot.boundaries.terraform.policies import Policy


@dataclass(frozen=True, slots=True)
class Live:
    """`policy`: of the bucket; None: it has none, or that could not be read (`policy_known`). `people`: of their roles."""

    region: Evidence | None = None
    kept: tuple[Evidence, ...] = ()
    policy: Policy | None = None
    policy_known: bool = False
    people: tuple[Evidence, ...] = ()

"""What is asked of a provider of targets before anybody asks for access: see `TargetProvider.examine`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from workflows.core.identity import Address
from workflows.core.policy import Entitlement
from workflows.core.provider import Connection


@dataclass(frozen=True, slots=True)
class Question:
    """Whether all that is there. `holders`: who may ask for it, as far as is known.

    `wall_s`: the time of day here, in seconds since the epoch, to compare with the provider's.
    """

    connections: tuple[Connection, ...]
    entitlements: tuple[Entitlement, ...]
    holders: Callable[[Entitlement], Iterable[Address]]
    wall_s: Callable[[], float]

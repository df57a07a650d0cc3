"""What is asked of a provider of targets before anybody asks for access: see `TargetProvider.examine`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from workflows.core.identity import Address
from workflows.core.policy import Entitlement, Group
from workflows.core.provider import Connection


@dataclass(frozen=True, slots=True)
class Question:
    """Whether all that is there. `holders`: who may ask for it, as far as is known.

    `wall_s`: the time of day here, in seconds since the epoch, to compare with the provider's. `groups`: the policy's own, some
    of which a provider keeps. `identity_accounts`: those that vouch for people at a terminal. `archive`, `signs_with`: where the
    audit log goes and what signs it, as the settings have them.
    """

    connections: tuple[Connection, ...]
    entitlements: tuple[Entitlement, ...]
    holders: Callable[[Entitlement], Iterable[Address]]
    wall_s: Callable[[], float]
    groups: tuple[Group, ...] = ()
    identity_accounts: tuple[str, ...] = ()
    archive: str = ""
    signs_with: str = ""

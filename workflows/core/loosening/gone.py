"""What stood in production lately and does not now: what comes back is held against it, under whatever name it comes.

Without it, production could be taken away in one change, which loosens nothing, and come back by development's rules in the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workflows.core.policy import Entitlement, Environment, Policy, Tier


@dataclass(frozen=True, slots=True)
class Gone:
    """`policies`: those from which something of production went in the last 30 days, the newest first. `old` is in force."""

    old: Policy
    policies: Sequence[Policy] = ()

    def environment(self, name: str) -> tuple[Policy, Environment] | None:
        """As it was last in production; None where it was not, or is still there."""
        return None if name in self.old.environments else self._last(name)

    def role(self, environment: str, role: str) -> tuple[Policy, Entitlement] | None:
        """The same for one role of an environment that is still there."""
        for policy in self.policies:
            place = policy.environments.get(environment)
            if place is not None and place.tier is Tier.PRODUCTION and role in place.roles:
                return policy, place.roles[role]
        return None

    def roles(self) -> Iterator[Entitlement]:
        """All that was given in production. What stands as it was, with another tier by now, was told when that changed."""
        stands = {_given(role) for place in self.old.environments.values() for role in place.roles.values()}
        return (role for policy in self.policies for role in _in_production(policy) if _given(role) not in stands)

    def whole(self) -> Policy | None:
        """The last policy with production; None where the one in force has some."""
        if next(_in_production(self.old), None) is not None:
            return None
        return next((one for one in self.policies if next(_in_production(one), None) is not None), None)

    def _last(self, name: str) -> tuple[Policy, Environment] | None:
        for policy in self.policies:
            place = policy.environments.get(name)
            if place is not None and place.tier is Tier.PRODUCTION:
                return policy, place
        return None


def leaves(old: Policy, new: Policy) -> bool:
    """Whether something that `old` has in production is not in `new`'s, so that `old` has to be remembered."""
    stays = {_given(role) for role in _in_production(new)}
    return any(_given(role) not in stays for role in _in_production(old))


def _in_production(policy: Policy) -> Iterator[Entitlement]:
    places = (place for place in policy.environments.values() if place.tier is Tier.PRODUCTION)
    return (role for place in places for role in place.roles.values())


def _given(role: Entitlement) -> tuple[str, str, str | None, str, str]:
    return role.environment, role.role, role.account, role.target.phrase(), role.connection.phrase()

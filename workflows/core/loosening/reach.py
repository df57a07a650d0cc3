"""What gives access to production, whatever tier its environment says: a door beside the one that is watched.

An environment that calls itself development and names production's account lets people in by development's rules. So does a role
whose target is the same, where the account says nothing of it: a group of people's users, say. Targets are compared through
connections that are written alike: groups of one name in two places are two groups.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from workflows.core.identity import Address
from workflows.core.policy import Entitlement, Environment, Policy, Risk, Tier
from workflows.core.provider import TargetTerms, TemplateRefused

# Whoever they are, and wherever: what is written for one person or account is compared with what is for the same one.
_SOMEBODY = Address("somebody@example.com")
_SOMEWHERE = "000000000000"


class Production:
    """All that these policies give in production: its accounts, whatever leads there, and else exactly what is given."""

    def __init__(self, *policies: Policy, lately: Iterable[Entitlement] = ()) -> None:
        """`lately`: what else counts, because it was there."""
        roles = [
            role
            for policy in policies
            for place in policy.environments.values()
            if place.tier is Tier.PRODUCTION
            for role in place.given
        ]
        roles += lately
        self._accounts = {role.account for role in roles if role.account is not None}
        # By connection.
        self._terms: dict[str, list[TargetTerms]] = {}
        for role in roles:
            known, terms = self._terms.setdefault(role.connection.phrase(), []), _terms(role)
            if terms is not None and terms not in known:
                known.append(terms)

    def roles_in(self, place: Environment | None) -> frozenset[str]:
        """Names of its roles that give something in production."""
        return frozenset(self._reached(place.given)) if place is not None else frozenset()

    def _reached(self, roles: Iterable[Entitlement]) -> Iterable[str]:
        for role in roles:
            terms, known = _terms(role), self._terms.get(role.connection.phrase(), ())
            if role.account in self._accounts or (terms is not None and any(one.same_access(terms) for one in known)):
                yield role.role


def risks_of_the_same(role: Entitlement, others: Iterable[Entitlement]) -> frozenset[Risk]:
    """What those of the others are called that give the same, in whichever account: a risk is a word in a file."""
    phrase, own = role.connection.phrase(), _terms(replace(role, account=_SOMEWHERE))
    alike = (one for one in others if one.connection.phrase() == phrase)
    return frozenset(
        one.risk
        for one in alike
        if own is not None
        and (terms := _terms(replace(one, environment=role.environment, account=_SOMEWHERE))) is not None
        and own.same_access(terms)
    )


def _terms(role: Entitlement) -> TargetTerms | None:
    """None where it cannot be filled in, which the policy's own check tells. The account is no part of it where the target needs
    none.
    """
    account = role.account if role.target.lacks(None) else _SOMEWHERE
    try:
        return role.target.terms(role.connection, role.environment, account, _SOMEBODY)
    except TemplateRefused:
        return None

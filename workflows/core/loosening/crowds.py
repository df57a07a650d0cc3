"""Who is meant by words of the policy, as far as the policy itself says it: addresses, and lists that are kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from workflows.core.policy import Policy
from workflows.core.rules.groups import Scope, groups_named, groups_that_count

# Addresses, and sources such as `slack:S0ONCALL`, of which nothing is known but that whoever is in it is in it.
Crowd = frozenset[str]


def crowd(policy: Policy, names: Iterable[str]) -> Crowd:
    """Everybody in one of these groups."""
    found: set[str] = set()
    for name in names:
        group = policy.groups.get(name)
        if group is None:
            continue
        if group.members is not None:
            found.update(group.members)
        elif group.source is not None:
            found.add(group.source)
    return frozenset(found)


def named(policy: Policy, scope: Scope, words: tuple[str, ...]) -> Crowd:
    """For asking and for being an owner: a group that anybody may edit is as good as another one."""
    return crowd(policy, groups_named(scope, words))


def counting(policy: Policy, scope: Scope, words: tuple[str, ...]) -> Crowd:
    """For what gives: in production a group that anybody may edit counts for nothing."""
    return crowd(policy, groups_that_count(policy, scope, words))


def came(before: Crowd, after: Crowd) -> tuple[str, ...]:
    return tuple(sorted(after - before))

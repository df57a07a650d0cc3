"""Which lists a pass reads: each thing that the policy gives, once, however many environments and roles name it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from workflows.core import keys
from workflows.core.canonical_json import digest
from workflows.core.gates.ask import is_pipeline
from workflows.core.identity import Address
from workflows.core.policy import Entitlement, Environment, Policy
from workflows.core.provider import TargetTerms, TemplateRefused
from workflows.core.records.drift import DriftPlan, Look
from workflows.core.records.gate import Giving
from workflows.core.records.grant import Grant
from workflows.core.rules.gate_asking import giving
from workflows.core.rules.groups import groups_named
from workflows.ports import Ledger
from workflows.usecases.shared.context import Context

# Two people of whom there is none: where both get the same, nobody's own name stands in it.
_SOMEBODY, _ANOTHER = Address("somebody@example.invalid"), Address("another@example.invalid")
# Whoever had access lately is looked at, too; so many of each environment.
LATELY_MAX = 200
_FOUND_MAX = 100_000


def scope_of(terms: TargetTerms) -> str:
    """20 hex digits: what a list by these terms covers."""
    return digest(list(terms.scope()))[:20]


@dataclass(slots=True)
class _Planned:
    looks: dict[str, Look] = field(default_factory=dict)
    not_known: dict[str, None] = field(default_factory=dict)

    def add(self, terms: TargetTerms, role: tuple[str, str]) -> None:
        scope = scope_of(terms)
        known = self.looks.get(scope)
        roles = dict.fromkeys((*(known.roles if known else ()), role))
        self.looks[scope] = Look(scope, known.terms if known else terms, tuple(roles))


def plan(ctx: Context, policy: Policy, number: int) -> DriftPlan:
    """The looks in the order of their scopes, so that neighbours in the policy are not asked for in a row."""
    planned = _Planned()
    for place in policy.environments.values():
        had = grants_lately(ctx.ledger, place.name)
        for role in place.roles.values():
            for terms in _terms(ctx, policy, role, had, planned):
                planned.add(terms, (place.name, role.role))
        for terms, name in _of_pipelines(place, had):
            planned.add(terms, (place.name, name))
    looks = tuple(planned.looks[scope] for scope in sorted(planned.looks))
    return DriftPlan(number, policy.hash, looks, tuple(planned.not_known))


def grants_lately(ledger: Ledger, environment: str) -> tuple[Grant, ...]:
    """All that are live there, and those that were over last."""
    live = ledger.members(keys.of_environment(keys.LIVE, environment), limit=_FOUND_MAX)
    over = ledger.members(keys.CLOSED, limit=LATELY_MAX, newest=True)
    found = grants(ledger, (*live, *over))
    return tuple(grant for grant in found if grant.terms.environment == environment)


def grants(ledger: Ledger, ids: Iterable[str]) -> tuple[Grant, ...]:
    """Those that can be read."""
    wanted = [keys.grant(id_) for id_ in dict.fromkeys(ids)]
    found: list[Grant] = []
    for first in range(0, len(wanted), 1000):
        part = wanted[first : first + 1000]
        snapshot = ledger.read(*part)
        found += filter(None, (snapshot.readable(key, Grant) for key in part))
    return tuple(found)


def _terms(
    ctx: Context, policy: Policy, role: Entitlement, had: Iterable[Grant], planned: _Planned
) -> Iterator[TargetTerms]:
    first, second = (_filled(role, who) for who in (_SOMEBODY, _ANOTHER))
    if first is not None and second is not None and first.scope() == second.scope():
        yield first
        return
    for address in _addresses(ctx, policy, role, planned):
        terms = _filled(role, address)
        if terms is None:
            planned.not_known[f"{role.name}: {address} cannot be filled in"] = None
        else:
            yield terms
    for grant in had:
        # Whoever may ask no more, or has another name there than their address says.
        held = grant.resource.target
        if grant.terms.role == role.role and held.kind == role.target.kind and held.connection == role.connection.name:
            yield held


def _of_pipelines(place: Environment, had: Iterable[Grant]) -> Iterator[tuple[TargetTerms, str]]:
    """What gates give pipelines' own roles, and gave lately, with the gate's name among the roles."""
    for gate in place.gates.values():
        found = giving(gate)
        if isinstance(found, Giving):
            yield found.target, gate.entitlement.role
    for grant in had:
        if is_pipeline(grant.holder):
            yield grant.resource.target, grant.terms.role


def _filled(role: Entitlement, who: Address) -> TargetTerms | None:
    try:
        return role.target.terms(role.connection, role.environment, role.account, who)
    except TemplateRefused:
        return None


def _addresses(ctx: Context, policy: Policy, role: Entitlement, planned: _Planned) -> tuple[Address, ...]:
    """Of all who may ask, as far as is known."""
    names = groups_named(role, role.requesters)
    groups = ctx.directory.groups(policy, names).last_known()
    for name in groups.unknown(names):
        planned.not_known[f"{role.name}: who is in {name} is not known"] = None
    people = ctx.directory.of_people(groups.members(names)).values()
    # Whom the policy lists is known before they have ever acted.
    listed = (policy.groups[name].members or () for name in names if name in policy.groups)
    found = {facts.address for facts in people if facts.address is not None}
    return tuple(sorted(found.union(*listed)))

"""Which lists a pass reads: each thing that the policy gives, once, however many environments and roles name it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

from workflows.core import keys
from workflows.core.canonical_json import digest
from workflows.core.gates.ask import is_pipeline
from workflows.core.identity import Address, PersonId
from workflows.core.policy import Entitlement, Environment, Policy
from workflows.core.provider import TargetTerms, TemplateRefused
from workflows.core.records.drift import Look
from workflows.core.records.gate import Giving
from workflows.core.records.grant import CLOSED, Grant
from workflows.core.rules.gate_asking import giving
from workflows.core.rules.groups import groups_named
from workflows.ports import Ledger
from workflows.usecases.shared.context import Context

# Two people of whom there is none: where both get the same, nobody's own name stands in it.
_SOMEBODY, _ANOTHER = Address("somebody@example.invalid"), Address("another@elsewhere.invalid")
# Whoever had access lately is looked at, too.
LATELY_MAX = 200
Role = tuple[str, str]


def scope_of(terms: TargetTerms) -> str:
    """20 hex digits: what a list by these terms covers."""
    return digest(list(terms.scope()))[:20]


@dataclass(frozen=True, slots=True)
class Planned:
    """The looks in the order of their scopes, so that neighbours in the policy are not asked for in a row.

    `not_known`: what could not even be planned, and why, a sentence each.
    """

    looks: tuple[Look, ...]
    not_known: tuple[str, ...]


@dataclass(slots=True)
class _Plan:
    looks: dict[str, Look] = field(default_factory=dict)
    not_known: dict[str, None] = field(default_factory=dict)
    # Hundreds of people have what the same roles give: these are one tuple for all of them.
    joined: dict[tuple[tuple[Role, ...], tuple[Role, ...]], tuple[Role, ...]] = field(default_factory=dict)

    def add(
        self, terms: TargetTerms, roles: tuple[Role, ...], who: PersonId | None = None, *, own: bool = False
    ) -> None:
        """`own`: it is of one person alone, who is `who` where they have it now."""
        scope = scope_of(terms)
        known = self.looks.get(scope) or Look(scope, terms, roles, own)
        people = known.people if who is None or who in known.people else (*known.people, who)
        self.looks[scope] = replace(known, roles=self._all(known.roles, roles), own=known.own and own, people=people)

    def _all(self, before: tuple[Role, ...], more: tuple[Role, ...]) -> tuple[Role, ...]:
        if before is more or before == more:
            return before
        found = self.joined.get((before, more))
        if found is None:
            both = tuple(dict.fromkeys((*before, *more)))
            found = self.joined[before, more] = before if both == before else both
        return found


@dataclass(slots=True)
class _Family:
    """Roles that give one person the same, whoever it is, and for which the same people may ask: looked at once for each."""

    role: Entitlement
    roles: list[Role] = field(default_factory=list)


def plan(ctx: Context, policy: Policy) -> Planned:
    planned, families = _Plan(), dict[tuple[str, ...], _Family]()
    for place in policy.environments.values():
        for role in place.roles.values():
            shared = _shared(role)
            if shared is not None:
                planned.add(shared, ((place.name, role.role),))
            else:
                families.setdefault(_family(role), _Family(role)).roles.append((place.name, role.role))
        for terms, name in _of_gates(place):
            planned.add(terms, ((place.name, name),))
    for family in families.values():
        for terms in _terms(ctx, policy, family.role, planned):
            planned.add(terms, tuple(family.roles), own=True)
    _add_held(ctx.ledger, policy, {role for one in families.values() for role in one.roles}, planned)
    looks = tuple(planned.looks[scope] for scope in sorted(planned.looks))
    return Planned(looks, tuple(planned.not_known))


def _shared(role: Entitlement) -> TargetTerms | None:
    """What everybody gets by this role, where it is the same."""
    first, second = (_filled(role, who) for who in (_SOMEBODY, _ANOTHER))
    return first if first is not None and second is not None and first.scope() == second.scope() else None


def _family(role: Entitlement) -> tuple[str, ...]:
    scopes = [_filled(role, who) for who in (_SOMEBODY, _ANOTHER)]
    names = groups_named(role, role.requesters)
    if None in scopes:
        return role.name, *names
    return *(scope_of(one) for one in scopes if one is not None), *names


def _add_held(ledger: Ledger, policy: Policy, own: set[Role], planned: _Plan) -> None:
    """What people and pipelines have now and had lately, whoever may ask no more, or has another name there than their address
    says. `places`: those where somebody has something of their own.
    """
    places = dict.fromkeys(environment for environment, _ in own)
    names = (keys.of_environment(keys.LIVE, name) for name in places)
    live = (grant for name in names for part in ledger.walk(name) for grant in grants(ledger, part))
    runs = (grant for part in ledger.walk(keys.RUNS) for grant in grants(ledger, part))
    lately = grants(ledger, ledger.members(keys.CLOSED, limit=LATELY_MAX, newest=True))
    for grant in chain(lately, runs, live):
        named, held = (grant.terms.environment, grant.terms.role), grant.resource.target
        role = policy.entitlement(*named)
        if is_pipeline(grant.holder) and named[0] in policy.environments:
            planned.add(held, (named,))
        elif (
            role is not None
            and named in own
            and (held.kind, held.connection) == (role.target.kind, role.connection.name)
        ):
            planned.add(held, (named,), grant.holder if grant.state not in CLOSED else None, own=True)


def grants(ledger: Ledger, ids: Iterable[str]) -> tuple[Grant, ...]:
    """Those that can be read."""
    wanted = [keys.grant(id_) for id_ in dict.fromkeys(ids)]
    found: list[Grant] = []
    for first in range(0, len(wanted), 1000):
        part = wanted[first : first + 1000]
        snapshot = ledger.read(*part)
        found += filter(None, (snapshot.readable(key, Grant) for key in part))
    return tuple(found)


def _terms(ctx: Context, policy: Policy, role: Entitlement, planned: _Plan) -> Iterator[TargetTerms]:
    """For each who may ask."""
    for address in _addresses(ctx, policy, role, planned):
        terms = _filled(role, address)
        if terms is None:
            planned.not_known[f"{role.name}: {address} cannot be filled in"] = None
        else:
            yield terms


def _of_gates(place: Environment) -> Iterator[tuple[TargetTerms, str]]:
    """What gates give pipelines' own roles, with the gate's name among the roles."""
    for gate in place.gates.values():
        found = giving(gate)
        if isinstance(found, Giving):
            yield found.target, gate.entitlement.role


def _filled(role: Entitlement, who: Address) -> TargetTerms | None:
    try:
        return role.target.terms(role.connection, role.environment, role.account, who)
    except TemplateRefused:
        return None


def _addresses(ctx: Context, policy: Policy, role: Entitlement, planned: _Plan) -> tuple[Address, ...]:
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

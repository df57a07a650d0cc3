"""The people of a case, as the rules want to know them: everybody was seen a moment ago."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.core.identity import Address, Suspension, Why, address_of, domain_of, first_person
from workflows.core.people import Account, Delegation, GroupFacts, Membership, PersonFacts, PersonId, learnt
from workflows.core.policy import Policy
from workflows.core.refusal import Code
from workflows.policy_file.cases.raw import Person, TableFile, World

_CODES: Mapping[str, Code] = {
    "guest": Code.PERSON_GUEST,
    "closed": Code.PERSON_DEACTIVATED,
    "bot": Code.PERSON_BOT,
    "of another organisation": Code.PERSON_FOREIGN,
    "without an address": Code.PERSON_NO_ADDRESS,
}
_ON_HOLD = "on hold"
_AWAY_FOR = timedelta(days=1)
_NOBODY_LOOKS = "nobody can tell who is in it"


@dataclass(frozen=True, slots=True)
class Known:
    """What the file and the case together say of people. Addresses are folded, and of today's domains."""

    people: Mapping[Address, Person]
    groups: Mapping[str, frozenset[Address]]
    unknown: frozenset[str]
    away: Mapping[Address, Address]


def folded(policy: Policy, text: str) -> Address:
    """The one spelling of an address whose shape the file's model has checked."""
    found = address_of(text, policy.former_domains)
    if found is None:
        raise ValueError(f"not an address: {text}")
    return found


def known(policy: Policy, table: TableFile, case: World) -> Known:
    """The case's own word comes after the file's."""

    def of(people: Iterable[str]) -> frozenset[Address]:
        return frozenset(folded(policy, one) for one in people)

    listed = {name: group.members for name, group in policy.groups.items() if group.members is not None}
    told = {name: of(people) for name, people in {**table.groups, **case.groups}.items()}
    unknown = (frozenset(table.unknown_groups) - case.groups.keys()) | frozenset(case.unknown_groups)
    people = {folded(policy, one): what for one, what in {**table.people, **case.people}.items()}
    away = {folded(policy, one): folded(policy, other) for one, other in {**table.away, **case.away}.items()}
    return Known(people, {**listed, **told}, unknown, away)


def person_facts(policy: Policy, on: Known, address: Address, at: datetime) -> PersonFacts:
    """What the chat would say of this person."""
    account = Account("policy", "test", address)
    code, on_hold = _standing(policy, on, address)
    hold = Suspension(Why.ADDRESS_CHANGED, at, address) if on_hold else None
    facts = learnt(account, str(address), at, address)
    return replace(facts, standing_problem=code.value if code else None, suspended=hold)


def _standing(policy: Policy, on: Known, address: Address) -> tuple[Code | None, bool]:
    """What the chat says against the account, and whether it is on hold."""
    word = on.people[address].account if address in on.people else "member"
    foreign = domain_of(address) not in policy.email_domains
    return _CODES.get(word) or (Code.PERSON_NO_ADDRESS if foreign else None), word == _ON_HOLD


def group_facts(policy: Policy, on: Known, at: datetime) -> GroupFacts:
    """Who is in each group of the policy, and who decides in whose place."""
    by_name = {name: _membership(policy, on, on.groups.get(name, frozenset()), at) for name in policy.groups}
    for name in on.unknown:
        by_name[name] = Membership(problem=_NOBODY_LOOKS, failed_at=at)
    # Whoever can do nothing names nobody for their place either.
    away = {one: other for one, other in on.away.items() if not _unable(policy, on, one)}
    delegations = {
        first_person(one): Delegation(first_person(other), str(other), at, at + _AWAY_FOR, str(one))
        for one, other in away.items()
        if not _unable(policy, on, other)
    }
    return GroupFacts(by_name, delegations, at)


def _membership(policy: Policy, on: Known, people: frozenset[Address], at: datetime) -> Membership:
    unable = (one for one in people if _unable(policy, on, one))
    return Membership(_ids(people), at, unusable=_ids(unable))


def _unable(policy: Policy, on: Known, address: Address) -> bool:
    code, on_hold = _standing(policy, on, address)
    return code is not None or on_hold


def _ids(people: Iterable[Address]) -> frozenset[PersonId]:
    return frozenset(first_person(one) for one in people)

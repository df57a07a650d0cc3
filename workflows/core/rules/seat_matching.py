"""One person counts once: how many places of an approval can distinct people fill?"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from types import MappingProxyType

from workflows.core.people import PersonId

# Person -> the people whom they count as, too. It holds both ways, and goes no further: of three, the first may count as the
# second and the second as the third without the first counting as the third. Else one account on hold that claims one
# owner, and another that claims a second one, would make one person of the two.
Alike = Mapping[PersonId, frozenset[PersonId]]
NOBODY_ALIKE: Alike = MappingProxyType({})


def match_people(
    places: list[str], offers: Mapping[str, tuple[PersonId, ...]], alike: Alike = NOBODY_ALIKE
) -> dict[int, PersonId]:
    """A largest assignment of distinct people to places; of people who count as one, one takes a place."""
    pair = _pair(offers, alike)
    if pair is None:
        return _match(places, offers)
    # The later one gives way where that costs no place.
    without = (match_people(places, _without(offers, out), alike) for out in reversed(pair))
    return max(without, key=len)


def are_alike(one: PersonId, other: PersonId, alike: Alike) -> bool:
    return other in alike.get(one, frozenset()) or one in alike.get(other, frozenset())


def _pair(offers: Mapping[str, tuple[PersonId, ...]], alike: Alike) -> tuple[PersonId, PersonId] | None:
    if not alike:
        return None
    people = dict.fromkeys(who for offered in offers.values() for who in offered)
    return next((pair for pair in combinations(people, 2) if are_alike(*pair, alike)), None)


def _without(offers: Mapping[str, tuple[PersonId, ...]], out: PersonId) -> dict[str, tuple[PersonId, ...]]:
    return {name: tuple(who for who in offered if who != out) for name, offered in offers.items()}


def _match(places: list[str], offers: Mapping[str, tuple[PersonId, ...]]) -> dict[int, PersonId]:
    """Augmenting paths; a handful of each."""
    taken: dict[PersonId, int] = {}

    def seat(place: int, tried: set[PersonId]) -> bool:
        for person in offers.get(places[place], ()):
            if person in tried:
                continue
            tried.add(person)
            if person not in taken or seat(taken[person], tried):
                taken[person] = place
                return True
        return False

    for place in range(len(places)):
        seat(place, set())
    return {place: person for person, place in taken.items()}


def enough_people(approve: Mapping[str, int], eligible: Mapping[str, frozenset[PersonId]]) -> bool:
    """Whether as many distinct people exist as must agree; a matching, because one person counts for one place."""
    places = [name for name, count in approve.items() for _ in range(count)]
    return len(match_people(places, {name: tuple(sorted(people)) for name, people in eligible.items()})) == len(places)

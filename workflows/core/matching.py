"""One person counts once: how many places of an approval can distinct people fill?"""

from __future__ import annotations

from collections.abc import Mapping

from workflows.core.people import PersonId


def match_people(places: list[str], offers: Mapping[str, tuple[PersonId, ...]]) -> dict[int, PersonId]:
    """A largest assignment of distinct people to places (augmenting paths; a handful of each)."""
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

"""At which of their places somebody is told: pure, from what was posted so far.

A place that refused a message is tried no more for it; the same person's next one is. Where somebody was told once they stay,
whatever chat they act in meanwhile, so that nothing is told them twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.chat.places import places_of
from workflows.core.destination import is_person
from workflows.core.people import PersonFacts
from workflows.core.records.chat import Posting

Postings = Mapping[str, Posting]
# Each place of somebody -> their other ones, the best first.
Elsewhere = Mapping[str, Sequence[str]]


def elsewhere_of(people: Iterable[PersonFacts]) -> Elsewhere:
    """Without those who have one place alone."""
    found: dict[str, Sequence[str]] = {}
    for places in map(places_of, people):
        if len(places) > 1:
            found |= {one: [other for other in places if other != one] for one in places}
    return found


def told_at(postings: Postings, slot: Callable[[str], str], place: str, elsewhere: Elsewhere) -> str:
    """Where this message, whose slot names the place, is for whoever is written to there: `place`, unless it stands at another
    place of theirs, or was refused.
    """
    places = (place, *elsewhere.get(place, ()))
    posted = [one for one in places if (found := postings.get(slot(one))) is not None and found.error is None]
    untried = [one for one in places if slot(one) not in postings]
    return next(iter((*posted, *untried)), place)


def reachable(postings: Postings, place: str, elsewhere: Elsewhere) -> str:
    """Where all that is for somebody goes: their other place where this one has refused a message."""
    refused = {posting.channel for posting in postings.values() if posting.error is not None}
    return next((one for one in (place, *elsewhere.get(place, ())) if one not in refused), place)


def not_reached(postings: Postings, elsewhere: Elsewhere, names: Mapping[str, str]) -> tuple[str, ...]:
    """Names of those whom no message reached in any chat. `names`: by their places."""
    refused = dict.fromkeys(
        one.channel for one in postings.values() if one.error is not None and is_person(one.channel)
    )
    reached = {posting.channel for posting in postings.values() if posting.ts is not None}

    def lost(places: Sequence[str]) -> bool:
        return all(place in refused and place not in reached for place in places)

    found = (place for place in refused if place in names and lost((place, *elsewhere.get(place, ()))))
    return tuple(dict.fromkeys(names[place] for place in found))

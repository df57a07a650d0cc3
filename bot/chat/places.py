"""Where messages go: a channel, or a person. Kept as text, which `workflows.core.destination` reads."""

from __future__ import annotations

from workflows.core.destination import Destination, Kind, read_destination
from workflows.core.identity import SLACK
from workflows.core.people import Account, PersonFacts

# Every place at once: the chat takes nothing of ours. `all` alone is the chat that the first versions knew alone.
_ALL = "all"


def everything(surface: str) -> str:
    """A chat as a whole, among the places that take no messages."""
    return _ALL if surface == SLACK else f"{surface}:{_ALL}"


def is_everything(place: str) -> bool:
    return place == everything(surface_of(place))


def surface_of(place: str) -> str:
    """In which chat a destination is, or a chat as a whole."""
    surface, _, rest = place.partition(":")
    return surface if rest == _ALL else read_destination(place).surface


def chat_name(surface: str) -> str:
    """As people call a chat that need not be set up here."""
    return surface.capitalize()


def direct_to(account: Account) -> str:
    """This account's own messages; also what it is called by in the text of a message."""
    return str(Destination(account.surface, Kind.PERSON, account.user))


def places_of(facts: PersonFacts) -> tuple[str, ...]:
    """Where somebody can be written to, the best first."""
    return tuple(map(direct_to, (facts.slack, *facts.elsewhere)))

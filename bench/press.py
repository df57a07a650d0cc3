"""From the press of Approve until the access was given, read back, and is on the record as active.

    python -m bench.press [--quick]

One press after the other, each for another environment and person, as often a second as our own quota of AWS calls allows
without waiting for it. The time counts from when the request leaves until the audit entry `grant.active` can be read.
"""

from __future__ import annotations

import time

from bench.alone import alone
from bench.figures import Figure, at_most, spread
from bench.place import DEVELOPERS, News, Place, person, running, say, until
from bot.sandbox.slack import Message, words
from tests.support.installation import Case
from workflows.core.audit import Event

# One life so far takes five calls of the quota of 19 a second.
PAUSE_S = 0.5
ROLES = ("read-only", "state-write")
EACH_PERSON = 4


def measure(quick: bool) -> list[Figure]:
    count = 8 if quick else 60
    figures = []
    for role in ROLES:
        with running(developers=count // EACH_PERSON + 1) as place:
            say(f"{role}: asking")
            cards = [ask(place, number, role) for number in range(count)]
            time.sleep(2)
            seconds: list[float] = []
            for case, card in cards:
                if len(seconds) % 50 == 0:
                    place.warm()
                seconds.append(press(place, case, card))
                time.sleep(PAUSE_S)
        goals = at_most(50, "p50"), at_most(150, "p99")
        figures.append(spread(f"press to verified, {TARGETS[role]}", "ms", seconds, *goals, scale=1000))
    return figures


TARGETS = {"read-only": "aws-identity-center", "state-write": "aws-iam-policy"}


def ask(place: Place, number: int, role: str) -> tuple[Case, Message]:
    """A pending request of a person in an environment where nobody else waits."""
    case = Case(place, [n for n in range(60) if n % 10 != 9][number % 54])
    before = {card.ts for card in case.cards()}
    place.types(person(DEVELOPERS, number // EACH_PERSON), f"{case.name} {role} 1h INC-42 checkout errors")
    cards = until(
        lambda: [card for card in case.cards() if card.ts not in before and "Needs approval" in words(card)], "a card"
    )
    return case, cards[-1]


def press(place: Place, case: Case, card: Message) -> float:
    """Seconds until this request's entry `grant.active` is there to be read."""
    with place.connection() as client:
        news = News(client)
        began = time.perf_counter()
        case.press("olu", card, "approve")
        while time.perf_counter() - began < 30:
            if any(event == Event.GRANT_ACTIVE for event, _ in news.wait(1)):
                return time.perf_counter() - began
    raise SystemExit(f"not active within 30 s: {place.logs()}")


if __name__ == "__main__":
    alone(__doc__, measure)

"""Calls to Slack and AWS for one life: asked by command, one approval, one end, and both later looks. And questions to Redis.

    python -m bench.calls [--quick | --whole-looks]

An earlier life of the same person in the same environment has warmed up names; people and groups are fresh. Everything is
counted that reaches the stand-ins until the holding is forgotten: background refreshes, too. Then the same with 40 other
grants active. The later looks are after 1 and 2 seconds, `--whole-looks` waits for them as long as in
production: the counts are the same.

Round trips to Redis are counted on the way (`bench.trips`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from bench.alone import parser, show
from bench.figures import Figure, at_most, figure
from bench.filled import fill
from bench.place import DEVELOPERS, Place, person, running, say, until
from bench.trips import trips
from bench.tuned import SOON_LOOKS
from bot.sandbox.clock import system_clock
from bot.sandbox.slack import Message, words
from tests.support.installation import Case
from workflows.ledger.keys import Keys

OTHERS = 40
# Web asks every half minute whether its token is good, be there a life or none.
NO_PART_OF_IT = frozenset({"auth.test"})
Counts = Mapping[str, int]


def main() -> None:
    own = parser(__doc__)
    own.add_argument("--whole-looks", action="store_true", help="wait for the later looks as long as in production")
    asked = own.parse_args()
    show(measure(asked.quick, whole_looks=asked.whole_looks), asked.json)


def measure(quick: bool, *, whole_looks: bool = False) -> list[Figure]:
    return calls(() if whole_looks else SOON_LOOKS, quick=quick) + trips(quick)


def calls(tuned: tuple[str, ...], *, quick: bool) -> list[Figure]:
    with running(*tuned, developers=3) as place:
        case = place.case()
        say("one life to warm up; after each the later looks are waited for")
        _life(place, case, 1, by_time=False)
        found = {"ended by hand": _life(place, case, 1, by_time=False)}
        if not quick:
            found["ended by time"] = _life(place, case, 1, by_time=True)
            in_an_hour = place.ledger().now() + timedelta(hours=1)
            fill(place, OTHERS, lambda _: in_an_hour)
            found[f"ended by hand, {OTHERS} others active"] = _life(place, case, 1, by_time=False)
    figures = []
    for name, (slack, aws) in found.items():
        figures.append(figure(f"Slack calls, {name}", "", sum(slack.values()), at_most(10), note=_told(slack)))
        figures.append(figure(f"AWS calls, {name}", "", sum(aws.values()), at_most(10), note=_told(aws)))
    return figures


def _told(counts: Counts) -> str:
    return ", ".join(f"{count} {name.rpartition(':')[2]}" for name, count in sorted(counts.items()))


def _life(place: Place, case: Case, number: int, *, by_time: bool) -> tuple[Counts, Counts]:
    """The calls of one life, from the command until the holding is forgotten and chat is quiet."""
    who = person(DEVELOPERS, number)
    place.warm()
    mark, since = place.slack.calls.mark(), time.monotonic()
    before = {card.ts for card in case.cards()}
    place.types(who, f"{case.name} read-only {'40s' if by_time else '30m'} INC-42 checkout errors")

    def card(state: str) -> Callable[[], Message | None]:
        def look() -> Message | None:
            mine = [card for card in case.cards() if card.ts not in before and state in words(card)]
            return mine[-1] if mine else None

        return look

    case.press("olu", until(card("Needs approval"), "the card"), "approve")
    shown = until(card("Active"), "an active grant")
    if not by_time:
        time.sleep(2)
        case.press(who, shown, "end")
    until(card("Ended"), "an ended grant", 90)
    until(lambda: not _held(place), "the later looks", 120, 0.5)
    until(lambda: not place.waiting_jobs(), "a quiet queue")
    time.sleep(1)
    slack = {name: count for name, count in place.slack.calls.counts(mark).items() if name not in NO_PART_OF_IT}
    return slack, place.aws.proxy.log.counts(since)


def _held(place: Place) -> bool:
    """Whether anything is due soon: a holding to be looked at, a card to be drawn. The others' grants end much later."""
    with place.connection() as client:
        due = client.zrangebyscore(Keys().due, "-inf", system_clock() + 300)
    return any(item.decode().partition(":")[0] in ("holding", "chat", "end") for item in due)


if __name__ == "__main__":
    main()

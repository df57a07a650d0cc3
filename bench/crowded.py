"""A hundred people ask within a minute in one channel: how long until each request can be read and pressed there.

    python -m bench.crowded [--quick]

Slack takes one message a second in a channel, and edits at their own pace; these limits are kept. The time counts from when the
command is sent until a message of the channel names the request beside a button that decides it: its own card, or a line of a
board. In the end each must have a card of its own.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from bench.acks import bind_everybody
from bench.alone import alone
from bench.figures import Figure, at_most, figure, percentile
from bench.place import DEVELOPERS, Place, person, running, until
from bot.chat.messages.approval_card import APPROVE
from bot.sandbox.slack import Message
from tests.support.installation import case_name

WITHIN_S, LOOK_EVERY_S = 60.0, 0.05
# Facts about people are fresh for a minute; looking them up is no subject here.
WARM_EVERY = 40
_ID = re.compile(r"PA-\d+")


def measure(quick: bool) -> list[Figure]:
    count, within_s = (15, 9.0) if quick else (100, WITHIN_S)
    with running(developers=count, owners=8) as place:
        bind_everybody(place, count)
        asked, read = _minute(place, count, within_s / count)
        until(lambda: not (asked.keys() - _with_card(place)), "a card for each", 300, 1)
        messages = len(place.messages(_channel()))
    late = [read[id_] - at for id_, at in asked.items()]
    measured = {"p50": percentile(late, 0.5), "p99": percentile(late, 0.99)}
    note = f"{messages} messages in the channel"
    return [
        Figure(
            f"{count} requests in {within_s:g} s in one channel, read there after",
            "s",
            measured,
            (at_most(2, "p99"),),
            note,
        ),
        figure("the same, the slowest", "s", max(late)),
    ]


def _minute(place: Place, count: int, every_s: float) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """When each was asked, and when it could first be decided; by the request's id."""
    asked, read, over = dict[str, float](), dict[str, float](), threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_EVERY_S):
            for id_ in _decidable(place.messages(_channel())) - read.keys():
                read[id_] = time.monotonic()

    def ask(number: int) -> None:
        at = time.monotonic()
        said = place.types(person(DEVELOPERS, number), f"{case_name(0)} read-only 1h INC-42 checkout errors")
        found = _ID.search(json.dumps(said.delivery.ack.body)) if said.delivery else None
        if found is None:
            raise SystemExit(f"the request of {number} was not acknowledged with its id: {said}")
        asked[found[0]] = at

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            began, under_way = time.monotonic(), []
            for number in range(count):
                if number % WARM_EVERY == 0:
                    place.warm()
                time.sleep(max(0.0, began + number * every_s - time.monotonic()))
                under_way.append(pool.submit(ask, number))
            for one in under_way:
                one.result()
        until(lambda: not (asked.keys() - read.keys()), "each can be decided", 120)
    finally:
        over.set()
        watcher.join()
    return asked, read


def _channel() -> str:
    return "C0SHOP000"


def _decidable(messages: Iterable[Message]) -> set[str]:
    """Requests with a button that approves them."""
    found = set[str]()
    for message in messages:
        for block in message.blocks:
            for one in block.get("elements", ()):
                if APPROVE in str(one.get("action_id", "")):
                    found |= set(_ID.findall(str(one.get("value", ""))))
    return found


def _with_card(place: Place) -> set[str]:
    """Requests that have a message of their own."""
    each = (_decidable([message]) for message in place.messages(_channel()))
    return {id_ for ids in each if len(ids) == 1 for id_ in ids}


if __name__ == "__main__":
    alone(__doc__, measure)

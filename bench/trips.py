"""Round trips to Redis of a command, a press and an end, counted between the processes and the server.

Web and worker each reach Redis by a proxy of their own, which counts how often somebody asked and was answered: a command, or
a pipeline, whatever is in it. What a process asks at rest is measured before and taken off.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bench.acks import bind_everybody, buttons_of, command, lines_of, press
from bench.ends import lateness
from bench.figures import Figure, Goal, at_most, figure, percentile
from bench.filled import developers_for, fill
from bench.load import Body, Sender
from bench.place import Place, crowd, say, until
from bench.tuned import NO_QUOTA
from tests.support.tcp_proxy import TcpProxy

REST_S = 5.0
# By then the answer to a command is there, too.
ANSWER_S = 0.7


@dataclass
class Counted(Place):
    """Each process asks Redis by a proxy of its own."""

    proxies: dict[str, TcpProxy] = field(default_factory=dict)

    def _start_slack(self) -> None:
        # Redis runs by now, and nothing of ours yet.
        for name in ("web", "worker"):
            self.proxies[name] = self._stack.enter_context(TcpProxy(self.redis.port))
        super()._start_slack()

    def environment(self, process: str) -> dict[str, str]:
        own = super().environment(process)
        if process in self.proxies:
            own["REDIS_URL"] = own["REDIS_URL"].replace(f":{self.redis.port}", f":{self.proxies[process].port}")
        return own


def trips(quick: bool) -> list[Figure]:
    asks, alone, together = (5, 3, 20) if quick else (20, 10, 200)
    with _counted(asks // 4 + 1, owners=8) as place:
        bind_everybody(place, asks // 4 + 1)
        say("round trips of commands and presses")
        lines = lines_of(asks // 4 + 1)
        typed = _of_web(place, [command(place, *next(lines)) for _ in range(asks)])
        shown = until(lambda: buttons_of(place, asks), "a button for each request", 200)
        place.warm()
        presses = [press(place, message, value, number % 8) for number, (value, message) in enumerate(shown.items())]
        pressed = _of_web(place, presses)
    say("round trips of ends")
    one, many = _of_ends(alone, 2.0), _of_ends(together, 0.0)
    return [
        _until_answered("a command", typed, at_most(6)),
        _until_answered("a press", pressed, at_most(5)),
        figure(f"Redis round trips of an end, of {together} together", "", many, at_most(25)),
        figure("Redis round trips of an end alone", "", one, at_most(25)),
    ]


def _until_answered(what: str, found: OfWeb, goal: Goal) -> Figure:
    after = f"{found.altogether:.0f} with what is done after that, mostly to answer"
    return figure(f"Redis round trips of {what}, until it is acknowledged", "", found.acknowledged, goal, note=after)


@contextlib.contextmanager
def _counted(developers: int, owners: int = 0) -> Iterator[Counted]:
    crowd(developers, owners)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        place = Counted(Path(folder), tuned=NO_QUOTA)
        with place:
            place.warm()
            yield place


@dataclass(frozen=True, slots=True)
class OfWeb:
    """Of one command or press: until it was acknowledged, and with what makes the answer that follows."""

    acknowledged: float
    altogether: float


def _of_web(place: Counted, bodies: list[Body]) -> OfWeb:
    """One after the other."""
    sender, proxy = Sender(str(place.slack.app.request_url), place.slack.app.signing_secret), place.proxies["web"]
    rest = _at_rest(proxy)
    acknowledged, altogether = list[float](), 0.0
    for body in bodies:
        before, began = proxy.round_trips, time.monotonic()
        asyncio.run(sender.one(body))
        acknowledged.append(proxy.round_trips - before)
        time.sleep(ANSWER_S)
        altogether += proxy.round_trips - before - rest * (time.monotonic() - began)
    if sender.failed:
        raise SystemExit(f"{sender.failed} were not answered: {sender.said}")
    # In so short a time few meet what the process asks by itself; the median does not.
    return OfWeb(percentile(acknowledged, 0.5), altogether / len(bodies))


def _of_ends(count: int, every_s: float) -> float:
    """Of each, from a moment before the first deadline until all have ended; the later looks come afterwards."""
    with _counted(developers_for(count)) as place:
        proxy, lead_s = place.proxies["worker"], REST_S + 6 + count * 0.02
        first = place.ledger().now() + timedelta(seconds=lead_s)
        found = fill(place, count, lambda n: first + timedelta(seconds=every_s * n + n / count))
        rest = _at_rest(proxy)
        until(lambda: place.ledger().now() >= first - timedelta(seconds=1), "the first deadline is near")
        before, began = proxy.round_trips, time.monotonic()
        lateness(place, found, 240)
        return (proxy.round_trips - before - rest * (time.monotonic() - began)) / count


def _at_rest(proxy: TcpProxy) -> float:
    """A second, of what a process asks by itself."""
    time.sleep(1)
    before, began = proxy.round_trips, time.monotonic()
    time.sleep(REST_S)
    return (proxy.round_trips - before) / (time.monotonic() - began)

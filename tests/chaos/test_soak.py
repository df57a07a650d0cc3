"""Two hundred lives on real processes that are killed all the while, with AWS throttling and a minute without Slack.

    make soak, or: pytest -s -m soak tests/chaos/test_soak.py        SOAK_LIVES=20 SOAK_SEED=3 for a shorter or another one

One table in the end: all zeros but the first two.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.sandbox.aws.calls import Call
from bot.sandbox.aws.faults import Fault
from bot.sandbox.slack import CannotDo, Delivered, Message, words
from tests.chaos.fleet import Fleet
from tests.chaos.rig import PROMISED_S, id_of
from tests.support.installation import Case
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.soak

LIVES = int(os.environ.get("SOAK_LIVES", "200"))
SEED = int(os.environ.get("SOAK_SEED", "7"))
# Long enough that they are given though AWS throttles every third call.
SECONDS = int(os.environ.get("SOAK_SECONDS", "60"))
THROTTLED = 0.3
SLACK_AWAY_S = 60.0
# Two web, four workers, two clocks, and Redis.
FLEET = ("web-2", "worker-2", "worker-3", "worker-4", "clock-2")
KINDS = ("worker", "worker", "worker", "web", "clock", "redis")
EVERY_S = (3.0, 9.0)
# Whoever sees nothing happen does it again, and gives up after so many times: longer than Slack is away.
TRIES, TRIES_AGAIN_S = 40, 4.0
PAIRS = (
    ("dana", "olu"),
    ("nia", "pat"),
    ("dana", "pat"),
    ("nia", "olu"),
    ("olu", "pat"),
    ("dana", "olu"),
    ("nia", "pat"),
)
DONE = ("grant.ended", "grant.revoked", "grant.activation_failed")


@dataclass
class Life:
    case: Case
    who: str
    id: str
    given: bool = False
    late_s: float = 0.0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    leaked: bool = False


class Throttling:
    """AWS throttles three calls of ten, whichever they are."""

    def __init__(self, fleet: Fleet, dice: random.Random) -> None:
        self._book, self._dice, self.count = fleet.aws.proxy.faults, dice, 0
        self._take = self._book.take

    @contextmanager
    def going_on(self) -> Iterator[None]:
        self._book.take = self._taken  # type: ignore[method-assign]  # put back below
        try:
            yield
        finally:
            self._book.take = self._take  # type: ignore[method-assign]  # as it was

    def _taken(self, call: Call) -> Fault | None:
        if self._dice.random() < THROTTLED:
            self.count += 1
            return Fault("error", call.action, code="throttled")
        return self._take(call)


@dataclass
class Soak:
    fleet: Fleet
    cases: Iterator[Case]
    dice: random.Random
    lives: list[Life] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _slack_away: bool = False

    # ------------------------------------------------------------ people

    def people(self) -> list[threading.Thread]:
        return [threading.Thread(target=self._lives_of, args=pair) for pair in PAIRS]

    def _lives_of(self, who: str, owner: str) -> None:
        while True:
            with self._lock:
                case = next(self.cases, None)
            if case is None:
                return
            try:
                self.lives.append(self._live(case, who, owner))
                if len(self.lives) % 20 == 0:
                    sys.stderr.write(f"{len(self.lives)} lives, {sum(self.faults.values())} faults\n")
            except Exception as problem:
                self.given_up.append(f"{case.name}: {problem!r}")

    def _live(self, case: Case, who: str, owner: str) -> Life:
        ask = f"{case.name} read-only {SECONDS}s INC-42 under way"
        card = self._until(lambda: self.fleet.types(who, ask), lambda: _waits(case), f"{who} asks in {case.name}")
        id_ = id_of(card)
        self._until(lambda: case.press(owner, card, "approve"), lambda: _approved(case, id_), f"{owner} approves {id_}")
        return Life(case, who, id_)

    def _until(self, act: Callable[[], Delivered], seen: Callable[[], object], what: str) -> Message:
        for _ in range(TRIES):
            with suppress(CannotDo):
                act()
            give_up_at_s = time.monotonic() + TRIES_AGAIN_S
            while time.monotonic() < give_up_at_s:
                if found := seen():
                    return found  # type: ignore[return-value]  # only of a card is it used
                time.sleep(0.1)
        raise AssertionError(f"nothing happened: {what}")

    # ------------------------------------------------------------ trouble

    def trouble(self) -> None:
        """Kill somebody, and start another one a moment later, until nobody acts any more."""
        labels = {kind: [label for label, one in self.fleet.processes.items() if one.name == kind] for kind in KINDS}
        while not self.stop.wait(self.dice.uniform(*EVERY_S)):
            kind = self.dice.choice(KINDS)
            self.faults[f"{kind} killed"] += 1
            if kind == "redis":
                self.fleet.redis.restart()
                continue
            label = self.dice.choice(labels[kind])
            self.fleet.kill(label)
            if not self.stop.wait(self.dice.choice((0.0, 0.5, 2.0))):
                self.fleet.launch(kind, label)
            else:
                self.fleet.relaunch(kind, label)

    def slack_goes_away(self, after_s: float) -> None:
        if self.stop.wait(after_s):
            return
        self.faults["a minute without Slack"] += 1
        down = self.fleet.slack.faults.add("*", times=None, status=503)
        time.sleep(SLACK_AWAY_S)
        self.fleet.slack.faults.remove(down)

    # ------------------------------------------------------------ what came of it

    def settle(self) -> None:
        over = lambda: all(sum(self.fleet.events(one.id)[event] for event in DONE) for one in self.lives)  # noqa: E731
        with suppress(AssertionError):
            self.fleet.until(over, "all lives are over")
        said = lambda: all(_is_over(one.case) for one in self.lives)  # noqa: E731 - beside the one above
        with suppress(AssertionError):
            self.fleet.until(said, "all cards say so")

    def judge(self) -> None:
        numbers = [entry.number for entry in self.fleet.audit()]
        assert numbers == list(range(1, len(numbers) + 1)), "numbers have gaps"
        receipts = Counter(words(root) for root in self.fleet.roots())
        for life in self.lives:
            self._judge(life, receipts)

    def _judge(self, life: Life, receipts: Counter[str]) -> None:
        rig, found = self.fleet, self.fleet.events(life.id)
        once = ("request.made", "request.approved", "grant.end_started")
        life.lost += [event for event in once if found[event] == 0]
        life.doubled += [event for event in (*once, "grant.active", *DONE) if found[event] > 1]
        closed = sum(found[event] for event in DONE)
        life.lost += ["its end"] * (closed == 0)
        life.doubled += ["its end"] * (closed > 1)
        cards = [card for card in life.case.cards() if life.id in words(card)]
        life.lost += ["its card"] * (not cards) + ["its card's last word"] * (not _is_over(life.case))
        life.doubled += ["its card"] * (len(life.case.cards()) > 1)
        roots = [text for text in receipts if f"{life.id} " in f"{text} "]
        life.lost += ["its receipts"] * (not roots)
        life.doubled += ["its receipts"] * (sum(receipts[text] for text in roots) > 1)
        life.given = bool(found["grant.active"])
        life.leaked = rig.has(life.case, who=life.who)
        if found["grant.ended"]:
            life.late_s = rig.lateness_s(life.id)

    def table(self, throttled: int, took_s: float) -> str:
        lines: list[tuple[str, object]] = [
            ("faults", sum(self.faults.values()) + throttled),
            ("lives", len(self.lives)),
            ("late past a minute", sum(one.late_s > PROMISED_S for one in self.lives)),
            ("lost", sum(bool(one.lost) for one in self.lives) + len(self.given_up)),
            ("doubled", sum(bool(one.doubled) for one in self.lives)),
            ("leaked", sum(one.leaked for one in self.lives)),
        ]
        kinds = ", ".join(f"{count} x {kind}" for kind, count in sorted(self.faults.items()))
        latest = max((one.late_s for one in self.lives), default=0.0)
        given = f"{sum(one.given for one in self.lives)} of them given"
        beside = (
            f"{given}; {kinds}, {throttled} calls to AWS throttled; the latest end {latest:.1f} s late; {took_s:.0f} s"
        )
        return "\n".join(f"{name:<24}{value:>8}" for name, value in lines) + f"\n{beside}\n"

    def wrong(self) -> list[str]:
        late = [f"{one.id} was {one.late_s:.0f} s late" for one in self.lives if one.late_s > PROMISED_S]
        other = [
            f"{one.id}: lost {one.lost}, doubled {one.doubled}, leaked {one.leaked}"
            for one in self.lives
            if one.lost or one.doubled or one.leaked
        ]
        return [*late, *other, *self.given_up]


def _waits(case: Case) -> Message | None:
    return next((card for card in case.cards() if "Needs approval" in words(card)), None)


def _approved(case: Case, id_: str) -> bool:
    return any(id_ in words(card) and "Needs approval" not in words(card) for card in case.cards())


def _is_over(case: Case) -> bool:
    return any("Ended" in words(card) or "Not given" in words(card) for card in case.cards())


def test_two_hundred_lives_under_kills(tmp_path: Path) -> None:
    dice, began_s = random.Random(SEED), time.monotonic()
    environments = range(-(-(LIVES + 2) * 10 // 9))
    with Fleet(tmp_path, numbers=environments) as fleet:
        for label in FLEET:
            fleet.relaunch(label.partition("-")[0], label)
        soak = Soak(fleet, iter([fleet.case() for _ in range(LIVES)]), dice)
        throttling = Throttling(fleet, random.Random(SEED + 1))
        troubles = [
            threading.Thread(target=soak.trouble),
            threading.Thread(target=soak.slack_goes_away, args=(10.0 + LIVES / 4,)),
        ]
        with throttling.going_on():
            people = soak.people()
            for thread in (*people, *troubles):
                thread.start()
            for thread in people:
                thread.join()
            soak.stop.set()
            for thread in troubles:
                thread.join(SLACK_AWAY_S + PATIENCE_S)
            soak.settle()
        soak.judge()
        table = soak.table(throttling.count, time.monotonic() - began_s)
        sys.stdout.write(f"\n{table}")
        (tmp_path / "table").write_text(table)
        assert not soak.wrong(), (soak.wrong(), table)
        assert len({life.who for life in soak.lives}) == len({who for who, _ in PAIRS})

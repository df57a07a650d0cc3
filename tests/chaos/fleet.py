"""A fleet: several processes of each kind, people who never stop, and what must be true in the end."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from bot.sandbox.slack import CannotDo, Delivered, Message, words
from tests.chaos.rig import PROMISED_S, Rig, id_of
from tests.support.installation import GENERAL, PEOPLE, Case, Process, free_port
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import PATIENCE_S
from workflows.core import keys
from workflows.core.records.request import Request
from workflows.ports import LedgerUnreachable

ACK_S = 3.0
"""For so long Slack waits for an acknowledgement."""
TRIES_AGAIN_S = 3.0

T = TypeVar("T")


class Fleet(Rig):
    """Web processes listen on ports of their own, behind a load balancer of ours in HTTP mode."""

    front: TcpProxy

    def __post_init__(self) -> None:
        super().__post_init__()
        # Where each web process listens, by its label.
        self.ports: dict[str, int] = {}

    def launch(self, name: str, label: str | None = None) -> Process:
        if name == "web":
            self.port = self.ports[label or name] = free_port()
            if not self.socket:
                self._into_rotation()
        return super().launch(name, label)

    def _into_rotation(self) -> None:
        if not hasattr(self, "front"):
            self.front = self._stack.enter_context(TcpProxy())
        self.front.targets = list(self.ports.values())
        self.slack.app.request_url = f"http://127.0.0.1:{self.front.port}/slack/events"

    def end_process(self, label: str) -> float:
        """Ask it to end, as a release does; returns how long that took, in seconds."""
        process, began_s = self.processes[label], time.monotonic()
        process.popen.terminate()
        code = process.popen.wait(PATIENCE_S)
        took_s = time.monotonic() - began_s
        assert code == 0, (label, code, process.log.read_text()[-4000:])
        return took_s

    def end_and_follow(self, label: str) -> float:
        """A rolling restart of one process: it ends, and another one takes its place."""
        kind = self.processes[label].name
        if kind == "web":
            # As a load balancer does that is told first.
            self.front_without(label)
        took_s = self.end_process(label)
        quiet(self.processes[label])
        self.relaunch(kind, label)
        return took_s

    def front_without(self, label: str) -> None:
        if not self.socket:
            self.front.targets = [port for name, port in self.ports.items() if name != label] or [self.ports[label]]


def quiet(process: Process) -> None:
    """After a process has said that it was asked to end, it says nothing more."""
    lines = [json.loads(line) for line in process.log.read_text().splitlines() if line.startswith("{")]
    after = [line["event"] for line in lines]
    asked = next(place for place, event in enumerate(after) if event.startswith("asked to end"))
    said = [event for event in after[asked + 1 :] if event != "this process has read the policy"]
    loose = [line for line in process.log.read_text().splitlines() if line and not line.startswith("{")]
    assert not loose, loose
    assert not said, said


@dataclass
class Flow:
    """People who ask and decide all the time, each life in an environment of its own. What was not acknowledged in time is done
    again by the same person, as people do whom Slack shows an error.
    """

    fleet: Fleet
    cases: Iterator[Case]
    seconds: int = 9
    done: list[tuple[Case, str]] = field(default_factory=list)
    acts: int = 0
    again: Counter[str] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)
    # Asked, said in chat, and not on the record any more: as a server that dies may take the last moment with it.
    lost: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def act(self, what: Callable[[], Delivered]) -> None:
        while True:
            outcome = what()
            with self._lock:
                self.acts += 1
                if outcome.ok:
                    return
                self.again[str(outcome.error)] += 1

    def look(self, who: str) -> None:
        """Commands that change nothing, one after the other."""
        while not self.stop.is_set():
            self.act(lambda: self.fleet.types(who, "mine"))
            self.stop.wait(0.25)

    def live(self, who: str, owner: str) -> None:
        """One life after the other."""
        while not self.stop.is_set():
            with self._lock:
                case = next(self.cases, None)
            if case is None:
                return
            self._one(case, who, owner)
            self.stop.wait(0.1)

    def _one(self, case: Case, who: str, owner: str) -> None:
        ask = f"{case.name} read-only {self.seconds}s INC-42 under way"
        card = self._until(lambda: self.fleet.types(who, ask), lambda: _newest(case, "Needs approval"))
        assert card is not None
        id_ = id_of(card)
        answer = self._until(
            lambda: case.press(owner, card, "approve"), lambda: self._approved(case, id_), lambda: self._is_lost(id_)
        )
        with self._lock:
            if answer:
                self.done.append((case, id_))
            else:
                self.lost.append(id_)

    def _is_lost(self, id_: str) -> bool:
        """Then they ask for something else, and nobody waits for this. Nobody can tell while no server answers."""
        name = keys.request(id_)
        try:
            return self.fleet.ledger().read(name).items[name].is_absent
        except LedgerUnreachable:
            return False

    def _stands(self, case: Case, id_: str) -> bool:
        """Whether the record has it; a number may have gone to another ask since."""
        request = self.fleet.ledger().read(keys.request(id_)).get(keys.request(id_), Request)
        return request is not None and request.terms.environment == case.name

    def _until(
        self, what: Callable[[], Delivered], seen: Callable[[], T | None], lost: Callable[[], bool] = lambda: False
    ) -> T | None:
        """Whoever is told that the records are away tries again after some seconds, and so does whoever sees nothing happen.

        None: what it was about is lost.
        """
        for _ in range(10):
            with suppress(CannotDo):  # the button is gone: it was pressed with success, and the answer came late
                self.act(what)
            give_up_at_s = time.monotonic() + TRIES_AGAIN_S
            while time.monotonic() < give_up_at_s:
                if found := seen():
                    return found
                time.sleep(0.05)
            with self._lock:
                self.again["nothing happened"] += 1
            if lost():
                return None
        raise AssertionError("nothing happened", self._seen_by_people())

    def _seen_by_people(self) -> dict[str, list[str]]:
        """What was said last to whoever asks and decides."""
        return {
            who: [words(message)[:300] for message in self.fleet.slack.person(PEOPLE[who]).ephemerals(GENERAL)[-2:]]
            for who in ("dana", "nia", "olu", "pat")
        }

    def _approved(self, case: Case, id_: str) -> bool:
        """The card shows it, whoever pressed twice."""
        return any(id_ in words(card) and "Needs approval" not in words(card) for card in case.cards())

    @contextmanager
    def flowing(self, *lives: tuple[str, str]) -> Iterator[None]:
        threads = [threading.Thread(target=self._run, args=(self.live, *pair)) for pair in lives]
        threads.append(threading.Thread(target=self._run, args=(self.look, "nia")))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()
        assert not self.trouble, (self.trouble, self.fleet.logs())

    def _run(self, what: Callable[..., None], *args: str) -> None:
        try:
            what(*args)
        except BaseException as problem:
            self.trouble.append(repr(problem))

    # ------------------------------------------------------------ what must be true

    def assert_whole(self, *, calls_once: bool = True, beside: int = 0, may_be_lost: bool = False) -> None:
        """Each life was given once, ended on time, said once. `calls_once`: and no call had to be repeated in doubt.
        `beside`: so many lives that are not of this flow. `may_be_lost`: with a server that died the last moment may be gone.
        """

        rig = self.fleet
        if may_be_lost:
            kept = [(case, id_) for case, id_ in self.done if self._stands(case, id_)]
            self.lost += [one[1] for one in self.done if one not in kept]
            self.done = kept
        assert may_be_lost or not self.lost
        rig.until(lambda: all(rig.events(id_)["grant.ended"] for _, id_ in self.done), "all over")
        rig.until(lambda: all("Ended" in words(case.cards()[0]) for case, _ in self.done), "all said")
        for case, id_ in self.done:
            rig.one_card(case)
            rig.assert_once(id_, "request.made", "request.approved", "grant.active", "grant.end_started", "grant.ended")
            late_s = rig.lateness_s(id_)
            assert 0.0 <= late_s < PROMISED_S, (id_, late_s)
            assert rig.gone(case)
        accounts = [case.account for case, _ in self.done]
        for name in ("CreateAccountAssignment", "DeleteAccountAssignment"):
            calls = Counter(each.arguments["TargetId"] for each in rig.aws.proxy.log.calls(name))
            found = {account: calls[account] for account in accounts}
            assert found == dict.fromkeys(accounts, 1) or (not calls_once and min(found.values()) >= 1), (name, found)
        least = len(self.done) + beside  # of what was lost one may stand, or not
        rig.until(lambda: least <= len(rig.roots()) <= least + len(self.lost), "a thread of receipts for each")
        assert not [entry for entry in rig.audit() if entry.event.value == "clock.jumped"]
        told = Counter(words(message) for message in rig.slack.person(PEOPLE["dana"]).dms())
        assert set(told.values()) <= {1}, told


def _newest(case: Case, part: str) -> Message | None:
    found = [card for card in case.cards() if part in words(card)]
    return found[-1] if found else None

"""Processes of the version before beside ours, on one Valkey: whichever came first, and whichever of the two does what."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.sandbox.slack import words
from tests.chaos.rig import PROMISED_S, Rig, id_of
from tests.support.history import unpacked
from tests.support.installation import CHAOS, Case, Process, free_port
from tests.support.old_ledger import BEFORE_IDENTITY, BEFORE_THE_MOVE
from workflows.core import keys
from workflows.core.mixed import OlderRunning

pytestmark = pytest.mark.upgrade

KINDS = ("web", "worker", "clock")
NO_HISTORY = "needs git history, to run the version before beside this one"
# SOON: long enough to be given while processes of one version stop, and soon over.
LONG, SOON = (f"{duration} INC-42 checkout errors" for duration in ("1h", "40s"))


class Rolling(Rig):
    """`before`: the files of the version before. What is launched while `is_before` is of that version."""

    before: Path
    is_before: bool

    def environment(self, process: str) -> dict[str, str]:
        """A worker that checks what Slack signed lets nothing be given beside a web that keeps none of it."""
        found = super().environment(process)
        return {name: value for name, value in found.items() if (process, name) != ("worker", "SLACK_SIGNING_SECRET")}

    def launch(self, name: str, label: str | None = None) -> Process:
        label = label or name
        if name == "web":
            # Each listens on a port of its own, and Slack delivers to the one that `through` names.
            self.port = free_port()
            self.through(label, self.port)
        return self._old(name, label) if self.is_before else super().launch(name, label)

    def _old(self, name: str, label: str) -> Process:
        self._started += 1
        log = self.folder / f"{self._started:03}-{label}.log"
        # That version's own warnings are no concern of ours.
        env = self.environment(name) | {"PYTHONWARNINGS": "ignore", "PYTHONPATH": str(self.before)}
        with log.open("wb") as out:
            command = [sys.executable, "-m", "bot", name]
            popen = subprocess.Popen(command, cwd=self.before, env=env, stdout=out, stderr=out)
        self.processes[label] = Process(name, popen, log)
        return self.processes[label]

    def through(self, label: str, port: int = 0) -> None:
        """From now on people's acts reach this web process."""
        self._ports = getattr(self, "_ports", {}) | ({label: port} if port else {})
        self.slack.app.request_url = f"http://127.0.0.1:{self._ports[label]}/slack/events"

    def join(self, version: str, *kinds: str) -> None:
        """Processes of `old` or `new` start beside those that run."""
        self.is_before = version == "old"
        for kind in kinds or KINDS:
            self.relaunch(kind, f"{version}-{kind}")

    def leave(self, *labels: str) -> None:
        """They are asked to end, as a release does."""
        for label in labels:
            self.processes[label].popen.terminate()
            self.processes[label].popen.wait()

    def leave_all_of_the_start(self) -> None:
        self.leave(*KINDS)

    # ------------------------------------------------------------ what holds in the end

    def assert_all_once(self, cases: list[Case]) -> None:
        """Given once, taken away once, said once."""
        for case in cases:
            card = self.one_card(case)
            self.assert_once(id_of(card), "request.made", "request.approved", "grant.active", "grant.end_started")
            self.assert_once(id_of(card), "grant.ended")
            if "returned" not in [entry.facts.get("cause") for entry in self.audit(id_of(card))]:
                assert 0.0 <= self.lateness_s(id_of(card)) < PROMISED_S
        counts = self.aws.proxy.log.counts()
        calls = [counts[f"sso-admin:{name}"] for name in ("CreateAccountAssignment", "DeleteAccountAssignment")]
        assert calls == [len(cases)] * 2, counts
        assert len(self.roots()) == len(cases)

    def until_over(self, cases: list[Case]) -> None:
        self.until(lambda: all(self.gone(case) for case in cases), "all gone")
        self.until(lambda: all("Ended" in words(case.cards()[0]) for case in cases), "said")
        self.until(lambda: len(self.roots()) == len(cases), "a thread of receipts for each")


Start = Callable[..., Rolling]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """An installation whose first processes are of the version before, or of this one."""
    with ExitStack() as stack:

        def begin(*names: str, old_first: bool) -> Rolling:
            rig = Rolling(tmp_path, unlimited=False, numbers=CHAOS)
            try:
                rig.before = unpacked(tmp_path / "before", *names)
            except LookupError:
                pytest.skip(NO_HISTORY)
            rig.is_before = old_first
            return stack.enter_context(rig)

        yield begin


def test_a_new_version_joins_and_the_old_one_stops(start: Start) -> None:
    rig = start("v0.1.0", BEFORE_THE_MOVE, old_first=True)
    asked_before, given_before, asked_after = (rig.case() for _ in range(3))
    card = asked_before.asked(rest=SOON)
    given_before.active(rest=SOON)
    rig.join("new")
    # Asked through one, approved through the other, in both directions, while the workers of both take what comes.
    rig.through("new-web")
    asked_before.approve(card)
    card = asked_after.asked(rest=SOON)
    rig.through("web")
    asked_after.approve(card)
    rig.through("new-web")
    rig.leave_all_of_the_start()
    cases = [asked_before, given_before, asked_after]
    rig.until_over(cases)
    rig.assert_all_once(cases)


def test_an_old_version_comes_back_beside_the_new_one(start: Start) -> None:
    rig = start("v0.1.0", BEFORE_THE_MOVE, old_first=False)
    asked_new, asked_old, last = (rig.case() for _ in range(3))
    card = asked_new.asked(rest=SOON)
    rig.join("old")
    rig.through("old-web")
    asked_new.approve(card)
    card = asked_old.asked(rest=SOON)
    rig.through("web")
    asked_old.approve(card)
    # The release is taken back whole: the version before goes on with what this one wrote.
    rig.through("old-web")
    rig.leave_all_of_the_start()
    last.approve(last.asked(rest=SOON))
    cases = [asked_new, asked_old, last]
    rig.until_over(cases)
    rig.assert_all_once(cases)


def test_beside_a_version_that_knows_no_holds_nothing_new_is_given(start: Start) -> None:
    rig = start(BEFORE_IDENTITY, old_first=True)
    case, given = rig.case(), rig.case()
    given.active(rest=LONG)
    card = case.asked(rest=LONG)
    rig.join("new")
    rig.through("new-web")
    rig.until(lambda: rig.ledger().read(keys.OLDER).get(keys.OLDER, OlderRunning), "the old ones were heard of")
    rig.leave("worker")
    refused = case.press("olu", card, "approve")
    assert refused.ok, refused
    assert "older version" in case.whispered("olu", "older version")
    # The old web process knows nothing of that and takes the approval; what follows from it waits.
    rig.through("web")
    case.approve(card)
    rig.until(lambda: rig.events(id_of(card))["request.approved"], "approved")
    # What takes away never waits.
    rig.through("new-web")
    rig.end(id_of(given.card("Active")), "dana")
    rig.until(lambda: rig.gone(given), "ended meanwhile")
    assert not rig.has(case)
    rig.leave("web", "clock")
    rig.until(lambda: rig.has(case), "given as soon as no older one beats")
    rig.end(id_of(case.card("Active")), "dana")
    cases = [case, given]
    rig.until_over(cases)
    rig.assert_all_once(cases)

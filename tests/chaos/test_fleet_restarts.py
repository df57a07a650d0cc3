"""A process that is asked to end finishes what it took, and a release under load is noticed by nobody."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.sandbox.slack import Delivered
from tests.chaos.fleet import ACK_S, Fleet, Flow, quiet
from tests.chaos.rig import id_of
from tests.chaos.test_two_of_each import leading
from tests.support.installation import CHAOS, WHY

pytestmark = pytest.mark.fleet

ENDS_WITHIN_S = 10.0
Start = Callable[..., Fleet]
Record = Callable[[str, object], None]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(*more: tuple[str, str], socket: bool = False) -> Fleet:
            fleet = stack.enter_context(Fleet(tmp_path, unlimited=True, numbers=CHAOS, socket=socket))
            for kind, label in more:
                fleet.relaunch(kind, label)
            fleet.slack.app.ack_timeout_s = ACK_S
            stack.callback(fleet.slack.faults.clear)
            stack.callback(fleet.aws.proxy.calm)
            return fleet

        yield begin


@pytest.mark.parametrize("socket", [False, True], ids=["http", "socket"])
def test_a_rolling_restart_under_load_is_noticed_by_nobody(
    start: Start, record_property: Record, *, socket: bool
) -> None:
    fleet = start(("web", "web-2"), ("worker", "worker-2"), ("clock", "clock-2"), socket=socket)
    cases = iter([fleet.case() for _ in range(24)])
    flow = Flow(fleet, cases)
    took_s = {}
    with flow.flowing(("dana", "olu"), ("nia", "pat"), ("olu", "pat")):
        for label in ("worker", "clock", "web", "worker-2", "clock-2", "web-2"):
            took_s[label] = fleet.end_and_follow(label)
    record_property("took_s", took_s)
    record_property("acts", (flow.acts, dict(flow.again), len(flow.done)))
    assert all(each < ENDS_WITHIN_S for each in took_s.values()), took_s
    flow.assert_whole()


@pytest.mark.parametrize("socket", [False, True], ids=["http", "socket"])
def test_web_acknowledges_and_records_what_it_took_before_it_ends(start: Start, *, socket: bool) -> None:
    """The press is under way while web is asked to end: Redis stands still for a moment."""
    fleet = start(socket=socket)
    case = fleet.case()
    card = case.asked()
    outcome: list[Delivered] = []
    os.kill(fleet.redis.pid, signal.SIGSTOP)
    press = threading.Thread(target=lambda: outcome.append(case.press("olu", card, "approve")))
    try:
        press.start()
        time.sleep(0.5)
        fleet.processes["web"].popen.terminate()
        time.sleep(0.3)
    finally:
        os.kill(fleet.redis.pid, signal.SIGCONT)
    press.join()
    assert [each.ok for each in outcome] == [True], outcome
    assert fleet.processes["web"].popen.wait(15) == 0
    assert fleet.events(id_of(card))["request.approved"] == 1
    quiet(fleet.processes["web"])


def test_a_leading_clock_that_ends_hands_over_at_once(start: Start, record_property: Record) -> None:
    fleet = start(("clock", "clock-2"))
    first = leading(fleet, "clock", "clock-2")
    other = {"clock": "clock-2", "clock-2": "clock"}[first]
    assert fleet.end_process(first) < ENDS_WITHIN_S
    ended_s = time.monotonic()
    fleet.until(lambda: "this clock leads now" in fleet.processes[other].log.read_text(), "the other leads")
    record_property("leads_after_s", time.monotonic() - ended_s)
    quiet(fleet.processes[first])


def test_a_worker_whose_call_does_not_come_back_ends_in_time_and_another_one_finds_the_work(
    start: Start, record_property: Record
) -> None:
    fleet = start()
    case = fleet.case()
    card = case.asked(rest=WHY)
    fault = fleet.hold("CreateAccountAssignment")
    case.approve(card)
    fault.wait_held()
    took_s = fleet.end_process("worker")
    record_property("took_s", took_s)
    assert took_s < ENDS_WITHIN_S
    fleet.aws.proxy.calm()
    fleet.relaunch()
    fleet.until(lambda: fleet.events(id_of(card))["grant.active"] == 1, "given")

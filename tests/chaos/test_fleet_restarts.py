"""A process that is asked to end finishes what it took, and a release under load is noticed by nobody; nor are kills."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bot.runtime import stopping, supervisor
from bot.sandbox.slack import Delivered
from tests.chaos.fleet import ACK_S, Fleet, Flow, quiet
from tests.chaos.rig import id_of
from tests.chaos.test_two_of_each import leading
from tests.support.installation import CHAOS, WHY
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.fleet

Start = Callable[..., Fleet]
Record = Callable[[str, object], None]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(*more: str, socket: bool = False) -> Fleet:
            fleet = stack.enter_context(Fleet(tmp_path, numbers=CHAOS, socket=socket))
            for label in more:
                fleet.relaunch(label.partition("-")[0], label)
            stack.callback(fleet.slack.faults.clear)
            stack.callback(fleet.aws.proxy.calm)
            return fleet

        yield begin


@contextmanager
def as_slow_as_slack_allows(fleet: Fleet) -> Iterator[None]:
    fleet.slack.app.ack_timeout_s = ACK_S
    yield
    fleet.slack.app.ack_timeout_s = PATIENCE_S


def test_a_release_over_http_and_kills_after_it_are_noticed_by_nobody(start: Start, record_property: Record) -> None:
    """Two webs, four workers, two clocks."""
    fleet = start("web-2", "worker-2", "worker-3", "worker-4", "clock-2")
    finishes_a_press(fleet)
    cases = iter([fleet.case() for _ in range(24)])
    flow, took_s = Flow(fleet, cases), {}
    with as_slow_as_slack_allows(fleet), flow.flowing(("dana", "olu"), ("nia", "pat")):
        for label in ("worker", "clock", "web", "worker-2", "clock-2", "web-2"):
            took_s[label] = fleet.end_and_follow(label)
    record_property("took_s", took_s)
    record_property("acts", (flow.acts, dict(flow.again), len(flow.done)))
    flow.assert_whole(beside=1)
    before = len(flow.done) + 1
    flow = Flow(fleet, cases)
    with as_slow_as_slack_allows(fleet), flow.flowing(("dana", "olu"), ("nia", "pat")):
        for label in ("worker-3", "clock", "web", "worker-4", "clock-2", "web-2"):
            fleet.kill(label)
            fleet.relaunch(fleet.processes[label].name, label)
    record_property("acts_with_kills", (flow.acts, dict(flow.again), len(flow.done)))
    flow.assert_whole(beside=before, calls_once=False)


def test_a_release_in_socket_mode_is_noticed_by_nobody(start: Start, record_property: Record) -> None:
    """And what hangs is left to be found; the lead is handed over."""
    fleet = start("web-2", "clock-2", socket=True)
    flow = Flow(fleet, iter([fleet.case() for _ in range(12)]))
    with as_slow_as_slack_allows(fleet), flow.flowing(("dana", "olu"), ("nia", "pat")):
        took_s = {label: fleet.end_and_follow(label) for label in ("web", "web-2")}
    record_property("took_s", took_s)
    record_property("acts", (flow.acts, dict(flow.again), len(flow.done)))
    flow.assert_whole()
    record_property("leads_after_s", hands_over(fleet))
    fleet.end_process("web-2")
    fault = fleet.hold("CreateAccountAssignment")
    id_ = finishes_a_press(fleet)
    fault.wait_held()
    record_property("worker_took_s", fleet.end_process("worker"))
    fleet.aws.proxy.calm()
    fleet.relaunch()
    fleet.until(lambda: fleet.events(id_)["grant.active"] == 1, "another worker finds it and gives it")


def test_nothing_takes_longer_to_end_than_whoever_asks_waits() -> None:
    assert stopping.ENDS_WITHIN_S < supervisor.STOP_S_MAX < 10


def finishes_a_press(fleet: Fleet) -> str:
    """Web is asked to end with a press under way: Redis stands still for a moment. Returns the request's id."""
    case = fleet.case()
    card = case.asked(rest=WHY)
    if not fleet.socket:
        fleet.front.targets = [fleet.ports["web"]]
    outcome: list[Delivered] = []
    press = threading.Thread(target=lambda: outcome.append(case.press("olu", card, "approve")))
    os.kill(fleet.redis.pid, signal.SIGSTOP)
    try:
        press.start()
        time.sleep(0.5)
        fleet.processes["web"].popen.terminate()
        time.sleep(0.3)
    finally:
        os.kill(fleet.redis.pid, signal.SIGCONT)
    press.join()
    assert [each.ok for each in outcome] == [True], outcome
    assert fleet.processes["web"].popen.wait(PATIENCE_S) == 0
    quiet(fleet.processes["web"])
    assert fleet.events(id_of(card))["request.approved"] == 1
    fleet.relaunch("web", "web")
    return id_of(card)


def hands_over(fleet: Fleet) -> float:
    """The leading clock ends; returns after how many seconds the other one leads."""
    first = leading(fleet, "clock", "clock-2")
    other = fleet.processes[{"clock": "clock-2", "clock-2": "clock"}[first]]
    asked_s = time.monotonic()
    fleet.end_process(first)
    fleet.until(lambda: "this clock leads now" in other.log.read_text(), "the other leads")
    quiet(fleet.processes[first])
    return time.monotonic() - asked_s

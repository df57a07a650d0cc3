"""One life takes at most ten calls to Slack, however slow Slack is and however long our own workers are kept waiting."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from bot.chat.outbox.plans.request import SETTLES_IN_S
from bot.sandbox.slack import SlackServer
from bot.sandbox.slack.faults import Call
from tests.support import build
from tests.support.chat import CARDS, RECEIPTS, ChatWorld, InProcess, lines, posts, server_for
from workflows.ledger.memory import MemoryClock
from workflows.usecases.shared.context import Outcome

CALLS_MAX = 10
DIRECTORY = ("auth.test", "users.info", "users.lookupByEmail", "usergroups.list", "dnd.teamInfo")


class Busy:
    """A machine on which everything comes late: jobs wait for their worker, and Slack answers slowly.

    In seconds: `chat_s`, `access_s` how long a worker may be kept waiting at most, `slack_s` how slow an answer may be.
    """

    def __init__(self, seed: int, *, chat_s: float, access_s: float, slack_s: float) -> None:
        clock = MemoryClock(build.NOW)
        self.slack: SlackServer = server_for(clock)
        client = InProcess(self.slack)
        self.rig = ChatWorld(client, clock)
        client.meanwhile = self._slow
        self._random, self._slack_s = Random(seed), slack_s
        self._late = {"chat": chat_s, "access": access_s}
        self._next = {"chat": 0.0, "access": 0.0}
        self._now_s = 0.0
        self._presses_at_s: float | None = None
        self._id = ""

    def asks(self, pressed_after_s: float | None = None) -> str:
        self._id = self.rig.asked()
        wait_s = self._random.uniform(0, 6) if pressed_after_s is None else pressed_after_s
        self._presses_at_s = self._now_s + wait_s
        return self._id

    def for_a_while(self, seconds: float) -> None:
        until_s = self._now_s + seconds
        while self._now_s < until_s:
            self._pass(0.5)
            if self._is_due("chat"):
                self.rig.show()

    def _slow(self) -> None:
        """Slack takes its time, and life goes on; the lease is kept by a thread of its own."""
        keeper, ledger = self.rig.lease_renewer, self.rig.ledger
        for _ in range(round(self._random.uniform(0, self._slack_s) * 2)):
            self._pass(0.5)
            keeper.kept = {token: ledger.renew(held) if held else None for token, held in keeper.kept.items()}

    def _pass(self, seconds: float) -> None:
        self.rig.tick(seconds)
        self._now_s += seconds
        if self._presses_at_s is not None and self._now_s >= self._presses_at_s:
            self._presses_at_s = None
            assert isinstance(self.rig.approve(self._id), Outcome)
        if self._is_due("access"):
            self.rig.work()

    def _is_due(self, worker: str) -> bool:
        if self._now_s < self._next[worker]:
            return False
        self._next[worker] = self._now_s + self._random.uniform(0, self._late[worker])
        return True


@pytest.mark.parametrize(
    ("chat_s", "access_s", "slack_s"),
    [(0.5, 0.5, 0.5), (0.5, SETTLES_IN_S - 3, 0.5), (8, 1, 1), (1, 3, 3), (8, SETTLES_IN_S - 3, 3)],
    ids=["idle", "slow workers", "slow chat workers", "slow Slack", "all of it"],
)
@pytest.mark.parametrize("seed", range(6))
def test_one_life_takes_at_most_ten_calls_whatever_the_load(
    seed: int, chat_s: float, access_s: float, slack_s: float
) -> None:
    busy = Busy(seed, chat_s=chat_s, access_s=access_s, slack_s=slack_s)
    id_ = busy.asks()
    busy.for_a_while(45)
    assert busy.rig.has_access(id_)
    busy.rig.tick(3600 - 45)
    busy.for_a_while(90)
    called = [call for call in busy.slack.calls.since(0) if call.method not in DIRECTORY]
    assert len(called) <= CALLS_MAX, [
        (call.method, call.arguments["channel"], call.arguments["text"]) for call in called
    ]
    (card,), (root,) = posts(busy.slack, CARDS), posts(busy.slack, RECEIPTS)
    assert "Ended" in card.text
    assert "Ended" in root.text
    told = " ".join(lines(busy.slack, root))
    assert "approved" in told
    assert "ended" in told


def test_what_is_overtaken_while_slack_is_slow_is_not_sent() -> None:
    clock = MemoryClock(build.NOW)
    slack = server_for(clock)
    client = InProcess(slack)
    rig = ChatWorld(client, clock)
    id_ = rig.asked()
    rig.settle()
    assert isinstance(rig.approve(id_), Outcome)
    rig.work()
    mark = slack.calls.mark()

    def it_ends() -> None:
        client.meanwhile = lambda: None
        rig.end(id_)
        rig.work()

    client.meanwhile = it_ends
    rig.settle()
    first, *rest = slack.calls.since(mark)
    assert "Active" in first.arguments["text"]
    assert rest
    assert not any("Active until" in call.arguments["text"] for call in rest)


def test_a_target_that_is_at_work_for_longer_is_told_on_the_card_alone() -> None:
    busy = Busy(1, chat_s=0.5, access_s=0.5, slack_s=0)
    busy.rig.target().slow_s = 20.0
    busy.asks(pressed_after_s=4)
    busy.for_a_while(12)
    (card,), (root,) = posts(busy.slack, CARDS), posts(busy.slack, RECEIPTS)
    assert "Being set up" in card.text
    assert "Being set up" not in root.text
    busy.for_a_while(30)
    assert "Active" in posts(busy.slack, CARDS)[0].text
    assert "Active" in posts(busy.slack, RECEIPTS)[0].text


class Interrupted:
    """Something happens in the midst of the outbox's work: before its `step`th look at the ledger or at a limit."""

    def __init__(self, step: int) -> None:
        clock = MemoryClock(build.NOW)
        self.slack = server_for(clock)
        client = InProcess(self.slack)
        self.rig = ChatWorld(client, clock)
        self.happens: Callable[[], object] | None = None
        self._left = step
        self._busy = False
        self.rig.ledger.read = self._before(self.rig.ledger.read)  # type: ignore[method-assign]  # the fault
        self.rig.ledger.commit = self._before(self.rig.ledger.commit)  # type: ignore[method-assign]  # as above
        self.rig.buckets.take = self._before(self.rig.buckets.take)  # type: ignore[method-assign]  # as above

    def _before(self, do: Callable[..., Any]) -> Callable[..., Any]:
        def done(*args: Any, **more: Any) -> Any:
            if self.happens is not None and not self._busy:
                self._left -= 1
                if self._left == 0:
                    self._happen()
            return do(*args, **more)

        return done

    def _happen(self) -> None:
        happens, self.happens = self.happens, None
        self._busy = True
        assert happens is not None
        happens()
        self._busy = False

    def show(self, happens: Callable[[], object]) -> bool:
        """Whether there were so many steps."""
        self.happens = happens
        self.rig.settle()
        return self.happens is None

    def called(self, mark: int = 0) -> list[Call]:
        return [call for call in self.slack.calls.since(mark) if call.method not in DIRECTORY]


@pytest.mark.parametrize("what", ["is approved", "ends"])
def test_whenever_something_happens_no_edit_says_what_is_over(what: str) -> None:
    """Before each step that the outbox takes to show the state before."""
    for step in range(1, 400):
        world = Interrupted(step)
        rig = world.rig
        id_ = rig.asked()
        mark = 0

        def given(id_: str = id_, rig: ChatWorld = rig) -> None:
            assert isinstance(rig.approve(id_), Outcome)
            rig.work()

        def ended(id_: str = id_, rig: ChatWorld = rig) -> None:
            rig.end(id_)
            rig.work()

        def noted(then: Callable[[], None], world: Interrupted = world) -> None:
            nonlocal mark
            then()
            mark = world.slack.calls.mark()

        if what == "ends":
            rig.settle()
            given()
        so_many = world.show(lambda: noted(ended if what == "ends" else given))
        over = "Active until" if what == "ends" else "Needs approval"
        late = [call for call in world.called(mark) if call.method == "chat.update" and over in call.arguments["text"]]
        assert not (so_many and late), (step, late)
        if not so_many:
            break
        if what != "ends":
            ended()
            rig.settle()
        assert len(world.called()) <= CALLS_MAX, (step, [(one.method, one.arguments["text"]) for one in world.called()])
    assert 20 < step < 399

"""News that come while a subject is shown are shown: its mark is not taken off with what was read before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import build
from tests.support.chat import ChatWorld, NoSlack
from tests.support.memory_chat import MemoryChat
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.identity import SLACK
from workflows.ledger.memory import MemoryClock
from workflows.ports import Change
from workflows.usecases.drift.standing import HOLD as DRIFT_HOLD
from workflows.usecases.drift.standing import SUBJECT as DRIFT
from workflows.usecases.identity.leavers import SUBJECT as LEAVERS
from workflows.usecases.shared.context import event
from workflows.usecases.shared.troubles import ALARM, Failure, note, over
from workflows.usecases.shared.troubles import SUBJECT as TROUBLE

FAILS = "holding:H-1"
News = Callable[[ChatWorld, str], object]


def entry(world: ChatWorld, subject: str) -> None:
    """Something of it is on the record, and marked."""
    snapshot = world.ledger.read()
    news = event(world.ctx, Event.LEAVERS_DECIDED, subject, snapshot)
    due = {keys.chat(subject): snapshot.now}
    world.ledger.commit(Change(world.press_id(), snapshot.now, {}, due=due, audit=(news,)))


def it_is_over(world: ChatWorld, _: str) -> None:
    over(world.ctx, FAILS)


@pytest.mark.parametrize(
    ("subject", "news"),
    [
        (LEAVERS + "1", entry),
        (DRIFT + "1", entry),
        (DRIFT_HOLD + "1", entry),
        (ALARM, it_is_over),
        (TROUBLE + FAILS, it_is_over),
    ],
)
def test_what_comes_right_before_the_mark_is_taken_off_is_shown(subject: str, news: News) -> None:
    clock = MemoryClock(build.NOW)
    world = ChatWorld(NoSlack(), clock, surface=MemoryChat(clock.now, name=SLACK))
    for _ in range(3):
        note(world.ctx, FAILS, Failure("the target does not answer"))
    world.ledger.remind(keys.chat(subject), 0.0)
    world.before(f"shown:{keys.chat(subject)}", lambda _: news(world, subject))
    world.show()
    assert keys.chat(subject) in world.chat_due()
    world.show()
    assert keys.chat(subject) not in world.chat_due(60)

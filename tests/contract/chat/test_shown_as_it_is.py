"""What is read at once to show a request is not what is looked at right before anything is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
import redis

from bot.chat.interaction import PRESS
from bot.chat.message import value_of
from bot.chat.messages.approval_card import END, WITHDRAW
from bot.chat.outbox.turns import Turns
from tests.contract.chat.test_round_trips import ASK
from tests.contract.chat.test_shown_round_trips import Shown
from tests.support.build import DANA, OLU
from workflows.core import keys


@pytest.fixture
def shown(redis_url: str) -> Iterator[Shown]:
    client = redis.Redis.from_url(redis_url)
    yield Shown(client)
    client.close()


def when_its_turn_comes(monkeypatch: pytest.MonkeyPatch, turn: str, then: Callable[[], object]) -> None:
    """Once, in another thread, as another process would."""
    waits: Callable[..., None] = getattr(Turns, turn)
    left = [then]

    def wait(self: Turns, *what: Any) -> None:
        waits(self, *what)
        if left:
            thread = Thread(target=left.pop())
            thread.start()
            thread.join()

    monkeypatch.setattr(Turns, turn, wait)


def _said(shown: Shown) -> int:
    counts = shown.server.calls.counts()
    return counts["chat.postMessage"] + counts["chat.update"]


@pytest.mark.parametrize("turn", ["wait_to_post", "wait_to_edit"])
def test_what_is_over_by_its_turn_is_not_said_and_what_is_true_comes_at_once(
    shown: Shown, monkeypatch: pytest.MonkeyPatch, turn: str
) -> None:
    shown.types(DANA, ASK)
    shown.work()
    id_ = shown.pending()
    then = WITHDRAW
    if turn == "wait_to_edit":
        shown.shown(id_)
        shown.intake.carry_out(shown.approving(OLU, id_))
        shown.work()
        then = END
    said = _said(shown)
    press = shown._act(PRESS, DANA, action=then, value=value_of(id_))
    when_its_turn_comes(monkeypatch, turn, lambda: shown.intake.carry_out(press))
    shown.shown(id_)
    assert _said(shown) == said
    due_at_s = shown.client.zscore("prodaccess:due", keys.chat(id_))
    assert due_at_s <= shown.world.ledger.now().timestamp()

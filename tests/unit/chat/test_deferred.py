"""Acts that a worker decides: each is decided once and forgotten, whatever comes late."""

from __future__ import annotations

from typing import Any, cast

from bot.chat.actions.deferred import Deferred, defer
from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.interaction import COMMAND, Interaction
from tests.support.build import DANA
from tests.support.memory_chat import MemoryChat
from tests.support.world import World, account
from workflows.core import keys

COMMAND_NAME = "/prodaccess"


class Rig(World):
    def __init__(self) -> None:
        super().__init__()
        self.door = MemoryChat(self.clock.now)
        self.worker = self.new_worker()
        self.knows(DANA)

    def new_worker(self) -> Deferred:
        does = Dispatcher(self.ctx, COMMAND_NAME)
        return Deferred(self.ctx, does, cast(Any, self.chat), self.door, COMMAND_NAME)

    def deferred(self) -> str:
        act = Interaction("act-1", COMMAND, account(DANA), text="payments-prod read-only 1h INC-42 checkout errors")
        defer(self.ctx, act)
        (item,) = self.waiting()
        return item

    def waiting(self) -> list[str]:
        return [item for item in self.ledger.due if item.startswith(keys.press(""))]

    def decide(self, item: str, worker: Deferred | None = None) -> None:
        (worker or self.worker).decide(item.removeprefix(keys.press("")))


def test_an_act_that_is_decided_already_is_taken_off_the_clock_however_often_it_comes_back() -> None:
    rig = Rig()
    item = rig.deferred()
    rig.decide(item)
    for _ in range(3):
        rig.ledger.remind(item, 0)
        rig.decide(item)
        assert rig.waiting() == []


def test_who_comes_late_with_a_word_does_not_bring_back_an_act_that_another_worker_has_decided() -> None:
    rig = Rig()
    item = rig.deferred()
    rig.chat.unreachable = True
    rig.clock.advance(4)
    say = rig.door.answer

    def meanwhile(*args: Any) -> bool:
        rig.door.answer = say  # type: ignore[method-assign]  # once
        rig.chat.unreachable = False
        rig.decide(item, rig.new_worker())
        return say(*args)

    rig.door.answer = meanwhile  # type: ignore[method-assign]  # what happens while it is said
    rig.decide(item)
    assert rig.ledger.read(item).items[item].is_absent
    rig.decide(item)
    assert rig.waiting() == []
    assert len(rig.ledger.members(keys.PENDING)) == 1

"""How often Redis is asked for one act, until it is acknowledged and the wake-ups are sent.

Each act was done before by somebody, so that scripts are loaded and it is known what such an act reads. What a process asks once
in some seconds, whatever it does, is not in it: whether the server is durable.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import redis

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.intake import Intake
from bot.chat.actions.reply import Reply
from bot.chat.actions.stray_copy import is_stray_copy
from bot.chat.interaction import COMMAND, PRESS, Interaction
from bot.chat.message import value_of
from bot.chat.messages.approval_card import APPROVE, END
from bot.queues import RqWake
from bot.slack.render import text_of
from tests.support.build import DANA, NIA, OLU, PAT
from tests.support.memory_chat import MemoryChat
from tests.support.redis_world import RedisWorld
from tests.support.round_trips import round_trips
from tests.support.world import account
from workflows.core import keys
from workflows.core.people import GroupFacts, PersonId
from workflows.core.policy import Policy
from workflows.core.records.request import Request, RequestState
from workflows.core.refusal import Code
from workflows.ledger import ahead, durability
from workflows.ledger.binding import BoundDirectory
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ports import Change, Committed, Lost

COMMANDS_MAX, PRESSES_MAX = 6, 5
ASK = "payments-prod read-only 1h INC-42 checkout errors"


class Door:
    """The web process, as far as an act goes through it."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.world = RedisWorld(client)
        wake = RqWake(client, self.world.due)

        def woken(*items: str) -> None:
            self.world.woken.update(dict.fromkeys(items))
            wake(*items)

        object.__setattr__(self.world.ctx, "wake", woken)
        self.dispatcher = Dispatcher(self.world.ctx, "prodaccess")
        self.intake = Intake(self.world.ctx, self.dispatcher, MemoryChat(self.world.ledger.now))
        self.world.look()
        self.world.activate()
        self.world.knows(DANA, NIA, OLU, PAT)

    def counted(self, do: Callable[[], Reply]) -> tuple[Reply, int]:
        with round_trips(self.client) as sent:
            reply = do()
        return reply, len(sent)

    def types(self, who: PersonId, text: str) -> Reply:
        return self.intake.carry_out(self._act(COMMAND, who, text=text))

    def presses(self, who: PersonId, action: str, id_: str) -> Reply:
        request = self.request(id_)
        act = self._act(PRESS, who, action=action, value=value_of(id_, request.terms.hash))
        return self.press(act)

    def press(self, act: Interaction) -> Reply:
        with self.intake.read_at_once(act):
            assert not is_stray_copy(self.world.ctx, act, "1700000000.000100")
            return self.intake.carry_out(act)

    def _act(self, kind: str, who: PersonId, **more: str) -> Interaction:
        return Interaction(f"act-{secrets.token_hex(4)}", kind, account(who), channel="C0GENERAL", **more)

    def approving(self, who: PersonId, id_: str) -> Interaction:
        return self._act(PRESS, who, action=APPROVE, value=value_of(id_, self.request(id_).terms.hash))

    def request(self, id_: str) -> Request:
        found = self.world.ledger.read(keys.request(id_)).get(keys.request(id_), Request)
        assert found is not None
        return found

    def pending(self) -> str:
        (id_,) = self.world.ledger.members(keys.PENDING)
        return id_

    def work(self) -> None:
        self.world.work()
        self.client.delete("prodaccess:woken")

    def life(self) -> None:
        self.types(DANA, ASK)
        self.work()
        id_ = self.pending()
        self.presses(OLU, APPROVE, id_)
        self.work()
        self.presses(DANA, END, id_)
        self.work()


@pytest.fixture
def door(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(durability, "CHECK_S", float("inf"))
    # On a busy machine an act may take longer, and would look anew.
    monkeypatch.setattr(ahead, "OLD_S", float("inf"))
    client = redis.Redis.from_url(redis_url)
    door = Door(client)
    door.life()
    door.life()
    yield door
    client.close()


def test_an_ask_and_what_the_owner_and_the_holder_press(door: Door) -> None:
    reply, count = door.counted(lambda: door.types(DANA, ASK))
    assert reply.refused is None
    assert count <= COMMANDS_MAX
    door.work()
    id_ = door.pending()
    approving = door.approving(OLU, id_)
    reply, count = door.counted(lambda: door.press(approving))
    assert reply.refused is None
    assert count <= PRESSES_MAX
    assert door.request(id_).state is RequestState.APPROVED
    door.work()
    ending = door._act(PRESS, DANA, action=END, value=value_of(id_))
    reply, count = door.counted(lambda: door.press(ending))
    assert reply.refused is None
    assert count <= PRESSES_MAX


def test_a_second_delivery_of_a_press_is_the_first_one(door: Door) -> None:
    door.types(DANA, ASK)
    door.work()
    id_ = door.pending()
    act = door.approving(OLU, id_)
    door.press(act)
    reply, count = door.counted(lambda: door.press(act))
    assert reply.refused is None
    assert count <= PRESSES_MAX
    assert len(door.request(id_).votes) == 1


def test_what_only_looks(door: Door) -> None:
    door.types(DANA, ASK)
    door.work()
    for text in ("list", "mine", "pending", "envs", "who payments-prod", ASK):
        door.types(NIA, text)
        door.types(DANA, text)
        reply, count = door.counted(lambda text=text: door.types(DANA, text))  # type: ignore[misc]  # of this turn
        assert reply.message is not None
        assert count <= COMMANDS_MAX, text


def test_whoever_may_not_is_refused_and_it_is_recorded(door: Door) -> None:
    door.types(DANA, ASK)
    door.work()
    id_ = door.pending()
    reply, count = door.counted(lambda: door.presses(DANA, APPROVE, id_))
    # The refusal is one more read and one more commit; and the request is looked at for this test.
    assert reply.refused is not None
    assert reply.refused.code is Code.OWN_REQUEST
    assert count <= PRESSES_MAX + 3


def test_an_approval_that_lost_a_race_is_decided_on_what_is_there_then(door: Door) -> None:
    """Another owner presses between the read of an act and its commit."""
    door.types(DANA, ASK)
    door.work()
    id_ = door.pending()
    other = Door(door.client)
    commit, pressed = door.world.ledger.commit, []

    def after_another(change: Change) -> Committed | Lost:
        if not pressed:
            pressed.append(other.presses(PAT, APPROVE, id_))
        return commit(change)

    act = door.approving(OLU, id_)
    door.world.ledger.commit = after_another  # type: ignore[method-assign]
    reply = door.press(act)
    assert reply.refused is not None
    assert reply.refused.code is Code.DECIDED
    assert [vote.by for vote in door.request(id_).votes] == [PAT]


def test_who_is_in_a_group_is_not_found_out_anew_after_each_ask(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ask changes what is counted of a person, and not who they are."""
    found: list[str] = []
    resolved = BoundDirectory._resolved

    def noted(self: BoundDirectory, lists: Any, former_domains: Any) -> Any:
        found.extend(lists)
        return resolved(self, lists, former_domains)

    monkeypatch.setattr(BoundDirectory, "_resolved", noted)
    assert door.types(DANA, ASK).refused is None
    assert found == []
    door.work()
    id_ = door.pending()
    found.clear()
    assert door.presses(OLU, APPROVE, id_).refused is None
    assert found == []
    door.world.knows(DANA)
    assert door.types(DANA, ASK).refused is None
    assert "developers" in found


def test_the_answer_to_an_ask_looks_up_no_group_again(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names who can approve by the groups on which it was decided; what those are called is all that is looked up."""
    asked: list[frozenset[str]] = []
    groups = RedisDirectory.groups

    def noted(self: RedisDirectory, policy: Policy, names: Iterable[str]) -> GroupFacts:
        names = tuple(names)
        asked.append(frozenset(names))
        return groups(self, policy, names)

    monkeypatch.setattr(RedisDirectory, "groups", noted)
    with round_trips(door.client) as sent:
        reply = door.types(DANA, ASK)
    assert reply.message is not None
    assert "Olu" in text_of(reply.message)
    assert len(asked) == 1
    of_a_member = door.world.ledger._keys.record(keys.identity(NIA)).encode()
    assert of_a_member in sent[0]
    assert of_a_member not in sent[-1]

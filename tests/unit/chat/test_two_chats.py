"""Two chats in one outbox: each at its own pace, and what one of them does not take holds up nothing in the other."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import pytest

from bot.chat.actions.deferred import Deferred, defer
from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.chats import NOT_SET_UP, Chats
from bot.chat.health import closed_places, not_set_up
from bot.chat.interaction import COMMAND, Interaction
from bot.chat.message import Message
from bot.chat.places import everything, is_everything, surface_of
from bot.chat.rich import ours
from tests.support import build
from tests.support.build import SUE
from tests.support.chat import ChatWorld, InProcess, server_for
from tests.support.memory_chat import NAME, MemoryChat, channel, person
from tests.support.world import account
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.destination import read_destination
from workflows.core.identity import SLACK, Account, AccountRecord, Identity
from workflows.core.records.oversight import Trouble
from workflows.core.records.request import Origin
from workflows.ledger.codec import dump, load
from workflows.ledger.memory import MemoryClock
from workflows.ports import Change
from workflows.usecases.shared.context import event

CARDS, RECEIPTS = read_destination("C0CARDS"), channel("19:receipts@thread:v2")
SUE_THERE = Account(NAME, "T9", "sue-there")
SHUT = "not_let_in"


class Two(ChatWorld):
    """Cards stand in one chat, called Slack, receipts in the other."""

    def __init__(self) -> None:
        clock = MemoryClock(build.NOW)
        place = build.environment(approvals_channels=(str(CARDS),))
        policy = replace(build.policy(place), receipts_channels=(str(RECEIPTS),))
        self.here, self.there = MemoryChat(self._now, name=SLACK), MemoryChat(self._now)
        super().__init__(InProcess(server_for(clock)), clock, (), policy, self.here, self.there)

    def _now(self) -> object:
        return self.clock.now()

    def bind(self, who: Account) -> None:
        """Sue has an account in the other chat, too."""
        item, theirs = keys.identity(SUE), keys.account(who.id)
        snapshot = self.ledger.read(item, theirs)
        known = snapshot.get(item, Identity)
        assert known is not None
        puts = {
            item: replace(known, accounts=(*known.accounts, who.id)),
            theirs: AccountRecord(who.id, who, "Sue", SUE),
        }
        self.ledger.commit(Change("bind", snapshot.now, snapshot.versions(), puts=puts))

    def closed(self) -> list[str]:
        return list(self.ledger.members(keys.CLOSED_PLACES))

    def words(self) -> set[str]:
        return set(self.ledger.members(keys.CHAT_WORDS))


@pytest.fixture
def rig() -> Two:
    return Two()


# ---------------------------------------------------------------- a chat that is closed as a whole


def test_a_token_that_one_chat_refuses_stops_that_chat_alone(rig: Two) -> None:
    rig.here.shut = SHUT
    id_ = rig.asked()
    rig.pass_time(5)
    assert rig.closed() == ["all"]
    assert rig.there.stands(RECEIPTS)
    rig.approve(id_)
    rig.work()
    rig.pass_time(40)
    (root,) = rig.there.stands(RECEIPTS)
    assert "Active" in root
    assert rig.here.posts == []
    rig.here.shut = ""
    rig.pass_time(120, 1)
    assert rig.closed() == []
    (card,) = rig.here.stands(CARDS)
    assert "Active" in card


def test_it_is_the_same_the_other_way_round(rig: Two) -> None:
    rig.there.shut = SHUT
    rig.asked()
    rig.pass_time(5)
    assert rig.closed() == [f"{NAME}:all"]
    assert rig.here.stands(CARDS)
    assert rig.words() == {f"{NAME}:{SHUT}", f"{NAME}:stopped"}
    rig.there.shut = ""
    rig.pass_time(120, 1)
    assert rig.closed() == []
    assert rig.there.stands(RECEIPTS)


def test_whoever_sees_to_it_is_told_in_the_chat_that_works(rig: Two) -> None:
    rig.bind(SUE_THERE)
    rig.here.shut = SHUT
    rig.asked()
    rig.pass_time(40)
    (told,) = rig.there.stands(person(SUE_THERE.user))
    assert "Slack does not take my token: `not_let_in`" in told
    assert "Nothing is sent there" in told


def test_of_a_channel_of_the_chat_that_works_they_are_told_there_too(rig: Two) -> None:
    """Their account was seen last in the chat that is closed."""
    rig.bind(SUE_THERE)
    rig.here.shut = SHUT
    rig.there.closed[RECEIPTS] = "place_gone"
    rig.asked()
    rig.pass_time(40)
    assert any("does not take my messages in" in text for text in rig.there.stands(person(SUE_THERE.user)))


def test_nobody_is_told_where_there_is_no_other_chat() -> None:
    clock = MemoryClock(build.NOW)
    chat = MemoryChat(lambda: clock.now(), name=SLACK)
    rig = ChatWorld(InProcess(server_for(clock)), clock, (), None, chat)
    chat.shut = SHUT
    rig.asked()
    rig.pass_time(40)
    assert list(rig.ledger.members(keys.CLOSED_PLACES)) == ["all"]
    place = keys.chat("place-all")
    assert set(rig.record("place-all").postings) == {"state"}
    assert place in rig.ledger.due


def test_of_two_entries_of_one_subject_both_are_told_in_the_chat_that_works(rig: Two) -> None:
    """The policy names a receipts channel in each chat, and one of them takes nothing."""
    here = read_destination("C0RECEIPTS")
    rig.policy.policy = replace(rig.policy.policy, receipts_channels=(str(here), str(RECEIPTS)))
    rig.here.shut = SHUT
    for number, kind in enumerate((Event.CLOCK_JUMPED, Event.CLOCK_STEADY)):
        snapshot, item = rig.ledger.read("x"), keys.chat("clock-1")
        told = event(rig.ctx, kind, "clock-1", snapshot, {"off_s": "60"})
        due = {item: snapshot.now}
        rig.ledger.commit(Change(f"clock {number}", snapshot.now, reads={}, due=due, audit=(told,)))
    rig.pass_time(2)
    first, second = rig.there.stands(RECEIPTS)
    assert "Nobody is given access now" in first
    assert "Access is given again" in second
    rig.here.shut = ""
    rig.pass_time(90, 1)
    assert len(rig.here.stands(here)) == len(rig.there.stands(RECEIPTS)) == 2


# ---------------------------------------------------------------- slow, odd, not there


def test_what_waits_in_one_chat_comes_at_once_in_the_other(rig: Two) -> None:
    rig.here.answers.append(rig.here.no("busy", 20.0))
    rig.asked()
    rig.pass_time(2)
    assert rig.here.stands(CARDS) == []
    assert rig.there.stands(RECEIPTS)
    rig.settle()
    assert rig.here.stands(CARDS)


def test_a_failure_names_the_chat_that_failed(rig: Two) -> None:
    id_ = rig.asked()
    rig.there.answers.extend([rig.there.no("busy")] * 5)
    rig.pass_time(4)
    item = keys.trouble(keys.chat(id_))
    trouble = rig.ledger.read(item).get(item, Trouble)
    assert trouble is not None
    assert trouble.words == "Memory does not take it (busy)"
    assert rig.words() == {f"{NAME}:busy"}


def test_a_channel_of_a_chat_that_is_not_set_up_is_closed_until_it_is(rig: Two) -> None:
    alone = rig.sender = rig.new_sender_for(rig.here)
    rig.asked()
    rig.settle()
    assert rig.here.stands(CARDS)
    assert rig.closed() == [str(RECEIPTS)]
    (said,) = closed_places(rig.ledger, lambda place: alone.outbox.chats.of(place).traits, people=False)
    assert NOT_SET_UP in said
    assert "Set the variables of this chat" in said
    rig.sender = rig.new_sender()
    rig.pass_time(120, 1)
    assert rig.closed() == []
    assert rig.there.stands(RECEIPTS)


def test_readyz_says_at_once_that_the_policy_names_channels_of_a_chat_that_is_not_set_up(rig: Two) -> None:
    alone = rig.new_sender_for(rig.here).outbox.chats
    (said,) = not_set_up(rig.policy, alone)
    assert said.startswith("the policy names channels in Memory, which is not set up here. Set the variables")
    assert not_set_up(rig.policy, rig.sender.outbox.chats) == []


@pytest.mark.parametrize("apart", [True, False])
def test_a_channel_that_wants_to_be_left_alone_holds_up_the_edits_of_another_only_where_they_are_counted_together(
    apart: bool,
) -> None:
    rig = Two()
    rig.there.edits_apart = apart
    others = replace(rig.policy.policy, receipts_channels=(str(RECEIPTS), str(channel("second"))))
    rig.policy.policy = others
    id_ = rig.asked()
    rig.settle()
    rig.approve(id_)
    rig.work()
    rig.there.answers.append(rig.there.no("busy", 30.0))
    rig.pass_time(6)
    first, second = (rig.there.stands(place)[0] for place in (RECEIPTS, channel("second")))
    assert "Active" not in first
    assert ("Active" in second) is apart


def test_nobody_is_whispered_to_in_another_chat(rig: Two) -> None:
    rig.here.closed[read_destination(account(build.DANA).user)] = "person_gone"
    rig.asked(origin=Origin("T1", str(channel("ops")), "ops"))
    rig.settle()
    assert rig.here.whispers == []


# ---------------------------------------------------------------- whose is it


def test_an_answer_goes_to_the_chat_in_which_somebody_acted() -> None:
    here, there = MemoryChat(lambda: build.NOW, name=SLACK), MemoryChat(lambda: build.NOW)
    chats, message = Chats(here, there), Message(ours("done"))
    assert chats.answer(Interaction("1", "command", SUE_THERE), message)
    assert chats.answer_in_place(Interaction("2", "command", account(SUE)), message)
    assert [who for who, _ in there.answered] == [SUE_THERE]
    assert [who for who, _ in here.answered] == [account(SUE)]
    assert not Chats(here).answer(Interaction("3", "command", SUE_THERE), message)


def test_what_a_worker_decides_later_is_answered_in_the_chat_in_which_it_was_typed(rig: Two) -> None:
    rig.bind(SUE_THERE)
    rig.chat.people[SUE_THERE] = replace(build.facts(SUE), slack=SUE_THERE)
    chats = rig.sender.outbox.chats
    worker = Deferred(rig.ctx, Dispatcher(rig.ctx, "/prodaccess"), cast(Any, rig.chat), chats, "/prodaccess")
    for who in (SUE_THERE, account(SUE)):
        defer(rig.ctx, Interaction(f"act of {who.id}", COMMAND, who, text="mine"))
    for item in [item for item in rig.ledger.due if item.startswith("press:")]:
        worker.decide(item.removeprefix("press:"))
    assert [who for who, _ in rig.there.answered] == [SUE_THERE]
    assert [who for who, _ in rig.here.answered] == [account(SUE)]


def test_a_request_says_in_which_chat_it_was_asked_and_what_an_earlier_version_wrote_is_of_slack() -> None:
    there = Interaction("1", COMMAND, SUE_THERE, channel=str(channel("ops"))).origin
    assert (there.surface, there.team) == (NAME, "T9")
    stored = dump(Origin, there)
    assert load(Origin, stored, where="x") == there
    older = {name: value for name, value in json.loads(stored).items() if name != "surface"}
    assert load(Origin, json.dumps(older).encode(), where="x") == replace(there, surface=SLACK)
    assert Interaction("1", COMMAND, account(SUE)).origin.surface == SLACK


@pytest.mark.parametrize(
    ("place", "surface", "whole"),
    [
        ("all", SLACK, True),
        ("C0ALL", SLACK, False),
        ("teams:all", "teams", True),
        ("teams:channel:19:a@thread.tacv2", "teams", False),
        ("webhook:channel:all", "webhook", False),
        ("webhook:all", "webhook", True),
    ],
)
def test_a_place_says_in_which_chat_it_is(place: str, surface: str, whole: bool) -> None:
    assert surface_of(place) == surface
    assert is_everything(place) is whole
    assert (everything(surface) == place) is whole

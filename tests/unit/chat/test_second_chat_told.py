"""Who hears what, and where, when somebody acts in a second chat for the first time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.reply import Reply
from bot.chat.interaction import PRESS, Interaction
from bot.chat.message import Button, Buttons, Message
from bot.chat.messages.second_chat import IS_ME, IS_NOT_ME
from bot.chat.plain_text import as_text
from tests.support import build
from tests.support.build import DANA, PAT, SUE
from tests.support.chat import ChatWorld, InProcess, server_for
from tests.support.memory_chat import MemoryChat, Post, channel, person
from tests.support.people import acts, in_teams
from tests.support.world import account
from workflows.core import keys
from workflows.core.identity import SLACK, TEAMS, Account
from workflows.core.people import PersonId
from workflows.ledger.memory import MemoryClock

RECEIPTS = channel("19:receipts@thread.tacv2", TEAMS)


class Two(ChatWorld):
    """People are in Slack; receipts stand in Teams. `alone`: Slack is set up here no more."""

    def __init__(self, *, alone: bool = False) -> None:
        clock = MemoryClock(build.NOW)
        policy = replace(build.policy(), receipts_channels=(str(RECEIPTS),))
        self.slack, self.teams = MemoryChat(self._now, name=SLACK), MemoryChat(self._now, name=TEAMS)
        super().__init__(InProcess(server_for(clock)), clock, (), policy, self.slack, self.teams)
        if alone:
            self.sender = self.new_sender_for(self.teams)
        self.knows(DANA, SUE, PAT)

    def _now(self) -> object:
        return self.clock.now()

    def act_in_teams(self, who: PersonId = DANA) -> Account:
        there = in_teams(self, f"aad-{build.facts(who).name.lower()}", str(who), build.facts(who).name)
        acts(self, there)
        self.settle()
        return there

    def to(self, who: PersonId) -> list[Post]:
        return [post for post in self.slack.posts if post.to == person(account(who).user, SLACK) and not post.gone]

    def presses(self, who: Account, button: Button) -> Reply:
        self.chat.refresh_person(who, self.policy.policy)
        act = Interaction(self.press_id(), PRESS, who, action=button.action, value=button.value)
        return Dispatcher(self.ctx, "/prodaccess").carry_out(act)


def buttons(message: Message) -> dict[str, Button]:
    found = [one for part in message.parts if isinstance(part, Buttons) for one in part.elements]
    return {one.action: one for one in found if isinstance(one, Button)}


@pytest.fixture
def rig() -> Two:
    return Two()


def test_the_question_stands_in_the_first_chat_alone_and_goes_when_it_is_answered(rig: Two) -> None:
    there = rig.act_in_teams()
    (asked,) = rig.to(DANA)
    assert "Is this you in Teams?" in as_text(asked.message)
    assert buttons(asked.message).keys() == {IS_ME, IS_NOT_ME}
    assert [post.to for post in rig.teams.posts] == [RECEIPTS]
    assert rig.to(SUE) == rig.to(PAT) == []
    assert not rig.presses(there, buttons(asked.message)[IS_ME]).replaces, "not by the new account"
    rig.presses(account(DANA), buttons(asked.message)[IS_ME])
    rig.settle()
    assert buttons(rig.to(DANA)[0].message) == {}
    assert "You said Yes" in rig.to(DANA)[0].text
    both = (rig.to(DANA)[1].text, rig.teams.stands(person(there.user, TEAMS))[0])
    for told in both:
        assert "You said in Slack that the account in Teams with your address" in told
        assert there.user not in told
    assert "Dana said in Slack that Dana's account in Teams" in rig.teams.stands(RECEIPTS)[-1]
    assert "is theirs, too" in rig.teams.stands(RECEIPTS)[-1]
    assert rig.to(SUE) == rig.to(PAT) == []


def test_a_no_is_an_alarm(rig: Two) -> None:
    there = rig.act_in_teams()
    rig.presses(account(DANA), buttons(rig.to(DANA)[0].message)[IS_NOT_ME])
    rig.settle()
    for who in (SUE, PAT):
        assert "is not theirs" in rig.to(who)[-1].text
    assert "🚨" in rig.teams.stands(RECEIPTS)[-1]
    assert buttons(rig.to(DANA)[0].message) == {}
    assert "You said No" in rig.to(DANA)[0].text
    assert rig.teams.stands(person(there.user, TEAMS)) == [], "it is nobody's, and hears when it acts"


def test_asked_again_for_another_address_the_older_question_is_over(rig: Two) -> None:
    there = rig.act_in_teams()
    rig.chat.people[there] = replace(rig.chat.people[there], address=build.facts(PAT).address)
    acts(rig, there)
    rig.settle()
    assert buttons(rig.to(DANA)[0].message) == {}
    assert buttons(rig.to(PAT)[0].message).keys() == {IS_ME, IS_NOT_ME}


def test_where_the_first_chat_is_set_up_no_more_security_says_it() -> None:
    rig = Two(alone=True)
    there = in_teams(rig, "aad-dana", str(DANA), "Dana")
    acts(rig, there)
    rig.pass_time(10)
    (receipt,) = rig.teams.stands(RECEIPTS)
    assert "until security has said whose it is: `/prodaccess person confirm dana@example.com REASON`" in receipt
    # Security's own accounts of Slack are told when they can be.
    assert str(person(account(SUE).user, SLACK)) in rig.ledger.members(keys.CLOSED_PLACES)
    assert not any("Is this you" in post.text for post in rig.teams.posts)

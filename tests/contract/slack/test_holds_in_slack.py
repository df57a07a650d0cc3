"""What Slack shows when an account is on hold: who is told, whom security asks, and what came of it; and of who leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.reply import Reply
from bot.chat.interaction import COMMAND, PRESS, Interaction
from bot.chat.messages.holds import CONFIRM_ANOTHER, CONFIRM_SAME
from bot.chat.messages.second_chat import IS_ME, IS_NOT_ME
from bot.chat.plain_text import as_text
from bot.sandbox.slack import SlackServer, words
from bot.slack.render import blocks_of
from tests.support import build
from tests.support.build import DANA, OLU, PAT, SUE
from tests.support.chat import CARDS, RECEIPTS, ChatWorld, InProcess, lines, posts, server_for
from tests.support.people import TENANT, acts, gets_address, in_teams
from tests.support.world import account
from workflows.core import keys
from workflows.core.identity import Account, Address, TargetUser
from workflows.core.people import PersonId
from workflows.core.records.grant import GrantState
from workflows.ledger.memory import MemoryClock
from workflows.ports import Change
from workflows.usecases.identity.confirm_account import held_account
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.target_users import move_by_hand, users_called


class Rig(ChatWorld):
    """With Slack's own view of a person changed together with the world's."""

    def __init__(self) -> None:
        clock = MemoryClock(build.NOW)
        self.slack: SlackServer = server_for(clock)
        super().__init__(InProcess(self.slack), clock)

    def told(self, who: PersonId) -> list[str]:
        """What stands in somebody's direct messages, oldest first."""
        user = account(who).user
        rooms = [room for room in self.slack.workspace.channels.values() if room.is_im and user in room.members]
        return [words(message) for room in rooms for message in posts(self.slack, room.id)]

    def receipts(self) -> list[str]:
        return [words(message) for message in posts(self.slack, RECEIPTS)]

    def types(self, who: PersonId, text: str) -> Reply:
        self.knows(who)
        user = account(who).user
        return Dispatcher(self.ctx, "/prodaccess").carry_out(
            Interaction(self.press_id(), COMMAND, Account("slack", "T1", user), text=text)
        )

    def presses(self, who: PersonId, action: str, value: str) -> Reply:
        self.knows(who)
        user = account(who).user
        act = Interaction(self.press_id(), PRESS, Account("slack", "T1", user), action=action, value=value)
        return Dispatcher(self.ctx, "/prodaccess").carry_out(act)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def on_hold(rig: Rig, who: PersonId, address: str) -> None:
    gets_address(rig, who, address)
    acts(rig, account(who))
    rig.settle()


def values(blocks: list[dict[str, Any]], action: str) -> list[str]:
    elements = (element for block in blocks for element in block.get("elements", ()))
    return [element["value"] for element in elements if element.get("action_id") == action]


def value(reply: Reply, action: str) -> str:
    assert reply.message is not None
    (found,) = values(blocks_of(reply.message), action)
    return found


def text(reply: Reply) -> str:
    return as_text(reply.message) if reply.message else ""


def test_a_hold_is_told_to_security_to_the_owners_of_what_is_open_and_to_the_receipts(rig: Rig):
    rig.active(DANA)
    rig.settle()
    before = {who: len(rig.told(who)) for who in (OLU, PAT, SUE, DANA)}
    on_hold(rig, DANA, "dana.new@example.com")
    (receipt,) = [text_ for text_ in rig.receipts() if "on hold" in text_]
    assert "Dana's account is on hold: its address was changed to dana.new@example.com" in receipt
    assert "/prodaccess person confirm dana.new@example.com REASON" in receipt
    for who in (OLU, PAT, SUE):
        assert "Dana's account is on hold" in rig.told(who)[before[who]]
    assert len(rig.told(DANA)) == before[DANA]


def test_security_is_asked_with_both_addresses_and_presses(rig: Rig):
    on_hold(rig, DANA, "dana.new@example.com")
    reply = rig.types(SUE, "person confirm dana.new@example.com she showed her badge")
    assert "from dana@example.com to dana.new@example.com" in text(reply)
    assert "slack:T1:UDANA" in text(reply)
    done = rig.presses(SUE, CONFIRM_SAME, value(reply, CONFIRM_SAME))
    assert done.replaces
    assert "the same person's" in text(done)
    rig.settle()
    assert any("Sue said whose Dana's account is" in line for line in rig.told(DANA))
    assert any("the same person as before. Why: she showed her badge" in line for line in rig.receipts())
    assert "nothing to confirm" in text(rig.types(SUE, "person confirm @dana again"))


def test_of_two_who_have_to_say_it_the_second_is_asked_with_buttons(rig: Rig):
    on_hold(rig, OLU, "olu.o@example.com")
    first = rig.types(SUE, "person confirm olu.o@example.com another new hire got his phone")
    assert "It takes two" in text(first)
    rig.settle()
    own = [room for room in rig.slack.workspace.channels.values() if room.is_im and account(PAT).user in room.members]
    asked = [
        message for room in own for message in posts(rig.slack, room.id) if "Sue says that Olu's" in words(message)
    ]
    (value_,) = values(asked[0].blocks, CONFIRM_ANOTHER)
    assert "You have said that already" in text(rig.presses(SUE, CONFIRM_ANOTHER, value_))
    assert "another person's" in text(rig.presses(PAT, CONFIRM_ANOTHER, value_))
    rig.settle()
    assert not [line for line in rig.told(SUE) if "Sue says that Olu's" in line], "she knows"
    asked = [line for room in own for line in posts(rig.slack, room.id) if "Sue says that Olu's" in words(line)]
    assert [values(message.blocks, CONFIRM_ANOTHER) for message in asked] == [[]], "nobody is asked any more"
    assert any("Sue and Pat said whose Olu's account is" in line for line in rig.receipts())


def test_of_an_account_in_a_second_chat_its_person_is_asked_and_nobody_else_is_bothered(rig: Rig):
    rig.knows(DANA, SUE)
    there = in_teams(rig, "aad-dana", str(DANA), "Dana")
    acts(rig, there)
    rig.settle()
    rooms = [
        room for room in rig.slack.workspace.channels.values() if room.is_im and account(DANA).user in room.members
    ]
    (asked,) = [
        message for room in rooms for message in posts(rig.slack, room.id) if "Is this you in Teams?" in words(message)
    ]
    assert TENANT in words(asked)
    (value_,) = values(asked.blocks, IS_ME)
    assert values(asked.blocks, IS_NOT_ME) == [value_]
    assert rig.told(SUE) == []
    assert "Only Dana can answer this" in text(rig.presses(OLU, IS_ME, value_))
    done = rig.presses(DANA, IS_ME, value_)
    assert done.replaces
    assert "The account in Teams is yours from now on" in text(done)
    rig.settle()
    assert any("Dana said in Slack that Dana's account in Teams" in line for line in rig.receipts())
    assert [values(message.blocks, IS_ME) for room in rooms for message in posts(rig.slack, room.id)] == [[], []]
    assert rig.told(SUE) == []
    assert "on hold no more" in text(rig.presses(DANA, IS_ME, value_))


def test_of_an_account_that_is_not_theirs_security_hears(rig: Rig):
    rig.knows(DANA, SUE)
    there = in_teams(rig, "aad-dana", str(DANA), "Dana")
    acts(rig, there)
    rig.settle()
    held = held_account(rig.ctx, there.id)
    assert held is not None
    rig.presses(DANA, IS_NOT_ME, json.dumps({"a": there.id, "h": held.hash}))
    rig.settle()
    for who in (SUE, PAT, DANA):
        assert any("is not theirs" in line for line in rig.told(who))
    assert any("is not theirs" in line for line in rig.receipts())


def test_who_is_on_hold_reads_what_to_do_and_what_stays(rig: Rig):
    id_ = rig.active(DANA)
    on_hold(rig, DANA, "dana.new@example.com")
    refused = text(rig.types(DANA, "payments-prod read-only 1h INC-42 errors"))
    assert "Your account is on hold: its address was changed (dana.new@example.com)" in refused
    assert "/prodaccess person confirm @you REASON" in refused
    assert id_ in text(rig.types(DANA, "mine"))
    assert "hold" not in text(rig.types(DANA, f"end {id_}"))


def test_the_owners_hear_at_once_of_who_leaves_with_open_access(rig: Rig):
    id_ = rig.active(DANA)
    rig.settle()
    facts = rig.chat.people[account(DANA)]
    rig.chat.people[account(DANA)] = replace(facts, standing_problem="person_deactivated")
    rig.run(keys.whois(account(DANA)))
    rig.run(keys.LEAVERS)
    rig.settle()
    for told in (rig.told(OLU), rig.told(SUE), rig.receipts()):
        (line,) = [line for line in told if "Dana is gone" in line]
        assert f"Dana is gone: no account of theirs is in the chat any more (slack:T1:UDANA). Ends now: {id_}." in line
    assert rig.grant(id_).state is GrantState.REVOKING


def test_a_user_in_aws_that_goes_to_another_person_is_told_to_both_security_and_the_receipts(rig: Rig):
    rig.knows(build.NIA)
    rig.active(DANA)
    rig.end(rig.ledger.members(keys.LIVE)[0])
    rig.work()
    (user,) = users_called(rig.ctx, "id-of-dana@example.com")
    assert isinstance(move_by_hand(rig.ctx, user.id, build.NIA, "Ada", "handed over, <!channel>", "move"), Outcome)
    rig.settle()
    (receipt,) = [line for line in rig.receipts() if "the AWS user id-of-dana@example.com is Nia's" in line]
    assert "no longer Dana's" in receipt
    assert "<!channel>" not in receipt
    for who in (DANA, build.NIA, SUE, PAT):
        assert sum("Ada says that the AWS user" in line for line in rig.told(who)) == 1


def test_a_new_user_is_a_receipt_of_the_request_with_both_ids(rig: Rig):
    rig.active(DANA)
    rig.end(rig.ledger.members(keys.LIVE)[0])
    rig.work()
    rig.target().people[Address("dana@example.com")] = "made-anew"
    rig.asked(DANA)
    rig.settle()
    told = [line for root in posts(rig.slack, RECEIPTS) for line in lines(rig.slack, root)]
    (line,) = [line for line in told if "made-anew in place of id-of-dana@example.com" in line]
    assert "the AWS user is another one" in line


def test_who_reads_that_a_user_is_anothers_reads_what_to_do(rig: Rig):
    item = keys.target_user("identity-store:id-of-dana@example.com")
    snapshot = rig.ledger.read(item)
    record = TargetUser("identity-store:id-of-dana@example.com", build.NIA, "Nia", snapshot.now)
    rig.ledger.commit(Change("nias", snapshot.now, snapshot.versions(), {item: record}))
    rig.asked(DANA)
    rig.settle()
    (said,) = [line for line in rig.told(DANA) if "is Nia's on my record" in line]
    assert "prodaccess person user id-of-dana@example.com dana@example.com --by NAME --reason TEXT" in said


def card(rig: Rig) -> str:
    (message,) = posts(rig.slack, CARDS)
    return words(message) + ("[Approve]" if values(message.blocks, "approve") else "")


def test_a_card_does_not_offer_what_nobody_can_approve_while_an_account_is_on_hold(rig: Rig):
    rig.asked(DANA)
    rig.settle()
    assert "[Approve]" in card(rig)
    on_hold(rig, DANA, "dana.new@example.com")
    assert "[Approve]" not in card(rig)
    assert "Dana's account is on hold: cannot be approved before security has said whose it is" in card(rig)
    rig.types(SUE, "person confirm dana.new@example.com same she showed her badge")
    rig.settle()
    assert "[Approve]" in card(rig)
    assert "on hold" not in card(rig)

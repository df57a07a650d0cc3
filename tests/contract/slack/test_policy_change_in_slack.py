"""A change of the policy that waits, in Slack: its card for whoever is asked, pressed by them."""

from __future__ import annotations

import pytest

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.interaction import PRESS, Interaction
from bot.chat.messages.policy_change import AGREE, REFUSE
from bot.chat.outbox.outbox import Outbox
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.postings import PostingSession
from bot.sandbox.slack import buttons, words
from tests.support import build
from tests.support.build import OLU, PAT, SUE
from tests.support.chat import RECEIPTS, ChatWorld, InProcess, posts, server_for
from tests.support.waiting_policy import LOOSER, begins, waits
from tests.support.world import account
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.ledger.memory import MemoryClock
from workflows.policy_file.folder import hash_of
from workflows.usecases.oversight.policy_waiting import SUBJECT


class Rig(ChatWorld):
    def __init__(self) -> None:
        clock = MemoryClock(build.NOW)
        self.slack = server_for(clock)
        super().__init__(InProcess(self.slack), clock)
        self.knows(SUE, PAT, OLU)
        begins(self, self.policy.policy, {"security": 2})
        self.change = waits(self)
        self.settle()

    def card(self, who: PersonId | None = None) -> tuple[str, list[str]]:
        user = account(who).user if who else ""
        rooms = (
            [RECEIPTS]
            if who is None
            else [room.id for room in self.slack.workspace.channels.values() if room.is_im and user in room.members]
        )
        (found,) = [post for room in rooms for post in posts(self.slack, room) if "Policy" in words(post)][:1]
        return words(found), buttons(found)

    def presses(self, who: PersonId, action: str) -> str:
        self.knows(who)
        refused = self.decides(who, action)
        self.settle()
        return refused

    def decides(self, who: PersonId, action: str) -> str:
        act = Interaction(self.press_id(), PRESS, account(who), action=action, value=self.change)
        reply = Dispatcher(self.ctx, "/prodaccess").carry_out(act)
        return reply.refused.code.value if reply.refused else ""

    def active(self) -> str:
        found = self.ledger.read(keys.ACTIVE_POLICY).get(keys.ACTIVE_POLICY, ActivePolicy)
        assert found is not None
        return found.hash


def test_two_of_security_put_it_in_force_by_their_cards() -> None:
    rig = Rig()
    for who in (None, SUE, PAT):
        said, pressed = rig.card(who)
        assert "waits for 2 of security" in said
        assert pressed == ["Approve", "Deny"]
    assert rig.presses(OLU, AGREE) == "not_security"
    assert rig.presses(SUE, AGREE) == ""
    assert rig.card(SUE)[1] == ["Deny"]
    assert "Agreed so far: Sue" in rig.card()[0]
    assert rig.presses(PAT, AGREE) == ""
    assert rig.active() == hash_of(LOOSER)


def test_a_no_stands_on_every_card() -> None:
    rig = Rig()
    assert rig.presses(PAT, REFUSE) == ""
    for who in (None, SUE, PAT):
        said, pressed = rig.card(who)
        assert "was denied by Pat" in said
        assert pressed == []
    assert rig.active() == "f" * 64


def test_a_no_that_comes_while_the_cards_are_posted_stands_on_them_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig, send = Rig(), Outbox.send
    late = [PAT]

    def sent(box: Outbox, page: PostingSession, items: list[PlannedMessage]) -> None:
        send(box, page, items)
        if late and page.record.subject.startswith(SUBJECT):
            rig.decides(late.pop(), REFUSE)

    monkeypatch.setattr(Outbox, "send", sent)
    assert rig.presses(SUE, AGREE) == ""
    assert not late
    said, pressed = rig.card(SUE)
    assert "was denied by Pat" in said
    assert pressed == []

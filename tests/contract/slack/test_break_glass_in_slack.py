"""Everybody sees a break-glass, and its review is asked for until it is done: the Sender on the stand-in for Slack."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.sandbox.slack import Message, SlackServer, buttons, words
from tests.support import build
from tests.support.build import HOUR, MINUTE, NIA, OLU, SUE
from tests.support.chat import CARDS, RECEIPTS, ChatWorld, InProcess, posts, replies, server_for
from tests.support.world import account
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.policy import BreakGlass, Digest, Policy, Visibility
from workflows.core.records.request import Origin
from workflows.core.rules.eligibility import Ask
from workflows.ledger.memory import MemoryClock
from workflows.usecases.oversight.break_glass_review import acknowledge, flag
from workflows.usecases.oversight.unblock import lift
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.shared.context import Outcome

GLASS = BreakGlass(("oncall",), ("read-only",), 30 * MINUTE, review_within=24 * HOUR)


def policy(**changes: object) -> Policy:
    return build.policy(build.environment(break_glass=GLASS, **changes))


class Glass(ChatWorld):
    slack: SlackServer

    def breaks(self) -> str:
        self.knows(NIA)
        ask = Ask("payments-prod", "read-only", None, "everything is down")
        answer = break_glass(self.ctx, ask, account(NIA), Origin(), self.press_id())
        assert isinstance(answer, Outcome), answer
        self.work()
        return answer.id

    def acknowledges(self, id_: str, who: PersonId = OLU) -> None:
        self.knows(who)
        assert isinstance(acknowledge(self.ctx, id_, account(who), self.press_id()), Outcome)
        self.settle()

    def later(self, passed: timedelta) -> None:
        """Let so much time pass at once, then do what is due."""
        self.tick(passed.total_seconds())
        self.work()
        self.settle()

    def direct(self, who: PersonId) -> list[Message]:
        return list(self.slack.person(account(who).user).dms())

    def told(self, who: PersonId, part: str) -> list[str]:
        return [words(message) for message in self.direct(who) if part in words(message)]


@pytest.fixture
def make() -> object:
    def build_one(rules: Policy | None = None) -> Glass:
        clock = MemoryClock(build.NOW)
        slack = server_for(clock)
        world = Glass(InProcess(slack), clock, (), rules or policy())
        world.slack = slack
        return world

    return build_one


@pytest.fixture
def world(make) -> Glass:
    return make()


def test_everybody_sees_it_at_once(world: Glass):
    id_ = world.breaks()
    world.show()
    (card,), (root,) = posts(world.slack, CARDS), posts(world.slack, RECEIPTS)
    for message in (card, root):
        assert "🚨 Break-glass" in words(message)
        assert "everything is down" in words(message)
        assert id_ in words(message)
    assert set(card.pinged) == {"UOLU", "UPAT"}
    assert set(buttons(card)) >= {"Acknowledge...", "Flag...", "End early"}
    for who in (OLU, build.PAT, SUE):
        assert len(world.told(who, "🚨 Break-glass")) == 1, who


def test_the_holder_is_told_once_that_it_is_active_and_never_to_review_it(world: Glass):
    world.breaks()
    world.settle()
    (message,) = world.direct(NIA)
    assert "✅ You have" in words(message)
    assert "Acknowledge" not in words(message)


def test_once_reviewed_the_buttons_are_gone_everywhere(world: Glass):
    id_ = world.breaks()
    world.settle()
    world.acknowledges(id_)
    shown = [*posts(world.slack, CARDS), *world.direct(OLU), *world.direct(SUE)]
    assert all("acknowledged by Olu" in words(message) for message in shown)
    assert all("Acknowledge..." not in buttons(message) for message in shown)


def test_the_review_can_still_be_done_when_the_access_is_over(world: Glass):
    id_ = world.breaks()
    world.settle()
    world.later(31 * MINUTE)
    (card,) = posts(world.slack, CARDS)
    assert "🏁 Ended" in words(card)
    assert "Acknowledge..." in buttons(card)
    world.acknowledges(id_)
    assert buttons(posts(world.slack, CARDS)[0]) == []


def test_owners_are_reminded_under_the_card_once_a_point(world: Glass):
    world.breaks()
    world.settle()
    (card,) = posts(world.slack, CARDS)
    for passed, reminders in ((6, 1), (5, 1), (1, 2), (12, 3), (24, 4)):
        world.later(passed * HOUR)
        world.sender = world.new_sender()
        world.later(MINUTE)
        assert len(replies(world.slack, card)) == reminders
    assert "overdue" in words(replies(world.slack, card)[-1])
    assert len(posts(world.slack, CARDS)) == 1


def test_without_a_channel_the_owners_are_reminded_directly(make):
    world = make(policy(approvals_channels=()))
    world.breaks()
    world.settle()
    world.later(7 * HOUR)
    assert len(world.told(OLU, "needs a review")) == 1
    assert world.told(NIA, "needs a review") == []


def test_a_flag_is_told_to_security_and_to_the_holder(world: Glass):
    id_ = world.breaks()
    world.settle()
    world.knows(OLU)
    assert isinstance(flag(world.ctx, id_, account(OLU), "it could have waited", world.press_id()), Outcome)
    world.settle()
    for who in (NIA, SUE, build.PAT):
        (text,) = world.told(who, "⚠️ Olu flagged")
        assert "it could have waited" in text
    assert world.told(OLU, "⚠️ Olu flagged") == []
    world.knows(SUE)
    assert isinstance(lift(world.ctx, NIA, account(SUE), "talked it over", world.press_id()), Outcome)
    world.settle()
    assert len(world.told(NIA, "✅ Sue lifted")) == 1


def test_an_overdue_review_stands_in_every_digest_even_in_one_that_is_silent_when_quiet(make):
    plan = Digest((RECEIPTS,), "0 9 * * *", only_if_active=True)
    world = make(replace(policy(), digests=(plan,)))
    id_ = world.breaks()
    world.settle()
    world.later(31 * MINUTE)
    world.later(40 * HOUR)
    before = len(posts(world.slack, RECEIPTS))
    from workflows.usecases.oversight.policy_activation import digest_key

    world.sender.post_digest(digest_key(plan))
    digest = posts(world.slack, RECEIPTS)[before]
    assert "1 review overdue" in words(digest)
    assert id_ in words(digest)


def test_a_hidden_environment_leaks_neither_who_nor_why(make):
    world = make(policy(visibility=Visibility.MEMBERS))
    world.breaks()
    world.settle()
    world.later(25 * HOUR)
    told = [*posts(world.slack, RECEIPTS)]
    told += [reply for root in posts(world.slack, RECEIPTS) for reply in replies(world.slack, root)]
    assert told
    for message in told:
        assert "Nia" not in words(message) + message.text
        assert "everything is down" not in words(message) + message.text
    assert "Nia" in words(posts(world.slack, CARDS)[0])


# ---------------------------------------------------------------- when chat fails


def test_what_no_channel_takes_reaches_everybody_concerned_directly_and_the_channel_when_it_works_again(world: Glass):
    for channel in (CARDS, RECEIPTS):
        world.slack.faults.add("chat.postMessage", times=None, error="not_in_channel", where={"channel": channel})
    id_ = world.breaks()
    world.pass_time(10)
    assert len(world.told(OLU, "🚨 Break-glass")) == 1, "told directly from the beginning"
    assert world.told(NIA, "could not be announced") == []
    for _ in range(3):
        world.tick(61)
        world.work()
        world.pass_time(2)
    for who in (NIA, OLU, build.PAT, SUE):
        assert len(world.told(who, "could not be announced")) == 1, who
    assert world.ledger.count(keys.UNANNOUNCED) == 1
    assert posts(world.slack, RECEIPTS) == []
    world.slack.faults.clear()
    for _ in range(2):
        world.tick(61)
        world.work()
        world.pass_time(5)
    alarms = [message for message in posts(world.slack, RECEIPTS) if "could not be announced" in words(message)]
    assert len(alarms) == 1
    assert any("🚨 Break-glass" in words(message) and id_ in words(message) for message in posts(world.slack, RECEIPTS))


def test_one_channel_that_fails_holds_up_nobody_else(world: Glass):
    world.slack.faults.add("chat.postMessage", times=None, error="fatal_error", where={"channel": CARDS})
    world.breaks()
    world.pass_time(5)
    assert len(posts(world.slack, RECEIPTS)) == 1
    assert len(world.told(OLU, "🚨 Break-glass")) == 1
    assert len(world.told(NIA, "✅ You have")) == 1

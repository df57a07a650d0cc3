"""What Slack shows while somebody waits: reminders, the next group, who is away, who decides in whose place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat.actions.deferred import Deferred, defer
from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.interaction import COMMAND, Interaction
from bot.directory.refresh import refresh_away
from bot.sandbox.slack import SlackServer, buttons, words
from bot.slack.render import text_of
from bot.slack.surface import Slack
from tests.support import build
from tests.support.build import MINUTE, NIA, OLU, PAT
from tests.support.chat import CARDS, ChatWorld, InProcess, posts, replies, server_for
from tests.support.world import account
from workflows.core.people import Account, Membership
from workflows.core.policy import Escalation, Policy, Visibility
from workflows.ledger.memory import MemoryClock
from workflows.usecases.oversight.delegate import delegate, end_delegation
from workflows.usecases.shared.context import Outcome

Make = Callable[..., tuple[ChatWorld, SlackServer]]


@pytest.fixture
def make() -> Make:
    def build_one(policy: Policy | None = None) -> tuple[ChatWorld, SlackServer]:
        clock = MemoryClock(build.NOW)
        slack = server_for(clock)
        return ChatWorld(InProcess(slack), clock, (), policy), slack

    return build_one


def calling(*, may_approve: bool = False, **changes: object) -> Policy:
    escalate = Escalation(10 * MINUTE, ("security",), may_approve=may_approve)
    return build.policy(build.environment(escalate=escalate, **changes))


def wait(rig: ChatWorld, minutes: float) -> None:
    for _ in range(round(minutes * 6)):
        rig.tick(10)
        rig.work()
        rig.show()
    rig.settle()


def away(slack: SlackServer, rig: ChatWorld, *users: str) -> None:
    """Do-not-disturb, from an hour ago to an hour from now."""
    now = int(rig.clock.now().timestamp())
    for user in users:
        slack.workspace.change_user(user, dnd_from=now - 3600, dnd_until=now + 3600)
    refresh_away(rig.ctx, rig.refresher)


def shown(slack: SlackServer) -> str:
    return words(posts(slack, CARDS)[0])


def types(rig: ChatWorld, who: str, text: str) -> str:
    act = Interaction(f"command:{text}:{rig.press_id()}", COMMAND, Account("slack", "T1", who), text=text)
    reply = Dispatcher(rig.ctx, "/prodaccess").carry_out(act)
    return text_of(reply.message) if reply.message else ""


# ---------------------------------------------------------------- reminders


def test_a_reminder_is_a_reply_under_the_card_that_calls_who_has_not_decided(make: Make):
    rig, slack = make()
    rig.asked()
    rig.settle()
    wait(rig, 8)
    (card,) = posts(slack, CARDS)
    (reminder,) = replies(slack, card)
    assert set(reminder.pinged) == {"UOLU", "UPAT"}
    assert "Dana asks for read-only in Payments" in words(reminder).replace("*", "")


def test_each_reminder_is_posted_once_through_crashes(make: Make):
    rig, slack = make()
    rig.asked()
    rig.settle()
    for minutes, step in ((8, "intent:reminder"), (8, "posted:reminder")):
        rig.crash_at(step, applied=True)
        for _ in range(minutes * 6):
            rig.tick(10)
            rig.work()
        rig.show_and_crash()
        rig.settle()
    (card,) = posts(slack, CARDS)
    assert len(replies(slack, card)) == 2


def test_who_has_agreed_is_not_reminded(make: Make):
    rig, slack = make(build.policy(build.environment(build.entitlement(approve={"owners": 2}))))
    id_ = rig.asked()
    rig.settle()
    rig.approve(id_)
    wait(rig, 8)
    (card,) = posts(slack, CARDS)
    assert [reply.pinged for reply in replies(slack, card)] == [("UPAT",)]


def test_what_is_decided_in_time_costs_no_call_more(make: Make):
    rig, slack = make(calling())
    id_ = rig.asked()
    rig.settle()
    assert isinstance(rig.approve(id_), Outcome)
    rig.work()
    wait(rig, 20)
    (card,) = posts(slack, CARDS)
    assert replies(slack, card) == []


def test_without_a_channel_each_owner_is_reminded_under_their_own_card(make: Make):
    rig, slack = make(build.policy(build.environment(approvals_channels=())))
    rig.asked()
    rig.settle()
    wait(rig, 8)
    for user in ("UOLU", "UPAT"):
        card, reminder = slack.person(user).dms()
        assert reminder.thread_ts == card.ts
        assert user in reminder.notified


# ---------------------------------------------------------------- the next group


def test_the_next_group_is_called_under_the_card_and_the_small_print_says_so(make: Make):
    rig, slack = make(calling())
    rig.asked()
    rig.settle()
    wait(rig, 11)
    (card,) = posts(slack, CARDS)
    call = replies(slack, card)[-1]
    assert set(call.pinged) == {"USUE", "UPAT"}
    assert "you cannot" in words(call)
    assert "escalated to security at 03:10 UTC" in _plain(words(card))


def test_those_who_may_approve_by_an_escalation_get_the_card_where_there_is_no_channel(make: Make):
    rig, slack = make(calling(may_approve=True, approvals_channels=()))
    rig.asked()
    rig.settle()
    assert slack.person("USUE").dms() == []
    wait(rig, 11)
    (card,) = slack.person("USUE").dms()
    assert {"Approve", "Deny"} <= set(buttons(card))


def test_those_who_may_not_are_told_where_there_is_no_channel(make: Make):
    rig, slack = make(calling(approvals_channels=()))
    rig.asked()
    rig.settle()
    wait(rig, 11)
    (told,) = slack.person("USUE").dms()
    assert "nobody has answered for 10 min" in words(told)
    assert not buttons(told)


def test_whoever_asks_again_reads_who_was_asked_and_when(make: Make):
    rig, _slack = make(calling())
    id_ = rig.asked()
    rig.settle()
    wait(rig, 11)
    rig.knows(build.DANA)
    told = "Waits for Olu or Pat since 03:00 UTC; reminded at 03:07 UTC; security called at 03:10 UTC"
    assert told in _plain(types(rig, "UDANA", "payments-prod read-only 1h INC-42 checkout errors"))
    assert told in _plain(types(rig, "UDANA", f"show {id_}"))


def _plain(text: str) -> str:
    return re.sub(r"<!date\^[0-9]+\^[^|]*\|([^>]*)>", r"\1", text)


# ---------------------------------------------------------------- who is away


def test_who_is_away_is_not_called_and_the_card_says_so(make: Make):
    rig, slack = make()
    away(slack, rig, "UPAT")
    rig.asked()
    rig.settle()
    (card,) = posts(slack, CARDS)
    assert card.pinged == ("UOLU",)
    assert "Pat is away" in words(card)


def test_a_status_counts_as_well_until_it_ends(make: Make):
    rig, slack = make()
    ends = int((rig.clock.now() + timedelta(hours=1)).timestamp())
    slack.workspace.change_user("UPAT", status_emoji=":palm_tree:", status_expiration=ends)
    rig.refresher.refresh_person(Account("slack", "T1", "UPAT"), rig.policy.policy)
    assert {facts.id for facts in [rig.directory.by_address(PAT)] if facts and rig.refresher.away.among([facts])} == {
        PAT
    }
    rig.clock.advance(3601)
    assert not rig.refresher.away.among([rig.directory.by_address(PAT)])


SAID = {
    "Vacationing": True,
    "OOO until Monday": True,
    "Out of office": True,
    "Out sick": True,
    "In a meeting": False,
    "room 12": False,
    "always here": False,
}


@pytest.mark.parametrize(("text", "is_away"), SAID.items())
def test_what_people_say_of_themselves(make: Make, text: str, is_away: bool):
    rig, slack = make()
    slack.workspace.change_user("UPAT", status_text=text)
    rig.refresher.refresh_person(Account("slack", "T1", "UPAT"), rig.policy.policy)
    assert bool(rig.refresher.away.among([rig.directory.by_address(PAT)])) is is_away


def test_where_all_are_away_all_are_called(make: Make):
    rig, slack = make()
    away(slack, rig, "UPAT", "UOLU")
    rig.asked()
    rig.settle()
    (card,) = posts(slack, CARDS)
    assert set(card.pinged) == {"UOLU", "UPAT"}


def test_who_is_away_may_decide_all_the_same(make: Make):
    rig, slack = make()
    away(slack, rig, "UPAT")
    id_ = rig.asked()
    rig.settle()
    assert isinstance(rig.approve(id_, PAT), Outcome)


def test_who_is_away_is_asked_for_all_at_once_and_every_few_minutes(make: Make):
    rig, slack = make()
    for _ in range(20):
        refresh_away(rig.ctx, rig.refresher)
        rig.tick(10)
    (call,) = slack.calls.since(0, "dnd.teamInfo")
    assert set(call.arguments["users"].split(",")) == {"UOLU", "UPAT"}
    rig.tick(300)
    refresh_away(rig.ctx, rig.refresher)
    assert len(slack.calls.since(0, "dnd.teamInfo")) == 2


def test_without_the_scope_everybody_is_called(make: Make):
    rig, slack = make()
    slack.faults.add(method="dnd.teamInfo", error="missing_scope")
    away(slack, rig, "UPAT")
    rig.asked()
    rig.settle()
    (card,) = posts(slack, CARDS)
    assert set(card.pinged) == {"UOLU", "UPAT"}


# ---------------------------------------------------------------- in whose place


def hand_over(rig: ChatWorld) -> None:
    rig.knows(OLU, NIA)
    facts = rig.directory.person(account(NIA))
    assert facts is not None
    answer = delegate(rig.ctx, account(OLU), facts, rig.clock.now() + timedelta(days=3), rig.press_id())
    assert isinstance(answer, Outcome)


def test_the_delegate_is_called_in_the_place_of_whoever_is_away_and_the_card_says_so(make: Make):
    rig, slack = make()
    hand_over(rig)
    rig.asked()
    rig.settle()
    (card,) = posts(slack, CARDS)
    assert set(card.pinged) == {"UNIA", "UPAT"}
    assert "Nia decides for Olu until" in words(card)


def test_the_delegate_is_told_once(make: Make):
    rig, slack = make()
    hand_over(rig)
    rig.settle()
    rig.sender.show("delegation-UNIA-olu@example.com")
    (told,) = slack.person("UNIA").dms()
    assert words(told).startswith("Olu named you: you decide in their place until")


def test_a_delegate_hears_that_it_is_over_and_the_card_calls_somebody_else(make: Make):
    rig, slack = make()
    hand_over(rig)
    rig.asked()
    rig.settle()
    assert isinstance(end_delegation(rig.ctx, account(OLU), rig.press_id()), Outcome)
    rig.settle()
    first, second = slack.person("UNIA").dms()
    assert words(first).startswith("You decided in the place of Olu, who does it themselves again.")
    assert words(second).startswith("Olu decides themselves again: you do it in their place no more.")
    (card,) = posts(slack, CARDS)
    assert "decides for" not in words(card)
    assert "<@UOLU>" in str(card.blocks)
    assert "<@UNIA>" not in str(card.blocks)


def test_a_delegate_who_asks_is_not_called_on_their_own_request(make: Make):
    rig, slack = make()
    hand_over(rig)
    rig.asked(NIA)
    rig.settle()
    (card,) = posts(slack, CARDS)
    assert set(card.pinged) == {"UOLU", "UPAT"}


def test_handing_over_by_command(make: Make):
    rig, _slack = make()
    rig.knows(OLU, NIA)
    assert "Nobody decides in your place" in types(rig, "UOLU", "delegate")
    assert "Nia decides in your place until" in types(rig, "UOLU", "delegate <@UNIA|nia> until fri")
    assert "Nia decides in your place until" in types(rig, "UOLU", "delegate")
    assert "Your delegation has ended" in types(rig, "UOLU", "delegate off")
    assert "Until when?" in types(rig, "UOLU", "delegate <@UNIA|nia> until someday")
    assert "I know nobody called" in types(rig, "UOLU", "delegate nia until fri")


def test_a_delegate_whom_nobody_has_looked_at_is_looked_at_by_a_worker(make: Make):
    rig, slack = make()
    slack.workspace.add_user("UNEW", "newt", email="newt@example.com")
    rig.knows(OLU)
    desk = Dispatcher(rig.ctx, "/prodaccess")
    deferred = Deferred(rig.ctx, desk, rig.refresher, Slack(rig.client), "/prodaccess")
    act = Interaction("command:new", COMMAND, Account("slack", "T1", "UOLU"), text="delegate <@UNEW|newt> until 3d")
    defer(rig.ctx, act)
    (item,) = [item for item in rig.ledger.due if item.startswith("press:")]
    deferred.decide(item.removeprefix("press:"))
    assert any("Newt decides in your place" in words(message) for message in slack.person("UOLU").dms())


def test_a_hidden_environment_is_told_in_its_own_channel_alone(make: Make):
    rig, slack = make(calling(visibility=Visibility.MEMBERS))
    rig.asked()
    rig.settle()
    wait(rig, 11)
    outside = [words(message) for message in slack.workspace.channels["C0RECEIPTS"].messages.values()]
    assert outside
    assert not any("Dana" in text or "security" in text for text in outside)


def test_members_that_are_not_known_are_said_on_the_card(make: Make):
    rig, slack = make()
    own = rig.policy.policy.groups["platform"]
    pager = replace(own, name="pager", members=None, pagerduty_schedule="P1", token_env="T")
    place = build.environment(
        build.entitlement(approve={"owners": 1}, owners=("platform", "pager")), owners=("platform", "pager")
    )
    rig.policy.policy = replace(build.policy(place), groups={**rig.policy.policy.groups, "pager": pager})
    rig.directory.put_members(
        "pagerduty:P1", Membership(as_of=rig.clock.now(), problem="PagerDuty did not answer in time")
    )
    rig.asked()
    rig.settle()
    assert "Who is in pager is not known just now: PagerDuty did not answer in time" in shown(slack)


def test_nobody_gets_a_card_before_its_names_are_known(make: Make):
    rig, slack = make(build.policy(build.environment(approvals_channels=())))
    answer = rig.ask()
    assert isinstance(answer, Outcome)
    rig.sender.show(answer.id)
    assert slack.person("UOLU").dms() == []

"""Sender and Poster on the stand-in for Slack, with Slack's own limits. No processes, and no waiting."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.sandbox.slack import Message, SlackServer, words
from tests.support import build
from tests.support.chat import (
    CARDS,
    RECEIPTS,
    ChatWorld,
    InProcess,
    ids_in,
    lines,
    many,
    policy_for,
    posts,
    replies,
    server_for,
)
from workflows.core.audit import Event
from workflows.core.people import PersonId
from workflows.core.policy import Policy
from workflows.core.records.request import Origin
from workflows.ledger.memory import MemoryClock
from workflows.usecases.shared.context import Outcome

Make = Callable[..., tuple[ChatWorld, SlackServer]]


@pytest.fixture
def make() -> Make:
    def build_one(people: list[PersonId] | None = None, policy: Policy | None = None) -> tuple[ChatWorld, SlackServer]:
        clock = MemoryClock(build.NOW)
        slack = server_for(clock, people or [])
        return ChatWorld(InProcess(slack), clock, people or [], policy), slack

    return build_one


@pytest.fixture
def world(make: Make) -> tuple[ChatWorld, SlackServer]:
    return make()


def texts(slack: SlackServer, channel: str) -> list[str]:
    return [words(message) for message in posts(slack, channel)]


def dms(slack: SlackServer, who: str = "UDANA") -> list[Message]:
    return list(slack.person(who).dms())


def approve(world: ChatWorld, *ids: str) -> None:
    for id_ in ids:
        assert isinstance(world.approve(id_), Outcome)
    world.work()


def calls(slack: SlackServer, mark: int = 0) -> dict[str, int]:
    return dict(slack.calls.counts(mark))


# ---------------------------------------------------------------- one life


def test_a_life_takes_at_most_ten_calls(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    id_ = rig.asked()
    rig.settle()
    approve(rig, id_)
    rig.settle()
    rig.tick(3600)
    rig.work()
    rig.settle()
    assert "Ended" in posts(slack, CARDS)[0].text
    assert sum(calls(slack).values()) <= 10, calls(slack)


def test_over_http_it_is_the_same() -> None:
    clock = MemoryClock(build.NOW)
    with server_for(clock) as slack:
        client = WebClient(slack.app.bot_token, base_url=slack.api_url, timeout=5, retry_handlers=[])
        test_a_life_takes_at_most_ten_calls((ChatWorld(client, clock), slack))


def test_approval_and_activation_in_the_same_moment_are_one_edit(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    id_ = rig.asked()
    rig.settle()
    mark = slack.calls.mark()
    approve(rig, id_)
    rig.settle()
    (card,) = posts(slack, CARDS)
    assert "Active" in card.text
    edited = [call.arguments["ts"] for call in slack.calls.since(mark, "chat.update")]
    assert edited.count(card.ts) == 1
    assert len(edited) == len(set(edited)) == 2  # the card, and the root of the receipts


def test_a_jump_of_the_ledgers_clock_is_told_to_the_channel_and_to_all_of_security(
    world: tuple[ChatWorld, SlackServer],
) -> None:
    rig, slack = world
    witness = rig.witness()
    rig.jump(-3600)
    for _ in range(3):
        witness.look()
    rig.settle()
    told = [posts(slack, RECEIPTS)[-1].text, *(dms(slack, who)[-1].text for who in ("USUE", "UPAT"))]
    assert all("Redis's clock was set back by 1 h" in text for text in told)
    mark = slack.calls.mark()
    rig.sender.show("clock-1")
    assert calls(slack, mark) == {}


def test_showing_again_changes_nothing(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    id_ = rig.asked()
    rig.settle()
    mark = slack.calls.mark()
    for _ in range(3):
        rig.sender.show(id_)
    assert calls(slack, mark) == {}


# ---------------------------------------------------------------- an answer that nobody recorded


@pytest.mark.parametrize("slot", ["card:", "receipts:", "lines:", "holder:"])
@pytest.mark.parametrize("lost", ["answer", "record"])
def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(
    world: tuple[ChatWorld, SlackServer], slot: str, lost: str
) -> None:
    rig, slack = world
    id_ = rig.asked()
    if slot in ("lines:", "holder:"):
        rig.settle()
        approve(rig, id_)
    if lost == "record":
        rig.crash_at(f"posted:{slot}")
        rig.show_and_crash()
    else:
        channel = {"card:": CARDS, "holder:": "UDANA"}.get(slot, RECEIPTS)
        fault = slack.faults.add("chat.postMessage", drop="after", where={"channel": channel})
        rig.pass_time(1.5)
        assert fault.times == 0
    rig.settle()
    assert len(posts(slack, CARDS)) == 1
    (root,) = posts(slack, RECEIPTS)
    assert len(replies(slack, root)) == (1 if slot in ("lines:", "holder:") else 0)
    assert len(dms(slack)) == (1 if slot in ("lines:", "holder:") else 0)
    assert not any(posting.intent_at for posting in rig.record(id_).postings.values())


def test_what_is_found_again_is_brought_up_to_date(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    id_ = rig.asked()
    rig.crash_at("posted:card:")
    rig.show_and_crash()
    approve(rig, id_)
    rig.settle()
    (card,) = posts(slack, CARDS)
    assert "Active" in card.text


# ---------------------------------------------------------------- a bad minute at Slack


def test_retry_after_is_obeyed_by_everybody_and_nothing_is_searched_for(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    slack.faults.add("chat.postMessage", status=429, retry_after_s=7, where={"channel": CARDS})
    first = rig.asked()
    rig.pass_time(2)
    second = rig.asked(build.NIA)
    rig.settle()
    sent = [call for call in slack.calls.since(0, "chat.postMessage") if call.arguments["channel"] == CARDS]
    assert [call.error for call in sent] == ["http_429", None, None]
    assert sent[1].at - sent[0].at >= 7
    assert sorted(ids_in(card)[0] for card in posts(slack, CARDS)) == sorted([first, second])
    assert "conversations.history" not in calls(slack)


def test_a_limit_on_edits_is_obeyed(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    id_ = rig.asked()
    rig.settle()
    slack.faults.add("chat.update", status=429, retry_after_s=9)
    approve(rig, id_)
    rig.settle()
    sent = slack.calls.since(0, "chat.update")
    assert [call.error for call in sent] == ["http_429", None, None]
    assert sent[1].at - sent[0].at >= 9
    assert len(dms(slack)) == 1  # the holder did not have to wait for the card


def test_server_errors_are_tried_again_with_growing_pauses(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    slack.faults.add("chat.postMessage", times=8, status=500, where={"channel": CARDS})
    id_ = rig.asked()
    rig.settle(400)
    sent = [call for call in slack.calls.since(0, "chat.postMessage") if call.arguments["channel"] == CARDS]
    assert [call.error for call in sent] == ["http_500"] * 8 + [None]
    pauses = [later.at - earlier.at for earlier, later in pairwise(sent)]
    assert pauses == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60], abs=0.3)
    assert len(posts(slack, CARDS)) == 1
    assert rig.record(id_).failures == 0  # the next bad minute starts with short pauses again


def test_a_bad_minute_of_chat_does_not_stop_a_grant(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    slack.faults.add("*", times=None, status=503)
    id_ = rig.asked()
    rig.pass_time(5)
    approve(rig, id_)
    assert rig.has_access(id_)
    rig.tick(3600)
    rig.work()
    assert not rig.has_access(id_)
    slack.faults.clear()
    rig.settle(120)
    (root,) = posts(slack, RECEIPTS)
    told = lines(slack, root)
    assert len(told) == len(set(told))
    assert "Ended" in root.text
    assert "ended" in " ".join(told)


def test_an_alarm_that_comes_while_chat_is_being_brought_up_to_date_is_not_lost(
    world: tuple[ChatWorld, SlackServer],
) -> None:
    rig, _ = world
    id_ = rig.active()
    rig.settle()
    rig.end(id_)
    rig.work()
    ended_at = rig.clock.now()
    rig.settle()
    resource = rig.request(id_).resource
    assert resource is not None
    rig.target().put(resource)
    rig.tick(13 - (rig.clock.now() - ended_at).total_seconds())
    rig.ledger.remind(f"chat:{id_}", 0)

    def is_looked_at(_: object) -> None:
        rig.tick(2)
        rig.work()
        assert "grant.reappeared" in rig.events(id_)

    rig.before("shown:", is_looked_at)
    rig.show()
    rig.settle(120)
    number = next(entry.number for entry in rig.ledger.entries_of(id_) if entry.event is Event.GRANT_REAPPEARED)
    assert rig.record(id_).postings[f"alarm:{number}:{RECEIPTS}"].ts is not None


# ---------------------------------------------------------------- channels and messages that are gone


@pytest.mark.parametrize("how", [{"members": [], "is_private": True}, {"is_archived": True}])
def test_where_the_channel_is_closed_to_the_bot_each_owner_gets_the_card(
    world: tuple[ChatWorld, SlackServer], how: dict[str, Any]
) -> None:
    rig, slack = world
    slack.workspace.change_channel(CARDS, **how)
    id_ = rig.asked()
    rig.settle()
    assert posts(slack, CARDS) == []
    assert [[ids_in(card) for card in dms(slack, who)] for who in ("UOLU", "UPAT")] == [[[id_]], [[id_]]]
    approve(rig, id_)
    rig.settle()
    assert all("Active" in dms(slack, who)[0].text for who in ("UOLU", "UPAT"))


def test_a_closed_receipts_channel_is_no_reason_to_try_for_ever(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    slack.workspace.change_channel(RECEIPTS, is_archived=True)
    approve(rig, rig.asked())
    rig.settle()
    assert "Active" in posts(slack, CARDS)[0].text
    assert [call.error for call in slack.calls.since(0, "chat.postMessage")].count("is_archived") == 1


def test_a_message_that_an_admin_deleted_is_left_alone(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    id_ = rig.asked()
    rig.settle()
    (card,) = posts(slack, CARDS)
    card.deleted = True
    approve(rig, id_)
    rig.settle()
    assert posts(slack, CARDS) == []
    failed = [call for call in slack.calls.since(0, "chat.update") if not call.ok]
    assert [call.error for call in failed] == ["message_not_found"]


@pytest.mark.parametrize("word", ["thread_not_found", "cannot_reply_to_message", "restricted_action_thread_locked"])
def test_a_thread_that_takes_no_more_replies_goes_on_under_a_new_root(
    world: tuple[ChatWorld, SlackServer], word: str
) -> None:
    rig, slack = world
    id_ = rig.asked()
    rig.settle()
    (root,) = posts(slack, RECEIPTS)
    slack.faults.add("chat.postMessage", times=None, error=word, where={"thread_ts": root.ts})
    approve(rig, id_)
    rig.settle()
    refused = [call for call in slack.calls.since(0, "chat.postMessage") if call.error == word]
    assert len(refused) == 1
    old, new = posts(slack, RECEIPTS)
    assert "Active" in new.text
    assert any("active until" in line for line in lines(slack, new))
    assert ("goes on in a newer message" in words(old)) is (word == "restricted_action_thread_locked")


# ---------------------------------------------------------------- many at once


def flood(rig: ChatWorld, people: list[PersonId]) -> list[str]:
    """All of them get access in the same second. Their chat has not been shown yet."""
    ids = [rig.asked(who) for who in people]
    approve(rig, *ids)
    return ids


def heading(count: int) -> str:
    return f"{count} things changed here"


def covered_once(rig: ChatWorld, slack: SlackServer, ids: list[str]) -> tuple[list[str], int]:
    """Whom lines in threads of their own tell of, and how many others the only summary does. Each is told once, to the end."""
    shown = posts(slack, RECEIPTS)
    summaries = [message for message in shown if "things changed here" in words(message)]
    assert len(summaries) == 1
    roots = [message for message in shown if message not in summaries]
    owners = [ids_in(root)[-1] for root in roots]
    assert len(owners) == len(set(owners))
    assert all(len(replies(slack, root)) <= 1 for root in roots)
    single = [ids_in(root)[-1] for root in roots if replies(slack, root)]
    assert set(ids_in(summaries[0])) <= set(ids) - set(single)
    assert heading(len(ids) - len(single)) in words(summaries[0])
    for id_ in ids:
        assert rig.record(id_).told[f"receipts:{RECEIPTS}"] == rig.ledger.entries_of(id_)[-1].number
    assert rig.ledger.count(f"waiting:{RECEIPTS}") == 0
    return single, len(ids) - len(single)


@pytest.mark.parametrize("burst", [1, 4])
def test_sixty_that_begin_in_the_same_second_are_a_few_receipts_and_one_summary(make: Make, burst: int) -> None:
    people = many(60)
    rig, slack = make(people)
    slack.rate_limits.enforced, slack.rate_limits.post_burst = True, burst
    ids = flood(rig, people)
    rig.settle(400)
    single, summed = covered_once(rig, slack, ids)
    assert 0 < len(single) <= 15
    assert len(single) + summed == 60
    assert len(posts(slack, CARDS)) == 60  # cards are never summed up
    assert sum(len(dms(slack, f"U{str(who).partition('@')[0].upper()}")) for who in people) == 60


def test_sixty_that_end_in_the_same_second_are_told_once_and_no_root_goes_on_saying_active(make: Make) -> None:
    people = many(60)
    rig, slack = make(people)
    slack.rate_limits.enforced, slack.rate_limits.post_burst = True, 4
    ids = []
    for who in people:
        ids.append(rig.asked(who))
        approve(rig, ids[-1])
        rig.settle(60, 1)
    before = posts(slack, RECEIPTS)
    assert sorted(ids_in(root)[-1] for root in before) == sorted(ids)
    rig.tick(3 * 3600)
    rig.work()
    rig.settle(600)
    new = [message for message in posts(slack, RECEIPTS) if message not in before]
    assert len(new) == 1
    covered = set(ids_in(new[0]))
    by_line = {ids_in(root)[-1] for root in before if any("ended" in line for line in lines(slack, root))}
    assert heading(60 - len(by_line)) in words(new[0])
    assert covered.isdisjoint(by_line)
    assert 0 < len(by_line) <= 15
    assert all("Ended" in root.text for root in before)
    assert all("Ended" in card.text for card in posts(slack, CARDS))


def test_a_card_goes_before_the_receipts_that_flood_its_channel(make: Make) -> None:
    people = many(40)
    shop = build.environment(
        build.entitlement(environment="shop-prod"), name="shop-prod", title="Shop", approvals_channels=(RECEIPTS,)
    )
    rig, slack = make(people, policy_for(people, shop))
    slack.rate_limits.enforced, slack.rate_limits.post_burst = True, 4
    flood(rig, people)
    rig.pass_time(1.5)
    waiting = rig.ledger.count(f"waiting:{RECEIPTS}")
    assert waiting > 20
    before = len(posts(slack, RECEIPTS))
    id_ = rig.asked(build.DANA, environment="shop-prod")
    asked_at = rig.clock.now()
    while not any(posting.ts for posting in rig.record(id_).postings.values()):
        rig.pass_time(0.25)
    assert (rig.clock.now() - asked_at).total_seconds() <= 4  # Slack's own limit, no queue of ours
    new = [ids_in(message) for message in posts(slack, RECEIPTS)[before:]]
    assert [id_] in new[:3]
    rig.settle(400)


STEPS = ["handed-over", "intent:summary", "posted:summary", ":over:"]


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_anywhere_on_the_way_leaves_one_summary(make: Make, step: str, *, applied: bool) -> None:
    people = many(30)
    rig, slack = make(people)
    ids = flood(rig, people)
    rig.crash_at(step, applied=applied)
    rig.show_and_crash()
    rig.settle(400)
    covered_once(rig, slack, ids)


def test_a_lost_answer_to_the_summary_leaves_one_summary(make: Make) -> None:
    people = many(30)
    rig, slack = make(people)
    ids = flood(rig, people)
    while not rig.record(f"summary-{RECEIPTS}").told:
        rig.crash_at("intent:summary")
        rig.show_and_crash()
    slack.faults.add("chat.postMessage", times=1, drop="after", where={"channel": RECEIPTS})
    rig.settle(400)
    covered_once(rig, slack, ids)


def test_a_few_that_wait_take_their_turns(make: Make) -> None:
    people = many(15)
    rig, slack = make(people)
    slack.rate_limits.enforced, slack.rate_limits.post_burst = True, 4
    ids = flood(rig, people)
    rig.settle(200)
    shown = posts(slack, RECEIPTS)
    assert sorted(ids_in(root)[-1] for root in shown) == sorted(ids)
    assert all(len(replies(slack, root)) == 1 for root in shown)


def test_receipts_in_an_incident_channel_are_summed_up_there_too(make: Make) -> None:
    people = many(30)
    rig, slack = make(people)
    slack.workspace.add_channel("C0INC", "inc-42")
    origin = Origin(team="T1", channel="C0INC", channel_name="inc-42", receipts_here=True)
    for who in people:
        rig.asked(who, origin=origin)
    rig.settle(400)
    for channel in ("C0INC", RECEIPTS):
        assert sum("things changed here" in text for text in texts(slack, channel)) == 1

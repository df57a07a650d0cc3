"""Whatever Slack answers to a message: the person hears of it in some other way, or somebody who runs this is told, and the
number of calls stays small for as long as it lasts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from bot.chat.health import closed_places
from bot.chat.surface import Means
from bot.observability.faults import Faults
from bot.observability.metrics import LedgerMetrics
from bot.sandbox.slack import Message, SlackServer, words
from bot.slack.answers import MEANS
from bot.slack.health import SlackCheck
from bot.slack.scopes import BETTER, NEEDED
from bot.slack.traits import TRAITS
from tests.support import build
from tests.support.chat import CARDS, RECEIPTS, ChatWorld, InProcess, lines, many, posts, server_for
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.policy import Digest, Policy
from workflows.core.records.request import Origin
from workflows.ledger.memory import MemoryClock
from workflows.usecases.oversight.policy_activation import digest_due, digest_key
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.troubles import standing

Make = Callable[..., tuple[ChatWorld, SlackServer]]
# What one subject may cost in ten minutes in which Slack takes nothing of it.
CALLS_MAX = 30


@pytest.fixture
def make() -> Make:
    def build_one(policy: Policy | None = None) -> tuple[ChatWorld, SlackServer]:
        clock = MemoryClock(build.NOW)
        slack = server_for(clock)
        return ChatWorld(InProcess(slack), clock, (), policy), slack

    return build_one


@pytest.fixture
def world(make: Make) -> tuple[ChatWorld, SlackServer]:
    return make()


def approve(rig: ChatWorld, id_: str) -> None:
    assert isinstance(rig.approve(id_), Outcome)
    rig.work()


def direct(slack: SlackServer, who: str) -> list[str]:
    return [words(message) for message in slack.person(who).dms()]


def minutes(rig: ChatWorld, count: float) -> None:
    """Let time pass as the clock and the workers see it."""
    rig.pass_time(count * 60, 1)


def closed(rig: ChatWorld) -> list[str]:
    return list(rig.ledger.members(keys.CLOSED_PLACES))


def texts(messages: list[Message]) -> str:
    return "\n".join(words(message) for message in messages)


# ---------------------------------------------------------------- a channel that is closed for a while


def test_receipts_of_an_archived_channel_come_when_it_is_back_and_somebody_is_told_meanwhile(
    world: tuple[ChatWorld, SlackServer],
) -> None:
    rig, slack = world
    slack.workspace.change_channel(RECEIPTS, is_archived=True)
    first, second = rig.asked(), rig.asked(build.NIA)
    approve(rig, first)
    rig.settle()
    (told,) = [text for text in direct(slack, "USUE") if "does not take my messages" in text]
    assert "is_archived" in told
    assert "Unarchive it" in told
    assert closed(rig) == [RECEIPTS]
    minutes(rig, 5)
    tried = [call for call in slack.calls.since(0, "chat.postMessage") if call.error == "is_archived"]
    assert len(tried) <= 8
    slack.workspace.change_channel(RECEIPTS, is_archived=False)
    minutes(rig, 2)
    shown = texts(posts(slack, RECEIPTS))
    assert "could not post here since" in shown
    assert first in shown
    assert second in shown
    (root,) = [message for message in posts(slack, RECEIPTS) if first in words(message)]
    assert any("active until" in line for line in lines(slack, root))
    assert closed(rig) == []
    assert rig.ledger.count(keys.owed(RECEIPTS)) == 0
    assert len([text for text in direct(slack, "USUE") if "does not take my messages" in text]) == 1


def test_an_edit_that_an_archived_channel_does_not_take_is_made_when_it_is_back(
    world: tuple[ChatWorld, SlackServer],
) -> None:
    rig, slack = world
    id_ = rig.asked()
    rig.settle()
    slack.workspace.change_channel(RECEIPTS, is_archived=True)
    approve(rig, id_)
    rig.settle()
    assert "Active" not in texts(posts(slack, RECEIPTS))
    slack.workspace.change_channel(RECEIPTS, is_archived=False)
    minutes(rig, 2)
    root = posts(slack, RECEIPTS)[0]
    assert "Active" in root.text
    assert any("active until" in line for line in lines(slack, root))


def test_a_crash_between_the_reopening_and_the_waking_loses_nothing(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    slack.workspace.change_channel(RECEIPTS, is_archived=True)
    id_ = rig.asked()
    rig.settle()
    slack.workspace.change_channel(RECEIPTS, is_archived=False)
    rig.crash_at(f"owed:{RECEIPTS}:{id_}")
    rig.show_and_crash(90)
    minutes(rig, 2)
    assert id_ in texts(posts(slack, RECEIPTS))
    assert rig.ledger.count(keys.owed(RECEIPTS)) == 0


def test_a_channel_that_the_policy_does_not_name_is_no_alarm(make: Make) -> None:
    rig, slack = make()
    slack.workspace.add_channel("C0INC", "inc-42", is_archived=True)
    rig.asked(origin=Origin(team="T1", channel="C0INC", channel_name="inc-42", receipts_here=True))
    rig.settle()
    assert closed(rig) == []
    assert direct(slack, "USUE") == []
    assert posts(slack, RECEIPTS)


def test_a_channel_that_the_policy_names_no_more_is_looked_at_no_more(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    slack.workspace.add_channel("C0NEW", "access")
    slack.workspace.change_channel(RECEIPTS, is_archived=True)
    id_ = rig.asked()
    rig.settle()
    rig.policy.policy = replace(rig.policy.policy, receipts_channels=("C0NEW",))
    minutes(rig, 2)
    assert closed(rig) == []
    assert id_ in texts(posts(slack, "C0NEW"))


# ---------------------------------------------------------------- the token


@pytest.mark.parametrize("word", ["invalid_auth", "account_inactive", "token_revoked", "token_expired"])
def test_a_token_that_is_refused_stops_everything_until_it_works(
    world: tuple[ChatWorld, SlackServer], word: str
) -> None:
    rig, slack = world
    fault = slack.faults.add("*", times=None, error=word)
    ids = [rig.asked(), rig.asked(build.NIA)]
    mark = slack.calls.mark()
    minutes(rig, 10)
    called = slack.calls.since(mark)
    assert [call.method for call in called if call.method.startswith("chat.")] in (["chat.postMessage"], [])
    assert len(called) <= 2 + 14
    assert closed(rig) == ["all"]
    slack.faults.remove(fault)
    minutes(rig, 2)
    assert closed(rig) == []
    assert len(posts(slack, CARDS)) == len(posts(slack, RECEIPTS)) == len(ids)


# ---------------------------------------------------------------- a message's own form


def test_a_card_whose_form_is_refused_goes_as_plain_text_with_the_words_to_type(
    world: tuple[ChatWorld, SlackServer],
) -> None:
    rig, slack = world
    slack.faults.add("chat.postMessage", error="invalid_blocks", where={"channel": CARDS})
    id_ = rig.asked()
    rig.settle()
    (card,) = posts(slack, CARDS)
    assert "Dana asks for read-only" in card.text
    assert f"/prodaccess show {id_}" in card.text
    approve(rig, id_)
    rig.settle()
    assert "Active" in posts(slack, CARDS)[0].text


# ---------------------------------------------------------------- threads


@pytest.mark.parametrize("how", ["deleted", "locked"])
def test_ten_minutes_with_a_thread_that_is_gone_cost_a_few_calls(
    world: tuple[ChatWorld, SlackServer], how: str
) -> None:
    rig, slack = world
    id_ = rig.asked()
    rig.settle()
    (root,) = posts(slack, RECEIPTS)
    if how == "deleted":
        root.deleted = True
    else:
        slack.workspace.channels[RECEIPTS].locked_threads.add(root.ts)
    approve(rig, id_)
    mark = slack.calls.mark()
    minutes(rig, 10)
    assert len(slack.calls.since(mark)) <= 8
    assert any("active until" in line for line in lines(slack, posts(slack, RECEIPTS)[-1]))


def test_where_no_thread_is_taken_the_lines_stand_beside_the_root(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    channel = slack.workspace.channels[RECEIPTS]
    id_ = rig.asked()
    rig.settle()
    channel.locked_threads.update(message.ts for message in posts(slack, RECEIPTS))

    class Everything(set[str]):
        def __contains__(self, _ts: object) -> bool:
            return True

    channel.locked_threads = Everything()
    approve(rig, id_)
    mark = slack.calls.mark()
    minutes(rig, 10)
    assert len(slack.calls.since(mark)) <= 12
    assert "active until" in texts(posts(slack, RECEIPTS))


# ---------------------------------------------------------------- after a crash


@pytest.mark.parametrize(
    "word", ["no_permission", "missing_scope", "never_seen", "channel_not_found", "internal_error"]
)
def test_a_post_whose_history_cannot_be_read_is_posted(world: tuple[ChatWorld, SlackServer], word: str) -> None:
    rig, slack = world
    slack.faults.add("conversations.history", times=None, error=word)
    rig.asked()
    rig.crash_at("posted:card:")
    rig.show_and_crash()
    rig.settle(400)
    assert len(posts(slack, CARDS)) == 2  # the stray copy turns into a pointer when somebody presses it


def test_a_crash_in_a_public_channel_where_the_bot_is_not_leaves_one_card(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    slack.app.chat_write_public = True
    slack.workspace.channels[CARDS].members.remove(slack.app.bot_user_id)
    rig.asked()
    rig.crash_at("posted:card:")
    rig.show_and_crash()
    rig.settle()
    assert len(posts(slack, CARDS)) == 1
    assert slack.app.bot_user_id in slack.workspace.channels[CARDS].members


# ---------------------------------------------------------------- every word there is, at every send

CHANNELS = {"card": CARDS, "receipt": RECEIPTS}
EVERY_WORD = [*sorted(MEANS), "never_seen"]


def is_told_or_known(rig: ChatWorld, slack: SlackServer, id_: str, place: str) -> bool:
    """It arrived in some form; or it went to the owners, and somebody who runs this is told of the place."""
    if id_ in texts(posts(slack, place)):
        return True
    alarmed = any("does not take my messages" in text for text in direct(slack, "USUE"))
    owners = place != CARDS or all(any(id_ in text for text in direct(slack, who)) for who in ("UOLU", "UPAT"))
    return alarmed and place in closed(rig) and owners


@pytest.mark.parametrize("word", EVERY_WORD)
def test_every_word_at_a_card_and_at_a_receipt_has_an_outcome_and_few_calls(
    world: tuple[ChatWorld, SlackServer], word: str
) -> None:
    rig, slack = world
    faults = [slack.faults.add("chat.postMessage", times=None, error=word, where={"channel": CARDS})]
    faults.append(slack.faults.add("chat.postMessage", times=None, error=word, where={"channel": RECEIPTS}))
    id_ = rig.asked()
    minutes(rig, 10)
    means = MEANS.get(word, Means.UNKNOWN)
    refused = [call for call in slack.calls.since(0) if not call.ok]
    assert len(refused) <= CALLS_MAX * 2, len(refused)
    assert word in rig.ledger.members(keys.CHAT_WORDS)
    if means not in (Means.LATER, Means.ALL):
        assert is_told_or_known(rig, slack, id_, CARDS)
        assert is_told_or_known(rig, slack, id_, RECEIPTS)
    for fault in faults:
        slack.faults.remove(fault)
    minutes(rig, 3)
    reachable = texts([*posts(slack, CARDS), *slack.person("UOLU").dms()])
    assert id_ in reachable
    if means in (Means.LATER, Means.PLACE, Means.ALL):
        assert id_ in texts(posts(slack, RECEIPTS))


# ---------------------------------------------------------------- people who get no direct messages


def no_direct_messages(slack: SlackServer, *users: str, word: str = "messages_tab_disabled") -> None:
    for user in users:
        slack.faults.add("chat.postMessage", times=None, error=word, where={"channel": user})


def whispered(slack: SlackServer, user: str, channel: str) -> str:
    return texts(list(slack.person(user).ephemerals(channel)))


def test_a_holder_who_gets_no_direct_messages_hears_of_it_where_they_asked(
    world: tuple[ChatWorld, SlackServer],
) -> None:
    rig, slack = world
    no_direct_messages(slack, "UDANA")
    id_ = rig.asked(origin=Origin(team="T1", channel=CARDS, channel_name="payments"))
    approve(rig, id_)
    rig.settle()
    minutes(rig, 0.1)
    assert "You have read-only in Payments" in whispered(slack, "UDANA", CARDS)
    assert any("direct messages to" in text and "Messages tab" in text for text in direct(slack, "USUE"))


def test_somebody_who_can_be_written_to_again_is_no_longer_named(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    no_direct_messages(slack, "UDANA")
    first = rig.active()
    rig.settle()
    assert closed(rig) == ["UDANA"]
    rig.end(first)
    rig.work()
    slack.faults.clear()
    rig.tick(2)
    rig.active()
    rig.settle()
    assert closed(rig) == []


def test_of_one_person_somebody_is_told_once_a_day(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    no_direct_messages(slack, "UDANA")
    for _ in range(3):
        rig.end(rig.active())
        rig.work()
        rig.settle(200)
    assert len([text for text in direct(slack, "USUE") if "direct messages to" in text]) == 1
    rig.tick(24 * 3600 + 60)
    rig.settle()
    assert closed(rig) == []


def test_whoever_asked_hears_that_nobody_could_be_reached(make: Make) -> None:
    rig, slack = make(build.policy(build.environment(approvals_channels=())))
    no_direct_messages(slack, "UOLU", "UPAT", word="user_disabled")
    id_ = rig.asked()
    rig.settle()
    (told,) = [text for text in direct(slack, "UDANA") if "reaches anybody who can approve it" in text]
    assert f"/prodaccess approve {id_}" in told


def test_whoever_asked_hears_it_too_where_the_channel_is_closed_before(make: Make) -> None:
    rig, slack = make()
    slack.workspace.change_channel(CARDS, is_archived=True)
    no_direct_messages(slack, "UOLU", "UPAT")
    rig.asked()
    rig.settle()
    assert any("reaches anybody who can approve it" in text for text in direct(slack, "UDANA"))


def test_an_alarm_that_no_channel_takes_goes_to_the_owners_and_security(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    id_ = rig.active()
    rig.settle()
    for channel in (CARDS, RECEIPTS):
        slack.workspace.change_channel(channel, is_archived=True)
    rig.end(id_)
    rig.work()
    rig.settle()
    resource = rig.request(id_).resource
    assert resource is not None
    rig.target().put(resource)
    rig.tick(15)
    rig.work()
    assert "grant.reappeared" in rig.events(id_)
    rig.settle()
    for who in ("UOLU", "UPAT", "USUE"):
        assert any(id_ in text and "again" in text for text in direct(slack, who)), who


# ---------------------------------------------------------------- the home, a digest, a policy, a summary


@pytest.mark.parametrize("word", EVERY_WORD)
def test_every_word_at_a_home_leaves_a_word_for_whoever_opened_it(
    world: tuple[ChatWorld, SlackServer], word: str
) -> None:
    rig, slack = world
    slack.faults.add("views.publish", times=None, error=word)
    rig.sender.show("home-T1-UDANA")
    (told,) = direct(slack, "UDANA")
    assert "/prodaccess mine" in told
    assert len(slack.calls.since(0)) <= 6


def test_a_home_whose_form_is_refused_is_drawn_without_it(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    slack.faults.add("views.publish", error="invalid_blocks")
    rig.sender.show("home-T1-UDANA")
    home = slack.person("UDANA").home()
    assert home is not None
    assert "/prodaccess mine" in words(home.view)
    assert direct(slack, "UDANA") == []


def test_a_digest_that_its_channel_does_not_take_is_told(make: Make) -> None:
    plan = Digest(("C0DIGEST",), "0 9 * * *")
    rig, slack = make(replace(build.policy(), digests=(plan,)))
    slack.workspace.add_channel("C0DIGEST", "digest", is_archived=True)
    rig.active()
    rig.settle()
    key = digest_key(plan)
    rig.ledger.remind(digest_due(key), 0)
    rig.tick(24 * 3600)
    rig.sender.post_digest(key)
    minutes(rig, 0.5)
    assert closed(rig) == ["C0DIGEST"]
    assert any("<#C0DIGEST>" in text or "digest" in text for text in direct(slack, "USUE"))


def digests(slack: SlackServer) -> list[str]:
    return [words(message) for message in posts(slack, "C0DIGEST") if "active" in words(message).lower()]


def at_nine(rig: ChatWorld, key: str, day: int) -> None:
    """The slot of that day is due."""
    slot = build.NOW.replace(hour=9, minute=0) + timedelta(days=day)
    rig.pass_time((slot - rig.clock.now()).total_seconds(), 600)
    rig.sender.post_digest(key)
    minutes(rig, 0.5)


def test_of_the_digests_that_a_closed_channel_did_not_take_the_newest_comes_once_when_it_is_open(make: Make) -> None:
    plan = Digest(("C0DIGEST",), "0 9 * * *")
    rig, slack = make(replace(build.policy(), digests=(plan,)))
    slack.workspace.add_channel("C0DIGEST", "digest", is_archived=True)
    key = digest_key(plan)
    for day in (0, 1):
        at_nine(rig, key, day)
    assert rig.ledger.count(keys.owed("C0DIGEST")) == 2
    slack.workspace.change_channel("C0DIGEST", is_archived=False)
    minutes(rig, 3)
    assert len(digests(slack)) == 1
    assert rig.ledger.count(keys.owed("C0DIGEST")) == 0
    (entry,) = [entry for entry in rig.all_entries() if entry.event is Event.DIGEST_POSTED]
    assert entry.facts == {"channel": "C0DIGEST", "slot": "2026-11-22T08:00:00+00:00"}
    assert f"-{int(datetime.fromisoformat(entry.facts['slot']).timestamp())}" in entry.subject
    at_nine(rig, key, 2)
    assert len(digests(slack)) == 2, "the next one comes as if nothing had been"


@pytest.mark.parametrize("odd", [7, [7, None, {}], {}, "now", "", "1.0\n", True], ids=repr)
@pytest.mark.parametrize("part", ["ts", "channel"])
def test_a_post_without_a_name_that_can_be_kept_is_looked_for_and_nothing_odd_is_kept(make: Make, part: str, odd: Any):
    """A request whose card was kept under such a name could not be shown any more, for ever."""
    rig, slack = make()
    slack.faults.add("chat.postMessage", times=3, answer={"ok": True, "ts": "1.5", "channel": CARDS, part: odd})
    id_ = rig.asked()
    minutes(rig, 1)
    kept = rig.record(id_).postings.values()
    assert all(
        posting.ts is None or posting.ts in slack.workspace.channels[posting.posted_channel or ""].messages
        for posting in kept
    )
    assert len(posts(slack, CARDS)) == 1


def test_a_digest_is_on_the_record_once_although_its_post_takes_a_moment(make: Make) -> None:
    """As every call of Slack's does: the entry has the time of the commit that it is part of."""
    plan = Digest(("C0DIGEST",), "0 9 * * *")
    rig, slack = make(replace(build.policy(), digests=(plan,)))
    slack.workspace.add_channel("C0DIGEST", "digest")
    post = rig.client.chat_postMessage

    def slow(**said: Any) -> Any:
        rig.tick(0.3)
        return post(**said)

    rig.client.chat_postMessage = slow  # type: ignore[method-assign]  # time passes meanwhile
    for day in (0, 1):
        at_nine(rig, digest_key(plan), day)
    assert len(digests(slack)) == 2
    assert len([entry for entry in rig.all_entries() if entry.event is Event.DIGEST_POSTED]) == 2


def test_a_digest_of_a_slot_that_is_over_does_not_come_any_more(make: Make) -> None:
    plan = Digest(("C0DIGEST",), "0 9 * * *")
    rig, slack = make(replace(build.policy(), digests=(plan,)))
    slack.workspace.add_channel("C0DIGEST", "digest", is_archived=True)
    key = digest_key(plan)
    at_nine(rig, key, 0)
    (owed,) = rig.ledger.members(keys.owed("C0DIGEST"))
    slack.workspace.change_channel("C0DIGEST", is_archived=False)
    rig.policy.policy = replace(rig.policy.policy, digests=())
    rig.sender.show(owed)
    assert digests(slack) == []
    assert keys.chat(owed) not in rig.ledger.due


def test_a_summary_that_its_channel_does_not_take_comes_when_it_is_open(make: Make) -> None:
    people = many(30)
    clock = MemoryClock(build.NOW)
    slack = server_for(clock, people)
    rig = ChatWorld(InProcess(slack), clock, people)
    ids = [rig.asked(who) for who in people]
    for id_ in ids:
        approve(rig, id_)
    while not rig.record(f"summary-{RECEIPTS}").told:
        rig.crash_at("intent:summary")
        rig.show_and_crash()
    slack.workspace.change_channel(RECEIPTS, is_archived=True)
    rig.settle(200)
    slack.workspace.change_channel(RECEIPTS, is_archived=False)
    minutes(rig, 6)
    told = texts([*posts(slack, RECEIPTS)])
    assert all(id_ in told for id_ in ids)


# ---------------------------------------------------------------- what an operator sees


def ready(rig: ChatWorld) -> tuple[list[str], list[str]]:
    return (
        closed_places(rig.ledger, lambda _: TRAITS, people=False),
        closed_places(rig.ledger, lambda _: TRAITS, people=True),
    )


def test_readiness_names_closed_channels_and_warns_of_people(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    slack.workspace.change_channel(RECEIPTS, is_archived=True)
    no_direct_messages(slack, "UDANA")
    approve(rig, rig.asked())
    rig.settle()
    missing, warned = ready(rig)
    assert missing == [
        f"Slack takes no messages in {RECEIPTS}, which the policy names (is_archived). "
        "Unarchive it, or name another channel in the policy"
    ]
    assert warned == [
        "Slack takes no direct messages to UDANA (messages_tab_disabled). Switch on the Messages tab of the app's home"
    ]


def test_the_metrics_name_slacks_own_words(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    slack.workspace.change_channel(RECEIPTS, is_archived=True)
    rig.asked()
    rig.settle()
    redis: Any = SimpleNamespace(llen=lambda _name: 0)
    found = {
        sample.name: sample
        for metric in LedgerMetrics(rig.ctx, redis, Faults(None)).collect()
        for sample in metric.samples
    }
    assert found["prodaccess_places_closed"].value == 1
    assert found["prodaccess_slack_refused"].labels == {"word": "is_archived"}


@pytest.mark.parametrize(
    ("scope", "missing", "warned"), [("users:read.email", 1, 0), ("channels:join", 0, 1), ("dnd:read", 0, 1)]
)
def test_a_scope_that_was_left_out_is_named(
    world: tuple[ChatWorld, SlackServer], scope: str, missing: int, warned: int
) -> None:
    rig, slack = world
    slack.app.scopes -= {scope}
    check = SlackCheck(rig.client)
    assert (len(check.problems()), len(check.attention())) == (missing, warned)
    assert scope in " ".join([*check.problems(), *check.attention()])


def test_with_all_scopes_nothing_is_said(world: tuple[ChatWorld, SlackServer]) -> None:
    check = SlackCheck(world[0].client)
    assert [*check.problems(), *check.attention()] == []


def test_the_manifest_asks_for_the_scopes_that_are_missed(world: tuple[ChatWorld, SlackServer]) -> None:
    manifest = yaml.safe_load((Path(__file__).parents[3] / "deploy/slack/manifest.yaml").read_text())
    asked = set(manifest["oauth_config"]["scopes"]["bot"])
    assert asked == {*NEEDED, *BETTER} == set(world[1].app.scopes)


def test_a_refused_token_is_said_with_slacks_word(world: tuple[ChatWorld, SlackServer]) -> None:
    rig, slack = world
    slack.faults.add("auth.test", times=None, error="token_revoked")
    (sentence,) = SlackCheck(rig.client).problems()
    assert "SLACK_BOT_TOKEN (token_revoked)" in sentence


def test_what_passes_and_does_not_is_told_to_whoever_waits_and_to_an_operator(
    world: tuple[ChatWorld, SlackServer],
) -> None:
    rig, slack = world
    fault = slack.faults.add("chat.postMessage", times=None, status=500, where={"channel": CARDS})
    id_ = rig.asked()
    minutes(rig, 3)
    assert any(id_ in text and "Slack does not take it" in text for text in direct(slack, "UDANA"))
    assert any("messages about" in text for text in direct(slack, "USUE"))
    assert [trouble.item for trouble in standing(rig.ctx)] == [f"chat:{id_}"]
    slack.faults.remove(fault)
    minutes(rig, 2)
    assert id_ in texts(posts(slack, CARDS))
    assert not standing(rig.ctx)


def test_who_comes_while_a_channel_is_closed_does_not_knock_there_again() -> None:
    people = many(12)
    clock = MemoryClock(build.NOW)
    slack = server_for(clock, people)
    rig = ChatWorld(InProcess(slack), clock, people)
    slack.workspace.change_channel(RECEIPTS, is_archived=True)
    for who in people:
        rig.asked(who)
        rig.settle()
    knocked = [call for call in slack.calls.since(0, "chat.postMessage") if call.error == "is_archived"]
    looks = [call for call in knocked if "could not post here" in call.arguments["text"]]
    assert len(knocked) - len(looks) == 1

"""What a summary takes over from the receipts that wait for a channel, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.chat.outbox.plans.receipts import is_receipt, news_of
from bot.chat.outbox.summary import last_news
from bot.chat.outbox.waiting import WAITING_MAX, channel_of, summary_due
from bot.slack.messenger import EVENT_TYPE
from tests.support import build, views
from tests.support.chat import CARDS, RECEIPTS, ChatWorld, many, policy_for
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.policy import Policy, Visibility
from workflows.core.records.chat import ChatRecord, Posting
from workflows.ledger.memory import MemoryClock
from workflows.ports import Change, PolicyUnavailable

ROOT = f"receipts:{RECEIPTS}"


@dataclass
class Post:
    channel: str
    ts: str
    thread_ts: str | None
    text: str
    metadata: Mapping[str, Any]


@dataclass
class TinySlack(WebClient):
    """As much of Slack as a Delivery needs; it takes everything at once, so all limits are our own."""

    posts: list[Post] = field(default_factory=list)
    edits: int = 0

    def chat_postMessage(self, **said: Any) -> Any:
        drawn = [said["text"], *(block.get("text", {}).get("text", "") for block in said["blocks"] or ())]
        ts = f"{len(self.posts) + 1}.0"
        self.posts.append(Post(said["channel"], ts, said["thread_ts"], "\n".join(drawn), said["metadata"]))
        return {"ok": True, "channel": said["channel"], "ts": ts}

    def chat_update(self, **_: Any) -> Any:
        self.edits += 1
        return {"ok": True}

    def conversations_history(self, **asked: Any) -> Any:
        found = [{"ts": post.ts, "metadata": post.metadata} for post in self.in_channel(asked["channel"])]
        return {"ok": True, "messages": found}

    def in_channel(self, channel: str) -> list[Post]:
        return [post for post in self.posts if post.channel == channel and post.thread_ts is None]

    def cards(self) -> list[Post]:
        """Without the boards that name them while they wait."""
        return [post for post in self.in_channel(CARDS) if "came at once" not in post.text]

    def summaries(self, channel: str = RECEIPTS) -> list[str]:
        return [post.text for post in self.in_channel(channel) if "things changed here" in post.text]

    def thread(self, ts: str) -> list[str]:
        return [post.text for post in self.posts if post.thread_ts == ts]


Make = Callable[..., tuple[ChatWorld, TinySlack]]


@pytest.fixture
def make() -> Make:
    def build_one(count: int, policy: Policy | None = None) -> tuple[ChatWorld, TinySlack]:
        people = many(count)
        slack = TinySlack()
        rig = ChatWorld(slack, MemoryClock(build.NOW), people, policy or policy_for(people))
        return rig, slack

    return build_one


def all_ask(rig: ChatWorld, count: int) -> list[str]:
    return [rig.asked(who) for who in many(count)]


def waiting(rig: ChatWorld, channel: str = RECEIPTS) -> list[str]:
    return list(rig.ledger.members(keys.waiting(channel)))


def summarised(rig: ChatWorld, ids: list[str]) -> list[str]:
    """Whom the summary speaks for: they were told of, and have no thread."""
    return [id_ for id_ in ids if ROOT in rig.record(id_).told and ROOT not in rig.record(id_).postings]


# ---------------------------------------------------------------- from waiting to the summary


def test_who_waits_stands_in_the_index_once_and_leaves_it_when_shown(make: Make) -> None:
    rig, slack = make(5)
    ids = all_ask(rig, 5)
    rig.pass_time(1.5)
    assert 0 < len(waiting(rig)) < 5
    assert len(set(waiting(rig))) == len(waiting(rig))
    rig.settle()
    assert waiting(rig) == []
    assert slack.summaries() == []
    assert len(slack.in_channel(RECEIPTS)) == len(ids)


def test_more_than_twenty_become_one_summary_that_counts_them(make: Make) -> None:
    rig, slack = make(40)
    ids = all_ask(rig, 40)
    rig.settle(200)
    (summary,) = slack.summaries()
    told = summarised(rig, ids)
    assert len(told) > WAITING_MAX
    assert summary.startswith(f"{len(told)} things changed here")
    assert all(id_ in summary for id_ in told)
    assert len(slack.in_channel(RECEIPTS)) == 1 + len(ids) - len(told)
    assert len(slack.cards()) == len(ids)
    assert waiting(rig) == []
    assert rig.record(f"summary-{RECEIPTS}").told == {}


def test_a_summary_waits_until_nobody_joins_any_more_but_not_for_ever(make: Make) -> None:
    rig, slack = make(60)
    asked = 0
    for who in many(60):
        rig.asked(who)
        rig.pass_time(0.25)
        asked += 1
        if slack.summaries():
            break
    # More than 20 waited after some seven seconds; those who came until the tenth are in it, too.
    assert 40 <= asked < 60


def test_the_next_crowd_gets_a_summary_of_its_own(make: Make) -> None:
    rig, slack = make(40)
    ids = all_ask(rig, 40)
    rig.settle(200)
    for id_ in ids:
        rig.deny(id_)
    rig.work()
    rig.settle(300)
    assert len(slack.summaries()) == 2
    assert waiting(rig) == []


def test_those_who_found_their_turn_meanwhile_are_left_to_themselves(make: Make) -> None:
    """The summary is due, but when it looks, no more than twenty wait."""
    rig, slack = make(15)
    all_ask(rig, 15)
    rig.pass_time(1.5)
    rig.ledger.remind(summary_due(RECEIPTS), 0)
    rig.settle(100)
    assert slack.summaries() == []
    assert len(slack.in_channel(RECEIPTS)) == 15


def test_without_the_policy_nothing_is_summed_up_and_nothing_is_lost(make: Make) -> None:
    rig, slack = make(40)
    ids = all_ask(rig, 40)
    while not rig.record(f"summary-{RECEIPTS}").told:
        rig.crash_at("intent:summary")
        rig.show_and_crash()
    current = rig.policy.current

    def unavailable() -> Policy:
        raise PolicyUnavailable("broken")

    rig.policy.current = unavailable  # type: ignore[method-assign]  # the folder became unreadable
    rig.pass_time(8)
    assert slack.summaries() == []
    rig.policy.current = current  # type: ignore[method-assign]  # repaired
    rig.settle(200)
    assert len(slack.summaries()) == 1
    assert all(id_ in slack.summaries()[0] for id_ in summarised(rig, ids))
    # Where a card stands the policy says: those that found none come when there is one.
    assert len(slack.cards()) == len(ids)


def test_an_environment_that_hides_its_people_is_told_by_state_and_id_alone(make: Make) -> None:
    people = many(40)
    hidden = build.environment(visibility=Visibility.MEMBERS)
    rig, slack = make(40, replace(policy_for(people), environments={"payments-prod": hidden}))
    all_ask(rig, 40)
    rig.settle(200)
    (summary,) = slack.summaries()
    assert "PA-" in summary
    assert "Dev0" not in summary
    assert "read-only" not in summary


# ---------------------------------------------------------------- what follows for each request


def test_what_happens_after_the_summary_opens_a_thread_with_that_alone(make: Make) -> None:
    rig, slack = make(40)
    ids = all_ask(rig, 40)
    rig.settle(200)
    id_ = summarised(rig, ids)[0]
    before = len(slack.posts)
    rig.sender.show(id_)
    assert len(slack.posts) == before
    rig.deny(id_, reason="use staging")
    rig.settle()
    (root,) = slack.in_channel(RECEIPTS)[-1:]
    assert id_ in root.text
    (reply,) = slack.thread(root.ts)
    assert "denied" in reply
    assert "asked" not in reply


def test_one_that_changes_between_reading_and_handing_over_is_summed_up_as_it_is_then(make: Make) -> None:
    rig, slack = make(40)
    ids = all_ask(rig, 40)
    changed: list[str] = []

    def somebody_denies(change: Change) -> None:
        changed.append(next(key for key in change.puts if key.startswith("chat:PA-")).removeprefix("chat:"))
        rig.deny(changed[0])

    rig.before("handed-over", somebody_denies)
    rig.settle(300)
    assert len(slack.summaries()) == 1
    assert rig.record(changed[0]).told[ROOT] == rig.ledger.entries_of(changed[0])[-1].number
    assert sorted(summarised(rig, ids) + [id_ for id_ in ids if ROOT in rig.record(id_).postings]) == sorted(ids)


def test_one_whose_record_changes_meanwhile_is_read_again(make: Make) -> None:
    rig, slack = make(40)
    all_ask(rig, 40)

    def its_own_sender_posts(change: Change) -> None:
        item = next(key for key in change.puts if key.startswith("chat:PA-"))
        snapshot = rig.ledger.read(item)
        record = snapshot.get(item, ChatRecord) or ChatRecord(item.removeprefix("chat:"))
        intent = Posting(RECEIPTS, nonce="n", intent_at=snapshot.now)
        rig.ledger.commit(
            Change(
                "own",
                snapshot.now,
                snapshot.versions(),
                puts={item: replace(record, postings={**record.postings, ROOT: intent})},
            )
        )
        own.append(item.removeprefix("chat:"))
        # Slack has it already, and nobody recorded that.
        slack.chat_postMessage(
            channel=RECEIPTS,
            text=own[0],
            blocks=None,
            thread_ts=None,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"nonce": "n"}},
        )

    own: list[str] = []
    rig.before("handed-over", its_own_sender_posts)
    rig.settle(200)
    assert len(slack.summaries()) == 1
    assert own[0] not in slack.summaries()[0]
    assert rig.record(own[0]).postings[ROOT].ts is not None
    assert len([post for post in slack.in_channel(RECEIPTS) if own[0] in post.text]) == 1


# ---------------------------------------------------------------- pure parts

MADE = views.entry(5, Event.REQUEST_MADE)
DENIED = views.entry(7, Event.REQUEST_DENIED)


def record(root: Posting | None = None, told: int = 0) -> ChatRecord:
    postings = {} if root is None else {ROOT: root}
    return ChatRecord("PA-1", postings, {ROOT: told} if told else {})


@pytest.mark.parametrize(
    ("chat", "entries", "number"),
    [
        (record(), [MADE], 5),
        (record(), [MADE, DENIED], 7),
        (record(told=5), [MADE], 0),
        (record(told=5), [MADE, DENIED], 7),
        (record(Posting(RECEIPTS, ts="1.0")), [MADE], 0),  # its root says who waits
        (record(Posting(RECEIPTS, ts="1.0")), [MADE, DENIED], 7),
        (record(Posting(RECEIPTS, error="is_archived")), [MADE, DENIED], 0),
        (record(), [views.entry(6, Event.REQUEST_RESOLVED)], 0),
        (record(), [], 0),
    ],
)
def test_what_a_channel_has_still_to_be_told(chat: ChatRecord, entries: list[Any], number: int) -> None:
    assert last_news(chat, entries, RECEIPTS) == number


def test_channels_do_not_tell_for_each_other() -> None:
    assert news_of(record(told=7), [MADE, DENIED], "C0INC") == [MADE, DENIED]


def test_a_summary_is_a_subject_of_chat() -> None:
    assert summary_due(RECEIPTS) == f"chat:summary-{RECEIPTS}"
    assert channel_of(f"summary-{RECEIPTS}") == RECEIPTS
    assert [channel_of(other) for other in ("PA-1", "policy-ab", "digest-x-1", "home-T1-U1")] == [""] * 4


def test_only_receipts_make_a_crowd(make: Make) -> None:
    """Cards wait as well when so many come at once, and are never summed up."""
    rig, _ = make(40)
    all_ask(rig, 40)
    rig.pass_time(2)
    assert rig.ledger.count(keys.waiting(CARDS)) == 0
    assert rig.ledger.count(keys.waiting(RECEIPTS)) > 0
    assert not is_receipt(type("W", (), {"slot": "card:C1"}))  # type: ignore[arg-type]  # a slot is all it looks at

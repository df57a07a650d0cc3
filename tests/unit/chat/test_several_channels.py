"""Several channels for cards, receipts and digests: each has its own copy, all are true, and none waits for another."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat.outbox.outbox import in_each
from tests.support import build
from tests.support.build import HOUR, NIA, OLU
from tests.support.chat import ChatWorld, Crash, NoSlack
from tests.support.memory_chat import MemoryChat, channel
from tests.support.world import account
from workflows.core.audit import Event
from workflows.core.destination import Destination, read_destination
from workflows.core.policy import BreakGlass, Digest, Visibility
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.records.request import Origin
from workflows.core.rules.batch import panels
from workflows.core.rules.eligibility import Ask
from workflows.ledger.memory import MemoryClock
from workflows.policy_file.cron import next_slot
from workflows.policy_file.difference import difference, summary
from workflows.usecases.oversight.announcement_check import told_a_channel
from workflows.usecases.oversight.policy_activation import activate, digest_due, digest_key
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.shared.context import Outcome

OPS, TEAM = channel("19:ops@thread:v2"), channel("19:team@thread:v2")
LOG, AUDIT = channel("19:log@thread:v2"), channel("19:audit@thread:v2")
PLAN = Digest((str(LOG), str(TEAM)), "0 9 * * *")
BOTH = (str(OPS), str(TEAM))
Made = tuple[ChatWorld, MemoryChat]


def made(*digests: Digest, **changes: object) -> Made:
    place = build.environment(build.entitlement(), **{"approvals_channels": BOTH, **changes})
    policy = replace(build.policy(place), receipts_channels=(str(LOG), str(AUDIT)), digests=digests)
    chat = MemoryChat(lambda: rig.clock.now())
    rig = ChatWorld(NoSlack(), MemoryClock(build.NOW), (), policy, chat)
    return rig, chat


def direct(who: str) -> Destination:
    return read_destination(account(who).user)


def test_a_card_in_each_approvals_channel_and_a_thread_in_each_receipts_channel() -> None:
    rig, chat = made()
    id_ = rig.asked()
    rig.settle()
    assert ["Dana asks" in text for place in (OPS, TEAM) for text in chat.stands(place)] == [True, True]
    rig.approve(id_)
    rig.work()
    rig.settle()
    rig.tick(HOUR.total_seconds())
    rig.work()
    rig.settle()
    assert ["Ended" in text for place in (OPS, TEAM, LOG, AUDIT) for text in chat.stands(place)] == [True] * 4
    for place in (LOG, AUDIT):
        (root,) = [post for post in chat.posts if post.to == place and post.under is None]
        assert "approved" in " ".join(chat.stands(place, root.id))


def test_a_channel_that_takes_no_card_holds_up_no_other_and_owners_are_not_written_to() -> None:
    rig, chat = made()
    chat.closed[OPS] = "place_gone"
    rig.asked()
    rig.settle()
    assert len(chat.stands(TEAM)) == 1
    assert not any("Dana asks" in text for text in chat.stands(direct(OLU)))
    del chat.closed[OPS]
    rig.pass_time(120, 1)
    assert any("Dana asks" in text for text in chat.stands(OPS))


def test_owners_are_written_to_where_no_approvals_channel_takes_it() -> None:
    rig, chat = made()
    chat.closed[OPS] = chat.closed[TEAM] = "place_gone"
    rig.asked()
    rig.settle()
    assert any("Dana asks" in text for text in chat.stands(direct(OLU)))


def test_a_channel_that_has_to_wait_gets_its_card_all_the_same() -> None:
    """The first card stands, the process dies, and the second comes."""
    rig, chat = made()
    rig.asked()
    rig.crash_at(f"intent:card:{TEAM}")
    rig.show_and_crash()
    assert (len(chat.stands(OPS)), len(chat.stands(TEAM))) == (1, 0)
    rig.settle()
    assert (len(chat.stands(OPS)), len(chat.stands(TEAM))) == (1, 1)


def test_each_of_the_environments_own_channels_is_a_member() -> None:
    rig, chat = made(visibility=Visibility.MEMBERS)
    rig.asked(reason="INC-42 checkout errors")
    rig.settle()
    seen = [" ".join(chat.stands(place)) for place in (OPS, TEAM, LOG, AUDIT)]
    assert ["INC-42" in text for text in seen] == [True, True, False, False]


@pytest.mark.parametrize("report", [None, timedelta(days=30)])
def test_a_digest_is_posted_once_in_each_of_its_channels_whatever_is_restarted(report: timedelta | None) -> None:
    plan = replace(PLAN, report=report)
    rig, chat = made(plan)
    rig.active()
    rig.settle()
    before = {place: len(chat.stands(place)) for place in (LOG, TEAM)}
    rig.ledger.remind(digest_due(digest_key(plan)), 0)
    rig.tick(24 * 3600)
    rig.crash_at("posted:digest:")
    with pytest.raises(Crash):
        rig.sender.post_digest(digest_key(plan))
    rig.sender = rig.new_sender()
    rig.sender.post_digest(digest_key(plan))
    rig.sender.post_digest(digest_key(plan))
    assert [len(chat.stands(place)) - before[place] for place in (LOG, TEAM)] == [1, 1]
    told = [entry.facts["channel"] for entry in rig.ledger.entries() if entry.event is Event.DIGEST_POSTED]
    assert told == [str(LOG), str(TEAM)]


def test_a_digest_that_one_channel_does_not_take_stands_in_the_other_and_comes_later() -> None:
    rig, chat = made(PLAN)
    chat.closed[LOG] = "place_gone"
    rig.ledger.remind(digest_due(digest_key(PLAN)), 0)
    rig.tick(24 * 3600)
    rig.sender.post_digest(digest_key(PLAN))
    assert len(chat.stands(TEAM)) == 1
    del chat.closed[LOG]
    rig.pass_time(120, 1)
    assert [len([text for text in chat.stands(place) if "active" in text.lower()]) for place in (LOG, TEAM)] == [1, 1]


def test_a_break_glass_is_announced_where_any_channel_took_it() -> None:
    glass = BreakGlass(("oncall",), ("read-only",), HOUR, review_within=24 * HOUR)
    rig, chat = made(break_glass=glass)
    chat.closed[OPS] = chat.closed[LOG] = chat.closed[AUDIT] = "place_gone"
    rig.knows(NIA)
    ask = Ask("payments-prod", "read-only", None, "everything is down")
    answer = break_glass(rig.ctx, ask, account(NIA), Origin(), "press-glass")
    assert isinstance(answer, Outcome)
    rig.work()
    rig.settle()
    assert told_a_channel(rig.record(answer.id))
    rig.tick(7 * 3600)
    rig.work()
    rig.settle()
    (card,) = [post for post in chat.posts if post.to == TEAM and post.under is None]
    assert len(chat.stands(TEAM, card.id)) == 1, "one call under the card that stands"


def test_news_of_the_installation_stand_once_in_each_receipts_channel() -> None:
    """The slot that earlier versions had is not posted again, whichever channel of the list has it."""
    first = ChatRecord("policy-1", {"policy:7": Posting(str(AUDIT), ts="M1")})
    assert in_each(first, "policy:7", (str(LOG), str(AUDIT))) == {f"policy:7:{LOG}": str(LOG), "policy:7": str(AUDIT)}
    assert in_each(ChatRecord("policy-1"), "policy:7", (str(LOG),)) == {"policy:7": str(LOG)}
    rig, chat = made()
    rig.policy.policy = replace(rig.policy.policy, hash="e" * 64)
    activate(rig.ctx, rig.policy.policy, summary=summary, difference=difference, next_slot=next_slot)
    rig.crash_at("posted:policy:")
    rig.show_and_crash()
    rig.settle()
    assert [len(chat.stands(place)) for place in (LOG, AUDIT)] == [1, 1]


def test_who_decides_keeps_its_name_where_there_is_one_channel() -> None:
    """A card of the version before stands under the first id of its panel, and panels are compared by this alone."""
    rules = build.policy(build.environment(approvals_channels=("C0PAYMENTS",)))
    one, other = build.request("PA-1"), build.request("PA-2")
    assert panels(rules, [one, other]) == ((one, other),)


def test_a_digest_in_several_channels_has_a_name_of_its_own() -> None:
    names = {digest_key(Digest(channels, "0 9 * * *")) for channels in (("C0A",), ("C0B",), ("C0A", "C0B"))}
    assert len(names) == 3
    assert digest_key(Digest(("C0RECEIPTS",), "0 9 * * *")) == "92349e14cf8e"

"""The outbox in a chat that is not Slack: its places, its threads, its edits, and what is done without what it has not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.chat.chats import Chats
from bot.chat.outbox.outbox import Outbox
from bot.chat.outbox.reconciler import Reconciler
from bot.chat.surface import Abilities
from tests.support import build
from tests.support.build import DANA, HOUR
from tests.support.chat import ChatWorld, NoSlack
from tests.support.memory_chat import ALL_OF_IT, MemoryChat, channel
from tests.support.world import StillKeeper, account
from workflows.core import keys
from workflows.core.destination import Destination, read_destination
from workflows.core.records.request import Origin
from workflows.ledger.memory import MemoryClock
from workflows.usecases.oversight.announcement_check import told_a_channel
from workflows.usecases.shared.context import Outcome

# Ids of other chats hold signs that separate things here.
CARDS, RECEIPTS = channel("19:cards@thread:v2"), channel("19:receipts@thread:v2")
ASKED_IN = read_destination("C0OPS")
Make = Callable[..., tuple[ChatWorld, MemoryChat]]


@pytest.fixture
def make() -> Make:
    def build_one(abilities: Abilities = ALL_OF_IT) -> tuple[ChatWorld, MemoryChat]:
        clock = MemoryClock(build.NOW)
        policy = replace(
            build.policy(build.environment(approvals_channels=(str(CARDS),))),
            receipts_channels=(str(RECEIPTS),),
        )
        chat = MemoryChat(lambda: rig.clock.now(), abilities)
        rig = ChatWorld(NoSlack(), clock, (), policy, chat)
        return rig, chat

    return build_one


def direct(who: str) -> Destination:
    return read_destination(who)


def approved(rig: ChatWorld, id_: str) -> None:
    assert isinstance(rig.approve(id_), Outcome)
    rig.work()
    rig.settle()


def test_a_life_is_told_in_its_channels_and_threads(make: Make) -> None:
    rig, chat = make()
    id_ = rig.asked()
    rig.settle()
    (card,) = chat.stands(CARDS)
    assert "Dana asks" in card
    approved(rig, id_)
    rig.tick(HOUR.total_seconds())
    rig.work()
    rig.settle()
    (card,), (root,) = chat.stands(CARDS), chat.stands(RECEIPTS)
    assert "Ended" in card
    assert "Ended" in root
    (top,) = [post for post in chat.posts if post.to == RECEIPTS and post.under is None]
    replies = " ".join(chat.stands(RECEIPTS, top.id))
    assert "approved" in replies
    assert "ended" in replies
    assert any("Active" in text or "ended" in text.lower() for text in chat.stands(direct(account(DANA).user)))
    assert told_a_channel(rig.record(id_))


@pytest.mark.parametrize("search", [True, False])
def test_after_a_crash_a_post_is_found_or_a_second_copy_is_made(make: Make, search: bool) -> None:
    """A chat that cannot be searched costs a copy more, and never a card less."""
    rig, chat = make(replace(ALL_OF_IT, search=search))
    id_ = rig.asked()
    rig.crash_at("posted:card:")
    rig.show_and_crash()
    rig.settle()
    assert len(chat.stands(CARDS)) == (1 if search else 2)
    recorded = rig.record(id_).postings[f"card:{CARDS}"]
    assert recorded.ts == [post.id for post in chat.posts if post.to == CARDS][-1]


@pytest.mark.parametrize("whispers", [True, False])
def test_who_gets_no_direct_messages_hears_of_it_where_they_asked_where_the_chat_can_whisper(
    make: Make, whispers: bool
) -> None:
    rig, chat = make(replace(ALL_OF_IT, whispers=whispers))
    dana = direct(account(DANA).user)
    chat.closed[dana] = "person_gone"
    id_ = rig.asked(origin=Origin("T1", str(ASKED_IN), "ops"))
    rig.settle()
    approved(rig, id_)
    heard = [where for to, where, _ in chat.whispers if to == dana]
    assert heard == ([ASKED_IN] * len(heard) if whispers else [])
    assert bool(heard) == whispers


def test_a_channel_that_takes_nothing_is_found_once_and_told(make: Make) -> None:
    rig, chat = make()
    chat.closed[RECEIPTS] = "place_gone"
    id_ = rig.asked()
    rig.settle()
    approved(rig, id_)
    assert list(rig.ledger.members(keys.CLOSED_PLACES)) == [str(RECEIPTS)]
    del chat.closed[RECEIPTS]
    rig.pass_time(120, 1)
    assert list(rig.ledger.members(keys.CLOSED_PLACES)) == []
    assert any("Active" in text for text in chat.stands(RECEIPTS))


def test_a_message_whose_form_is_refused_goes_without(make: Make) -> None:
    rig, chat = make()
    id_ = rig.asked()
    chat.answers.append(chat.no("too_odd"))
    rig.settle()
    (post,) = [post for post in chat.posts if post.to == CARDS]
    assert post.message.parts == ()
    assert "Memory took no buttons here" in post.text
    assert rig.record(id_).postings[f"card:{CARDS}"].plain


def test_where_there_are_no_threads_replies_stand_beside_their_root(make: Make) -> None:
    rig, chat = make(replace(ALL_OF_IT, threads=False))
    id_ = rig.asked()
    rig.settle()
    approved(rig, id_)
    assert all(post.under is None for post in chat.posts)
    assert any("approved" in text for text in chat.stands(RECEIPTS)[1:])


@pytest.mark.parametrize("home", [True, False])
def test_a_page_is_drawn_where_there_is_one(make: Make, home: bool) -> None:
    rig, chat = make(replace(ALL_OF_IT, home=home))
    rig.sender.outbox.directory = rig.chat  # type: ignore[assignment]  # who people are is not what is looked at
    rig.sender.show(keys.home(account(DANA)))
    assert (account(DANA) in chat.homes) == home


def another_worker(rig: ChatWorld, chat: MemoryChat) -> Reconciler:
    """With leases of its own."""
    ctx = replace(rig.ctx, lease_renewer=StillKeeper(rig.clock, rig.ledger))
    return Reconciler(
        Outbox.of(ctx, Chats(chat, *([rig.also] if rig.also else [])), rig.buckets, rig.refresher, "/prodaccess")
    )


def meanwhile(rig: ChatWorld, owner: object, name: str, fits: Callable[..., bool], then: Callable[[], object]) -> None:
    """Right after the next such call, once, the process stands still, and then happens this."""
    real = getattr(owner, name)

    def called(*args: object, **how: object) -> object:
        answer = real(*args, **how)
        if fits(*args, **how):
            setattr(owner, name, real)
            rig.tick(5)
            then()
        return answer

    setattr(owner, name, called)


def test_who_was_stopped_after_the_intent_and_has_lost_the_lease_posts_no_second_copy(make: Make) -> None:
    rig, chat = make()
    id_ = rig.asked()
    rig.sender, other = another_worker(rig, chat), another_worker(rig, chat)
    meanwhile(rig, rig.ledger, "commit", lambda change: "intent:card:" in change.commit_id, lambda: other.show(id_))
    rig.settle()
    assert len(chat.stands(CARDS)) == 1


def test_who_was_stopped_before_an_edit_and_has_lost_the_lease_does_not_say_what_is_over(make: Make) -> None:
    rig, chat = make()
    id_ = rig.asked()
    rig.settle()
    rig.sender, other = another_worker(rig, chat), another_worker(rig, chat)
    assert isinstance(rig.approve(id_), Outcome)
    rig.work()
    assert isinstance(rig.end(id_), Outcome)
    meanwhile(rig, rig.buckets, "take", lambda name, **_: "edits" in name, lambda: (rig.work(), other.show(id_)))
    rig.settle()
    (card,) = chat.stands(CARDS)
    assert "Ended" in card

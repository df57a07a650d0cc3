"""Many requests at once in one channel of Slack, with Slack's own limits: each is read at once, and decided before its card."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.reply import Reply
from bot.chat.actions.stray_copy import is_stray_copy
from bot.chat.interaction import PRESS, Interaction
from bot.chat.message import value_of
from bot.chat.messages.approval_card import APPROVE
from bot.sandbox.slack import Message, SlackServer, words
from tests.support import build
from tests.support.chat import CARDS, ChatWorld, InProcess, ids_in, many, policy_for, posts, server_for
from tests.support.world import account
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.policy import Environment
from workflows.core.records.request import Origin
from workflows.core.refusal import Code
from workflows.core.rules.eligibility import Ask
from workflows.ledger.memory import MemoryClock
from workflows.usecases.requests.batch import ask_for_several
from workflows.usecases.shared.context import Outcome

DIRECTORY = ("auth.test", "users.info", "users.lookupByEmail", "usergroups.list", "dnd.teamInfo")
BOARD = keys.board(CARDS)


class Crowd(ChatWorld):
    def __init__(self, count: int, *more: Environment) -> None:
        clock = MemoryClock(build.NOW)
        self.people = many(count)
        self.slack: SlackServer = server_for(clock, self.people)
        self.slack.rate_limits.enforced, self.slack.rate_limits.post_burst = True, 4
        super().__init__(InProcess(self.slack), clock, self.people, policy_for(self.people, *more))

    def all_ask(self) -> list[str]:
        return [self.asked(who) for who in self.people]

    def boards(self) -> list[Message]:
        known = {posting.ts for posting in self.record(BOARD).postings.values()}
        return [message for message in posts(self.slack, CARDS) if message.ts in known]

    def cards(self) -> list[Message]:
        known = {posting.ts for posting in self.record(BOARD).postings.values()}
        return [message for message in posts(self.slack, CARDS) if message.ts not in known]

    def first_board(self) -> Message:
        for _ in range(40):
            if self.boards():
                return self.boards()[0]
            self.pass_time(0.25)
        raise AssertionError("there is no board")

    def last_in(self, board: Message) -> str:
        """Of those in it the one whose card comes last."""
        waits = self.ledger.members(keys.cards_waiting(CARDS))
        return max(offered(board), key=waits.index)

    def presses(self, who: PersonId, id_: str, message: Message) -> Reply:
        """Approve, in the line of this request."""
        self.knows(who)
        value = value_of(id_, self.request(id_).terms.hash)
        act = Interaction(self.press_id(), PRESS, account(who), action=APPROVE, value=value, channel=CARDS)
        assert not is_stray_copy(self.ctx, act, message.ts)
        return Dispatcher(self.ctx, "/prodaccess").carry_out(act)

    def is_over(self) -> bool:
        record = self.record(BOARD)
        said = all("Nothing waits in this list" in words(message) for message in self.boards())
        return said and not record.told and self.ledger.count(keys.cards_waiting(CARDS)) == 0


def offered(message: Message) -> set[str]:
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return {e["value"].partition(":")[0] for row in rows for e in row if e["action_id"] == APPROVE}


# ---------------------------------------------------------------- a hundred in a minute


@pytest.mark.parametrize("count", [16, pytest.param(100, marks=pytest.mark.fleet)])
def test_a_hundred_a_minute_are_each_read_within_a_few_messages_and_nothing_is_lost(count: int) -> None:
    crowd = Crowd(count)
    behind: dict[str, int] = {}
    asked: dict[str, int] = {}
    for turn, who in enumerate(crowd.people):
        asked[crowd.asked(who)] = len(posts(crowd.slack, CARDS))
        # 0.6 s from one to the next, of which the clock sees quarters.
        crowd.pass_time(0.5 if turn % 5 < 3 else 0.75, 0.25)
        seen = posts(crowd.slack, CARDS)
        for id_ in {id_ for message in seen[-20:] for id_ in ids_in(message)} - behind.keys():
            behind[id_] = len(seen) - asked[id_]
        named = [id_ for board in crowd.boards() for id_ in offered(board)]
        assert len(named) == len(set(named)), "two boards name one request"
    assert max(behind.values()) <= 4
    # The last have only just asked.
    assert len(behind) >= count - 3
    crowd.settle(200, 0.5)
    assert sorted(ids_in(card)[-1] for card in crowd.cards()) == sorted(asked)
    assert crowd.is_over()
    assert len(crowd.boards()) <= 15
    called = [call for call in crowd.slack.calls.since(0) if call.method not in DIRECTORY]
    # The card, the receipt and its line; so a whole life still has room in ten.
    assert len(called) <= 3 * len(asked)


def test_a_few_at_once_need_no_board() -> None:
    crowd = Crowd(5)
    crowd.all_ask()
    crowd.settle()
    assert crowd.boards() == []
    assert len(crowd.cards()) == 5


# ---------------------------------------------------------------- decided on the board


def test_an_owner_approves_in_a_line_and_the_line_goes() -> None:
    crowd = Crowd(8)
    ids = crowd.all_ask()
    board = crowd.first_board()
    id_, other = crowd.last_in(board), sorted(offered(board))[0]
    assert id_ in ids
    assert crowd.presses(build.OLU, id_, board).refused is None
    crowd.work()
    assert crowd.has_access(id_)
    crowd.pass_time(4)
    assert id_ not in ids_in(board)
    assert other not in ids_in(board) or other in offered(board)
    crowd.settle(100)
    (card,) = [card for card in crowd.cards() if id_ in ids_in(card)]
    assert "Active" in card.text


def test_who_asked_does_not_approve_it_there() -> None:
    crowd = Crowd(8)
    ids = crowd.all_ask()
    board = crowd.first_board()
    id_ = crowd.last_in(board)
    reply = crowd.presses(crowd.people[ids.index(id_)], id_, board)
    assert reply.refused is not None
    assert reply.refused.code is Code.OWN_REQUEST
    crowd.work()
    assert not crowd.has_access(id_)
    assert id_ in offered(board)


def test_a_press_on_a_board_that_is_over_is_answered_as_on_an_old_card() -> None:
    crowd = Crowd(8)
    crowd.all_ask()
    board = crowd.first_board()
    id_ = crowd.last_in(board)
    crowd.deny(id_)
    crowd.work()
    reply = crowd.presses(build.OLU, id_, board)
    assert reply.refused is not None
    crowd.settle(100)
    assert crowd.is_over()
    again = crowd.presses(build.OLU, id_, board)
    assert again.refused is not None
    assert again.refused.code is reply.refused.code


def test_what_is_denied_on_the_board_gets_no_card_any_more() -> None:
    crowd = Crowd(8)
    ids = crowd.all_ask()
    id_ = crowd.last_in(crowd.first_board())
    crowd.deny(id_)
    crowd.work()
    crowd.settle(100)
    assert sorted(ids_in(card)[-1] for card in crowd.cards()) == sorted(set(ids) - {id_})
    assert crowd.is_over()


def test_what_was_asked_in_one_go_is_named_one_by_one_and_has_one_card() -> None:
    shop = build.environment(build.entitlement(environment="shop-prod"), name="shop-prod", title="Shop")
    crowd = Crowd(6, shop)
    crowd.all_ask()
    crowd.knows(build.DANA)
    asks = [Ask(place, "read-only", build.HOUR, "INC-42 both") for place in ("payments-prod", "shop-prod")]
    done = ask_for_several(crowd.ctx, asks, account(build.DANA), Origin(by_form=True), crowd.press_id())
    assert isinstance(done, Outcome)
    crowd.work()
    both = set(crowd.request(done.id).batch)
    named: set[str] = set()
    for _ in range(20):
        crowd.pass_time(0.25)
        named |= {id_ for board in crowd.boards() for id_ in offered(board)}
    assert both <= named
    crowd.settle(100)
    assert crowd.is_over()
    assert [set(ids_in(card)) & both for card in crowd.cards()].count(both) == 1


# ---------------------------------------------------------------- what can go wrong


STEPS = [":card-waits:", ":named:", ":intent:board", ":posted:board", ":edited:board", ":rests:"]


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_anywhere_on_the_way_loses_nothing_and_names_nothing_twice(step: str, *, applied: bool) -> None:
    crowd = Crowd(7)
    ids = crowd.all_ask()
    crowd.crash_at(step.removeprefix(":") if step == ":card-waits:" else step, applied=applied)
    crowd.show_and_crash()
    crowd.settle(100)
    assert sorted(ids_in(card)[-1] for card in crowd.cards()) == sorted(ids)
    assert crowd.is_over()
    assert len(crowd.boards()) == 1


def test_a_lost_answer_to_the_board_leaves_one_board() -> None:
    crowd = Crowd(7)
    crowd.all_ask()
    lost: list[str] = []

    def answer_lost(_change: object) -> None:
        lost.append("x")
        crowd.slack.faults.add("chat.postMessage", times=1, drop="after", where={"channel": CARDS})

    crowd.before(":intent:board", answer_lost)
    crowd.settle(100)
    assert lost
    assert len(crowd.boards()) == 1
    assert len(crowd.cards()) == 7
    assert crowd.is_over()


def test_a_second_worker_posts_no_second_board() -> None:
    crowd = Crowd(7)
    crowd.all_ask()
    seen: list[int] = []

    def another(_change: object) -> None:
        crowd.new_sender().show(BOARD)
        seen.append(len(crowd.boards()))

    crowd.before(":intent:board", another)
    crowd.settle(100)
    assert seen == [0]
    assert len(crowd.boards()) == 1


def test_a_channel_that_is_archived_meanwhile_keeps_nobody_waiting() -> None:
    crowd = Crowd(7)
    crowd.all_ask()
    crowd.pass_time(0.5)
    crowd.slack.workspace.channels[CARDS].archived = True
    crowd.pass_time(30)
    assert crowd.ledger.count(keys.cards_waiting(CARDS)) == 0


Withdraw = Callable[[Crowd, str], object]


@pytest.mark.parametrize(
    "over",
    [lambda crowd, id_: crowd.deny(id_), lambda crowd, id_: crowd.withdraw(id_, crowd.people[-1])],
    ids=["denied", "taken back"],
)
def test_what_is_over_before_the_board_is_posted_is_not_named(over: Withdraw) -> None:
    crowd = Crowd(7)
    ids = crowd.all_ask()
    named: list[str] = []

    def happens(_change: object) -> None:
        over(crowd, ids[-1])

    crowd.before(":named:", happens)
    for _ in range(40):
        crowd.pass_time(0.25)
        named += [id_ for board in crowd.boards() for id_ in ids_in(board)]
    assert named
    assert ids[-1] not in named

"""What a board names when many cards wait for one channel, and what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat.messages import board as words
from bot.chat.messages.approval_card import APPROVE, DENY, MORE
from bot.chat.outbox.outages import Outages
from bot.chat.outbox.plans.boards import (
    BETWEEN,
    GONE_TOGETHER,
    IN_SIGHT,
    LINES_MAX,
    NAMED_MAX,
    WAITING_MIN,
    Newest,
    named,
    soonest_s,
)
from bot.chat.outbox.plans.cards import is_card
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.postings import Later
from bot.chat.outbox.turns import Turns
from bot.chat.plain_text import as_text
from bot.chat.views.request_view import for_outsiders
from bot.chat.wording.labels import Stage
from bot.slack import blocks as b
from bot.slack.render import blocks_of
from bot.slack.traits import TRAITS
from tests.support import build, views
from workflows.ledger.memory import MemoryBuckets, MemoryClock

NOW = build.NOW
MOMENT = timedelta(seconds=1)


def ids(count: int, first: int = 1) -> list[str]:
    return [f"PA-{number}" for number in range(first, first + count)]


def after(newest: Newest, told: dict[str, int], waits: list[str], **more: bool) -> dict[str, int]:
    return named(waits, (), told, newest, NOW, **more)


# ---------------------------------------------------------------- who is named, and where


def test_whoever_no_board_names_yet_is_looked_at_when_there_may_be_another_one_and_not_later() -> None:
    newest = Newest(1, NOW)
    for part in (timedelta(seconds=0.5), timedelta(seconds=1.5)):
        at = NOW + part
        waits = ids(WAITING_MIN)
        assert named(waits, (), {}, newest, at, edits=False) == {}
        then = at + timedelta(seconds=soonest_s(newest, at))
        assert named(waits, (), {}, newest, then, edits=False) == dict.fromkeys(waits, 2)
    assert 0 < soonest_s(newest, NOW + BETWEEN - timedelta(microseconds=1)) < 1
    assert soonest_s(newest, NOW + timedelta(hours=1)) == BETWEEN.total_seconds()
    # By a chat's clock it was posted later than now.
    assert soonest_s(newest, NOW - timedelta(hours=1)) == BETWEEN.total_seconds()


@pytest.mark.parametrize("count", range(WAITING_MIN))
def test_a_few_cards_come_soon_enough_and_need_no_board(count: int) -> None:
    assert after(Newest(), {}, ids(count)) == {}


def test_more_are_named_by_the_first_board() -> None:
    assert after(Newest(), {}, ids(WAITING_MIN)) == dict.fromkeys(ids(WAITING_MIN), 1)


def test_what_has_no_room_is_named_by_the_next_ones_and_the_rest_is_counted() -> None:
    told = after(Newest(), {}, ids(NAMED_MAX + 37))
    numbers = list(told.values())
    assert list(told) == ids(NAMED_MAX)
    assert all(numbers.count(number) <= LINES_MAX for number in numbers)
    assert sorted(set(numbers)) == list(range(1, -(-NAMED_MAX // LINES_MAX) + 1))


@pytest.mark.parametrize(
    ("newest", "edits", "number"),
    [
        (Newest(1, NOW - MOMENT), True, 1),
        (Newest(1, NOW - IN_SIGHT - MOMENT), True, 2),
        (Newest(1, None), True, 1),
        (Newest(1, None), False, 1),  # not posted yet: it needs no edit
        (Newest(1, NOW - BETWEEN), False, 2),
        (Newest(1, NOW - MOMENT), False, None),  # cards have a turn between two boards
        (Newest(1, NOW - IN_SIGHT, closed=True), True, 2),
    ],
    ids=["in sight", "out of sight", "under way", "under way, no edits", "no edits", "no edits, too soon", "closed"],
)
def test_a_newcomer_joins_the_newest_board_as_long_as_that_is_seen(
    newest: Newest, edits: bool, number: int | None
) -> None:
    told = dict.fromkeys(ids(4), 1)
    expected = told if number is None else told | {"PA-5": number}
    assert after(newest, told, ids(5), edits=edits) == expected


def test_a_full_board_takes_nobody() -> None:
    told = dict.fromkeys(ids(LINES_MAX), 1)
    assert after(Newest(1, NOW), told, ids(LINES_MAX + 1)) == told | {f"PA-{LINES_MAX + 1}": 2}


def test_what_is_decided_is_named_no_more() -> None:
    told = dict.fromkeys(ids(4), 1)
    assert after(Newest(1, NOW), told, ids(3)) == dict.fromkeys(ids(3), 1)


def test_nobody_is_named_twice() -> None:
    told = {"PA-1": 1, "PA-2": 1, "PA-3": 2}
    assert after(Newest(2, NOW), told, ids(3)) == told


@pytest.mark.parametrize(("carded", "stay"), [(GONE_TOGETHER - 1, True), (GONE_TOGETHER, False)])
def test_lines_whose_cards_have_come_go_a_few_at_a_time(carded: int, stay: bool) -> None:
    """They are true still, and an edit for each would take what decisions need."""
    told = dict.fromkeys(ids(10), 1)
    found = named(ids(10 - carded, carded + 1), ids(carded), told, Newest(1, NOW), NOW)
    assert found == (told if stay else dict.fromkeys(ids(10 - carded, carded + 1), 1))


@pytest.mark.parametrize(
    ("waits", "carded"),
    [(["PA-2", "PA-3", "PA-9"], ["PA-1"]), (["PA-2"], ["PA-1"]), ([], ["PA-1", "PA-2", "PA-3"])],
    ids=["somebody joins", "somebody is decided", "nobody waits"],
)
def test_they_go_with_any_other_edit_and_with_the_last_that_waits(waits: list[str], carded: list[str]) -> None:
    told = named(waits, carded, dict.fromkeys(ids(3), 1), Newest(1, NOW), NOW)
    assert told == dict.fromkeys(waits, 1)


# ---------------------------------------------------------------- who goes first


class NothingIsClosed(Outages):
    def __init__(self) -> None:
        pass

    def word(self, place: str) -> None:
        return None


def test_a_board_and_a_break_glass_go_before_the_cards_that_wait() -> None:
    turns = Turns(MemoryBuckets(MemoryClock(NOW)), TRAITS, NothingIsClosed())
    card = PlannedMessage("card:C1", "C1", words.over(), key="")
    glass, board = replace(card, urgent=True), replace(card, slot="board:1")
    for _ in range(3):
        turns.wait_to_post(card)
    with pytest.raises(Later) as waits:
        turns.wait_to_post(card)
    assert waits.value.channel == "C1"
    turns.wait_to_post(glass)
    with pytest.raises(Later) as next_one:
        turns.wait_to_post(board)
    assert next_one.value.after_s < 1.5
    assert is_card(card)
    assert not is_card(glass)
    assert not is_card(board)


# ---------------------------------------------------------------- what it says


WAITING = next(view for view in views.every_state().values() if view.stage is Stage.WAITING and view.resolved)


def many(count: int, **changes: object) -> list[views.RequestView]:
    return [replace(WAITING, id=f"PA-{number + 1}", **changes) for number in range(count)]  # type: ignore[arg-type]


def texts(message: object) -> str:
    return as_text(message)  # type: ignore[arg-type]  # whatever a board is


def pressed(blocks: list[dict[str, object]]) -> list[tuple[str, str]]:
    rows = [block["elements"] for block in blocks if block["type"] == "actions"]
    return [(str(e["action_id"]), str(e.get("value", ""))) for row in rows for e in row]  # type: ignore[attr-defined]


def test_a_line_says_who_what_where_how_long_why_since_when_and_its_id() -> None:
    said = texts(words.board(many(1)))
    line = said[said.index("Dana Dev") :]
    for word in ("Dana Dev asks for", WAITING.role, WAITING.title, "Needs approval", "from the approval", "asked "):
        assert word in line
    assert WAITING.reason[:30] in line
    assert "PA-1" in line


def test_each_line_has_the_buttons_of_its_card_and_nothing_is_pressed_for_all() -> None:
    found = pressed(blocks_of(words.board(many(3))))
    value = WAITING.terms.hash
    assert [one for one in found if one[0] in (APPROVE, DENY)] == [
        (action, f"PA-{number}:{value}") for number in (1, 2, 3) for action in (APPROVE, DENY)
    ]
    assert {action for action, _ in found} == {APPROVE, DENY, MORE}


@pytest.mark.parametrize("more", [0, 37])
def test_a_full_board_has_room_in_slack_with_all_its_buttons(more: int) -> None:
    blocks = blocks_of(words.board(many(LINES_MAX, reason="x" * 2000), more))
    assert len(blocks) <= 50
    assert b.weight(blocks) <= b.WEIGHT_MAX
    assert len([one for one in pressed(blocks) if one[0] == APPROVE]) == LINES_MAX
    assert ("37 more" in str(blocks)) == bool(more)


def test_what_has_no_room_with_buttons_is_typed() -> None:
    board = words.board(many(LINES_MAX, danger="d" * 300, title="t" * 100, role="r" * 80))
    blocks = blocks_of(board)
    assert b.weight(blocks) <= b.WEIGHT_MAX
    assert pressed(blocks) == []
    assert "/prodaccess approve ID" in str(blocks)
    assert all(f"PA-{number + 1}" in str(blocks) for number in range(LINES_MAX))


def test_what_nobody_can_approve_is_not_offered() -> None:
    frozen = replace(WAITING, in_policy=False)
    assert pressed(blocks_of(words.board([frozen]))) == []


def test_a_run_of_a_pipeline_is_decided_on_its_card_where_its_changes_are() -> None:
    assert pressed(blocks_of(words.board([replace(WAITING, pipeline=True)]))) == []


def test_outsiders_read_that_something_waits_and_not_whose() -> None:
    said = texts(words.board([for_outsiders(WAITING)]))
    assert WAITING.id in said
    assert WAITING.holder not in said
    assert WAITING.reason not in said


def test_a_board_on_which_nothing_waits_offers_nothing() -> None:
    assert pressed(blocks_of(words.over())) == []
    assert "PA-" not in texts(words.over())

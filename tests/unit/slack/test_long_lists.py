"""Of a long list no more is drawn than is shown, and what is shown is what it would be if all of it were drawn."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.chat.message import Line, Listing, Message, message
from bot.chat.rich import Rich, lines, say
from bot.slack import blocks, render
from bot.slack.mrkdwn import FALLBACK_LENGTH_MAX, SECTION_LENGTH_MAX, cut_mrkdwn


def rows(count: int, length: int) -> Sequence[Rich]:
    return [say("• *{}*: {}", f"row {number}", "x & y " * (length // 6)) for number in range(count)]


@pytest.mark.parametrize(("count", "length"), [(1, 60), (20, 60), (60, 60), (60, 3_000), (1, 9_000)])
def test_a_lock_screen_reads_the_beginning_of_all_there_is(count: int, length: int) -> None:
    said = lines(rows(count, length))
    whole = render.mrkdwn(tuple(span for span in said if span)).replace("*", "")
    assert render.text_of(message(said)) == cut_mrkdwn(whole, FALLBACK_LENGTH_MAX)


@pytest.mark.parametrize(("count", "left_out"), [(3, 0), (3, 4), (200, 0), (200, 4)])
def test_what_of_a_list_has_no_room_is_counted(count: int, left_out: int) -> None:
    (listing,) = message(say("x"), Listing(rows(count, 300), left_out=left_out)).parts
    shown = "\n".join(block["text"]["text"] for block in render.drawn([listing])).splitlines()
    kept = [line for line in shown if line.startswith("•")]
    assert kept == [render.mrkdwn(row) for row in rows(count, 300)][: len(kept)]
    missing = count - len(kept) + left_out
    assert shown[len(kept) :] == ([f"… and {missing} more"] if missing else [])
    assert (len(kept) < count) == (count == 200)


def test_no_line_is_drawn_behind_the_last_that_has_room() -> None:
    drawn: list[str] = []

    def line(number: int) -> str:
        drawn.append("x" * SECTION_LENGTH_MAX)
        return f"{number}" + drawn[-1]

    shown = blocks.paragraphs(map(line, range(1_000)), 1_000)
    assert len(drawn) < 10
    assert shown[-1]["text"]["text"] == f"… and {1_001 - len(drawn)} more"


def test_a_shorter_version_is_shown_where_the_fuller_one_has_no_room() -> None:
    much, little = tuple(Line(row) for row in rows(60, 600)), (Line(say("little")),)
    assert render.blocks_of(Message(say("x"), much, (little,))) == render.drawn(little)
    assert render.blocks_of(Message(say("x"), little, (much,))) == render.drawn(little)
    assert render.blocks_of(Message(say("x"), much, (much,))) == render.drawn(much)

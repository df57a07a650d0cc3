"""Where a message goes is kept as text that says what it is, in every chat; of Slack as its plain id, as it always was."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.core.destination import Destination, Kind, is_channel, is_person, read_destination
from workflows.core.records.chat import ChatRecord, Posting
from workflows.usecases.oversight.announcement_check import told_a_channel

TEAMS = Destination("teams", Kind.CHANNEL, "19:a1b2@thread.tacv2")


@pytest.mark.parametrize(
    ("id_", "kind"),
    [
        ("C0PAYMENTS", Kind.CHANNEL),
        ("G0PRIVATE", Kind.CHANNEL),
        ("UDANA", Kind.PERSON),
        ("WDANA", Kind.PERSON),
        ("D0DANA", Kind.DIRECT),
        ("S0ONCALL", Kind.GROUP),
    ],
)
def test_a_slack_id_stands_as_it_is_and_says_what_it_is(id_: str, kind: Kind) -> None:
    assert read_destination(id_) == Destination("slack", kind, id_)
    assert str(read_destination(id_)) == id_


@given(st.sampled_from(Kind), st.text(min_size=1))
def test_of_another_chat_it_reads_back_whatever_its_id(kind: Kind, id_: str) -> None:
    there = Destination("teams", kind, id_)
    assert read_destination(str(there)) == there


def test_no_place_at_all_is_neither_a_channel_nor_a_person() -> None:
    assert not is_channel("")
    assert not is_person("")


def test_a_break_glass_counts_as_announced_by_a_channel_of_any_chat_and_by_no_direct_message() -> None:
    def told(channel: str) -> bool:
        posting = Posting(channel, ts="1.0")
        return told_a_channel(ChatRecord("PA-1", {f"card:{channel}": posting}))

    assert told("C0PAYMENTS")
    assert told(str(TEAMS))
    assert not told("UDANA")
    assert not told(str(replace(TEAMS, kind=Kind.PERSON)))
    assert not told("D0DANA")

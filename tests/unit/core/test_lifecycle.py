"""The life cycles are data: complete, closed to anything else, and the same on the page that people read."""

from __future__ import annotations

import re

import pytest

from tests.support.lifecycle_doc import MEANING, PAGE, render
from workflows.core.audit import Event
from workflows.core.records.grant import CLOSED, LIVE, EndCause, GrantState
from workflows.core.records.lifecycle import TRANSITIONS, Move, NotPossible, can, diagram, removal, step
from workflows.core.records.oversight import ReviewState
from workflows.core.records.request import RequestState

STATES = [*RequestState, *GrantState, *ReviewState]
TERMINAL = {
    RequestState.APPROVED,
    RequestState.DENIED,
    RequestState.WITHDRAWN,
    RequestState.EXPIRED,
    GrantState.ENDED,
    GrantState.REVOKED,
    GrantState.ACTIVATION_FAILED,
    ReviewState.ACKNOWLEDGED,
    ReviewState.FLAGGED,
}


@pytest.mark.parametrize("first", [RequestState.PENDING, GrantState.ACTIVATING, ReviewState.OWED])
def test_every_state_is_reached_from_the_first(first):
    reached = {first}
    for _ in STATES:
        reached |= {after for (before, _), after in TRANSITIONS.items() if before in reached}
    assert reached == set(type(first))


def test_states_without_a_way_out_are_exactly_the_final_ones():
    assert set(STATES) - {before for before, _ in TRANSITIONS} == TERMINAL


def test_a_grant_is_either_live_or_closed_and_only_closed_is_final():
    assert set(GrantState) == LIVE | CLOSED
    assert not LIVE & CLOSED
    assert TERMINAL & set(GrantState) == CLOSED


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("state", STATES)
def test_step_makes_the_moves_there_are_and_refuses_all_others(state, move):
    if (state, move) in TRANSITIONS:
        assert step(state, move) is TRANSITIONS[state, move]
        assert can(state, move)
        return
    assert not can(state, move)
    with pytest.raises(NotPossible, match=f"{move.value} is not possible from {state.value}"):
        step(state, move)


def test_no_move_leads_from_a_request_to_a_grant_or_back():
    assert all(type(before) is type(after) for (before, _), after in TRANSITIONS.items())


def test_access_never_closes_without_going_through_its_removal():
    assert {before for (before, _), after in TRANSITIONS.items() if after in CLOSED} == {GrantState.REVOKING}


@pytest.mark.parametrize(
    ("cause", "closed"),
    [
        (EndCause.TIME, GrantState.ENDED),
        (EndCause.RETURNED, GrantState.ENDED),
        (EndCause.REVOKED, GrantState.REVOKED),
        (EndCause.FAILED, GrantState.ACTIVATION_FAILED),
        (EndCause.STANDING, GrantState.ACTIVATION_FAILED),
    ],
)
def test_the_recorded_cause_says_how_a_grant_closes(cause, closed):
    assert step(GrantState.REVOKING, removal(cause)) is closed


def test_every_cause_has_its_removal():
    assert {removal(cause) for cause in EndCause} <= {move for _, move in TRANSITIONS}


# ---------------------------------------------------------------- the page


def test_the_page_shows_exactly_the_diagram_of_the_code():
    shown = re.findall(r"```mermaid\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown == [diagram()]


def test_the_page_is_what_the_code_says():
    expected = render()
    if PAGE.read_text(encoding="utf-8") != expected:
        print(expected)  # noqa: T201 - so that the page can be mended from the test's output
        pytest.fail("docs/lifecycle.md is not what the code says: python -m tests.support.lifecycle_doc")


def test_every_event_has_its_sentence_and_every_sentence_its_event():
    assert set(MEANING) == set(Event)


def test_every_transition_is_a_line_of_the_diagram():
    lines = diagram().splitlines()
    for (before, move), after in TRANSITIONS.items():
        assert f"        {before.value} --> {after.value}: {move.value}" in lines

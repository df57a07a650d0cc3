"""The view says what the ledger says, to whom it may be said, and nothing that was not verified."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat.text import clock
from bot.chat.views.request_view import for_outsiders, in_short, request_view, seen_by, stage_of
from bot.chat.views.state_lines import state_line
from bot.chat.wording.labels import Stage, flatten
from tests.support.views import (
    CLOSED_AT,
    LAST,
    NOW,
    OLU,
    admin,
    approved,
    closed,
    end,
    environment,
    every_state,
    grant,
    request,
    resource,
    told,
)
from workflows.core.policy import Visibility
from workflows.core.records.grant import EndCause, GrantState
from workflows.core.records.request import Vote

STATES = every_state()


def line(name: str) -> str:
    return flatten(state_line(STATES[name]), lambda at: clock(at, NOW))


def test_every_stage_is_told_by_some_state() -> None:
    # What a run has taken is told on a card of its own: test_gate_in_words.
    assert {view.stage for view in STATES.values()} == set(Stage) - {Stage.USED}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pending", "⏳ Needs approval from one of platform · expires 04:12 UTC"),
        ("pending, dangerous", "⏳ Needs approval from one of platform and one of security · expires 04:12 UTC"),
        (
            "pending, 1 of 2",
            "⏳ Needs approval · 1 of 2: platform agreed (Olu Owner), one of security missing · expires 04:12 UTC",
        ),
        ("active", "✅ Active until 04:20 UTC · approved by Olu Owner at 03:20 UTC"),
        ("being removed", "🔄 Being removed: time is up · approved by Olu Owner"),
        ("ended", "🏁 Ended 04:20 UTC · used 1 h · approved by Olu Owner · removal verified"),
        ("revoked", "✂️ Revoked 04:20 UTC by Olu Owner: wrong account · approved by Olu Owner · removal verified"),
        ("denied", "⛔ Denied by Olu Owner: use staging first"),
        ("withdrawn", "↩︎ Withdrawn by Dana Dev"),
        ("expired", "⌛ Expired 04:12 UTC · nobody answered in 1 h"),
        ("not given", "❌ Not given: AWS refused it (ConflictException). Nothing is open."),
    ],
)
def test_states_read_as_agreed(name: str, words: str) -> None:
    assert line(name) == words


def test_what_was_never_given_is_not_called_removed() -> None:
    early = closed(
        GrantState.REVOKED,
        end(EndCause.REVOKED, "Olu Owner", "wrong account"),
        activated_at=None,
        nothing_given=True,
    )
    words = flatten(state_line(told(approved(), early)), str)
    assert words.endswith("by Olu Owner: wrong account · approved by Olu Owner · nothing had been given")


def test_standing_access_is_told_as_such() -> None:
    assert line("standing").endswith("has this permanently already. Nothing was given and nothing will be taken.")


def test_an_open_session_is_told_until_when_it_may_work() -> None:
    assert line("ended, session open").endswith("removal verified · sessions end by 05:20 UTC")


def test_no_session_is_told_of_what_was_never_active() -> None:
    never = closed(
        GrantState.ACTIVATION_FAILED,
        end(EndCause.FAILED, reason="no"),
        activated_at=None,
        resource=resource(session_s=3600),
    )
    assert told(approved(), never).session_until is None


def test_nothing_is_called_removed_or_closed_while_another_grant_covers_it() -> None:
    for name in ("ended, covered", "not given, covered"):
        assert "removal verified" not in line(name)
        assert "Nothing is open" not in line(name)
        assert "ccess goes on under PA-1043" in line(name)


@pytest.mark.parametrize("cause", list(EndCause))
def test_a_removal_under_way_never_claims_that_it_is_done(cause: EndCause) -> None:
    view = told(approved(), grant(GrantState.REVOKING, end=end(cause, "Olu Owner")))
    words = flatten(state_line(view), str)
    assert words.startswith("🔄 Being removed")
    assert "verified" not in words
    assert "Nothing is open" not in words
    assert "had" not in in_short(view).split()


def test_a_removal_that_fails_says_why_and_that_it_may_still_be_open() -> None:
    assert "AWS refused it (AccessDenied). It may still be open. I keep trying." in line("could not be removed")


def test_the_first_failures_of_a_removal_are_no_alarm_where_their_number_is_known() -> None:
    failing = grant(GrantState.REVOKING, end=end(EndCause.TIME), error="AWS did not answer.")
    assert stage_of(approved(), failing, 2) is Stage.REMOVING
    assert stage_of(approved(), failing, 3) is Stage.STUCK


def test_what_is_over_is_told_the_same_whenever_it_is_drawn() -> None:
    for given in (closed(GrantState.ENDED, end(EndCause.TIME)), closed(GrantState.REVOKED, end(EndCause.REVOKED))):
        first, much_later = told(approved(), given), told(approved(), given, timedelta(days=90))
        assert state_line(first) == state_line(much_later)


def test_a_role_that_is_gone_from_the_policy_is_still_told() -> None:
    view = request_view(approved(), grant(), None, NOW)
    assert (view.title, view.role, view.in_policy) == ("payments-prod", "read-only", False)
    assert "nobody can approve it" in line("role gone")


def test_one_person_who_speaks_for_two_groups_takes_one_place() -> None:
    both = Vote(OLU, "Olu Owner", NOW, ("owners", "security"), "x")
    assert sum(need.open for need in told(request(admin(), votes=(both,))).needs) == 1


def test_the_last_time_is_told_in_one_line() -> None:
    assert LAST is not None
    assert flatten(LAST.words(NOW), str) == "3 days ago, 1 h, ended on time"


def test_outsiders_see_environment_state_and_id_alone() -> None:
    for view in STATES.values():
        hidden = for_outsiders(view)
        shown = repr(replace(hidden, terms=view.terms)).replace(repr(view.terms), "")
        for secret in ("Dana", "Olu", "read-only", "admin", "INC-42", "AccessDenied", "906-dana", "inc-42"):
            assert secret not in shown, secret
        assert state_line(hidden) == (view.state,)
        assert (hidden.id, hidden.title, hidden.stage) == (view.id, view.title, view.stage)


def test_who_sees_all_depends_on_the_policy_and_a_policy_that_is_gone_hides() -> None:
    view = STATES["active"]
    closed_place = environment(visibility=Visibility.MEMBERS)
    assert not seen_by(view, environment(), member=False).hidden
    assert seen_by(view, closed_place, member=False).hidden
    assert not seen_by(view, closed_place, member=True).hidden
    assert seen_by(view, None, member=False).hidden


def test_the_ticket_is_linked_and_cannot_break_the_link() -> None:
    assert told(request(ticket="INC-42")).ticket_link == "https://tickets.example.com/INC-42"
    assert told(request(ticket="a/../b>|c")).ticket_link == "https://tickets.example.com/a%2F..%2Fb%3E%7Cc"


def test_times_of_the_end_are_those_of_the_proof() -> None:
    assert STATES["ended"].closed_at == CLOSED_AT

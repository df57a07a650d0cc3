"""Times that are told stay true: no minutes that tick away in what stays, seconds where a minute would say nothing."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.chat.message import message, stamp
from bot.chat.messages import approval_card as cards
from bot.chat.messages import batch as several
from bot.chat.messages import digest, lists, notices, receipts
from bot.chat.messages import reminders as calls
from bot.chat.outbox.plans.planning import PlannedMessage, PlanningInput
from bot.chat.outbox.plans.request import planned
from bot.chat.plain_text import as_text
from bot.chat.plain_text import text_of as plain
from bot.chat.rich import Time, rich, say
from bot.chat.views.overviews import digest_view
from bot.chat.views.request_view import RequestView, last_time
from bot.chat.wording.events import event_words
from bot.chat.wording.labels import Exactly, moment_of
from bot.slack import mrkdwn as t
from bot.slack.render import text_of
from tests.support.views import (
    APPROVED_AT,
    DECISION,
    NOW,
    approved,
    closed,
    end,
    entry,
    environment,
    every_state,
    grant,
    told,
)
from workflows.core.audit import Event
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.records.grant import EndCause, Grant, GrantState

STATES = every_state()
SHORT = timedelta(seconds=20)
STAYS = (
    cards.approval_card,
    receipts.receipt_root,
    notices.active,
    notices.ending,
    notices.settled,
    notices.asked,
    lambda view: digest.digest(digest_view([view], view.now)),
    lambda view: several.card([view], ""),
    lambda view: several.state([view]),
    lambda view: several.ending([view]),
    lambda view: several.root([view]),
    lambda view: calls.reminder(view, ("U0OLU",)),
    lambda view: receipts.summary([view]),
)


def short(state: GrantState = GrantState.ACTIVE, **changes: object) -> Grant:
    """Twenty seconds of it, which AWS took half a second to set up."""
    begun = APPROVED_AT + timedelta(seconds=0.6)
    return grant(state, deadline=APPROVED_AT + SHORT, activated_at=begun, **changes)


@pytest.mark.parametrize("stays", STAYS)
@pytest.mark.parametrize("name", STATES)
def test_what_stays_holds_no_minutes_that_are_left(name: str, stays) -> None:  # type: ignore[no-untyped-def]
    """The same an hour later, but for what is not there any more."""
    view = STATES[name]
    message = stays(view)
    assert " left" not in as_text(message), as_text(message)
    later = replace(view, now=view.now + timedelta(minutes=7))
    assert as_text(stays(later)) == as_text(message)


def test_what_shows_the_same_time_is_not_sent_again() -> None:
    def marked(reference: datetime) -> str:
        return stamp(message(say("until {}", Time(NOW, reference))))

    assert marked(NOW) == marked(NOW + timedelta(minutes=7))
    assert marked(NOW) != marked(NOW + timedelta(days=2)), "its day is told by then"


def test_an_answer_that_is_read_now_says_what_is_left() -> None:
    said = as_text(lists.active_list([STATES["active"]]))
    assert "until 04:20 UTC, 58 min left" in said


def test_the_end_of_what_lasts_seconds_is_told_to_the_second() -> None:
    view = told(approved(), short(), timedelta(minutes=8))
    assert "Active until 03:20:20 UTC" in as_text(cards.approval_card(view))
    assert "until 03:20:20 UTC" in as_text(notices.active(view))
    # Nothing else of it is: when it was approved is told as ever.
    assert "approved by Olu Owner at 03:20 UTC" in as_text(cards.approval_card(view))
    assert "{time_secs}" in text_of(cards.approval_card(view))


def test_some_seconds_more_are_told_from_which_second_to_which() -> None:
    asked = replace(STATES["more asked"], duration=SHORT)
    assert "04:20:20 UTC instead of 04:20:00 UTC" in as_text(cards.approval_card(asked))


def test_a_minute_is_enough_for_what_lasts_longer() -> None:
    assert moment_of(NOW + timedelta(minutes=2), NOW) == NOW + timedelta(minutes=2)
    assert moment_of(NOW + timedelta(seconds=119), NOW) == Exactly(NOW + timedelta(seconds=119))
    far = t.when(Exactly(NOW), NOW - timedelta(days=2))
    assert far == "<!date^1795230720^{date_short_pretty}, {time_secs}|21 Nov, 03:12:00 UTC>"


@pytest.mark.parametrize(
    ("cause", "over_s", "says"),
    [
        # It ran to its end: what was agreed, give or take the moments of AWS.
        (EndCause.TIME, 21.2, "used 20 s"),
        # It could not be taken away for four minutes.
        (EndCause.TIME, 260, "used 4 min"),
        (EndCause.RETURNED, 11.6, "after 11 s"),
    ],
)
def test_what_was_used_is_what_a_reader_counts(cause: EndCause, over_s: float, says: str) -> None:
    over = APPROVED_AT + timedelta(seconds=over_s)
    done = short(GrantState.ENDED, end=end(cause, "Dana Dev"), closed_at=over)
    view = told(approved(), done, timedelta(hours=1))
    assert says in as_text(cards.approval_card(view))
    last = last_time(done)
    assert last is not None
    assert f"{last.used.total_seconds():.0f}" in (says, "20", "11", "259")


def test_what_aws_took_long_to_set_up_was_not_used_all_of_its_time() -> None:
    done = closed(GrantState.ENDED, end(EndCause.TIME), activated_at=APPROVED_AT + timedelta(minutes=10))
    assert "used 50 min" in as_text(cards.approval_card(told(approved(), done, timedelta(hours=2))))


def test_when_it_was_had_last_is_a_time_while_days_would_be_none() -> None:
    """A card may wait for hours."""
    had = last_time(grant(GrantState.ENDED, closed_at=NOW - timedelta(hours=2), activated_at=NOW - timedelta(hours=3)))
    today = as_text(cards.approval_card(replace(STATES["pending"], last_time=had)))
    assert "01:12 UTC, 1 h, ended on time" in today
    assert "3 days ago" in as_text(cards.approval_card(STATES["pending"]))


def test_an_entry_tells_the_end_that_was_arranged_when_it_was_written() -> None:
    """`show` reads it again after the access was extended."""
    was = entry(1, Event.GRANT_ACTIVE, until=(NOW + timedelta(hours=1)).isoformat())
    said = plain(rich(event_words(was, {}, deadline=NOW + timedelta(hours=3)), NOW))
    assert "04:12 UTC" in said
    assert "06:12" not in said


# ---------------------------------------------------------------- warnings that are over


def _planned(view: RequestView, given: Grant, *sent: str, warned: bool = False) -> dict[str, PlannedMessage]:
    postings = {slot: Posting("U0DANA", ts="1.0", shown="once") for slot in sent}
    facts = PlanningInput(
        request=approved(),
        view=view,
        environment=environment(),
        receipts_channels=("C0RECEIPTS",),
        entries=(),
        chat=ChatRecord("PA-1042", postings),
        warned=warned,
        extended=len(given.extensions),
    )
    return {item.slot: item for item in planned(facts)}


def test_a_warning_offers_nothing_once_it_is_over() -> None:
    done = closed(GrantState.ENDED, end(EndCause.TIME))
    told_now = _planned(told(approved(), done, timedelta(hours=2)), done, "warning:U0DANA")["warning:U0DANA"]
    assert told_now.shows != "once"
    assert "[ Extend ]" not in as_text(told_now.message)
    assert "Ended" in as_text(told_now.message)


def test_a_warning_says_so_when_its_end_was_put_off() -> None:
    later = grant(extensions=("PA-1043",), extended_by=("Pat",), deadline=APPROVED_AT + timedelta(minutes=90))
    found = _planned(told(approved(), later, timedelta(hours=1)), later, "warning:U0DANA", warned=False)
    assert "Active until 04:50 UTC · extended by Pat" in as_text(found["warning:U0DANA"].message)
    # The one before the end that holds now stays as it is.
    warned = _planned(told(approved(), later, timedelta(hours=1)), later, "warning:U0DANA:1", warned=True)
    assert "[ Extend ]" in as_text(warned["warning:U0DANA:1"].message)
    assert DECISION.at == APPROVED_AT

"""More time on access that is open, and access that begins later, on running processes."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from bot.sandbox.slack import Form, buttons, words
from tests.support.installation import PEOPLE, SHORT, Case, eventually, id_in


def form_of(case: Case, who: str) -> Form:
    found = eventually(case.at.slack.person(PEOPLE[who]).view, "the form opens")
    assert found is not None
    return found


def iam_end(case: Case, id_: str) -> datetime | None:
    """The end that IAM enforces."""
    found = case.at.aws.world.iam_policies("dana")
    return found[f"prodaccess-{id_}"].ends_at


def test_more_time_on_an_iam_policy_moves_iams_own_end(http_case: Case):
    card = http_case.active(role="state-write", rest="1h INC-42 move the state")
    id_ = id_in(words(card))
    before = iam_end(http_case, id_)
    answer = http_case.at.told("dana", f"extend {id_} 30m INC-42 not done yet")
    assert "You asked for 30 min more of *state-write*" in answer
    more = id_in(answer)
    asked = http_case.card("asks for 30 min more of *state-write*", f"extends {id_} ·", more)
    assert "You asked for this yourself" in http_case.at.told("dana", f"approve {more}")
    http_case.approve(asked)
    http_case.card("Extended until", more)
    http_case.card("Active until", "extended by Olu", id_)
    after = iam_end(http_case, id_)
    assert before is not None
    assert after is not None
    assert after - before == timedelta(minutes=30)
    assert http_case.at.events(id_)[-1] == "grant.extended"
    eventually(lambda: any("30 min more of *state-write*" in text for text in http_case.direct("dana")), "dana is told")
    http_case.at.told("dana", f"end {id_}")
    http_case.card("Ended", id_)
    assert "There is nothing to extend" in http_case.at.told("dana", f"extend {id_} 30m INC-42 not done yet")


def test_more_time_by_the_button_on_identity_center(http_case: Case):
    card = http_case.active(rest="1h INC-42 checkout errors")
    id_ = id_in(words(card))
    assert buttons(card) == ["End early", "Extend"]
    assert http_case.press("nia", card, "extend").ok
    http_case.whispered("nia", "Only the person who has it")
    assert http_case.press("dana", card, "extend").ok
    form = form_of(http_case, "dana")
    form.choose("duration", "2 s")
    form.fill("reason", "still at it")
    assert form.submit().ok, form.errors
    asked = http_case.card("asks for 2 s more of *read-only*", f"extends {id_}")
    more = id_in(words(asked).rpartition("·")[2])
    http_case.card("more time asked", id_)
    http_case.approve(asked)
    http_case.card("Extended until", more)
    card = http_case.card("Active until", "extended by Olu", id_)
    assert buttons(card) == ["End early", "Extend"]
    http_case.at.told("dana", f"end {id_}")
    http_case.card("Ended", id_)


def test_approved_after_the_end_changes_nothing(http_case: Case):
    card = http_case.active(rest="1h INC-42 checkout errors")
    id_ = id_in(words(card))
    more = id_in(http_case.at.told("dana", f"extend {id_} 1h INC-42 not done yet"))
    asked = http_case.card("asks for 1 h more", f"extends {id_}")
    http_case.at.told("olu", f"end {id_} enough")
    assert http_case.press("pat", asked, "approve", stale=True).ok
    http_case.card("Not given", "There is nothing to extend", more)
    assert "request.approved" not in http_case.at.events(more)
    http_case.card("Revoked", id_)


# ---------------------------------------------------------------- later, and again


def test_access_that_is_to_begin_later_is_agreed_now_and_given_then(http_case: Case):
    dana = http_case.at.slack.person(PEOPLE["dana"])
    assert http_case.at.types("dana", http_case.name).ok
    form = form_of(http_case, "dana")
    assert form.choose("role", "read-only").ok
    eventually(lambda: any(block.get("block_id") == "begin" for block in form.blocks), "the form is drawn again")
    start = int(time.time()) + 9
    form.fill("begin", start)
    form.fill("reason", "INC-42 the nightly run")
    assert form.submit().ok, form.errors
    card = http_case.card("Needs approval from", ", from ")
    id_ = id_in(words(card))
    http_case.approve(card)
    card = http_case.card("Agreed, starts", id_)
    assert buttons(card) == ["Deny"]
    assert not http_case.has_access()
    assert "Agreed, starts" in http_case.at.told("olu", f"list {http_case.name}")
    eventually(
        lambda: any("You will have" in text and id_ in text for text in http_case.direct("dana")), "dana is told"
    )
    http_case.card("Active until", id_)
    assert time.time() >= start
    assert http_case.has_access()
    http_case.at.told("dana", f"end {id_}")
    http_case.card("Ended", id_)
    assert dana.view() is None


def test_the_last_request_is_asked_again_by_one_word(http_case: Case):
    card = http_case.active(rest=SHORT)
    http_case.card("Ended", id_in(words(card)))
    answer = http_case.at.told("dana", "again")
    assert "You asked for *read-only*" in answer
    assert "for 6 s" in answer
    again = http_case.card("Needs approval from", id_in(answer))
    assert "checkout errors" in words(again)
    http_case.at.told("dana", f"withdraw {id_in(answer)}")

"""What a record, or a text, is without somebody: whatever else it says stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import build
from tests.support.build import DANA, NIA, NOW, OLU
from tests.support.fuzz import few
from workflows.core.erasing import NAME, WORDS, Whom, scrubbed
from workflows.core.identity import Address, PersonId
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.request import Closing, Vote

WHO = build.facts(DANA).slack
WHOM = Whom(
    DANA,
    PersonId("erased-0123456789ab"),
    frozenset({Address("dana@example.com"), Address("d.dev@example.com")}),
    frozenset({WHO}),
    frozenset({WHO.id}),
    frozenset({"Dana Dev"}),
)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("ask dana@example.com.", f"ask {NAME}."),
        ("mailto:Dana@Example.com, <@UDANA>", f"mailto:{NAME}, <@{NAME}>"),
        ("by=d.dev@example.com", f"by={NAME}"),
        ("dana dev agreed", f"{NAME} agreed"),
        # Another address, another person, another account, or a word.
        ("x.dana@example.com dana@example.com.au dana@example.com~2 UDANA2", None),
        ("Dana agreed, and Dana Devlin", None),
    ],
)
def test_a_text_loses_what_is_theirs_and_nothing_else(text: str, without: str | None) -> None:
    assert WHOM.without(text) == (without or text)
    assert WHOM.is_named_in(text) is (without is not None)


@few(60)
@given(st.text(max_size=60), st.sampled_from(["dana@example.com", "UDANA", "Dana Dev", DANA]), st.text(max_size=60))
def test_whatever_stands_round_it_is_kept_and_once_is_enough(before: str, name: str, after: str) -> None:
    once = WHOM.without(f"{before} {name} {after}")
    assert WHOM.without(once) == once
    assert not WHOM.is_surely_in(once)


def test_their_own_request_says_what_and_when_and_who_agreed() -> None:
    closing = Closing(NOW, OLU, "Olu Owner", "no, Dana")
    mine = replace(build.request(), ticket="INC-42", holder_address=Address(DANA), closing=closing, accounts=(WHO.id,))
    found = scrubbed(mine, WHOM)
    assert (found.requester, found.holder, found.terms.holder) == (WHOM.instead,) * 3
    assert (found.requester_name, found.holder_name, found.reason, found.ticket) == (NAME, NAME, WORDS, None)
    assert (found.holder_address, found.accounts) == (None, (f"slack:T1:{WORDS}",))
    assert found.closing == replace(closing, reason=WORDS)
    assert (found.terms.environment, found.created_at, found.state) == ("payments-prod", mine.created_at, mine.state)
    assert found.resource is not None
    assert mine.resource is not None
    assert found.resource.holding == mine.resource.holding
    assert scrubbed(found, WHOM) == found


def test_in_the_request_of_somebody_else_their_vote_stays_without_their_name() -> None:
    theirs = Vote(DANA, "Dana D.", NOW, ("platform",), "t" * 16, (OLU,), ("Olu Owner",), WHO.id)
    other = Vote(OLU, "Olu Owner", NOW, ("platform",), "t" * 16, (DANA, NIA), ("Dana D.", "Nia Novak"))
    found = scrubbed(replace(build.request(who=NIA), votes=(theirs, other), reason="with Dana Dev"), WHOM)
    assert (found.holder_name, found.reason) == ("Nia", f"with {NAME}")
    assert (found.votes[0].by, found.votes[0].by_name, found.votes[0].groups) == (WHOM.instead, NAME, ("platform",))
    assert (found.votes[1].by_name, found.votes[1].for_names) == ("Olu Owner", (NAME, "Nia Novak"))


def test_what_they_typed_of_others_goes_and_what_others_typed_stays() -> None:
    review = Review(
        "PA-1", "payments-prod", NIA, ReviewState.ACKNOWLEDGED, NOW, NOW, by=DANA, by_name="Dana", note="fine"
    )
    assert (scrubbed(review, WHOM).note, scrubbed(review, WHOM).by_name) == (WORDS, NAME)
    assert scrubbed(replace(review, by=OLU, by_name="Olu"), WHOM).note == "fine"


def test_messages_to_them_are_forgotten_and_those_in_channels_are_not() -> None:
    kept = {
        "card": Posting("C0PAYMENTS", "1.0"),
        "dm:UDANA": Posting("UDANA", "2.0"),
        "dm:UOLU": Posting("UOLU", "3.0"),
    }
    found = scrubbed(ChatRecord("PA-1", kept, {"dm:UDANA": 4, "receipts": 5}), WHOM)
    assert (set(found.postings), dict(found.told)) == ({"card", "dm:UOLU"}, {"receipts": 5})


def test_an_id_that_is_somebody_elses_address_now_is_theirs_only_where_it_stands_alone() -> None:
    shared = replace(WHOM, addresses=frozenset(), shared=True)
    assert shared.without("dana@example.com left") == "dana@example.com left"
    assert shared.without(DANA) == WHOM.instead

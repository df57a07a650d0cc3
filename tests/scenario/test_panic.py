"""The panic switch on running processes: one question, one press, everything gone and verified."""

from __future__ import annotations

from bot.chat.messages.revoke_all import REVOKE_ALL
from bot.sandbox.slack import buttons, words
from tests.support.installation import CHANGING, GENERAL, PEOPLE, Case, Installation, eventually, id_in


def asked_to_confirm(at: Installation, who: str, text: str):
    """The question that only this person sees."""
    at.told(who, text)
    person = at.slack.person(PEOPLE[who])
    return person, eventually(
        lambda: next((m for m in person.ephemerals() if "Revoke all" in buttons(m)), None), "the question"
    )


def test_an_environment_is_emptied_with_what_is_being_set_up_and_what_waits(http_case: Case):
    at = http_case.at
    first = id_in(words(http_case.active()))
    waiting = id_in(words(http_case.asked("nia", "admin", "30m INC-42 rotate the key")))
    assert http_case.has_access()
    at.told("nia", f"{http_case.name} read-only 1h INC-42 just now")
    quick = id_in(words(http_case.card("Needs approval", "INC-42 just now")))
    person, question = asked_to_confirm(at, "olu", f"revoke-all env {http_case.name} keys on a paste site")
    assert all(id_ in words(question) for id_ in (first, waiting))
    assert http_case.has_access(), "nothing is done before the press"
    assert at.types("pat", f"approve {quick}").ok
    # A worker decides it where what is known of Pat is a minute old; until then it only waits, and would be denied.
    eventually(lambda: "request.approved" in at.events(quick), "it is being set up")
    assert person.press(question, REVOKE_ALL, channel=GENERAL).ok
    http_case.card("Denied", waiting)
    http_case.card("Revoked", first)
    http_case.card("Revoked", quick)
    assert not http_case.has_access()
    assert not http_case.has_access("nia")
    eventually(lambda: any("All gone, verified at" in text for text in http_case.direct("olu")), "all is gone")
    told = [text for text in http_case.direct("olu") if f"in {http_case.name}" in text and "revoked everything" in text]
    assert len(told) == 1, "one message fills up"


def test_security_takes_back_everything_of_a_person_and_keeps_new_asks_out(own: Installation):
    case = Case(own, CHANGING)
    id_ = id_in(words(case.active("nia")))
    refused = own.told("dana", "revoke-all person nia@example.com I want to")
    assert "Only the person who has it or somebody of" in refused
    person, question = asked_to_confirm(own, "sue", "revoke-all person nia@example.com stolen laptop")
    assert "Nia" in words(question)
    assert person.press(question, REVOKE_ALL, channel=GENERAL).ok
    case.card("Revoked", id_)
    assert not case.has_access("nia")
    assert "You can ask again from" in own.told("nia", f"{case.name} read-only 1h INC-42 once more")
    # Other tests of this installation need her.
    assert "lifted" in own.told("sue", "lift @nia the test is over")
    case.tidy()

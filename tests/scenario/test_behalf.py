"""Asking for somebody else, on running processes."""

from __future__ import annotations

from bot.chat.messages.notices import DECLINE
from bot.sandbox.slack import words
from tests.support.installation import PEOPLE, Case, eventually, id_in


def told(case: Case, who: str, *parts: str):
    """The newest direct message with all of these words."""

    def look():
        found = [m for m in case.at.slack.person(PEOPLE[who]).dms() if all(part in words(m) for part in parts)]
        return found[-1] if found else None

    return eventually(look, f"{who} is told {parts}")


def test_somebody_else_asks_another_owner_agrees_and_the_holder_has_it(http_case: Case):
    at = http_case.at
    answer = at.told("olu", f"for dana@example.com {http_case.name} read-only 1h INC-42 her laptop is slow")
    id_ = id_in(answer)
    card = http_case.card("Needs approval", "Olu asks for", "for *Dana*", id_)
    told(http_case, "dana", "Olu asked for", "for you", id_)
    assert http_case.press("olu", card, "approve").ok
    http_case.whispered("olu", "You asked for this yourself")
    assert not http_case.has_access("dana")
    http_case.approve(card, "pat")
    http_case.card("Active", id_)
    assert http_case.has_access("dana")
    assert not http_case.has_access("olu")
    told(http_case, "dana", "You have *read-only*", id_)
    assert not [text for text in http_case.direct("olu") if "You have *read-only*" in text and id_ in text]
    at.told("dana", f"end {id_}")


def test_the_holder_declines_and_who_asked_is_told(http_case: Case):
    at = http_case.at
    id_ = id_in(at.told("olu", f"for @dana {http_case.name} read-only 1h INC-42 just in case"))
    http_case.card("Needs approval", id_)
    asked = told(http_case, "dana", "Olu asked for", id_)
    dana = at.slack.person(PEOPLE["dana"])
    assert dana.press(asked, DECLINE, channel=asked.channel).ok
    http_case.card("Declined by Dana", id_)
    told(http_case, "olu", "Declined by Dana", id_)
    assert at.events(id_)[-1] == "request.declined"
    assert not http_case.has_access("dana")

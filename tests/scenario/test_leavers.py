"""Who has left loses access on running processes; so many at once wait for the panic group's press."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.chat.messages.leavers import END_ALL
from bot.sandbox.slack import buttons, words
from tests.support.installation import (
    CHANGING,
    PEOPLE,
    RECEIPTS,
    Case,
    Installation,
    edited,
    eventually,
    id_in,
    policy_in_force,
)
from workflows.core import keys


@contextmanager
def gone(at: Installation, *who: str) -> Iterator[None]:
    """Deactivated all at once, as an import does it; back when the test is over."""
    workspace = at.slack.workspace
    users = [workspace.users[PEOPLE[name]] for name in who]
    for user in users:
        # Before anybody hears of the first one: whoever looks then sees them all.
        user.deleted = True
    for user in users:
        workspace.change_user(user.id, deleted=True)
    try:
        yield
    finally:
        for user in users:
            workspace.change_user(user.id, deleted=False)
        at.have_been_here(*who)


def test_whoever_is_deactivated_loses_access_in_aws_within_seconds(http_case: Case):
    id_ = id_in(words(http_case.active("nia")))
    assert http_case.has_access("nia")
    with gone(http_case.at, "nia"):
        eventually(lambda: not http_case.has_access("nia"), "it is taken away in AWS")
        http_case.card("Revoked", id_, "is gone from the chat")
        eventually(
            lambda: any("Nia is gone" in text and id_ in text for text in http_case.direct("olu")), "owners hear"
        )
        eventually(lambda: any("Nia is gone" in text for text in http_case.direct("sue")), "security hears")
    ended = next(one for one in http_case.at.ledger().entries_of(id_) if one.event.value == "grant.end_started")
    assert ended.facts["code"] == "person_disabled"


def test_four_at_once_end_nothing_until_the_panic_group_has_said_so(own: Installation):
    case, people = Case(own, CHANGING), ("dana", "nia", "olu", "pat")
    before = policy_in_force(own)
    with edited(own, CHANGING, "requesters: [developers, oncall]", "requesters: [developers, oncall, platform]"):
        eventually(lambda: policy_in_force(own) != before, "another policy is in force")
        own.wait_ready()
        for who in people:
            case.approve(case.asked(who), "pat" if who == "olu" else "olu")
        eventually(lambda: all(case.has_access(who) for who in people), "all four have access")
        own.quiet()
        with gone(own, *people):
            sue = own.slack.person(PEOPLE["sue"])
            card = eventually(
                lambda: next((one for one in sue.messages(RECEIPTS) if "End all" in buttons(one)), None), "the card"
            )
            assert card is not None
            assert all(f"{who.title()}: read-only in " in words(card) for who in people)
            # The next look, and the one after, end nothing either, and ask nobody again.
            for _ in range(2):
                own.soon(keys.LEAVERS)
                own.quiet()
            assert all(case.has_access(who) for who in people)
            assert len([one for one in sue.messages(RECEIPTS) if "people with access are gone" in words(one)]) == 1
            assert sue.press(card, END_ALL, channel=RECEIPTS).ok
            eventually(lambda: not any(case.has_access(who) for who in people), "it is taken away in AWS")
            eventually(
                lambda: any("Sue said that these 4 people are gone" in words(one) for one in sue.messages(RECEIPTS)),
                "the card says who said so",
            )
    case.tidy()

"""One person in two chats, on running processes: how they come to both, and what stands in each."""

from __future__ import annotations

from bot.chat.messages.second_chat import IS_ME
from bot.sandbox.slack import Message as SlackMessage
from bot.sandbox.slack import words as slack_words
from tests.support.installation import PEOPLE, RECEIPTS, Case, Installation
from tests.support.teams_side import ACCESS_LOG, words
from tests.support.waiting import eventually


def dm(at: Installation, who: str, *parts: str) -> SlackMessage:
    """The newest direct message in Slack that holds all `parts`."""

    def look() -> list[SlackMessage]:
        return [one for one in at.slack.person(PEOPLE[who]).dms() if all(part in slack_words(one) for part in parts)]

    return eventually(look, f"{who} is told {parts} in Slack")[-1]


def comes_to_teams(at: Installation, who: str) -> None:
    """Somebody of Slack acts in Teams for the first time, and says in Slack that it is them."""
    at.told(who, "mine")
    at.teams.told(who, "mine", "on hold")
    question = dm(at, who, "Is this you in Teams?", at.teams.person(who).aad)
    assert at.slack.person(PEOPLE[who]).press(question, IS_ME).ok
    eventually(lambda: "on hold" not in at.teams.told(who, "mine"), f"{who} acts in both")


def everywhere(case: Case, id_: str, *parts: str) -> None:
    """The card and the receipts say so in both chats."""
    for look in (
        lambda: [slack_words(one) for one in case.cards()],
        lambda: [slack_words(one) for one in case.at.messages(RECEIPTS)],
        lambda: [words(one) for one in case.at.teams.posts(case.in_teams.place)],
        lambda: [words(one) for one in case.at.teams.posts(ACCESS_LOG)],
    ):
        eventually(
            lambda look=look: [text for text in look() if id_ in text and all(part in text for part in parts)],
            lambda look=look: f"{id_} {parts} in {look()}",
        )

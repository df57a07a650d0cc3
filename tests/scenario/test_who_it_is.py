"""Whose account it is, and who is in a large group, on running processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from bot.sandbox.slack import words
from tests.support.installation import COMMAND, GENERAL, PEOPLE, Case, eventually, id_in
from workflows.core import keys
from workflows.core.people import Membership
from workflows.core.records.request import Request
from workflows.ledger.redis_directory import RedisDirectory

CROWD = 250


def told(case: Case, user: str, text: str) -> str:
    """What an account without a name of its own is answered."""
    person = case.at.slack.person(user)
    assert person.command(COMMAND, text, channel=GENERAL).ok
    return "\n".join(
        words(message) for message in eventually(lambda: person.ephemerals(GENERAL), f"an answer to {user}")
    )


def test_the_id_of_an_owner_pressed_from_another_workspace_decides_nothing(http_case: Case):
    card = http_case.asked()
    id_, olu = id_in(words(card)), http_case.at.slack.person(PEOPLE["olu"])
    heard = len(olu.ephemerals())
    far = http_case.at.slack.person(PEOPLE["olu"], team="T0FAR")
    assert far.press(card, "approve").ok
    (sentence,) = eventually(lambda: olu.ephemerals()[heard:], "whoever pressed is told")
    assert "another organisation" in words(sentence)
    http_case.at.quiet()
    ledger = http_case.at.ledger()
    request = ledger.read(keys.request(id_)).get(keys.request(id_), Request)
    assert request is not None
    assert (request.votes, request.decision) == ((), None)
    (entry,) = [entry for entry in ledger.entries_of(id_) if entry.event.value == "request.refused"]
    assert entry.private["actor"] == f"slack:T0FAR:{PEOPLE['olu']}"
    assert not http_case.has_access("dana")
    # The owner is who they were.
    http_case.approve(http_case.card("asks for"))
    http_case.card("Active")


@pytest.fixture
def crowd(http_case: Case) -> Iterator[list[str]]:
    """The rota has 250 members of whom nobody has ever acted, and Slack counts every question."""
    slack = http_case.at.slack
    users = [f"U0C{number:03}" for number in range(CROWD)]
    for user in users:
        slack.workspace.add_user(user, f"crowd{user[-3:].lower()}")
    slack.workspace.channels[GENERAL].members += users
    before = slack.workspace.groups["S0ONCALL"].users
    slack.workspace.change_group("S0ONCALL", users=[*before, *users])
    with redis.Redis.from_url(http_case.at.redis.url) as client:
        # What was learnt of the group before is too old for a decision: a worker has to look.
        RedisDirectory(client).put_members("slack:S0ONCALL", Membership())
    slack.rate_limits.enforced = True
    yield users
    slack.rate_limits.enforced = False
    slack.workspace.change_group("S0ONCALL", users=before)
    slack.workspace.channels[GENERAL].members = [m for m in slack.workspace.channels[GENERAL].members if m not in users]


def test_a_group_of_250_refuses_none_of_its_members_while_slack_takes_100_questions_a_minute(
    http_case: Case, crowd: list[str]
):
    at = http_case.at
    for user in (crowd[0], crowd[100], crowd[-1]):
        answer = told(http_case, user, f"explain {http_case.name} read-only")
        assert "may ask for this" in answer, answer
    events = at.ledger().entries(after=max(0, at.ledger().head() - 200), limit=200)
    assert not [
        entry for entry in events if entry.event.value == "request.refused" and "crowd" in entry.private["actor"]
    ]

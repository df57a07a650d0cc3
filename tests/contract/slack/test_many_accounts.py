"""Who of many has left, on the stand-in for Slack: in few questions, and only by Slack's plain word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.directory.bulk import OVERTAKEN
from bot.sandbox.slack import SlackServer
from bot.slack.lookups import LIMITS
from bot.slack.roll import FEW
from tests.support import build
from tests.support.chat import ChatWorld, server_for
from workflows.core.identity import Account
from workflows.core.rules.leaving import Looked, Standing, standing
from workflows.ledger.memory import MemoryClock

TEAM = "T1"
LIST, ONE = "users.list", "users.info"


class Rig:
    def __init__(self) -> None:
        self.clock = MemoryClock(build.NOW)
        self.slack: SlackServer = server_for(self.clock)

    def begin(self, people: int) -> None:
        self.users = [f"U{number:04}" for number in range(people)]
        for user in self.users:
            self.slack.workspace.add_user(user, user.lower())
        client = WebClient(token=self.slack.app.bot_token, base_url=self.slack.api_url, timeout=60, retry_handlers=[])
        self.world = ChatWorld(client, self.clock)
        # What the rig itself has asked for is asked for.
        self.world.tick(120)
        self.mark = self.slack.calls.mark()

    def look(self, *users: str, team: str = TEAM) -> Looked:
        accounts = [Account("slack", team, user) for user in users or self.users]
        return self.world.refresher.look_at(accounts, self.world.policy.policy)

    def says(self, found: Looked, user: str, team: str = TEAM) -> Standing:
        return standing(found.facts.get(Account("slack", team, user)), self.world.clock.now(), LIMIT)

    def counts(self) -> dict[str, int]:
        return {name: count for name, count in self.slack.calls.counts(self.mark).items() if name in (LIST, ONE)}

    def forget(self, user: str) -> None:
        del self.slack.workspace.users[user]


LIMIT = build.HOUR


@pytest.fixture
def rig() -> Iterator[Rig]:
    found = Rig()
    with found.slack:
        yield found


def test_few_are_asked_about_one_by_one_and_many_by_the_list(rig: Rig) -> None:
    rig.begin(200)
    rig.slack.rate_limits.enforced = True
    assert len(rig.look(*rig.users[:FEW]).facts) == FEW
    assert rig.counts() == {ONE: FEW}
    found = rig.look()
    assert len(found.facts) == 200
    assert not found.silent
    assert rig.counts() == {ONE: FEW, LIST: 1}


@pytest.mark.parametrize("people", [FEW, FEW + 1])
def test_whoever_is_deactivated_has_left_and_nobody_else(rig: Rig, people: int) -> None:
    rig.begin(people)
    rig.slack.workspace.change_user("U0001", deleted=True)
    rig.slack.workspace.change_user("U0002", is_restricted=True)
    found = rig.look()
    assert [user for user in rig.users if rig.says(found, user) is Standing.GONE] == ["U0001"]
    assert rig.says(found, "U0002") is Standing.HERE


@pytest.mark.parametrize("people", [FEW, FEW + 1])
def test_whoever_is_gone_from_the_list_read_to_its_end_has_left(rig: Rig, people: int) -> None:
    rig.begin(people)
    rig.look()
    rig.forget("U0003")
    found = rig.look()
    assert rig.says(found, "U0003") is Standing.GONE
    assert rig.world.directory.person(Account("slack", TEAM, "U0003")).name == "U0003", "as it was known"


@pytest.mark.parametrize("people", [FEW, FEW + 1])
def test_whoever_is_not_visible_is_not_known(rig: Rig, people: int) -> None:
    rig.begin(people)
    rig.slack.workspace.change_user("U0003", is_visible=False, is_stranger=True)
    assert rig.says(rig.look(), "U0003") is Standing.UNKNOWN


def test_an_account_of_another_workspace_is_not_known(rig: Rig) -> None:
    rig.begin(3)
    rig.slack.workspace.change_user("U0000", deleted=True)
    found = rig.look("U0000", "U0GONE", team="T9")
    assert {rig.says(found, user, "T9") for user in ("U0000", "U0GONE")} == {Standing.UNKNOWN}


def test_of_an_organisation_whoever_is_not_listed_is_not_known(rig: Rig) -> None:
    rig.slack.app.enterprise_id = "E1"
    rig.begin(3)
    rig.forget("U0000")
    assert rig.says(rig.look(), "U0000") is Standing.UNKNOWN
    assert rig.says(rig.look("U0000", team="E1"), "U0000", "E1") is Standing.UNKNOWN


MEMBER = {"id": "U0005", "team_id": TEAM, "deleted": True, "profile": {}}


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": True},
        {"ok": True, "members": None, "response_metadata": {"next_cursor": ""}},
        {"ok": True, "members": [MEMBER]},
        {"ok": True, "members": [MEMBER], "response_metadata": {}},
        {"ok": True, "members": [MEMBER, 7], "response_metadata": {"next_cursor": ""}},
        {"ok": True, "members": [MEMBER, {"id": None}], "response_metadata": {"next_cursor": ""}},
        {"ok": False, "error": "internal_error"},
        {"ok": False, "error": "missing_scope"},
    ],
)
def test_a_list_that_cannot_be_read_to_its_end_says_nothing_of_anybody(rig: Rig, answer: dict[str, Any]) -> None:
    rig.begin(FEW + 1)
    rig.forget("U0003")
    rig.slack.faults.add(LIST, answer=answer)
    found = rig.look()
    assert not found.facts
    assert found.silent


def test_a_page_that_ends_too_soon_makes_nobody_leave(rig: Rig) -> None:
    """Slack says that this is the end, and it is not: of each who is missing it is asked once more."""
    rig.begin(FEW + 1)
    rig.slack.faults.add(LIST, answer={"ok": True, "members": [], "response_metadata": {"next_cursor": ""}})
    found = rig.look()
    assert Standing.GONE not in {rig.says(found, user) for user in rig.users}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_whoever_is_not_answered_for_is_not_known_and_hides_nobody_else(rig: Rig, status: int) -> None:
    rig.begin(3)
    rig.slack.workspace.change_user("U0002", deleted=True)
    rig.slack.faults.add(ONE, status=status, where={"user": "U0000"})
    found = rig.look()
    assert rig.says(found, "U0000") is Standing.UNKNOWN
    assert found.silent
    if status != 429:
        assert rig.says(found, "U0002") is Standing.GONE


def test_a_list_that_slack_stops_goes_on_where_it_stopped(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.lookups.PAGE", 2)
    rig.begin(30)
    first = rig.look()
    assert first.silent
    assert first.goes_on
    assert first.after_s > 0
    assert rig.counts()[LIST] == LIMITS[LIST].burst
    rig.world.tick(100)
    second = rig.look()
    assert len(second.facts) == 30
    assert rig.counts()[LIST] == (len(rig.slack.workspace.users) + 1) // 2, "no page was read twice"


def test_a_list_that_gets_no_further_does_not_go_on(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.lookups.PAGE", 2)
    rig.begin(30)
    assert rig.look().goes_on
    rig.slack.faults.add(LIST, times=None, status=429)
    rig.world.tick(60)
    found = rig.look()
    assert found.silent
    assert not found.goes_on


def test_what_was_overtaken_by_younger_news_says_nothing(rig: Rig) -> None:
    rig.begin(2)
    rig.look()
    rig.world.tick(1)
    who = Account("slack", TEAM, "U0001")
    rig.slack.workspace.change_user("U0001", deleted=True)
    rig.world.directory.mark_stale(who, rig.world.clock.now() + build.HOUR / 100)
    found = rig.look()
    assert rig.says(found, "U0001") is Standing.UNKNOWN
    assert found.silent == {"slack": OVERTAKEN}, "one of whom nothing is known may be gone as well"


def test_what_another_look_has_learnt_meanwhile_stands(rig: Rig) -> None:
    """Two at the same time, for two who left: neither takes the other's answer for none, and ends one by one what was many."""
    rig.begin(2)
    rig.slack.workspace.change_user("U0001", deleted=True)
    theirs = rig.look().facts[Account("slack", TEAM, "U0001")]
    rig.world.directory.put_person(replace(theirs, as_of=theirs.as_of + timedelta(seconds=1)))
    found = rig.look()
    assert rig.says(found, "U0001") is Standing.GONE
    assert not found.silent


def test_the_same_answer_as_before_says_nothing_after_younger_news(rig: Rig) -> None:
    """It is what is known already, and was asked for before the chat said that something has changed."""
    rig.begin(2)
    rig.slack.workspace.change_user("U0001", deleted=True)
    assert rig.says(rig.look(), "U0001") is Standing.GONE
    rig.world.tick(1)
    rig.world.directory.mark_stale(Account("slack", TEAM, "U0001"), rig.world.clock.now() + build.HOUR / 100)
    assert rig.says(rig.look(), "U0001") is Standing.UNKNOWN

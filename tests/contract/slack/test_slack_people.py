"""Asking Slack about people, on the stand-in with its limits: what it does not say is not known, and is asked for again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.chat.actions.deferred import Deferred, defer
from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.interaction import COMMAND, Interaction
from bot.directory.refresh import refresh_groups_of_pending
from bot.sandbox.slack import SlackServer, words
from bot.slack.app import Listeners
from bot.slack.lookups import LIMITS
from bot.slack.surface import Slack
from tests.support import build
from tests.support.build import OLU
from tests.support.chat import ChatWorld, server_for
from workflows.core.audit import Event
from workflows.core.identity import Account, Address
from workflows.core.people import Listed, Member, PersonId
from workflows.core.policy import Group, Policy
from workflows.ledger.memory import MemoryClock
from workflows.ports import DirectoryUnreachable

Make = Callable[..., tuple[ChatWorld, SlackServer]]
CREW, SOURCE = "S0PLATFORM", "slack:S0PLATFORM"


def by_rota(**place: Any) -> Policy:
    """Owners are whoever stands in a Slack user group."""
    crew = Group("platform", slack_usergroup=CREW, trusted=True)
    own = build.policy(build.environment(**place))
    return replace(own, groups={**own.groups, "platform": crew})


@pytest.fixture
def make() -> Iterator[Make]:
    servers: list[SlackServer] = []

    def build_one(policy: Policy | None = None, crew: int = 0) -> tuple[ChatWorld, SlackServer]:
        clock = MemoryClock(build.NOW)
        server = server_for(clock)
        servers.append(server)
        server.__enter__()
        people = [f"U{number:04}" for number in range(crew)]
        for user in people:
            server.workspace.add_user(user, user.lower())
        server.workspace.add_group(CREW, "platform", ["UOLU", "UPAT", *people])
        client = WebClient(token=server.app.bot_token, base_url=server.api_url, timeout=60, retry_handlers=[])
        rig = ChatWorld(client, clock, policy=policy or by_rota())
        # Everybody who looks somebody up asks the stand-in.
        rig.ctx = replace(rig.ctx, refresher=rig.refresher)
        rig.sender = rig.new_sender()
        return rig, server

    yield build_one
    for server in servers:
        server.__exit__(None, None, None)


def learn(rig: ChatWorld) -> None:
    rig.refresher.refresh_groups(rig.policy.policy, ["platform"])


def listed(rig: ChatWorld) -> Any:
    return rig.directory.groups(rig.policy.policy, ["platform"])


class Acts:
    """What somebody does in Slack, deferred to a worker."""

    def __init__(self, rig: ChatWorld) -> None:
        self.rig = rig
        self.desk = Dispatcher(rig.ctx, "/prodaccess")
        self.worker = Deferred(rig.ctx, self.desk, rig.refresher, Slack(rig.client), "/prodaccess")

    def types(self, user: str, text: str) -> str:
        act = Interaction(f"command:{self.rig.press_id()}", COMMAND, Account("slack", "T1", user), text=text)
        defer(self.rig.ctx, act)
        return next(item for item in reversed(self.rig.ledger.due) if item.startswith("press:"))

    def work(self, item: str) -> None:
        if item in self.rig.ledger.due:
            self.worker.decide(item.removeprefix("press:"))


def told(slack: SlackServer, user: str) -> list[str]:
    return [words(message) for message in slack.person(user).dms()]


# ---------------------------------------------------------------- groups


def test_a_group_of_250_is_whole_after_one_call_whatever_users_info_allows(make: Make):
    rig, slack = make(crew=250)
    slack.rate_limits.enforced = True
    learn(rig)
    known = listed(rig)
    assert known.member(OLU, ("platform",)) is Member.YES
    assert known.unknown(("platform",)) == ()
    assert len(known.unresolved(("platform",))) == 250
    assert slack.calls.counts()["users.info"] == 0


def test_its_members_are_looked_up_in_the_background_and_no_question_is_sent_in_vain(make: Make):
    rig, slack = make(crew=250)
    slack.rate_limits.enforced = True
    learn(rig)
    rig.asked()
    minutes = 0
    while listed(rig).unresolved(("platform",)) or not listed(rig).by_name:
        for _ in range(12):
            refresh_groups_of_pending(rig.ctx, rig.refresher)
            rig.tick(5)
        minutes += 1
        assert minutes < 10
    asked = slack.calls.since(0, "users.info")
    assert all(call.ok for call in asked)
    assert len(asked) <= 252


def test_the_background_leaves_questions_for_whoever_presses(make: Make):
    rig, slack = make(crew=60)
    slack.rate_limits.enforced = True
    learn(rig)
    rig.refresher.introduce(listed(rig).unresolved(("platform",)), rig.policy.policy)
    left = LIMITS["users.info"].burst - slack.calls.counts()["users.info"]
    assert left > 5
    rig.refresher.refresh_person(Account("slack", "T1", "UOLU"), rig.policy.policy)


def test_one_that_slack_does_not_show_takes_no_other_members_turn(make: Make):
    rig, slack = make(crew=3)
    slack.workspace.change_user("U0000", is_visible=False)
    learn(rig)
    rig.refresher.introduce(listed(rig).unresolved(("platform",)), rig.policy.policy)
    assert listed(rig).unresolved(("platform",)) == {Account("slack", "T1", "U0000")}
    rig.refresher.introduce(listed(rig).unresolved(("platform",)), rig.policy.policy)
    assert [call.arguments["user"] for call in slack.calls.since(0, "users.info")].count("U0000") == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 429, "retry_after_s": 30},
        {"status": 503},
        {"error": "internal_error"},
        {"drop": "before"},
        {"answer": {"ok": True}},
        {"answer": {"ok": True, "usergroups": 7}},
        {"answer": {"ok": True, "usergroups": [{"id": CREW, "users": "UOLU"}]}},
        {"answer": {"ok": True, "usergroups": [{"id": CREW, "user_count": 2}]}},
    ],
)
def test_a_list_that_did_not_come_makes_nobody_an_outsider(make: Make, answer: dict[str, Any]):
    rig, slack = make()
    slack.faults.add("usergroups.list", **answer)
    learn(rig)
    assert listed(rig).member(OLU, ("platform",)) is Member.UNKNOWN
    assert listed(rig).member(build.DANA, ("platform",)) is Member.UNKNOWN


def test_a_group_that_slack_does_not_have_has_no_members_for_certain(make: Make):
    rig, slack = make()
    slack.workspace.change_group(CREW, disabled=True)
    learn(rig)
    assert listed(rig).member(OLU, ("platform",)) is Member.NO


def test_retry_after_holds_for_all_processes(make: Make):
    rig, slack = make()
    slack.faults.add("usergroups.list", status=429, retry_after_s=30)
    for _ in range(5):
        learn(rig)
        rig.tick(5)
    assert slack.calls.counts()["usergroups.list"] == 1
    rig.tick(10)
    learn(rig)
    assert listed(rig).member(OLU, ("platform",)) is Member.YES


# ---------------------------------------------------------------- an act that waits


def test_a_press_that_nobody_can_judge_waits_is_told_once_and_answered_by_itself(make: Make):
    rig, slack = make()
    learn(rig)
    id_ = rig.asked()
    rig.tick(120)
    slack.faults.add("usergroups.list", status=429, retry_after_s=20)
    acts = Acts(rig)
    item = acts.types("UOLU", f"approve {id_}")
    for _ in range(5):
        acts.work(item)
        rig.tick(3)
    (waits,) = told(slack, "UOLU")
    assert "I do not know yet who is in platform" in waits
    assert "and answer here" in waits
    rig.tick(20)
    acts.work(item)
    assert rig.request(id_).decision is not None
    assert item not in rig.ledger.due
    assert Event.REQUEST_REFUSED.value not in [entry.event.value for entry in rig.all_entries()]


def test_after_some_minutes_in_vain_the_person_is_told_that_nothing_was_done(make: Make):
    rig, slack = make()
    learn(rig)
    id_ = rig.asked()
    rig.tick(120)
    slack.faults.add("usergroups.list", times=None, error="internal_error")
    acts = Acts(rig)
    item = acts.types("UOLU", f"deny {id_} not now")
    for _ in range(45):
        acts.work(item)
        rig.tick(8)
    first, last = told(slack, "UOLU")
    assert "and answer here" in first
    assert "nothing was done" in last
    assert item not in rig.ledger.due


def test_who_types_a_name_that_only_slack_knows_is_not_told_that_nobody_is_called_so(make: Make):
    rig, slack = make()
    slack.workspace.add_user("UNEW", "newt", email="newt@example.com")
    acts = Acts(rig)
    slack.faults.add("users.lookupByEmail", status=429, retry_after_s=10)
    item = acts.types("UOLU", "history newt@example.com")
    acts.work(item)
    assert told(slack, "UOLU") == []
    rig.tick(11)
    acts.work(item)
    (answer,) = told(slack, "UOLU")
    assert "I know nobody" not in answer


# ---------------------------------------------------------------- accounts


def test_an_owners_id_pressed_from_another_workspace_approves_nothing(make: Make):
    rig, slack = make()
    learn(rig)
    id_ = rig.asked()
    acts = Acts(rig)
    act = Interaction("command:far", COMMAND, Account("slack", "T0FAR", "UOLU"), text=f"approve {id_}")
    defer(rig.ctx, act)
    item = next(item for item in rig.ledger.due if item.startswith("press:"))
    acts.work(item)
    assert rig.request(id_).votes == ()
    assert rig.request(id_).decision is None
    assert any("another organisation" in text for text in told(slack, "UOLU"))


@pytest.mark.parametrize("error", ["user_not_found", "user_not_visible", "internal_error", "ratelimited"])
def test_who_is_not_shown_has_not_left(make: Make, error: str):
    rig, slack = make()
    rig.tick(120)
    slack.faults.add("users.info", error=error)
    with pytest.raises(DirectoryUnreachable):
        rig.refresher.refresh_person(Account("slack", "T1", "UOLU"), rig.policy.policy)
    known = rig.directory.person(Account("slack", "T1", "UOLU"))
    assert known is not None
    assert known.standing_problem is None


@pytest.mark.parametrize(
    "answer", [{"ok": True}, {"ok": True, "user": None}, {"ok": True, "user": []}, {"ok": True, "user": {}}]
)
def test_an_answer_without_a_user_is_no_answer(make: Make, answer: dict[str, Any]):
    rig, slack = make()
    slack.faults.add("users.info", answer=answer)
    with pytest.raises(DirectoryUnreachable):
        rig.refresher.refresh_person(Account("slack", "T1", "UOLU"), rig.policy.policy)


def test_a_late_event_from_before_a_deactivation_brings_nobody_back(make: Make):
    rig, slack = make()
    olu = Account("slack", "T1", "UOLU")
    before = slack.workspace.user("UOLU").to_json()
    rig.tick(1)
    slack.workspace.change_user("UOLU", deleted=True)
    rig.refresher.refresh_person(olu, rig.policy.policy)
    for _ in range(3):
        rig.refresher.heard(before, "T1")
    known = rig.directory.person(olu)
    assert known is not None
    assert known.standing_problem == "person_deactivated"
    assert rig.refresher.refresh_person(olu, rig.policy.policy).standing_problem == "person_deactivated"


@pytest.mark.parametrize(
    "event", [None, [], "U1", {}, {"id": 7}, {"id": "UOLU", "team_id": [], "enterprise_user": {"teams": 3}}]
)
def test_an_odd_event_raises_nothing(make: Make, event: Any):
    rig, _slack = make()
    rig.refresher.heard(event, "T1")


def organisation(slack: SlackServer) -> None:
    """The workspace stands in one, and Fay is of another workspace of it."""
    slack.app.enterprise_id = "E1"
    for user in list(slack.workspace.users):
        slack.workspace.change_user(user, enterprise_id="E1", teams=["T1"])
    slack.workspace.add_user("UFAY", "fay", team_id="T2", teams=["T2"], is_stranger=True)
    slack.workspace.change_group(CREW, users=["UOLU", "UFAY"])


def test_a_colleague_of_another_workspace_of_the_organisation_is_in_the_group_that_lists_them(make: Make):
    rig, slack = make()
    organisation(slack)
    learn(rig)
    found = rig.refresher.refresh_person(Account("slack", "T2", "UFAY"), rig.policy.policy)
    assert (found.standing_problem, found.account) == (None, "slack:E1:UFAY")
    assert listed(rig).member(PersonId("fay@example.com"), ("platform",)) is Member.YES
    # The same id in a workspace that is none of the organisation's is somebody else.
    far = rig.refresher.refresh_person(Account("slack", "T9", "UFAY"), rig.policy.policy)
    assert far.standing_problem == "person_foreign"


def test_news_of_a_colleague_are_news_in_all_workspaces(make: Make):
    rig, slack = make()
    organisation(slack)
    rig.refresher.refresh_person(Account("slack", "T2", "UFAY"), rig.policy.policy)
    rig.refresher.heard(slack.workspace.user("UFAY").to_json(), "T1")
    for team in ("T2", "E1"):
        known = rig.directory.person(Account("slack", team, "UFAY"))
        assert known is not None
        assert known.heard_at is not None


@pytest.mark.parametrize("told_by", ["T1", "T2"])
def test_news_of_a_colleague_are_looked_into_under_each_name_that_is_known(make: Make, told_by: str):
    """Slack sends them with the team of whoever listens, which need not be the account's own."""
    rig, slack = make()
    organisation(slack)
    rig.refresher.refresh_person(Account("slack", "T2", "UFAY"), rig.policy.policy)
    nothing: Any = None
    listeners = Listeners(Dispatcher(rig.ctx, "/prodaccess"), nothing, nothing, rig.refresher)
    listeners.user_changed({"user": slack.workspace.user("UFAY").to_json()}, {"team_id": told_by})
    asked = {item for item in rig.ledger.due if item.startswith("whois:")}
    assert asked == {"whois:T2:UFAY", "whois:E1:UFAY"}
    listeners.user_changed({"user": {"id": "UNOBODY"}}, {"team_id": told_by})
    listeners.user_changed({}, {"team_id": told_by})
    assert asked == {item for item in rig.ledger.due if item.startswith("whois:")}


# ---------------------------------------------------------------- finding owners by their addresses


UNA, UTE = "UUNA", "UUTE"


def alone(make: Make) -> tuple[ChatWorld, SlackServer]:
    """Owners by address who have never used it, and no channel for the card: each of them gets it directly."""
    place = build.environment(approvals_channels=())
    own = build.policy(place)
    owners = Group("platform", members=frozenset({Address("una@example.com"), Address("ute@example.com")}))
    rig, slack = make(replace(own, groups={**own.groups, "platform": owners}))
    for user in (UNA, UTE):
        slack.workspace.add_user(user, user[1:].lower())
    return rig, slack


def test_owners_whom_slack_would_not_name_yet_get_the_card_when_they_are_found(make: Make):
    rig, slack = alone(make)
    for _ in range(2):
        slack.faults.add("users.lookupByEmail", status=429, retry_after_s=15)
    rig.asked()
    rig.pass_time(3)
    assert told(slack, UNA) == []
    rig.pass_time(60, 1)
    assert any("asks for" in text for text in told(slack, UNA))
    assert any("asks for" in text for text in told(slack, UTE))
    rig.settle()


@pytest.mark.parametrize("flag", ["is_restricted", "deleted", "is_bot"])
def test_a_listed_owner_whose_account_may_do_nothing_is_nobody_to_count_on(make: Make, flag: str):
    rig, slack = alone(make)
    user = slack.workspace.users[UNA]
    setattr(user, flag, True)
    rig.refresher.find(Address("una@example.com"), rig.policy.policy)
    groups = rig.directory.groups(rig.policy.policy, ("platform",))
    assert groups.members(("platform",)) == {"ute@example.com"}


def test_only_a_real_not_found_is_remembered(make: Make):
    rig, slack = alone(make)
    slack.faults.add("users.lookupByEmail", status=503)
    with pytest.raises(DirectoryUnreachable):
        rig.refresher.find(Address("una@example.com"), rig.policy.policy)
    for address, user in (("una@example.com", UNA), ("nobody@example.com", None)):
        before = slack.calls.counts()["users.lookupByEmail"]
        for _ in range(3):
            found = rig.refresher.find(Address(address), rig.policy.policy)
            assert (found.slack.user if found else None) == user
        assert slack.calls.counts()["users.lookupByEmail"] == before + 1


def test_one_odd_profile_counts_against_nobody_else(make: Make):
    rig, slack = alone(make)
    odd = {"tz": "Mars/Olympus", "deleted": "no", "profile": {"status_text": "OOO", "status_expiration": 1e300}}
    slack.workspace.change_user(UTE, odd=odd)
    rig.asked()
    rig.settle()
    assert any("asks for" in text for text in told(slack, UNA))
    assert told(slack, UTE) == []
    known = rig.directory.person(Account("slack", "T1", UTE))
    assert known is not None
    assert known.standing_problem == "person_odd"


def test_members_in_identity_center_without_an_address_are_told_of_and_the_others_count(make: Make):
    own = build.policy()
    owners = Group("platform", identity_center_group="platform", connection="main")
    rig, _ = make(replace(own, groups={**own.groups, "platform": owners}))
    rig.refresher._others._identity_center_members = lambda *_: Listed(
        frozenset({Address("olu@example.com")}), nameless=2
    )
    rig.refresher.refresh_groups(rig.policy.policy, ("platform",))
    groups = rig.directory.groups(rig.policy.policy, ("platform",))
    assert groups.members(("platform",)) == {build.OLU}
    assert groups.member(build.DANA, ("platform",)) is Member.NO
    assert groups.whole(("platform",))
    ((_, why),) = groups.problems(("platform",))
    assert why == "2 of its members in Identity Center have no address there, and count as nobody here"

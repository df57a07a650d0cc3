"""Faults of Slack, Teams and of the people in them: each is found, and its mend is named."""

from __future__ import annotations

import pytest
from slack_sdk import WebClient

from bot.doctor.slack import _votes
from bot.sandbox.installation.people import RECEIPTS, TEAM_ROOM, channels_of_both
from bot.settings import Settings
from tests.contract.doctor.rig import Fault, Rig
from workflows.core.finding import State

PROD, WORKSPACE = "environments/orders-prod.yaml", "prodaccess.yaml"


def without_scope(rig: Rig, scope: str) -> None:
    rig.slack.app.scopes -= {scope}


def exchanged(rig: Rig, name: str) -> None:
    """A file with a new value that is refused, and the old one."""
    path = rig.folder.parent / name
    good = rig.environ.pop(name)
    path.write_text(f"{good[:5]}newest\n{good}\n", encoding="utf-8")
    rig.environ[f"{name}_FILE"] = str(path)


def teams_channel(rig: Rig, id_: str = "") -> None:
    rig.edit(
        WORKSPACE, f"receipts_channel: {RECEIPTS} ", f'receipts_channel: "teams:{id_ or channels_of_both()[RECEIPTS]}" '
    )


def without_teams(rig: Rig) -> None:
    teams_channel(rig)
    for name in ("TEAMS_APP_ID", "TEAMS_APP_PASSWORD", "TEAMS_TENANT_ID"):
        del rig.environ[name]


IN_SLACK = (
    Fault(
        "another bot token",
        lambda rig: rig.environ.update(SLACK_BOT_TOKEN="xoxb-another"),
        "slack.token",
        "Slack refuses SLACK_BOT_TOKEN (invalid_auth)",
        "prodaccess slack manifest",
    ),
    Fault(
        "the app was taken out",
        lambda rig: rig.slack.faults.add("auth.test", error="account_inactive"),
        "slack.token",
        "account_inactive",
        "prodaccess slack manifest",
    ),
    Fault(
        "nothing reaches Slack",
        lambda rig: rig.environ.update(SLACK_API_URL="http://127.0.0.1:1/api/"),
        "slack.token",
        "Slack cannot be reached (connection refused)",
        "",
    ),
    Fault(
        "a new bot token that is not right",
        lambda rig: exchanged(rig, "SLACK_BOT_TOKEN"),
        "slack.token",
        "SLACK_BOT_TOKEN",
        "how to exchange one",
        State.ATTENTION,
    ),
    Fault(
        "a new app-level token that is not right",
        lambda rig: exchanged(rig, "SLACK_APP_TOKEN"),
        "slack.socket-mode",
        "takes an older one",
        "how to exchange one",
        State.ATTENTION,
    ),
    Fault(
        "a private channel without the bot",
        lambda rig: rig.slack.workspace.change_channel(RECEIPTS, is_private=True, members=[]),
        "slack.channel",
        "private and the bot is not in it",
        "/invite @prodaccess",
    ),
    Fault(
        "a public channel that the bot may not post to",
        lambda rig: (
            rig.slack.workspace.change_channel(RECEIPTS, members=[]),
            without_scope(rig, "chat:write.public"),
        ),
        "slack.channel",
        "the bot is not in it and may not post there",
        "/invite @prodaccess",
    ),
    Fault(
        "all owners have left",
        lambda rig: [rig.slack.workspace.change_user(f"U0{name}", deleted=True) for name in ("OLU", "PAT")],
        "people.group",
        "nobody can decide",
        "name somebody",
    ),
    Fault(
        "an approving group of one",
        lambda rig: rig.edit(WORKSPACE, "[sid@example.com, sue@example.com]", "[sid@example.com]"),
        "people.group",
        "has one person alone",
        "add a second person",
        State.ATTENTION,
    ),
    Fault(
        "a user group that was disabled",
        lambda rig: rig.slack.workspace.change_group("S0ONCALLROTA", disabled=True),
        "groups.source",
        "no such user group, or it is disabled",
        "enable that user group",
    ),
)
# None of these hides another one: one look finds them all.
TOGETHER = (
    Fault(
        "a scope that all needs",
        lambda rig: without_scope(rig, "commands"),
        "slack.scope",
        "scope commands: the app lacks it: nobody can type the command",
        "install the app again",
    ),
    Fault(
        "a scope to do without",
        lambda rig: without_scope(rig, "dnd:read"),
        "slack.scope",
        "owners are called who want no calls now",
        "OAuth & Permissions",
        State.ATTENTION,
    ),
    Fault(
        "another app-level token",
        lambda rig: rig.environ.update(SLACK_APP_TOKEN="xapp-another"),
        "slack.socket-mode",
        "Slack refuses SLACK_APP_TOKEN",
        "prodaccess slack manifest",
    ),
    Fault(
        "an archived channel",
        lambda rig: rig.slack.workspace.change_channel(RECEIPTS, is_archived=True),
        "slack.channel",
        "#access-log (C0ACCESSLOG): it is archived",
        "unarchive it",
    ),
    Fault(
        "a channel that nobody has",
        lambda rig: rig.edit(PROD, "approvals_channel: C0ORDERSOPS", "approvals_channel: C0NOSUCH"),
        "slack.channel",
        "C0NOSUCH",
        "name another channel",
    ),
    Fault(
        "a channel that others read",
        lambda rig: rig.slack.workspace.change_channel(TEAM_ROOM, is_ext_shared=True),
        "slack.channel",
        "shared with another organisation",
        "a channel of your own",
        State.ATTENTION,
    ),
    Fault(
        "an owner has left",
        lambda rig: rig.slack.workspace.change_user("U0OLU", deleted=True),
        "people.group",
        "olu@example.com has no active account",
        "take them out",
        State.ATTENTION,
    ),
    Fault(
        "an owner is a guest",
        lambda rig: rig.slack.workspace.change_user("U0SID", is_restricted=True),
        "people.group",
        "sid@example.com is a guest",
        "account of ours",
        State.ATTENTION,
    ),
    Fault(
        "whoever is on call is deactivated",
        lambda rig: rig.slack.workspace.change_user("U0NIA", deleted=True),
        "people.group",
        "group oncall: it asks in orders-prod",
        "name somebody",
        State.ATTENTION,
    ),
)
IN_TEAMS = (
    Fault(
        "the app's secret has run out",
        lambda rig: rig.environ.update(TEAMS_APP_PASSWORD="another"),
        "teams.token",
        "refuses TEAMS_APP_PASSWORD",
        "docs/teams.md",
    ),
    Fault(
        "no consent",
        lambda rig: rig.teams.graph.permissions.clear(),
        "teams.graph",
        "does not let the app read people",
        "admin consent",
    ),
    Fault(
        "nothing reaches Graph",
        lambda rig: rig.environ.update(GRAPH_API_URL="http://127.0.0.1:1/v1.0"),
        "teams.graph",
        "Microsoft Graph",
        "let this machine reach it",
    ),
    Fault(
        "no keys",
        lambda rig: rig.environ.update(TEAMS_OPENID_URL="http://127.0.0.1:1/keys"),
        "teams.keys",
        "nothing from Teams can be believed",
        "let web reach",
    ),
    Fault(
        "a channel without the app",
        lambda rig: teams_channel(rig, "19:0000000000000000000000000000000f@thread.tacv2"),
        "teams.channel",
        "may not write there",
        "Add the app to that team",
    ),
    Fault(
        "a channel of a chat that is not set up",
        without_teams,
        "teams.token",
        "TEAMS_APP_ID is not set",
        "set TEAMS_APP_ID",
    ),
)


def test_a_chat_that_does_not_list_its_people_is_found(in_slack: Rig):
    in_slack.slack.faults.add("users.list", times=None, error="internal_error")
    (found,) = [one for one in in_slack.found("people") if one.check == "people.leavers"]
    assert found.state is State.UNKNOWN
    assert "nobody who leaves would be noticed" in found.words


def test_teams_that_do_not_list_their_people_are_found(in_teams: Rig):
    in_teams.teams.faults.add("users", times=None, status=403)
    found = [one for one in in_teams.found("people") if one.check == "people.leavers" and one.what == "Teams"]
    assert [one.state for one in found] == [State.UNKNOWN]


@pytest.mark.parametrize("fault", IN_SLACK, ids=lambda fault: fault.name)
def test_a_fault_in_slack_is_found_and_its_mend_is_named(in_slack: Rig, fault: Fault):
    fault.plant(in_slack)
    fault.told_by(in_slack.found(fault.subject))


def test_faults_in_slack_beside_one_another_are_each_found_and_their_mends_are_named(in_slack: Rig):
    for fault in TOGETHER:
        fault.plant(in_slack)
    found = in_slack.found("slack", "people")
    for fault in TOGETHER:
        fault.told_by(found)


@pytest.mark.parametrize("fault", IN_TEAMS, ids=lambda fault: fault.name)
def test_a_fault_in_teams_is_found_and_its_mend_is_named(in_teams: Rig, fault: Fault):
    fault.plant(in_teams)
    fault.told_by(in_teams.found(fault.subject))


def test_a_good_workspace_has_nothing_to_mend_and_few_questions(in_slack: Rig):
    mark = in_slack.slack.calls.mark()
    found = in_slack.found("slack", "people", "groups")
    assert {one.state for one in found} == {State.OK}, found
    counted = in_slack.slack.calls.counts(mark)
    # Who looks first asks where we are.
    assert counted.pop("auth.test") <= 3
    assert counted == {
        "apps.connections.open": 1,
        "conversations.info": 3,
        "usergroups.list": 1,
        "users.lookupByEmail": 6,
        "users.info": 1,
        "users.list": 1,
    }


def test_good_teams_have_nothing_to_mend(in_teams: Rig):
    teams_channel(in_teams)
    found = in_teams.found("teams")
    # Its addresses are a stand-in's, which somebody should know.
    assert [one.check for one in found if one.state is not State.OK] == ["teams.addresses"], found


def test_people_are_asked_for_in_teams_where_that_is_their_chat(in_teams: Rig):
    in_teams.edit(
        WORKSPACE, "oncall:     {slack_usergroup: S0ONCALLROTA, trusted: true}", "oncall: {members: [nia@example.com]}"
    )
    found = in_teams.found("people")
    assert {one.state for one in found} == {State.OK}, found


def test_slack_says_enough_and_is_asked_no_more(in_slack: Rig):
    in_slack.slack.faults.add("conversations.info", status=429, retry_after_s=30)
    mark = in_slack.slack.calls.mark()
    found = [one.state for one in in_slack.found("slack") if one.check == "slack.channel"]
    assert found == [State.UNKNOWN, State.SKIPPED]
    assert in_slack.slack.calls.counts(mark)["conversations.info"] == 1


def test_what_slack_calls_things_moves_no_terminal_and_has_an_end(in_slack: Rig, monkeypatch: pytest.MonkeyPatch):
    """Names are others', and an answer may come from somebody who is not Slack."""
    name = "\x1b[2J\x1b]0;owned\x07\u202eok\n  ok  all is well" + "x" * 100_000

    def said(client: WebClient, **_: object) -> dict[str, object]:
        return {"ok": True, "channel": {"id": "C0ACCESSLOG", "name": name, "is_archived": True}}

    monkeypatch.setattr(WebClient, "conversations_info", said)
    (examined,) = in_slack.look("slack")
    found = [one for one in examined.findings if one.check == "slack.channel"]
    assert found
    for one in found:
        assert one.state is State.BROKEN
        assert one.what.isprintable()
        assert one.what.startswith("#?[2J?]0;owned??ok ok all is well")
        assert len(one.what) < 2_100


@pytest.mark.parametrize(
    ("given", "state", "words"),
    [
        ({"SLACK_SIGNING_SECRET": "e" * 32}, State.OK, "checks again what Slack has signed"),
        ({}, State.SKIPPED, "SLACK_SIGNING_SECRET is not set here"),
        ({"SLACK_APP_TOKEN": "xapp-1-A-1-x", "SLACK_SIGNING_SECRET": "e" * 32}, State.SKIPPED, "Socket Mode"),
    ],
)
def test_a_worker_is_told_whether_it_can_check_votes(given: dict[str, str], state: State, words: str) -> None:
    found = _votes(Settings.model_validate({"SLACK_BOT_TOKEN": "xoxb-x"} | given))
    assert (found.state, words in found.words) == (state, True)

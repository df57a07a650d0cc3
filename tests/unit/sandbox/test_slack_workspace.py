"""People, mentions, short-lived permissions and what is written: the workspace without a network."""

from typing import Any

import pytest

from bot.sandbox.clock import MovableClock
from bot.sandbox.slack import AppSettings, CannotDo, SlackServer
from bot.sandbox.slack.api.arguments import Arguments
from bot.sandbox.slack.api.responses import at_url
from bot.sandbox.slack.api.web_api import WebApi
from bot.sandbox.slack.blockkit.values import initial_state, value_of
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.mentions import mentions
from bot.sandbox.slack.model import Message
from bot.sandbox.slack.people.typing import escaped
from bot.sandbox.slack.seeding import as_seed, plant
from bot.sandbox.slack.triggers import ResponseUrls, Triggers
from bot.sandbox.slack.workspace import Workspace

SEED: dict[str, Any] = {
    "users": [
        {"id": "U0DANA", "name": "dana"},
        {"id": "U0OLU", "name": "olu"},
        {"id": "U0GUEST", "name": "gil", "is_ultra_restricted": True},
        {"id": "U0FAR", "name": "fay", "is_stranger": True, "team_id": "T0OTHER"},
    ],
    "groups": [{"id": "S0PLAT", "handle": "platform", "users": ["U0OLU", "U0DANA"]}],
    "channels": [
        {"id": "C0OPS", "name": "ops", "members": ["U0OLU", "U0FAR"]},
        {"id": "C0HIDE", "name": "hidden", "members": ["U0OLU"], "is_private": True, "bot": False},
        {"id": "C0OPEN", "name": "open", "members": ["U0DANA"], "bot": False},
        {"id": "C0OLD", "name": "old", "members": ["U0DANA"], "is_archived": True},
    ],
}


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(lambda: 1_800_000_000.0)


@pytest.fixture
def ws(clock: MovableClock) -> Workspace:
    workspace = Workspace(AppSettings(), clock)
    plant(workspace, SEED)
    return workspace


def call(ws: Workspace, method: str, **arguments: Any) -> dict[str, Any]:
    return WebApi(ws).answer(method, arguments, ws.app.bot_token, None).body


def button(action_id: str = "go") -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": "Go"}}


# Mentions


def test_plain_text_and_escaped_text_ping_nobody(ws: Workspace) -> None:
    blocks = [{"type": "section", "text": {"type": "plain_text", "text": "<!channel> <@U0OLU>"}}]
    assert mentions("&lt;!channel&gt; @channel", blocks) == ()


def test_mentions_are_found_wherever_slack_draws_them(ws: Workspace) -> None:
    blocks = [
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "<!subteam^S0PLAT> and <!here|here>"}]},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "<@U0OLU|olu>"}]},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
            {"type": "broadcast", "range": "channel"}]}]},
    ]  # fmt: skip
    assert mentions("<@U0DANA>", blocks) == ("U0DANA", "S0PLAT", "!here", "U0OLU", "!channel")


def test_only_members_are_rung(ws: Workspace) -> None:
    post = call(ws, "chat.postMessage", channel="C0OPS", text="<!subteam^S0PLAT> <@U0DANA>")
    message = ws.message("C0OPS", post["ts"])
    assert message.mentioned == ("S0PLAT", "U0DANA")
    assert message.pinged == message.notified == ("U0OLU",)


def test_parse_full_makes_a_typed_channel_ring(ws: Workspace) -> None:
    quiet = call(ws, "chat.postMessage", channel="C0OPS", text="@channel")
    loud = call(ws, "chat.postMessage", channel="C0OPS", text="@channel", parse="full")
    assert ws.message("C0OPS", quiet["ts"]).pinged == ()
    assert ws.message("C0OPS", loud["ts"]).pinged == ("U0OLU", "U0FAR")


def test_an_edit_rings_nobody(ws: Workspace) -> None:
    post = call(ws, "chat.postMessage", channel="C0OPS", text="quiet")
    call(ws, "chat.update", channel="C0OPS", ts=post["ts"], text="<!channel>")
    assert ws.message("C0OPS", post["ts"]).pinged == ()


# Writing


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0OPS"}, "no_text"),
        ({"channel": "C0OPS", "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": "C0NONE", "text": "x"}, "channel_not_found"),
        ({"channel": "C0HIDE", "text": "x"}, "channel_not_found"),
        ({"channel": "C0OPEN", "text": "x"}, "not_in_channel"),
        ({"channel": "C0OLD", "text": "x"}, "is_archived"),
        ({"text": "x"}, "invalid_arguments"),
        ({"channel": "C0OPS", "text": "x", "blocks": "not json"}, "invalid_blocks_format"),
        ({"channel": "C0OPS", "text": "x", "blocks": "[{}]"}, "invalid_blocks"),
        ({"channel": "C0OPS", "text": "x", "thread_ts": "1.2"}, "thread_not_found"),
        ({"channel": "C0OPS", "text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_format"),
    ],
)
def test_a_post_is_refused(ws: Workspace, arguments: dict[str, Any], error: str) -> None:
    assert call(ws, "chat.postMessage", **arguments)["error"] == error


def test_a_users_id_means_their_direct_messages(ws: Workspace) -> None:
    post = call(ws, "chat.postMessage", channel="U0OLU", text="hello")
    assert post["channel"].startswith("D")
    assert post["channel"] == call(ws, "conversations.open", users="U0OLU")["channel"]["id"]
    assert ws.message(post["channel"], post["ts"]).notified == ("U0OLU",)
    ws.change_user("U0OLU", deleted=True)
    assert call(ws, "chat.postMessage", channel="U0OLU", text="hello")["error"] == "user_disabled"


def test_text_without_blocks_takes_the_blocks_away_and_shows_as_edited(ws: Workspace) -> None:
    blocks = [{"type": "actions", "elements": [button()]}]
    ts = call(ws, "chat.postMessage", channel="C0OPS", text="card", blocks=blocks)["ts"]
    call(ws, "chat.update", channel="C0OPS", ts=ts, blocks=[{"type": "divider"}])
    kept = ws.message("C0OPS", ts)
    assert (kept.text, len(kept.blocks), kept.edited) == ("card", 1, None)
    call(ws, "chat.update", channel="C0OPS", ts=ts, text="over")
    bare = ws.message("C0OPS", ts)
    assert (bare.text, bare.blocks) == ("over", [])
    assert bare.edited
    assert call(ws, "chat.update", channel="C0OPS", ts=ts, text="x" * 4001)["error"] == "msg_too_long"


def test_only_the_bots_own_messages_can_be_changed(ws: Workspace) -> None:
    said = ws.post(Message(ws.next_ts(), "C0OPS", "U0OLU", "mine"))
    assert call(ws, "chat.update", channel="C0OPS", ts=said.ts, text="x")["error"] == "cant_update_message"
    assert call(ws, "chat.delete", channel="C0OPS", ts=said.ts)["error"] == "cant_delete_message"
    assert call(ws, "chat.update", channel="C0OPS", ts="1.0", text="x")["error"] == "message_not_found"


def test_history_finds_a_nonce_again(ws: Workspace) -> None:
    nonce = {"event_type": "prodaccess", "event_payload": {"nonce": "n-1"}}
    root = call(ws, "chat.postMessage", channel="C0OPS", text="one", metadata=nonce)["ts"]
    call(ws, "chat.postMessage", channel="C0OPS", text="reply", thread_ts=root)
    last = call(ws, "chat.postMessage", channel="C0OPS", text="two")["ts"]
    call(ws, "chat.postEphemeral", channel="C0OPS", user="U0OLU", text="psst")
    plainly = call(ws, "conversations.history", channel="C0OPS")["messages"]
    assert [message["text"] for message in plainly] == ["two", "one"]
    assert "metadata" not in plainly[1]
    assert plainly[1]["reply_count"] == 1
    full = call(ws, "conversations.history", channel="C0OPS", include_all_metadata=True, oldest=root, inclusive=True)
    assert full["messages"][1]["metadata"] == nonce
    first = call(ws, "conversations.history", channel="C0OPS", limit=1)
    assert first["has_more"]
    cursor = first["response_metadata"]["next_cursor"]
    assert [m["ts"] for m in call(ws, "conversations.history", channel="C0OPS", cursor=cursor)["messages"]] == [root]
    assert call(ws, "conversations.history", channel="C0OPS", latest=last)["messages"][0]["ts"] == root
    thread = call(ws, "conversations.replies", channel="C0OPS", ts=root)["messages"]
    assert [message["text"] for message in thread] == ["one", "reply"]
    assert call(ws, "conversations.history", channel="C0OPEN")["error"] == "not_in_channel"
    assert call(ws, "conversations.history", channel="C0OPS", oldest="now")["error"] == "invalid_ts_oldest"


# People


def test_do_not_disturb_is_told_as_slack_does(ws: Workspace) -> None:
    ws.change_user("U0DANA", dnd_from=1450387800, dnd_until=1450423800, status_text="OOO", status_emoji=":palm_tree:")
    found = call(ws, "dnd.teamInfo", users="U0DANA,U0OLU")["users"]
    assert found["U0DANA"] == {
        "dnd_enabled": True,
        "next_dnd_start_ts": 1450387800,
        "next_dnd_end_ts": 1450423800,
    }
    assert found["U0OLU"] == {"dnd_enabled": False, "next_dnd_start_ts": 1, "next_dnd_end_ts": 1}
    assert call(ws, "dnd.teamInfo")["error"] == "no_users_provided"
    assert "error" in call(ws, "dnd.teamInfo", users=",".join(["U0DANA"] * 51))
    profile = call(ws, "users.info", user="U0DANA")["user"]["profile"]
    assert (profile["status_text"], profile["status_emoji"], profile["status_expiration"]) == ("OOO", ":palm_tree:", 0)


def test_the_directory_answers_as_slack_does(ws: Workspace) -> None:
    assert call(ws, "users.lookupByEmail", email="Dana@Example.com")["user"]["id"] == "U0DANA"
    ws.change_user("U0DANA", deleted=True)
    assert call(ws, "users.lookupByEmail", email="dana@example.com")["error"] == "users_not_found"
    assert call(ws, "users.info", user="U0DANA")["user"]["deleted"] is True
    assert "is_restricted" not in call(ws, "users.info", user="U0DANA")["user"]
    assert call(ws, "users.info", user="U0FAR")["user"]["is_stranger"] is True
    assert "U0FAR" not in [user["id"] for user in call(ws, "users.list")["members"]]
    assert call(ws, "usergroups.list", include_users=True)["usergroups"][0]["users"] == ["U0OLU", "U0DANA"]
    assert call(ws, "usergroups.users.list", usergroup="S0NONE")["error"] == "no_such_subteam"
    ws.change_group("S0PLAT", disabled=True)
    assert call(ws, "usergroups.list")["usergroups"] == []


def test_lists_come_in_pages(ws: Workspace) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        part = call(ws, "users.list", limit=2, cursor=cursor)
        seen += [user["id"] for user in part["members"]]
        cursor = part["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert seen == ["U0PRODBOT", "U0DANA", "U0OLU", "U0GUEST"]
    assert call(ws, "users.list", cursor="nonsense")["error"] == "invalid_cursor"


def test_changes_are_announced(ws: Workspace) -> None:
    heard: list[dict[str, Any]] = []
    ws.listeners.append(heard.append)
    ws.change_user("U0OLU", is_restricted=True)
    ws.change_group("S0PLAT", users=[])
    assert [event["type"] for event in heard] == ["user_change", "subteam_updated"]
    assert heard[0]["user"]["is_restricted"] is True


def test_a_seed_names_only_people_who_exist(ws: Workspace) -> None:
    with pytest.raises(CannotDo, match="U0TYPO"):
        plant(ws, {"channels": [{"id": "C0X", "name": "x", "members": ["U0TYPO"]}]})
    assert "C0OPS" in [channel["id"] for channel in as_seed(ws)["channels"]]


def test_what_is_typed_is_escaped_for_the_app(ws: Workspace) -> None:
    typed = "give @dana and @platform #ops <!channel> & https://example.com/a?b=1 me@example.com @nobody"
    assert escaped(ws, typed) == (
        "give <@U0DANA|dana> and <!subteam^S0PLAT|@platform> <#C0OPS|ops> &lt;!channel&gt; &amp; "
        "<https://example.com/a?b=1> me@example.com @nobody"
    )


# Permissions that run out


def test_a_trigger_lives_three_seconds_and_works_once(clock: MovableClock) -> None:
    triggers = Triggers(clock)
    used, late = triggers.issue("U0DANA"), triggers.issue("U0DANA")
    assert triggers.exchange(used).user == "U0DANA"
    for identity, error in ((used, "exchanged_trigger_id"), ("1.2.3", "invalid_trigger_id")):
        with pytest.raises(ApiError, match=error):
            triggers.exchange(identity)
    clock.advance(3.1)
    with pytest.raises(ApiError, match="expired_trigger_id"):
        triggers.exchange(late)


def test_a_response_url_works_five_times_in_thirty_minutes(clock: MovableClock) -> None:
    urls = ResponseUrls(clock)
    token, late = urls.issue("U0DANA", "C0OPS"), urls.issue("U0DANA", "C0OPS")
    for _ in range(5):
        urls.use(token)
    with pytest.raises(ApiError, match="used_url"):
        urls.use(token)
    clock.advance(30 * 60 + 1)
    with pytest.raises(ApiError, match="expired_url"):
        urls.use(late)


def test_answers_at_a_response_url_go_where_slack_puts_them(ws: Workspace) -> None:
    post = call(ws, "chat.postMessage", channel="C0OPS", text="card")["ts"]
    token = ws.response_urls.issue("U0OLU", "C0OPS", post)
    at_url(ws, token, {"text": "only you"})
    at_url(ws, token, {"text": "everybody", "response_type": "in_channel", "thread_ts": post})
    at_url(ws, token, {"text": "changed", "replace_original": True})
    with pytest.raises(ApiError, match="no_text"):
        at_url(ws, token, {})
    channel = ws.channel("C0OPS")
    assert [(m.text, m.ephemeral_to) for m in channel.ephemerals] == [("only you", "U0OLU")]
    assert [(m.text, m.thread_ts) for m in channel.messages.values()] == [("changed", post), ("everybody", post)]
    at_url(ws, token, {"delete_original": True})
    assert channel.messages[post].deleted


def test_a_command_has_no_original_to_replace(ws: Workspace) -> None:
    token = ws.response_urls.issue("U0DANA", "C0OPEN")
    at_url(ws, token, {"text": "one"})
    at_url(ws, token, {"text": "two", "replace_original": True})
    assert [message.text for message in ws.channel("C0OPEN").ephemerals] == ["one", "two"]


# Views


def home(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "home", "blocks": list(blocks)}


def test_a_home_that_changed_meanwhile_is_a_conflict(ws: Workspace) -> None:
    first = call(ws, "views.publish", user_id="U0DANA", view=home())["view"]
    call(ws, "views.publish", user_id="U0DANA", view=home({"type": "divider"}), hash=first["hash"])
    again = call(ws, "views.publish", user_id="U0DANA", view=home(), hash=first["hash"])
    assert again["error"] == "hash_conflict"


def test_a_stack_holds_three_modals(ws: Workspace) -> None:
    modal = {"type": "modal", "title": {"type": "plain_text", "text": "M"}, "blocks": []}
    root = call(ws, "views.open", trigger_id=ws.triggers.issue("U0DANA"), view=modal)["view"]
    for expected in (True, True, False):
        answer = call(ws, "views.push", trigger_id=ws.triggers.issue("U0DANA", root["id"]), view=modal)
        assert answer["ok"] is expected
    assert answer["error"] == "push_limit_reached"
    assert call(ws, "views.update", view_id="V0NONE", view=modal)["error"] == "not_found"


def test_what_was_typed_survives_an_update_only_in_the_same_element(ws: Workspace) -> None:
    options = [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("a", "b")]
    menu = {"type": "static_select", "action_id": "m", "options": options}
    blocks = [{"type": "input", "block_id": "i", "element": menu}]
    before = {"i": {"m": value_of(menu, "b")}}
    assert initial_state(blocks, before) == before
    menu["options"] = options[:1]
    assert initial_state(blocks, before)["i"]["m"]["selected_option"] is None
    with pytest.raises(CannotDo, match="no 'b'"):
        value_of(menu, "b")


# Access


def test_the_wrong_token_opens_nothing(ws: Workspace) -> None:
    api = WebApi(ws)
    assert api.answer("auth.test", {}, None, None).body["error"] == "not_authed"
    assert api.answer("auth.test", {}, "xoxb-wrong", None).body["error"] == "invalid_auth"
    assert api.answer("auth.test", {}, ws.app.app_token, None).body["error"] == "not_allowed_token_type"
    assert api.answer("chat.shout", {}, ws.app.bot_token, None).body["error"] == "unknown_method"


def test_rate_limits_are_enforced_when_asked(ws: Workspace, clock: MovableClock) -> None:
    api = WebApi(ws)
    api.rate_limits.enforced = True
    post = {"channel": "C0OPS", "text": "x"}
    statuses = [api.answer("chat.postMessage", post, ws.app.bot_token, None).status for _ in range(2)]
    assert statuses == [200, 429]
    clock.advance(1.1)
    assert api.answer("chat.postMessage", post, ws.app.bot_token, None).status == 200
    lists = [api.answer("usergroups.list", {}, ws.app.bot_token, None) for _ in range(21)]
    assert [answer.status for answer in lists] == [200] * 20 + [429]
    assert int(lists[-1].headers["Retry-After"]) > 1


def test_numbers_and_flags_arrive_as_text_too() -> None:
    arguments = Arguments({"inclusive": "1", "limit": "7", "users": ""})
    assert arguments.flag("inclusive")
    assert arguments.number("limit", 1, 10) == 7
    assert arguments.text("users") is None
    with pytest.raises(ApiError, match="invalid_limit"):
        arguments.number("limit", 1, 5)


# What a person may


def test_a_person_cannot_do_what_the_client_would_not_let_them() -> None:
    slack = SlackServer(SEED)
    dana, olu = slack.person("U0DANA"), slack.person("U0OLU")
    with pytest.raises(CannotDo, match="do not work in threads"):
        olu.command("/prodaccess", "x", channel="C0OPS", thread_ts="1.0")
    with pytest.raises(CannotDo, match="not a valid command"):
        olu.command("/other", "x", channel="C0OPS")
    with pytest.raises(CannotDo, match="not in C0OPS"):
        dana.command("/prodaccess", "x", channel="C0OPS")
    with pytest.raises(CannotDo, match="other organisations"):
        slack.person("U0FAR").command("/prodaccess", "x", channel="C0OPS")
    with pytest.raises(CannotDo, match="archived"):
        dana.say("C0OLD", "x")
    with pytest.raises(CannotDo, match="does not see"):
        dana.messages("C0HIDE")
    slack.workspace.change_user("U0OLU", deleted=True)
    with pytest.raises(CannotDo, match="deactivated"):
        olu.command("/prodaccess", "x", channel="C0OPS")
    forged = slack.person("U0OLU", force=True).command("/prodaccess", "x", channel="C0OPS")
    assert forged.error == "dispatch_failed"


def test_everybody_sees_their_own_slack() -> None:
    slack = SlackServer(SEED)
    ws = slack.workspace
    call(ws, "chat.postMessage", channel="C0OPS", text="<@U0OLU> look")
    call(ws, "chat.postEphemeral", channel="C0OPS", user="U0OLU", text="psst")
    call(ws, "chat.postMessage", channel="U0DANA", text="for you")
    olu, fay, dana = (slack.person(user) for user in ("U0OLU", "U0FAR", "U0DANA"))
    assert [message.text for message in olu.messages("C0OPS")] == ["<@U0OLU> look", "psst"]
    assert [message.text for message in fay.messages("C0OPS")] == ["<@U0OLU> look"]
    assert [message.text for message in dana.dms()] == ["for you"]
    assert [message.text for message in olu.notifications()] == ["<@U0OLU> look"]
    assert (olu.unread("C0OPS"), fay.unread("C0OPS")) == (2, 1)
    olu.mark_read("C0OPS")
    assert olu.unread("C0OPS") == 0


# What it does not say, and whose account it is


def test_in_an_organisation_slack_names_it_and_the_workspaces_of_everybody(clock: MovableClock) -> None:
    ws = Workspace(AppSettings(enterprise_id="E0CORP"), clock)
    plant(ws, {"users": [{"id": "U0FAY", "name": "fay", "team_id": "T0OTHER", "teams": ["T0OTHER", "T0EXAMPLE"]}]})
    assert call(ws, "auth.test")["enterprise_id"] == "E0CORP"
    named = call(ws, "users.info", user="U0FAY")["user"]["enterprise_user"]
    assert (named["enterprise_id"], named["teams"]) == ("E0CORP", ["T0OTHER", "T0EXAMPLE"])


def test_somebody_else_may_have_the_same_id_in_another_workspace(ws: Workspace) -> None:
    with SlackServer(SEED) as slack:
        assert slack.person("U0OLU").user.team_id == "T0EXAMPLE"
        assert slack.person("U0OLU", team="T0OTHER").user.team_id == "T0OTHER"
    assert "enterprise_user" not in call(ws, "users.info", user="U0OLU")["user"]


def test_who_is_not_visible_is_not_said_to_be_gone(ws: Workspace) -> None:
    ws.change_user("U0DANA", is_visible=False)
    assert call(ws, "users.info", user="U0DANA")["error"] == "user_not_visible"
    assert call(ws, "users.lookupByEmail", email="dana@example.com")["error"] == "users_not_found"


def test_profiles_are_odd_where_a_test_wants_them_so(ws: Workspace) -> None:
    ws.change_user("U0DANA", odd={"tz": "Mars/Olympus", "real_name": None, "profile": {"status_expiration": 1e300}})
    user = call(ws, "users.info", user="U0DANA")["user"]
    assert (user["tz"], user["profile"]["status_expiration"]) == ("Mars/Olympus", 1e300)
    assert "real_name" not in user


def test_events_come_late_repeated_and_the_newest_first() -> None:
    with SlackServer(SEED) as slack:
        slack.app.ack_timeout_s = 0.01
        slack.courier.hold_events()
        slack.workspace.change_user("U0DANA", deleted=True)
        slack.workspace.change_user("U0DANA", deleted=False)
        before = len([d for d in slack.courier.sent if d.acks])
        slack.courier.release_events(times=2)
        slack.courier.settle()
        tried = [d.payload["event"]["user"]["deleted"] for d in slack.courier.sent if d.acks][before:]
        assert sorted(tried) == [False, True]
        assert all(len(d.acks) == 2 for d in slack.courier.sent if d.acks)

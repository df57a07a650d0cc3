"""A real Bolt app against the stand-in, over signed HTTP and over Socket Mode: both have to tell the same story."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from slack_bolt import Ack as BoltAck
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.sandbox.slack import CannotDo, Form, SlackServer, words
from tests.support.door import served
from tests.support.waiting import eventually

SEED = {
    "users": [
        {"id": "U0DANA", "name": "dana", "real_name": "Dana Dev"},
        {"id": "U0OLU", "name": "olu", "real_name": "Olu Owner"},
    ],
    "groups": [{"id": "S0PLATFORM", "handle": "platform", "users": ["U0OLU"]}],
    "channels": [{"id": "C0OPS", "name": "ops", "members": ["U0DANA", "U0OLU"]}],
}
OPTIONS = [{"text": {"type": "plain_text", "text": name}, "value": name.lower()} for name in ("Payments", "Search")]
CARD: list[dict[str, Any]] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*Dana* asks <@U0OLU>"}},
    {
        "type": "actions",
        "block_id": "decide",
        "elements": [
            {
                "type": "button",
                "action_id": "approve",
                "value": "PA-1",
                "text": {"type": "plain_text", "text": "Approve"},
                "confirm": {
                    "title": {"type": "plain_text", "text": "Sure?"},
                    "text": {"type": "plain_text", "text": "Dana, payments, 1 h"},
                    "confirm": {"type": "plain_text", "text": "Yes"},
                    "deny": {"type": "plain_text", "text": "No"},
                },
            },
            {"type": "external_select", "action_id": "which", "min_query_length": 0},
        ],
    },
]
VIEW: dict[str, Any] = {
    "type": "modal",
    "callback_id": "ask",
    "notify_on_close": True,
    "title": {"type": "plain_text", "text": "Ask"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "env",
            "dispatch_action": True,
            "label": {"type": "plain_text", "text": "Environment"},
            "element": {"type": "static_select", "action_id": "env", "options": OPTIONS},
        },
        {
            "type": "input",
            "block_id": "why",
            "label": {"type": "plain_text", "text": "Why"},
            "element": {"type": "plain_text_input", "action_id": "why", "min_length": 3},
        },
    ],
}


class Bolt:
    """A small app that notes what it hears. `answers` decides what a submission is acknowledged with."""

    def __init__(self, slack: SlackServer) -> None:
        self.heard: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.silent = threading.Event()
        client = WebClient(slack.app.bot_token, base_url=slack.api_url)
        self.app = App(client=client, signing_secret=slack.app.signing_secret, token_verification_enabled=False)
        self.app.command("/prodaccess")(self.command)
        self.app.action("approve")(self.approve)
        self.app.action({"type": "block_actions", "action_id": "which"})(self.note)
        self.app.action({"type": "block_actions", "action_id": "env"})(self.choose_env)
        self.app.options("which")(self.options)
        self.app.view("ask")(self.submitted)
        self.app.view_closed("ask")(self.note)
        self.app.shortcut("open_form")(self.open_form)
        self.app.shortcut("ask_here")(self.open_form)
        self.app.event("app_home_opened")(self.home)
        self.app.event("user_change")(lambda event: self.heard.append({"type": event["type"], "event": event}))

    def note(self, ack: BoltAck, body: dict[str, Any]) -> None:
        self.heard.append(body)
        ack()

    def command(self, ack: BoltAck, body: dict[str, Any], respond: Any, client: WebClient) -> None:
        self.heard.append(body)
        if self.silent.is_set():
            return
        match body["text"]:
            case "form":
                ack()
                client.views_open(trigger_id=body["trigger_id"], view=VIEW)
            case "card":
                ack()
                client.chat_postMessage(channel="C0OPS", text="Dana asks <@U0OLU>", blocks=CARD)
            case "later":
                ack()
                respond("later")
            case "broken":
                ack(blocks=[{"type": "section"}])
            case _:
                ack("at once")

    def approve(self, ack: BoltAck, body: dict[str, Any], respond: Any) -> None:
        self.heard.append(body)
        ack()
        respond(text="Approved", replace_original=True)

    def choose_env(self, ack: BoltAck, body: dict[str, Any], client: WebClient) -> None:
        self.heard.append(body)
        ack()
        title = {"type": "plain_text", "text": "Chosen"}
        client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=VIEW | {"title": title})

    def options(self, ack: BoltAck, body: dict[str, Any]) -> None:
        self.heard.append(body)
        ack(options=[option for option in OPTIONS if body["value"].lower() in option["value"]])

    def submitted(self, ack: BoltAck, body: dict[str, Any]) -> None:
        self.heard.append(body)
        if not self.silent.is_set():
            ack(**(self.answers.pop(0) if self.answers else {}))

    def open_form(self, ack: BoltAck, body: dict[str, Any], client: WebClient) -> None:
        self.heard.append(body)
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=VIEW)

    def home(self, event: dict[str, Any], client: WebClient) -> None:
        section = {"type": "section", "text": {"type": "plain_text", "text": "Nothing active"}}
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [section]})


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer(SEED) as server:
        server.app.ack_timeout_s = 1.0
        yield server


@pytest.fixture(params=["http", "socket"])
def bolt(request: pytest.FixtureRequest, slack: SlackServer) -> Iterator[Bolt]:
    logging.getLogger("slack_bolt").setLevel(logging.CRITICAL)
    played = Bolt(slack)
    yield from http(slack, played) if request.param == "http" else socket_mode(slack, played)


def http(slack: SlackServer, played: Bolt) -> Iterator[Bolt]:
    with served(played.app, slack):
        yield played


def socket_mode(slack: SlackServer, played: Bolt) -> Iterator[Bolt]:
    client = WebClient(slack.app.app_token, base_url=slack.api_url)
    handler = SocketModeHandler(played.app, slack.app.app_token, web_client=client)
    handler.connect()
    slack.wait_connected()
    yield played
    hang_up(slack, handler.client)


def hang_up(slack: SlackServer, client: Any) -> None:
    """`handler.close()` without its waits: it sits out a receive of seconds, and a queue's second."""
    client.auto_reconnect_enabled = False
    client.closed = True
    slack.sockets.disconnect(abruptly=True)
    client.message_processor.event.set()
    client.current_app_monitor.shutdown()
    client.current_session_state.terminated = True
    client.current_session_runner.shutdown()
    client.message_workers.shutdown(wait=False)
    if client.is_connected():
        client.disconnect()


def opened(slack: SlackServer) -> Form:
    slack.person("U0DANA").command("/prodaccess", "form", channel="C0OPS")
    return eventually(lambda: slack.person("U0DANA").view())


def test_answer_in_the_acknowledgement_is_for_the_one_who_asked(slack: SlackServer, bolt: Bolt) -> None:
    outcome = slack.person("U0DANA").command("/prodaccess", "help @olu in #ops & more", channel="C0OPS")
    assert outcome.ok
    assert [message.text for message in slack.person("U0DANA").ephemerals("C0OPS")] == ["at once"]
    assert slack.person("U0OLU").messages("C0OPS") == []
    assert bolt.heard[0]["text"] == "help <@U0OLU|olu> in <#C0OPS|ops> &amp; more"
    assert (bolt.heard[0]["user_id"], bolt.heard[0]["channel_name"]) == ("U0DANA", "ops")


def test_answer_at_the_response_url_comes_later(slack: SlackServer, bolt: Bolt) -> None:
    slack.person("U0DANA").command("/prodaccess", "later", channel="C0OPS")
    eventually(lambda: slack.person("U0DANA").ephemerals("C0OPS"))


def test_an_answer_that_slack_would_refuse_is_an_invalid_command_response(slack: SlackServer, bolt: Bolt) -> None:
    outcome = slack.person("U0DANA").command("/prodaccess", "broken", channel="C0OPS")
    assert outcome.error == "invalid_command_response"
    assert "missing required field: text" in str(outcome.detail)


def test_silence_is_a_timeout_that_the_person_reads(slack: SlackServer, bolt: Bolt) -> None:
    bolt.silent.set()
    slack.app.ack_timeout_s = 0.2
    outcome = slack.person("U0DANA").command("/prodaccess", "help", channel="C0OPS")
    assert outcome.shown == '/prodaccess failed with the error "operation_timeout"'
    assert [notice.text for notice in slack.person("U0DANA").notices()] == [outcome.shown]


def test_a_press_carries_the_message_and_its_answer_replaces_it(slack: SlackServer, bolt: Bolt) -> None:
    slack.person("U0DANA").command("/prodaccess", "card", channel="C0OPS")
    olu = slack.person("U0OLU")
    card = eventually(lambda: olu.messages("C0OPS"))[0]
    assert card.pinged == ("U0OLU",)
    assert olu.press(card, "approve", confirm=False).error == "cancelled"
    outcome = olu.press(card, "approve", "PA-1")
    assert outcome.ok
    assert outcome.confirmed
    assert outcome.confirmed["text"]["text"] == "Dana, payments, 1 h"
    pressed = bolt.heard[-1]
    assert pressed["message"]["ts"] == pressed["container"]["message_ts"] == card.ts
    assert pressed["actions"][0]["value"] == "PA-1"
    assert eventually(lambda: olu.message("C0OPS", card.ts).text == "Approved")
    with pytest.raises(CannotDo, match="0 elements 'approve'"):
        olu.press(card, "approve")
    assert olu.press(card, "approve", stale=True).ok


def test_a_type_ahead_menu_asks_the_app_for_its_entries(slack: SlackServer, bolt: Bolt) -> None:
    slack.person("U0DANA").command("/prodaccess", "card", channel="C0OPS")
    card = eventually(lambda: slack.person("U0OLU").messages("C0OPS"))[0]
    assert slack.person("U0OLU").choose(card, "which", "Search", query="sea").ok
    assert [body["type"] for body in bolt.heard[-2:]] == ["block_suggestion", "block_actions"]
    assert bolt.heard[-1]["actions"][0]["selected_option"]["value"] == "search"


def test_a_form_is_filled_and_sent(slack: SlackServer, bolt: Bolt) -> None:
    form = opened(slack)
    assert form.submit().error == "incomplete"
    assert set(form.errors) == {"env", "why"}
    assert form.fill("env", "Payments").ok
    assert eventually(lambda: form.title == "Chosen")
    form.fill("why", "INC-42")
    assert form.submit().ok
    assert slack.person("U0DANA").view() is None
    values = bolt.heard[-1]["view"]["state"]["values"]
    assert values["why"]["why"] == {"type": "plain_text_input", "value": "INC-42"}
    assert values["env"]["env"]["selected_option"]["value"] == "payments"


def test_what_the_app_answers_to_a_form_happens_to_it(slack: SlackServer, bolt: Bolt) -> None:
    form = opened(slack)
    form.fill("env", "search")
    form.fill("why", "INC-42")
    eventually(lambda: form.title == "Chosen")
    other = VIEW | {"title": {"type": "plain_text", "text": "Other"}}
    bolt.answers += [
        {"response_action": "errors", "errors": {"why": "Too short"}},
        {"response_action": "errors", "errors": {"nowhere": "Lost"}},
        {"response_action": "update", "view": other},
        {"response_action": "push", "view": VIEW},
    ]
    assert form.submit().ok
    assert form.errors == {"why": "Too short"}
    assert form.submit().error == "invalid_response"
    assert form.trouble == "We had some trouble connecting. Try again?"
    assert form.submit().ok
    assert form.title == "Other"
    assert form.submit().ok
    top = slack.person("U0DANA").form()
    assert (top.title, top.view.previous_id) == ("Ask", form.view.id)
    assert top.close().ok
    eventually(lambda: bolt.heard[-1]["type"] == "view_closed")
    assert slack.person("U0DANA").form().view is form.view


def test_silence_leaves_the_form_open(slack: SlackServer, bolt: Bolt) -> None:
    form = opened(slack)
    form.fill("env", "search")
    form.fill("why", "INC-42")
    bolt.silent.set()
    slack.app.ack_timeout_s = 0.2
    assert form.submit().error == "operation_timeout"
    assert form.is_open
    assert form.trouble


def test_shortcuts_open_the_form(slack: SlackServer, bolt: Bolt) -> None:
    dana = slack.person("U0DANA")
    said = dana.say("C0OPS", "checkout is down")
    assert dana.message_shortcut(said, "ask_here").ok
    assert eventually(dana.view)
    assert bolt.heard[-1]["message"]["text"] == "checkout is down"
    assert dana.form().close().ok
    assert dana.shortcut("open_form").ok
    assert eventually(dana.view)


def test_events_arrive(slack: SlackServer, bolt: Bolt) -> None:
    slack.person("U0DANA").open_home()
    home = eventually(slack.person("U0DANA").home)
    assert words(home.view) == "Nothing active"
    slack.workspace.change_user("U0OLU", deleted=True)
    changed = eventually(lambda: bolt.heard and bolt.heard[-1])
    assert changed["event"]["user"]["deleted"] is True


@pytest.mark.parametrize("bolt", ["http"], indirect=True)
def test_bolt_refuses_what_is_not_signed_by_slack(slack: SlackServer, bolt: Bolt) -> None:
    dana = slack.person("U0DANA")
    assert slack.verify_url()
    for spoilt in ({"bad_signature": True}, {"timestamp_shift_s": -600}):
        slack.courier.spoil_next(**spoilt)
        outcome = dana.command("/prodaccess", "help", channel="C0OPS")
        assert outcome.delivery
        assert (outcome.error, outcome.delivery.ack.status) == ("dispatch_failed", 401)
    assert bolt.heard == []


def test_the_same_thing_can_arrive_twice(slack: SlackServer, bolt: Bolt) -> None:
    slack.courier.spoil_next(copies=2, retry_num=1)
    outcome = slack.person("U0DANA").command("/prodaccess", "help", channel="C0OPS")
    assert outcome.delivery
    assert [ack.ok for ack in outcome.delivery.acks] == [True, True]
    assert slack.courier.redeliver(outcome.delivery).ok
    assert len({body["trigger_id"] for body in bolt.heard}) == 1
    assert len(bolt.heard) == 3


@pytest.mark.parametrize("bolt", ["socket"], indirect=True)
def test_an_app_that_is_told_to_reconnect_does(slack: SlackServer, bolt: Bolt) -> None:
    slack.sockets.disconnect()
    assert slack.person("U0DANA").command("/prodaccess", "help", channel="C0OPS").error == "dispatch_failed"
    slack.wait_connected()
    assert slack.person("U0DANA").command("/prodaccess", "help", channel="C0OPS").ok


def test_a_paused_delivery_times_out_without_reaching_the_app(slack: SlackServer, bolt: Bolt) -> None:
    slack.app.ack_timeout_s = 0.1
    slack.courier.pause()
    assert slack.person("U0DANA").command("/prodaccess", "help", channel="C0OPS").error == "operation_timeout"
    slack.courier.resume()
    assert bolt.heard == []

"""The stand-in as slack_sdk and other processes see it: real sockets, faults, lost answers, the control API."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.models.blocks import ButtonElement, ConfirmObject, SectionBlock, StaticSelectElement
from slack_sdk.models.blocks.basic_components import Option
from slack_sdk.models.views import View
from slack_sdk.webhook import WebhookClient
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from bot.sandbox.slack import AppSettings, SlackServer

SEED: dict[str, Any] = {
    "users": [{"id": "U0DANA", "name": "dana"}, {"id": "U0OLU", "name": "olu"}],
    "channels": [{"id": "C0OPS", "name": "ops", "members": ["U0DANA", "U0OLU"]}],
}


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer(SEED) as server:
        yield server


@pytest.fixture
def client(slack: SlackServer) -> WebClient:
    return WebClient(slack.app.bot_token, base_url=slack.api_url, timeout=60, retry_handlers=[])


@pytest.fixture
def control(slack: SlackServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{slack.base_url}/_control/") as client:
        yield client


def error_of(caught: pytest.ExceptionInfo[SlackApiError]) -> str:
    return str(caught.value.response["error"])


def test_what_slack_sdks_models_build_is_taken(slack: SlackServer, client: WebClient) -> None:
    options = [Option(text="One hour", value="1h"), Option(text="Two hours", value="2h")]
    confirm = ConfirmObject(title="Sure?", text="Really", confirm="Yes", deny="No")
    section = SectionBlock(
        text="*Dana* asks",
        accessory=ButtonElement(text="Go", action_id="go", style="danger", confirm=confirm),
    )
    menu = SectionBlock(
        text="How long",
        accessory=StaticSelectElement(placeholder="?", action_id="long", options=options, initial_option=options[0]),
    )
    answer = client.chat_postMessage(channel="C0OPS", text="Dana asks", blocks=[section, menu])
    assert answer["message"]["blocks"][0]["accessory"]["action_id"] == "go"
    view = View(type="home", blocks=[section])
    assert client.views_publish(user_id="U0DANA", view=view)["view"]["type"] == "home"
    assert client.users_info(user="U0DANA")["user"]["profile"]["email"] == "dana@example.com"
    assert client.conversations_list(types="public_channel", limit=1)["channels"][0]["is_member"] is True
    assert client.auth_test()["bot_id"] == slack.app.bot_id


def test_a_refusal_says_where(client: WebClient) -> None:
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="C0OPS", text="x", blocks=[{"type": "section"}])
    assert error_of(caught) == "invalid_blocks"
    messages = caught.value.response["response_metadata"]["messages"]
    assert messages == ["[ERROR] missing required field: text [json-pointer:/blocks/0]"]


def test_a_rate_limit_says_how_long(slack: SlackServer, client: WebClient) -> None:
    slack.faults.add("chat.postMessage", status=429, retry_after_s=7)
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="C0OPS", text="x")
    assert caught.value.response.headers["Retry-After"] == "7"
    assert error_of(caught) == "ratelimited"
    client.chat_postMessage(channel="C0OPS", text="x")
    assert [call.error for call in slack.calls.since()] == ["http_429", None]


def test_slack_sdk_comes_back_after_a_rate_limit(slack: SlackServer) -> None:
    slack.faults.add("auth.test", status=429, retry_after_s=0)
    handlers = [RateLimitErrorRetryHandler(max_retry_count=1)]
    client = WebClient(slack.app.bot_token, base_url=slack.api_url, retry_handlers=handlers)
    assert client.auth_test()["ok"]
    assert slack.calls.counts()["auth.test"] == 2


def test_a_lost_answer_leaves_the_message_behind(slack: SlackServer, client: WebClient) -> None:
    slack.faults.add("chat.postMessage", drop="after")
    with pytest.raises(OSError):
        client.chat_postMessage(channel="C0OPS", text="posted")
    slack.faults.add("chat.postMessage", drop="before")
    with pytest.raises(OSError):
        client.chat_postMessage(channel="C0OPS", text="never")
    assert [message.text for message in slack.person("U0OLU").messages("C0OPS")] == ["posted"]


def test_faults_hit_whom_they_are_meant_for(slack: SlackServer, client: WebClient) -> None:
    slack.faults.add("*", times=None, error="restricted_action", where={"channel": "C0OPS"})
    slack.faults.add("users.info", status=503)
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="C0OPS", text="x")
    assert error_of(caught) == "restricted_action"
    assert client.chat_postMessage(channel="U0DANA", text="x")["ok"]
    with pytest.raises(SlackApiError):
        client.users_info(user="U0DANA")
    slack.faults.clear()
    assert client.chat_postMessage(channel="C0OPS", text="x")["ok"]


def test_a_slow_answer_comes_too_late(slack: SlackServer) -> None:
    client = WebClient(slack.app.bot_token, base_url=slack.api_url, timeout=1, retry_handlers=[])
    # Far longer than the client waits: what it measures begins late on a busy machine.
    slack.faults.add("auth.test", delay_s=5)
    with pytest.raises(TimeoutError):
        client.auth_test()


def test_calls_are_counted_since_a_mark(slack: SlackServer, client: WebClient) -> None:
    client.auth_test()
    mark = slack.calls.mark()
    client.chat_postMessage(channel="C0OPS", text="x")
    client.users_info(user="U0DANA")
    assert slack.calls.counts(mark) == {"chat.postMessage": 1, "users.info": 1}
    assert slack.calls.since(mark, "users.info")[0].arguments == {"user": "U0DANA"}


def test_a_response_url_takes_slack_sdks_webhook_client(slack: SlackServer) -> None:
    token = slack.workspace.response_urls.issue("U0DANA", "C0OPS")
    webhook = WebhookClient(f"{slack.base_url}/response/{token}")
    bodies = [webhook.send(text=f"{n}").body for n in range(6)]
    assert bodies == ["ok"] * 5 + ["used_url"]
    assert len(slack.person("U0DANA").ephemerals("C0OPS")) == 5


def test_broken_json_is_refused(slack: SlackServer) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {slack.app.bot_token}"}
    answer = httpx.post(f"{slack.api_url}auth.test", content="{", headers=headers)
    assert answer.json()["error"] == "invalid_json"


def test_a_socket_mode_ticket_admits_once(slack: SlackServer) -> None:
    url = WebClient(base_url=slack.api_url).apps_connections_open(app_token=slack.app.app_token)["url"]
    with connect(url) as socket:
        hello = json.loads(socket.recv())
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        assert hello["connection_info"] == {"app_id": slack.app.app_id}
        with pytest.raises(InvalidStatus), connect(url):
            pass


def test_envelopes_go_round_the_open_connections(slack: SlackServer) -> None:
    opener = WebClient(base_url=slack.api_url)
    urls = [opener.apps_connections_open(app_token=slack.app.app_token)["url"] for _ in range(2)]
    slack.app.ack_timeout_s = 0.05
    with connect(urls[0]) as one, connect(urls[1]) as other:
        assert [json.loads(socket.recv())["type"] for socket in (one, other)] == ["hello", "hello"]
        for text in ("first", "second"):
            outcome = slack.person("U0DANA").command("/prodaccess", text, channel="C0OPS")
            assert outcome.error == "operation_timeout"
        got = [json.loads(socket.recv(timeout=60)) for socket in (one, other)]
        assert {envelope["payload"]["text"] for envelope in got} == {"first", "second"}
        assert all(envelope["accepts_response_payload"] for envelope in got)
        one.send(json.dumps({"envelope_id": got[0]["envelope_id"], "payload": {"text": "too late"}}))
        slack.sockets.disconnect("warning")
        assert json.loads(one.recv(timeout=60))["reason"] == "warning"
    assert slack.person("U0DANA").ephemerals() == []


# The control API


def test_another_process_can_play_everybody(slack: SlackServer, client: WebClient, control: httpx.Client) -> None:
    info = control.get("info").json()
    assert info["app"]["bot_token"] == slack.app.bot_token
    control.post("seed", json={"users": [{"id": "U0NEW", "name": "nia"}]})
    control.post("workspace/change_channel", json={"id": "C0OPS", "members": ["U0NEW", "U0PRODBOT"]})
    client.chat_postMessage(
        channel="C0OPS",
        text="<@U0NEW> look",
        blocks=[{"type": "actions", "elements": [{"type": "button", "action_id": "go", "text": {
            "type": "plain_text", "text": "Go"}}]}],
    )  # fmt: skip
    seen = control.get("people/U0NEW").json()
    post = seen["channels"]["C0OPS"][0]
    assert (post["buttons"], post["pinged"]) == (["Go"], ["U0NEW"])
    pressed = control.post("people/U0NEW/press", json={"message": post["ts"], "channel": "C0OPS", "action_id": "go"})
    assert pressed.json()["error"] == "dispatch_failed"
    assert len(control.get("people/U0NEW").json()["notices"]) == 1
    nothing = control.post("people/U0NEW/press", json={"message": post["ts"], "channel": "C0OPS", "action_id": "no"})
    assert (nothing.status_code, nothing.json()["cannot"]) == (409, True)
    assert control.post("people/U0NEW/modal/submit").status_code == 409
    assert control.post("people/U0NEW/say", json={"channel": "C0OPS", "text": "hi"}).json()["text"] == "hi"
    assert control.post("people/U0GONE/shortcut", json={"callback_id": "x"}).json()["error"] == "user_not_found"
    assert control.post("people/U0NEW/__init__").status_code == 409


def test_another_process_can_break_things(slack: SlackServer, client: WebClient, control: httpx.Client) -> None:
    control.post("faults", json={"method": "auth.test", "error": "fatal_error"})
    with pytest.raises(SlackApiError, match="fatal_error"):
        client.auth_test()
    assert control.get("calls", params={"since": "0"}).json()["counts"] == {"auth.test": 1}
    before = control.get("info").json()["now"]
    control.post("clock", json={"advance_s": 3600})
    assert control.get("info").json()["now"] - before > 3599
    control.post("settings", json={"delay_s": 0.0, "enforce_rate_limits": True, "request_url": "http://127.0.0.1:9/"})
    assert slack.rate_limits.enforced
    assert slack.app.request_url == "http://127.0.0.1:9/"
    control.post("delivery/spoil_next", json={"bad_signature": True})
    answer = control.post("people/U0DANA/command", json={"name": "/prodaccess", "text": "x", "channel": "C0OPS"})
    assert answer.json()["error"] == "dispatch_failed"
    sent = control.get("deliveries").json()
    assert control.post("delivery/redeliver", json={"id": sent[0]["id"]}).json()["error"] == "dispatch_failed"


def test_a_web_page_of_somebody_else_cannot_drive_it(control: httpx.Client) -> None:
    assert control.get("info", headers={"Origin": "https://evil.example"}).status_code == 403
    assert control.get("info", headers={"Host": "evil.example:80"}).status_code == 403


def test_it_runs_as_a_process(tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(SEED | {"app": {"bot_token": "xoxb-example", "commands": ["/access"]}}))
    command = [sys.executable, "-m", "bot.sandbox.slack", "--seed", str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            told = json.loads(process.stdout.readline())
            client = WebClient("xoxb-example", base_url=told["api_url"])
            assert client.users_info(user="U0DANA")["ok"]
            with urllib.request.urlopen(told["control_url"] + "info") as answer:
                assert json.load(answer)["app"]["commands"] == ["/access"]
        finally:
            process.terminate()
    assert process.returncode == 0


def test_settings_are_checked() -> None:
    with pytest.raises(TypeError):
        SlackServer({"app": {"colour": "green"}})
    assert AppSettings().bot_token != AppSettings().bot_token

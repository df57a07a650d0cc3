"""The sandbox's page over HTTP: who is let in, what it shows, what can be broken. The stand-ins alone; no bot runs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.installation.interrupts import CONFIG, example_policy
from bot.sandbox.installation.people import (
    ACCOUNTS,
    DANA,
    OLU,
    OWNERS_ROOM,
    PLAYERS,
    PRODUCTION,
    STAGING,
    TEAM_ROOM,
    aws_world,
    slack_world,
    teams_world,
)
from bot.sandbox.page import faults as page_faults
from bot.sandbox.page.page import Page
from bot.sandbox.slack import Ack, Delivery, SlackServer
from bot.sandbox.teams.server import TeamsServer
from tests.support.build import NOW
from tests.support.views import grant
from tests.support.waiting import PATIENCE_S, eventually
from workflows.core import keys
from workflows.ledger.memory import MemoryClock, MemoryLedger
from workflows.ports import Change, IndexEntry
from workflows.targets.aws.terms import own_terms

ACCOUNT = "210987654321"


class Machine:
    """What the bot would run on."""

    def __init__(self) -> None:
        self.killed: list[str] = []
        self.redis_restarts = 0
        self.told: Callable[[str], None] | None = None
        self.alive = True

    def keep_up(self, told: Callable[[str], None]) -> None:
        self.told = told

    def kill(self, name: str) -> bool:
        self.killed.append(name)
        return self.alive

    def restart_redis(self) -> None:
        self.redis_restarts += 1

    def output(self, words: Sequence[str]) -> str:
        return f"{' '.join(words)}: said"


class Site:
    def __init__(self, aws: Any, static: Path) -> None:
        aws.reset(aws_world())
        self.aws = aws
        self.machine = Machine()
        self.slack = SlackServer(slack_world(), controlled=False)
        self.teams = TeamsServer(teams_world)
        self.page = Page(self.slack, self.teams, aws, self.machine, example_policy(CONFIG), static=static)
        self.ledger = MemoryLedger(MemoryClock(NOW))

    def get(self, path: str, **query: Any) -> Any:
        return self._json(httpx.get(f"{self.page.url}api/{path}", params=query))

    def post(self, path: str, **body: Any) -> Any:
        return self._json(httpx.post(f"{self.page.url}api/{path}", json=body, timeout=10))

    @staticmethod
    def _json(answer: httpx.Response) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()

    def bot(self) -> WebClient:
        return WebClient(self.slack.app.bot_token, base_url=self.slack.api_url, timeout=60, retry_handlers=[])

    def access(self, email: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = next(
            each["access"] for each in self.get("world")["people"] if each["person"] == email
        )
        return found


@pytest.fixture
def site(aws: Any, tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "index.html").write_text("<!doctype html><title>sandbox</title>")
    (tmp_path / "app.js").write_text("export {};")
    made = Site(aws, tmp_path)
    with made.slack, made.page.watching(made.ledger):
        yield made


class Heard:
    """A page that is open: the numbers it was last told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.numbers: list[dict[str, int]] = []
        self._response: httpx.Response | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Heard:
        self._thread.start()
        self.until(lambda _: True)
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True

    _over = False

    def _listen(self) -> None:
        with httpx.stream("GET", f"{self.url}api/events", timeout=30) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    self.numbers.append(json.loads(line.removeprefix("data: ")))
                if self._over:
                    return

    def until(self, told: Callable[[dict[str, int]], bool]) -> dict[str, int]:
        def look() -> dict[str, int] | None:
            last = self.numbers[-1] if self.numbers else None
            return last if last and told(last) else None

        found = eventually(look, lambda: f"told {self.numbers[-3:]}")
        assert found is not None
        return found


# ---------------------------------------------------------------- who is let in


@pytest.mark.parametrize(
    "path", ["", "/", "/sandbox", "/sandbox/", "/sandbox/x", "/sandbox/x/", "/sandbox/x/api/start"]
)
def test_without_the_token_nothing_is_found(site: Site, path: str) -> None:
    answer = httpx.get(f"{site.slack.base_url}{path}", follow_redirects=True)
    assert answer.status_code == 404
    assert site.page.token not in answer.text


def test_the_token_cannot_be_guessed(site: Site) -> None:
    assert len(site.page.token) >= 32


@pytest.mark.parametrize("path", ["info", "state", "people/U0DANA"])
def test_nobody_plays_people_without_the_page(site: Site, path: str) -> None:
    assert httpx.get(f"{site.slack.base_url}/_control/{path}").status_code == 404
    say = {"channel": TEAM_ROOM, "text": "hi"}
    assert httpx.post(f"{site.slack.base_url}/_control/people/U0DANA/say", json=say).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:80"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
@pytest.mark.parametrize("path", ["", "static/app.js", "api/start", "api/events", "api/people/U0DANA"])
def test_a_foreign_page_gets_nothing(site: Site, headers: dict[str, str], path: str) -> None:
    assert httpx.get(site.page.url + path, headers=headers).status_code == 403


def test_the_pages_own_origin_may_act(site: Site) -> None:
    said = {"channel": TEAM_ROOM, "text": "good morning"}
    own = {"Origin": site.slack.base_url}
    assert httpx.post(f"{site.page.url}api/people/U0DANA/say", json=said, headers=own).status_code == 200


@pytest.mark.parametrize("path", ["", "static/app.js", "api/start", "api/nothing", "static/nothing.js"])
def test_every_answer_forbids_what_the_page_does_not_need(site: Site, path: str) -> None:
    headers = httpx.get(site.page.url + path).headers
    policy = headers["content-security-policy"]
    for rule in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
    ):
        assert rule in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_the_page_itself_and_its_files_are_served(site: Site) -> None:
    assert "sandbox" in httpx.get(site.page.url).text
    assert "javascript" in httpx.get(f"{site.page.url}static/app.js").headers["content-type"]
    assert httpx.get(f"{site.page.url}static/../site.py").status_code == 404
    assert httpx.get(site.page.url.removesuffix("/"), follow_redirects=True).text == httpx.get(site.page.url).text


# ---------------------------------------------------------------- what it shows


def test_the_start_names_everybody_and_everything_that_can_be_typed(site: Site) -> None:
    start = site.get("start")
    assert start["command"] == "/prodaccess"
    assert start["bot"] == {"user": site.slack.app.bot_user_id, "name": "prodaccess"}
    assert {each["id"]: each["initials"] for each in start["people"]}["U0DANA"] == "DD"
    assert len(start["people"]) == len(PLAYERS)
    assert all(each["purpose"] and not each["private"] for each in start["channels"])
    production = next(each for each in start["environments"] if each["name"] == PRODUCTION)
    reading = next(each for each in production["roles"] if each["name"] == "read-only")
    assert (production["tier"], reading["durations"][0], reading["danger"]) == ("production", "20 s", None)
    verbs = {each["verb"]: each for each in start["verbs"]}
    assert verbs["deny"]["usage"] == "deny ID REASON"
    assert all(each["says"] and "`" not in each["says"] + each["usage"] for each in start["verbs"])
    assert start["shortcuts"] == [{"id": "request_access", "title": "Ask for access"}]
    assert start["message_shortcuts"] == [{"id": "request_access_here", "title": "Ask for access here"}]
    people = {each["id"] for each in start["people"]}
    rooms = {each["id"] for each in start["channels"]}
    assert all(
        each["as"] in people and each["in"] in rooms and each["text"] and each["says"] for each in start["hints"]
    )
    assert start["hints"][0]["text"] == "/prodaccess orders-prod read-only 20s INC-7 checkout errors"
    assert isinstance(start["now"], float)


def test_a_person_sees_what_is_for_them(site: Site) -> None:
    bot = site.bot()
    root = bot.chat_postMessage(channel=TEAM_ROOM, text="for all", metadata={"event_type": "x", "event_payload": {}})
    bot.chat_postMessage(channel=TEAM_ROOM, text="a reply", thread_ts=root["ts"])
    bot.chat_postEphemeral(channel=TEAM_ROOM, user=DANA.id, text="for Dana")
    bot.chat_postMessage(channel=DANA.id, text="in private")
    dana, olu = site.get(f"people/{DANA.id}"), site.get(f"people/{OLU.id}")
    assert [post["text"] for post in dana["channels"][TEAM_ROOM]] == ["for all", "for Dana"]
    assert [post["text"] for post in olu["channels"][TEAM_ROOM]] == ["for all"]
    first = dana["channels"][TEAM_ROOM][0]
    assert first["bot_id"] == site.slack.app.bot_id
    assert "metadata" not in first
    assert [reply["text"] for reply in first["replies"]] == ["a reply"]
    assert [post["ephemeral_to"] for post in dana["ephemerals"]] == [DANA.id]
    assert [post["text"] for post in dana["dms"]] == ["in private"]
    assert dana["dms"][0]["channel"] == dana["dm"]
    assert (dana["dm_unread"], dana["modal"], dana["modal_stack"], dana["home"]) == (1, None, 0, None)
    assert dana["unread"][TEAM_ROOM] == 2
    assert {"user", "notices", "now"} <= dana.keys()


def test_badges_count_what_rang_until_it_is_read(site: Site) -> None:
    site.bot().chat_postMessage(channel=OWNERS_ROOM, text=f"<@{OLU.id}>, please")
    site.bot().chat_postMessage(channel=OWNERS_ROOM, text="nobody in particular")
    assert site.get("badges") == {player.id: int(player is OLU) for player in PLAYERS}
    site.post(f"people/{OLU.id}/mark_read", channel=OWNERS_ROOM)
    assert not any(site.get("badges").values())


def test_what_slacks_client_would_not_allow_is_one_sentence(site: Site) -> None:
    answer = httpx.post(
        f"{site.page.url}api/people/U0DANA/press", json={"message": "1.0", "channel": TEAM_ROOM, "action_id": "x"}
    )
    assert answer.status_code == 409
    assert isinstance(answer.json()["error"], str)


def test_a_type_ahead_menu_is_asked_of_the_app(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    option = {"text": {"type": "plain_text", "text": "Payments"}, "value": "payments"}
    asked: list[Any] = []

    def deliver(kind: str, payload: Any) -> Delivery:
        asked.append(payload["value"])
        return Delivery("1", "interactive", payload, 0.0, [Ack({"options": [option]})])

    monkeypatch.setattr(site.slack.courier, "deliver", deliver)
    menu = {"type": "external_select", "action_id": "which", "min_query_length": 0}
    block = {"type": "actions", "block_id": "b", "elements": [menu]}
    posted = site.bot().chat_postMessage(channel=TEAM_ROOM, text="choose", blocks=[block])
    where = {"channel": TEAM_ROOM, "ts": posted["ts"]}
    found = site.post(
        f"people/{DANA.id}/options", **{"block_id": "b", "action_id": "which", "query": "pay", "in": where}
    )
    assert found == {"options": [option], "option_groups": []}
    assert asked == ["pay"]


def test_the_world_is_what_aws_holds(site: Site) -> None:
    assert site.get("world")["people"][0] == {"person": DANA.email, "name": DANA.name, "access": []}
    site.aws.world.assign(DANA.email, "ReadOnlyAccess", ACCOUNT)
    site.aws.world.join(DANA.email, "sales-readers")
    assigned, member = site.access(DANA.email)
    assert (assigned["what"], assigned["where"]) == ("ReadOnlyAccess", f"{ACCOUNT} (orders-prod)")
    assert (member["what"], member["kind"]) == ("member of sales-readers", "group")
    assert not assigned["standing"]
    assert assigned["until"] is None
    site.aws.world.unassign(DANA.email, "ReadOnlyAccess", ACCOUNT)
    assert [each["kind"] for each in site.access(DANA.email)] == ["group"]


def test_what_aws_does_not_end_by_itself_has_the_end_that_the_bot_arranged(site: Site) -> None:
    held = grant(holder_name=DANA.name)
    held = replace(held, terms=replace(held.terms, target=replace(own_terms(held.terms.target), account=ACCOUNT)))
    other = ACCOUNTS[STAGING]
    for account in (ACCOUNT, other):
        site.aws.world.assign(DANA.email, "ReadOnlyAccess", account)
    assert site.access(DANA.email)[0]["arranged"] is None
    snapshot = site.ledger.read(keys.grant(held.id))
    live = IndexEntry(keys.LIVE, held.id, held.deadline.timestamp())
    change = Change("x", snapshot.now, snapshot.versions(), puts={keys.grant(held.id): held}, index=(live,))
    site.ledger.commit(change)
    arranged = {row["account"]: row["arranged"] for row in site.access(DANA.email)}
    assert arranged == {ACCOUNT: held.deadline.timestamp(), other: None}  # the same role elsewhere is another access


def put_policy(site: Site, seconds: float) -> float:
    end = datetime.fromtimestamp(site.slack.clock(), UTC) + timedelta(seconds=seconds)
    until = end.replace(microsecond=0)
    limit = {"DateLessThan": {"aws:CurrentTime": until.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": limit}
    client = site.aws.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client.put_user_policy(UserName="dana", PolicyName="prodaccess-PA-1", PolicyDocument=document)
    client.close()
    return until.timestamp()


def test_a_policy_whose_own_end_has_passed_is_no_access(site: Site) -> None:
    until = put_policy(site, 60)
    (row,) = site.access(DANA.email)
    assert (row["kind"], row["until"], row["standing"]) == ("iam-policy", until, False)
    site.slack.clock.advance(61)
    assert site.access(DANA.email) == []


# ---------------------------------------------------------------- being told


def test_an_open_page_hears_of_each_kind_of_change(site: Site) -> None:
    with Heard(site.page.url) as page:
        before = page.until(lambda told: told["world"] > 0)
        site.bot().chat_postMessage(channel=TEAM_ROOM, text="news")
        page.until(lambda told: told["chat"] > before["chat"])
        site.aws.world.assign(DANA.email, "ReadOnlyAccess", ACCOUNT)
        page.until(lambda told: told["world"] > before["world"])
        site.post("faults/slack_slow", on=True)
        page.until(lambda told: told["faults"] > before["faults"])


def test_an_end_that_comes_by_itself_is_heard_as_well(site: Site) -> None:
    with Heard(site.page.url) as page:
        before = page.until(lambda told: told["world"] > 0)
        put_policy(site, 60)
        after = page.until(lambda told: told["world"] > before["world"])
        site.slack.clock.advance(61)
        page.until(lambda told: told["world"] > after["world"])


def test_a_change_of_what_stands_there_is_heard(site: Site) -> None:
    posted = site.bot().chat_postMessage(channel=TEAM_ROOM, text="first")
    with Heard(site.page.url) as page:
        before = page.numbers[-1]
        site.bot().chat_update(channel=TEAM_ROOM, ts=posted["ts"], text="second")
        page.until(lambda told: told["chat"] > before["chat"])


def test_open_pages_do_not_hold_up_the_end(aws: Any, tmp_path: Path) -> None:
    made = Site(aws, tmp_path)
    with made.slack, made.page.watching(made.ledger):
        page = Heard(made.page.url).__enter__()
    page._thread.join(PATIENCE_S)
    assert not page._thread.is_alive()


# ---------------------------------------------------------------- breaking things


def fault(site: Site, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in site.get("faults")["faults"] if each["id"] == name)
    return found


def test_every_fault_says_what_it_does(site: Site) -> None:
    listed = site.get("faults")["faults"]
    ids = [each["id"] for each in listed]
    buttons = ["kill_worker", "restart_redis"]
    assert ids == [
        "slack_slow",
        "slack_failing",
        "teams_failing",
        "aws_throttling",
        "aws_slow",
        *buttons,
        "address_changed",
    ]
    groups = ("Slack", "Teams", "AWS", "prodaccess", "People")
    assert all(each["title"] and each["says"] and each["group"] in groups for each in listed)
    assert [each["kind"] for each in listed] == ["switch"] * 5 + ["button"] * 2 + ["switch"]
    assert not any(each["on"] or each["happened"] for each in listed)


def test_failing_teams_fails_every_call_of_the_bot_until_it_is_off(site: Site) -> None:
    for on, meant in ((True, {"post", "edit", "create"}), (False, set())):
        site.post("faults/teams_failing", on=on)
        failing = {call for call in ("post", "edit", "create", "token") if site.teams.faults.take(call, {})}
        assert failing == meant


def test_slow_slack_delays_every_call_until_it_is_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_faults, "SLACK_SLOW_S", 0.5)
    site.post("faults/slack_slow", on=True)
    assert fault(site, "slack_slow")["on"]
    began_s = time.monotonic()
    site.bot().auth_test()
    assert time.monotonic() - began_s >= 0.5
    site.post("faults/slack_slow", on=False)
    assert site.slack.faults.delay_s == 0
    site.bot().auth_test()


def test_failing_slack_fails_and_only_while_it_is_on(site: Site) -> None:
    for _ in range(2):
        site.post("faults/slack_failing", on=True)
        with pytest.raises(SlackApiError) as caught:
            site.bot().auth_test()
        assert caught.value.response.status_code == 500
        site.post("faults/slack_failing", on=False)
        assert site.bot().auth_test()["ok"]


def test_throttling_aws_throttles_and_only_while_it_is_on(site: Site) -> None:
    client = site.aws.client("iam")
    site.post("faults/aws_throttling", on=True)
    site.post("faults/aws_throttling", on=True)
    with pytest.raises(client.exceptions.ClientError, match="Throttling"):
        client.list_user_policies(UserName="dana")
    site.post("faults/aws_throttling", on=False)
    assert client.list_user_policies(UserName="dana")["PolicyNames"] == []
    client.close()


def test_slow_aws_is_busy_before_access_is_there(site: Site) -> None:
    site.post("faults/aws_slow", on=True)
    spec = site.aws.spec
    client = site.aws.client("sso-admin")
    client.create_account_assignment(
        InstanceArn=spec.instance_arn,
        TargetId=ACCOUNT,
        TargetType="AWS_ACCOUNT",
        PermissionSetArn=spec.permission_set_arn("ReadOnlyAccess"),
        PrincipalType="USER",
        PrincipalId=spec.user_id(DANA.email),
    )
    client.close()
    world = site.get("world")
    words = f"give ReadOnlyAccess in {ACCOUNT} (orders-prod): Dana Dev"
    assert world["operations"] == [{"what": words, "state": "IN_PROGRESS"}]
    assert site.access(DANA.email) == []
    site.aws.proxy.operations.release()
    assert len(site.access(DANA.email)) == 1
    assert site.get("world")["operations"] == []


def test_a_killed_worker_and_the_new_one_are_told(site: Site) -> None:
    site.post("faults/kill_worker")
    assert site.machine.killed == ["worker"]
    assert "worker killed" in fault(site, "kill_worker")["happened"]
    assert site.machine.told is not None
    site.machine.told("worker")
    assert fault(site, "kill_worker")["happened"].endswith("s ago: worker had died, a new one is up")
    site.machine.alive = False
    assert httpx.post(f"{site.page.url}api/faults/kill_worker", json={}).status_code == 409


def test_restarting_redis_is_told(site: Site) -> None:
    site.post("faults/restart_redis")
    assert site.machine.redis_restarts == 1
    assert "Redis was away" in fault(site, "restart_redis")["happened"]


def test_an_address_changes_and_is_set_back(site: Site) -> None:
    for on, address in ((True, page_faults.NEW_ADDRESS), (False, DANA.email)):
        site.post("faults/address_changed", on=on)
        assert site.slack.workspace.user(DANA.id).email == address


def test_an_account_on_hold_is_told(site: Site) -> None:
    assert site.get("audit")["on_hold"] == {}
    snapshot = site.ledger.read()
    in_slack, in_teams = f"slack:T0SANDBOX:{DANA.id}", f"teams:{site.teams.world.tenant}:{OLU.in_teams.aad}"
    held = tuple(IndexEntry(keys.ON_HOLD, name, 1.0) for name in (in_slack, in_teams))
    site.ledger.commit(Change("x", snapshot.now, snapshot.versions(), index=held))
    assert site.get("audit")["on_hold"] == {DANA.id: ["slack"], OLU.id: ["teams"]}


def test_commands_are_run_as_in_a_terminal_and_no_others(site: Site) -> None:
    assert site.post("commands/verify") == {"command": "prodaccess audit verify", "says": "audit verify: said"}
    answer = httpx.post(f"{site.page.url}api/commands/up", json={})
    assert (answer.status_code, answer.json()["error"]) == (409, "There is no command up here.")


def test_access_is_known_since_it_was_there_first(site: Site) -> None:
    site.aws.world.assign(DANA.email, "ReadOnlyAccess", ACCOUNT)
    (first,) = site.access(DANA.email)
    site.slack.clock.advance(5)
    site.aws.world.assign(DANA.email, "AdministratorAccess", ACCOUNT)
    since = {row["what"]: row["since"] for row in site.access(DANA.email)}
    assert since["ReadOnlyAccess"] == first["since"] < since["AdministratorAccess"]
    site.aws.world.unassign(DANA.email, "ReadOnlyAccess", ACCOUNT)
    assert len(site.access(DANA.email)) == 1
    site.slack.clock.advance(5)
    site.aws.world.assign(DANA.email, "ReadOnlyAccess", ACCOUNT)
    assert {row["what"]: row["since"] for row in site.access(DANA.email)}["ReadOnlyAccess"] > first["since"]


def test_an_unknown_fault_is_one_sentence(site: Site) -> None:
    answer = httpx.post(f"{site.page.url}api/faults/everything", json={})
    assert (answer.status_code, answer.json()["error"]) == (409, "There is no fault everything.")

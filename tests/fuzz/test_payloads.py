"""Payloads of both chats, signed and nearly right: answered with words or silence, nothing leaves the door, nobody's access
changes. Who sends them is the one who asked, so nothing that they send may approve.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, cast
from unittest.mock import patch
from urllib.parse import urlencode

from hypothesis import example, given
from hypothesis import strategies as st
from slack_bolt import App, BoltResponse
from slack_sdk import WebClient

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.handlers import PRESSES
from bot.chat.actions.intake import Intake
from bot.chat.actions.sent_forms import SENT
from bot.slack import app as slack_app
from bot.slack import shapes, telling
from bot.teams import build as build_teams
from bot.teams.guard import Activity, Refusal, read
from bot.teams.incoming.acting import Acts
from tests.support import build
from tests.support import teams as t
from tests.support.build import DANA
from tests.support.fuzz import as_json, few, nearly
from tests.support.scenes import rules
from tests.support.teams import MemoryShelf
from tests.support.teams_rig import settings_for
from tests.support.world import World, account
from workflows.core.identity import TEAMS, Account
from workflows.core.records.request import Request
from workflows.usecases.shared.actor import whose


class AtOnce:
    """In place of threads: what follows an acknowledgement has happened when the acknowledgement is looked at."""

    def submit(self, run: Callable[[], object]) -> None:
        run()


class AtOnceIntake(Intake):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._afterwards = cast(Any, AtOnce())


class SilentSlack(WebClient):
    """Takes everything, and sends nothing."""

    def api_call(self, api_method: str, **_: Any) -> Any:
        return {"ok": True, "ts": "1.1", "channel": {"id": "D1"}, "view": {"id": "V1", "hash": "h"}}


class House(World):
    """Dana waits for one thing, in an environment whose owner she is not, and has another."""

    def __init__(self) -> None:
        super().__init__(rules())
        self.open = self.active(DANA)
        self.pending = self.asked(DANA, role="admin")
        self.before = self.given()

    def given(self) -> list[tuple[str, object, object]]:
        """All that anybody has or was agreed to."""
        requests = self.ledger.read(*self.ledger.records("request"))
        decided = [
            (name, one.decision, one.votes)
            for name in requests.items
            if (one := requests.readable(name, Request)) is not None
        ]
        return [one for one in decided if one[1] is not None or one[2]]

    def unharmed(self) -> None:
        assert self.given() == self.before
        found, self.faults = self.faults, []
        for problem in found:
            raise AssertionError("something failed in here, and was told with a number") from problem


# ---------------------------------------------------------------- Slack

USER = {"id": account(DANA).user, "team_id": account(DANA).tenant, "username": "dana"}
OWN = {"user": USER, "team": {"id": account(DANA).tenant}, "trigger_id": "1.2.x", "response_url": ""}
PLACE = {
    "channel": {"id": "C0PAYMENTS", "name": "payments"},
    "message": {"ts": "1.1"},
    "container": {"is_ephemeral": False},
}
TYPED = {
    "command": "/prodaccess",
    "user_id": USER["id"],
    "team_id": USER["team_id"],
    "text": "approve PA-2",
    "trigger_id": "1",
}
VALUES = ("PA-2", "PA-2:0123456789abcdef", "why PA-2", "less PA-2", "payments-prod read-only", "")


def pressed(action: str, value: str) -> dict[str, Any]:
    button = {
        "action_id": action,
        "action_ts": "1.1",
        "value": value,
        "type": "button",
        "selected_option": {"value": value},
    }
    return {**OWN, **PLACE, "type": "block_actions", "actions": [button]}


def sent(kind: str, carried: str) -> dict[str, Any]:
    chosen = {
        "selected_option": {"value": "read-only"},
        "selected_options": [{"value": "admin"}],
        "value": "INC-42 errors",
    }
    values = {
        name: {name: {**chosen, "selected_date_time": 1}} for name in ("environment", "role", "duration", "reason")
    }
    block = {"type": "input", "block_id": "reason", "element": {"action_id": "reason"}}
    view = {
        "id": "V1",
        "hash": "h",
        "callback_id": kind,
        "type": "modal",
        "private_metadata": carried,
        "state": {"values": values},
    }
    return {**OWN, "type": "view_submission", "view": {**view, "blocks": [block], "external_id": "x"}}


SLACK = st.one_of(
    st.builds(pressed, st.sampled_from(sorted(PRESSES)), st.sampled_from(VALUES)),
    st.builds(sent, st.sampled_from(sorted(SENT)), st.sampled_from(VALUES)),
    st.just({**OWN, **PLACE, "type": "message_action", "callback_id": "request_access_here"}),
    st.just({**OWN, "type": "block_suggestion", "action_id": "environment", "value": "pay", "block_id": "b"}),
    st.just({"type": "event_callback", "team_id": "T1", "event": {"type": "user_change", "user": {"id": USER["id"]}}}),
    st.just({"type": "event_callback", "team_id": "T1", "event": {"type": "app_home_opened", "user": USER["id"]}}),
)


@functools.cache
def slack_house() -> tuple[House, App]:
    house = House()
    with patch.object(slack_app, "Intake", AtOnceIntake):
        refresher: Any = house.chat
        refresher.heard = lambda *_: ()
        return house, slack_app.build_app(Dispatcher(house.ctx, "/prodaccess"), SilentSlack("xoxb-x"), refresher)


def deliver(body: str, kind: str) -> str:
    house, app = slack_house()
    house.knows(DANA)
    said: list[Any] = []
    with patch.object(telling, "respond", lambda _url, message, **_: said.append(message)):
        asked = shapes.read(body, "", {"content-type": kind})
        answer = app.dispatch(asked) if asked is not None else BoltResponse(status=400)
    assert answer.status in (200, 400, 404), answer.body
    told = f"{answer.body} {said}"
    assert "Traceback" not in told
    house.unharmed()
    return told


@st.composite
def of_slack(draw: st.DrawFn) -> dict[str, Any]:
    payload = draw(SLACK)
    return draw(nearly(payload, kept=("user", "team", "team_id")) | st.just(payload))


@few(8)
@given(of_slack())
# Bolt itself fails on these.
@example({"type": None, "event": True})
@example({"type": None, "event": None})
@example(pressed("approve", "PA-2") | {"channel": True})
@example(sent("deny_form", "PA-2") | {"view": {"id": "V1"}})
@example(pressed("approve", "PA-2") | {"user": "UDANA"})
def test_any_payload_of_slack(whole: dict[str, Any]) -> None:
    if "event" in whole:
        deliver(as_json(whole), "application/json")
    else:
        deliver(urlencode({"payload": as_json(whole)}), "application/x-www-form-urlencoded")


@few(8)
@given(nearly(TYPED, kept=("user_id", "team_id")))
def test_any_command_of_slack(form: dict[str, Any]) -> None:
    deliver(
        urlencode({name: str(value) for name, value in form.items()}, errors="replace"),
        "application/x-www-form-urlencoded",
    )


@few(6)
@given(nearly(pressed("approve", "PA-2:0123456789abcdef")))
# Found by coverage: half a character can be part of no key.
@example(pressed("approve", "PA-2") | {"user": {"id": "\ud83d", "team_id": "T1"}})
@example(pressed("approve", "PA-2") | {"trigger_id": "\ud83d"})
def test_whoever_it_says_they_are(payload: dict[str, Any]) -> None:
    """Who acted is odd, too: nobody is let in by being unreadable."""
    deliver(urlencode({"payload": as_json(payload)}), "application/x-www-form-urlencoded")


# ---------------------------------------------------------------- Teams

TEAMS_PAYLOADS = (
    t.message("approve PA-2"),
    t.message("payments-prod read-only 1h INC-42 errors"),
    t.in_channel(
        "<at>prodaccess</at> approve PA-2",
        entities=[{"type": "mention", "text": "<at>x</at>", "mentioned": {"id": "y"}}],
    ),
    *(
        t.pressed("press", {"action": action, "value": "PA-2:0123456789abcdef", "alone": True})
        for action in sorted(PRESSES)
    ),
    *(
        t.pressed("form", {"form": kind, "carries": "PA-2", "name": "ab.1", "reason": "INC-42"})
        for kind in sorted(SENT)
    ),
    t.pressed("redraw", {"form": "request_form", "carries": "{}", "name": "ab.1"}),
    t.message(type="conversationUpdate", membersAdded=[{"id": "28:x"}], membersRemoved=[{"id": "29:y"}]),
)


@functools.cache
def teams_house() -> tuple[House, Acts]:
    house = House()
    # Nobody listens at that port, so nothing is sent anywhere.
    nowhere = {
        "TEAMS_LOGIN_URL": "http://127.0.0.1:1",
        "TEAMS_SERVICE_URL": t.SERVICE,
        "GRAPH_API_URL": "http://127.0.0.1:1",
    }
    found = settings_for(cast(Any, NoServer()), **nowhere)
    teams = build_teams._messenger(found, MemoryShelf(), 0.5)
    acts = Acts(Dispatcher(house.ctx, "/prodaccess"), teams, cast(Any, house.chat))
    acts._intake._afterwards = cast(Any, AtOnce())
    return house, acts


class NoServer:
    def environment(self) -> dict[str, str]:
        return {"TEAMS_APP_ID": t.APP, "TEAMS_APP_PASSWORD": "x" * 20, "TEAMS_TENANT_ID": t.TENANT}


@few(8)
@given(st.sampled_from(TEAMS_PAYLOADS), st.data())
def test_any_activity_of_teams(payload: dict[str, Any], data: Any) -> None:
    house, acts = teams_house()
    who = Account(TEAMS, t.TENANT, t.DANA)
    house.chat.people[who] = build.facts(DANA, slack=who)
    whose(house.ctx, house.policy.policy, house.chat.refresh_person(who, house.policy.policy))
    found = read(as_json(data.draw(nearly(payload, kept=("from",)))).encode(), t.EXPECTED)
    assert isinstance(found, Activity | Refusal)
    if isinstance(found, Activity):
        said = acts.answer(found, acts.turn(waits=True))
        assert "Traceback" not in json.dumps(said.invoked())
        house.unharmed()

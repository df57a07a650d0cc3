"""What the page shows of Teams and does there, by the page's own names; the bot is played by hand."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.installation.people import DANA, OLU, PLAYERS, channels_of_both, teams_world
from bot.sandbox.page.teams import BOT, TeamsPeople
from bot.sandbox.slack import CannotDo
from bot.sandbox.teams.courier import Answer
from bot.sandbox.teams.people import Conversation, Json
from bot.sandbox.teams.server import TeamsServer

PRESS = {"type": "Action.Execute", "title": "Approve", "verb": "press", "data": {"action": "approve"}}
CARD = {
    "type": "AdaptiveCard",
    "version": "1.5",
    "body": [{"type": "TextBlock", "text": "Dana asks"}],
    "actions": [PRESS],
}


class Rig:
    def __init__(self) -> None:
        self.teams = TeamsServer(teams_world)
        self.page = TeamsPeople(self.teams)
        self.see, self.do = self.page.routes()
        self.heard: list[Json] = []
        self.answer = Answer(200)
        self.ops: Conversation = self.teams.world.conversations[channels_of_both()["C0ORDERSOPS"]]

    def hear(self, activity: Json) -> Answer:
        self.heard.append(activity)
        return self.answer

    def posts(self, to: Conversation, **more: Any) -> str:
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": CARD}
        said = {"type": "message", "summary": "Dana asks for it", "attachments": [attachment], **more}
        return str(self.teams.connector.post(to.id, said).body["id"])

    def sees(self, user: str, place: str) -> list[Json]:
        found: list[Json] = self.see["teams/people/{user}"]({"user": user})["places"][place]["messages"]
        return found

    def does(self, what: str, **body: Any) -> Any:
        return self.do[f"teams/people/{{user}}/{what}"](body)


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    made = Rig()
    monkeypatch.setattr(made.teams.courier, "deliver", made.hear)
    return made


def test_everybody_of_slack_is_in_teams_with_the_same_address_and_channels(rig: Rig) -> None:
    start = rig.page.start()
    assert set(start["ids"]) == {player.id for player in PLAYERS}
    assert [each["name"] for each in start["places"]] == [
        "prodaccess",
        "access-log",
        "orders-ops",
        "orders-dev",
        "inc-7",
    ]
    assert rig.teams.world.person(start["ids"][DANA.id]).mail == DANA.email


def test_what_is_typed_mentions_whoever_is_named_and_reaches_the_bot_where_it_is_meant(rig: Rig) -> None:
    rig.does("type", user=DANA.id, place="orders-ops", text="@prodaccess revoke-all person @Olu Owner stolen")
    assert rig.heard[-1]["text"] == "<at>prodaccess</at> revoke-all person <at>Olu Owner</at> stolen"
    rig.does("type", user=DANA.id, place="orders-ops", text="between us")
    assert len(rig.heard) == 1
    rig.does("type", user=DANA.id, place=BOT, text="help")
    assert rig.heard[-1]["conversation"]["conversationType"] == "personal"
    assert [each["from"] for each in rig.sees(OLU.id, "orders-ops")] == [DANA.id, DANA.id]


def test_a_press_shows_its_sentence_to_the_presser_alone(rig: Rig) -> None:
    posted = rig.posts(rig.ops)
    said = {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": "Not your own."}
    rig.answer = Answer(200, said)
    assert rig.does("press", user=OLU.id, message=posted, verb="press", data={"action": "approve"})["ok"]
    assert rig.heard[-1]["replyToId"] == posted
    assert [rig.sees(who.id, "orders-ops")[0]["said"] for who in (OLU, DANA)] == ["Not your own.", ""]
    with pytest.raises(CannotDo, match="0 buttons"):
        rig.does("press", user=OLU.id, message=posted, verb="form")


def test_replies_stand_under_their_message_and_what_is_new_is_counted_until_it_is_read(rig: Rig) -> None:
    root = rig.posts(rig.ops)
    rig.posts(rig.teams.world.conversations[rig.ops.id])
    reply = rig.teams.connector.post(f"{rig.ops.id};messageid={root}", {"type": "message", "text": "approved"}).body[
        "id"
    ]
    rig.posts(rig.teams.world.personal(OLU.in_teams))
    first, _ = rig.sees(OLU.id, "orders-ops")
    assert [each["id"] for each in first["replies"]] == [reply]
    assert first["summary"] == "Dana asks for it"
    assert rig.see["teams/badges"]({})[OLU.id] == 1
    rig.does("mark_read", user=OLU.id, place=BOT)
    assert rig.see["teams/badges"]({})[OLU.id] == 0
    assert rig.see["teams/people/{user}"]({"user": OLU.id})["places"]["orders-ops"]["unread"] == 3


def test_who_or_what_is_not_there_is_said(rig: Rig) -> None:
    with pytest.raises(CannotDo, match="Nobody has the id"):
        rig.sees("U0NOBODY", BOT)
    with pytest.raises(CannotDo, match="no conversation"):
        rig.does("type", user=DANA.id, place="nowhere", text="x")

"""People with a client of their own: what a press carries, and which message it names, they choose; who they are, they do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.chat.message import value_of
from bot.chat.messages.approval_card import APPROVE, WITHDRAW
from bot.chat.messages.form_sent import NOTHING_HERE, TAKEN
from bot.chat.messages.revoke_all import CANCEL
from bot.chat.surface import NotDone
from bot.sandbox.teams.cards import words
from bot.sandbox.teams.courier import Answer
from bot.sandbox.teams.people import DANA, OLU, Json, Person
from bot.teams.cards.form_input import filled
from bot.teams.client.form_store import OPEN_MAX
from bot.teams.incoming.acts import MENTIONED_MAX
from bot.teams.incoming.remembered import BYTES_MAX
from tests.support.teams_rig import buttons
from tests.support.teams_world import NIA, TeamsWorld, teams_world
from workflows.core.records.request import Request, RequestState

INCIDENT = json.dumps({"channel": "teams:channel:19:incident@thread.tacv2", "channel_name": "inc-1", "thread_ts": None})
FILLED = {"environment": "payments-prod", "role": "read-only", "reason": "INC-42 why"}


@pytest.fixture
def world() -> Iterator[TeamsWorld]:
    with teams_world() as found:
        yield found


def asked(world: TeamsWorld, who: Person = DANA) -> None:
    world.types(who, "payments-prod read-only 30m INC-42 why it fails")
    world.work()
    world.settle()


def sends(world: TeamsWorld, who: Person, verb: str, data: Json, *, channel: bool = False, message: str = "") -> Answer:
    """By hand, whatever the card offers."""
    _, typed = world.teams.client.typed(who, "mine", world.ops if channel else None)
    value = {"action": {"verb": verb, "data": data}, "trigger": "manual"}
    about = {"type": "invoke", "name": "adaptiveCard/action", "id": f"f:{typed['id']}", "replyToId": message}
    activity = typed | about | {"value": value}
    return world.teams.courier.send(activity, body=json.dumps(activity).encode())


def ask_form(world: TeamsWorld) -> Json:
    world.types(DANA, "payments-prod")
    found: Json = buttons(world.chat_of(DANA)[-1].card or {})["Ask"]["data"]
    return found


# ---------------------------------------------------------------- what a form carries


def test_where_a_form_was_asked_for_is_no_word_of_whoever_sends_it(world: TeamsWorld) -> None:
    sends(world, DANA, "form", {**ask_form(world), "carries": INCIDENT, **FILLED})
    assert world.request("PA-1").origin.channel == ""


def test_nor_of_a_form_that_nobody_keeps(world: TeamsWorld) -> None:
    for name in ("", "made0up.1"):
        sends(world, DANA, "form", {"form": "request_form", "name": name, "carries": INCIDENT, **FILLED})
    assert world.request("PA-1").origin.channel == ""


def test_nor_in_an_emergency_or_once_it_was_drawn_again(world: TeamsWorld) -> None:
    form = ask_form(world)
    drawn = sends(world, DANA, "redraw", {**form, "carries": INCIDENT, **FILLED})
    sends(world, DANA, "form", {**buttons(drawn.card or {})["Ask"]["data"], **FILLED})
    assert world.request("PA-1").origin.channel == ""
    assert "incident" not in str(world.shelf.held)


def test_where_it_really_was_asked_for_is_kept(world: TeamsWorld) -> None:
    world.types(DANA, "<at>prodaccess</at> payments-prod", world.ops)
    data = buttons(world.chat_of(DANA)[-1].card or {})["Ask"]["data"]
    sends(world, DANA, "form", {**data, "carries": "", **FILLED})
    assert world.request("PA-1").origin.channel.endswith(world.ops.id)


def test_more_than_a_form_can_hold_is_cut(world: TeamsWorld) -> None:
    many = "x," * 400_000
    for data in (
        {"reason": many},
        {"more_roles": many},
        {"more_environments": many},
        {"environment": "", "environment#address": "x," * 4_000, "role": "", "role#address": "x," * 4_000},
    ):
        answer = sends(world, DANA, "form", {**ask_form(world), **FILLED, **data})
        # Within the time in which a press is answered.
        assert answer.card is not None
    assert max(len(body) for name, body in world.shelf.held.items() if name.startswith("answered:")) <= BYTES_MAX
    assert max(map(len, world.shelf.held.values())) < 20_000
    assert world.ledger.read("request:PA-1").get("request:PA-1", Request) is None
    assert world.faults == []


def test_half_a_character_is_none(world: TeamsWorld) -> None:
    form = ask_form(world)
    answer = sends(world, DANA, "form", {**form, **FILLED, "role": "\ud83d", "reason": "\ud83d why"})
    assert answer.card is not None
    assert "There is no role `\ufffd`" in words(answer.card)
    assert sends(world, DANA, "form", {**form, **FILLED, "reason": "\udc00 why \U0001f600"}).card is not None
    assert world.request("PA-1").reason == "\ufffd why \U0001f600"
    assert world.faults == []


def test_of_one_field_nobody_sends_more_than_there_is_to_choose() -> None:
    (value,) = filled({"more_roles": "x," * 400_000}).values
    assert (len(value.chosen), len(value.text)) == (100, 10_000)
    assert len(list(filled({f"a{one}": "x" for one in range(5000)}).values)) == 500


def test_nobody_fills_the_records_with_forms(world: TeamsWorld) -> None:
    form = ask_form(world)
    for _ in range(OPEN_MAX):
        newest = ask_form(world)
    assert len([name for name in world.shelf.held if name.startswith("form:")]) == OPEN_MAX
    assert sends(world, DANA, "redraw", form).said == NOTHING_HERE
    assert sends(world, DANA, "form", {**newest, **FILLED}).card is not None


# ---------------------------------------------------------------- which message was pressed


@pytest.mark.parametrize(
    ("action", "value"),
    [(CANCEL, "x"), (APPROVE, value_of("PA-1", "0" * 16)), (WITHDRAW, value_of("PA-2", "0" * 16))],
    ids=["cancel", "stray", "take back"],
)
def test_in_front_of_others_no_card_goes_by_naming_it(world: TeamsWorld, action: str, value: str) -> None:
    asked(world)
    asked(world, NIA)
    shown = [(one.id, one.card) for one in world.teams.world.messages(world.ops)]
    shown += [(one.id, one.card) for root, _ in shown for one in world.teams.world.messages(world.ops, root=root)]
    assert len(shown) > 3
    for id_, _ in shown:
        sends(world, NIA, "press", {"action": action, "value": value}, channel=True, message=id_)
    world.app._acts._intake._afterwards.shutdown(wait=True)
    assert [(id_, world.teams.world.message(id_)[1].card) for id_, _ in shown] == shown


def test_a_form_becomes_what_came_of_it_where_it_stands(world: TeamsWorld) -> None:
    asked(world, NIA)
    card = world.cards()[0]
    sends(world, DANA, "form", {**ask_form(world), **FILLED}, message=card.id)
    world.app._acts._intake._afterwards.shutdown(wait=True)
    assert world.teams.world.message(card.id)[1].card == card.card
    assert "Sent." in world.told(DANA)[-1]


def test_what_was_decided_is_not_undone_by_an_older_card(world: TeamsWorld) -> None:
    asked(world)
    card = world.cards()[0]
    data = buttons(card.card or {})["Approve"]["data"]
    assert world.press(OLU, card, "Approve").said == TAKEN
    sends(world, OLU, "press", data, channel=True, message=card.id)
    assert world.request("PA-1").state is RequestState.APPROVED
    assert len(world.request("PA-1").votes) == 1


# ---------------------------------------------------------------- who cannot be answered


def test_a_channel_is_told_once_of_whoever_cannot_be_written_to(world: TeamsWorld) -> None:
    for number, who in enumerate((NIA, DANA), 1):
        world.teams.world.personal(who).bot = False
        for _ in range(3):
            world.types(who, "<at>prodaccess</at> mine", world.ops)
        roots = world.teams.world.messages(world.ops)
        said = [one for root in roots for one in (root, *world.teams.world.messages(world.ops, root=root.id))]
        assert len([one for one in said if "cannot write to them" in words(one.card or {})]) == number


# ---------------------------------------------------------------- whom a line mentions


def test_of_many_who_are_mentioned_few_are_asked_for(world: TeamsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[str] = []

    def member(_url: str, _conversation: str, id_: str) -> dict[str, Any]:
        asked_for.append(id_)
        return {}

    monkeypatch.setattr(world.surface_.connector, "member", member)
    _, typed = world.teams.client.typed(DANA, " ".join(["mine", *(f"<at>a{one}</at>" for one in range(500))]))
    said = [
        {"type": "mention", "text": f"<at>a{one}</at>", "mentioned": {"id": f"29:{one}", "name": "x"}}
        for one in range(3000)
    ]
    world.teams.courier.send(typed | {"entities": said})
    assert len(asked_for) == MENTIONED_MAX
    long = [{"type": "mention", "text": "<at>a1</at>", "mentioned": {"id": "x" * 100_000, "name": "x"}}]
    world.teams.courier.send(typed | {"id": "another", "entities": long})
    assert len(asked_for) == MENTIONED_MAX


@pytest.mark.parametrize("id_", [".", "..", ""])
def test_no_id_leads_up(world: TeamsWorld, id_: str) -> None:
    url, asked = world.teams.courier.service_url, world.surface_.connector
    for call in (
        lambda: asked.member(url, world.ops.id, id_),
        lambda: asked.post(url, id_, {}),
        lambda: asked.edit(url, world.ops.id, id_, {}),
    ):
        with pytest.raises(NotDone, match="BadArgument"):
            call()

"""People in Teams act, over HTTP and signed: what they are answered, and what they see."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.chat.messages.form_sent import IN_OUR_CHAT, LOOKING, NOTHING_HERE, SLOW, TAKEN
from bot.sandbox.teams.cards import words
from bot.sandbox.teams.people import DANA, OLU, PAT, Message, Person
from bot.teams.incoming import app
from tests.support import build
from tests.support.teams_rig import buttons, elements
from tests.support.teams_world import NIA, PEOPLE, TeamsWorld, teams_world
from tests.support.waiting import eventually
from workflows.core.destination import Destination, Kind
from workflows.core.identity import TEAMS
from workflows.core.records.request import Request, RequestState
from workflows.ports import LedgerUnreachable


@pytest.fixture
def world() -> Iterator[TeamsWorld]:
    with teams_world() as found:
        yield found


def asked(world: TeamsWorld) -> str:
    world.types(DANA, "payments-prod read-only 30m INC-42 why it fails")
    world.work()
    world.settle()
    return "PA-1"


# ---------------------------------------------------------------- typed words


def test_words_are_answered_in_their_own_chat(world: TeamsWorld) -> None:
    for text in ("help", "/prodaccess help", "prodaccess help", "HELP"):
        assert world.types(DANA, text).ok
    said = world.told(DANA)
    assert len(said) == 4
    assert all("approve ID" in text for text in said)


def test_words_in_a_channel_are_answered_to_whoever_typed_alone(world: TeamsWorld) -> None:
    world.types(DANA, "<at>prodaccess</at> mine", world.ops)
    assert len(world.told(DANA)) == 1
    assert world.cards() == []


def test_a_line_asks_as_it_does_elsewhere(world: TeamsWorld) -> None:
    asked(world)
    (card,) = world.cards()[:1]
    assert "Dana" in words(card.card)
    assert world.request("PA-1").reason == "INC-42 why it fails"
    assert world.request("PA-1").requester_slack.user == DANA.aad


def test_what_is_answered_while_it_waits_says_later_what_became_of_it(world: TeamsWorld) -> None:
    """It stands in their chat for good: so it is the message that is kept current, and not another one."""
    asked(world)
    said = world.told(DANA)
    assert [text for text in said if "You asked for read-only" in text] == said[-1:]
    world.types(DANA, "withdraw PA-1")
    world.settle()
    assert not [text for text in world.told(DANA) if "You asked for read-only" in text]
    assert any("Withdrawn by Dana" in text for text in world.told(DANA))


def test_a_person_who_is_mentioned_is_meant(world: TeamsWorld) -> None:
    world.types(OLU, "mine")
    world.types(
        PAT, f"<at>prodaccess</at> for <at>{DANA.name}</at> payments-prod read-only 30m INC-42 they need it", world.ops
    )
    assert world.request("PA-1").holder == "dana@example.com"


# What changes a card that stands is answered there.
QUIET = ("approve", "less", "deny", "withdraw", "end", "revoke ")
COMMANDS = (
    "envs",
    "list",
    "list payments-prod",
    "mine",
    "pending",
    "who payments-prod",
    "history",
    "history payments-prod",
    "show PA-1",
    "explain payments-prod read-only",
    "explain payments-prod read-only dana@example.com",
    "again",
    "delegate",
    "delegate pat@example.com until tomorrow",
    "delegate off",
    "approve PA-1",
    "less PA-1 30m",
    "deny PA-1 use staging",
    "withdraw PA-1",
    "decline PA-1",
    "end PA-1 done",
    "revoke PA-1 done",
    "extend PA-1 30m more to do",
    "acknowledge PA-1",
    "flag PA-1 odd",
    "lift dana@example.com it was found",
    "person confirm dana@example.com same it is her",
    "break-glass payments-prod read-only all is down",
    "revoke-all env payments-prod all of it",
    "help break-glass",
    "approve PA-99",
    "extend PA-1",
    "no such thing",
)


@pytest.mark.parametrize("who", [DANA, OLU], ids=lambda who: who.name)
def test_every_command_is_answered(world: TeamsWorld, who: Person) -> None:
    asked(world)
    for text in COMMANDS:
        before = len(world.chat_of(who))
        assert world.types(who, text).ok
        world.decide()
        world.work()
        world.settle()
        # Who was refused often is not heard for a minute.
        world.clock.advance(61)
        world.knows(*PEOPLE)
        assert len(world.chat_of(who)) > before or text.startswith(QUIET), text
    assert world.faults == []


# ---------------------------------------------------------------- presses


def test_a_press_is_answered_under_the_card_and_every_copy_follows(world: TeamsWorld) -> None:
    asked(world)
    (card, *_) = world.cards()
    answer = world.press(OLU, card, "Approve")
    assert answer.said == TAKEN
    world.work()
    world.settle()
    assert "Active until" in words(world.cards()[0].card)


def test_ones_own_is_refused_under_the_card_and_nothing_changes(world: TeamsWorld) -> None:
    asked(world)
    (card, *_) = world.cards()
    answer = world.press(DANA, card, "Approve")
    assert answer.said is not None
    assert "yourself" in answer.said
    assert world.cards()[0].edits == card.edits


def test_who_is_not_known_freshly_is_looked_up_and_decided_then(world: TeamsWorld) -> None:
    asked(world)
    (card, *_) = world.cards()
    world.clock.advance(120)
    assert world.press(OLU, card, "Approve").said == LOOKING
    world.decide()
    world.work()
    world.settle()
    assert "Active until" in words(world.cards()[0].card)


def test_deny_takes_its_reason_in_the_card(world: TeamsWorld) -> None:
    asked(world)
    (card, *_) = world.cards()
    shown = next(one for one in elements(card.card, "Action.ShowCard") if one["title"].startswith("Deny"))
    field, data = only(elements(shown, "Input.Text"))["id"], only(elements(shown, "Action.Execute"))["data"]
    refused = world.teams.client.press(DANA, card.id, "form", data, {field: "not needed"})
    assert refused.said is not None
    assert "You asked for this yourself" in refused.said
    assert world.teams.client.press(OLU, card.id, "form", data, {field: "use staging"}).said == TAKEN
    world.settle()
    assert "use staging" in words(world.cards()[0].card)


def only(found: Iterator[dict[str, Any]]) -> dict[str, Any]:
    (one,) = found
    return one


def test_an_answer_with_buttons_is_the_actors_alone_and_no_old_copy(world: TeamsWorld) -> None:
    asked(world)
    world.types(DANA, "again")
    assert world.press(DANA, world.chat_of(DANA)[-1], "Take back").said == TAKEN
    assert world.request("PA-1").state is RequestState.WITHDRAWN


# ---------------------------------------------------------------- copies that nobody knows


def test_a_stray_copy_becomes_a_pointer_at_its_first_press(world: TeamsWorld) -> None:
    world.types(DANA, "payments-prod read-only 30m INC-42 why it fails")
    world.work()
    world.crash_at("posted:card")
    world.show_and_crash()
    world.settle()
    copies = [one for one in world.cards() if buttons(one.card or {}).get("Approve")]
    assert len(copies) == 2
    stray, known = copies
    before = world.request("PA-1")
    answer = world.press(OLU, stray, "Approve")
    assert answer.card is not None
    assert "old copy of PA-1" in words(answer.card)
    assert world.request("PA-1") == before
    eventually(lambda: "old copy of PA-1" in words(world.teams.world.message(stray.id)[1].card))
    assert world.press(OLU, known, "Approve").said == TAKEN


def test_a_press_that_names_another_card_takes_that_card_from_nobody(world: TeamsWorld) -> None:
    asked(world)
    world.types(NIA, "payments-prod read-only 30m INC-43 hers")
    world.work()
    world.settle()
    first, second = (one for one in world.cards() if buttons(one.card or {}).get("Approve"))
    world.press(OLU, first, "Approve")
    lie = world.teams.courier.sent[-1] | {"id": "f:a-lie", "replyToId": second.id}
    assert world.teams.courier.send(lie).card is None
    assert world.teams.world.message(second.id)[1].card == second.card


# ---------------------------------------------------------------- forms


def opened(world: TeamsWorld) -> Message:
    world.types(DANA, "payments-prod")
    return world.chat_of(DANA)[-1]


def test_a_form_is_corrected_and_becomes_what_came_of_it(world: TeamsWorld) -> None:
    form = opened(world)
    wrong = world.press(DANA, form, "Ask", {"reason": ""})
    assert wrong.card is not None
    assert "Say why" in words(wrong.card)
    done = world.press(DANA, form, "Ask", {"reason": "INC-42 why it fails"})
    assert done.card is not None
    assert "Sent." in words(done.card)
    assert world.request("PA-1").reason == "INC-42 why it fails"
    eventually(lambda: "Sent." in world.told(DANA)[-1])
    assert not list(elements(world.chat_of(DANA)[-1].card, "Input.Text"))


def test_a_form_that_was_sent_twice_asks_once(world: TeamsWorld) -> None:
    form = opened(world)
    first = world.press(DANA, form, "Ask", {"reason": "INC-42 why"})
    second = world.teams.courier.send(world.teams.courier.sent[-1] | {"id": "f:pressed-twice"})
    assert first.card is not None
    assert second.status == 200
    assert world.request("PA-1").reason == "INC-42 why"
    assert world.ledger.read("request:PA-2").get("request:PA-2", Request) is None


def test_a_form_is_its_readers_own(world: TeamsWorld) -> None:
    form = opened(world)
    data = {**buttons(form.card or {})["Ask"]["data"], "reason": "INC-42 not mine"}
    world.types(OLU, "mine")
    stolen = world.teams.courier.sent[-1] | {"type": "invoke", "name": "adaptiveCard/action", "id": "f:stolen"}
    value = {"action": {"verb": "redraw", "data": data}, "trigger": "manual"}
    assert world.teams.courier.send(stolen | {"value": value}).said == NOTHING_HERE
    assert world.press(DANA, form, "Ask", {"reason": "INC-42 mine"}).card is not None
    assert world.request("PA-1").reason == "INC-42 mine"


def test_for_somebody_else_an_address_is_enough(world: TeamsWorld) -> None:
    world.types(OLU, "payments-prod")
    form = world.chat_of(OLU)[-1]
    address = next(one["id"] for one in elements(form.card, "Input.Text") if one["id"].startswith("holder@"))
    world.press(OLU, form, "Ask", {"reason": "INC-42 they need it", address: "dana@example.com"})
    assert world.request("PA-1").holder == "dana@example.com"


def test_a_form_follows_what_is_chosen_and_keeps_what_was_typed(world: TeamsWorld) -> None:
    form = opened(world)
    changed = world.press(DANA, form, "Continue", {"reason": "INC-42 half a reason"})
    assert changed.card is not None
    kept = [one.get("value") for one in elements(changed.card, "Input.Text") if one["id"].startswith("reason")]
    assert kept == ["INC-42 half a reason"]
    # For whoever opens Teams on another device, too.
    eventually(lambda: world.chat_of(DANA)[-1].edits)
    assert world.press(DANA, world.chat_of(DANA)[-1], "Ask").card is not None
    assert world.request("PA-1").reason == "INC-42 half a reason"


def test_continue_says_what_is_not_chosen_yet_and_blames_nobody_for_what_has_just_appeared(world: TeamsWorld) -> None:
    roles = (build.entitlement(), build.entitlement("deploy"))
    places = (build.environment(*roles), build.environment(*roles, name="orders-prod", title="Orders"))
    world.policy.policy = build.policy(*places)
    world.types(DANA, "request")
    nothing = world.press(DANA, world.chat_of(DANA)[-1], "Continue")
    assert words(nothing.card).count("Please choose one.") == 1
    environment = next(one["id"] for one in elements(nothing.card, "Input.ChoiceSet"))
    eventually(lambda: world.chat_of(DANA)[-1].edits)
    chosen = world.press(DANA, world.chat_of(DANA)[-1], "Continue", {environment: "payments-prod"})
    assert len(list(elements(chosen.card, "Input.ChoiceSet"))) == 2
    assert "Please choose one." not in words(chosen.card)


def test_a_form_that_others_could_see_comes_into_the_own_chat(world: TeamsWorld) -> None:
    asked(world)
    world.press(OLU, world.cards()[0], "Approve")
    world.work()
    world.settle()
    answer = world.press(DANA, world.cards()[0], "Extend")
    assert answer.said == IN_OUR_CHAT
    assert "Ask for more time" in world.told(DANA)[-1]


def test_a_press_that_is_delivered_again_opens_one_form(world: TeamsWorld) -> None:
    form = opened(world)
    before = len(world.chat_of(DANA))
    again = world.teams.courier.sent[-1]
    assert world.teams.courier.send(again).status == 200
    assert len(world.chat_of(DANA)) == before
    assert form.id == world.chat_of(DANA)[-1].id


# ---------------------------------------------------------------- delivered again, late, failing


def test_delivered_again_it_is_done_once_and_answered_as_before(world: TeamsWorld) -> None:
    asked(world)
    first = world.press(OLU, world.cards()[0], "Approve")
    again = world.teams.courier.send(world.teams.courier.sent[-1])
    assert again.body == first.body
    world.types(OLU, "mine")
    before = len(world.told(OLU))
    assert world.teams.courier.send(world.teams.courier.sent[-1]).status == 200
    assert len(world.told(OLU)) == before
    assert len(world.request("PA-1").votes) == 1


def test_a_press_is_answered_in_time_and_what_comes_of_it_later_comes_into_the_chat(
    world: TeamsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(world)
    card, gate = world.cards()[0], threading.Event()
    monkeypatch.setattr(app, "ANSWER_S", 0.05)
    read = world.ledger.read
    monkeypatch.setattr(world.ledger, "read", lambda *items, **more: (gate.wait(10), read(*items, **more))[1])
    assert world.press(DANA, card, "Approve").said == SLOW
    gate.set()
    eventually(lambda: any("yourself" in text for text in world.told(DANA)))


def test_what_fails_in_here_is_said_with_a_number_and_tried_again(
    world: TeamsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(world)
    card = world.cards()[0]
    with monkeypatch.context() as patch:
        patch.setattr("bot.teams.incoming.acting.handler", lambda _act: 1 / 0)
        answer = world.press(OLU, card, "Approve")
    assert answer.status == 200
    assert answer.said is not None
    assert "error E-00001" in answer.said
    assert world.teams.courier.send(world.teams.courier.sent[-1]).said == TAKEN


def test_the_records_away_are_said_so(world: TeamsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(world)
    card = world.cards()[0]

    def away(*_: object) -> Any:
        raise LedgerUnreachable("Redis cannot be reached")

    monkeypatch.setattr(world.ledger, "read", away)
    monkeypatch.setattr(world.shelf, "get", away)
    answer = world.press(OLU, card, "Approve")
    assert answer.said is not None
    assert "I cannot reach my records just now" in answer.said


# ---------------------------------------------------------------- odd, foreign, broken


def odd(world: TeamsWorld, **more: Any) -> dict[str, Any]:
    world.types(OLU, "mine")
    found = world.teams.courier.sent[-1]
    return found | {"type": "invoke", "name": "adaptiveCard/action", "id": "f:odd"} | more


ODD: tuple[Any, ...] = (
    None,
    {},
    [],
    "x",
    {"action": None},
    {"action": {"verb": "press"}},
    {"action": {"verb": "press", "data": []}},
    {"action": {"verb": 5, "data": {"action": {}, "value": []}}},
    {"action": {"verb": "press", "data": {"action": "approve"}}},
    {"action": {"verb": "press", "data": {"action": "approve", "value": "\ufffe\x00"}}},
    {"action": {"verb": "form", "data": {"form": "request_form", "name": "x" * 5000}}},
    {"action": {"verb": "form", "data": {"form": "deny_form", "carries": "PA-99"}}},
    {"action": {"verb": "redraw", "data": {"name": "nobody.1"}}},
    {"action": {"verb": "menu", "data": {"action": "more"}}},
)


def test_an_odd_press_is_answered_and_changes_nothing(world: TeamsWorld) -> None:
    for number, value in enumerate(ODD):
        answer = world.teams.courier.send(odd(world, id=f"f:{number}", value=value))
        assert (answer.status, bool(answer.said)) == (200, True), value
    half = json.dumps(odd(world, value={"action": {"verb": "press", "data": {"action": "approve", "value": "\ud83d"}}}))
    assert world.teams.courier.send({}, body=half.encode()).said
    assert world.faults == []


def test_two_people_who_write_in_the_same_moment_are_two(world: TeamsWorld) -> None:
    for who in (DANA, OLU):
        world.types(who, "mine")
        said = world.teams.courier.sent[-1]
        assert world.teams.courier.send(said | {"id": "1700000000001"}).status == 200
        assert len(world.told(who)) == 2


def test_of_an_automatic_refresh_nothing_comes(world: TeamsWorld) -> None:
    asked(world)
    action = {"verb": "press", "data": {"action": "approve", "value": "PA-1"}}
    answer = world.teams.courier.send(odd(world, value={"action": action, "trigger": "automatic"}))
    assert answer.said == NOTHING_HERE
    assert world.request("PA-1").votes == ()


def test_what_is_forged_foreign_or_broken_gives_no_500(world: TeamsWorld) -> None:
    send, good = world.teams.courier.send, odd(world)
    assert send(good, body=b"x" * 3_000_000).status in (0, 413)
    assert send(good, body=b"[1]").status == 400
    assert send(good, body=b'{"type":').status == 400
    assert send(good, authorization="").status == 401
    assert send(good, authorization="Bearer a.b.c").status == 401
    assert send(good | {"type": "handoff"}).status == 200
    assert send(good | {"name": "task/fetch"}).status == 200
    assert send(good | {"type": "installationUpdate", "action": "add-upgrade"}).status == 200
    assert send(good | {"serviceUrl": "https://evil.example/"}).status == 403
    assert send(good | {"channelId": "webchat"}).status == 403
    world.teams.keys.rotate("another")
    assert send(good).status in (401, 503)
    assert world.faults == []


# ---------------------------------------------------------------- where people can be reached


def test_the_clock_of_whoever_acts_is_kept_until_their_teams_says_another_one(world: TeamsWorld) -> None:
    clock_of = world.surface_.conversations.clock_of
    assert clock_of(DANA.aad) == ""
    world.types(DANA, "mine")
    assert clock_of(DANA.aad) == DANA.timezone
    silent = world.teams.courier.sent[-1] | {"id": "f:silent"}
    silent = {name: value for name, value in silent.items() if name not in ("localTimezone", "entities")}
    assert world.teams.courier.send(silent).ok
    assert clock_of(DANA.aad) == DANA.timezone


def test_a_chat_is_known_from_its_first_activity_and_forgotten_with_the_app(world: TeamsWorld) -> None:
    conversations = world.surface_.conversations
    assert conversations.personal(DANA.aad) is None
    world.teams.installing.install(DANA)
    known = conversations.personal(DANA.aad)
    assert known is not None
    assert known.service_url == world.teams.courier.service_url
    world.teams.installing.uninstall(DANA)
    assert conversations.personal(DANA.aad) is None


def test_whoever_has_not_got_the_app_hears_where_they_asked_that_they_need_it(world: TeamsWorld) -> None:
    world.teams.world.personal(NIA).bot = False
    world.types(NIA, "<at>prodaccess</at> mine", world.ops)
    roots = world.teams.client.sees(NIA, world.ops)
    said = [one for root in roots for one in (root, *world.teams.client.sees(NIA, world.ops, root=root.id))]
    assert any("cannot write to them" in words(one.card) for one in said)


def test_in_a_group_chat_receipts_stand_beside_one_another(world: TeamsWorld) -> None:
    chat = next(one for one in world.teams.world.conversations.values() if one.kind == "groupChat")
    to = str(Destination(TEAMS, Kind.CHANNEL, chat.id))
    world.policy.policy = replace(world.policy.policy, receipts_channels=(to,))
    id_ = asked(world)
    world.press(OLU, world.cards()[0], "Approve")
    world.work()
    world.settle()
    texts = [words(one.card) for one in world.teams.world.messages(chat)]
    assert len(texts) == 2
    assert any("approved by Olu" in text for text in texts[1:])
    assert world.faults == []
    assert id_ in texts[0]

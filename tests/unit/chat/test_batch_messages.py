"""What was asked in one go is told as one: the cards, the message to who asked, the receipts, and what a press says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.forms import request as form
from bot.chat.forms.reason import deny_all_form, read_reason
from bot.chat.forms.request import Chosen
from bot.chat.interaction import COMMAND, DENY_ALL, FORM, PRESS, Interaction
from bot.chat.message import Message
from bot.chat.outbox.plans.batch import Batch, batch_planned, wait_s
from bot.chat.outbox.plans.calls import Calls, CallsByChat
from bot.chat.outbox.plans.planning import PlannedMessage, PlanningInput
from bot.chat.plain_text import as_text
from bot.chat.views.deciders import Deciders, Seat
from bot.chat.views.read_model import Reader
from bot.chat.views.request_view import request_view
from bot.sandbox.slack.blockkit.limits import check_blocks, check_view
from bot.slack.form_input import filled
from bot.slack.form_view import view_of
from bot.slack.render import blocks_of, text_of
from tests.support.build import DANA, OLU, PAT, SUE, entitlement, environment, policy
from tests.support.world import World, account
from tests.unit.usecases.test_batches import BOOKS, PROD, STAGING, asked, outcomes, rules
from tests.unit.usecases.test_batches import approve as press
from workflows.core import keys
from workflows.core.identity import SLACK
from workflows.core.policy import Hours, Risk, Visibility
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.records.grant import Grant
from workflows.core.records.request import Request
from workflows.core.rules.batch import panels
from workflows.usecases.requests.batch import batch_of

CARD, RECEIPTS = "card:C0PAYMENTS:", "receipts:C0RECEIPTS"


@pytest.fixture
def world() -> World:
    return World(rules())


def batch(world: World, ids: tuple[str, ...], chat: ChatRecord | None = None) -> Batch:
    """What the sender finds."""
    rules_ = world.policy.policy
    requests = batch_of(world.ctx, ids[0])
    assert isinstance(requests, tuple)
    members = tuple(_facts(world, request, chat or ChatRecord(ids[0])) for request in requests)
    return Batch(members, tuple(tuple(one.id for one in panel) for panel in panels(rules_, requests)))


def _facts(world: World, request: Request, chat: ChatRecord) -> PlanningInput:
    place = world.policy.policy.environments[request.terms.environment]
    grant = world.ledger.read(keys.grant(request.id)).get(keys.grant(request.id), Grant)
    owners = place.roles[request.terms.role].owners
    return PlanningInput(
        request=request,
        view=request_view(request, grant, place, world.clock.now()),
        environment=place,
        receipts_channels=("C0RECEIPTS",),
        entries=world.ledger.entries_of(request.id),
        chat=chat,
        calls=CallsByChat({SLACK: Calls({name: ("S0OWNERS",) for name in owners})}),
        deciders=Deciders((Seat(owners[0], 1, ("Olu", "Pat") if "platform" in owners else ("Sue",)),)),
        warned=bool(grant and grant.warned),
    )


def told(items: list[PlannedMessage], slot: str) -> PlannedMessage:
    found = [item for item in items if item.slot.startswith(slot)]
    assert len(found) == 1, [item.slot for item in items]
    return found[0]


def check(message: Message) -> None:
    check_blocks(json.loads(json.dumps(blocks_of(message))))


def buttons(message: Message) -> list[str]:
    elements: list[dict[str, Any]] = [
        item
        for block in blocks_of(message)
        for item in (*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else []))
    ]
    return [item["action_id"] for item in elements if item.get("type") == "button"]


# ---------------------------------------------------------------- the cards


def test_one_card_for_what_the_same_people_decide(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    card = told(batch_planned(batch(world, ids)), "card:").message
    check(card)
    assert as_text(card).splitlines()[:6] == [
        "Dana asks for read-only and deploy in Payments-Prod · 🔴 production",
        "⏳ Needs approval from one of @S0OWNERS",
        "| INC-42 checkout errors",
        f"• read-only in Payments-Prod · 🔴 production · ⏳ Needs approval · {ids[0]}",
        "for 1 h · Read logs and metrics",
        f"• deploy in Payments-Prod · 🔴 production · ⏳ Needs approval · {ids[1]}",
    ]
    assert buttons(card) == ["approve_all", "deny_all"]
    assert text_of(card).startswith("Dana asks for read-only and deploy in")


def test_other_owners_get_a_card_of_their_own(world) -> None:
    ids = asked(world, (PROD, "read-only"), (STAGING, "read-only"), (BOOKS, "read-only"))
    found = [item for item in batch_planned(batch(world, ids)) if item.slot.startswith("card:")]
    assert [item.slot for item in found] == [f"{CARD}{ids[0]}", f"card:C0BOOKS:{ids[2]}"]
    assert "read-only in Payments-Prod 🔴 production and Payments-Staging 🟡 staging" in as_text(found[0].message)


def test_a_card_whose_people_no_longer_decide_keeps_no_buttons(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "admin"))
    chat = _posted(CARD + ids[0], CARD + ids[1])
    rules_ = world.policy.policy
    place = rules_.environments[PROD]
    alike = {**place.roles, "admin": replace(place.roles["admin"], approve={"owners": 1})}
    environments = {**rules_.environments, PROD: replace(place, roles=alike)}
    world.policy.policy = replace(rules_, environments=environments)
    found = batch_planned(batch(world, ids, chat))
    assert buttons(told(found, CARD + ids[0]).message) == ["approve_all", "deny_all"]
    behind = told(found, CARD + ids[1]).message
    assert as_text(behind) == f"{ids[1]} is decided on another card by now, by other people."


def test_the_card_shows_how_each_of_them_stands(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    world.deny(ids[0], reason="use the dashboards")
    card = told(batch_planned(batch(world, ids)), "card:").message
    text = as_text(card)
    assert "Dana asked for read-only and deploy" in text
    assert "⛔ Denied by Olu: use the dashboards" in text
    assert buttons(card) == ["again", "approve_all", "deny_all"]
    assert outcomes(press(world, ids[1])) == ["decided", "approved"]
    world.work()
    card = told(batch_planned(batch(world, ids)), "card:").message
    check(card)
    assert "✅ Active until" in as_text(card)
    assert buttons(card) == ["again", "end", "extend"]
    world.end(ids[1])
    world.work()
    card = told(batch_planned(batch(world, ids, _posted(CARD + ids[0]))), "card:").message
    assert buttons(card) == ["again", "again"]
    assert "INC-42" in as_text(card), "the reason stays"


def test_a_dangerous_one_among_them_asks_to_confirm(world) -> None:
    danger = entitlement("deploy", risk=Risk.ADMIN, danger="can delete customer data")
    world.policy.policy = policy(environment(entitlement(), danger))
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    card = told(batch_planned(batch(world, ids)), "card:").message
    check(card)
    agree = next(block for block in blocks_of(card) if block["type"] == "actions")["elements"][0]
    told_all = ("Dana", "read-only", "deploy", "1 h", "customer data")
    assert all(part in agree["confirm"]["text"]["text"] for part in told_all)


def test_ten_at_once_fit_on_one_card_and_in_one_message(world) -> None:
    words = "x" * 299
    many = [entitlement(f"role-{n}", allows=words, danger=words, how_to=words) for n in range(10)]
    world.policy.policy = policy(environment(*many))
    ids = asked(world, *((PROD, f"role-{n}") for n in range(10)))
    for item in batch_planned(batch(world, ids)):
        check(item.message)
    press(world, ids[0])
    world.work()
    found = batch_planned(batch(world, ids))
    assert {item.slot.partition(":")[0] for item in found} >= {"card", "several", "receipts", "lines"}
    for item in found:
        check(item.message)


def test_it_waits_a_little_for_all_names_and_not_for_ever(world) -> None:
    answer = world.ask()
    ids = (answer.id,)
    found = batch(world, ids)
    assert wait_s(found, {}) == 3.0
    assert [item for item in batch_planned(found) if item.slot.startswith("card:")] == []
    world.clock.advance(4)
    assert wait_s(batch(world, ids), {}) == 0.0


# ---------------------------------------------------------------- who asked


def _posted(*slots: str, ts: float = 1.0, by: ChatRecord | None = None) -> ChatRecord:
    record = by or ChatRecord("PA-1")
    new = {slot: Posting(slot.split(":")[1], ts=f"{ts:.6f}", posted_channel="D1") for slot in slots}
    return replace(record, postings={**record.postings, **new})


def test_one_message_lists_each_with_its_state_and_its_end(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"), (BOOKS, "read-only"))
    assert not [item for item in batch_planned(batch(world, ids)) if item.slot.startswith("several:")]
    press(world, ids[0])
    world.work()
    message = told(batch_planned(batch(world, ids)), "several:UDANA").message
    check(message)
    text = as_text(message)
    assert text.count("✅ Active until") == 2
    assert text.count("⏳ Needs approval") == 1
    assert "Open console" in text
    assert (buttons(message).count("end"), buttons(message)[-1]) == (2, "withdraw_all")


def test_what_happens_later_is_told_under_it_once(world) -> None:
    ids = asked(world, (PROD, "read-only"), (BOOKS, "read-only"))
    press(world, ids[0])
    world.work()
    chat = _posted("several:UDANA", ts=world.clock.now().timestamp())
    assert [item.slot for item in batch_planned(batch(world, ids, chat)) if item.slot.startswith("news:")] == []
    world.advance(60)
    world.deny(ids[1], SUE, "not today")
    news = told(batch_planned(batch(world, ids, chat)), "news:")
    assert (news.under, news.shows) == ("several:UDANA", "once")
    assert as_text(news.message) == f"read-only in Books-Prod · ⛔ Denied by Sue: not today · {ids[1]}"
    again = batch_planned(batch(world, ids, _posted(news.slot, by=chat)))
    assert [item.slot for item in again if item.slot.startswith("news:")] == []


def test_what_came_together_is_told_together_and_finished_as_it_was_begun(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"), (BOOKS, "read-only"))
    chat = _posted("several:UDANA", ts=world.clock.now().timestamp() - 1)
    press(world, ids[0])
    world.work()
    news = told(batch_planned(batch(world, ids, chat)), "news:")
    assert as_text(news.message).count("✅ Active") == 2
    begun = replace(
        chat, postings={**chat.postings, news.slot: Posting("UDANA", nonce="n", intent_at=world.clock.now())}
    )
    world.deny(ids[2], SUE, "not today")
    found = [item for item in batch_planned(batch(world, ids, begun)) if item.slot.startswith("news:")]
    assert [item.slot for item in found] == [news.slot, f"news:{ids[2]}=denied"]


def test_ends_in_the_same_minute_are_announced_together(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    press(world, ids[0])
    world.work()
    world.advance(3600 - 290, step_s=60)
    warning = told(batch_planned(batch(world, ids)), "warning:")
    assert "Your read-only and deploy in Payments-Prod · 🔴 production end at" in as_text(warning.message)


# ---------------------------------------------------------------- receipts


def test_one_thread_for_all_whose_lines_name_what_they_are_about(world) -> None:
    ids = asked(world, (PROD, "read-only"), (BOOKS, "read-only"))
    press(world, ids[0])
    found = batch_planned(batch(world, ids))
    assert "Dana asked for read-only" in as_text(told(found, RECEIPTS).message)
    lines = text_of(told(found, "lines:").message).splitlines()
    assert len(lines) == 3, "two asks and one approval"
    assert any(line.startswith("read-only in Payments-Prod · ") and "approved by Olu" in line for line in lines)
    assert any(line.startswith("read-only in Books-Prod · ") for line in lines)
    chat = replace(ChatRecord(ids[0]), told={RECEIPTS: told(found, "lines:").told})
    assert not [item for item in batch_planned(batch(world, ids, chat)) if item.slot.startswith("lines:")]


def test_a_summary_in_place_of_their_thread_tells_of_each_of_them(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    alone = world.asked(environment=STAGING)
    press(world, ids[0])
    reader = Reader(world.ctx)
    assert reader.together([ids[0], alone]) == [*ids, alone]
    entries = reader.entries(ids[0])
    assert [entry.number for entry in entries] == sorted(entry.number for entry in entries)
    assert {entry.subject for entry in entries} == set(ids)
    assert {entry.subject for entry in reader.entries(alone)} == {alone}


def test_where_one_environment_is_hidden_nothing_of_the_others_tells_who_asked(world) -> None:
    rules_ = world.policy.policy
    hidden = replace(rules_.environments[BOOKS], visibility=Visibility.MEMBERS)
    world.policy.policy = replace(rules_, environments={**rules_.environments, BOOKS: hidden})
    ids = asked(world, (PROD, "read-only"), (BOOKS, "read-only"))
    press(world, ids[0])
    found = batch_planned(batch(world, ids))
    for slot in (RECEIPTS, "lines:"):
        text = as_text(told(found, slot).message)
        assert not any(word in text for word in ("Dana", "Olu", "read-only", "INC-42")), text
    assert "Dana" in as_text(told(found, f"card:C0BOOKS:{ids[1]}").message), "its own channel is told all"


# ---------------------------------------------------------------- at the desk


def desk(world: World) -> Dispatcher:
    return Dispatcher(world.ctx, "/prodaccess")


def says(world: World, who, kind: str, press_id: str = "p", **what: Any) -> str:
    world.knows(who)
    user = account(who)
    reply = desk(world).carry_out(Interaction(f"{press_id}-{kind}-{what}", kind, user, **what))
    return as_text(reply.message) if reply.message else ""


def value_on(world: World, ids: tuple[str, ...]) -> str:
    card = told(batch_planned(batch(world, ids)), "card:").message
    return next(item for block in blocks_of(card) if block["type"] == "actions" for item in block["elements"])["value"]


def test_the_answer_says_who_can_approve_what(world) -> None:
    world.knows(OLU, PAT, SUE)
    answer = says(world, DANA, COMMAND, text=f"{PROD},{BOOKS} read-only 1h INC-42 x")
    assert answer.splitlines()[0].startswith("⏳ You asked for read-only in Payments-Prod 🔴 production and Books-Prod")
    assert "• Olu or Pat can approve read-only in Payments-Prod · 🔴 production." in answer
    assert "Sue can approve read-only in Books-Prod" in answer
    assert "Take all back" in answer


def test_several_can_begin_later_together(world) -> None:
    says(world, DANA, COMMAND, text=f"{PROD} read-only,deploy 1h at 22:00 INC-42 tonight")
    world.work()
    ids = tuple(sorted(world.ledger.members(keys.PENDING)))
    assert len({world.request(id_).start_at for id_ in ids}) == 1
    assert world.request(ids[0]).start_at is not None
    assert outcomes(press(world, ids[0])) == ["scheduled", "scheduled"]
    found = batch_planned(batch(world, ids))
    assert as_text(told(found, "card:").message).count("⏰ Agreed, starts") == 2
    assert buttons(told(found, "card:").message) == ["deny", "deny"]
    assert as_text(told(found, "several:UDANA").message).count("⏰ Agreed, starts") == 2
    assert buttons(told(found, "several:UDANA").message) == ["withdraw_all"]


def test_what_was_left_out_is_said(world) -> None:
    there = world.asked(environment=PROD)
    answer = says(world, DANA, COMMAND, text=f"{PROD} read-only,deploy 1h INC-42 x")
    assert "You asked for deploy in Payments-Prod" in answer
    assert "You asked for this already, so it was left out: read-only in Payments-Prod · ⏳ Needs approval" in answer
    assert there in answer


def test_the_form_asks_for_all_roles_that_were_chosen(world) -> None:
    fields = {"environment": PROD, "role": "read-only,deploy", "reason": "INC-42", "duration_s": "3600"}
    assert says(world, DANA, FORM, fields=fields) == "", "its answer is a message that is kept current"
    ids = tuple(world.ledger.members(keys.PENDING))
    world.work()
    message = told(batch_planned(batch(world, ids)), "several:UDANA").message
    assert "Olu or Pat can approve all of it." in as_text(message)
    assert buttons(message) == ["withdraw_all"]


def test_one_press_decides_all_and_says_nothing_that_the_card_shows(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    value = value_on(world, ids)
    assert "You asked for this yourself" in says(world, DANA, PRESS, action="approve_all", value=value)
    assert says(world, OLU, PRESS, action="approve_all", value=value) == ""
    assert [world.request(id_).state.value for id_ in ids] == ["approved", "approved"]


def test_what_could_not_be_decided_with_the_others_is_said_in_words() -> None:
    until_half_past = Hours(days=frozenset(range(7)), start=time(0), until=time(4, 30))
    world = World(policy(environment(entitlement(), entitlement("deploy", hours=until_half_past))))
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    world.advance(2400, step_s=600)
    said = says(world, OLU, PRESS, action="approve_all", value=value_on(world, ids))
    assert said.splitlines()[0] == f"✅ You approved {ids[0]}. It is being set up."
    assert said.splitlines()[1].startswith(f"Not {ids[1]} (deploy in payments-prod): ")
    assert "00:00 to 04:30" in said
    assert [world.request(id_).state.value for id_ in ids] == ["approved", "pending"]


def test_what_was_decided_before_is_not_told_again(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    value = value_on(world, ids)
    world.deny(ids[0])
    assert says(world, OLU, PRESS, action="approve_all", value=value) == "", "the card says it"
    assert says(world, OLU, PRESS, action="approve_all", value=value) == "", "a repeated press is the same press"
    assert "denied" in says(world, OLU, PRESS, press_id="again", action="approve_all", value=value)


def test_denied_in_one_go_with_one_reason(world) -> None:
    ids = asked(world, (PROD, "read-only"), (PROD, "deploy"))
    value = value_on(world, ids)
    request_views = [facts.view for facts in batch(world, ids).members]
    view = view_of(deny_all_form(request_views, value))
    check_view(view, "modal")
    found = read_reason(filled(view | {"state": {"values": {"reason": {"reason": {"value": "not now"}}}}}))
    assert found == (ids[0], value.partition(":")[2], "not now")
    assert says(world, OLU, DENY_ALL, fields={"id": ids[0], "reason": "not now"}) == ""
    assert [world.request(id_).closing.reason for id_ in ids] == ["not now", "not now"]


def test_all_is_taken_back_with_one_press_on_the_answer(world) -> None:
    ids = asked(world, (PROD, "read-only"), (BOOKS, "read-only"))
    said = says(world, DANA, PRESS, action="withdraw_all", value=ids[0], channel="C0GENERAL")
    assert said == f"↩︎ You took back {ids[0]} and {ids[1]}."
    assert [world.request(id_).state.value for id_ in ids] == ["withdrawn", "withdrawn"]


# ---------------------------------------------------------------- the form


def test_further_roles_follow_the_first_and_share_what_all_of_them_allow() -> None:
    short = entitlement("deploy", max_duration=timedelta(minutes=45), allows="Roll out")
    place = environment(entitlement(), short)
    alone = view_of(form.request_form([place], Chosen(PROD)))
    assert "more_roles" not in str(alone["blocks"]), "first the role"
    deciders = {f"{PROD} deploy": Deciders((Seat("platform", 1, ("Olu",)),))}
    chosen = Chosen(PROD, "read-only", more=("deploy",))
    view = view_of(form.request_form([place], chosen, deciders_more=deciders))
    check_view(view, "modal")
    by_action = {block["element"]["action_id"]: block for block in view["blocks"] if block["type"] == "input"}
    more = by_action["more_roles"]
    assert (more["optional"], more["element"]["max_selected_items"]) == (True, 9)
    assert [item["value"] for item in more["element"]["options"]] == ["deploy"]
    assert [item["text"]["text"] for item in by_action["duration"]["element"]["options"]] == ["30 min"]
    assert any("Roll out" in str(block) and "Olu of platform will be asked" in str(block) for block in view["blocks"])
    held = {
        "environment": {"environment": {"selected_option": {"value": PROD}}},
        by_action["role"]["block_id"]: {"role": {"selected_option": {"value": "read-only"}}},
        more["block_id"]: {"more_roles": {"selected_options": [{"value": "deploy"}]}},
        "reason": {"reason": {"value": "INC-42"}},
    }
    sent = filled(view | {"state": {"values": held}})
    assert form.chosen(sent) == Chosen(PROD, "read-only", more=("deploy",))
    found = form.read(sent)
    assert isinstance(found, form.FormAsk)
    assert (found.ask.role, found.more) == ("read-only", ("deploy",))


def test_an_only_role_has_no_others() -> None:
    view = view_of(form.request_form([environment(entitlement())], Chosen(PROD)))
    assert "more_roles" not in str(view["blocks"])

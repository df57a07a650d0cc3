"""A refusal says which days, by whose clock, and when it opens; all slips are told at once; a ticket is shown by an example."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.reply import Reply
from bot.chat.actions.sent_forms import SENT
from bot.chat.forms import request as form
from bot.chat.interaction import COMMAND, FORM, Interaction
from bot.chat.messages import notices
from bot.chat.plain_text import as_text
from bot.chat.wording.hours import day_words, opens_words
from bot.chat.wording.tickets import example_of, like
from bot.sandbox.slack.blockkit.limits import check_blocks
from bot.slack.form_input import errors_in
from bot.slack.form_view import view_of
from bot.slack.render import blocks_of, text_of
from tests.support.build import DANA, HOUR, NIA, NOW, entitlement, environment, facts, policy
from tests.support.world import World, account
from workflows.core.policy import Freeze, Hours, Policy, Ticket
from workflows.core.refusal import Code
from workflows.core.rules.eligibility import Ask
from workflows.core.rules.groups import opens_next
from workflows.usecases.shared.context import Outcome

BERLIN = "Europe/Berlin"
OFFICE = Hours(frozenset(range(5)), time(8), time(18))


def rules(**changes: Any) -> Policy:
    return policy(environment(entitlement(**changes)))


def says(world: World, text: str, zone: str = "UTC") -> Reply:
    world.chat.people[account(DANA)] = facts(DANA, time_zone=zone)
    world.knows(DANA)
    who = account(DANA)
    return Dispatcher(world.ctx, "/prodaccess").carry_out(Interaction(world.press_id(), COMMAND, who, text=text))


# ---------------------------------------------------------------- hours


def test_closed_hours_name_days_zone_and_when_it_opens_by_both_clocks() -> None:
    # A Saturday, 04:00 in Berlin.
    reply = says(World(rules(hours=OFFICE)), "payments-prod read-only 1h INC-42 errors", "America/New_York")
    assert reply.message is not None
    assert text_of(reply.message) == (
        "read-only is given Mon to Fri 08:00 to 18:00 (Europe/Berlin) only; it opens Mon 08:00 (your 02:00). "
        "Ask again then, or for then."
    )


def test_the_button_opens_the_form_filled_in_for_then() -> None:
    world = World(rules(hours=OFFICE))
    reply = says(world, "payments-prod read-only 1h INC-42 errors")
    assert reply.message is not None
    check_blocks(blocks_of(reply.message))
    (button,) = blocks_of(reply.message)[-1]["elements"]
    assert button["text"]["text"] == "Ask for then"
    ask = notices.read_ask_for(button["value"])
    opens = datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert ask == Ask("payments-prod", "read-only", HOUR, "INC-42 errors", None, opens)
    places = list(world.policy.policy.environments.values())
    chosen = form.Chosen(ask.environment, ask.role, ask.reason, ask.duration, begin=opens)
    view = view_of(form.request_form(places, chosen))
    assert int(opens.timestamp()) in [
        block["element"].get("initial_date_time") for block in view["blocks"] if "element" in block
    ]
    assert isinstance(world.ask(start_at=opens), Outcome)


def test_a_freeze_that_ends_this_week_can_be_asked_past() -> None:
    near, far = NOW + timedelta(days=2), NOW + timedelta(days=20)
    for until, offered in ((near, True), (far, False)):
        frozen = environment(entitlement(), freezes=(Freeze(NOW - HOUR, until, "Year-end freeze"),))
        reply = says(World(policy(frozen)), "payments-prod read-only 1h INC-42 errors")
        assert reply.message is not None
        assert ("Ask for then" in as_text(reply.message)) is offered


def test_what_was_asked_for_in_one_go_is_asked_for_then_in_one_go() -> None:
    roles = [entitlement(name, hours=OFFICE) for name in ("read-only", "deploy")]
    reply = says(World(policy(environment(*roles))), "payments-prod read-only,deploy 1h checkout errors")
    assert reply.message is not None
    (button,) = blocks_of(reply.message)[-1]["elements"]
    ask = notices.read_ask_for(button["value"])
    assert ask is not None
    assert (ask.role, ask.start_at) == ("read-only", datetime(2026, 11, 23, 7, tzinfo=UTC))
    assert notices.read_others(button["value"]) == (("deploy",), ())
    assert notices.read_others("x") == notices.read_others("[]") == ((), ())


def test_what_was_asked_for_somebody_else_is_asked_for_them_then() -> None:
    world = World(rules(hours=OFFICE))
    world.knows(NIA)
    reply = says(world, "for nia@example.com payments-prod read-only 1h checkout errors")
    assert reply.message is not None
    (button,) = blocks_of(reply.message)[-1]["elements"]
    assert notices.read_whom(button["value"]) == "UNIA"
    assert notices.read_whom("x") == notices.read_whom("[]") == ""
    chosen = form.Chosen("payments-prod", "read-only", holder="UNIA")
    assert "UNIA" in str(view_of(form.request_form([environment(entitlement())], chosen)))


def test_in_the_form_closed_hours_stand_beside_the_start() -> None:
    world = World(rules(hours=OFFICE))
    who = account(DANA)
    world.knows(DANA)
    fields = {"environment": "payments-prod", "role": "read-only", "reason": "INC-42", "ticket": ""}
    reply = Dispatcher(world.ctx, "/x").carry_out(Interaction("f", FORM, who, fields=fields))
    view = {"blocks": [{"block_id": "when", "element": {"action_id": "begin"}}]}
    assert list(errors_in(view, form.beside_fields(reply.said, form.field_of))) == ["when"]


@pytest.mark.parametrize("value", ["", "{}", "[]", '{"e":1,"r":2,"w":3,"t":4,"d":"x","s":1}', '{"d":1,"s":9e99}'])
def test_what_is_none_of_ours_opens_nothing(value: str) -> None:
    assert notices.read_ask_for(value) is None


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (range(5), "Mon to Fri"),
        (range(7), "every day"),
        ((5, 6), "Sat and Sun"),
        ((0, 2, 3, 4, 6), "Mon, Wed to Fri and Sun"),
        ((1,), "Tue"),
    ],
)
def test_days_as_one_says_them(days: Any, words: str) -> None:
    assert day_words(days) == words


def test_another_day_of_the_reader_is_named_and_a_week_ahead_has_its_date() -> None:
    monday = datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert opens_words(monday, BERLIN, "Pacific/Honolulu") == "Mon 08:00 (your Sun 21:00)"
    assert opens_words(monday, BERLIN, BERLIN, monday - timedelta(days=7)) == "Mon 23 Nov 08:00"


@given(
    st.frozensets(st.integers(0, 6), min_size=1),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.integers(0, 700 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
)
def test_it_opens_on_one_of_its_days_at_its_time_within_a_week(
    days: frozenset[int], start: time, now: datetime
) -> None:
    opens = opens_next(Hours(days, start, time(0)), now, "UTC")
    assert opens is not None
    assert now < opens <= now + timedelta(days=7)
    assert (opens.weekday() in days, opens.time()) == (True, start)


# ---------------------------------------------------------------- all slips at once


def test_all_slips_are_told_at_once() -> None:
    world = World(rules(ticket=Ticket("(INC|OPS)-[0-9]+")))
    reply = says(world, "payments-prod read-only 20h")
    assert reply.message is not None
    assert [code for code, _ in reply.said] == [Code.REASON_MISSING, Code.TICKET_MISSING, Code.DURATION_TOO_LONG]
    assert text_of(reply.message) == (
        "Say why you need it: `/prodaccess payments-prod read-only 20 h REASON`. A ticket is needed, like `INC-123`. "
        "Put it into the reason, or into its own field. read-only in payments-prod is given for 8 h at most; you asked "
        "for 20 h."
    )


def sends(world: World, **fields: str) -> Reply:
    world.knows(DANA)
    asked = {"environment": "payments-prod", "role": "read-only", "reason": "", "ticket": ""} | fields
    return Dispatcher(world.ctx, "/x").carry_out(Interaction(world.press_id(), FORM, account(DANA), fields=asked))


def test_a_form_with_four_slips_shows_each_beside_its_field() -> None:
    world = World(rules(ticket=Ticket("ORD-[0-9]+", example="ORD-77"), hours=OFFICE))
    reply = sends(world, ticket="none", duration_s="720000", start_at="1")
    assert dict(SENT[form.REQUEST_FORM].beside(reply)) == {
        "reason": "Say why you need it, in a few words.",
        "ticket": "`none` is no ticket here. One is needed like `ORD-77`.",
        "duration": "read-only in payments-prod is given for 8 h at most; you asked for 8 d 8 h.",
        "begin": "It cannot begin at 01 Jan 1970 00:00 (UTC): that is in the past. Leave the time out, and it begins with the "
        "approval.",
    }


def test_closed_hours_are_told_with_the_slips_and_the_button_is_there_all_the_same() -> None:
    reply = says(World(rules(ticket=Ticket("INC-[0-9]+"), hours=OFFICE)), "payments-prod read-only 1h errors")
    assert [code for code, _ in reply.said] == [Code.TICKET_MISSING, Code.OUTSIDE_HOURS]
    assert reply.message is not None
    assert "Ask for then" in as_text(reply.message)


def test_what_needs_no_facts_is_told_at_once_a_start_that_is_over_too() -> None:
    world = World(rules())
    fields = {"environment": "payments-prod", "role": "read-only", "reason": "x", "ticket": "", "start_at": "1"}
    act = Interaction("f", FORM, account(DANA), fields=fields)
    assert [code for code, _ in Dispatcher(world.ctx, "/x").carry_out(act).said] == [Code.START_PAST]


def test_slips_of_one_field_stand_there_together() -> None:
    said = ((Code.REASON_MISSING, "Say why."), (Code.DURATION_ZERO, "Too short."), (Code.START_PAST, "Over."))
    fields = {Code.REASON_MISSING: "a", Code.DURATION_ZERO: "b", Code.START_PAST: "b"}
    assert form.beside_fields(said, fields.__getitem__) == {
        "a": "Say why.",
        "b": "Too short. Over.",
    }


def test_slips_of_several_are_told_at_once_each_with_its_role() -> None:
    roles = [entitlement(name, ticket=Ticket("INC-[0-9]+")) for name in ("read-only", "deploy")]
    reply = says(World(policy(environment(*roles))), "payments-prod read-only,deploy 1h checkout errors")
    assert reply.message is not None
    assert text_of(reply.message).count("A ticket is needed, like `INC-123`") == 2
    assert text_of(reply.message).startswith("read-only in payments-prod: ")
    assert text_of(reply.message).endswith("Nothing of it was asked for.")


def test_rights_are_told_apart_from_slips() -> None:
    world = World(rules(requesters=("oncall",), ticket=Ticket("INC-[0-9]+")))
    assert [code for code, _ in says(world, "payments-prod read-only 20h").said] == [Code.NOT_A_REQUESTER]


# ---------------------------------------------------------------- tickets

_PARTS = r"[A-Z]+ [A-Z]{2,5} (INC|OPS) ORD [0-9]+ \d{4} [a-z]? - / # \w+ [^x] . (?:a|b) [A-Za-z0-9]{8}"
_PART = st.sampled_from(_PARTS.split())


@given(st.lists(_PART, min_size=1, max_size=5).map("".join))
def test_an_example_matches_what_the_policy_wants(pattern: str) -> None:
    found = example_of(pattern)
    if re.fullmatch(pattern, "") is None:
        assert found is not None
    assert found is None or re.fullmatch(pattern, found)


@pytest.mark.parametrize(
    ("pattern", "example"),
    [
        ("[A-Z]+-[0-9]+", "ABC-123"),
        ("ORD-[0-9]{1,6}", "ORD-123"),
        (r"(INC|OPS)-\d+", "INC-123"),
        ("CHG[0-9]{7}", "CHG1234567"),
        ("#[1-9][0-9]*", "#1"),
    ],
)
def test_examples_look_like_tickets(pattern: str, example: str) -> None:
    assert example_of(pattern) == example


@pytest.mark.parametrize("pattern", [r"(?=a)b", "[A-", r"(a)\1", "x{70}", "a{0}"])
def test_where_none_is_found_the_pattern_is_shown(pattern: str) -> None:
    assert like(pattern) == pattern


def test_the_form_wants_a_ticket_where_the_role_does_and_shows_one() -> None:
    for required in (True, False):
        place = environment(entitlement(ticket=Ticket("ORD-[0-9]+", required=required)))
        view = view_of(form.request_form([place], form.Chosen("payments-prod", "read-only")))
        (field,) = [block for block in view["blocks"] if block.get("element", {}).get("action_id") == "ticket"]
        assert field.get("optional", False) is not required
        assert field["element"]["placeholder"]["text"] == "like ORD-123"
        assert field["label"]["text"] == ("Ticket (needed)" if required else "Ticket")


def test_of_two_roles_the_one_that_wants_a_ticket_names_it() -> None:
    plain = entitlement(ticket=Ticket("REA-[0-9]+", required=False))
    wants = entitlement("deploy", ticket=Ticket("DEP-[0-9]+"))
    chosen = form.Chosen("payments-prod", "read-only", more=("deploy",))
    view = view_of(form.request_form([environment(plain, wants)], chosen))
    (field,) = [block for block in view["blocks"] if block.get("element", {}).get("action_id") == "ticket"]
    assert (field["optional"], field["element"]["placeholder"]["text"]) == (False, "like DEP-123")

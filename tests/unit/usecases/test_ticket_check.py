"""A ticket is verified at a system outside: when it is asked for, and before it is given. Not known is neither yes nor no."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.reply import FactsStale
from bot.chat.interaction import COMMAND, FORM, Interaction
from bot.chat.messages import notices
from bot.chat.plain_text import as_text
from tests.support.build import DANA, HOUR, MINUTE, NIA, auto, entitlement, environment, policy
from tests.support.world import World, account
from workflows.core.audit import Event
from workflows.core.policy import BreakGlass, Ticket, TicketCheck
from workflows.core.records.grant import GrantState
from workflows.core.records.request import Origin
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.core.rules.ticket_check import TicketSeen, TicketState
from workflows.usecases.requests.batch import ask_for_several
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.shared.context import Outcome

CLOSED, ABSENT = TicketSeen(TicketState.CLOSED), TicketSeen(TicketState.ABSENT)
SLOW = TicketSeen(TicketState.UNKNOWN, "the ticket system did not answer in time")
GLASS = BreakGlass(("oncall",), ("read-only",), 30 * MINUTE)


def world_with(*, accepts: bool = False, **changes: object) -> World:
    ticket = Ticket("INC-[0-9]+", verify=TicketCheck("https://tickets.example.com/{ticket}", "T", accepts))
    roles = [entitlement(role, ticket=ticket, **changes) for role in ("read-only", "deploy")]
    return World(policy(environment(*roles, break_glass=GLASS)))


def code(answer: object) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


@pytest.mark.parametrize(
    ("seen", "refused", "audited"),
    [
        (CLOSED, Code.TICKET_CLOSED, True),
        (ABSENT, Code.TICKET_ABSENT, True),
        (SLOW, Code.TICKET_NOT_VERIFIED, False),
    ],
)
def test_nothing_is_recorded_for_a_ticket_that_is_not_open(seen: TicketSeen, refused: Code, audited: bool) -> None:
    world = world_with()
    world.tickets.says["INC-42"] = seen
    answer = world.ask()
    assert isinstance(answer, Refused)
    assert (answer.code, answer.audited) == (refused, audited), "that nobody knows is not the asker's doing"
    assert not list(world.ledger.records("request"))


def test_a_ticket_that_is_open_leaves_no_note() -> None:
    world = world_with()
    id_ = world.active()
    assert (world.request(id_).ticket, world.request(id_).ticket_note) == ("INC-42", "")
    assert world.tickets.asked == ["INC-42", "INC-42"], "when it was asked for, and before it was given"


def test_what_is_refused_anyway_asks_no_system() -> None:
    world = world_with()
    assert code(world.ask(duration=100 * HOUR)) is Code.DURATION_TOO_LONG
    assert code(world.ask(who=NIA, reason="no ticket")) is Code.TICKET_MISSING
    world.asked()
    asked = list(world.tickets.asked)
    assert world.ask().outcome == "have_it"  # type: ignore[union-attr]  # it is there
    assert world.tickets.asked == asked


def test_a_ticket_that_is_taken_unverified_leaves_a_note_on_the_card_and_on_the_record() -> None:
    world = world_with(accepts=True)
    world.tickets.says["INC-42"] = SLOW
    id_ = world.asked()
    assert world.request(id_).ticket_note == SLOW.why
    made = next(entry for entry in world.all_entries() if entry.event is Event.REQUEST_MADE)
    assert made.facts["ticket_not_verified"] == SLOW.why
    seen = Dispatcher(world.ctx, "/prodaccess").carry_out(
        Interaction("show", COMMAND, account(DANA), text=f"show {id_}")
    )
    assert seen.message is not None
    assert f"INC-42 (not verified: {SLOW.why})" in as_text(seen.message)
    world.approve(id_)
    world.work()
    assert world.has_access(id_)


def test_the_web_process_leaves_the_look_to_a_worker_and_tells_all_else_at_once() -> None:
    world = world_with()
    world.knows(DANA)
    web = Dispatcher(replace(world.ctx, tickets=None), "/prodaccess")
    fields = {"environment": "payments-prod", "role": "read-only", "reason": "x", "ticket": "INC-42"}
    act = Interaction("form", FORM, account(DANA), fields=fields)
    with pytest.raises(FactsStale):
        web.carry_out(act)
    assert not list(world.ledger.records("request"))
    wrong = replace(act, fields=fields | {"ticket": "none"})
    assert [one for one, _ in web.carry_out(wrong).said] == [Code.TICKET_MISSING]


def test_a_form_that_a_worker_refuses_can_be_opened_again_as_it_was() -> None:
    world = world_with()
    world.tickets.says["INC-9"] = ABSENT
    world.knows(DANA)
    fields = {
        "environment": "payments-prod",
        "role": "deploy",
        "reason": "it burns",
        "ticket": "INC-9",
        "duration_s": "1800",
    }
    reply = Dispatcher(world.ctx, "/x").carry_out(Interaction("form", FORM, account(DANA), fields=fields))
    assert reply.message is not None
    assert "There is no ticket `INC-9`. Look at its number, and ask again." in as_text(reply.message)
    (button,) = [button for part in reply.message.parts for button in getattr(part, "elements", ())]
    assert button.label == "Ask again"
    assert notices.read_ask_for(button.value) == Ask("payments-prod", "deploy", 30 * MINUTE, "it burns", "INC-9")


@pytest.mark.parametrize(("seen", "why"), [(CLOSED, Code.TICKET_CLOSED), (ABSENT, Code.TICKET_ABSENT)])
def test_what_is_closed_by_the_time_of_the_giving_is_not_given(seen: TicketSeen, why: Code) -> None:
    world = world_with()
    id_ = world.asked()
    world.tickets.says["INC-42"] = seen
    assert isinstance(world.approve(id_), Outcome)
    world.work()
    grant = world.grant(id_)
    assert not world.has_access(id_)
    assert grant.end is not None
    assert grant.end.code == why.value
    reply = Dispatcher(world.ctx, "/x").carry_out(Interaction("s", COMMAND, account(DANA), text=f"show {id_}"))
    assert reply.message is not None
    assert "so the approval no longer stands" in as_text(reply.message)


def test_while_nobody_can_tell_nothing_is_given_and_nothing_is_ended() -> None:
    world = world_with()
    id_ = world.asked()
    world.tickets.says["INC-42"] = SLOW
    world.approve(id_)
    world.work()
    assert not world.has_access(id_)
    assert world.grant(id_).state is GrantState.ACTIVATING
    del world.tickets.says["INC-42"]
    world.advance(5)
    assert world.has_access(id_)


def test_a_ticket_that_closes_later_ends_nothing() -> None:
    world = world_with()
    id_ = world.active()
    world.tickets.says["INC-42"] = CLOSED
    world.advance(30)
    assert world.has_access(id_)


def test_a_rule_waits_for_the_system_like_people_do() -> None:
    world = world_with(auto_approve=(auto(),))
    world.tickets.says["INC-42"] = CLOSED
    assert code(world.ask()) is Code.TICKET_CLOSED


def test_more_time_is_for_an_open_ticket_too() -> None:
    world = world_with()
    id_ = world.active()
    world.tickets.says["INC-42"] = CLOSED
    assert code(world.extend(id_)) is Code.TICKET_CLOSED


def test_of_several_none_is_asked_for_where_one_ticket_is_closed() -> None:
    world = world_with()
    world.tickets.says["INC-7"] = CLOSED
    world.knows(DANA)
    asks = [
        Ask("payments-prod", role, HOUR, f"{ticket} errors")
        for role, ticket in (("read-only", "INC-42"), ("deploy", "INC-7"))
    ]
    answer = ask_for_several(world.ctx, asks, account(DANA), Origin(), world.press_id())
    assert isinstance(answer, Refused)
    assert (answer.code, answer.params["part"]) == (Code.TICKET_CLOSED, "deploy in payments-prod")
    assert not list(world.ledger.records("request"))


def test_an_emergency_waits_for_no_ticket_system() -> None:
    world = world_with()
    world.tickets.says["INC-42"] = CLOSED
    world.knows(NIA)
    answer = break_glass(
        world.ctx, Ask("payments-prod", "read-only", None, "INC-42 all is down", "INC-42"), account(NIA), Origin(), "p"
    )
    assert isinstance(answer, Outcome)
    world.work()
    assert world.has_access(answer.id)
    assert world.tickets.asked == []


def test_a_system_that_breaks_says_nothing_of_a_ticket() -> None:
    world = world_with()
    world.tickets.says = None  # type: ignore[assignment]  # it fails in a way that nobody expected
    world.knows(DANA)
    answer = ask_for_access(
        world.ctx, Ask("payments-prod", "read-only", HOUR, "INC-42 errors"), account(DANA), Origin(), "a"
    )
    assert isinstance(answer, Refused)
    assert answer.code is Code.TICKET_NOT_VERIFIED
    assert "error E-" in answer.params["why"]

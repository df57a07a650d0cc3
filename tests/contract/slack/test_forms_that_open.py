"""One guard for every form in which something is decided: whoever may decide gets it, in whosever place they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from bot.chat.actions import request_forms
from bot.chat.actions.deferred import Deferred
from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.handlers import handler
from bot.chat.actions.intake import Intake
from bot.chat.actions.sent_forms import SENT, Sent
from bot.chat.form import Filled
from bot.chat.forms.fields import BEGIN_THEN
from bot.chat.forms.request import Where
from bot.chat.interaction import FORM, Interaction
from bot.chat.message import value_of
from bot.chat.messages import approval_card as cards
from bot.chat.surface import Shown
from bot.sandbox.slack import words
from bot.sandbox.slack.people.forms import Form
from bot.slack.form_input import filled
from bot.slack.surface import Slack
from tests.contract.slack import test_forms_that_do_not_open as doors
from tests.contract.slack.test_forms_that_do_not_open import Front
from tests.support import build
from tests.support.build import DANA, NIA, OLU
from tests.support.world import account
from workflows.core import keys
from workflows.core.people import Membership, PersonId
from workflows.core.policy import Group, Hours, Ticket, TicketCheck
from workflows.core.records.person import PersonRecord
from workflows.core.rules.ticket_check import TicketSeen, TicketState
from workflows.ports import Change
from workflows.usecases.oversight.delegate import delegate
from workflows.usecases.shared.context import Outcome

# The fixture, which pytest looks for here.
front = doors.front

Opener = Callable[[Front, PersonId, str], None]


def deny(front: Front, who: PersonId, id_: str) -> None:
    front.opens(front.act(who, "deny", id_))


def deny_all(front: Front, who: PersonId, id_: str) -> None:
    front.opens(front.act(who, "deny_all", id_))


def less(front: Front, who: PersonId, id_: str) -> None:
    front.opens(front.act(who, cards.MORE, f"{cards.LESS}:{value_of(id_)}"))


OPENERS = pytest.mark.parametrize("opener", [deny, deny_all, less])


@OPENERS
def test_a_delegate_gets_every_form_that_the_owner_would(front: Front, opener: Opener):
    front.rig.knows(OLU, NIA)
    to, until = build.facts(NIA), front.rig.clock.now() + timedelta(days=1)
    assert isinstance(delegate(front.rig.ctx, account(OLU), to, until, "hand-over"), Outcome)
    opener(front, NIA, front.asked())
    assert front.slack.person("UNIA").view() is not None
    assert front.whispers(NIA) == []


@OPENERS
def test_whoever_asked_and_strangers_are_told_before_they_type(front: Front, opener: Opener):
    id_ = front.asked()
    for who in (DANA, NIA):
        opener(front, who, id_)
        assert front.slack.person(account(who).user).view() is None
        assert len(front.whispers(who)) == 1


def ends_with_a_press(front: Front, who: PersonId, id_: str) -> bool:
    """Whether it opens no form first."""
    act = front.act(who, "end", id_)
    found = handler(act)
    return found is not None and found.opens(front.forms, act) is None


def test_ones_own_access_ends_with_a_press_and_somebody_elses_is_asked_once(front: Front):
    id_ = front.rig.active()
    assert ends_with_a_press(front, DANA, id_)
    assert not ends_with_a_press(front, OLU, id_)
    front.opens(front.act(OLU, "end", id_))
    form = front.slack.person("UOLU").view()
    assert form is not None
    assert "Dana has *read-only* in *Payments*" in words(form.view)
    assert "✅ Active until" in words(form.view)


def test_who_may_not_end_it_is_told_before_they_type(front: Front):
    front.opens(front.act(NIA, "end", front.rig.active()))
    assert front.slack.person("UNIA").view() is None
    (told,) = front.whispers(NIA)
    assert "Only" in words(told)


def test_what_is_over_is_answered_to_the_press(front: Front):
    id_ = front.rig.active()
    front.rig.end(id_)
    assert ends_with_a_press(front, OLU, id_)


@OPENERS
def test_while_nobody_knows_who_is_in_the_group_the_form_opens(front: Front, opener: Opener):
    id_ = front.asked()
    rig = front.rig
    crew = Group("platform", slack_usergroup="S0CREW", trusted=True)
    rig.policy.policy = replace(rig.policy.policy, groups={**rig.policy.policy.groups, "platform": crew})
    rig.directory.put_members("slack:S0CREW", Membership().failed("Slack did not answer", rig.clock.now()))
    opener(front, OLU, id_)
    assert front.slack.person("UOLU").view() is not None
    assert [words(message) for message in front.whispers(OLU)] == []


# ---------------------------------------------------------------- what the request form offers


ADMIN = build.entitlement("admin", requesters=("platform",))
OTHERS = build.environment(build.entitlement(environment="vault", requesters=("platform",)), name="vault")


def offered(front: Front, who: PersonId, name: str) -> list[str]:
    """The choices of that menu in the form that stands open."""
    ask(front, who, "payments-prod")
    form = front.slack.person(account(who).user).form()
    return [
        option["value"]
        for block in form.blocks
        if block.get("element", {}).get("action_id") == name
        for option in block["element"]["options"]
    ]


def ask(front: Front, who: PersonId, environment: str) -> None:
    request_forms.open_request_form(front.forms, front.act(who), front.trigger(who), Where(), environment)


def test_the_form_leaves_out_what_fresh_facts_forbid_and_nothing_else(front: Front):
    rig = front.rig
    rig.policy.policy = build.policy(build.environment(build.entitlement(), ADMIN), OTHERS)
    assert offered(front, DANA, "role") == ["read-only"]
    assert offered(front, DANA, "environment") == ["payments-prod"]
    assert offered(front, OLU, "role") == ["read-only", "admin"]
    rig.policy.policy = replace(
        rig.policy.policy, groups={**rig.policy.policy.groups, "platform": Group("platform", slack_usergroup="S1")}
    )
    rig.directory.put_members("slack:S1", Membership(frozenset(), as_of=rig.clock.now()))
    assert offered(front, DANA, "role") == ["read-only"]
    rig.tick(600)
    assert offered(front, DANA, "role") == ["read-only", "admin"], "what was learnt long ago forbids nothing"


def test_whoever_may_ask_for_nothing_is_told_so_and_whoever_is_kept_out_too(front: Front):
    ask(front, build.SUE, "payments-prod")
    assert "You can ask for nothing here yet" in words(front.whispers(build.SUE)[-1])
    item = keys.person(DANA)
    snapshot = front.rig.ledger.read(item)
    out = PersonRecord(
        DANA, "Dana", blocked_until=snapshot.now + timedelta(hours=1), blocked_why="Sue revoked everything"
    )
    front.rig.ledger.commit(Change("out", snapshot.now, snapshot.versions(), puts={item: out}))
    ask(front, DANA, "payments-prod")
    assert "You can ask again from" in words(front.whispers(DANA)[-1])
    assert not front.slack.workspace.views.stack(account(DANA).user)


def test_the_form_for_closed_hours_is_filled_in_for_when_it_opens_and_sent_it_is_asked_for_then(front: Front):
    office = Hours(frozenset(range(5)), time(8), time(18))
    front.rig.policy.policy = build.policy(build.environment(build.entitlement(hours=office)))
    front.rig.activate()
    ask(front, DANA, "payments-prod")
    form = front.slack.person(account(DANA).user).form()
    assert "it opens Mon 08:00 (your 07:00)" in words(form.view)
    act = replace(front.act(DANA, BEGIN_THEN, "then"), channel="")
    request_forms.redraw_request_form(front.forms, act, Shown(form.view.id, form.view.hash), sent_back(form))
    form = front.slack.person(account(DANA).user).form()
    assert "it opens Mon" not in words(form.view)
    form.fill("reason", "INC-42 errors")
    found = SENT["request_form"].read(sent_back(form))
    assert isinstance(found, Sent)
    sent = Interaction("sent", FORM, account(DANA), fields=found.fields)
    assert Dispatcher(front.rig.ctx, "/prodaccess").carry_out(sent).refused is None
    (id_,) = [name.partition(":")[2] for name in front.rig.ledger.records("request")]
    assert front.rig.request(id_).start_at == datetime(2026, 11, 23, 7, tzinfo=UTC)


def sent_back(form: Form) -> Filled:
    """What Slack sends of it: the view, with what stands in its fields."""
    return filled(form.view.body | {"state": {"values": form.state}})


def test_a_ticket_in_the_form_is_verified_by_a_worker_and_a_refusal_opens_the_form_again_as_it_was(front: Front):
    rig, verified = front.rig, Ticket("INC-[0-9]+", verify=TicketCheck("https://tickets.example.com/{ticket}"))
    rig.policy.policy = build.policy(build.environment(build.entitlement(ticket=verified)))
    rig.activate()
    rig.tickets.says["INC-1"] = TicketSeen(TicketState.CLOSED)
    web = replace(rig.ctx, tickets=None)
    intake = Intake(web, Dispatcher(web, "/prodaccess"), Slack(rig.client))
    worker = Deferred(rig.ctx, Dispatcher(rig.ctx, "/prodaccess"), rig.refresher, Slack(rig.client), "/prodaccess")

    def sends(ticket: str) -> None:
        rig.knows(DANA)
        fields = {"environment": "payments-prod", "role": "read-only", "reason": "it burns", "ticket": ticket}
        act = Interaction(f"form:{ticket}", FORM, account(DANA), fields=fields)
        assert intake.carry_out(act).refused is None, "the form closes, and the answer comes"
        (item,) = [item for item in rig.ledger.due if item.startswith("press:")]
        worker.decide(item.removeprefix("press:"))

    sends("INC-1")
    answer = front.direct(DANA)[-1]
    assert "The ticket INC-1 is closed." in words(answer).replace("`", "")
    again = next(block["elements"][0] for block in answer.blocks if block["type"] == "actions")
    front.opens(front.act(DANA, again["action_id"], again["value"]))
    shown = front.slack.person(account(DANA).user).form()
    held = {name: each[name].get("value") for each in shown.state.values() for name in each}
    assert (held["reason"], held["ticket"]) == ("it burns", "INC-1")
    sends("INC-2")
    (id_,) = [name.partition(":")[2] for name in rig.ledger.records("request")]
    assert rig.request(id_).ticket == "INC-2"

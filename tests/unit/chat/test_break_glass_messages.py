"""What is said of a break-glass: within Slack's limits, pinging only whom it should, and only to those it is of use to."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.forms import request as form
from bot.chat.forms.break_glass import break_glass_field_of, break_glass_form, read_break_glass
from bot.chat.forms.request import Chosen, FormAsk, Where
from bot.chat.interaction import BREAK_GLASS_FORM, COMMAND, FLAG, PRESS, Interaction
from bot.chat.message import Message
from bot.chat.messages import break_glass, digest, home
from bot.chat.plain_text import as_text
from bot.chat.views.home_view import home_view
from bot.chat.views.overviews import digest_view
from bot.chat.views.request_view import RequestView, for_outsiders
from bot.sandbox.slack.blockkit.limits import check_blocks, check_view
from bot.sandbox.slack.mentions import mentions
from bot.slack.form_input import errors_in, filled
from bot.slack.form_view import view_of
from bot.slack.render import blocks_of, home_of, text_of
from tests.support import build
from tests.support.build import DANA, HOUR, MINUTE, NIA, OLU
from tests.support.slack_text import view_as_text
from tests.support.views import NOW, every_state
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.people import Membership, PersonId
from workflows.core.policy import BreakGlass, Policy
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.refusal import Code

RULE = BreakGlass(("oncall",), ("read-only",), 30 * MINUTE, max_per_day=2, review_within=24 * HOUR)
STATES = every_state()
MENTIONS = {"platform": ["S0PLATFORM"]}
NASTY = "<!channel> *x* `y` & <@U0SIREN> " + "x" * 480


def policy(**changes: object) -> Policy:
    return build.policy(build.environment(break_glass=RULE, **changes))


def broken(state: str, review: ReviewState | None = ReviewState.OWED, **changes: Any) -> RequestView:
    due = {"review_due": NOW + timedelta(hours=20), "reviewed_by": "Olu Owner", "review_note": NASTY}
    return replace(STATES[state], break_glass=True, review=review, **{**due, **changes})


@pytest.mark.parametrize("review", [*ReviewState, None])
@pytest.mark.parametrize("state", ["active", "ended", "revoked", "being removed", "not given"])
def test_every_message_is_within_slacks_limits_and_calls_only_the_owners(state, review):
    if state not in STATES:
        state = next(name for name in STATES if name.startswith(state[:8]))
    shown = broken(state, review, reason=NASTY, holder=NASTY[:60])
    shown: list[Message] = [
        break_glass.break_glass_card(shown, MENTIONS, ("platform",)),
        break_glass.chase(shown, MENTIONS, ("platform",)),
        break_glass.flagged(shown, to_holder=True),
        break_glass.unannounced(shown),
        *(
            say(for_outsiders(shown))
            for say in (break_glass.break_glass_card, break_glass.chase, break_glass.unannounced)
        ),
        digest.digest(digest_view([], NOW, reviews=[shown])),
    ]
    for message in shown:
        check_blocks(json.loads(json.dumps(blocks_of(message))))
        assert set(mentions(text_of(message), blocks_of(message))) <= {"S0PLATFORM"}


def test_outsiders_learn_of_a_break_glass_neither_who_nor_why():
    shown = for_outsiders(broken("active", ReviewState.FLAGGED))
    for say in (break_glass.break_glass_card, break_glass.chase, break_glass.unannounced):
        text = as_text(say(shown))
        assert "Dana" not in text
        assert "INC-42" not in text
        assert "Olu" not in text


def test_the_digest_says_which_reviews_are_overdue_and_the_home_who_owes_them():
    late, owed = broken("ended", review_due=NOW - MINUTE, id="PA-7"), broken("active", id="PA-8")
    text = as_text(digest.digest(digest_view([], NOW, reviews=[late, owed])))
    assert "1 review overdue · 1 review open" in text
    assert ", overdue since 21 Nov" in text
    view = home_of(home.home(home_view(NOW, reviews=[owed] * 9, mine=[STATES["active"]] * 40)))
    check_view(view, "home")
    assert view_as_text(view).count("[ Acknowledge... ]") == 3


# ---------------------------------------------------------------- the form


def test_the_way_to_break_the_glass_is_shown_where_it_may_be_and_leads_to_another_window():
    place = policy().environments["payments-prod"]
    chosen = Chosen("payments-prod", "read-only")
    assert "Break glass" not in view_as_text(view_of(form.request_form([place], chosen)))
    assert "Break glass" in view_as_text(view_of(form.request_form([place], chosen, break_glass=("payments-prod",))))
    view = view_of(break_glass_form(place, Where("C0INC", "inc-42")))
    check_view(view, "modal")
    text = view_as_text(view)
    for part in ("🚨 Break glass", "Everybody sees it", "for 30 min at most", "2 times in 24 hours", "platform"):
        assert part in text


def test_the_emergency_form_reads_back_what_was_chosen_and_says_what_is_missing():
    view = view_of(break_glass_form(policy().environments["payments-prod"], Where("C0INC", "inc-42")))
    blocks = {block["element"]["action_id"]: block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    values = {
        blocks["role"]: {"role": {"selected_option": {"value": "read-only"}}},
        blocks["duration"]: {"duration": {"selected_option": {"value": "1800"}}},
        blocks["reason"]: {"reason": {"value": "all down"}},
    }
    found = read_break_glass(filled(view | {"state": {"values": values}}))
    assert isinstance(found, FormAsk)
    assert (found.ask.environment, found.ask.role, found.ask.duration) == ("payments-prod", "read-only", 30 * MINUTE)
    assert found.where.channel == "C0INC"
    del values[blocks["reason"]]
    lacking = read_break_glass(filled(view | {"state": {"values": values}}))
    assert not isinstance(lacking, FormAsk)
    assert errors_in(view, lacking) == {blocks["reason"]: "Say what the emergency is."}
    assert errors_in(view, {break_glass_field_of(Code.BREAK_GLASS_BARRED): "no `x`"}) == {blocks["role"]: "no x"}


# ---------------------------------------------------------------- typed


def desk(rules: Policy | None = None) -> tuple[World, Dispatcher]:
    world = World(rules or policy())
    world.knows(DANA, NIA, OLU)
    for name, members in build.GROUPS.items():
        world.directory.put_members(name, Membership(members, build.NOW))
    return world, Dispatcher(world.ctx, "/prodaccess")


def says(at: Dispatcher, who: PersonId, kind: str = COMMAND, **what: Any) -> str:
    user = account(who)
    reply = at.carry_out(Interaction(f"{kind}-{who}-{what}", kind, user, **what))
    return as_text(reply.message) if reply.message else ""


def test_help_who_and_explain_tell_of_break_glass_only_to_those_who_may():
    _, at = desk()
    for text in ("help", "who payments-prod", "explain payments-prod read-only"):
        assert "/prodaccess break-glass" in says(at, NIA, text=text)
        assert "/prodaccess break-glass" not in says(at, DANA, text=text)


def test_where_nobody_can_approve_the_refusal_names_the_emergency_exit_to_those_who_may():
    alone = build.entitlement(approve={"nobody": 1})
    _, at = desk(build.policy(build.environment(alone, break_glass=RULE)))
    line = "payments-prod read-only 1h INC-42 all down"
    assert "In an emergency: `/prodaccess break-glass payments-prod read-only REASON`" in says(at, NIA, text=line)
    assert "break-glass" not in says(at, DANA, text=line)


def test_typed_pressed_and_sent_by_form_are_the_same_thing():
    world, at = desk()
    assert "🚨 You used break-glass" in says(at, NIA, text="break-glass payments-prod read-only 10m all down")
    assert "by form" not in says(
        at, NIA, BREAK_GLASS_FORM, fields={"environment": "payments-prod", "role": "x", "reason": "y"}
    )
    world.work()
    (id_,) = world.ledger.members(keys.REVIEWS)
    assert "somebody else has to review it" in says(at, NIA, PRESS, action="acknowledge", value=id_)
    assert "Say what was not right" in says(at, OLU, FLAG, fields={"id": id_, "reason": ""})
    assert says(at, OLU, PRESS, action="acknowledge", value=id_) == ""
    review = world.ledger.read(keys.review(id_)).get(keys.review(id_), Review)
    assert review is not None
    assert review.state is ReviewState.ACKNOWLEDGED
    assert "was acknowledged by Olu" in says(at, OLU, text=f"flag {id_} on second thoughts")
    assert f"{id_}" not in says(at, OLU, text="acknowledge PA-99")


def test_what_is_lifted_is_told_and_whom_nobody_knows_is_asked_for():
    world, at = desk()
    world.knows(build.SUE)
    assert "Nothing is blocked" in says(at, build.SUE, text="lift nia@example.com talked it over")
    assert "I know nobody called" in says(at, build.SUE, text="lift stranger talked it over")
    assert "Only members of security" in says(at, DANA, text="lift nia@example.com please")

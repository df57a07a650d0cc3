"""The card in each state, and the rule that everything sent is within Slack's limits and pings only whom it should."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from bot.chat.forms import reason as reason_forms
from bot.chat.forms import request as form
from bot.chat.message import Message
from bot.chat.messages import approval_card as cards
from bot.chat.messages import delegation as delegating
from bot.chat.messages import digest, home, lists, notices, receipts
from bot.chat.messages import reminders as calls
from bot.chat.outbox.plans.calls import Calls, CallsByChat
from bot.chat.outbox.plans.planning import PlanningInput
from bot.chat.outbox.plans.request import planned
from bot.chat.plain_text import as_text
from bot.chat.views.deciders import Deciders, Seat
from bot.chat.views.home_view import home_view
from bot.chat.views.overviews import Sealed, digest_view
from bot.chat.views.request_view import RequestView, StandIn, for_outsiders
from bot.chat.wording.labels import Stage
from bot.sandbox.slack.blockkit.limits import UPDATE_TEXT_MAX, check_blocks, check_view
from bot.sandbox.slack.mentions import mentions
from bot.slack.form_view import view_of
from bot.slack.render import blocks_of, home_of, text_of
from tests.support.views import (
    DANA,
    NOW,
    REASON,
    admin,
    approved,
    closed,
    end,
    entitlement,
    entry,
    environment,
    every_state,
    grant,
    request,
    resource,
    target,
    told,
)
from workflows.core.audit import Event
from workflows.core.identity import SLACK
from workflows.core.people import Delegation
from workflows.core.records.chat import ChatRecord
from workflows.core.records.grant import EndCause, GrantState
from workflows.targets.aws.instructions import by_hand, how_to_use
from workflows.targets.aws.kinds import AwsKind

STATES = every_state()
MENTIONS = {"platform": ["S0PLATFORM"], "security": ["U0SID", "U0SUE"]}


def check(message: Message) -> tuple[str, ...]:
    """As Slack's own models and the strict stand-in see it; drawn once, which is most of what it costs. Whom it calls."""
    text, blocks = text_of(message), blocks_of(message)
    assert 0 < len(text) <= UPDATE_TEXT_MAX
    assert blocks
    check_blocks(json.loads(json.dumps(blocks)))
    called = mentions(text, blocks)
    for block in Block.parse_all(blocks):
        block.to_dict()
    return called


def buttons(message: Message) -> list[dict[str, Any]]:
    return [item for block in blocks_of(message) if block["type"] == "actions" for item in block["elements"]]


def card(name: str) -> Message:
    return cards.approval_card(STATES[name], MENTIONS)


# ---------------------------------------------------------------- the approval card


def test_a_pending_card_reads_as_agreed() -> None:
    assert as_text(card("pending")) == (
        "Dana Dev asks for read-only in Payments · 🔴 production\n"
        "⏳ Needs approval from one of @S0PLATFORM\n"
        "| INC-42 checkout errors since the 02:40 deploy\n"
        "For        1 h, from the approval\n"
        "Allows     Read logs, metrics and configuration\n"
        "Ticket     INC-42 (https://tickets.example.com/INC-42)\n"
        "Last time  3 days ago, 1 h, ended on time\n"
        "[ Approve ]  [ Deny ]  [ More: Approve for less…, Explain who may approve this ]\n"
        "expires 04:12 UTC · payments-prod · PA-1042"
    )


def test_the_lock_screen_gets_the_whole_line_with_duration_and_reason() -> None:
    assert text_of(card("pending")) == (
        f"Dana Dev asks for read-only in Payments (production) for 1 h: {REASON} · PA-1042"
    )


@pytest.mark.parametrize("name", list(STATES))
def test_the_lock_screen_reads_no_markup_and_always_why(name: str) -> None:
    view = STATES[name]
    told = (receipts.receipt_root(view), notices.asked(view), notices.active(view), notices.outcome(view))
    for message in (card(name), *told):
        assert "*" not in text_of(message)
    assert REASON in text_of(card(name))


def test_what_is_read_aloud_of_a_list_has_its_rows() -> None:
    views = [STATES["pending"], STATES["active"]]
    gathered = digest.digest(digest_view(views, NOW))
    for message in (lists.active_list(views), lists.pending(views), receipts.summary(views), gathered):
        assert text_of(message).count("PA-1042") == 2, text_of(message)


def test_an_active_card_reads_as_agreed() -> None:
    assert as_text(card("active")) == (
        "Dana Dev has read-only in Payments · 🔴 production\n"
        "✅ Active until 04:20 UTC · approved by Olu Owner at 03:20 UTC\n"
        "| INC-42 checkout errors since the 02:40 deploy\n"
        "[ End early ]  [ Extend ]\n"
        "payments-prod · PA-1042"
    )


def test_a_card_for_more_time_names_the_grant_and_both_ends() -> None:
    assert as_text(card("more asked")) == (
        "Dana Dev asks for 30 min more of read-only in Payments · 🔴 production\n"
        "⏳ Needs approval from one of @S0PLATFORM\n"
        "| INC-42 checkout errors since the 02:40 deploy\n"
        "Allows     Read logs, metrics and configuration\n"
        "Until      04:50 UTC instead of 04:20 UTC\n"
        "Ticket     INC-42 (https://tickets.example.com/INC-42)\n"
        "[ Approve ]  [ Deny ]  [ More: Explain who may approve this ]\n"
        "extends PA-1042 · expires 04:20 UTC · payments-prod · PA-1043"
    )


def test_an_extended_card_says_by_whom() -> None:
    assert "✅ Active until 04:50 UTC · extended by Pat · approved by" in as_text(card("active, extended"))
    assert "more time asked: PA-1043" in as_text(card("active, more asked"))


def test_an_ended_card_keeps_who_approved_and_why() -> None:
    assert as_text(card("ended")) == (
        "Dana Dev had read-only in Payments · 🔴 production\n"
        "🏁 Ended 04:20 UTC · used 1 h · approved by Olu Owner · removal verified\n"
        "[ Ask again ]\n"
        "| INC-42 checkout errors since the 02:40 deploy\n"
        "payments-prod · PA-1042"
    )


def test_a_session_that_may_go_on_stands_in_the_small_print() -> None:
    assert as_text(card("ended, session open")).endswith("\nsessions end by 05:20 UTC · payments-prod · PA-1042")


@pytest.mark.parametrize("name", list(STATES))
def test_the_second_line_is_the_state_and_its_mark(name: str) -> None:
    """In full size, in each state, with a word that is there without the mark."""
    view = STATES[name]
    first, second = blocks_of(card(name))[0]["text"]["text"].split("\n")[:2]
    assert first.endswith(view.tier_words)
    assert second.startswith(view.state)
    assert re.match(r"\W+ [A-Z]\w+", second)


@pytest.mark.parametrize("name", list(STATES))
def test_the_reason_stays_to_the_end(name: str) -> None:
    quotes = [block for block in blocks_of(card(name)) if block["type"] == "rich_text"]
    assert quotes == [
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_quote", "elements": [{"type": "text", "text": REASON}]}],
        }
    ]


def test_a_card_shrinks_as_it_ages() -> None:
    sizes = [len(blocks_of(card(name))) for name in ("pending, dangerous", "active", "ended")]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3


@pytest.mark.parametrize("name", list(STATES))
def test_buttons_that_can_no_longer_do_anything_are_gone(name: str) -> None:
    view = STATES[name]
    found = {button["action_id"] for button in buttons(card(name))}
    can_be_decided = view.stage is Stage.WAITING and view.resolved and view.in_policy
    assert ("deny" in found) == (can_be_decided or view.stage is Stage.AGREED)
    assert ("approve" in found) == (can_be_decided and view.shut is None)
    assert ("end" in found) == (view.stage is Stage.ACTIVE)
    assert ("extend" in found) == (view.stage is Stage.ACTIVE and not view.more_asked)


@pytest.mark.parametrize("name", list(STATES))
def test_people_are_called_only_where_they_must_act_and_once(name: str) -> None:
    message = card(name)
    called = mentions(text_of(message), blocks_of(message))
    expected = {
        "pending": ("S0PLATFORM",),
        "more asked": ("S0PLATFORM",),
        "pending, later": ("S0PLATFORM",),
        "pending, dangerous": ("S0PLATFORM", "U0SID", "U0SUE"),
        "pending, 1 of 2": ("U0SID", "U0SUE"),
        "pending, for less": ("S0PLATFORM",),
        "pending, rule used up": ("S0PLATFORM",),
    }
    assert called == expected.get(name, ())
    assert all(json.dumps(blocks_of(message)).count(id_) == 1 for id_ in called)


def test_who_is_asked_in_two_places_is_called_in_the_first_and_named_in_the_second() -> None:
    view = replace(STATES["pending, dangerous"], called_names={"U0SID": "Sid", "U0SUE": "Sue"})
    both = cards.approval_card(view, {"platform": ["U0SID"], "security": ["U0SID", "U0SUE"]})
    assert "⏳ Needs approval from one of platform (@U0SID) and one of security (Sid, @U0SUE)" in as_text(both)


def test_every_button_carries_the_request_and_its_terms() -> None:
    view = STATES["pending"]
    for button in buttons(card("pending")):
        value = button["value"] if button["type"] == "button" else button["options"][0]["value"]
        assert value.endswith(f"PA-1042:{view.terms.hash}")
    for option, choice in zip(buttons(card("pending"))[2]["options"], (cards.LESS, "explain"), strict=True):
        assert cards.read_more(option["value"]) == (choice, "PA-1042", view.terms.hash)
    assert cards.read_more("delete:PA-1042") is None


def test_a_dangerous_role_asks_to_confirm_and_repeats_who_what_where_how_long() -> None:
    approve = buttons(card("pending, dangerous"))[0]
    assert approve["confirm"]["text"]["text"] == (
        "Dana Dev gets admin in Payments (production) for 1 h. Danger: can delete customer data."
    )
    assert "confirm" not in buttons(card("pending"))[0]


def test_there_is_one_primary_button_at_most() -> None:
    messages = [card(name) for name in STATES] + [notices.active(view) for view in STATES.values()]
    assert all(sum(item.get("style") == "primary" for item in buttons(message)) <= 1 for message in messages)


def test_the_reason_is_quoted_as_it_was_typed() -> None:
    evil = "<!channel> *bold* `x` & <@U1>"
    message = cards.approval_card(told(request(reason=evil)))
    (quoted,) = blocks_of(message)[1]["elements"]
    assert quoted == {"type": "rich_text_quote", "elements": [{"type": "text", "text": evil}]}
    assert mentions(text_of(message), blocks_of(message)) == ()


# ---------------------------------------------------------------- receipts


def test_a_receipt_is_a_line_with_number_and_digest() -> None:
    view = STATES["active"]
    entries = [
        entry(1873, Event.REQUEST_APPROVED, 8, actor_name="Olu Owner"),
        entry(1874, Event.GRANT_ACTIVE, 8, proof="presence_read_back"),
    ]
    text = as_text(receipts.receipt_replies(entries, {}, deadline=view.deadline))
    assert text.split("\n") == [
        "03:20 UTC approved by Olu Owner · #1873 751751751751",
        "03:20 UTC active until 04:20 UTC, seen in AWS · #1874 752752752752",
    ]


def test_receipts_in_a_channel_of_outsiders_name_nobody() -> None:
    view = for_outsiders(STATES["active"])
    entries = [entry(1, Event.REQUEST_MADE, actor=DANA, actor_name="Dana Dev", reason=REASON, duration_s="3600")]
    shown = [receipts.receipt_root(view), receipts.receipt_replies(entries, {DANA: "Dana Dev"}, hidden=True)]
    for message in [*shown, cards.approval_card(view), receipts.summary([view])]:
        for secret in ("Dana", "read-only", "INC-42"):
            assert secret not in text_of(message) + as_text(message)


def test_the_root_is_one_line_in_every_state() -> None:
    for view in STATES.values():
        assert len(as_text(receipts.receipt_root(view)).split("\n")) == 1


# ---------------------------------------------------------------- the holder


def test_open_console_is_awss_shortcut_link() -> None:
    console = buttons(notices.active(STATES["active"]))[0]
    assert console["url"] == (
        "https://acme.awsapps.com/start/#/console?account_id=111122223333&role_name=ReadOnlyAccess"
    )


@pytest.mark.parametrize("kind", list(AwsKind))
def test_every_kind_of_target_says_how_to_get_in_and_how_to_take_it_away_by_hand(kind: AwsKind) -> None:
    use = how_to_use(target(kind), "payments-prod", "read-only", {})
    assert use.lines
    assert use.console is None or use.console.startswith("https://")
    commands = by_hand(target(kind), resource(kind).ids, "PA-1042")
    verb = {
        AwsKind.IDENTITY_CENTER: "delete-account-assignment",
        AwsKind.IDENTITY_CENTER_GROUP: "delete-group-membership",
        AwsKind.IAM_POLICY: "delete-user-policy --user-name dana --policy-name prodaccess-PA-1042",
        AwsKind.IAM_GROUP: "remove-user-from-group --user-name dana --group-name deployers",
        AwsKind.IAM_ROLE_POLICY: "delete-role-policy --role-name orders-deploy --policy-name prodaccess-PA-1042",
    }[kind]
    assert any(verb in line for line in commands)
    check(notices.removal_failing(replace(STATES["could not be removed"], resource=resource(kind)), failures=3))


def test_commands_by_hand_quote_what_a_shell_would_run() -> None:
    evil = replace(resource(AwsKind.IAM_GROUP), ids={"user": "x; rm -rf /", "group": "$(id)"})
    joined = "\n".join(by_hand(evil.target, evil.ids, "PA-1042"))
    assert "'x; rm -rf /'" in joined
    assert "'$(id)'" in joined


def test_an_outcome_tells_the_holder_what_is_still_open() -> None:
    assert "Sessions end by 05:20 UTC" in as_text(notices.outcome(STATES["ended, session open"]))
    assert "Nothing is open" in as_text(notices.outcome(STATES["not given"]))
    assert "goes on under PA-1043" in as_text(notices.outcome(STATES["not given, covered"]))


# ---------------------------------------------------------------- within limits, whatever is written

TEXT = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="<>&*_~`|!@#^\n \u202e\u200b😀é", max_size=80),
    st.sampled_from(["", " ", "<!channel>", "```", "x" * 4_000, "&" * 3_000, "<" * 600, "@here", "😀" * 500]),
)


def _chased(view: RequestView) -> RequestView:
    """Somebody has waited for a while; what is hidden stays hidden."""
    if view.hidden:
        return view
    away = (view.holder, view.reason)
    stand_in = StandIn(view.holder, view.reason, NOW)
    told = replace(view, reminded_at=(NOW, NOW), escalated_at=NOW, escalated_to=("security",), owners=("platform",))
    return replace(told, away=away, stand_ins=(stand_in,), escalation_approves=len(view.reason) % 2 == 0)


def test_an_answer_begins_no_line_with_a_separator_where_nobody_can_act_any_more() -> None:
    """Reminded first, frozen then: who was asked is not said, and neither is what would stand between."""
    told = as_text(notices.asked(_chased(STATES["pending, frozen"]), _deciders("Olu Owner")))
    assert "\nexpires " in told
    assert not [line for line in told.splitlines() if line.startswith(" ·")]


def _deciders(name: str) -> Deciders:
    return Deciders((Seat(name, 2, tuple(f"{name} {number}" for number in range(9))), Seat(name, 1, (name,))))


MAKERS: list[Callable[[RequestView], Message]] = [
    lambda view: cards.approval_card(view, MENTIONS),
    receipts.receipt_root,
    notices.asked,
    lambda view: notices.have_it(view, DANA),
    notices.active,
    notices.over_active,
    notices.ending,
    notices.outcome,
    notices.removal_failing,
    lambda view: notices.reappeared(view, NOW),
    lambda view: receipts.summary([view] * 60, 99),
    lambda view: lists.active_list([view] * 60, "payments-prod", 7),
    lambda view: lists.pending([view] * 60),
    lambda view: lists.history([view] * 20, "in payments-prod", 7),
    lambda view: lists.show(view, [entry(1, Event.REQUEST_MADE, reason=view.reason)] * 60, {}),
    lambda view: calls.reminder(_chased(view), ["U0SID", "U0SUE"]),
    lambda view: calls.escalated(_chased(view), ["S0PLATFORM"]),
    lambda view: calls.escalated(_chased(view), ["U0SUE"], on_card=False),
    lambda view: cards.approval_card(_chased(view), MENTIONS),
    lambda view: notices.have_it(_chased(view), DANA, _deciders(view.holder)),
    lambda view: notices.asked(view, _deciders(view.holder), by_rule=True),
    lambda view: lists.show(view, [], {}, _deciders(view.holder)),
    lambda view: delegating.to_the_delegate(Delegation(DANA, view.holder, NOW, NOW, view.reason), NOW, "/prodaccess"),
    lambda view: delegating.in_force(Delegation(DANA, view.holder, NOW, NOW), NOW, "/prodaccess"),
    lambda view: lists.mine(home_view(NOW, mine=[view] * 20, asked=[view] * 20, waiting_on_me=[view] * 20)),
    lambda view: digest.digest(digest_view([view] * 60, NOW, sealed=Sealed(9, "ab" * 32))),
]


@pytest.mark.parametrize("name", list(STATES))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_every_message_is_valid_and_pings_nobody_whatever_people_wrote(name: str, data: st.DataObject) -> None:
    made = STATES[name]
    words: dict[str, Any] = {
        field: data.draw(TEXT)
        for field in ("holder", "requester", "title", "role", "reason", "allows", "danger", "ticket", "how_to", "why")
    }
    words |= {"approved_by": data.draw(TEXT), "ended_by": data.draw(TEXT), "error": data.draw(TEXT)}
    problems = ((data.draw(TEXT), data.draw(TEXT)),)
    view = replace(made, ticket_link="https://x.example/" + "y" * 40, group_problems=problems, **words)
    for shown in (view, for_outsiders(view)):
        for make in MAKERS:
            message = make(shown)
            assert set(check(message)) <= {"S0PLATFORM", "U0SID", "U0SUE"}
            as_text(message)
    check_view(view_of(reason_forms.deny_form(view, "PA-1042")), "modal")
    check_view(
        home_of(home.home(home_view(NOW, mine=[view] * 30, waiting_on_me=[view] * 30, asked=[view] * 30))), "home"
    )


@settings(max_examples=15, deadline=None)
@given(TEXT, TEXT, TEXT)
def test_entries_with_any_words_make_valid_receipts(reason: str, name: str, rule: str) -> None:
    entries = [entry(number, event, actor_name=name, reason=reason, rule=rule) for number, event in enumerate(Event)]
    for message in (receipts.receipt_replies(entries, {}), receipts.policy_activated(entries[-4])):
        assert check(message) == ()


@settings(max_examples=15, deadline=None)
@given(TEXT, TEXT, TEXT, TEXT)
def test_forms_and_lists_of_any_policy_are_valid(title: str, allows: str, danger: str, name: str) -> None:
    roles = (entitlement(allows=allows, danger=danger), admin())
    places = [environment(*roles, name=f"env-{number}", title=title) for number in range(120)]
    drawn = form.request_form(places, form.Chosen("env-3", "admin"), deciders=_deciders(name))
    check_view(view_of(drawn), "modal")
    check_view(view_of(form.request_form(places[:100], form.Chosen("env-3", "read-only", "y" * 700))), "modal")
    check(lists.environments(places))
    check(lists.who(places[0], {name: [name] * 90}, {}, {name: danger}))


def test_a_digest_says_nothing_active_and_when_the_last_access_ended() -> None:
    last = closed(GrantState.ENDED, end(EndCause.TIME))
    text = as_text(
        digest.digest(digest_view([], NOW + timedelta(hours=6), last_ended=last, sealed=Sealed(7, "ab" * 32)))
    )
    assert text.splitlines() == [
        "Nothing active. Last access ended 21 Nov, 04:20 UTC.",
        "Nothing needs a hand · audit #7 abababababab, not sealed: there is no key",
    ]


def test_a_digest_names_the_most_dangerous_first_and_what_needs_a_hand() -> None:
    dangerous = replace(told(approved(admin()), grant(role=admin())), id="PA-9")
    lines = as_text(digest.digest(digest_view([*STATES.values(), dangerous], NOW))).split("\n")
    assert "PA-9" in lines[2]
    hands = lines.index("Needs a hand")
    assert "Could not be removed" in lines[hands + 1]
    assert "waits since" in lines[hands + 2]


def test_a_card_in_a_freeze_says_until_when_and_can_be_denied() -> None:
    lines = as_text(card("pending, frozen")).splitlines()
    assert lines[1] == (
        "⏳ Needs approval from one of platform · Year-end freeze until 24 Nov, 03:12 UTC: cannot be approved before"
    )
    assert lines[-2] == "[ Deny ]  [ More: Explain who may approve this ]"


@pytest.mark.parametrize("state", ["pending, for less", "active, for less"])
def test_a_card_tells_what_was_asked_for_and_what_was_approved_instead(state: str) -> None:
    assert "Asked for admin for 2 h; approved for less: read-only for 1 h by Olu Owner" in as_text(card(state))


# ---------------------------------------------------------------- more time, in the plan of messages


def slots_planned(name: str, **changes: object) -> list[str]:
    """The slots of the messages that a request has in this state."""
    empty = ChatRecord("PA-1042")
    whom = CallsByChat({SLACK: Calls(MENTIONS)})
    facts = PlanningInput(request(), STATES[name], environment(), ("C0RECEIPTS",), (), empty, whom, **changes)
    return [item.slot for item in planned(facts)]


def test_before_each_new_end_there_is_a_warning_of_its_own() -> None:
    assert "warning:U0DANA" in slots_planned("active", warned=True)
    assert "warning:U0DANA:1" in slots_planned("active, extended", warned=True, extended=1)
    assert not any(slot.startswith("warning") for slot in slots_planned("active, extended", extended=1))


@pytest.mark.parametrize("name", ["more given", "more not given"])
def test_the_holder_is_told_what_became_of_more_time(name: str) -> None:
    assert "outcome:U0DANA" in slots_planned(name)
    text = as_text(notices.outcome(STATES[name]))
    assert "30 min more of read-only" in text
    assert ("until 04:50 UTC" in text) == (name == "more given")
    assert ("PA-1042 ends as it would have" in text) == (name == "more not given")


def test_the_requester_is_told_once_that_a_later_start_was_agreed_to() -> None:
    assert "agreed:U0DANA" in slots_planned("agreed")
    assert "You will have read-only in Payments" in as_text(notices.agreed(STATES["agreed"]))

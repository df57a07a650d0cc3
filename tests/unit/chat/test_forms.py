"""The form: least first, who will be asked before it is sent, errors beside their fields."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.chat.forms import reduced_approval
from bot.chat.forms import request as form
from bot.chat.forms.reason import deny_form, end_form, read_reason
from bot.chat.forms.request import Chosen, FormAsk, Where
from bot.chat.views.deciders import Deciders, Seat
from bot.sandbox.slack.blockkit.limits import check_view
from bot.slack import form_input
from bot.slack.form_view import options_of, view_of
from tests.support.slack_text import view_as_text
from tests.support.views import admin, entitlement, environment, every_state
from workflows.core.policy import Environment, Tier
from workflows.core.refusal import Code
from workflows.core.rules.eligibility import Ask

PROD = environment()
BOTH = Deciders((Seat("platform", 1, ("Olu", "Pat")), Seat("security", 1, ("Pat", "Sue"))))
STAGING = environment(entitlement(ticket=None), name="payments-staging", tier=Tier.STAGING)
WHERE = Where("C0INC", "inc-42", "1700000000.000100")


def blocks(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By action_id."""
    return {block["element"]["action_id"]: block for block in view["blocks"] if block["type"] == "input"}


def filled(view: dict[str, Any], **values: str) -> dict[str, Any]:
    """The view as Slack sends it back."""
    state: dict[str, Any] = {}
    for action_id, block in blocks(view).items():
        chosen = values.get(action_id)
        is_text = block["element"]["type"] == "plain_text_input"
        initial = block["element"].get("initial_option", {}).get("value")
        picked = chosen or initial
        held = {"value": chosen} if is_text else {"selected_option": {"value": picked} if picked else None}
        state[block["block_id"]] = {action_id: held}
    return view | {"state": {"values": state}}


def request_view(*args: Any, **more: Any) -> dict[str, Any]:
    return view_of(form.request_form(*args, **more))


def read(view: dict[str, Any]) -> FormAsk | dict[str, str]:
    found = form.read(form_input.filled(view))
    return found if isinstance(found, FormAsk) else form_input.errors_in(view, found)


def chosen(view: dict[str, Any]) -> Chosen:
    return form.chosen(form_input.filled(view))


def options(query: str, places: Sequence[Environment], recent: Sequence[str] = ()) -> dict[str, Any]:
    return options_of(form.choices_for(query, places, recent))


def refused_in(view: dict[str, Any], code: Code, sentence: str) -> dict[str, str]:
    return form_input.errors_in(view, form.beside_fields([(code, sentence)], form.field_of))


def whole() -> dict[str, Any]:
    return request_view([PROD, STAGING], Chosen("payments-prod", "admin"), WHERE, deciders=BOTH)


def test_it_opens_with_environment_and_reason_alone() -> None:
    view = request_view([PROD, STAGING])
    check_view(view, "modal")
    assert list(blocks(view)) == ["environment", "reason"]
    assert view["callback_id"] == "request_form"


def test_asked_again_the_form_is_filled_in_as_it_was() -> None:
    longest = max(PROD.roles["admin"].durations)
    before = Chosen("payments-prod", "admin", "INC-42 checkout errors", longest, "INC-42")
    view = request_view([PROD, STAGING], before)
    check_view(view, "modal")
    found = blocks(view)
    assert found["reason"]["element"]["initial_value"] == "INC-42 checkout errors"
    assert found["duration"]["element"]["initial_option"]["value"] == str(int(longest.total_seconds()))
    assert found["ticket"]["element"]["initial_value"] == "INC-42"


def test_environments_used_last_stand_first_and_production_is_seen_at_a_glance() -> None:
    options = blocks(request_view([PROD, STAGING], recent=["payments-staging"]))["environment"]["element"]["options"]
    assert [option["value"] for option in options] == ["payments-staging", "payments-prod"]
    assert options[1]["text"]["text"] == "🔴 production · Payments · payments-prod"


def test_the_roles_follow_the_environment_and_drop_a_choice_that_belongs_to_another() -> None:
    prod = blocks(request_view([PROD, STAGING], Chosen("payments-prod")))["role"]
    staging = blocks(request_view([PROD, STAGING], Chosen("payments-staging")))["role"]
    assert prod["dispatch_action"] is True
    assert [option["value"] for option in prod["element"]["options"]] == ["read-only", "admin"]
    assert prod["block_id"] != staging["block_id"]


def test_what_it_allows_its_danger_and_who_is_asked_stand_there_before_it_is_sent() -> None:
    text = view_as_text(whole())
    for words in (
        "Allows: Change anything",
        "Dangerous: can delete customer data",
        "One of platform (Olu, Pat) and one of security (Pat, Sue) will be asked, and one person counts once.",
    ):
        assert words in text


def test_the_least_duration_stands_first_and_the_default_is_chosen() -> None:
    element = blocks(whole())["duration"]["element"]
    assert element["type"] == "radio_buttons"
    assert [option["text"]["text"] for option in element["options"]] == ["30 min", "1 h", "4 h"]
    assert element["initial_option"]["value"] == "1800"


def test_a_long_menu_of_durations_becomes_a_select() -> None:
    many = entitlement(durations=tuple(timedelta(minutes=number) for number in range(1, 30)))
    view = request_view([environment(many)], Chosen("payments-prod", "read-only"))
    check_view(view, "modal")
    assert blocks(view)["duration"]["element"]["type"] == "static_select"


def test_a_ticket_is_asked_for_only_where_the_role_has_a_rule() -> None:
    assert "ticket" in blocks(whole())
    assert "ticket" not in blocks(request_view([STAGING], Chosen("payments-staging", "read-only")))


def test_an_only_role_is_chosen_already() -> None:
    assert "duration" in blocks(request_view([STAGING], Chosen("payments-staging")))


def test_what_was_filled_in_reads_back() -> None:
    view = filled(whole(), duration="3600", reason="  checkout\n errors ", ticket=" INC-42 ")
    assert read(view) == FormAsk(Ask("payments-prod", "admin", timedelta(hours=1), "checkout errors", "INC-42"), WHERE)


def test_what_is_missing_is_said_beside_its_field() -> None:
    view = request_view([PROD, STAGING], Chosen("payments-prod"))
    errors = read(filled(view, reason=" "))
    assert isinstance(errors, dict)
    assert set(errors) == {blocks(view)["role"]["block_id"], "reason"}


@pytest.mark.parametrize(
    ("code", "action_id"),
    [
        (Code.DURATION_TOO_LONG, "duration"),
        (Code.TICKET_MISSING, "ticket"),
        (Code.REASON_TOO_LONG, "reason"),
        (Code.NOT_A_REQUESTER, "role"),
        (Code.FREEZE, "environment"),
        (Code.LEDGER_UNREACHABLE, "environment"),
    ],
)
def test_a_refusal_stands_beside_the_field_it_is_about(code: Code, action_id: str) -> None:
    errors = refused_in(whole(), code, "Use `30m`.")
    assert errors == {blocks(whole())[action_id]["block_id"]: "Use 30m."}


@pytest.mark.parametrize("code", list(Code))
def test_every_refusal_finds_a_field_that_is_there(code: Code) -> None:
    view = request_view([PROD, STAGING])
    there = {block["block_id"] for block in blocks(view).values()}
    assert set(refused_in(view, code, "No.")) <= there


def test_what_is_about_a_field_that_is_not_shown_stands_with_the_rest_beside_the_first() -> None:
    said = [(Code.FREEZE, "Frozen."), (Code.ROLE_UNKNOWN, "No such role."), (Code.TICKET_MISSING, "A ticket, please.")]
    errors = form.beside_fields(said, form.field_of)
    opened = request_view([PROD, STAGING])
    assert form_input.errors_in(opened, errors) == {"environment": "Frozen. No such role. A ticket, please."}


def test_a_role_chosen_for_another_environment_is_forgotten() -> None:
    view = filled(whole(), role="admin")
    assert chosen(view) == Chosen("payments-prod", "admin")
    assert chosen(filled(whole(), role="admin", environment="payments-staging")).role is None


def test_redrawing_keeps_the_reason_that_was_typed() -> None:
    first, second = request_view([PROD]), whole()
    assert blocks(first)["reason"]["block_id"] == blocks(second)["reason"]["block_id"]


def test_more_than_a_hundred_environments_are_typed_ahead() -> None:
    many = [replace(PROD, name=f"env-{number:03}") for number in range(250)]
    view = request_view(many, Chosen("env-007"))
    check_view(view, "modal")
    assert blocks(view)["environment"]["element"]["type"] == "external_select"
    assert [o["value"] for o in options("ENV–007", many)["options"]] == ["env-007"]
    assert len(options("", many)["options"]) == 100
    assert options("", many, ["env-200"])["options"][0]["value"] == "env-200"
    assert options("nothing like it", many) == {"options": []}


def test_no_environment_and_no_role_still_make_a_form() -> None:
    check_view(request_view([]), "modal")
    check_view(request_view([replace(PROD, roles={})], Chosen("payments-prod")), "modal")
    assert read(filled(request_view([]), environment="none", reason="x")) == {
        "environment": "Choose an environment.",
        "role": "Choose a role.",
    } or isinstance(read(filled(request_view([]), environment="none", reason="x")), dict)


def test_foreign_metadata_is_no_place() -> None:
    for text in ("", "x", "[]", '{"thread_ts": 5}'):
        assert form.read_where(form_input.filled({"private_metadata": text})).channel == ""


def test_a_reason_to_deny_is_asked_and_read_with_what_was_pressed() -> None:
    shown = every_state()["pending"]
    view = view_of(deny_form(shown, "PA-1042:0123456789abcdef"))
    check_view(view, "modal")
    assert view["callback_id"] == "deny_form"
    assert read_reason(form_input.filled(filled(view, reason="use\nstaging"))) == (
        "PA-1042",
        "0123456789abcdef",
        "use staging",
    )
    assert read_reason(form_input.filled(view | {"private_metadata": "x"})) is None
    check_view(view_of(end_form(shown, "PA-1042")), "modal")
    assert view_of(end_form(shown, "PA-1042"))["blocks"][1].get("optional", False) is False


def test_a_dangerous_role_is_named_in_the_options() -> None:
    options = blocks(whole())["role"]["element"]["options"]
    assert options[1]["description"]["text"] == admin().allows


def test_the_form_for_less_is_read_back_with_the_terms_that_were_shown() -> None:
    shown = every_state()["pending, dangerous"]
    times = (timedelta(minutes=5), timedelta(hours=1))
    view = view_of(
        reduced_approval.reduced_approval_form(shown, f"PA-1042:{shown.terms.hash}", (entitlement(),), times)
    )
    check_view(view, "modal")
    assert view["submit"]["text"] == "Approve"
    chosen = {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}
    state = {name: {name: {"selected_option": found["options"][-1]}} for name, found in chosen.items()}
    assert reduced_approval.read(form_input.filled(view | {"state": {"values": state}})) == {
        "id": "PA-1042",
        "role": "read-only",
        "duration_s": "3600",
        "terms": shown.terms.hash,
    }
    assert (
        reduced_approval.read(form_input.filled(view | {"private_metadata": "x", "state": {"values": state}})) is None
    )
    assert form_input.errors_in(view, {reduced_approval.field_of(Code.NOT_LESS): "Say `less`."}) == {
        "duration": "Say less."
    }
    assert form_input.errors_in(view, {reduced_approval.field_of(Code.LESS_TAKEN): "There."}) == {"role": "There."}


# ---------------------------------------------------------------- in several environments, for somebody else, for later


BOOKS = environment(
    entitlement(environment="books-prod", max_duration=timedelta(minutes=45), allows="Read the books"),
    name="books-prod",
)
PLACES = [PROD, STAGING, BOOKS]


def put(view: dict[str, Any], **held: Any) -> form.Filled:
    """The view as Slack sends it back, with this in it."""
    state = filled(view, reason="checkout errors")["state"]["values"]
    for block_id, fields in state.items():
        for name in fields:
            if name in held:
                state[block_id] = {name: held[name]}
    return form_input.filled(view | {"state": {"values": state}})


def options_held(*names: str) -> dict[str, Any]:
    return {"selected_options": [{"value": name} for name in names]}


def test_one_role_is_asked_for_in_several_environments_for_as_long_as_all_of_them_allow() -> None:
    alone = blocks(request_view(PLACES, Chosen("payments-prod", "read-only")))
    assert [one["value"] for one in alone["more_environments"]["element"]["options"]] == [
        "books-prod",
        "payments-staging",
    ]
    chosen_two = Chosen("payments-prod", "read-only", places=("books-prod",))
    asked = {"books-prod read-only": Deciders((Seat("platform", 1, ("Olu",)),))}
    view = request_view(PLACES, chosen_two, deciders_more=asked)
    check_view(view, "modal")
    found, text = blocks(view), view_as_text(view)
    assert "more_roles" not in found, "never both at once"
    assert "holder" not in found
    assert [one["value"] for one in found["duration"]["element"]["options"]] == ["1800"]
    assert "read-only in payments-prod · Allows: " in text
    assert "read-only in books-prod · Allows: Read the books" in text
    assert "Olu of platform will be asked." in text
    sent = put(view, more_environments=options_held("books-prod"))
    assert form.chosen(sent).places == ("books-prod",)
    read_ = form.read(sent)
    assert isinstance(read_, FormAsk)
    assert (read_.ask.environment, read_.places, read_.more) == ("payments-prod", ("books-prod",), ())


def test_several_roles_and_several_environments_are_never_asked_for_at_once() -> None:
    view = request_view(PLACES, Chosen("payments-prod", "read-only"))
    both = put(view, more_environments=options_held("books-prod"), more_roles=options_held("admin"))
    assert list(form.read(both)) == ["more_environments"]  # type: ignore[arg-type]  # errors
    other = put(view, more_environments=options_held("books-prod"), holder={"selected_user": "UNIA"})
    assert list(form.read(other)) == ["holder"]  # type: ignore[arg-type]  # as above


def test_it_can_be_for_somebody_else() -> None:
    view = request_view(PLACES, Chosen("payments-prod", "read-only"))
    check_view(view, "modal")
    field = blocks(view)["holder"]
    assert (field["optional"], field["element"]["type"]) == (True, "users_select")
    sent = form.read(put(view, holder={"selected_user": "UNIA"}))
    assert isinstance(sent, FormAsk)
    assert sent.holder == "UNIA"
    mine = form.read(put(view, holder={"selected_user": None}))
    assert isinstance(mine, FormAsk)
    assert mine.holder == ""


def test_what_is_closed_now_says_so_and_a_begin_that_is_filled_in_takes_the_place_of_what_stood_there() -> None:
    shut = request_view([PROD], Chosen("payments-prod", "read-only"), shut="It opens Mon 08:00 (your 09:00).")
    check_view(shut, "modal")
    assert "⏰ It opens Mon 08:00 (your 09:00)." in view_as_text(shut)
    opens = datetime(2026, 11, 23, 7, tzinfo=UTC)
    then = blocks(request_view([PROD], Chosen("payments-prod", "read-only", begin=opens)))["begin"]
    assert then["element"]["initial_date_time"] == int(opens.timestamp())
    assert then["block_id"] != blocks(shut)["begin"]["block_id"], "Slack keeps what stands in a field of the same name"

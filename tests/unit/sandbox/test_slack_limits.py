"""The stand-in refuses what Slack refuses, and says so in Slack's words; what Slack takes, it takes."""

from typing import Any

import pytest

from bot.sandbox.slack.blockkit.limits import check_blocks, check_view, completed
from bot.sandbox.slack.errors import ApiError

Json = dict[str, Any]


def plain(text: str = "x") -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "x") -> Json:
    return {"type": "mrkdwn", "text": text}


def section(**more: Any) -> Json:
    return {"type": "section", "text": mrkdwn()} | more


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain(), "action_id": "go"} | more


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements)} | more


def options(count: int, text: str = "o") -> list[Json]:
    return [{"text": plain(f"{text}{n}"), "value": f"v{n}"} for n in range(count)]


def select(kind: str = "static_select", **more: Any) -> Json:
    return {"type": kind, "action_id": "pick"} | more


def field(element: Json, **more: Any) -> Json:
    return {"type": "input", "block_id": "field", "label": plain("Why"), "element": element} | more


def typed(**more: Any) -> Json:
    return {"type": "plain_text_input", "action_id": "why"} | more


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain("Ask"), "submit": plain("Send"), "blocks": list(blocks)} | more


def quoted(*pieces: Json) -> Json:
    return {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": list(pieces)}]}


def refused(blocks: list[Json]) -> list[str]:
    with pytest.raises(ApiError) as caught:
        check_blocks(blocks)
    assert caught.value.code == "invalid_blocks"
    return caught.value.messages


GOOD: dict[str, list[Json]] = {
    "nothing": [],
    "a section at its limits": [section(text=mrkdwn("x" * 3000), fields=[plain("y" * 500)] * 10)],
    "fields without text": [{"type": "section", "fields": [mrkdwn()]}],
    "fifty blocks": [{"type": "divider"}] * 50,
    "a header": [{"type": "header", "text": plain("x" * 150)}],
    "a context": [{"type": "context", "elements": [mrkdwn(), plain(), image := {
        "type": "image", "image_url": "https://example.com/i.png", "alt_text": "i"}] * 3}],
    "a picture": [image],
    "the same action in two blocks": [actions(button()), actions(button())],
    "twenty-five buttons": [actions(*(button(action_id=f"b{n}") for n in range(25)))],
    "a button at its limits": [actions(button(text=plain("x" * 75), value="v" * 2000, style="danger"))],
    "a link": [actions(button(url="https://example.com"))],
    "a hundred options": [actions(select(options=options(100)))],
    "groups of options": [actions(select(option_groups=[{"label": plain(), "options": options(3)}]))],
    "an initial option": [actions(select(options=options(2), initial_option=options(2)[1]))],
    "rich radio options": [
        actions({"type": "radio_buttons", "action_id": "r", "options": [{"text": mrkdwn("*x*"), "value": "x"}]})
    ],
    "an overflow": [section(accessory={"type": "overflow", "action_id": "more", "options": options(5)})],
    "an input in a message": [field(typed(), dispatch_action=True)],
    "emoji and verbatim": [section(text={"type": "mrkdwn", "text": "x", "verbatim": True})],
    "rich text": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]}],
    "a quote": [quoted({"type": "text", "text": "<!channel>", "style": {"bold": True}}, {"type": "emoji", "name": "x"})],
    "a list": [{"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "bullet", "elements": [
        {"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U0OLU"}]}]}]}],
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_slack_takes(name: str) -> None:
    check_blocks(GOOD[name])


BAD: dict[str, tuple[list[Json], str]] = {
    "an empty quote": (
        [quoted({"type": "text", "text": ""})],
        "must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]",
    ),
    "mrkdwn in a quote": (
        [quoted(mrkdwn("x"))],
        "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/elements/0/type]",
    ),
    "a quote of verbatim text": (
        [quoted({"type": "text", "text": "x", "verbatim": True})],
        "invalid additional property: verbatim [json-pointer:/blocks/0/elements/0/elements/0]",
    ),
    "51 blocks": ([{"type": "divider"}] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    "no type": ([{}], "missing required field: type [json-pointer:/blocks/0]"),
    "unknown type": ([{"type": "card"}], "unsupported type: card [json-pointer:/blocks/0/type]"),
    "additional property": (
        [{"type": "divider", "text": "x"}],
        "invalid additional property: text [json-pointer:/blocks/0]",
    ),
    "empty section": ([{"type": "section"}], "missing required field: text [json-pointer:/blocks/0]"),
    "empty text": (
        [section(text=mrkdwn(""))],
        "must be more than 0 characters [json-pointer:/blocks/0/text/text]",
    ),
    "long text": (
        [section(text=mrkdwn("x" * 3001))],
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ),
    "long field": (
        [section(fields=[mrkdwn("x" * 2001)])],
        "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
    ),
    "eleven fields": (
        [section(fields=[plain()] * 11)],
        "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
    ),
    "long header": (
        [{"type": "header", "text": plain("x" * 151)}],
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    "mrkdwn header": (
        [{"type": "header", "text": mrkdwn()}],
        "must be a valid enum value: plain_text [json-pointer:/blocks/0/text/type]",
    ),
    "emoji in mrkdwn": (
        [section(text=mrkdwn() | {"emoji": True})],
        "invalid additional property: emoji [json-pointer:/blocks/0/text]",
    ),
    "eleven in a context": (
        [{"type": "context", "elements": [plain()] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "no buttons": ([actions()], "must provide at least 1 items [json-pointer:/blocks/0/elements]"),
    "26 buttons": (
        [actions(*(button(action_id=f"b{n}") for n in range(26)))],
        "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "long label": (
        [actions(button(text=plain("x" * 76)))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    "long value": (
        [actions(button(value="x" * 2001))],
        "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
    ),
    "default style": (
        [actions(button(style="default"))],
        "must be a valid enum value: primary, danger [json-pointer:/blocks/0/elements/0/style]",
    ),
    "disabled button": (
        [actions(button(disabled=True))],
        "invalid additional property: disabled [json-pointer:/blocks/0/elements/0]",
    ),
    "poor confirmation": (
        [actions(button(confirm={"title": plain(), "text": plain(), "confirm": plain()}))],
        "missing required field: deny [json-pointer:/blocks/0/elements/0/confirm]",
    ),
    "101 options": (
        [actions(select(options=options(101)))],
        "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "long option": (
        [actions(select(options=options(1, "x" * 75)))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/options/0/text/text]",
    ),
    "long option value": (
        [actions(select(options=[{"text": plain(), "value": "v" * 151}]))],
        "must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]",
    ),
    "no options": (
        [actions(select())],
        "must define either `options` or `option_groups`, not both [json-pointer:/blocks/0/elements/0]",
    ),
    "foreign initial option": (
        [actions(select(options=options(1), initial_option=options(2)[1]))],
        "initial_option must be among the options [json-pointer:/blocks/0/elements/0/initial_option]",
    ),
    "eleven radio buttons": (
        [actions(select("radio_buttons", options=options(11)))],
        "no more than 10 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "six in an overflow": (
        [actions(select("overflow", options=options(6)))],
        "no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "a menu of several in actions": (
        [actions(select("multi_users_select"))],
        "unsupported type: multi_users_select [json-pointer:/blocks/0/elements/0/type]",
    ),
    "an input among actions": (
        [actions(typed())],
        "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]",
    ),
    "the same action twice in a block": (
        [actions(button(), button())],
        "`action_id` go already exists for another element in this block [json-pointer:/blocks/0]",
    ),
    "the same block twice": (
        [section(block_id="a"), section(block_id="a")],
        "block_id `a` already exists [json-pointer:/blocks]",
    ),
    "a bad date": (
        [actions(select("datepicker", initial_date="2026-13-01"))],
        "failed to match schema [json-pointer:/blocks/0/elements/0/initial_date]",
    ),
    "long placeholder": (
        [actions(select("users_select", placeholder=plain("x" * 151)))],
        "must be less than 151 characters [json-pointer:/blocks/0/elements/0/placeholder/text]",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_slack_refuses(name: str) -> None:
    blocks, message = BAD[name]
    assert message in refused(blocks)


def test_every_fault_is_named_at_once() -> None:
    assert len(refused([{"type": "card"}, {"type": "section"}])) == 2


def test_a_message_is_weighed_as_a_whole() -> None:
    check_blocks([section(text=mrkdwn("x" * 3000))] * 4)
    with pytest.raises(ApiError, match="msg_blocks_too_long"):
        check_blocks([section(text=mrkdwn("x" * 3000))] * 5)
    check_blocks([section(text=mrkdwn("x" * 3000))] * 5, weigh=False)


@pytest.mark.parametrize(
    "view",
    [
        modal(),
        modal(field(typed(min_length=3, max_length=100, multiline=True), hint=plain(), optional=True)),
        modal(*({"type": "divider"} for _ in range(100)), private_metadata="x" * 3000),
        modal(field(select("checkboxes", options=options(10), initial_options=options(2)))),
        modal(section(), submit=plain("x" * 24), close=plain("x" * 24), title=plain("x" * 24), notify_on_close=True),
    ],
)
def test_slack_opens(view: Json) -> None:
    check_view(view, "modal")


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (modal(title=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/title/text]"),
        (modal(submit=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/submit/text]"),
        (modal(title=mrkdwn()), "must be a valid enum value: plain_text [json-pointer:/view/title/type]"),
        (modal(*({"type": "divider"} for _ in range(101))), "no more than 100 items allowed [json-pointer:/view/blocks]"),
        (modal(private_metadata="x" * 3001), "must be less than 3001 characters [json-pointer:/view/private_metadata]"),
        (modal(state={}), "invalid additional property: state [json-pointer:/view]"),
        (modal(field(button())), "unsupported type: button [json-pointer:/view/blocks/0/element/type]"),
        (modal(field(typed(max_length=3001))), "must be less than 3001 [json-pointer:/view/blocks/0/element/max_length]"),
        (
            modal(field(typed(min_length=5, max_length=4))),
            "min_length must not be greater than max_length [json-pointer:/view/blocks/0/element]",
        ),
        (modal(field(typed()), field(typed())), "block_id `field` already exists [json-pointer:/view/blocks]"),
        (modal({"type": "markdown", "text": "x"}), "unsupported type: markdown [json-pointer:/view/blocks/0/type]"),
        (
            {"type": "modal", "title": plain(), "blocks": [field(typed())]},
            "must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/0/input]",
        ),
        ({"type": "home", "blocks": []}, "must be of type modal [json-pointer:/view/type]"),
    ],
)  # fmt: skip
def test_slack_does_not_open(view: Json, message: str) -> None:
    with pytest.raises(ApiError, match="invalid_arguments") as caught:
        check_view(view, "modal")
    assert message in caught.value.messages


def test_ids_and_flags_that_are_missing_are_made_up() -> None:
    given = [section(), actions(select(options=options(1)), button() | {"action_id": "go"})]
    block, menu = completed(given, lambda: "made")
    assert block == {"type": "section", "text": mrkdwn() | {"verbatim": False}, "block_id": "made"}
    assert menu["elements"][1]["text"] == plain() | {"emoji": True}
    assert "block_id" not in given[0]

"""Blocks, messages and views as Slack accepts them: `invalid_blocks` and `invalid_arguments` start here.

Limits are those of docs.slack.dev/reference/block-kit (blocks, surfaces) and of the methods' own pages, read in 2026.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.sandbox.slack.blockkit.elements import ELEMENTS, IN_ACTIONS, IN_INPUT, IN_SECTION, any_text, plain_text
from bot.sandbox.slack.blockkit.rich_text import RICH_PART
from bot.sandbox.slack.blockkit.schema import Check, Problems, anything, array, boolean, by_type, one_of, record, string
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.model import Json

MESSAGE_TEXT_MAX = 40_000
UPDATE_TEXT_MAX = 4_000
"""`chat.update` answers msg_too_long beyond this, although `chat.postMessage` takes ten times as much."""
BLOCKS_WEIGHT_MAX = 13_422
BLOCK_WEIGHT = 125
"""slackapi/bolt-js#2509: one markdown block of 13,297 characters passes, each further block takes 125 more away."""
METADATA_BYTES_MAX = 16_000
VIEW_BYTES_MAX = 250_000


def _section_says_something(block: Mapping[str, Any], pointer: str, problems: Problems) -> None:
    if "text" not in block and "fields" not in block:
        problems.add("missing required field: text", pointer)


def _image_has_source(block: Mapping[str, Any], pointer: str, problems: Problems) -> None:
    if ("image_url" in block) == ("slack_file" in block):
        problems.add("must define either `image_url` or `slack_file`", pointer)


def _block(
    kind: str, fields: Mapping[str, Check], required: tuple[str, ...] = (), rules: tuple[Check, ...] = ()
) -> Check:
    common: dict[str, Check] = {"type": one_of(kind), "block_id": string(255)}
    return record(common | dict(fields), ("type", *required), rules)


_CONTEXT = {"image": ELEMENTS["image"], **{kind: any_text(2000) for kind in ("mrkdwn", "plain_text")}}

BLOCKS: dict[str, Check] = {
    "section": _block(
        "section",
        {
            "text": any_text(3000),
            "fields": array(any_text(2000), 10),
            "accessory": by_type(ELEMENTS, IN_SECTION),
            "expand": boolean,
        },
        rules=(_section_says_something,),
    ),
    "divider": _block("divider", {}),
    "header": _block("header", {"text": plain_text(150)}, ("text",)),
    "context": _block("context", {"elements": array(by_type(_CONTEXT), 10)}, ("elements",)),
    "actions": _block("actions", {"elements": array(by_type(ELEMENTS, IN_ACTIONS), 25)}, ("elements",)),
    "input": _block(
        "input",
        {
            "label": plain_text(2000),
            "element": by_type(ELEMENTS, IN_INPUT),
            "hint": plain_text(2000),
            "optional": boolean,
            "dispatch_action": boolean,
        },
        ("label", "element"),
    ),
    "image": _block(
        "image",
        {
            "image_url": string(3000, pattern=r"https?://.+"),
            "slack_file": anything,
            "alt_text": string(2000),
            "title": plain_text(2000),
        },
        ("alt_text",),
        (_image_has_source,),
    ),
    "rich_text": _block(
        "rich_text",
        {"elements": array(RICH_PART, 1000)},
        ("elements",),
    ),
    "markdown": _block("markdown", {"text": string(12_000)}, ("text",)),
}
_NOT_IN_VIEWS = frozenset({"markdown"})
_MESSAGE = array(by_type(BLOCKS), 50, least=0)
_VIEW_BLOCKS = array(by_type(BLOCKS, BLOCKS.keys() - _NOT_IN_VIEWS), 100, least=0)
_VIEW_FIELDS: dict[str, Check] = {
    "blocks": _VIEW_BLOCKS,
    "private_metadata": string(3000, least=0),
    "callback_id": string(255, least=0),
    "external_id": string(255, least=0),
}
_MODAL = record(
    _VIEW_FIELDS
    | {
        "type": one_of("modal"),
        "title": plain_text(24),
        "submit": plain_text(24),
        "close": plain_text(24),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
    ("type", "title", "blocks"),
)
_HOME = record(_VIEW_FIELDS | {"type": one_of("home")}, ("type", "blocks"))
_VIEW = by_type({"modal": _MODAL, "home": _HOME})


def elements_of(block: Json) -> list[Json]:
    """The elements of a block that a person can use, in reading order."""
    candidates = [block.get("accessory"), block.get("element"), *block.get("elements", [])]
    return [item for item in candidates if isinstance(item, dict) and item.get("type") in IN_ACTIONS | IN_INPUT]


def _twice(names: list[Any]) -> list[Any]:
    return sorted({name for name in names if isinstance(name, str) and names.count(name) > 1})


def _check_ids(blocks: list[Json], pointer: str, problems: Problems) -> None:
    """An action_id has to be unique in its block only (docs: "in the containing block"); a block_id in the whole."""
    for name in _twice([block.get("block_id") for block in blocks]):
        problems.add(f"block_id `{name}` already exists", pointer)
    for number, block in enumerate(blocks):
        for name in _twice([element.get("action_id") for element in elements_of(block)]):
            problems.add(f"`action_id` {name} already exists for another element in this block", f"{pointer}/{number}")


def _check_focus(blocks: list[Json], pointer: str, problems: Problems) -> None:
    if sum(bool(element.get("focus_on_load")) for block in blocks for element in elements_of(block)) > 1:
        problems.add("only one element can have `focus_on_load`", pointer)


def check_blocks(blocks: Any, *, weigh: bool = True) -> None:
    """Raise `invalid_blocks` for what a message may not hold, every fault at once.

    With `weigh` also `msg_blocks_too_long`: answers at a response_url are not weighed (slackapi/bolt-js#2867).
    """
    problems = Problems()
    _MESSAGE(blocks, "/blocks", problems)
    if not problems.found:
        _check_ids(blocks, "/blocks", problems)
        _check_focus(blocks, "/blocks", problems)
    if problems.found:
        raise ApiError("invalid_blocks", problems.found)
    if weigh and sum(map(len, _texts(blocks))) + BLOCK_WEIGHT * len(blocks) > BLOCKS_WEIGHT_MAX:
        raise ApiError("msg_blocks_too_long")


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _texts(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "text" and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)


def check_view(view: Any, kind: str) -> None:
    """Raise `invalid_arguments` for what a view of this kind (`modal` or `home`) may not be."""
    problems = Problems()
    _VIEW(view, "/view", problems)
    if not problems.found:
        _check_whole_view(view, kind, problems)
    if problems.found:
        raise ApiError("invalid_arguments", problems.found)


def _check_whole_view(view: Json, kind: str, problems: Problems) -> None:
    if view["type"] != kind:
        problems.add(f"must be of type {kind}", "/view/type")
    _check_ids(view["blocks"], "/view/blocks", problems)
    _check_focus(view["blocks"], "/view/blocks", problems)
    for number, block in enumerate(view["blocks"]):
        if block["type"] == "input" and kind == "modal" and "submit" not in view:
            problems.add("must define `submit` to use an `input` block in modals", f"/view/blocks/{number}/input")


def completed(blocks: list[Json], new_id: Callable[[], str]) -> list[Json]:
    """A copy as Slack stores it: missing block and action ids made up, `emoji` and `verbatim` filled in."""
    copies = [with_text_defaults(block) for block in blocks]
    for block in copies:
        block.setdefault("block_id", new_id())
        for element in elements_of(block):
            element.setdefault("action_id", new_id())
    return copies


def with_text_defaults(node: Any) -> Any:
    """A deep copy in which every text object has its `emoji` or `verbatim`."""
    if isinstance(node, list):
        return [with_text_defaults(item) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {key: with_text_defaults(value) for key, value in node.items()}
    if isinstance(copy.get("text"), str) and copy.get("type") in ("plain_text", "mrkdwn"):
        copy.setdefault(*(("emoji", True) if copy["type"] == "plain_text" else ("verbatim", False)))
    return copy

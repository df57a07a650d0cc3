"""Block Kit by small functions, each within Slack's limits. Output is plain dicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.slack import mrkdwn as t

Block = dict[str, Any]

# Slack weighs a message: its texts and 125 for each block may have 13,422 together (slackapi/bolt-js#2509). Some is left free.
WEIGHT_MAX = 12_500
BLOCK_WEIGHT = 125
QUOTE_LENGTH_MAX = 1000


def mrkdwn(text: str, length_max: int = t.SECTION_LENGTH_MAX) -> dict[str, Any]:
    # Verbatim: what people typed is not searched for names, channels and links; our own tokens still work.
    return {"type": "mrkdwn", "text": t.cut_mrkdwn(text, length_max) or "–", "verbatim": True}


def plain_text(text: str, length_max: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": t.plain(text, length_max), "emoji": False}


def section(text: str, accessory: dict[str, Any] | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(text)}
    return block | {"accessory": accessory} if accessory else block


def quote(text: str) -> Block | None:
    """What somebody wrote, word for word: a text element is searched for nothing, and calls nobody."""
    said = t.plain(text, QUOTE_LENGTH_MAX, "")
    if not said:
        return None
    inside = {"type": "rich_text_quote", "elements": [{"type": "text", "text": said}]}
    return {"type": "rich_text", "elements": [inside]}


def fields(pairs: Sequence[tuple[str, str]]) -> Block | None:
    """Label and value side by side; values are mrkdwn, escaped already."""
    found = [mrkdwn(f"*{label}*\n{value}", t.FIELD_LENGTH_MAX) for label, value in pairs if value]
    return {"type": "section", "fields": found[:10]} if found else None


def context(text: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text, t.CONTEXT_LENGTH_MAX)]}


def divider() -> Block:
    return {"type": "divider"}


def header(text: str) -> Block:
    return {"type": "header", "text": plain_text(text, 150)}


def code(lines: Sequence[str], lead: str = "") -> Block:
    """Lines to copy. A fence inside them would end the block early."""
    inside = t.escape("\n".join(line.replace("```", "'''") for line in lines))
    # The fence is put on after cutting, so that it always closes.
    room = t.SECTION_LENGTH_MAX - len(lead) - 10
    return section(
        f"{lead}\n```\n{t.cut_mrkdwn(inside, room)}\n```" if lead else f"```\n{t.cut_mrkdwn(inside, room)}\n```"
    )


# ---------------------------------------------------------------- what can be pressed


def actions(*elements: dict[str, Any] | None) -> Block | None:
    found = [element for element in elements if element is not None]
    return {"type": "actions", "elements": found} if found else None


def button(
    label: str,
    action_id: str,
    value: str = "",
    *,
    style: str | None = None,
    confirm: dict[str, Any] | None = None,
    url: str | None = None,
) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "button", "text": plain_text(label, 75), "action_id": action_id}
    extra = {"value": value[:2000], "style": style, "confirm": confirm, "url": url}
    return element | {name: given for name, given in extra.items() if given}


def overflow(action_id: str, options: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """(label, value) each; a value may have 150 characters."""
    found = [{"text": plain_text(label, 75), "value": value[:150]} for label, value in options[:5]]
    return {"type": "overflow", "action_id": action_id, "options": found}


def static_select(action_id: str, options: Sequence[tuple[str, str]], prompt: str) -> dict[str, Any]:
    """(label, value) each; Slack takes a hundred, with values of 150 characters."""
    found = [{"text": plain_text(label, 75), "value": value[:150]} for label, value in options[:100]]
    return {"type": "static_select", "action_id": action_id, "options": found, "placeholder": plain_text(prompt, 150)}


def confirmation(title: str, text: str, yes: str, no: str, *, style: str | None = None) -> dict[str, Any]:
    found = {
        "title": plain_text(title, 100),
        "text": plain_text(text, 300),
        "confirm": plain_text(yes, 30),
        "deny": plain_text(no, 30),
    }
    return found | ({"style": style} if style else {})


# ---------------------------------------------------------------- many lines


def paragraphs(
    lines: Iterable[str], count: int, weight_max: int = WEIGHT_MAX, more: str = "… and {} more", left_out: int = 0
) -> list[Block]:
    """Lines of mrkdwn in as few sections as hold them; what does not fit is counted, with what was `left_out` before.

    `count`: how many lines there are. They are taken one by one, and drawn by whoever gives them: no more than have room.
    """
    shown: list[str] = []
    weight = BLOCK_WEIGHT * 2
    for line in lines:
        # A section's own weight is spread over the lines that fill it.
        weight += min(len(line), t.SECTION_LENGTH_MAX) + 1 + BLOCK_WEIGHT * (len(line) + 1) // 1000
        if weight > weight_max:
            break
        shown.append(line)
    if missing := count - len(shown) + left_out:
        shown.append(more.format(missing))
    return [section(chunk) for chunk in _chunks(shown)]


def _chunks(lines: Sequence[str]) -> list[str]:
    chunks: list[str] = []
    for line in lines:
        safe = t.cut_mrkdwn(line, t.SECTION_LENGTH_MAX)
        if chunks and len(chunks[-1]) + 1 + len(safe) <= t.SECTION_LENGTH_MAX:
            chunks[-1] += "\n" + safe
        else:
            chunks.append(safe)
    return chunks


def weight(blocks: Sequence[Block]) -> int:
    return sum(_lengths(block) for block in blocks) + BLOCK_WEIGHT * len(blocks)


def _lengths(node: Any) -> int:
    if isinstance(node, list):
        return sum(_lengths(item) for item in node)
    if not isinstance(node, dict):
        return 0
    own = len(node["text"]) if isinstance(node.get("text"), str) else 0
    return own + sum(_lengths(value) for value in node.values())

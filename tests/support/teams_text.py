"""What Teams is given as plain text, so that tests can read it; and whether what somebody wrote is anything but text in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.chat.form import Choice, Field, Form, Select, Several, Somebody, Typed
from bot.chat.message import Button, Confirm, Fields, Heading, Menu, Message, Pick, Quote, Snippet
from bot.chat.rich import Called, Link, Text, Time
from bot.teams.cards.elements import Element
from bot.teams.cards.render import card_of, summary_of
from bot.teams.cards.text import when

_AT = r"\((\d{4}-\d\d-\d\dT\d\d:\d\d:00Z)(?:, SHORT)?\)"
_TIME = re.compile(rf"(?:\{{\{{DATE{_AT}\}}\}}, )?\{{\{{TIME{_AT}\}}\}}(?: and (\d+) s)?")
JOINER = "\u200d"


def card_as_text(card: Element) -> str:
    """Line by line, without what only opens at a press, and without the tags of who is called."""
    return "\n".join(line for element in card["body"] for line in _lines(element))


def _lines(element: Element) -> Iterator[str]:
    match element["type"]:
        case "RichTextBlock":
            yield clocks("".join(_run(run) for run in element["inlines"])).replace(JOINER, "")
        case "Container":
            yield from (line for item in element["items"] for line in _lines(item))
        case "ColumnSet":
            yield from (line for column in element["columns"] for item in column["items"] for line in _lines(item))
        case "ActionSet":
            yield _actions(element["actions"]).replace(JOINER, "")
        case "Input.ChoiceSet":
            yield " ".join(f"( ) {choice['title']}" for choice in element["choices"])


def _run(run: Element) -> str:
    opens = run.get("selectAction")
    return f"{run['text']} ({opens['url']})" if opens else str(run["text"])


def _actions(actions: list[Element]) -> str:
    shown = [_action(action) for action in actions if action.get("mode") != "secondary"]
    more = [action["title"] for action in actions if action.get("mode") == "secondary"]
    return "  ".join([*shown, *([f"[ More: {', '.join(more)} ]"] if more else [])])


def _action(action: Element) -> str:
    url = f" {action['url']}" if "url" in action else ""
    return f"[ {action['title']}{url} ]"


def clocks(text: str) -> str:
    """Times as a reader in UTC sees them."""
    return _TIME.sub(_clock, text)


def _clock(match: re.Match[str]) -> str:
    at = datetime.fromisoformat(match[2]).astimezone(UTC)
    seconds = f":{int(match[3]):02}" if match[3] else ""
    return f"{at:%d %b, %H:%M}{seconds} UTC" if match[1] else f"{at:%H:%M}{seconds} UTC"


# ---------------------------------------------------------------- what somebody wrote, at its worst

HOSTILE = (
    "{{DATE(2026-01-01T00:00:00Z, SHORT)}} {{TIME(2026-01-01T00:00:00Z)}}",
    "<at>Olu Owner</at> < / AT > <at id='0'>all</at>",
    "[Open console](https://evil.example/login) <https://evil.example>",
    "**urgent** _now_ ~~no~~ `code` ***x***",
    "# approved\r\n- [x] by Olu\r\n1. really\r\n> yes",
    "<img src=x onerror=alert(1)><script>alert(1)</script>&lt;at&gt;",
    "\x00\x1b[31m\u202eevil\u202c\ufeff\u2028line\u2029para",
    '"}],"actions":[{"type":"Action.OpenUrl","url":"https://evil.example"}],"x":[{"y":"',
    "${concat('a')} @{body()} {{{{TIME(2026-01-01T00:00:00Z)}}}} {",
    "https://evil.example \\*not bold\\* ![i](https://evil.example/i.png) <",
)


# What is drawn of these as it is; the rest of them comes back, or is ours.
_DRAWN: Mapping[type, tuple[str, ...]] = {
    Quote: ("text",),
    Called: ("name",),
    Link: ("label",),
    Heading: ("text",),
    Button: ("label", "said"),
    Confirm: ("title", "text", "yes", "no"),
    Pick: ("prompt",),
    Choice: ("label", "description"),
    Field: ("label", "hint"),
    Typed: ("text", "placeholder"),
    Select: ("placeholder",),
    Several: ("placeholder",),
    Somebody: ("placeholder",),
    Form: ("title", "send"),
}


def hostile(node: Any, worst: str) -> Any:
    """The same with `worst` behind whatever somebody else may have written, and behind every name and label."""
    if isinstance(node, Text):
        return node if node.ours else Text(f"{node.text}{worst}")
    if isinstance(node, tuple | list):
        return type(node)(hostile(each, worst) for each in node)
    if not is_dataclass(node) or isinstance(node, type):
        return node
    found = {each.name: hostile(getattr(node, each.name), worst) for each in fields(node)}
    found |= {name: f"{found[name]} {worst}" for name in _DRAWN.get(type(node), ()) if found[name] is not None}
    if isinstance(node, Menu | Pick):
        found["options"] = [(f"{label} {worst}", value) for label, value in node.options]
    if isinstance(node, Fields):
        found["pairs"] = [(f"{label} {worst}", value) for label, value in found["pairs"]]
    if isinstance(node, Snippet):
        found["lines"] = [f"{line} {worst}" for line in node.lines]
    return replace(node, **found)


def alive(card: Element, source: Any) -> list[str]:
    """What in a card is more than text, and none of ours. `source`: the message or form that it shows."""
    found = list(_alive(card, _times(source)))
    tags = re.findall(
        r"<at>.*?</at>", "".join(each["text"] for each in elements(card) if each.get("type") == "TextBlock")
    )
    if [entity["text"] for entity in card.get("msteams", {}).get("entities", ())] != tags:
        found.append(f"these are called: {tags}")
    ids = [each["id"] for each in elements(card) if "id" in each]
    found += [f"two inputs are called {id_}" for id_ in set(ids) if ids.count(id_) > 1]
    return found + [f"no link of ours: {url}" for url in urls(card) if url not in _urls_of(source)]


def _alive(card: Element, times: frozenset[str]) -> Iterator[str]:
    for element in elements(card):
        for name, text in element.items():
            if not isinstance(text, str) or name in _COMES_BACK:
                continue
            kind = f"{element.get('type', 'choice')}.{name}"
            if _CONTROLS.search(text):
                yield f"a character that is not seen in {kind}: {text!r}"
            if kind == "TextBlock.text":
                if not _CALLS.fullmatch(text):
                    yield f"more than mentions in {kind}: {text!r}"
                continue
            left = text
            for time in times if kind == "TextRun.text" else ():
                left = left.replace(time, "")
            if "{{" in left or re.search(r"<\s*/?\s*at\b", left, re.IGNORECASE):
                yield f"it works in {kind}: {text!r}"
            if kind != "TextRun.text" and _MARKDOWN.search(text):
                yield f"markdown in {kind}: {text!r}"


def elements(node: Any) -> Iterator[Element]:
    """Every object in a card but what comes back with a press, and who is called."""
    if isinstance(node, dict):
        yield node
        for name, inside in node.items():
            if name not in ("data", "msteams"):
                yield from elements(inside)
    elif isinstance(node, list):
        for inside in node:
            yield from elements(inside)


def urls(card: Element) -> list[str]:
    return [each["url"] for each in elements(card) if "url" in each]


# Ours, or what comes back: nobody reads it.
_COMES_BACK = frozenset({"type", "value", "id", "url", "version", "verb", "dataset"})
_CONTROLS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200c\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff]"
)
_NAME = r"[^<>{}&\"*`~\[\]]+(?:\[[^\]]*\](?!\()[^<>{}&\"*`~\[\]]*)*"
_CALLS = re.compile(rf"🔔 <at>{_NAME}</at>(?:, <at>{_NAME}</at>)*")
_MARKDOWN = re.compile(r"[*`~\\]|\]\(|<[A-Za-z/!?]|&[#A-Za-z]|^\s*(?:[-+#>]|\d+[.)])|(?<![^\W_])_(?=\w)")
_FUNCTION = re.compile(r"\{\{(?:DATE|TIME)\([^{}]*\)\}\}")


def _times(node: Any) -> frozenset[str]:
    """Every time of ours, as the functions of Teams have it."""
    if isinstance(node, Time):
        return frozenset(_FUNCTION.findall(when(node.moment, node.reference, with_day=node.with_day)))
    if is_dataclass(node) and not isinstance(node, type):
        return frozenset().union(*(_times(getattr(node, each.name)) for each in fields(node)))
    return frozenset().union(*map(_times, node)) if isinstance(node, tuple | list) else frozenset()


def _urls_of(node: Any) -> frozenset[str]:
    if isinstance(node, Link | Button):
        return frozenset({node.url or ""})
    if is_dataclass(node) and not isinstance(node, type):
        return frozenset().union(*(_urls_of(getattr(node, each.name)) for each in fields(node)))
    return frozenset().union(*map(_urls_of, node)) if isinstance(node, tuple | list) else frozenset()


# ---------------------------------------------------------------- one message in both chats


def faults(message: Message, in_slack: str, ids: Mapping[str, str]) -> Iterator[str]:
    """What Teams says otherwise than Slack does, or lets work. `ids`: accounts of Slack -> names.

    Each message meets another of the worst.
    """
    ours, theirs = (_said(text, ids) for text in (card_as_text(card_of(message)), in_slack))
    if ours != theirs:
        at = next((at for at, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), 0)
        yield f"in Teams it is {' '.join(ours[at : at + 8])!r}, in Slack {' '.join(theirs[at : at + 8])!r}"
    unkind = hostile(message, HOSTILE[len(in_slack) % len(HOSTILE)])
    yield from alive(card_of(unkind), unkind)
    summary = summary_of(unkind)
    yield from alive({"type": "summary", "body": [{"type": "Action", "title": summary}]}, unkind)


def _said(text: str, ids: Mapping[str, str]) -> list[str]:
    return [ids.get(word, word).casefold() for word in re.findall(r"[^\W_ˋˍ]+", text)]

"""Sentences as RichTextBlocks: of runs that know no markup.

A line of a sentence is a block of its own. Whoever is called in it stands there by name, and under it in a TextBlock that holds
tags and nothing else: so no sentence is torn, and no word of anybody stands where a tag works.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from bot.chat.rich import Bold, Called, Channel, Code, Link, Rich, Span, Text, Time
from bot.chat.text import clock, cut
from bot.chat.wording.labels import TIER_WORDS
from bot.teams.cards import elements as e
from bot.teams.cards import text as t
from bot.teams.cards.elements import Element
from bot.teams.cards.mentions import Mentions
from workflows.core.destination import read_destination
from workflows.core.policy import Tier

Look = Mapping[str, Any]

_TIERS: Mapping[str, Look] = {
    TIER_WORDS[Tier.PRODUCTION]: {"color": "Attention", "weight": "Bolder"},
    TIER_WORDS[Tier.STAGING]: {"color": "Warning", "weight": "Bolder"},
    TIER_WORDS[Tier.DEVELOPMENT]: {"color": "Good", "weight": "Bolder"},
}
_URL_LENGTH_MAX = 2000


def drawn(rich: Rich, mentions: Mentions, *, length_max: int | None = None, **look: Any) -> list[Element]:
    """One block for each line, and one for those who are called in it. `length_max`: of all lines, in characters."""
    blocks: list[Element] = []
    left = length_max
    for line in _lines(rich):
        runs = _runs(line, look)
        if left is not None:
            runs, left = _cut(runs, left)
        if runs:
            blocks.append(e.rich_text(runs, **({"spacing": "Small"} if blocks else {})))
        tags = mentions.tags(_called(line))
        if tags:
            blocks.append(_calling(tags))
    return blocks


def _calling(tags: Sequence[str]) -> Element:
    return {"type": "TextBlock", "text": f"🔔 {', '.join(tags)}", "wrap": True, "size": "Small", "spacing": "Small"}


def _lines(rich: Rich) -> Iterator[Rich]:
    """Our own line ends separate them; somebody's words are on one line."""
    line: list[Span] = []
    for span in rich:
        first, *others = span.text.split("\n") if isinstance(span, Text) and span.ours else [""]
        if not isinstance(span, Text) or not span.ours:
            line.append(span)
            continue
        line.append(Text(first, ours=True))
        for other in others:
            yield tuple(line)
            line = [Text(other, ours=True)]
    yield tuple(line)


def _called(rich: Iterable[Span]) -> Iterator[Called]:
    for span in rich:
        if isinstance(span, Called):
            yield span
        elif isinstance(span, Bold | Code):
            yield from _called(span.inside)


# ---------------------------------------------------------------- runs


def _runs(line: Rich, look: Look) -> list[Element]:
    """Neighbours that look alike are one."""
    runs: list[Element] = []
    for run in (run for span in line for run in _span(span, look)):
        if runs and _alike(runs[-1], run):
            runs[-1] = runs[-1] | {"text": runs[-1]["text"] + run["text"]}
        elif run["text"]:
            runs.append(run)
    return runs if any(run["text"].strip() for run in runs) else []


def _alike(one: Element, other: Element) -> bool:
    return {**one, "text": ""} == {**other, "text": ""}


def _span(span: Span, look: Look) -> list[Element]:
    match span:
        case Text(text):
            return [e.run(t.inert(text), **{**look, **_TIERS.get(text, {})})]
        case Bold(inside):
            return [run for each in inside for run in _span(each, {**look, "weight": "Bolder"})]
        case Code(inside):
            return [run for each in inside for run in _span(each, {**look, "fontType": "Monospace"})]
        case Time(moment, reference, with_day):
            return [e.run(t.when(moment, reference, with_day=with_day), **look)]
        case Called():
            return [e.run(t.inert(_name(span)), **look)]
        case Channel(id_):
            return [e.run(t.inert(read_destination(id_).id), **{**look, "fontType": "Monospace"})]
        case Link(url, label):
            return [_link(url, label, look)]


def _name(called: Called) -> str:
    """The id where there is no name: it is all that is known of them."""
    return called.name or read_destination(called.id).id


def _link(url: str, label: str, look: Look) -> Element:
    run = e.run(t.inert(cut(label, 100)), **look)
    return run | {"selectAction": {"type": "Action.OpenUrl", "url": url}} if is_safe(url) else run


def is_safe(url: str) -> bool:
    """Whether a link leads where it says: https, a host, and nothing that ends it early."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isprintable() and not any(sign in url for sign in ' <>"`{}|\\^')
    return parts.scheme == "https" and bool(parts.hostname) and plain and len(url) <= _URL_LENGTH_MAX


def _cut(runs: Sequence[Element], length_max: int) -> tuple[list[Element], int]:
    """As many as have room, the last one cut, and the room that is left."""
    kept: list[Element] = []
    left = length_max
    for run in runs:
        text = run["text"]
        # A time is whole or not there.
        short = text if len(text) <= left else ("" if "{{" in text else cut(text, left))
        if short:
            kept.append(run | {"text": short})
        left = max(0, left - len(text))
    return kept, left


# ---------------------------------------------------------------- without any form


def plain_of(rich: Rich) -> str:
    """Words alone, for where nothing is replaced: times are in UTC."""
    return "".join(_plain(span) for span in rich)


def _plain(span: Span) -> str:
    match span:
        case Text(text):
            return text
        case Bold(inside) | Code(inside):
            return plain_of(inside)
        case Time(moment, reference, with_day):
            return clock(moment, reference, with_day=with_day)
        case Called():
            return _name(span)
        case Channel(id_):
            return read_destination(id_).id
        case Link(_, label):
            return label

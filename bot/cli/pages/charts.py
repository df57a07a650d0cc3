"""Charts without a script: bars of inline SVG beside words that can be read and pressed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.cli.pages.markup import NONE, Html, join, tag

# Units of a bar's width; what is shorter than one is drawn as wide as two, so that it is seen.
UNITS = 1000
_WIDTH_MIN = 3
_HEIGHT = 14


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time in one lane. `kind`: `read`, `change`, `admin` or `glass`."""

    begin: datetime
    end: datetime
    kind: str
    id: str


def lane(stretches: Iterable[Stretch], since: datetime, until: datetime) -> Html:
    """One bar from `since` to `until`. Stretches that would be drawn on one another are one."""
    drawn: list[tuple[int, int, str, str]] = []
    for one in sorted(stretches, key=lambda item: item.begin):
        left = _unit(one.begin, since, until)
        right = max(left + _WIDTH_MIN, _unit(one.end, since, until))
        if drawn and drawn[-1][2] == one.kind and left <= drawn[-1][1]:
            drawn[-1] = (drawn[-1][0], max(right, drawn[-1][1]), one.kind, drawn[-1][3])
        else:
            drawn.append((left, right, one.kind, one.id))
    parts = (
        tag(
            "a",
            tag("rect", x=left, y=2, width=right - left, height=_HEIGHT - 4, class_=kind),
            href=f"#{id_}",
            tabindex="-1",
        )
        for left, right, kind, id_ in drawn
    )
    return _svg(join(parts))


def bar(value: int, most: int, kind: str = "read") -> Html:
    width = value * UNITS // most if most else 0
    return _svg(tag("rect", width=width, height=_HEIGHT, class_=kind))


def axis(since: datetime, until: datetime) -> Html:
    """Five days from the beginning to the end."""
    moments = (since + (until - since) * part / 4 for part in range(5))
    days = tag("span", *(tag("span", f"{moment:%d %b}") for moment in moments), class_="axis")
    return tag("li", days, aria_hidden="true")


def key(kinds: Mapping[str, str]) -> Html:
    """Which colour means what; the words stand in the rows, too, so that no colour has to be told apart."""
    signs = (
        tag(
            "li",
            tag("svg", tag("rect", width=12, height=12, class_=kind), viewBox="0 0 12 12", aria_hidden="true"),
            words,
        )
        for kind, words in kinds.items()
    )
    return tag("ul", *signs, class_="key")


def bars(lines: Sequence[tuple[object, Html, object]], class_: str = "bars", below: Html = NONE) -> Html:
    """A label, its bar and its number a line; `below`: one more line."""
    found = (
        tag("li", tag("span", label), picture, tag("span", number, class_="n")) for label, picture, number in lines
    )
    return tag("ol", *found, below, class_=class_)


def _unit(moment: datetime, since: datetime, until: datetime) -> int:
    whole = (until - since).total_seconds() or 1
    part = (moment - since).total_seconds() / whole
    return min(UNITS - _WIDTH_MIN, max(0, round(part * UNITS)))


def _svg(inside: Html) -> Html:
    return tag("svg", inside, viewBox=f"0 0 {UNITS} {_HEIGHT}", preserveAspectRatio="none", aria_hidden="true")

"""HTML as values: whatever is not `Html` is escaped when it is put in. One file, no network, no script.

tag("a", "Dana <Dev>", href="#PA-7")    ->  <a href="#PA-7">Dana &lt;Dev&gt;</a>
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape

from bot.chat.text import one_line
from bot.cli.pages.style import STYLE


class Html(str):
    """Markup, made by the functions of this module alone."""

    __slots__ = ()


NONE = Html("")
BREAK = Html("<br>")


def safe(text: object) -> Html:
    """Text of people or of ours, escaped, on one line, without characters that nobody sees; a blank at either end stays."""
    if isinstance(text, Html):
        return text
    told = str(text)
    before, after = (" " if end == " " else "" for end in (told[:1], told[1:][-1:]))
    return Html(f"{before}{escape(one_line(told))}{after}")


def join(parts: Iterable[object], between: object = NONE) -> Html:
    return Html(safe(between).join(safe(part) for part in parts))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """`class_` is `class`; an attribute that is None is left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{safe(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{given}>{join(children)}</{name}>")


def under(first: object, second: object) -> Html:
    """Two lines, the second one quiet; left out where it is empty."""
    return join((first, BREAK, tag("span", second, class_="quiet"))) if second else safe(first)


def section(title: str, *children: object, id_: str | None = None) -> Html:
    return tag("section", tag("h2", title), *children, id=id_)


def table(heads: Iterable[object], rows: Iterable[Iterable[object]], class_: str | None = None) -> Html:
    """In a frame of its own that scrolls where it is too wide."""
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in heads)))
    body = tag("tbody", *(tag("tr", *(tag("td", cell) for cell in row)) for row in rows))
    return tag("div", tag("table", head, body, class_=class_), class_="wide", tabindex="0", role="group")


def items(lines: Iterable[object], nothing: str) -> Html:
    found = [tag("li", line) for line in lines]
    return tag("ul", *found) if found else tag("p", nothing, class_="quiet")


def pairs(found: Iterable[tuple[object, object]]) -> Html:
    """Name and value; what has no value is left out."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in found if value != ""))


def begin(title: str) -> Html:
    """Up to where the page's own words begin. The policy lets nothing be loaded and nothing be run."""
    style = Html(STYLE)
    digest = b64encode(sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return Html(
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"{tag('title', title)}\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
    )


END = Html("</main>\n</body>\n</html>\n")

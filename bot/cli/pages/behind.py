"""Which rows stand behind a number: each number is a link to a list of ids at the end of the page, and each id to its row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.cli.pages.markup import Html, join, safe, tag


class Behind:
    def __init__(self) -> None:
        self._lists: dict[tuple[str, ...], tuple[str, str]] = {}

    def number(self, ids: Iterable[str], title: str, shown: object = None) -> Html:
        """`shown`: what is read in place of how many there are. Where there is nothing, nothing is linked."""
        found = tuple(ids)
        words = f"{len(found):,}" if shown is None else shown
        if not found:
            return safe(words)
        if len(found) == 1:
            return tag("a", words, href=f"#{found[0]}")
        anchor, _ = self._lists.setdefault(found, (f"n{len(self._lists) + 1}", title))
        return tag("a", words, href=f"#{anchor}")

    def lists(self) -> Iterator[Html]:
        for ids, (anchor, title) in self._lists.items():
            yield tag("h3", f"{title}: {len(ids):,}", id=anchor)
            yield tag("p", join((link(id_) for id_ in ids), ", "), class_="ids")


def link(id_: str) -> Html:
    return tag("a", id_, href=f"#{id_}")

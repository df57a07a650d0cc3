"""The access review as one page: who had what, when, by whose yes; each number is a link to its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.chat.wording import access_review as w
from bot.chat.wording.labels import rounded
from bot.cli.pages.access import who_had_what
from bot.cli.pages.behind import link
from bot.cli.pages.ground import Ground
from bot.cli.pages.markup import END, NONE, Html, begin, items, join, section, tag
from bot.cli.pages.pictures import hours_of_the_day, how_quickly, timeline
from bot.cli.pages.row import row_cells
from workflows.core.access_review.full_rows import FullRow
from workflows.core.access_review.model import BreakGlassUse, CouldBeRule, CouldBeSmaller, Suggestion, Unused
from workflows.core.access_review.rows import RowOutcome

_SECTIONS = {
    "look": "To look at",
    "glass": "Break-glass (emergency access) and its reviews",
    "access": "Who had what",
    "when": "When",
    "speed": "How quickly requests were approved",
    "hours": "Hours of the day",
    "unused": "Never used",
    "rows": "Every request",
    "behind": "Behind the numbers",
}
_OUTCOMES = {
    RowOutcome.APPROVED: "approved",
    RowOutcome.BY_RULE: "by a rule",
    RowOutcome.BREAK_GLASS: "break-glass",
    RowOutcome.DENIED: "denied",
    RowOutcome.EXPIRED: "expired unanswered",
    RowOutcome.WITHDRAWN: "withdrawn",
    RowOutcome.IMPOSSIBLE: "could not be given",
    RowOutcome.WAITING: "waiting",
}


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """`policy`: the hash of the policy by which it is judged; `made`: when the page is made."""

    on: Ground
    policy: str
    made: datetime

    def parts(self, rows: Iterable[FullRow]) -> Iterator[Html]:
        """The page from top to bottom. `rows`: in full, read when their turn comes."""
        report = self.on.report
        yield begin(f"Access review, {w.period(report)}")
        yield tag("h1", "Access review")
        yield tag("p", f"{w.period(report)} · {w.scope(report)}")
        made = f"Made {self.made.astimezone(self.on.zone):%Y-%m-%d %H:%M} · times are in {self.on.zone}"
        yield tag("p", f"{made} · policy {self.policy[:12]}", class_="quiet")
        if unread := self.on.found.unread:
            yield tag("p", tag("b", f"{len(unread)} cannot be read, and is counted nowhere: {', '.join(unread[:20])}."))
        yield tag("nav", *(tag("a", title, href=f"#{id_}") for id_, title in _SECTIONS.items()), aria_label="Sections")
        yield self._sums()
        yield self._section("look", self._to_look_at())
        yield self._section("glass", self._break_glass())
        yield self._section("access", who_had_what(self.on))
        yield self._section("when", timeline(self.on))
        yield self._section("speed", how_quickly(self.on))
        yield self._section("hours", hours_of_the_day(self.on))
        yield self._section("unused", items(map(self._unused, report.unused), "Every role was used."))
        yield from self._all_rows(rows)
        yield self._section("behind", *self.on.behind.lists())
        yield END

    def _section(self, id_: str, *parts: Html) -> Html:
        return section(_SECTIONS[id_], *parts, id_=id_)

    # ------------------------------------------------------------ sums

    def _sums(self) -> Html:
        sums = self.on.report.sums
        held = [id_ for one in self.on.report.access for id_ in self.on.ids_of(one)]
        boxes: list[tuple[object, str]] = [
            (self.on.behind.number([row.id for row in self.on.asked], "Asked for"), "asked for"),
            *((self._outcome(outcome), words) for outcome, words in _OUTCOMES.items() if self._of(outcome)),
            (self.on.behind.number(held, "Had access", sums.people), "people had access"),
            (self.on.behind.number(held, "Had access", rounded(sums.held)), "in all"),
            (sums.refused, "refused at once" if self.on.report.environments is None else "refused at once, everywhere"),
        ]
        return tag("ul", *(tag("li", tag("b", number), words) for number, words in boxes), class_="figures")

    def _outcome(self, outcome: RowOutcome) -> Html:
        return self.on.behind.number(self._of(outcome), _OUTCOMES[outcome].capitalize())

    def _of(self, outcome: RowOutcome) -> Sequence[str]:
        return [row.id for row in self.on.asked if row.outcome is outcome]

    # ------------------------------------------------------------ to look at

    def _to_look_at(self) -> Html:
        quick = [
            join((_begun(w.quick_words(one)), self._rows_of_voter(one.who, one.name))) for one in self.on.report.quick
        ]
        told = [join((_begun(w.suggestion_words(one)), self._rows_of(one))) for one in self.on.report.suggestions]
        return items([*quick, *told], "Nothing: no suggestion, and nobody approves everything at once.")

    def _rows_of_voter(self, who: str, name: str) -> Html:
        return self.on.linked(
            [row.id for row in self.on.asked if any(vote.by == who for vote in row.votes)], f"Approved by {name}"
        )

    def _rows_of(self, item: Suggestion) -> Html:
        if not isinstance(item, CouldBeRule | CouldBeSmaller):
            return NONE
        name = item.name if isinstance(item, CouldBeSmaller) else None
        ids = [
            row.id
            for row in self.on.asked
            if (row.environment, row.role) == (item.environment, item.role) and name in (None, row.holder_name)
        ]
        return self.on.linked(ids, f"{f'{name}: ' if name else ''}{item.role} in {item.environment}")

    def _break_glass(self) -> Html:
        return items((_use(one) for one in self.on.report.break_glass), "None.")

    def _unused(self, one: Unused) -> Html:
        ids = [row.id for row in self.on.found.rows if (row.environment, row.role) == (one.environment, one.role)]
        return join((w.unused_words(one), self.on.linked(ids, f"{one.role} in {one.environment}, never given")))

    # ------------------------------------------------------------ rows

    def _all_rows(self, rows: Iterable[FullRow]) -> Iterator[Html]:
        heads = ("Request", "Who, role", "Why", "What became of it", "Times", "Policy")
        head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in heads)))
        yield Html(
            f'<section id="rows">{tag("h2", _SECTIONS["rows"])}<div class="wide"><table class="rows">{head}<tbody>\n'
        )
        for row in rows:
            yield Html(f"{tag('tr', *(tag('td', cell) for cell in row_cells(row, self.on.when)), id=row.id)}\n")
        yield Html("</tbody></table></div></section>\n")


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def _use(one: BreakGlassUse) -> Html:
    id_, _, rest = w.break_glass_words(one).partition(":")
    # Of a gate nothing else stands on the page.
    return join((id_ if one.gate else link(id_), f":{rest}"))

"""The access review as one page: who had what, when, by whose yes; each number is a link to its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from bot.chat.wording import access_review as w
from bot.chat.wording.labels import rounded
from bot.cli.pages import charts
from bot.cli.pages.behind import Behind, link
from bot.cli.pages.markup import END, NONE, Html, begin, items, join, pairs, section, table, tag, under
from bot.cli.pages.row import row_cells
from workflows.core.access_review.compile import held_in
from workflows.core.access_review.figures import by_hour, speed
from workflows.core.access_review.full_rows import FullRow
from workflows.core.access_review.model import Access, BreakGlassUse, CouldBeRule, CouldBeSmaller, Report, Suggestion
from workflows.core.access_review.rows import Row, RowOutcome, grouped
from workflows.core.policy import Risk
from workflows.usecases.oversight.access_review import Found

# So many lanes can be read; the table above has all.
LANES_MAX = 40
_KINDS = {"read": "read", "change": "change", "admin": "admin", "glass": "break-glass (emergency access)"}
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
    """`policy`: the hash of the policy by which it is judged; `made`: when the page is made; `zone`: of all its times."""

    found: Found
    policy: str
    made: datetime
    zone: tzinfo
    behind: Behind = field(default_factory=Behind)
    _groups: dict[tuple[str, str, str], list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._groups.update(grouped(self.found.rows, lambda row: (row.holder, row.environment, row.role)))

    def parts(self, rows: Iterable[FullRow]) -> Iterator[Html]:
        """The page from top to bottom. `rows`: in full, read when their turn comes."""
        report = self.report
        yield begin(f"Access review, {w.period(report)}")
        yield tag("h1", "Access review")
        yield tag("p", f"{w.period(report)} · {w.scope(report)}")
        made = f"Made {self.made.astimezone(self.zone):%Y-%m-%d %H:%M} · times are in {self.zone}"
        yield tag("p", f"{made} · policy {self.policy[:12]}", class_="quiet")
        if unread := self.found.unread:
            yield tag("p", tag("b", f"{len(unread)} cannot be read, and is counted nowhere: {', '.join(unread[:20])}."))
        yield tag("nav", *(tag("a", title, href=f"#{id_}") for id_, title in _SECTIONS.items()), aria_label="Sections")
        yield self._sums()
        yield self._section("look", self._to_look_at())
        yield self._section("glass", self._break_glass())
        yield self._section("access", self._access())
        yield self._section("when", self._timeline())
        yield self._section("speed", self._speed())
        yield self._section("hours", self._hours())
        yield self._section("unused", items(map(w.unused_words, report.unused), "Every role was used."))
        yield from self._all_rows(rows)
        yield self._section("behind", *self.behind.lists())
        yield END

    def _section(self, id_: str, *parts: Html) -> Html:
        return section(_SECTIONS[id_], *parts, id_=id_)

    @property
    def report(self) -> Report:
        return self.found.report

    @property
    def asked(self) -> Sequence[Row]:
        return [row for row in self.found.rows if row.at >= self.report.since]

    # ------------------------------------------------------------ sums

    def _sums(self) -> Html:
        sums = self.report.sums
        held = [id_ for one in self.report.access for id_ in self._ids_of(one)]
        boxes: list[tuple[object, str]] = [
            (self.behind.number([row.id for row in self.asked], "Asked for"), "asked for"),
            *((self._outcome(outcome), words) for outcome, words in _OUTCOMES.items() if self._of(outcome)),
            (self.behind.number(held, "Had access", sums.people), "people had access"),
            (self.behind.number(held, "Had access", rounded(sums.held)), "in all"),
            (sums.refused, "refused at once" if self.report.environments is None else "refused at once, everywhere"),
        ]
        return tag("ul", *(tag("li", tag("b", number), words) for number, words in boxes), class_="figures")

    def _outcome(self, outcome: RowOutcome) -> Html:
        return self.behind.number(self._of(outcome), _OUTCOMES[outcome].capitalize())

    def _of(self, outcome: RowOutcome) -> Sequence[str]:
        return [row.id for row in self.asked if row.outcome is outcome]

    # ------------------------------------------------------------ to look at

    def _to_look_at(self) -> Html:
        quick = [
            join((_begun(w.quick_words(one)), self._rows_of_voter(one.who, one.name))) for one in self.report.quick
        ]
        told = [join((_begun(w.suggestion_words(one)), self._rows_of(one))) for one in self.report.suggestions]
        return items([*quick, *told], "Nothing: no suggestion, and nobody approves everything at once.")

    def _rows_of_voter(self, who: str, name: str) -> Html:
        return self._linked(
            [row.id for row in self.asked if any(vote.by == who for vote in row.votes)], f"Approved by {name}"
        )

    def _rows_of(self, item: Suggestion) -> Html:
        if not isinstance(item, CouldBeRule | CouldBeSmaller):
            return NONE
        name = item.name if isinstance(item, CouldBeSmaller) else None
        ids = [
            row.id
            for row in self.asked
            if (row.environment, row.role) == (item.environment, item.role) and name in (None, row.holder_name)
        ]
        return self._linked(ids, f"{f'{name}: ' if name else ''}{item.role} in {item.environment}")

    def _linked(self, ids: Sequence[str], title: str) -> Html:
        return join((" (", self.behind.number(ids, title, f"{len(ids)} rows"), ")")) if ids else NONE

    def _break_glass(self) -> Html:
        return items((_use(one) for one in self.report.break_glass), "None.")

    # ------------------------------------------------------------ who had what

    def _access(self) -> Html:
        if not self.report.access:
            return tag("p", "Nobody had access.", class_="quiet")
        heads = ("Who", "Role", "Times", "In all", "Days", "Last", "Approved by", "Answered in")
        return table(heads, map(self._access_cells, self.report.access))

    def _access_cells(self, one: Access) -> Iterable[object]:
        ids = self._ids_of(one)
        title = f"{one.name}: {one.role} in {one.environment}"
        yield under(one.name, one.holder if one.holder != one.name else "")
        yield under(f"{one.role} in {one.environment}", f"{one.tier.value}, {one.risk.value}")
        yield self.behind.number(ids, title)
        yield join((self.behind.number(ids, title, rounded(one.held)), ", open" if one.now else ""))
        yield f"{one.days} of {self.report.days}"
        yield self._when(one.last)
        yield ", ".join(f"{name} ({times})" if times > 1 else name for name, times in one.approvers)
        yield rounded(one.answered_in) if one.answered_in is not None else ""

    def _ids_of(self, one: Access) -> Sequence[str]:
        return [row.id for row in self._held(one)]

    def _held(self, one: Access) -> Iterable[Row]:
        report, same = self.report, (one.holder, one.environment, one.role)
        return (row for row in self._groups.get(same, ()) if held_in(row, report.since, report.until) is not None)

    # ------------------------------------------------------------ pictures

    def _timeline(self) -> Html:
        report = self.report
        lines = [self._lane(one) for one in report.access[:LANES_MAX]]
        if not lines:
            return tag("p", "Nobody had access.", class_="quiet")
        left = len(report.access) - len(lines)
        words = f"The {LANES_MAX} longest are drawn; {left} more stand in the table."
        more = tag("p", words, class_="quiet") if left > 0 else NONE
        return join((charts.key(_KINDS), charts.bars(lines, below=charts.axis(report.since, report.until)), more))

    def _lane(self, one: Access) -> tuple[object, Html, object]:
        report = self.report
        stretches = [
            charts.Stretch(*span, "glass" if row.outcome is RowOutcome.BREAK_GLASS else _kind(row.risk), row.id)
            for row in self._held(one)
            if (span := held_in(row, report.since, report.until)) is not None
        ]
        title = f"{one.name}: {one.role} in {one.environment}"
        label = under(one.name, f"{one.role} in {one.environment}")
        return label, charts.lane(stretches, report.since, report.until), self.behind.number(self._ids_of(one), title)

    def _hours(self) -> Html:
        hours = by_hour(self.asked, self.zone)
        most = max(map(len, hours.values()))
        lines = [
            (
                f"{hour:02d}:00",
                charts.bar(len(ids), most),
                self.behind.number(ids, f"Asked for from {hour:02d}:00 to {hour:02d}:59"),
            )
            for hour, ids in hours.items()
        ]
        words = tag("p", f"When people asked, by the hour of the day in {self.zone}.", class_="quiet")
        return join((words, charts.bars(lines, "bars hours")))

    def _speed(self) -> Html:
        found = speed(self.asked)
        if found.median is None or found.share is None:
            return tag("p", "Nobody approved anything by hand.", class_="quiet")
        quick = self.behind.number(found.within_a_minute, "Approved within a minute", f"{round(100 * found.share)} %")
        return pairs(
            (
                ("Approved by people", self.behind.number(found.ids, "Approved by people")),
                (
                    "Median, from when it could be seen",
                    self.behind.number(found.ids, "Approved by people", rounded(found.median)),
                ),
                ("Within a minute", quick),
            )
        )

    # ------------------------------------------------------------ rows

    def _all_rows(self, rows: Iterable[FullRow]) -> Iterator[Html]:
        heads = ("Request", "Who, role", "Why", "What became of it", "Times", "Policy")
        head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in heads)))
        yield Html(
            f'<section id="rows">{tag("h2", _SECTIONS["rows"])}<div class="wide"><table class="rows">{head}<tbody>\n'
        )
        for row in rows:
            yield Html(f"{tag('tr', *(tag('td', cell) for cell in row_cells(row, self._when)), id=row.id)}\n")
        yield Html("</tbody></table></div></section>\n")

    def _when(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}"


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def _use(one: BreakGlassUse) -> Html:
    id_, _, rest = w.break_glass_words(one).partition(":")
    return join((link(id_), f":{rest}"))


def _kind(risk: Risk) -> str:
    return {Risk.READ: "read", Risk.CHANGE: "change", Risk.ADMIN: "admin"}[risk]

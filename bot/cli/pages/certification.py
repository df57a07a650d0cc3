"""A certification as one page: what was asked and answered, how timely, what is open, and the change of the policy."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from bot.chat.wording.certification import AGAINST, step_words
from bot.cli.certify_rows import Ready, Report, Row, day, known, what
from bot.cli.pages.markup import END, Html, begin, items, join, section, table, tag, under
from workflows.core.records.certification import Verdict

_WORDS = {Verdict.KEEP: "stays", Verdict.REMOVE: "goes"}
_HEADS = ("No.", "What", "Answer", "By", "When", "Entry")


def page(found: Report, change: Ready) -> Iterator[Html]:
    run = found.run
    yield begin(f"Certification {run.id}")
    yield tag("h1", f"Certification {run.id}")
    yield tag("p", f"{found.state} · begun {day(run.at)} by {run.by}: {run.reason}")
    closed = f" · closed {day(run.closed_at)}" if run.closed_at else ""
    by = f" by {run.closed_by}: {run.closed_reason}" if run.closed_by else ""
    yield tag("p", f"Uses counted since {day(run.since)} · due {day(run.due_at)}{closed}{by}", class_="quiet")
    yield tag("ul", *(tag("li", tag("b", number), words) for number, words in _figures(found)), class_="figures")
    yield section("Reminded", items((day(moment) for moment in run.chased_at), "Nobody had to be reminded."))
    for name in dict.fromkeys(part.environment for part in found.parts):
        rows = [row for row in found.rows if row.part.environment == name]
        yield section(name, _notes(rows), table(_HEADS, (_cells(found, row) for row in rows)))
    yield section("What is to be done by hand", items(change.by_hand, "Nothing."))
    yield section("The change of the policy", *_change(change))
    yield END


def _figures(found: Report) -> Iterator[tuple[object, str]]:
    counts = found.sums
    yield counts.items, "questions"
    yield counts.kept, "stay"
    yield counts.removed, "go"
    yield counts.open, "not answered"
    yield counts.late, "answered late"


def _notes(rows: list[Row]) -> Html:
    notes = dict.fromkeys(note for row in rows for note in row.part.notes)
    return join(tag("p", tag("b", note)) for note in notes)


def _cells(found: Report, row: Row) -> Iterator[object]:
    item, answer = row.item, row.item.answer
    against = ", ".join(AGAINST[one] for one in item.against)
    yield item.number
    yield under(f"{'⚠️ ' if against else ''}{what(item)}", known(item))
    if answer is None:
        yield from ("not answered", "", "", "")
        return
    to_do = "; ".join(map(step_words, row.to_do))
    yield under(join((tag("b", _WORDS[answer.verdict]), f": {answer.reason}" if answer.reason else "")), to_do)
    before = f"before: {len(row.entries) - 1} other" if len(row.entries) > 1 else ""
    yield under(answer.by_name, before)
    yield under(day(answer.at), "late" if answer.at > found.run.due_at else "")
    last = row.entries[-1] if row.entries else None
    yield under(f"#{last.number}", last.digest[:12]) if last is not None else ""


def _change(change: Ready) -> Iterator[Html]:
    if change.diff:
        yield tag(
            "p", "What can be cut out of the policy's files exactly. Comments round it are for whoever reviews it."
        )
        yield tag("pre", join(map(_as_it_is, change.diff), Html("\n")))
    else:
        yield tag("p", "Nothing of it can be made exactly, or nothing goes.", class_="quiet")
    for problem in change.problems:
        yield tag("p", tag("b", f"After it the policy is not valid yet: {problem}"))


def _as_it_is(line: str) -> Html:
    """With its blanks, which count in the policy's files; without characters that nobody sees."""
    return Html(escape("".join(character for character in line if character.isprintable())))

"""The boundaries of a checkout as one page."""

from __future__ import annotations

from collections.abc import Iterator

from bot.boundaries.model import Answer, Document, Report
from bot.boundaries.questions import QUESTIONS
from bot.boundaries.writing.text import MARKS
from bot.cli.pages.markup import END, Html, begin, items, join, section, table, tag, under


def page(report: Report) -> Iterator[Html]:
    yield begin(f"Boundaries of {report.folder}")
    yield tag("h1", f"Boundaries of {report.folder}")
    figures = (tag("li", tag("b", number), verdict.value) for verdict, number in report.counts.items())
    yield tag("ul", *figures, class_="figures")
    yield section("Looked at", items(report.seen, "Nothing."))
    yield section("Not looked at", items(report.not_seen, "Nothing."))
    for number, answer in enumerate(report.answers, start=1):
        yield _answer(number, answer)
    if report.documents:
        yield section("Ready to use", *(join(_document(each)) for each in report.documents))
    yield END


def _answer(number: int, answer: Answer) -> Html:
    asked = QUESTIONS[answer.question]
    said = tag("p", tag("b", f"{MARKS[answer.verdict]} {answer.verdict.value}"), f" · {answer.question}")
    rows = (
        (one.verdict.value, under(one.words, str(one.place) if one.place is not None else ""))
        for one in answer.evidence
    )
    to_do = tag("p", tag("b", "To do: "), answer.to_do) if answer.to_do else ""
    return section(
        f"{number}. {asked.words}", said, table(("Seen", "What, and where"), rows), to_do, id_=answer.question
    )


def _document(document: Document) -> Iterator[Html]:
    yield tag("h3", document.title)
    yield tag("pre", join(_indented(document.text)))


def _indented(text: str) -> Iterator[Html]:
    """With its blanks, which JSON does without and people do not."""
    for line in text.splitlines():
        yield Html(" " * (len(line) - len(line.lstrip(" "))))
        yield tag("span", line.strip())
        yield Html("\n")

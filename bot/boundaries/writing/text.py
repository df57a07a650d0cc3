"""A report for a terminal and a log: what was not looked at first, then each question."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from bot.boundaries.model import Answer, Report, Verdict
from bot.boundaries.questions import QUESTIONS

MARKS = {Verdict.YES: "✅", Verdict.NO: "❌", Verdict.UNKNOWN: "❔"}
_EVIDENCE_MAX = 12


def lines(report: Report, width: int) -> Iterator[str]:
    yield f"Boundaries of {report.folder}"
    yield from _listed("Looked at", report.seen, width)
    yield from _listed("Not looked at", report.not_seen, width)
    for number, answer in enumerate(report.answers, start=1):
        yield ""
        yield from _answer(number, answer, width)
    yield ""
    yield sums(report)
    for document in report.documents:
        yield ""
        yield f"{document.title}:"
        yield from document.text.splitlines()


def sums(report: Report) -> str:
    """`5 yes, 2 no, 5 not known.` There is no word for all of it."""
    return f"{', '.join(f'{number} {verdict.value}' for verdict, number in report.counts.items())}."


def _listed(title: str, sentences: tuple[str, ...], width: int) -> Iterator[str]:
    yield ""
    yield f"{title}:"
    for sentence in sentences:
        yield from wrap(sentence, width, initial_indent="- ", subsequent_indent="  ")


def _answer(number: int, answer: Answer, width: int) -> Iterator[str]:
    asked = QUESTIONS[answer.question].words
    yield from wrap(f"{number}. {asked} {MARKS[answer.verdict]} {answer.verdict.value}", width, subsequent_indent="   ")
    told = [one for one in answer.evidence if one.verdict is not Verdict.YES or answer.verdict is Verdict.YES]
    for one in told[:_EVIDENCE_MAX]:
        odd = "" if one.verdict is answer.verdict else f"({one.verdict.value}) "
        place = f"{one.place}: " if one.place is not None and str(one.place) else ""
        yield from wrap(f"{place}{odd}{one.words}", width, initial_indent="   - ", subsequent_indent="     ")
    more = len(answer.evidence) - len(told[:_EVIDENCE_MAX])
    if more:
        yield f"   - and {more} more{'' if len(told) > _EVIDENCE_MAX else ' in order'} (--format json has all)"
    if answer.to_do:
        yield from wrap(f"To do: {answer.to_do}", width, initial_indent="   ", subsequent_indent="     ")

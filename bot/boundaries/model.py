"""What was asked, what was found, and on what it rests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.boundaries.questions import QUESTIONS
from workflows.policy_file.problem import printable

_WORDS_MAX = 600


class Verdict(StrEnum):
    """`yes` is good, in each question. What is absent, partial, remote or worked out by a run is `not known`."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Place:
    """`file` from the checkout's root, `line` from 1; 0: the file as such. An empty file: somewhere else, as `where` says."""

    file: str = ""
    line: int = 0
    where: str = ""

    def __str__(self) -> str:
        if not self.file:
            return self.where
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was seen. `verdict`: what it says by itself."""

    verdict: Verdict
    words: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`to_do`: what makes it `yes`, or where to look; empty where it is."""

    question: str
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    to_do: str = ""


def judged(question: str, evidence: Iterable[Evidence]) -> Answer:
    """One `no` is no; else one `not known` is not known; `yes` wants at least one, and nothing else."""
    found = tuple(dict.fromkeys(evidence))
    verdict = worst(one.verdict for one in found)
    asked = QUESTIONS[question]
    to_do = {Verdict.NO: asked.mend, Verdict.UNKNOWN: asked.look}.get(verdict, "")
    # What speaks for the answer stands first.
    return Answer(question, verdict, tuple(sorted(found, key=lambda one: one.verdict is not verdict)), to_do)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    found = set(verdicts)
    if Verdict.NO in found:
        return Verdict.NO
    return Verdict.YES if found == {Verdict.YES} else Verdict.UNKNOWN


def yes(words: str, place: Place | None = None) -> Evidence:
    return Evidence(Verdict.YES, words, place)


def no(words: str, place: Place | None = None) -> Evidence:
    return Evidence(Verdict.NO, words, place)


def unknown(words: str, place: Place | None = None) -> Evidence:
    return Evidence(Verdict.UNKNOWN, words, place)


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document that mends something, ready to use but for what is written in capitals."""

    title: str
    question: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """`seen`: what was looked at. `not_seen`: what was not, each a sentence."""

    folder: str
    seen: tuple[str, ...]
    not_seen: tuple[str, ...]
    answers: tuple[Answer, ...]
    documents: tuple[Document, ...] = ()

    @property
    def counts(self) -> Mapping[Verdict, int]:
        return {each: sum(one.verdict is each for one in self.answers) for each in Verdict}


def cleaned(report: Report) -> Report:
    """Without what moves a terminal's cursor, turns text round or cannot be written: names in a checkout are anybody's words."""
    return replace(
        report,
        folder=printable(report.folder),
        seen=tuple(map(printable, report.seen)),
        not_seen=tuple(map(printable, report.not_seen)),
        answers=tuple(replace(each, evidence=tuple(map(_cleaned, each.evidence))) for each in report.answers),
        documents=tuple(replace(each, title=printable(each.title)) for each in report.documents),
    )


def _cleaned(one: Evidence) -> Evidence:
    place = replace(one.place, file=printable(one.place.file)) if one.place is not None else None
    return replace(one, words=printable(one.words[:_WORDS_MAX]), place=place)

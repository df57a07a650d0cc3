"""A report for a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.boundaries.model import Answer, Evidence, Report
from bot.boundaries.questions import QUESTIONS


def as_json(report: Report) -> Mapping[str, Any]:
    """`file` is null where the evidence stands in no file; `line` is 0 where the file as such is meant."""
    return {
        "folder": report.folder,
        "looked_at": list(report.seen),
        "not_looked_at": list(report.not_seen),
        "counts": {verdict.value: number for verdict, number in report.counts.items()},
        "answers": [_answer(each) for each in report.answers],
        "documents": [{"title": each.title, "question": each.question, "text": each.text} for each in report.documents],
    }


def _answer(answer: Answer) -> Mapping[str, Any]:
    return {
        "question": answer.question,
        "asked": QUESTIONS[answer.question].words,
        "verdict": answer.verdict.value,
        "evidence": [_evidence(each) for each in answer.evidence],
        "to_do": answer.to_do,
    }


def _evidence(one: Evidence) -> Mapping[str, Any]:
    place = one.place
    return {
        "verdict": one.verdict.value,
        "words": one.words,
        "file": place.file or None if place else None,
        "line": place.line if place else 0,
    }

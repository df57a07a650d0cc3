"""A report as SARIF 2.1.0, which forges show beside the lines: https://docs.oasis-open.org/sarif/sarif/v2.1.0/"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from bot import __version__
from bot.boundaries.model import Answer, Evidence, Report, Verdict
from bot.boundaries.questions import QUESTIONS, Question

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# Of what is no failure the level is "none" (3.27.10).
_KINDS = {Verdict.YES: ("pass", "none"), Verdict.NO: ("fail", "error"), Verdict.UNKNOWN: ("open", "none")}


def as_sarif(report: Report) -> Mapping[str, Any]:
    notes = [{"level": "note", "message": {"text": f"Not looked at: {sentence}"}} for sentence in report.not_seen]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver()},
                "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
                "columnKind": "unicodeCodePoints",
                "results": [result for answer in report.answers for result in _results(answer)],
            }
        ],
    }


def _driver() -> Mapping[str, Any]:
    return {
        "name": "prodaccess boundaries",
        "version": __version__,
        "rules": [_rule(each) for each in QUESTIONS.values()],
    }


def _rule(question: Question) -> Mapping[str, Any]:
    return {
        "id": question.id,
        "shortDescription": {"text": question.words},
        "fullDescription": {"text": f"No means: {question.fault}."},
        "help": {"text": question.mend},
        "defaultConfiguration": {"level": "error"},
    }


def _results(answer: Answer) -> Iterator[Mapping[str, Any]]:
    """One for each piece of evidence that makes the answer what it is."""
    for one in answer.evidence:
        if one.verdict is answer.verdict:
            yield _result(answer, one)


def _result(answer: Answer, one: Evidence) -> Mapping[str, Any]:
    kind, level = _KINDS[one.verdict]
    told = f"{one.words} {answer.to_do}".strip()
    found: dict[str, Any] = {
        "ruleId": answer.question,
        "ruleIndex": list(QUESTIONS).index(answer.question),
        "kind": kind,
        "level": level,
        "message": {"text": f"{QUESTIONS[answer.question].words} {one.verdict.value}. {told}"},
    }
    if one.place is not None and one.place.file:
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(one.place.file), "uriBaseId": "%SRCROOT%"}}
        if one.place.line:
            place["region"] = {"startLine": one.place.line}
        found["locations"] = [{"physicalLocation": place}]
    return found

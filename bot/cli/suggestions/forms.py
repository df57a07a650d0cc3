"""Suggestions as text, whose end is a diff, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.chat.text import one_line
from bot.cli.suggestions import words as w
from workflows.core.suggestions.model import (
    AnswersAlone,
    CouldApprove,
    CouldGo,
    Finding,
    Found,
    NeedsSecond,
    OneApprover,
    Pair,
    Quick,
)
from workflows.policy_file.phrases import hours_words
from workflows.policy_file.proposing import Proposed

_KINDS = {
    CouldApprove: "auto_approve",
    CouldGo: "role_unused",
    NeedsSecond: "second_owner",
    Quick: "quick",
    OneApprover: "one_approver",
    Pair: "pair",
    AnswersAlone: "answers_alone",
}


@dataclass(frozen=True, slots=True)
class Told:
    """`places`: where a second owner could stand, beside each of `found.seconds`. `not_read`: sentences."""

    found: Found
    change: Proposed
    places: Sequence[tuple[str, str]]
    not_read: Sequence[str]
    environment: str
    panic_group: str | None

    @property
    def pressing(self) -> str:
        return w.pressing_words(len(self.change.looser), self.change.asks, self.panic_group)

    @property
    def by_hand(self) -> list[str]:
        seconds = (w.second_words(one, *at) for one, at in zip(self.found.seconds, self.places, strict=True))
        return [*(f"{' '.join(w.made_words(one))} ({why})" for one, why in self.change.by_hand), *seconds]

    @property
    def not_proposed(self) -> list[str]:
        rest = (w.short_words(self.found), w.too_young(self.found))
        return [*map(w.withheld_words, self.found.withheld), *filter(None, rest)]


def text(told: Told) -> Iterator[str]:
    """Lines; the diff stands last, so that all of it can be handed to `git apply`."""
    change = told.change
    yield f"{w.heading(told.found, told.environment)}."
    yield from _part("Proposed", ("\n".join(w.made_words(one)) for one in change.made), "Nothing.")
    yield from _part("By hand", told.by_hand, "")
    yield from _part("Somebody should look at", map(w.finding_words, told.found.findings), "")
    yield from _part("Not proposed", told.not_proposed, "")
    yield from _part("Not read, so not counted", told.not_read, "")
    if not change.made:
        return
    yield from _part("What it makes looser in production", change.looser, "Nothing.")
    yield from _part("All that changes", change.changes, "")
    yield from _part("`prodaccess check` warns then", change.warnings, "")
    yield ""
    yield f"Who must press: {told.pressing}."
    yield ""
    yield "The change, for `git apply` in the policy folder:"
    yield from change.diff


def _part(title: str, lines: Iterable[str], nothing: str) -> Iterator[str]:
    found = [f"  - {_lines(line)}" for line in lines] or ([f"  {nothing}"] if nothing else [])
    if found:
        yield ""
        yield title
        yield from found


def _lines(text: str) -> str:
    return "\n    ".join(map(one_line, text.split("\n")))


def as_json(told: Told) -> str:
    found, change = told.found, told.change
    whole = {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "days": found.days,
        "environment": told.environment or None,
        "proposed": [{**_one(one), "sentence": one_line(" ".join(w.made_words(one)))} for one in change.made],
        "by_hand": [
            *(
                {**_one(one), "why": one_line(why), "sentence": one_line(" ".join(w.made_words(one)))}
                for one, why in change.by_hand
            ),
            *(
                {**_one(one), "place": at[0], "line": at[1], "sentence": one_line(w.second_words(one, *at))}
                for one, at in zip(found.seconds, told.places, strict=True)
            ),
        ],
        "findings": [{**_one(one), "sentence": one_line(w.finding_words(one))} for one in found.findings],
        "not_proposed": [
            {
                "environment": one.environment,
                "role": one.role,
                "asks": one.asks,
                "because": [each.value for each in one.because],
                "sentence": w.withheld_words(one),
            }
            for one in found.withheld
        ],
        "too_few_asks": found.short,
        "not_enough_record": w.too_young(found) or None,
        "not_read": list(told.not_read),
        "change_of_the_policy": {
            "diff": list(change.diff),
            "looser_in_production": list(change.looser),
            "changes": list(change.changes),
            "warnings": list(change.warnings),
            "must_agree": dict(change.asks or {}),
            "who_must_press": told.pressing if change.made else None,
        },
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _one(item: CouldApprove | CouldGo | NeedsSecond | Finding) -> dict[str, Any]:
    hours = {"hours": hours_words(item.hours) or None} if isinstance(item, CouldApprove) else {}
    return {"kind": _KINDS[type(item)], **_plain(asdict(item)), **hours}


def _plain(value: Any) -> Any:
    """Stretches are seconds, and say so."""
    if isinstance(value, dict):
        return {f"{name}_s" if isinstance(one, timedelta) else name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, timedelta):
        return round(value.total_seconds(), 1)
    if isinstance(value, datetime):
        return value.isoformat()
    return one_line(value) if isinstance(value, str) else value

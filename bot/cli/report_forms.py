"""The access review as a table of at most 100 columns, as CSV and as JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.chat.text import cut, one_line
from bot.chat.wording import access_review as w
from workflows.core.access_review.model import Access, CouldBeRule, CouldBeSmaller, CouldGo, Report, Suggestion
from workflows.core.durations import format_duration

WIDTH_MAX = 100
# Columns; where there are fewer, who had what is told in lines.
TABLE_MIN = 96
# So that one long name leaves the others room; CSV and JSON have it whole.
_CELL_MAX = 48
# Columns between two columns of the table, which of them stand on the right, and how narrow the others get.
_GAP, _RIGHT = 2, frozenset({3, 4, 5, 7})
_MIN = {"Who": 12, "Environment": 12, "Role": 12, "By": 10}
# More lines than this in which something has to be folded are told in words: laying them out takes a minute.
_FOLDED_MAX = 1_000
# A spreadsheet takes what begins so for a formula, and runs it for whoever opens the file. Some take the wide ones, too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
# In JSON these are seconds, and say so.
_STRETCHES = frozenset({"held", "answered_in", "reviewed_in", "median"})
_KINDS = {CouldBeRule: "could_be_rule", CouldGo: "could_go", CouldBeSmaller: "could_be_smaller"}

# ---------------------------------------------------------------- a table


def table(report: Report, output: TextIO, width: int | None = None) -> None:
    """Plain text. Whatever people wrote is stripped of control characters, and nothing of it is taken for markup."""
    console = Console(file=output, highlight=False, emoji=False, markup=False, color_system=None)
    console.width = width or (min(console.width, WIDTH_MAX) if console.is_terminal else WIDTH_MAX)
    sums = report.sums
    _heading(console, f"Access review: {w.period(report)}, {w.scope(report)}")
    for line in (w.held_words(sums), w.outcome_words(sums), w.refused_words(report)):
        console.print(Text(f"{line[0].upper()}{line[1:]}."))
    plain = _plain_table(report, console.width) if report.access and console.width >= TABLE_MIN else None
    if plain is not None:
        output.writelines(("\n", *plain))
    elif report.access and console.width >= TABLE_MIN and len(report.access) <= _FOLDED_MAX:
        console.print()
        console.print(_who_had_what(report))
    elif report.access:
        _list(console, "Who had what", (_in_words(item, report.days) for item in report.access), "")
    _list(console, "Break-glass", map(w.break_glass_words, report.break_glass), "None.")
    _list(console, "Approves everything at once", map(w.quick_words, report.quick), "Nobody.")
    _list(console, "Never used", map(w.unused_words, report.unused), "Every role was used.")
    _list(console, "Suggestions", map(w.suggestion_words, report.suggestions), "None.")


def _heading(console: Console, words: str) -> None:
    console.print(Text(one_line(words), style="bold"))


def _list(console: Console, title: str, lines: Iterable[str], nothing: str) -> None:
    console.print()
    _heading(console, title)
    for line in [one_line(line) for line in lines] or [nothing]:
        if cell_len(line) + 2 <= console.width:
            # As the grid would show it, at a hundredth of the cost: there are thousands in a large installation.
            console.file.write(f"- {line}\n")
            continue
        # A second line begins under the first one's words.
        parts = (part.plain.rstrip() for part in Text(line).wrap(console, console.width - 2, overflow="fold"))
        console.file.write("- " + "\n  ".join(parts) + "\n")


def _plain_table(report: Report, width: int) -> Iterator[str] | None:
    """As `_who_had_what` shows it, at a fiftieth of the cost: there are a hundred thousand in a large installation. None where
    a cell has to be folded.
    """
    least = [_MIN.get(name, 0) for name in _titles(report)]
    wide = [max(cell_len(name), least_) for name, least_ in zip(_titles(report), least, strict=True)]
    cells = list(_cells(report))
    for line in cells:
        wide = [max(known, cell_len(cell)) for known, cell in zip(wide, line, strict=True)]
    if sum(wide) + _GAP * (len(wide) - 1) > width:
        return None
    return (_drawn(line, wide) for line in (_titles(report), *cells))


def _drawn(line: Sequence[str], wide: Sequence[int]) -> str:
    cells = (
        f"{' ' * (width - cell_len(cell))}{cell}" if place in _RIGHT else f"{cell}{' ' * (width - cell_len(cell))}"
        for place, (cell, width) in enumerate(zip(line, wide, strict=True))
    )
    return f"{(' ' * _GAP).join(cells)}\n"


def _titles(report: Report) -> Sequence[str]:
    return "Who", "Environment", "Role", "Times", "In all", f"Days/{report.days}", "By", "Answered"


def _cells(report: Report) -> Iterator[Sequence[str]]:
    return (tuple(cut(one_line(cell), _CELL_MAX) for cell in _line(item)) for item in report.access)


def _who_had_what(report: Report) -> Table:
    found = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(_titles(report)):
        if place in _RIGHT:
            found.add_column(name, justify="right", no_wrap=True)
        else:
            found.add_column(name, overflow="fold", min_width=_MIN[name])
    for line in _cells(report):
        found.add_row(*map(Text, line))
    return found


def _line(item: Access) -> Sequence[str]:
    by = ", ".join(f"{name} ({times})" if times > 1 else name for name, times in item.approvers)
    answered = format_duration(item.answered_in) if item.answered_in is not None else ""
    held = f"{format_duration(item.held)}{', open' if item.now else ''}"
    return (item.name, item.environment, item.role, str(item.times), held, str(item.days), by, answered)


def _in_words(item: Access, of_days: int) -> str:
    name, environment, role, times, held, days, by, answered = _line(item)
    agreed = f", by {by}" if by else ""
    waited = f", answered in {answered}" if answered else ""
    return f"{name}: {role} in {environment}, {times} times, {held} in all, on {days} of {of_days} days{agreed}{waited}"


# ---------------------------------------------------------------- CSV


def as_csv(report: Report, output: TextIO) -> None:
    """Who had what, one person and role a line."""
    lines = csv.writer(output, lineterminator="\n")
    lines.writerow(COLUMNS)
    for item in report.access:
        lines.writerow([cell(value) for value in cells(item, report.days)])


COLUMNS = (
    "person",
    "address",
    "environment",
    "role",
    "tier",
    "risk",
    "times",
    "held_s",
    "days",
    "of_days",
    "last",
    "open_now",
    "break_glass",
    "approved_by",
    "answered_in_s",
)


def cells(item: Access, of_days: int) -> Iterable[object]:
    """As `COLUMNS` has them."""
    yield from (item.name, item.holder, item.environment, item.role, item.tier.value, item.risk.value)
    yield from (item.times, _seconds(item.held), item.days, of_days, item.last.isoformat())
    yield "yes" if item.now else "no"
    yield item.break_glass
    yield "; ".join(f"{name} ({times})" for name, times in item.approvers)
    yield _seconds(item.answered_in) if item.answered_in is not None else ""


def cell(value: object) -> str:
    """What would be a formula gets an apostrophe before it, so that it is text."""
    text = str(value)
    return ("'" if text.startswith(_FORMULA) or one_line(text).startswith(_FORMULA) else "") + one_line(text)


# ---------------------------------------------------------------- JSON


def as_json(report: Report, output: TextIO) -> None:
    found = _plain(asdict(report))
    found["days"] = report.days
    found["quick_approvers"], found["never_used"] = map(found.pop, ("quick", "unused"))
    found["suggestions"] = [_suggestion(item) for item in report.suggestions]
    for line in found["access"]:
        line["approvers"] = [{"name": name, "times": times} for name, times in line["approvers"]]
    output.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")


def _suggestion(item: Suggestion) -> dict[str, Any]:
    return {"kind": _KINDS[type(item)], "sentence": one_line(w.suggestion_words(item)), **_plain(asdict(item))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {f"{name}_s" if name in _STRETCHES else name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, timedelta):
        return _seconds(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return one_line(value) if isinstance(value, str) else value


def _seconds(value: timedelta) -> int:
    return round(value.total_seconds())

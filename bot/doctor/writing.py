"""What was found, for a tired person and for a program. Plain text without colours: it says the state in words."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.doctor.examination import Examined, worst
from workflows.core.finding import Finding, State

WORDS: Mapping[State, str] = {
    State.OK: "ok",
    State.ATTENTION: "attention",
    State.BROKEN: "BROKEN",
    State.UNKNOWN: "not known",
    State.SKIPPED: "not looked at",
}
_STATE_COLUMNS = max(map(len, WORDS.values())) + 2
# Below this width the words stand under what they are about.
_NARROW = 60
EXIT: Mapping[State, int] = {State.OK: 0, State.SKIPPED: 0, State.UNKNOWN: 1, State.ATTENTION: 1, State.BROKEN: 2}
_TO_DO = (State.BROKEN, State.ATTENTION, State.UNKNOWN)


def exit_code(examined: Sequence[Examined]) -> int:
    return EXIT[worst(examined)]


def lines(examined: Sequence[Examined], width: int) -> Iterator[str]:
    """By subject, then what there is to do, broken first: the end of the text is what stands above the prompt."""
    for one in examined:
        if one.findings:
            yield one.subject.title
            for finding in one.findings:
                yield from _row(WORDS[finding.state], _told(finding), width)
            yield ""
    yield from _to_do(examined, width)
    yield from textwrap.wrap(closing(examined), width)


def _told(finding: Finding) -> str:
    """What is to be done stands at the end of the text; where to look for what was not looked at, here."""
    where = f" -> {finding.mend}" if finding.state is State.SKIPPED and finding.mend else ""
    return f"{finding.what}: {finding.words}{where}"


def _row(state: str, text: str, width: int) -> Iterator[str]:
    if width < _NARROW:
        yield f"  {state}"
        yield from textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
        return
    begin = f"  {state:<{_STATE_COLUMNS}}"
    yield from textwrap.wrap(
        text, width, initial_indent=begin, subsequent_indent=" " * len(begin), break_on_hyphens=False
    )


def _to_do(examined: Sequence[Examined], width: int) -> Iterator[str]:
    """In the order of the subjects, which rest on one another: what is mended first may mend others.

    What is not known for want of something else has no mend of its own, and there is nothing to do about it.
    """
    pairs = [(one, finding) for one in examined for finding in one.findings]
    found = [pair for state in _TO_DO for pair in pairs if pair[1].state is state]
    found = [pair for pair in found if pair[1].mend or pair[1].state is not State.UNKNOWN]
    if not found:
        return
    yield "To do, in this order"
    for number, (one, finding) in enumerate(found, start=1):
        begin = f"{number:>3}. "
        title = one.subject.title
        what = title if finding.what.lower() == title.lower() else f"{title}, {finding.what}"
        told = f"{what}: {finding.words}"
        indent = " " * len(begin)
        yield from textwrap.wrap(told, width, initial_indent=begin, subsequent_indent=indent, break_on_hyphens=False)
        if finding.mend:
            yield from textwrap.wrap(
                f"-> {finding.mend}",
                width,
                initial_indent=indent,
                subsequent_indent=f"{indent}   ",
                break_on_hyphens=False,
            )
    yield ""


def closing(examined: Sequence[Examined]) -> str:
    """The counts, and what to do next, in one sentence."""
    counts = Counter(finding.state for one in examined for finding in one.findings)
    said = ", ".join(f"{counts[state]} {_count_words(state, counts[state])}" for state in _ORDER if counts[state])
    return f"{said or 'Nothing was looked at'}. {_next(counts)}"


_ORDER = (State.BROKEN, State.ATTENTION, State.UNKNOWN, State.SKIPPED, State.OK)


def _count_words(state: State, count: int) -> str:
    if state is State.ATTENTION:
        return "needs attention" if count == 1 else "need attention"
    return WORDS[state].lower()


def _next(counts: Mapping[State, int]) -> str:
    if counts.get(State.BROKEN):
        return "Mend what is broken, from the top, and run `prodaccess doctor` again."
    if counts.get(State.ATTENTION):
        return "Nothing is broken; look at what needs attention."
    if counts.get(State.UNKNOWN):
        return "Nothing is broken, as far as anybody could tell; run it again for what is not known."
    if counts.get(State.SKIPPED):
        return "Nothing that was looked at is broken; each line that was not says where to look."
    return "Nothing is broken."


def as_json(examined: Sequence[Examined], asked: Mapping[str, int]) -> dict[str, Any]:
    """Stable: fields and names of checks are added, and none is renamed. `calls`: questions that were asked outside, by kind."""
    counts = Counter(finding.state for one in examined for finding in one.findings)
    return {
        "state": worst(examined).value,
        "exit_code": exit_code(examined),
        "counts": {state.value: counts[state] for state in State},
        "calls": dict(sorted(asked.items())),
        "findings": [_entry(one, finding) for one in examined for finding in one.findings],
    }


def _entry(one: Examined, finding: Finding) -> dict[str, str]:
    return {
        "subject": one.subject.name,
        "check": finding.check,
        "what": finding.what,
        "state": finding.state.value,
        "words": finding.words,
        "mend": finding.mend,
    }

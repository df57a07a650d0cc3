"""What was meant as a duration or as a time and is none: to be asked about, and never read as the first word of a reason.

Who types `1hr30` and is given the role's half hour, or `tomorrow 99:99` and gets in now, has been misunderstood in silence. A
reason that merely begins with a number (`3 servers are down`, `500 errors`) is none of that. Words come in lower case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import takewhile

from workflows.core.dates import DAY_NAMES, is_day
from workflows.core.durations import UNITS, parse_duration

_PUNCTUATION = ".,:;!?()[]{}"
_LONGER = frozenset(
    {"w", "wk", "wks", "week", "weeks", "fortnight", "fortnights", "mo", "month", "months", "y", "year", "years"}
)
_FEW = frozenset({"a", "an", "half", "one", "two", "three", "four", "five", "six", "ten", "thirty", "couple", "few"})
# Stands right behind a number that counts something else: `5xx`, `2nd`, `100gb`, `500ms`.
_NO_TIME = frozenset(
    {"xx", "st", "nd", "rd", "th", "ms", "us", "ns", "k", "kb", "mb", "gb", "tb", "gib", "fa", "rps", "qps"}
)
_COUNTED = frozenset({"people", "men", "women", "children", "of", "out", "percent", "%", *_NO_TIME})
_TELLS = frozenset(
    {"is", "was", "are", "were", "has", "have", "down", "failed", "fails", "cannot", "keeps", "in", "on", "of"}
)

_NUMBER = re.compile(r"[-+~<>=]*[0-9]+([.,][0-9]+)?")
_RANGE = re.compile(r"[0-9]+[-/][0-9]+")
_GLUED = re.compile(r"[-+~<>=]*[0-9][0-9.,:;/+~-]*[a-z][0-9a-z.,:;/+~-]*")

_LEADS = frozenset({"at", "from", "until", "till", "by", "on", "next", "this", "starting", "beginning"})
_SHORT_DAYS = frozenset({"tmrw", "tmr", "2morrow", "tomorow", "tonite", "tues", "weds", "thur", "thurs"})
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{1,2}(am|pm)?(-\S+)?|[0-9]{1,2}(am|pm)(-\S+)?|[0-9]{1,2}-[0-9]{1,2}(am|pm)")
_LOOSE_CLOCK = re.compile(r"[0-9]{1,2}([.:h][0-9]{0,2})?|([01][0-9]|2[0-3])[0-5][0-9]")
_DATE = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}([-/.][0-9]{0,4})?")
_WITH_CLOCK = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}t[0-9].*")


def duration_slip(words: Sequence[str]) -> str:
    """The words at the beginning that were meant as a duration and are none, as they are shown; empty where there are none."""
    first, second, third = _plain(words, 3)
    if not _is_one(first, second, third):
        return ""
    return words[0] if _GLUED.fullmatch(first) or not second else f"{words[0]} {words[1]}"


def _is_one(first: str, second: str, third: str) -> bool:
    if second == "ago":
        return False
    if first in _FEW:
        return (_timely(second) or (second in _FEW and _timely(third))) and third != "ago"
    if _NUMBER.fullmatch(first):
        return _number_alone(first, second, third)
    if _RANGE.fullmatch(first):
        return _timely(second)
    return bool(_GLUED.fullmatch(first)) and _glued(first)


def _number_alone(number: str, behind: str, then: str) -> bool:
    """Whether a number is a duration that lacks its unit, or has a wrong one. It may count what stands behind it."""
    if not behind or _timely(behind):
        return then != "ago"
    counts_something = behind in _COUNTED or (
        behind.isalpha() and len(behind) > 2 and behind.endswith("s") and number != "1"
    )
    status_code = re.fullmatch(r"[45][0-9]{2}", number) is not None
    return not (counts_something or status_code or len(number) > 3 or {behind, then} & _TELLS)


def _glued(word: str) -> bool:
    letters = re.findall(r"[a-z]+", word)
    if len(letters) == 1 and re.fullmatch(r"[^a-z]*[0-9][a-z]{1,12}[0-9]*", word):
        return letters[0] not in _NO_TIME and not _CLOCK.fullmatch(word)
    return all(map(_timely, letters))


def _timely(word: str) -> bool:
    """A unit of time, one that we do not take, or one with a slip in it."""
    return word in UNITS or word in _LONGER or _near(word, UNITS)


def start_slip(words: Sequence[str]) -> str:
    """The words at the beginning that were meant as when to begin (`at 25:00`, `tomorow 9:00`), as they are shown, or nothing.

    Only for what could not be read as a start.
    """
    plain = list(takewhile(bool, _plain(words, 6)))
    leads = len(list(takewhile(_LEADS.__contains__, plain[:2])))
    used = leads
    day = plain[used] if len(plain) > used and _day_like(*plain[used : used + 2]) else ""
    used += bool(day)
    used += plain[used : used + 1] == ["at"] and bool(day)
    clock, behind = (*plain[used : used + 2], "", "")[:2]
    said_at = "at" in plain[:used]
    if _CLOCK.fullmatch(clock) or _WITH_CLOCK.fullmatch(day):
        return _shown(words, used + bool(clock))
    if (said_at or day) and _LOOSE_CLOCK.fullmatch(clock) and not _counts(behind):
        return _shown(words, used + 1)
    if said_at and (clock in ("noon", "midnight") or (day and is_day(day))):
        return _shown(words, used + (clock in ("noon", "midnight")))
    if plain[:1] == ["in"] and any(parse_duration(" ".join(plain[1:end])) for end in (2, 3)):
        return _shown(words, 3)
    return ""


def _day_like(word: str, behind: str = "") -> bool:
    """`12/1` is one with a time behind it alone."""
    written = _WITH_CLOCK.fullmatch(word) or (_DATE.fullmatch(word) and _CLOCK.fullmatch(behind))
    return is_day(word) or word in _SHORT_DAYS or _near(word, DAY_NAMES) or bool(written)


def _counts(behind: str) -> bool:
    return behind in _COUNTED or (behind.isalpha() and len(behind) > 2 and behind.endswith("s"))


def _shown(words: Sequence[str], count: int) -> str:
    return " ".join(words[:count])


def _plain(words: Sequence[str], count: int) -> tuple[str, ...]:
    """So many words, digits of every script as ASCII, without what stands around them; empty ones where there are fewer."""
    found = [
        "".join(map(_ascii_digit, unicodedata.normalize("NFKC", word))).strip(_PUNCTUATION) for word in words[:count]
    ]
    return (*found, *[""] * (count - len(found)))


def _ascii_digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def _near(word: str, known: Sequence[str] | frozenset[str]) -> bool:
    """One slip away from a longer word, two from a long one."""
    if not word.isalpha() or len(word) < 4:
        return False
    most = 1 if len(word) < 6 else 2
    return any(len(each) > 3 and abs(len(each) - len(word)) <= most and _slips(word, each) <= most for each in known)


def _slips(one: str, other: str) -> int:
    """How many letters were left out, added, mistaken or exchanged."""
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, meant in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != meant))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == meant:
                best = min(best, older[j - 2] + 1)
            row.append(best)
    return row[-1]

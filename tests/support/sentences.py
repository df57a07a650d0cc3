"""Every sentence that the bot says, once, with where it is said and what had happened: `docs/sentences.md`.

`python -m tests.support.sentences` writes it anew. It is heard in the same walk as the golden files, so that what a new scene
says stands in it without anybody adding it. Sentences that differ only in who, when and which are one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from bot.chat.wording.refusals import refusal
from tests.support.golden import FOLDER
from tests.support.refusals_by_hand import ELSEWHERE
from tests.support.slack_text import blocks_as_text
from tests.support.spoken import NAMES
from workflows.core.refusal import Code, Refused

FILE = Path(__file__).parents[2] / "docs" / "sentences.md"
HEAD = """\
# Every sentence

What the bot says in chat, each sentence once, as it was heard in a walk through all that can become of a request. Behind each
stands what had happened when it was said first.

Names, times and numbers are examples: sentences that differ in nothing else stand here once. Made by
`python -m tests.support.sentences`; a test keeps it current.
"""

BY_HAND = "Refusals that only a race or a fault brings about"

# Where something is said, by how its message is called in the walk; the first that fits. What fits nothing fails.
_PLACES: tuple[tuple[str, str], ...] = (
    (r".* opens .*", "Forms"),
    (r"home( of .*| instead)", "Home"),
    (r"\S+ types .*", "Answers, to whoever typed or pressed"),
    (r"\S+ (receipts|lines:\d+):.*", "Receipts"),
    (r"(digest|summary|\S+ digest)\b.*", "Digest, and receipts that are summed up"),
    (r"(\S+ card:.*|board: .*|change-.*|card elsewhere|moved card|\S+ glass:.*|stray copy)", "Cards"),
    (r"(form sent, .*|cannot write)", "Answers, to whoever typed or pressed"),
    (
        r"\S+ (reminder|escalated|chase|unreached|nobody|alarm|failing|flagged|trouble|told|policy|unreadable):?.*",
        "Calls for help",
    ),
    (
        r"(unreached|troubles alarm.*|a fault|back in .*|place-.*|clock-.*|ledger-.*|audit-.*|erased-.*|"
        r"trouble-.*|unreadable.*|policy-.*)",
        "Calls for help",
    ),
    (r"drift-.*", "Access that the record does not know"),
    (r"certify-.*", "Certifications"),
    (r"(hold|target-user|lift|delegation|sweepout|leavers)-.*", "Accounts, delegations and the panic switch"),
    (r"\S+ (holder|outcome|warning|agreed|asked|behalf|news|several):?.*", "To whom it concerns, directly"),
)


class Heard(NamedTuple):
    place: str
    line: str
    situation: str


# Words of nobody's, which only show how they are drawn.
_MADE_UP = re.compile(r"board: (.*, unkind|too much)")


def heard() -> Iterator[Heard]:
    """Each line of each golden message of the scenes, in the order of their names and of what is said in them."""
    for file in sorted(FOLDER.glob("*.jsonl")):
        if file.stem in ("states", "forms"):
            continue
        for text in file.read_text(encoding="utf-8").splitlines():
            said = json.loads(text)
            if _MADE_UP.fullmatch(said["what"]):
                continue
            place = place_of(said["what"])
            for line in _lines(said):
                yield Heard(place, line, file.stem.replace("_", " "))
    for code, params in ELSEWHERE.items():
        if code not in _NEVER_SAID:
            for line in _BETWEEN.split(refusal(Refused(code, params))):
                yield Heard(BY_HAND, line, code.value.replace("_", " "))


# A worker looks, and answers, in place of the first; what is asked for already is shown in place of the second.
_NEVER_SAID = frozenset({Code.FACTS_STALE, Code.ALREADY_ASKED})


def place_of(what: str) -> str:
    for pattern, place in _PLACES:
        if re.fullmatch(pattern, what):
            return place
    raise ValueError(f"no place in the catalogue for {what!r}: add it to _PLACES")


def _lines(said: Mapping[str, object]) -> Iterator[str]:
    shown = blocks_as_text(said["blocks"]) if said["blocks"] else str(said["text"])  # type: ignore[arg-type]  # JSON of ours
    for line in shown.splitlines():
        yield from (part.strip() for part in _BETWEEN.split(line.strip()) if part.strip())


# Between sentences, and before the reason that is given for something: it is the same one wherever it is given.
_BETWEEN = re.compile(r" · |(?<=[a-z0-9`)][.!?]) (?=[A-Z`])|(?:(?<=\))|(?<= given)): (?=[A-Z])|^[⛔✅•❌] (?=[A-Z`])")


_NAMES = "|".join(sorted({name.split()[0] for name in NAMES}, key=len, reverse=True))
# What may differ in one and the same sentence, and what stands for it; in this order.
_SAME = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"\(o\)", "( )"),
        (r"@?[A-Z0-9]*\b[\w.+-]+@example\.com", "WHO"),
        (r"@U[A-Z0-9]+|@?\b(" + _NAMES + r")\b( \w+\b(?<=Dev|wne))?", "WHO"),
        (r"WHO(?:(?:, | and | or )WHO)+", "WHO"),
        (r"\b(PA-\d+|H-~|slack:T1:\w+)", "ID"),
        (r"(\w{3} )?(\d+ \w{3}( \d{4})?,? )?\d\d:\d\d(:\d\d)?( \(?UTC\)?)?", "TIME"),
        (r"\d+ (days?|h|min|s)\b( \d+ min)?", "LONG"),
        (r"\( \) LONG(  ?\( \) LONG)*", "( ) LONG"),
        (r"#\d+ ~", "ENTRY"),
        (r"\d+", "N"),
        (r"\b(read-only|admin|quick|office|role-N)\b", "ROLE"),
        (r"ROLE(,? (and |or |\( \) )?ROLE)+", "ROLE"),
        (r"\b(payments-prod|books-prod|Payments|Books)\b", "PLACE"),
        (r"🔴 production|🟡 staging|🟢 development|\(production\)", "TIER"),
        (r"@?\b(platform|security|team|oncall|owners)\b", "GROUP"),
        (
            r"([Oo]ne of |members of )?GROUP( or GROUP)*( \(WHO\))?( and (one of )?GROUP( or GROUP)*( \(WHO\))?)*",
            "RULE",
        ),
        (r"INC-N( (checkout )?errors)+|INC-N goes on|laptop stolen|all is down|not now", "WHY"),
    )
)


def same(line: str) -> str:
    """What is left of a line without who, when and which: lines alike in it are one sentence."""
    for pattern, word in _SAME:
        line = pattern.sub(word, line)
    return line


_WORD = re.compile(r"\b(?!(?:in|of|for|at)\b)[a-z]{2,}|\[ ", re.IGNORECASE)
_DATA = re.compile(r"\b(RULE|WHO|ID|TIME|LONG|ENTRY|N|ROLE|PLACE|TIER|GROUP|WHY)\b")


def catalogue() -> str:
    """The page. A sentence stands in the first place in which it is said."""
    found: dict[str, dict[str, tuple[str, list[str]]]] = {
        place: {} for place in (*(place for _, place in _PLACES), BY_HAND)
    }
    where: dict[str, str] = {}
    for place, line, situation in heard():
        key = same(line)
        if not _WORD.search(_DATA.sub("", key)):
            continue
        _, situations = found[where.setdefault(key, place)].setdefault(key, (line, []))
        if situation not in situations:
            situations.append(situation)
    return "\n".join([HEAD, *(_section(place, said) for place, said in found.items() if said)])


def _section(place: str, sentences: Mapping[str, tuple[str, list[str]]]) -> str:
    lines = (f"- {line} — *{_situations(said)}*" for line, said in sentences.values())
    return "\n".join([f"## {place}", "", *lines, ""])


def _situations(said: list[str]) -> str:
    return said[0] if len(said) == 1 else f"{said[0]}, and {len(said) - 1} more"


if __name__ == "__main__":
    FILE.write_text(catalogue(), encoding="utf-8")

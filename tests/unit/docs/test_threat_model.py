"""The threat model names tests that are there, and says so where nothing stands against a threat."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and "tests that die without it" not in line
]
THREATS = [row for row in ROWS if len(row) == 3 and (NAMED.search(row[2]) or not row[2])]


@cache
def names_in(path: str) -> frozenset[str]:
    file = ROOT / path
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return frozenset(re.findall(r"^\s*def (test_\w+)", text, re.MULTILINE))


def test_each_test_that_it_names_is_there() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 40
    assert [f"{path}::{name}" for path, name in named if name not in names_in(path)] == []


def test_each_threat_has_a_test_or_says_that_nothing_stands_against_it() -> None:
    assert len(THREATS) > 30
    bare = [threat for threat, against, tests in THREATS if not NAMED.search(tests) and "**nothing**" not in against]
    assert bare == []


def test_all_of_stride_is_there() -> None:
    heads = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    for word in ("Spoofing", "Tampering", "Repudiation", "Information disclosure", "Denial of service", "Elevation"):
        assert any(head.startswith(word) for head in heads), word

"""The page of controls names commands, files and tests that are there, and says where something is not covered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from bot.__main__ import app
from bot.cli.audit.bundle import certifications, entries, making, requests, standing
from bot.cli.audit.bundle.folder import About
from tests.unit.docs.test_threat_model import NAMED, names_in

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "controls.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| ---", "| control "))
]
FILES = {
    found.name
    for module in (certifications, entries, making, requests, standing)
    for found in vars(module).values()
    if isinstance(found, About)
}


def test_each_test_that_it_names_is_there() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 25
    assert [f"{path}::{name}" for path, name in named if name not in names_in(path)] == []


def test_each_command_that_it_names_is_there() -> None:
    named = {tuple(words.split()[1:]) for words in re.findall(r"`(prodaccess [a-z -]+?)(?:`| PA-| --)", PAGE)}
    assert len(named) > 8
    commands = typer.main.get_command(app)
    for path in named:
        found = commands
        for word in path:
            assert word in getattr(found, "commands", {}), f"prodaccess {' '.join(path)}"
            found = found.commands[word]  # type: ignore[attr-defined]  # just looked at


def test_each_file_that_it_names_is_in_a_bundle() -> None:
    named = set(re.findall(r"`([a-z-]+\.(?:csv|html|jsonl|pem))`", PAGE))
    assert len(named) > 10
    assert named <= FILES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:30])
def test_each_control_has_a_test_or_says_that_it_is_not_covered(row: list[str]) -> None:
    _, done, shown, test = row
    assert ("**not covered**" in done) != bool(NAMED.search(test)), row
    assert shown or "**not covered**" in done or row[0].startswith("CC6.6")


def test_what_auditors_ask_for_first_is_there() -> None:
    told = " ".join(row[0] for row in ROWS)
    wanted = (
        "CC6.1",
        "CC6.2",
        "CC6.3",
        "CC7.2",
        "A.5.15",
        "A.5.18",
        "A.8.2 ",
        "A.8.15",
        "AC-2 ",
        "AC-5",
        "AC-6 ",
        "AU-9",
        "AU-10",
    )
    assert [control for control in wanted if control not in told] == []

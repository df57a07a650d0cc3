"""`drift` in the policy: what it may say, and what is refused because nobody could keep it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.policy_file.policy_folder import SHOP, WORKSPACE, write
from workflows.core.loosening import Kind, loosened
from workflows.core.policy import OnDrift, Policy
from workflows.policy_file import read_policy
from workflows.policy_file.difference import summary
from workflows.policy_file.looser_words import looser

ROLES = "roles:\n  read-only: {}\n  state-write: {}\n"
# Of a kind that is told ours by name, and nothing else.
OURS = (SHOP, ROLES, "drift: revoke\nroles:\n  state-write: {}\n")
GLASS = (SHOP, "roles: [read-only]", "roles: [state-write]")
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def policy(folder: Path, *edits: tuple[str, str, str]) -> Policy:
    reading = read_policy(write(folder, *edits))
    assert reading.policy is not None, reading.problems
    return reading.policy


def said(folder: Path, *edits: tuple[str, str, str]) -> list[str]:
    return [
        f"{one.file}:{one.line} {one.message}; {one.suggestion}" for one in read_policy(write(folder, *edits)).problems
    ]


def test_nobody_says_and_an_hour_and_alert_are_meant(tmp_path: Path) -> None:
    found = policy(tmp_path)
    assert (found.drift_every, found.environments["shop-prod"].drift) == (timedelta(hours=1), OnDrift.ALERT)
    assert not any("drift" in line for line in summary(found))


def test_revoke_is_taken_where_ours_is_told_by_name(tmp_path: Path) -> None:
    found = policy(tmp_path, OURS, GLASS, (WORKSPACE, "rules:", "drift: {every: 20m}\nrules:"))
    assert (found.drift_every, found.environments["shop-prod"].drift) == (timedelta(minutes=20), OnDrift.REVOKE)
    assert summary(found)["shop-prod: drift"] == "revoke"
    assert summary(found)["workspace: drift"] == "every 20 min"


def test_revoke_is_refused_in_one_sentence_where_nobody_could_tell_whose_it_is(tmp_path: Path) -> None:
    (found,) = said(tmp_path, (SHOP, ROLES, f"drift: revoke\n{ROLES}"))
    assert found == (
        f"{SHOP}:8 drift: revoke is not possible with the role read-only: with aws-identity-center nobody can tell access of "
        "ours from access that others gave; write drift: alert, or give the role in another environment"
    )


def test_revoke_wants_people_who_can_be_asked(tmp_path: Path) -> None:
    (found,) = said(tmp_path, OURS, GLASS, (WORKSPACE, "panic_group: security\n", ""))
    assert "drift: revoke needs a panic_group" in found


@pytest.mark.parametrize("every", ["9m", "25h", "0s", "often"])
def test_how_often_has_limits(tmp_path: Path, every: str) -> None:
    assert said(tmp_path, (WORKSPACE, "rules:", f"drift: {{every: {every}}}\nrules:"))


def test_looking_less_often_or_no_longer_taking_away_is_looser(tmp_path: Path) -> None:
    strict = policy(tmp_path, OURS, GLASS)
    place = replace(strict.environments["shop-prod"], drift=OnDrift.ALERT)
    loose = replace(strict, environments={place.name: place}, drift_every=timedelta(hours=2))
    found = loosened(strict, loose, NOW)
    assert {one.kind for one in found} == {Kind.DRIFT}
    assert looser(found) == ("everywhere: drift: every 1 h -> 2 h", "shop-prod: drift: revoke -> alert")
    assert loosened(loose, strict, NOW) == ()

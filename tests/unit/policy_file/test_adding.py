"""A rule is written into the files exactly, or not at all; a suggestion is a change that git applies and check accepts."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from tests.unit.policy_file.policy_folder import SHOP, write
from workflows.core.policy import AutoApproval, Hours, Policy
from workflows.core.suggestions.model import CouldApprove, CouldGo, Crowd, Found, Numbers
from workflows.policy_file import read_policy
from workflows.policy_file.adding import duration_text, rule_text, with_rule
from workflows.policy_file.folder import read_folder
from workflows.policy_file.proposing import line_to_fill_in, proposed
from workflows.policy_file.taking_out import diff_of

PLACE = "environments/x-prod.yaml"
HOUR = timedelta(hours=1)
RULE = AutoApproval("r", ("devs",), max_duration=HOUR)
TEXT = "{name: r, who: [devs], max_duration: 1h}"
NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)


def roles(text: str) -> dict[str, str]:
    return {PLACE: f"environment: x-prod\n{text}"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("roles:\n  read: {}\n  admin: {}\n", f"roles:\n  read:\n    auto_approve:\n      - {TEXT}\n  admin: {{}}\n"),
        ("roles:\n  read: {}   # logs\n", f"roles:\n  read:   # logs\n    auto_approve:\n      - {TEXT}\n"),
        ("roles:\n  read:\n  admin: {}\n", f"roles:\n  read:\n    auto_approve:\n      - {TEXT}\n  admin: {{}}\n"),
        ("roles:\n  read:", f"roles:\n  read:\n    auto_approve:\n      - {TEXT}"),
        (
            "roles:\n  read:  # logs\n    # short\n    durations: [20s]\nfreezes: []\n",
            f"roles:\n  read:  # logs\n    auto_approve:\n      - {TEXT}\n    # short\n    durations: [20s]\nfreezes: []\n",
        ),
        (
            "roles:\n  read: {durations: [20s]}  # c\n",
            f"roles:\n  read: {{durations: [20s], auto_approve: [{TEXT}]}}  # c\n",
        ),
        ("roles: {read: {}, admin: {}}\n", f"roles: {{read: {{auto_approve: [{TEXT}]}}, admin: {{}}}}\n"),
        (
            "roles:\n  read:\n    auto_approve:\n      - {name: a, who: [b]}  # c\n    # d\n    hours: 1\n",
            f"roles:\n  read:\n    auto_approve:\n      - {{name: a, who: [b]}}  # c\n      - {TEXT}\n    # d\n    hours: 1\n",
        ),
        (
            "roles:\n  read:\n    auto_approve:\n    - name: a\n      who: [b]\n",
            f"roles:\n  read:\n    auto_approve:\n    - name: a\n      who: [b]\n    - {TEXT}\n",
        ),
        (
            "roles:\n  read: {auto_approve: [{name: a, who: [b]}]}\n",
            f"roles:\n  read: {{auto_approve: [{{name: a, who: [b]}}, {TEXT}]}}\n",
        ),
        ("roles:\r\n  read: {}\r\n", f"roles:\r\n  read:\r\n    auto_approve:\r\n      - {TEXT}\r\n"),
    ],
)
def test_a_rule_comes_and_all_else_stays_to_the_letter(before: str, after: str) -> None:
    assert with_rule(roles(before), "x-prod", "read", RULE) == roles(after)


@pytest.mark.parametrize(
    "text",
    [
        "roles:\n  admin: {}\n",
        "roles: [read]\n",
        "roles:\n  read: 7\n",
        "roles: {read, admin: {}}\n",
        "roles: {read: , admin: {}}\n",
        "roles:\n  read: {auto_approve: []}\n",
        "roles:\n  read: {auto_approve: 7}\n",
        "roles:\n  read: &a {}\n  admin: *a\n",
        "roles:\n  ? read\n  : {}\n",
        "roles:\n  read: |\n    text\n",
        "{{\n",
    ],
)
def test_what_cannot_be_written_exactly_is_not_written(text: str) -> None:
    assert with_rule(roles(text), "x-prod", "read", RULE) is None
    assert with_rule(roles("roles:\n  read: {}\n"), "y-prod", "read", RULE) is None


def test_what_yaml_reads_as_something_else_is_quoted() -> None:
    rule = AutoApproval("20: [yes] 'a' \"b\" #", ("on", "1e3", "devs"), True, timedelta(seconds=5_430))
    rule = replace(rule, hours=Hours(frozenset({0, 1, 2, 4, 6}), time(8), time(17, 30)), max_uses_per_day=3)
    assert rule_text(rule) == (
        '{name: "20: [yes] \'a\' \\"b\\" #", who: ["on", "1e3", devs], in_incident_channel: true, max_duration: 1h30m30s, '
        'max_uses_per_day: 3, hours: {days: [mon-wed, fri, sun], from: "08:00", until: "17:30"}}'
    )
    assert (duration_text(timedelta(days=1)), duration_text(timedelta(seconds=20))) == ("1d", "20s")


# ---------------------------------------------------------------- the whole change

NUMBERS = Numbers(24, 2, 20, 3, 9, 24, HOUR, HOUR, NOW, NOW)
READ = CouldApprove(
    "shop-prod",
    "read-only",
    (Crowd("oncall", 2, 2),),
    HOUR,
    2,
    Hours(frozenset({0, 1}), time(8), time(0)),
    in_incident_channel=False,
    numbers=NUMBERS,
)
WRITE = CouldGo("shop-prod", "state-write", 90)


def read(folder: Path) -> Policy:
    found_ = read_policy(folder).policy
    assert found_ is not None
    return found_


def found(*rules: CouldApprove, gone: tuple[CouldGo, ...] = ()) -> Found:
    return Found(NOW - timedelta(days=90), NOW, rules, gone)


def test_the_change_is_applied_by_git_and_accepted_by_check(tmp_path: Path) -> None:
    folder = write(tmp_path / "config", (SHOP, "  read-only: {}", "  read-only: {}  # logs"))
    change = proposed(dict(read_folder(folder).files), found(READ, gone=(WRITE,)), NOW)
    assert change.made == [READ, WRITE]
    assert change.by_hand == []
    (tmp_path / "change.diff").write_text("A sentence.\n\n" + "\n".join(change.diff) + "\n")
    subprocess.run(["git", "apply", str(tmp_path / "change.diff")], cwd=folder, check=True)
    assert "  read-only:  # logs\n    auto_approve:\n      - {name: " in (folder / SHOP).read_text()
    answer = CliRunner().invoke(app, ["check", str(folder)])
    assert answer.exit_code == 0, answer.output
    (rule,) = read(folder).environments["shop-prod"].roles["read-only"].auto_approve
    assert (rule.name, rule.who, rule.max_duration) == ("24 of 24 approved until 2026-11-27", ("oncall",), HOUR)
    assert rule.hours == READ.hours
    assert [line for line in change.looser if "approves by itself" in line]
    assert "role shop-prod state-write removed" in change.changes


def test_roles_of_which_one_has_to_stay_do_not_all_go(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        (SHOP, "break_glass: {who: [oncall], roles: [read-only], max_duration: 30m, review_within: 24h}\n", ""),
    )
    change = proposed(dict(read_folder(folder).files), found(gone=(CouldGo("shop-prod", "read-only", 90), WRITE)), NOW)
    assert [one.role for one in change.made] == ["read-only"]
    assert [one.role for one, _ in change.by_hand] == ["state-write"]
    assert "the only role there" in change.by_hand[0][1]


def test_what_would_leave_no_valid_policy_is_a_sentence(tmp_path: Path) -> None:
    gone = CouldGo("shop-prod", "read-only", 90)
    change = proposed(dict(read_folder(write(tmp_path)).files), found(gone=(gone,)), NOW)
    assert (change.made, change.diff, change.asks) == ([], (), None)
    assert "would not be valid then" in change.by_hand[0][1]


def test_rules_of_the_environment_would_be_gone_so_it_is_done_by_hand(tmp_path: Path) -> None:
    folder = write(tmp_path, (SHOP, "roles:\n", "auto_approve:\n  - {name: e, who: [oncall]}\nroles:\n"))
    change = proposed(dict(read_folder(folder).files), found(READ), NOW)
    assert change.made == []
    assert "more would change than this" in change.by_hand[0][1]


def test_files_that_are_no_policy_are_changed_by_nobody() -> None:
    change = proposed({SHOP: "7"}, found(READ, gone=(WRITE,)), NOW)
    assert (len(change.by_hand), change.diff) == (2, ())


def test_who_must_agree_is_what_the_policy_in_force_says(tmp_path: Path) -> None:
    edit = (
        "prodaccess.yaml",
        "panic_group: security\n",
        "panic_group: security\npolicy_changes: {approve: {security: 1}}\n",
    )
    files = dict(read_folder(write(tmp_path, edit)).files)
    assert proposed(files, found(READ), NOW).asks == {"security": 1}
    assert proposed(files, found(gone=(WRITE,)), NOW).asks is None


def test_a_second_owner_has_a_line_and_nobody_is_guessed(tmp_path: Path) -> None:
    files = dict(read_folder(write(tmp_path)).files)
    assert line_to_fill_in(files, ("platform",)) == (
        "prodaccess.yaml:9",
        "platform: {members: [olu@example.com, pat@example.com]}",
    )
    assert line_to_fill_in(files, ("devs",)) == ("", "")


# ---------------------------------------------------------------- diffs that git takes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: 1\nb: 2", "a: 1\nb: 3"),
        ("a: 1\nb: 2\n", "a: 1\nb: 2"),
        ("a: 1", "a: 1\nb: 2\n"),
        ("a: 1\r\nb: 2\r\n", "a: 1\r\nb: 3\r\n"),
        ("a: x\x0cy\nb: 2\nc: \u2028\n", "a: x\x0cy\nb: 3\nc: \u2028\n"),
    ],
    ids=repr,
)
def test_a_diff_is_applied_whatever_ends_the_lines(tmp_path: Path, before: str, after: str) -> None:
    (tmp_path / "x.yaml").write_bytes(before.encode())
    lines = "\n".join(diff_of({"x.yaml": before}, {"x.yaml": after})) + "\n"
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, check=True, input=lines.encode())
    assert (tmp_path / "x.yaml").read_bytes() == after.encode()

"""A role or a member is cut out of the policy's files exactly, or not at all."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.unit.policy_file.policy_folder import SHOP, WORKSPACE, write
from workflows.policy_file import read_policy
from workflows.policy_file.folder import read_folder
from workflows.policy_file.taking_out import diff_of, problems_of, without_member, without_role

PLACE = "environments/x.yaml"


def roles(text: str) -> dict[str, str]:
    return {PLACE: f"environment: x-prod\n{text}"}


def groups(text: str) -> dict[str, str]:
    return {WORKSPACE: f"version: 1\n{text}"}


def dana(address: str) -> bool:
    return address == "dana@example.com"


# ---------------------------------------------------------------- roles


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("roles:\n  read: {}\n  admin: {}\n", "roles:\n  read: {}\n"),
        ("roles:\n  admin: {}  # for emergencies\n  read: {}\n", "roles:\n  read: {}\n"),
        ("roles:\n  admin:\n    hours:\n      days: [mon]\n  # reads\n  read: {}\n", "roles:\n  # reads\n  read: {}\n"),
        ("roles:\n  read: {}\n  admin:\n    max_duration: 1h\nfreezes: []\n", "roles:\n  read: {}\nfreezes: []\n"),
        ("roles: {read: {}, admin: {hours: {days: [mon]}}}\n", "roles: {read: {}}\n"),
        ("roles: {admin: {}, read: {}}\n", "roles: {read: {}}\n"),
        ('roles:\n  "admin": {}\n  read:\n', "roles:\n  read:\n"),
        ("roles:\n  read: {}\n  admin: {}", "roles:\n  read: {}\n"),
    ],
)
def test_a_role_goes_and_all_else_stays_to_the_letter(before: str, after: str) -> None:
    found = without_role(roles(before), "x-prod", "admin")
    assert found == roles(after)


@pytest.mark.parametrize(
    "text",
    [
        "roles:\n  admin: {}\n",  # the last one
        "roles:\n  read: {}\n",  # not there
        "roles: [admin, read]\n",
        "roles:\n  read: &r {}\n  admin: &a {}\nmore: *a\n",  # something else stands on it
        "roles:\n  read: {}\n  ? admin\n  : {}\n",  # spelt as hardly anybody does
        "roles: 7\n",
        "{{\n",
    ],
)
def test_what_cannot_be_cut_exactly_is_not_cut(text: str) -> None:
    assert without_role(roles(text), "x-prod", "admin") is None


def test_another_environment_is_left_alone() -> None:
    files = roles("roles:\n  read: {}\n  admin: {}\n")
    assert without_role(files, "y-prod", "admin") is None


# ---------------------------------------------------------------- members


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "groups:\n  devs: {members: [dana@example.com, nia@example.com]}\n",
            "groups:\n  devs: {members: [nia@example.com]}\n",
        ),
        (
            "groups:\n  devs: {members: [nia@example.com, dana@example.com]}\n",
            "groups:\n  devs: {members: [nia@example.com]}\n",
        ),
        (
            "groups:\n  devs:\n    members:\n      - nia@example.com  # team lead\n      - dana@example.com\n",
            "groups:\n  devs:\n    members:\n      - nia@example.com  # team lead\n",
        ),
        (
            "groups:\n  devs:\n    members: [dana@example.com, nia@example.com, dana@example.com]\n",
            "groups:\n  devs:\n    members: [nia@example.com]\n",
        ),
    ],
)
def test_a_member_goes_and_all_else_stays_to_the_letter(before: str, after: str) -> None:
    assert without_member(groups(before), "devs", dana) == groups(after)


@pytest.mark.parametrize(
    "text",
    [
        "groups:\n  devs: {members: [dana@example.com]}\n",
        "groups:\n  devs: {members: [nia@example.com]}\n",
        "groups:\n  devs: {slack_usergroup: S0DEVS}\n",
        "groups:\n  others: {members: [dana@example.com, nia@example.com]}\n",
        "groups: [devs]\n",
        "",
    ],
)
def test_nobody_goes_where_that_would_leave_nobody_or_is_not_there(text: str) -> None:
    assert without_member(groups(text), "devs", dana) is None


def test_a_name_that_is_a_word_of_yaml_does_not_hide_another_one() -> None:
    """`on` and `no` are read as yes and no; what is taken out is told by what is read, so nothing is."""
    files = roles("roles:\n  read: {}\n  no: {}\n")
    assert without_role(files, "x-prod", "no") is None


# ---------------------------------------------------------------- a real folder


def test_the_diff_is_one_that_git_applies(tmp_path: Path) -> None:
    folder = write(tmp_path)
    before = dict(read_folder(folder).files)
    role = list(yaml.safe_load(before[SHOP])["roles"])[-1]
    after = without_role(before, "shop-prod", role)
    assert after is not None
    (tmp_path / "change.diff").write_text("\n".join(diff_of(before, after)) + "\n")
    subprocess.run(["git", "apply", str(tmp_path / "change.diff")], cwd=folder, check=True)
    assert (folder / SHOP).read_text() == after[SHOP]


def test_what_still_names_what_is_gone_is_said(tmp_path: Path) -> None:
    before = dict(read_folder(write(tmp_path)).files)
    assert problems_of(before) == ()
    after = without_role(before, "shop-prod", "read-only")
    assert after is not None
    found = problems_of(after)
    assert found
    assert "read-only" in found[0]
    assert read_policy(tmp_path).policy is not None

"""`policy_changes`: whose agreement a change waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.policy_file.policy_folder import FILES, WORKSPACE, write
from workflows.policy_file import read_policy
from workflows.policy_file.folder import hash_of, read_folder

AFTER = "panic_group: security"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{approve: {securty: 1}}", "no group 'securty'; did you mean 'security'?"),
        ("{approve: {owners: 1}}", "'owners' cannot stand here"),
        ("{approve: {security: 3}}", "a change would wait for 3 of security, which has 2 people"),
        ("{approve: {security: 0}}", "security: must be at least 1"),
        ("{approve: {}}", "approve"),
        ("{}", "approve"),
        ("{approve: {security: 1}, deny: 1}", "no key 'deny' here"),
    ],
)
def test_what_makes_no_sense_is_said_with_its_line(tmp_path: Path, value: str, said: str) -> None:
    folder = write(tmp_path, (WORKSPACE, AFTER, f"{AFTER}\npolicy_changes: {value}"))
    reading = read_policy(folder)
    assert reading.policy is None
    assert any(said in f"{problem.message}; {problem.suggestion}" for problem in reading.problems), reading.problems
    assert all(problem.line for problem in reading.problems)


def test_people_who_are_in_both_groups_count_once(tmp_path: Path) -> None:
    same = (WORKSPACE, "[olu@example.com, pat@example.com]", "[sid@example.com, sue@example.com]")
    asks = (WORKSPACE, AFTER, f"{AFTER}\npolicy_changes: {{approve: {{security: 2, platform: 1}}}}")
    (problem,) = read_policy(write(tmp_path, same, asks)).problems
    assert problem.message == "a change would wait for 3 people, and these groups have 2 in all"


def test_a_group_that_anybody_can_join_agrees_to_nothing(tmp_path: Path) -> None:
    free = (WORKSPACE, "slack_usergroup: S0ONCALL, trusted: true", "slack_usergroup: S0ONCALL")
    asks = (WORKSPACE, AFTER, f"{AFTER}\npolicy_changes: {{approve: {{oncall: 1}}}}")
    found = [problem.message for problem in read_policy(write(tmp_path, free, asks)).problems]
    assert any("'oncall' may agree to changes of the policy, but" in message for message in found)


def test_the_hash_of_files_is_the_one_of_their_folder(tmp_path: Path) -> None:
    folder = write(tmp_path)
    assert hash_of(FILES) == hash_of(dict(reversed(FILES.items()))) == read_folder(folder).hash

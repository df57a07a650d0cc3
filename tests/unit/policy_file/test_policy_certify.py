"""`certify` in the policy: what it may say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.policy_file.policy_folder import WORKSPACE, policy, problems
from workflows.core.policy import CertifyPlan
from workflows.policy_file.difference import difference, summary

DAY = timedelta(days=1)


def certify(text: str) -> tuple[str, str, str]:
    return (WORKSPACE, "panic_group: security\n", f"panic_group: security\ncertify: {text}\n")


def test_owners_have_fourteen_days_unless_said(tmp_path: Path) -> None:
    assert policy(tmp_path, certify("{every: 90d}")).certify == CertifyPlan(90 * DAY, 14 * DAY)
    assert policy(tmp_path, certify("{every: 30d, due: 7d}")).certify == CertifyPlan(30 * DAY, 7 * DAY)
    assert policy(tmp_path).certify is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{every: 6d, due: 2d}", "owners are asked every 7 days at most; write every: 90d"),
        ("{every: 14d}", "the time to answer is 90 days at most, and over before the next one begins; write due: 14d"),
        ("{every: 200d, due: 91d}", "the time to answer is 90 days at most, and over before the next one begins"),
        ("{due: 14d}", "every"),
        ("90d", "certify"),
    ],
)
def test_what_nobody_could_keep_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (said,) = problems(tmp_path, certify(text))
    assert sentence in said


def test_a_change_of_it_is_told(tmp_path: Path) -> None:
    before, after = policy(tmp_path / "a"), policy(tmp_path / "b", certify("{every: 90d}"))
    assert difference(before, after) == ("workspace: certify nothing -> every 90 d, due in 14 d",)
    assert "workspace: certify" not in summary(before)

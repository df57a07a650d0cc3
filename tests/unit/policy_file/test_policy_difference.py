"""What changed between two policies, as the receipt of an activation says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.policy_file.policy_folder import SHOP, WORKSPACE, policy
from workflows.policy_file import difference, summary

STAGING = """\
environment: shop-staging
tier: staging
account: "444455556666"
owners: [devs]
requesters: [devs]
roles: {read-only: {}}
"""
CASES = [
    ("limit", (SHOP, "  read-only: {}", "  read-only: {max_duration: 1h}"), ("shop-prod read-only: max_duration 2 h -> 1 h",)),
    ("group", (WORKSPACE, "pat@example.com]", "zoe@example.com]"), ("group platform: +zoe@example.com, -pat@example.com",)),
    ("owners", (SHOP, "owners: [platform]", "owners: [platform, security]"), ("shop-prod: owners +security",)),
    ("environment", ("environments/shop-staging.yaml", "", STAGING), ("environment shop-staging added",)),
    ("role", (SHOP, "  state-write: {}\n", ""), ("role shop-prod state-write removed",)),
    ("glass", (SHOP, ", review_within: 24h", ""), ("shop-prod: break_glass review_within 1 d -> nothing",)),
    (
        "report",
        (WORKSPACE, "environments: [shop-prod]", "environments: [shop-prod], report: 30d"),
        (
            "workspace: digest 1 0 9 * * 1-5 to C0RECEIPTS of shop-prod -> "
            "0 9 * * 1-5 to C0RECEIPTS of shop-prod reporting on 30 d",
        ),
    ),
    (
        "webhook",
        (
            WORKSPACE,
            "digests:",
            "webhooks: [{name: ops, url: {env: OPS_HOOK}, environments: [shop-prod], kinds: [digests]}]\ndigests:",
        ),
        ("workspace: webhook ops nothing -> digests of shop-prod, to the address in OPS_HOOK",),
    ),
    (
        "match",
        (WORKSPACE, "region: eu-central-1}", "region: eu-central-1, match: [email, user_name]}"),
        ("workspace: connection main aws eu-central-1 aws -> aws eu-central-1 aws match email, user_name",),
    ),
    (
        "end_sessions",
        (SHOP, "state-write: {}", "state-write: {end_sessions: true}"),
        ("shop-prod state-write: end_sessions nothing -> yes",),
    ),
    (
        "outlives",
        (SHOP, "state-write: {}", "state-write: {outlives: rotated}"),
        ("shop-prod state-write: outlives nothing -> rotated",),
    ),
    ("comment", (SHOP, "title: Shop", "title: Shop # x"), ()),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "lines"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_change_is_one_readable_line(tmp_path: Path, edit: tuple[str, str, str], lines: tuple[str, ...]) -> None:
    before, after = policy(tmp_path / "a"), policy(tmp_path / "b", edit)
    assert difference(before, after) == lines
    assert difference(summary(before), after) == lines


def test_a_changed_template_is_seen(tmp_path: Path) -> None:
    before, after = (
        policy(tmp_path / "a"),
        policy(tmp_path / "b", ("policies/state.json", "s3:GetObject", "s3:PutObject")),
    )
    (line,) = difference(before, after)
    assert line.startswith("shop-prod state-write: target aws-iam-policy user {local_part} policies/state.json (")


def test_the_first_policy_is_all_new(tmp_path: Path) -> None:
    lines = difference({}, policy(tmp_path))
    assert "environment shop-prod added" in lines
    assert "group platform added" in lines


def test_the_same_policy_has_no_difference(tmp_path: Path) -> None:
    assert difference(policy(tmp_path / "a"), policy(tmp_path / "b")) == ()

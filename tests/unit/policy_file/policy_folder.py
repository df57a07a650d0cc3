"""A small valid policy folder for the tests, with edits."""

from __future__ import annotations

from pathlib import Path

from workflows.core.policy import Policy
from workflows.policy_file import read_policy

FILES = {
    "prodaccess.yaml": """\
version: 1
timezone: Europe/Berlin
email_domains: [example.com]
connections:
  main: {kind: aws, region: eu-central-1}
receipts_channel: C0RECEIPTS
request_expires_after: 1h
groups:
  platform: {members: [olu@example.com, pat@example.com]}
  security: {members: [sid@example.com, sue@example.com]}
  devs: {identity_center_group: developers}
  oncall: {slack_usergroup: S0ONCALL, trusted: true}
panic_group: security
rules:
  production:
    read: {approve: {owners: 1}, durations: [30m, 1h], max_duration: 2h}
    any: {approve: {owners: 1, security: 1}, durations: [30m, 1h], max_duration: 1h, ticket: 'INC-[0-9]+'}
  staging:
    any: {approve: {owners: 1}, durations: [1h], max_duration: 8h}
digests:
  - {channel: C0RECEIPTS, schedule: "0 9 * * 1-5", environments: [shop-prod]}
""",
    "roles.yaml": """\
roles:
  read-only:
    risk: read
    allows: Read logs
    target: {kind: aws-identity-center, permission_set: ReadOnlyAccess}
  state-write:
    risk: change
    allows: Write state
    target: {kind: aws-iam-policy, user: "{local_part}", policy: policies/state.json}
""",
    "environments/shop-prod.yaml": """\
environment: shop-prod
title: Shop
tier: production
account: "111122223333"
owners: [platform]
requesters: [devs, oncall]
approvals_channel: C0SHOP
roles:
  read-only: {}
  state-write: {}
break_glass: {who: [oncall], roles: [read-only], max_duration: 30m, review_within: 24h}
""",
    "policies/state.json": """\
{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:{partition}:s3:::state/*"}
]}
""",
}
SHOP = "environments/shop-prod.yaml"
WORKSPACE = "prodaccess.yaml"


def write(folder: Path, *edits: tuple[str, str, str]) -> Path:
    """The folder with edits (file, old, new); a file that is no part of it is added as `new`."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name, old, new in edits:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text() if path.exists() else ""
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1))
    return folder


def problems(folder: Path, *edits: tuple[str, str, str]) -> list[str]:
    return [str(problem) for problem in read_policy(write(folder, *edits)).problems]


def warnings(folder: Path, *edits: tuple[str, str, str]) -> list[str]:
    reading = read_policy(write(folder, *edits))
    assert reading.problems == ()
    return [str(warning) for warning in reading.warnings]


def policy(folder: Path, *edits: tuple[str, str, str]) -> Policy:
    reading = read_policy(write(folder, *edits))
    assert reading.policy is not None, "\n".join(map(str, reading.problems))
    return reading.policy

"""Answers as plain data, for tests to change."""

from __future__ import annotations

import copy
import json
from typing import Any

import yaml

SET = {"kind": "aws-identity-center", "permission_set": "ReadOnlyAccess"}
ADMIN_SET = {"kind": "aws-identity-center", "permission_set": "AdministratorAccess"}
GROUP = {"kind": "aws-identity-center-group", "group": "sales readers"}
IAM_GROUP = {"kind": "aws-iam-group", "user": "{local_part}", "group": "{environment}-deployers"}
POLICY = {"kind": "aws-iam-policy", "user": "{local_part}", "policy": "policies/logs.json"}
TEMPLATE = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:Get*", "Resource": "*"}]}'

# What somebody could type to mean something else than words.
HOSTILE = (
    "a: b",
    "# not a comment",
    "x # y",
    "{env: SECRET}",
    "[a, b]",
    "- item",
    "*alias &anchor !tag",
    "no",
    "null",
    "~",
    "1e3",
    "0x10",
    "12:30:45",
    "'",
    '"',
    "\\",
    "end\\",
    "line\nbreak: true",
    "\r\nowners: [eve]",
    "tab\there",
    "emoji 🔴 and ünïcödé",
    "nul \x00 del \x7f nel \x85 ls \u2028 bom \ufeff",
    "${HOME} $(id) `id` %s {0} {{",
    "---",
    "...",
    "<<: x",
    "@at `tick` |pipe >fold ?q",
    "   blanks   ",
    "long " * 99,
)

_DATA: dict[str, Any] = {
    "version": 1,
    "chats": ["slack"],
    "email_domains": ["example.com"],
    "receipts_channel": "C0RECEIPTS",
    "connections": {"main": {"kind": "aws", "region": "eu-central-1"}},
    "groups": {
        "platform": {"members": ["olu@example.com", "pat@example.com"]},
        "security": {"members": ["sid@example.com", "sue@example.com"]},
        "developers": {"members": ["dana@example.com"]},
    },
    "security": "security",
    "roles": {
        "read-only": {"risk": "read", "allows": "Look", "target": SET},
        "admin": {"risk": "admin", "allows": "Change anything", "target": ADMIN_SET},
    },
    "environments": {
        "orders-prod": {
            "tier": "production",
            "account": "210987654321",
            "owners": ["platform"],
            "requesters": ["developers"],
        }
    },
}


def text(given: dict[str, Any]) -> str:
    """As a file. YAML's own aliases are nothing that answers may have, so what is the same twice is written twice."""
    return yaml.safe_dump(json.loads(json.dumps(given)), sort_keys=False, allow_unicode=True)


def data(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy({**_DATA, **changes})


def with_environment(**changes: Any) -> dict[str, Any]:
    found = data()
    found["environments"]["orders-prod"].update(changes)
    return found

"""The same documents as Terraform: policies, and what attaches them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from workflows.targets.aws.role_rights.documents import Document, Part
from workflows.targets.aws.role_rights.scope import Scope


def terraform(scope: Scope, documents: Iterable[Document]) -> str:
    """One file. The boundary is not attached: the role's own resource names it."""
    return "\n".join(block for each in documents for block in _BLOCKS[each.part](scope, each))


def _worker(scope: Scope, one: Document) -> list[str]:
    name = label(one.name)
    return [
        _managed(one, "What the worker may, from the policy in force."),
        f'resource "aws_iam_role_policy_attachment" "{name}" {{\n'
        f"  role       = {quoted(scope.role_name)}\n"
        f"  policy_arn = aws_iam_policy.{name}.arn\n"
        "}\n",
    ]


def _boundary(_: Scope, one: Document) -> list[str]:
    name = label(one.name)
    return [
        f"# On the worker's role: permissions_boundary = aws_iam_policy.{name}.arn\n"
        + _managed(one, "The most that the worker can ever do.")
    ]


def _guardrail(scope: Scope, one: Document) -> list[str]:
    name = label(one.name)
    return [
        control_policy(one.name, one.content, "Keeps the worker, its archive and its key as they are."),
        f'resource "aws_organizations_policy_attachment" "{name}" {{\n'
        f"  policy_id = aws_organizations_policy.{name}.id\n"
        f"  target_id = {quoted(scope.account)}\n"
        "}\n",
    ]


_BLOCKS = {Part.WORKER: _worker, Part.BOUNDARY: _boundary, Part.GUARDRAIL: _guardrail}


def _managed(one: Document, description: str) -> str:
    return (
        f'resource "aws_iam_policy" "{label(one.name)}" {{\n'
        f"  name        = {quoted(one.name)}\n"
        f"  description = {quoted(description)}\n"
        f"  policy      = {encoded(one.content)}\n"
        "}\n"
    )


def control_policy(name: str, content: Mapping[str, Any], description: str) -> str:
    return (
        f'resource "aws_organizations_policy" "{label(name)}" {{\n'
        f"  name        = {quoted(name)}\n"
        f"  description = {quoted(description)}\n"
        '  type        = "SERVICE_CONTROL_POLICY"\n'
        f"  content     = {encoded(content)}\n"
        "}\n"
    )


def label(name: str) -> str:
    """A name of Terraform's own for one of AWS's."""
    found = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return f"_{found}" if found[0].isdigit() else found


def encoded(content: Mapping[str, Any]) -> str:
    """JSON is HCL, but for what its strings would fill in. `jsonencode` leaves no blanks, which a control policy counts."""
    text = json.dumps(content, indent=2).replace("\n", "\n  ")
    return f"jsonencode({_plain(text)})"


def quoted(text: str) -> str:
    return _plain(json.dumps(text))


def _plain(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")


def bucket_policy(bucket: str, content: Mapping[str, Any]) -> str:
    return (
        f'resource "aws_s3_bucket_policy" "{label(bucket)}" {{\n'
        f"  bucket = {quoted(bucket)}\n"
        f"  policy = {encoded(content)}\n"
        "}\n"
    )

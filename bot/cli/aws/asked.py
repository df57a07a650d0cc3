"""What both commands read: the policy in force, and words that go into documents of AWS's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot.cli.program import PROBLEMS, USAGE, end, say

if TYPE_CHECKING:
    from workflows.core.policy import Policy

ROLE = re.compile(r"arn:(aws[a-z-]*):iam::[0-9]{12}:role/[\w+=,.@/-]+")
# Of a principal, perhaps with stars in the account or the name, never of everybody.
PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::(?:[0-9]{12}|\*):(?:role|user)/(?=.*[A-Za-z0-9])[\w+=,.@/*?-]+")
BUCKET = re.compile(r"(?:s3://)?([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[0-9A-Za-z._-]+)*)/?")
KEY = re.compile(r"(?:awskms:)?(arn:aws[a-z-]*:kms:[^:\s*?]+:[0-9]{12}:key/[A-Za-z0-9-]+)")
PATH = re.compile(r"|[\w+=,.@-]+(?:/[\w+=,.@-]+)*/")


def policy_of(folder: Path) -> Policy:
    """Ends the command where the folder has problems."""
    from workflows.policy_file import read_policy

    reading = read_policy(folder)
    if reading.policy is None:
        for problem in reading.problems:
            say(str(problem))
        raise typer.Exit(PROBLEMS)
    return reading.policy


def checked(option: str, value: str, shape: re.Pattern[str], example: str) -> re.Match[str]:
    """Ends the command with one sentence."""
    found = shape.fullmatch(value)
    if found is None:
        end(f"{option} is {value!r}: write it like {example}", USAGE)
    return found


def all_checked(option: str, values: Iterable[str], shape: re.Pattern[str], example: str) -> tuple[str, ...]:
    return tuple(checked(option, one, shape, example)[0] for one in values)

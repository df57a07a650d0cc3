"""Under which names chat tells of the seal."""

from __future__ import annotations

# Chat subjects: `audit-begun`, `audit-key-NUMBER`, `audit-missing-NUMBER`.
SUBJECT = "audit-"
BEGUN = f"{SUBJECT}begun"


def missing_from(number: int) -> str:
    return f"{SUBJECT}missing-{number}"


def key_changed_at(size: int) -> str:
    return f"{SUBJECT}key-{size}"

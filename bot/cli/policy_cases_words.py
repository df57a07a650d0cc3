"""Why a case came out as it did, in the words that people would read."""

from __future__ import annotations

from typing import Any

from bot.chat.wording.refusals import refusal
from workflows.core.durations import format_duration
from workflows.core.policy import Policy
from workflows.policy_file.cases import Result, Verdict
from workflows.policy_file.phrases import approve_words, auto_approval_words


def why(policy: Policy, got: Verdict) -> str:
    """One or two sentences."""
    if got.refused is not None:
        return refusal(got.refused, time_zone=policy.timezone)
    role = got.entitlement
    if role is None:
        return ""
    lasts = f" It lasts {format_duration(got.lasts)}." if got.lasts else ""
    rule = next((one for one in role.auto_approve if one.name == got.rule), None)
    if rule is not None:
        return f"The rule approves it: {auto_approval_words(rule)}.{lasts}"
    if not got.approvals:
        return f"The break-glass of {role.environment} allows it.{lasts}{_reviewed(got)}"
    people = " or ".join(got.approvers) or "nobody"
    used_up = f" Used up for today: {', '.join(got.used_up)}." if got.used_up else ""
    return f"{role.name} wants {approve_words(role)}; {people} could agree.{used_up}{lasts}"


def _reviewed(got: Verdict) -> str:
    return f" It is reviewed within {format_duration(got.review_within)}." if got.review_within else ""


def data(one: Result) -> dict[str, Any]:
    """One case for a program."""
    got = one.verdict
    return {
        "file": one.file,
        "line": one.line,
        "case": one.case.case,
        "passed": not one.wrong,
        "outcome": got.outcome,
        "code": got.refused.code.value if got.refused else None,
        "rule": got.rule,
        "approvals": dict(got.approvals),
        "approvers": list(got.approvers),
        "lasts_s": int(got.lasts.total_seconds()) if got.lasts else None,
        "wrong": [{"key": item.key, "expected": item.expected, "got": item.got} for item in one.wrong],
    }

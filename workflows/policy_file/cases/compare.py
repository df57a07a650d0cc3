"""What was expected against what would happen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from workflows.core.durations import format_duration
from workflows.core.identity import Address
from workflows.core.policy import Policy
from workflows.policy_file.cases.facts import folded
from workflows.policy_file.cases.judge import Verdict
from workflows.policy_file.cases.raw import ALLOWED, APPROVAL, REFUSED, RULE, Expected


@dataclass(frozen=True, slots=True)
class Mismatch:
    """`key`: of `expect`. The others are words for people."""

    key: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.key}: expected {self.expected}, got {self.got}"


def mismatches(policy: Policy, expected: Expected, got: Verdict) -> tuple[Mismatch, ...]:
    """All that differs; where the outcome does, that alone, because nothing else means much then."""
    if not _same_outcome(expected.outcome, got):
        return (Mismatch("outcome", _wanted(expected), outcome_words(got)),)
    found = (*_refusal(expected, got), *_people(policy, expected, got), *_limits(expected, got))
    return tuple(found)


def _same_outcome(expected: str, got: Verdict) -> bool:
    return expected == got.outcome or (expected == ALLOWED and got.outcome != REFUSED)


def _wanted(expected: Expected) -> str:
    more = expected.code or expected.rule or _counts(expected.approvals or {})
    return f"{expected.outcome} ({more})" if more else expected.outcome


def outcome_words(got: Verdict) -> str:
    """`refused (freeze)`."""
    more = {
        REFUSED: ", ".join(codes(got)),
        RULE: got.rule or "",
        APPROVAL: _counts(got.approvals),
    }.get(got.outcome, "")
    return f"{got.outcome} ({more})" if more else got.outcome


def codes(got: Verdict) -> tuple[str, ...]:
    """Every reason to refuse that was found, the first one first."""
    return tuple(one.code.value for one in (got.refused, *got.refused.also)) if got.refused else ()


def _refusal(expected: Expected, got: Verdict) -> Iterator[Mismatch]:
    if expected.code is not None and expected.code not in codes(got):
        yield Mismatch("code", expected.code, ", ".join(codes(got)))
    if expected.rule is not None and expected.rule != got.rule:
        yield Mismatch("rule", repr(expected.rule), repr(got.rule))


def _people(policy: Policy, expected: Expected, got: Verdict) -> Iterator[Mismatch]:
    if expected.approvals is not None and dict(expected.approvals) != dict(got.approvals):
        yield Mismatch("approvals", _counts(expected.approvals) or "none", _counts(got.approvals) or "none")
    there = frozenset(got.approvers)

    def of(people: tuple[str, ...] | None) -> frozenset[Address]:
        return frozenset(folded(policy, one) for one in people or ())

    if expected.approvers is not None and of(expected.approvers) != there:
        yield Mismatch("approvers", _names(of(expected.approvers)), _names(there))
    if missing := of(expected.among_approvers) - there:
        yield Mismatch("among_approvers", _names(missing), _names(there))
    if found := of(expected.no_approvers) & there:
        yield Mismatch("no_approvers", f"not {_names(found)}", _names(there))


def _limits(expected: Expected, got: Verdict) -> Iterator[Mismatch]:
    for key in ("lasts", "max_duration", "max_total", "review_within"):
        wanted, found = getattr(expected, key), getattr(got, key)
        if wanted is not None and wanted != found:
            yield Mismatch(key, _time(wanted), _time(found))


def _time(value: timedelta | None) -> str:
    return format_duration(value) if value is not None else "no limit"


def _counts(approvals: Mapping[str, int]) -> str:
    return ", ".join(f"{count} of {name}" for name, count in approvals.items())


def _names(people: frozenset[Address]) -> str:
    return ", ".join(sorted(people)) or "nobody"

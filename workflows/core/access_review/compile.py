"""From the record's rows to the access review. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

from workflows.core.access_review.model import Access, BreakGlassUse, Report, Sums, Unused, days_of
from workflows.core.access_review.rows import Opened, Row, RowOutcome, grouped, median_of
from workflows.core.access_review.suggestions import quick_approvers, suggestions
from workflows.core.policy import Entitlement, Policy
from workflows.core.records.oversight import Review, ReviewState

_DAY = timedelta(days=1)


def review(
    rows: Iterable[Row],
    policy: Policy,
    since: datetime,
    until: datetime,
    *,
    environments: Sequence[str] | None = None,
    refused: int = 0,
    opened: Iterable[Opened] = (),
) -> Report:
    """`rows`: what was asked for or held in the period, in any order. `environments`: only those; None: all. `opened`: gates that
    somebody opened in an emergency.
    """
    only = None if environments is None else frozenset(environments)
    found = sorted((row for row in rows if only is None or row.environment in only), key=lambda row: (row.at, row.id))
    asked = [row for row in found if row.at >= since]
    access = _access(found, since, until)
    unused = _unused(policy, found, access, only)
    return Report(
        since,
        until,
        None if environments is None else tuple(environments),
        _sums(asked, access, refused),
        access,
        tuple(sorted((*_break_glass(found, since, until), *_gates(opened, since, until, only)), key=_when)),
        unused,
        quick_approvers(asked),
        suggestions(policy, asked, access, unused, days_of(since, until)),
    )


# ---------------------------------------------------------------- who had what


def _sums(asked: Sequence[Row], access: Sequence[Access], refused: int) -> Sums:
    def count(outcome: RowOutcome) -> int:
        return sum(row.outcome is outcome for row in asked)

    return Sums(
        asked=len(asked),
        approved=count(RowOutcome.APPROVED),
        by_rule=count(RowOutcome.BY_RULE),
        break_glass=count(RowOutcome.BREAK_GLASS),
        denied=count(RowOutcome.DENIED),
        withdrawn=count(RowOutcome.WITHDRAWN),
        expired=count(RowOutcome.EXPIRED),
        impossible=count(RowOutcome.IMPOSSIBLE),
        waiting=count(RowOutcome.WAITING),
        refused=refused,
        people=len({item.holder for item in access}),
        held=sum((item.held for item in access), timedelta(0)),
    )


def _access(rows: Sequence[Row], since: datetime, until: datetime) -> tuple[Access, ...]:
    """Longest first."""
    held = [row for row in rows if held_in(row, since, until) is not None]
    groups = grouped(held, lambda row: (row.holder, row.environment, row.role))
    longer = grouped((row for row in rows if row.extends is not None), lambda row: row.extends)
    found = [
        _one(group, [e for row in group for e in longer.get(row.id, ())], since, until) for group in groups.values()
    ]
    return tuple(sorted(found, key=lambda item: (-item.held, item.name, item.environment, item.role)))


def held_in(row: Row, since: datetime, until: datetime) -> tuple[datetime, datetime] | None:
    """The part of the period in which it was open; None where it was not."""
    if row.began is None:
        return None
    begin, end = max(row.began, since), min(row.ended or until, until)
    return (begin, end) if begin < end else None


def _one(rows: Sequence[Row], longer: Sequence[Row], since: datetime, until: datetime) -> Access:
    """`rows`: of one person and role, oldest first, each held in the period. `longer`: asks for more time of these."""
    spans = [span for row in rows if (span := held_in(row, since, until)) is not None]
    newest = rows[-1]
    waits = [row.waited for row in rows if row.waited is not None and row.outcome is RowOutcome.APPROVED]
    return Access(
        holder=newest.holder,
        name=newest.holder_name,
        environment=newest.environment,
        role=newest.role,
        tier=newest.tier,
        risk=newest.risk,
        times=len(rows),
        held=sum((end - begin for begin, end in spans), timedelta(0)),
        days=len({day for span in spans for day in _days(span, since)}),
        last=max(end for _, end in spans),
        now=any(row.ended is None for row in rows),
        break_glass=sum(row.outcome is RowOutcome.BREAK_GLASS for row in rows),
        approvers=_approvers((*rows, *longer)),
        answered_in=median_of(waits) if waits else None,
    )


def _days(span: tuple[datetime, datetime], since: datetime) -> range:
    begin, end = span
    return range((begin - since) // _DAY, ceil((end - since) / _DAY))


def _approvers(rows: Iterable[Row]) -> tuple[tuple[str, int], ...]:
    """Who agreed most stands first."""
    counts: dict[str, int] = {}
    for row in rows:
        for name in row.agreed:
            counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


# ---------------------------------------------------------------- what to look at


def _break_glass(rows: Iterable[Row], since: datetime, until: datetime) -> tuple[BreakGlassUse, ...]:
    used = [row for row in rows if row.outcome is RowOutcome.BREAK_GLASS]
    return tuple(_use(row, since, until) for row in used if row.at >= since or held_in(row, since, until))


def _when(item: BreakGlassUse) -> tuple[datetime, str]:
    return item.at, item.id


def _gates(
    opened: Iterable[Opened], since: datetime, until: datetime, only: frozenset[str] | None
) -> Iterator[BreakGlassUse]:
    for one in opened:
        if since <= one.at <= until and (only is None or one.environment in only):
            yield _judged(
                BreakGlassUse(
                    one.id,
                    one.name,
                    one.environment,
                    f"gate {one.gate}",
                    one.at,
                    timedelta(0),
                    None,
                    overdue=False,
                    reviewer="",
                    reviewed_in=None,
                    note="",
                    gate=True,
                ),
                one.review,
                until,
            )


def _judged(use: BreakGlassUse, review_: Review | None, until: datetime) -> BreakGlassUse:
    """With how its review stands."""
    if review_ is None:
        return use
    return replace(
        use,
        state=review_.state,
        overdue=review_.state is ReviewState.OWED and review_.due_at <= until,
        reviewer=review_.by_name or "",
        reviewed_in=review_.at - review_.since if review_.at else None,
        note=review_.note or "",
    )


def _use(row: Row, since: datetime, until: datetime) -> BreakGlassUse:
    span = held_in(row, since, until)
    use = BreakGlassUse(
        row.id,
        row.holder_name,
        row.environment,
        row.role,
        row.at,
        span[1] - span[0] if span else timedelta(0),
        None,
        overdue=False,
        reviewer="",
        reviewed_in=None,
        note="",
    )
    return _judged(use, row.review, until)


def _unused(
    policy: Policy, rows: Iterable[Row], access: Iterable[Access], only: frozenset[str] | None
) -> tuple[Unused, ...]:
    had = {(item.environment, item.role) for item in access}
    asked = grouped(rows, lambda row: (row.environment, row.role))
    return tuple(
        Unused(place.name, role.role, role.risk, len(asked.get((place.name, role.role), ())), _spare(policy, role))
        for place in policy.environments.values()
        if only is None or place.name in only
        for role in place.roles.values()
        if (place.name, role.role) not in had
    )


def _spare(policy: Policy, role: Entitlement) -> bool:
    break_glass = policy.environments[role.environment].break_glass
    return break_glass is not None and role.role in break_glass.roles

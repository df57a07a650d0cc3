"""What an access review makes one look at: who agrees to everything, and what the policy could do without. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from workflows.core.access_review.model import Access, CouldBeRule, CouldBeSmaller, CouldGo, Quick, Suggestion, Unused
from workflows.core.access_review.rows import Row, RowOutcome, grouped, median_of
from workflows.core.people import PersonId
from workflows.core.policy import Entitlement, Policy, Risk, Tier

# Who, what and why cannot be read and weighed faster, time after time.
QUICK = timedelta(seconds=10)
# Fewer decisions than this may be chance: the same colleague, the same evening.
QUICK_DECISIONS_MIN = 10
# A rule is proposed only where so many asks in a row found nobody who said no.
RULE_ASKS_MIN = 10
# Where it took people longer they may have asked back before they agreed: that is what a rule cannot do.
RULE_WAIT_MAX = timedelta(minutes=5)
# On a record that is younger, a role that nobody used may just not have been needed yet.
UNUSED_DAYS_MIN = 30
# Something that is needed on every third day is work, not an exception.
SMALLER_SHARE = 1 / 3
# A share of a few days says nothing.
SMALLER_DAYS_MIN = 10


def quick_approvers(asked: Iterable[Row]) -> tuple[Quick, ...]:
    """An agreement counts from when the card could be seen to the press."""
    waits: dict[PersonId, list[timedelta]] = {}
    names: dict[PersonId, str] = {}
    said_no: set[PersonId] = set()
    for row in asked:
        for vote in row.votes:
            waits.setdefault(vote.by, []).append(vote.after)
            names[vote.by] = vote.name
        if row.denied_by is not None:
            said_no.add(row.denied_by)
    found = [
        Quick(who, names[who], len(mine), median_of(mine))
        for who, mine in waits.items()
        if len(mine) >= QUICK_DECISIONS_MIN and who not in said_no and median_of(mine) < QUICK
    ]
    return tuple(sorted(found, key=lambda item: (-item.decisions, item.name)))


def suggestions(
    policy: Policy, asked: Sequence[Row], access: Sequence[Access], unused: Sequence[Unused], days: int
) -> tuple[Suggestion, ...]:
    """`asked`: requests of the period, oldest first; `days`: how many the period has."""
    return (*_rules(policy, asked), *_smaller(access, days), *_gone(unused, days))


def _rules(policy: Policy, asked: Sequence[Row]) -> Iterable[CouldBeRule]:
    for (environment, role), rows in sorted(grouped(asked, lambda row: (row.environment, row.role)).items()):
        entitlement = policy.entitlement(environment, role)
        if entitlement is not None and _fit_for_a_rule(entitlement):
            yield from _rule(
                environment, role, [row for row in rows if row.outcome in _ANSWERS and row.extends is None]
            )


_ANSWERS = frozenset({RowOutcome.APPROVED, RowOutcome.DENIED, RowOutcome.EXPIRED})


def _fit_for_a_rule(role: Entitlement) -> bool:
    """Reading, and change outside of production; nothing that one pair of eyes was thought too few for, or dangerous."""
    harmless = role.risk is Risk.READ or (role.risk is Risk.CHANGE and role.tier is not Tier.PRODUCTION)
    return harmless and not role.danger and sum(role.approve.values()) == 1


def _rule(environment: str, role: str, rows: Sequence[Row]) -> Iterable[CouldBeRule]:
    waits = [row.waited for row in rows if row.outcome is RowOutcome.APPROVED and row.waited is not None]
    always = all(row.outcome is RowOutcome.APPROVED and not row.lessened for row in rows)
    soon = waits and median_of(waits) <= RULE_WAIT_MAX
    if len(rows) >= RULE_ASKS_MIN and always and soon and not _is_stamped(rows):
        people = {vote.by for row in rows for vote in row.votes}
        yield CouldBeRule(environment, role, len(rows), len(people), median_of(waits))


def _is_stamped(rows: Iterable[Row]) -> bool:
    """Whether one person gave over half of the answers, or gave them typically within seconds: that is no trust."""
    took: dict[PersonId, list[timedelta]] = {}
    for vote in (vote for row in rows for vote in row.votes):
        took.setdefault(vote.by, []).append(vote.after)
    answers = sum(map(len, took.values()))
    return any(2 * len(mine) > answers or median_of(mine) < QUICK for mine in took.values())


def _smaller(access: Iterable[Access], of_days: int) -> Iterable[CouldBeSmaller]:
    """Of what can do harm: admin anywhere, change in production."""
    for item in access:
        harmful = item.risk is Risk.ADMIN or (item.risk is Risk.CHANGE and item.tier is Tier.PRODUCTION)
        if harmful and item.days >= SMALLER_DAYS_MIN and item.days >= SMALLER_SHARE * of_days:
            yield CouldBeSmaller(item.name, item.environment, item.role, item.days, of_days)


def _gone(unused: Iterable[Unused], days: int) -> Iterable[CouldGo]:
    """Not what somebody asked for in vain, and not what is kept for an emergency: both are wanted."""
    if days >= UNUSED_DAYS_MIN:
        yield from (CouldGo(item.environment, item.role, days) for item in unused if not item.asked and not item.spare)

"""Who may answer for what in a certification, when a reason is owed, and when who has not answered is reminded. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.core.people import GroupFacts, PersonFacts, PersonId
from workflows.core.policy import Policy
from workflows.core.records.certification import Certification, CertificationPart, Item, Verdict
from workflows.core.refusal import Code, Refused
from workflows.core.rules.break_glass import reviewers
from workflows.core.rules.eligibility import text_problem
from workflows.core.rules.groups import not_a_member, person_problem

DAY = timedelta(days=1)
DUE_WITHIN = timedelta(days=14)
DUE_WITHIN_MAX = timedelta(days=90)
# Uses are counted over so long a time unless somebody says otherwise.
WINDOW = timedelta(days=90)


def answerers(policy: Policy, environment: str) -> tuple[str, ...]:
    """The groups whose members may answer for an environment: its owners, and the panic group."""
    return reviewers(policy, environment)


def may_answer(policy: Policy, environment: str, person: PersonFacts, groups: GroupFacts) -> Refused | None:
    """Whether this person may answer there at all."""
    problem = person_problem(person)
    if problem:
        return problem
    names = answerers(policy, environment)
    params = {"environment": environment, "groups": ", ".join(names)}
    return not_a_member(groups, person.id, names, Refused(Code.NOT_A_CERTIFIER, params))


def own_of(items: Sequence[Item], me: Collection[PersonId]) -> tuple[Item, ...]:
    """Those that are about whoever answers, by any of the people they count as: somebody else answers for them."""
    return tuple(item for item in items if item.person in me or any(who in me for who in item.perhaps))


def reason_owed(items: Sequence[Item], verdict: Verdict) -> tuple[Item, ...]:
    """Those for which this answer wants a reason: whatever goes, and what stays though something speaks against it."""
    return tuple(item for item in items if verdict is Verdict.REMOVE or item.against)


def reason_problem(items: Sequence[Item], verdict: Verdict, reason: str) -> Refused | None:
    """`reason`: as it was cleaned. One that nobody had to give may be left out, and is looked at where it is given."""
    owed = reason_owed(items, verdict)
    if not owed and not reason:
        return None
    numbers = ", ".join(str(item.number) for item in owed)
    return text_problem(reason, {"what": "certify", "numbers": numbers, "said": verdict.value})


def next_chase(found: Certification) -> datetime:
    """When whoever has not answered must be reminded next: at half, at three quarters and at the end of the time, then daily."""
    last = found.chased_at[-1] if found.chased_at else found.at
    within = found.due_at - found.at
    for point in (found.at + within / 2, found.at + within * 3 / 4, found.due_at):
        if point > last:
            return point
    return found.due_at + ((last - found.due_at) // DAY + 1) * DAY


@dataclass(frozen=True, slots=True)
class Sums:
    """How far it has come. `late`: answers that came after the time was over."""

    items: int = 0
    kept: int = 0
    removed: int = 0
    late: int = 0

    @property
    def open(self) -> int:
        return self.items - self.kept - self.removed


def sums(found: Certification, parts: Sequence[CertificationPart]) -> Sums:
    items = [item for part in parts for item in part.items]
    answers = [item.answer for item in items if item.answer is not None]
    return Sums(
        len(items),
        sum(answer.verdict is Verdict.KEEP for answer in answers),
        sum(answer.verdict is Verdict.REMOVE for answer in answers),
        sum(answer.at > found.due_at for answer in answers),
    )


def is_over(found: Certification, parts: Sequence[CertificationPart], now: datetime) -> bool:
    """Whether it ends by itself: until its time is over, answers can be changed."""
    return not found.left and now >= found.due_at and not any(part.open for part in parts)

"""How people answer: who gives most answers, who gives them within seconds, and who serves whom. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import combinations

from workflows.core.access_review.rows import RowOutcome, grouped, median_of
from workflows.core.people import PersonId
from workflows.core.suggestions.limits import ALONE_MIN, ASKS_MIN, PAIR_MIN, QUICK, QUICK_ANSWERS_MIN
from workflows.core.suggestions.model import AnswersAlone, Ask, Finding, NeedsSecond, OneApprover, Pair
from workflows.core.suggestions.model import Quick as Hasty

# Two people, in the order of their ids.
Two = tuple[PersonId, PersonId]


def most(asks: Iterable[Ask]) -> tuple[PersonId | None, int, int]:
    """Who gave most answers, how many, and of how many; nobody where there is none."""
    counts = Counter(who for ask in asks for who in ask.answered_by)
    who, count = max(counts.items(), key=lambda item: (item[1], item[0]), default=(None, 0))
    return who, count, counts.total()


def is_over_half(asks: Iterable[Ask]) -> bool:
    _, count, of = most(asks)
    return 2 * count > of


def waits(asks: Iterable[Ask]) -> Mapping[PersonId, Sequence[timedelta]]:
    """How long each yes took, by who gave it."""
    found: dict[PersonId, list[timedelta]] = {}
    for ask in asks:
        for one in ask.answers:
            found.setdefault(one.by, []).append(one.after)
    return found


def quick_people(asks: Iterable[Ask]) -> frozenset[PersonId]:
    """Whose yes typically took less than it takes to read."""
    return frozenset(who for who, took in waits(asks).items() if median_of(took) < QUICK)


def pairs(asks: Sequence[Ask]) -> Mapping[Two, tuple[int, int]]:
    """Two who answer one another, and mostly one another: over half of what each asked, or over half of what each answered.

    For each how often the first one answered the second, and the other way round.
    """
    served = Counter((who, one) for ask in asks for who in set(ask.answered_by) for one in _for_whom(ask) - {who})
    asked, answered = Counter[PersonId](), Counter[PersonId]()
    for ask in asks:
        if ask.answered_by:
            asked.update(_for_whom(ask))
            answered.update(set(ask.answered_by))
    people = sorted({who for both in served for who in both})
    found = {both: (served[both], served[both[::-1]]) for both in combinations(people, 2)}
    return {
        (a, b): (ab, ba)
        for (a, b), (ab, ba) in found.items()
        if min(ab, ba) >= PAIR_MIN
        and ((2 * ab > asked[b] and 2 * ba > asked[a]) or (2 * ab > answered[a] and 2 * ba > answered[b]))
    }


def _for_whom(ask: Ask) -> frozenset[PersonId]:
    return frozenset((ask.requester, ask.holder))


def is_of_a_pair(ask: Ask, known: Iterable[Two]) -> bool:
    """Whether one of a pair answered the other."""
    by, for_ = set(ask.answered_by), _for_whom(ask)
    return any((a in by and b in for_) or (b in by and a in for_) for a, b in known)


# ---------------------------------------------------------------- what somebody should look at


def names_of(asks: Iterable[Ask]) -> Mapping[PersonId, str]:
    """As the newest of them has it."""
    found: dict[PersonId, str] = {}
    for ask in sorted(asks, key=lambda one: (one.at, one.id)):
        found |= {one.by: one.name for one in ask.answers}
        found |= {ask.denied_by: ask.denied_name} if ask.denied_by is not None else {}
        found |= {ask.requester: ask.requester_name} if ask.requester_name else {}
    return found


def findings(asks: Sequence[Ask]) -> Iterator[Finding]:
    """Over everything first, then a role at a time where it was answered often enough."""
    names = names_of(asks)
    for who, took in sorted(waits(asks).items()):
        if len(took) >= QUICK_ANSWERS_MIN and median_of(took) < QUICK:
            yield Hasty(names.get(who, who), len(took), median_of(took))
    for (a, b), (ab, ba) in sorted(pairs(asks).items()):
        yield Pair(names.get(a, a), names.get(b, b), ab, ba)
    for _, own in sorted(grouped(asks, lambda ask: ask.place).items()):
        if sum(bool(ask.answered_by) for ask in own) >= ASKS_MIN:
            yield from _of_role(own, names)


def _of_role(asks: Sequence[Ask], names: Mapping[PersonId, str]) -> Iterator[Finding]:
    environment, role = asks[0].place
    who, count, of = most(asks)
    if who is not None and 2 * count > of:
        yield OneApprover(environment, role, names.get(who, who), count, of)
    for who, took in sorted(waits(asks).items()):
        if median_of(took) < QUICK:
            yield Hasty(names.get(who, who), len(took), median_of(took), environment, role)


def alone(
    asks: Sequence[Ask], owners: Mapping[str, frozenset[PersonId] | None], groups: Mapping[str, tuple[str, ...]]
) -> Iterator[NeedsSecond | AnswersAlone]:
    """Environments in which one person gave every answer. `owners`: who may, by environment; None where nobody knows all."""
    for environment, own in sorted(grouped(asks, lambda ask: ask.environment).items()):
        who, count, of = most(own)
        if who is None or count < of or count < ALONE_MIN or environment not in owners:
            continue
        name = names_of(own).get(who, who)
        unanswered = sum(ask.outcome is RowOutcome.EXPIRED for ask in own)
        known = owners[environment]
        others = None if known is None else len(known - {who})
        if others == 0:
            yield NeedsSecond(environment, who, name, count, unanswered, groups.get(environment, ()))
        else:
            yield AnswersAlone(environment, name, count, unanswered, others)

"""Who has left: what the chats say of all accounts of a person, and what follows from it. Pure.

Only a plain word of the account's own chat says that it is gone; whatever is not known is neither a yes nor a no.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from workflows.core.identity import Account
from workflows.core.people import PersonFacts, PersonId, is_fresh
from workflows.core.records.leavers import EndedLately, Finding, FindingState, Leavers
from workflows.core.refusal import Code

# So many may lose access by themselves within so long, whatever their share is; more only where they are a small share. The
# first stands for at once: news of a mistake may come one by one. The longest, that nobody goes on below the first one.
PEOPLE_MAX = {timedelta(minutes=15): 3, timedelta(hours=1): 5, timedelta(days=1): 10}
SHARE_MAX = 0.1
REMEMBERED = max(PEOPLE_MAX)


@dataclass(frozen=True, slots=True)
class Looked:
    """What was said of many accounts. Of one that stands nowhere in `facts` nothing is known.

    `silent`: by chat, why it did not answer to the end. `after_s`: when to ask again, where whoever was asked said so.
    `goes_on`: it has answered in part, and answers on when it is asked again.
    """

    facts: Mapping[Account, PersonFacts] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    goes_on: bool = False


class Standing(StrEnum):
    """Of one account."""

    HERE = "here"
    GONE = "gone"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """Of one person."""

    HERE = "here"
    LEFT = "left"  # every account of theirs is gone
    PARTLY = "partly"  # one is gone, and another one is not, as far as is known
    UNKNOWN = "unknown"


# What is said of an account without anybody having looked into it.
_SAYS_NOTHING = frozenset({Code.PERSON_FOREIGN.value, Code.PERSON_ODD.value})


def standing(facts: PersonFacts | None, now: datetime, age_max: timedelta) -> Standing:
    """Of one account, by facts that are no older than `age_max`."""
    if facts is None or not is_fresh(facts.as_of, now, age_max) or facts.standing_problem in _SAYS_NOTHING:
        return Standing.UNKNOWN
    return Standing.GONE if facts.standing_problem == Code.PERSON_DEACTIVATED.value else Standing.HERE


def verdict(accounts: Collection[Standing]) -> Verdict:
    """Of a person with these accounts. Of somebody without any nobody can say anything."""
    if Standing.GONE in accounts:
        return Verdict.LEFT if set(accounts) == {Standing.GONE} else Verdict.PARTLY
    return Verdict.HERE if accounts and set(accounts) == {Standing.HERE} else Verdict.UNKNOWN


def too_many(gone: int, holders: int, people_max: int = min(PEOPLE_MAX.values())) -> bool:
    """Whether so many of those who hold access are more than go by themselves: then people look first. `holders`: with them.
    `people_max`: at once, unless said.
    """
    return gone > people_max and gone > SHARE_MAX * holders


# ---------------------------------------------------------------- what becomes of those who have left


@dataclass(frozen=True, slots=True)
class Plan:
    """`ends`: whose access ends now. `after`: what is remembered. `news`: what has to be told of a finding."""

    ends: tuple[PersonId, ...]
    after: Leavers
    news: News | None = None


class News(StrEnum):
    HELD = "held"  # so many at once: people are asked, or there are more of them
    OVER = "over"  # those people asked about are there, or hold nothing any more


def plan(
    before: Leavers, verdicts: Mapping[PersonId, Verdict], now: datetime, number: str, *, partial: bool = False
) -> Plan:
    """`verdicts`: of everybody who holds something. `number`: for a new finding. `partial`: a chat has not answered to the end,
    so whoever is not known may be gone as well."""
    left = tuple(sorted(who for who, found in verdicts.items() if found is Verdict.LEFT))
    here = tuple(who for who in before.here if verdicts.get(who) in _MAYBE_GONE)
    ended = tuple(one for one in before.ended if is_fresh(one.at, now, REMEMBERED))
    kept = replace(before, here=here, ended=ended)
    finding = kept.finding
    open_ = tuple(who for who in finding.people if verdicts.get(who) in _MAYBE_GONE) if finding is not None else ()
    if finding is not None and not open_:
        over = finding.state is FindingState.WAITING
        again = plan(replace(kept, finding=None), verdicts, now, number, partial=partial)
        return replace(again, news=again.news or (News.OVER if over else None))
    new = tuple(who for who in left if who not in here)
    if finding is not None and finding.state is FindingState.WAITING:
        return _waits(kept, finding, new)
    pressed = tuple(who for who in left if who in open_)
    new = tuple(who for who in new if who not in open_)
    unknown = sum(found is Verdict.UNKNOWN for found in verdicts.values()) if partial else 0
    if not too_many(len(new), len(verdicts)) and too_many(len(new) + unknown, len(verdicts)):
        # The next look may see more of them.
        return Plan(pressed, kept)
    return _by_itself(kept, new, pressed, len(verdicts), now, number)


# Of whom it is not known that they are there.
_MAYBE_GONE = frozenset({Verdict.LEFT, Verdict.UNKNOWN})


def _waits(kept: Leavers, finding: Finding, new: tuple[PersonId, ...]) -> Plan:
    """Nothing ends by itself while people are asked; whoever leaves meanwhile is named there, too."""
    more = tuple(who for who in new if who not in finding.people)
    if not more:
        return Plan((), kept)
    grown = replace(
        finding, people=(*finding.people, *more), holders=max(finding.holders, len(finding.people) + len(more))
    )
    return Plan((), replace(kept, finding=grown), News.HELD)


def _by_itself(
    kept: Leavers, new: tuple[PersonId, ...], pressed: tuple[PersonId, ...], holders: int, now: datetime, number: str
) -> Plan:
    found = _lately(kept, new, holders, now)
    if found is not None:
        if kept.finding is not None:
            # What people have said is carried out first.
            return Plan(pressed, kept)
        within, lately = found
        finding = Finding(number, now, new, holders + lately, lately=lately, within=within)
        return Plan(pressed, replace(kept, finding=finding), News.HELD)
    known = {one.who for one in kept.ended}
    ended = (*kept.ended, *(EndedLately(who, now) for who in new if who not in known))
    return Plan((*pressed, *new), replace(kept, ended=ended))


def _lately(kept: Leavers, new: tuple[PersonId, ...], holders: int, now: datetime) -> tuple[timedelta, int] | None:
    """Within which time it would be too many with these, and how many have ended in it already; None where it is not."""
    for within, people_max in PEOPLE_MAX.items() if new else ():
        ended = sum(one.who not in new and is_fresh(one.at, now, within) for one in kept.ended)
        if too_many(len(new) + ended, holders + ended, people_max):
            return within, ended
    return None

"""Who people are, and what is known of groups, with the age of that knowledge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NewType

# A person is one address in the policy's e-mail domains, folded to lower case. Two chat accounts with one address are
# one person, so that nobody approves themselves through the other account.
PersonId = NewType("PersonId", str)

# A press is decided on facts at most this old; see docs/how-it-fails-safe.md.
FACTS_AGE_MAX = timedelta(seconds=60)


def person_id(address: str) -> PersonId:
    """The one spelling of an address."""
    return PersonId(address.strip().casefold())


@dataclass(frozen=True, slots=True)
class SlackUser:
    """A chat account by immutable ids."""

    team: str
    user: str


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What the chat says of the account that acts, as of `as_of`.

    `standing_problem` is a refusal code (see `errors.Code`) where the account may do nothing at all: deactivated, guest,
    bot, of another organisation, no address in the policy's domains, binding changed.
    """

    id: PersonId
    name: str
    slack: SlackUser
    as_of: datetime
    time_zone: str = "UTC"
    standing_problem: str | None = None
    # Until when they say of themselves that they are away; None where they do not.
    away_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delegation:
    """Somebody who is away names who decides in their place until then. `by_name` is who is away."""

    to: PersonId
    to_name: str
    at: datetime
    until: datetime
    by_name: str = ""


@dataclass(frozen=True, slots=True)
class Membership:
    """Members of one group as of `as_of`. `problem` says in words why they are not known; then `members` is empty."""

    members: frozenset[PersonId] = frozenset()
    as_of: datetime | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """Memberships by the policy's group names. An unknown group has no members: refuse by default.

    `delegations`: who is away -> who decides in their place; read at `at`, those that ended lately among them.
    """

    by_name: Mapping[str, Membership] = field(default_factory=dict)
    delegations: Mapping[PersonId, Delegation] = field(default_factory=dict)
    at: datetime | None = None

    def delegate_of(self, who: PersonId, at: datetime | None = None) -> Delegation | None:
        """Who decides in their place at that instant, or at the instant of these facts."""
        found, moment = self.delegations.get(who), at or self.at
        return found if found is not None and moment is not None and found.at <= moment < found.until else None

    def names(self, away: Iterable[PersonId]) -> tuple[str, ...]:
        """What those who named a delegate are called."""
        return tuple(found.by_name or str(who) for who in away if (found := self.delegations.get(who)))

    def members(self, names: frozenset[str] | tuple[str, ...]) -> frozenset[PersonId]:
        found: set[PersonId] = set()
        for name in names:
            membership = self.by_name.get(name)
            if membership is not None:
                found |= membership.members
        return frozenset(found)

    def has(self, person: PersonId, names: frozenset[str] | tuple[str, ...]) -> bool:
        return person in self.members(names)

    def problems(self, names: frozenset[str] | tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """(group, why) for each group of `names` whose members could not be learnt."""
        return tuple(
            (name, membership.problem)
            for name in names
            if (membership := self.by_name.get(name)) is not None and membership.problem
        )

    def stale(self, names: frozenset[str] | tuple[str, ...], now: datetime) -> tuple[str, ...]:
        """The groups of `names` that are not known, or known only from longer ago than a press may rest on."""
        return tuple(name for name in names if _is_stale(self.by_name.get(name), now))


def _is_stale(membership: Membership | None, now: datetime) -> bool:
    return membership is None or membership.as_of is None or now - membership.as_of > FACTS_AGE_MAX

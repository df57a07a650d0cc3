"""What is read of the record, and what follows from it. Pure; the words are made where it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from workflows.core.access_review.model import days_of
from workflows.core.access_review.rows import Agreed, RowOutcome
from workflows.core.people import PersonId
from workflows.core.policy import Hours

# Environment and role.
Place = tuple[str, str]


class Because(StrEnum):
    """Why no rule is proposed. The first ones are for good, the others as the record stands."""

    PRODUCTION = "production"
    ADMIN = "admin"
    GIVES_MORE = "gives_more"
    DANGER = "danger"
    OUTLIVES = "outlives"
    SEVERAL = "several"
    TAKEN_AWAY = "taken_away"
    INHERITED = "inherited"
    UNREAD = "unread"
    DENIED = "denied"
    UNANSWERED = "unanswered"
    SLOW = "slow"
    LESSENED = "lessened"
    MORE_TIME = "more_time"
    REVOKED = "revoked"
    BREAK_GLASS = "break_glass"
    FLAGGED = "flagged"
    DRIFT = "drift"
    REFUSED = "refused"
    UNPROVED = "unproved"
    ONE_APPROVER = "one_approver"
    QUICK = "quick"
    PAIR = "pair"
    YOUNG = "young"
    FEW_DAYS = "few_days"
    FEW_PEOPLE = "few_people"
    GROUP_UNKNOWN = "group_unknown"
    GROUP_SHARE = "group_share"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `answers`: who said yes, and how long after the card could be seen; `waited`: until it was decided.

    `own`: asked for oneself, under terms that the policy still has: what a rule would approve. `troubles`: what speaks against
    it beside its outcome.
    """

    id: str
    environment: str
    role: str
    requester: PersonId
    holder: PersonId
    at: datetime
    outcome: RowOutcome
    duration: timedelta
    requester_name: str = ""
    waited: timedelta | None = None
    answers: tuple[Agreed, ...] = ()
    denied_by: PersonId | None = None
    denied_name: str = ""
    own: bool = True
    incident: bool = False
    extends: bool = False
    troubles: frozenset[Because] = frozenset()

    @property
    def place(self) -> Place:
        return self.environment, self.role

    @property
    def answered_by(self) -> tuple[PersonId, ...]:
        """Everybody who answered it, with yes or no."""
        no = (self.denied_by,) if self.denied_by is not None else ()
        return (*(one.by for one in self.answers), *no)


@dataclass(frozen=True, slots=True)
class Record:
    """A period of the record. `since`: from when on all of it is there. `asks`: made in it, in any order.

    `used`: what was asked for, held or open in it. `noted`: what the log alone tells of a role. `came`: when a role came into
    the policy, or with an empty role all of an environment; `changes_known`: whether all that came is in there. `unread`: ids of
    requests that cannot be read, and of which role they are; None where that is not known, either. `lost`: so many entries of
    the log could not be read.
    """

    since: datetime
    until: datetime
    asks: Sequence[Ask] = ()
    used: frozenset[Place] = frozenset()
    noted: Mapping[Place, frozenset[Because]] = field(default_factory=dict)
    came: Mapping[Place, datetime] = field(default_factory=dict)
    changes_known: bool = True
    unread: Mapping[str, Place | None] = field(default_factory=dict)
    lost: int = 0

    @property
    def days(self) -> int:
        return days_of(self.since, self.until)

    def is_whole(self, place: Place) -> bool:
        """Whether nothing that cannot be read may be about this role."""
        return self.lost == 0 and not {None, place} & set(self.unread.values())


# ---------------------------------------------------------------- what is proposed


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a rule rests on. `share`: answers of whoever gave most, of `answers`. `first`, `last`: when it was asked."""

    asks: int
    people: int
    days: int
    approvers: int
    share: int
    answers: int
    median: timedelta
    slowest: timedelta
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Crowd:
    """A group that a rule would serve: so many of its members asked."""

    group: str
    asked: int
    members: int


@dataclass(frozen=True, slots=True)
class CouldApprove:
    """A rule that reaches no further than what people have approved: as long, as often, at such hours."""

    environment: str
    role: str
    crowds: tuple[Crowd, ...]
    max_duration: timedelta
    max_uses_per_day: int
    hours: Hours | None
    in_incident_channel: bool
    numbers: Numbers

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(one.group for one in self.crowds)


@dataclass(frozen=True, slots=True)
class CouldGo:
    environment: str
    role: str
    days: int


@dataclass(frozen=True, slots=True)
class NeedsSecond:
    """One person gave all answers, and is the only owner that there is. `groups`: in which a second one could stand."""

    environment: str
    who: PersonId
    name: str
    answers: int
    unanswered: int
    groups: tuple[str, ...]


# ---------------------------------------------------------------- what somebody should look at


@dataclass(frozen=True, slots=True)
class Quick:
    """Somebody who answers typically within seconds. Empty `environment`: over everything."""

    name: str
    answers: int
    median: timedelta
    environment: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class OneApprover:
    """One person gave over half of the answers."""

    environment: str
    role: str
    name: str
    answers: int
    of: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two who mostly serve one another. `first_for_second`: so many of the second one's asks did the first one answer."""

    first: str
    second: str
    first_for_second: int
    second_for_first: int


@dataclass(frozen=True, slots=True)
class AnswersAlone:
    """One person gave all answers though others could. `others`: how many; None where nobody knows who else is an owner."""

    environment: str
    name: str
    answers: int
    unanswered: int
    others: int | None


Finding = Quick | OneApprover | Pair | AnswersAlone


@dataclass(frozen=True, slots=True)
class Withheld:
    """A role that was asked for often enough, and why no rule is proposed all the same."""

    environment: str
    role: str
    asks: int
    because: tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """All of it. `short`: roles that were asked for too seldom to say anything."""

    since: datetime
    until: datetime
    rules: tuple[CouldApprove, ...] = ()
    gone: tuple[CouldGo, ...] = ()
    seconds: tuple[NeedsSecond, ...] = ()
    findings: tuple[Finding, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    short: int = 0

    @property
    def days(self) -> int:
        return days_of(self.since, self.until)

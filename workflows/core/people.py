"""Who people are, and what is known of groups, with the age of that knowledge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

from workflows.core.identity import (
    Account,
    AccountId,
    Address,
    PersonId,
    Suspension,
    address_of,
    first_person,
    unbound,
)
from workflows.core.refusal import Code, Refused

__all__ = ["FACTS_AGE_MAX", "Account", "Delegation", "GroupFacts", "Membership", "PersonFacts", "PersonId"]

# A press is decided on facts at most this old; see docs/how-it-fails-safe.md.
FACTS_AGE_MAX = timedelta(seconds=60)


# Two clocks that agree differ by less: facts that claim to be younger than now by more are of no known age.
CLOCKS_DIFFER_MAX = timedelta(seconds=1)


def is_fresh(as_of: datetime | None, now: datetime, age_max: timedelta = FACTS_AGE_MAX) -> bool:
    """Whether a decision may rest on facts of this age. Facts from the future are stale: a clock was set back since."""
    return as_of is not None and -CLOCKS_DIFFER_MAX <= now - as_of <= age_max


def person_id(address: str) -> PersonId:
    """Whoever is first known by this address; nobody at all where it is none."""
    found = address_of(address)
    return first_person(found) if found is not None else PersonId("")


@dataclass(frozen=True, slots=True)
class FromTerminal:
    """Who vouched for somebody who acts from a terminal: a target's user, as `TargetTerms.user_of` names them. `chat_down`: the
    worker itself found no chat.
    """

    user: str
    chat_down: bool = False

    @property
    def facts(self) -> dict[str, str]:
        """For the audit entry of what they did."""
        return {"from": "terminal", "vouched": self.user} | ({"chat": "down"} if self.chat_down else {})


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What the chat says of the account that acts, as of `as_of`.

    `standing_problem` is a refusal code (see `errors.Code`) where the account may do nothing at all: deactivated, guest,
    bot, of another organisation, no address in the policy's domains. `address` is what the chat says today, and says of
    nobody who they are: `id` is the person to whom the account is bound, and `suspended` why it gives nothing; a Directory
    fills in both. Whoever learns facts from the chat sets neither: see `learnt`.
    """

    id: PersonId
    name: str
    slack: Account
    as_of: datetime
    time_zone: str = "UTC"
    standing_problem: str | None = None
    # Until when they say of themselves that they are away; None where they do not.
    away_until: datetime | None = None
    address: Address | None = None
    # The organisation's id (`E...`) where the workspace is in one, so that the account has one id in all its workspaces.
    tenant: str = ""
    # Other ids under which the chat itself names this very account.
    also: tuple[Account, ...] = ()
    # The chat's own time of the last change to the account, in seconds since the epoch; 0 where it does not say.
    updated: int = 0
    # When the chat last said by itself that something had changed: what was asked for before that is old.
    heard_at: datetime | None = None
    suspended: Suspension | None = None
    # Their accounts in other chats, of which nothing is known against writing there; the next one to try stands first. A
    # Directory fills it in for whoever it finds as a person.
    elsewhere: tuple[Account, ...] = ()
    # Of this very act, where it was not done in a chat. Never kept.
    terminal: FromTerminal | None = None

    @property
    def from_where(self) -> dict[str, str]:
        """What the audit entry says of it."""
        return self.terminal.facts if self.terminal is not None else {}

    def at(self, surface: str) -> Account | None:
        """Their account in that chat; None where they have none there."""
        return next((one for one in (self.slack, *self.elsewhere) if one.surface == surface), None)

    def told_at(self, account: Account) -> PersonFacts:
        """The same person, written to in another chat than theirs: for messages alone, and not for decisions."""
        others = tuple(one for one in (self.slack, *self.elsewhere) if one != account)
        return replace(self, slack=account, elsewhere=others)

    @property
    def account(self) -> AccountId:
        return self.colleague(self.slack.user).id

    def colleague(self, user: str) -> Account:
        """Whom this account names by that id: in an organisation ids are unique in all of it."""
        return Account(self.slack.surface, self.tenant or self.slack.tenant, user)

    @property
    def accounts(self) -> tuple[AccountId, ...]:
        """Every id that this account has or had, the present one first."""
        return tuple(dict.fromkeys((self.account, self.slack.id, *(other.id for other in self.also))))


# A chat's own copies may lag behind one another, and no longer than this.
LAG_MAX = timedelta(minutes=10)


def which_stands(known: PersonFacts | None, found: PersonFacts) -> PersonFacts:
    """Older news never overwrite younger facts, in whatever order they come. `as_of`: when the chat was asked.

    Where what is known stands, it may itself be too old for a decision: then nobody knows.
    """
    if known is None:
        return found
    before = known.as_of if known.heard_at is None else max(known.as_of, known.heard_at)
    # No answer is under way for longer. What is further ahead was learnt on a clock that has been set back since.
    overtaken = timedelta(0) < before - found.as_of <= FACTS_AGE_MAX
    changed_at = datetime.fromtimestamp(known.updated, UTC)
    lags = 0 < found.updated < known.updated and found.as_of - changed_at < LAG_MAX
    if overtaken or lags:
        return known
    return replace(found, heard_at=known.heard_at)


def with_news(known: PersonFacts, at: datetime) -> PersonFacts:
    """Something of the account has changed: what is known stays, is too old for a decision, and is asked for anew."""
    return replace(known, as_of=NEVER, heard_at=at)


def learnt(account: Account, name: str, as_of: datetime, address: Address | None, tenant: str = "") -> PersonFacts:
    """Facts straight from the chat. Older processes, which know people by address, find one in `id`."""
    who = first_person(address) if address is not None else unbound(account.id)
    return PersonFacts(who, name, account, as_of, address=address, tenant=tenant)


@dataclass(frozen=True, slots=True)
class Delegation:
    """Somebody names who decides in their place until then. `by_name` is who named them."""

    to: PersonId
    to_name: str
    at: datetime
    until: datetime
    by_name: str = ""
    # The account that was told of it, and hears when it is over.
    to_slack: Account | None = None


class Member(Enum):
    """Whether somebody is in a group. It has three outcomes, and no truth value: whoever asks says what UNKNOWN means."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        raise TypeError("membership is yes, no or unknown: compare it, or ask `surely` or `perhaps`")


@dataclass(frozen=True, slots=True)
class Membership:
    """Who is in one group, as of `as_of`, which is None where that was never learnt.

    `problem` says in words what is wrong: the look at `failed_at` was in vain, and nothing is known now. `members` are those
    of the last good look, who may be called and shown, and no decision rests on them. Where it is `certain` all the same,
    the group does not exist, say, and nobody is in it.

    `accounts`: a chat's own list, by account, as it is stored; `addresses`: any other list. Handed out by a Directory both
    are resolved through the binding: into `members`, `unusable` (members who are known to be unable to act, and stand among
    `members` too), and `unresolved` (accounts of which nobody knows yet whose they are).
    """

    members: frozenset[PersonId] = frozenset()
    as_of: datetime | None = None
    problem: str | None = None
    certain: bool = False
    failed_at: datetime | None = None
    accounts: frozenset[Account] = frozenset()
    addresses: frozenset[Address] = frozenset()
    unusable: frozenset[PersonId] = frozenset()
    unresolved: frozenset[Account] = frozenset()

    @property
    def is_known(self) -> bool:
        """Whether a decision may rest on it, as far as its age allows."""
        return self.as_of is not None and (self.problem is None or self.certain)

    def failed(self, why: str, now: datetime) -> Membership:
        """The same after a look in vain."""
        return replace(self, problem=why, failed_at=now, certain=False)


@dataclass(frozen=True, slots=True)
class Listed:
    """Whom a directory names as a group's members. `nameless`: how many of them have nothing that is an address."""

    addresses: frozenset[Address]
    nameless: int = 0


# Of facts that are too old for any decision.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
NEVER_LOOKED_UP = "nobody has looked yet"


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """Memberships by the policy's group names. Where a group is not known nobody counts as a member: nothing is given on a
    guess. Nor does anybody count as an outsider: `member` says UNKNOWN, and what is refused on it is refused by `not_known`.

    `delegations`: who is away -> who decides in their place; read at `at`, those that ended lately among them.
    """

    by_name: Mapping[str, Membership] = field(default_factory=dict)
    delegations: Mapping[PersonId, Delegation] = field(default_factory=dict)
    at: datetime | None = None
    # Person -> the people whom they count as, too, for separation of duties.
    alike: Mapping[PersonId, frozenset[PersonId]] = field(default_factory=dict)
    # Accounts whose votes do not count at the moment, because nobody is sure whose they are.
    on_hold: frozenset[AccountId] = frozenset()
    # The account by which each of those who are away was looked at; and those whose account is on hold, so that nobody takes
    # their place for as long.
    looked_at: Mapping[PersonId, AccountId] = field(default_factory=dict)
    silent: frozenset[PersonId] = frozenset()

    def counted_as(self, *people: PersonId) -> frozenset[PersonId]:
        """These people, and whom they count as where somebody must be somebody else."""
        return frozenset(people).union(*(self.alike.get(who, frozenset()) for who in people))

    def delegate_of(self, who: PersonId, at: datetime | None = None) -> Delegation | None:
        """Who decides in their place at that instant, or at the instant of these facts."""
        found, moment = self.delegations.get(who), at or self.at
        return found if found is not None and moment is not None and found.at <= moment < found.until else None

    def names(self, away: Iterable[PersonId]) -> tuple[str, ...]:
        """What those who named a delegate are called."""
        return tuple(found.by_name or str(who) for who in away if (found := self.delegations.get(who)))

    def member(self, person: PersonId, names: Iterable[str]) -> Member:
        """Whether `person` is in one of these groups."""
        names = tuple(names)
        if person in self.members(names):
            return Member.YES
        return Member.UNKNOWN if self.unknown(names) else Member.NO

    def surely(self, person: PersonId, names: Iterable[str]) -> bool:
        """For what is given or shown to members alone: unknown means no. A refusal never rests on this."""
        return person in self.members(names)

    def perhaps(self, person: PersonId, names: Iterable[str]) -> bool:
        """For what is merely offered: unknown means yes, and it is decided when it is used."""
        return self.member(person, names) is not Member.NO

    def members(self, names: Iterable[str]) -> frozenset[PersonId]:
        """Who is known to be in one of them. There may be more: see `unknown` and `whole`."""
        known = (self.by_name[name] for name in names if name in self.by_name)
        return frozenset().union(*(one.members - one.unusable for one in known if one.is_known))

    def counting(self, person: PersonId) -> GroupFacts:
        """The same with this person among those who can act: on hold, one still takes back and says no."""
        kept = {name: replace(one, unusable=frozenset(one.unusable) - {person}) for name, one in self.by_name.items()}
        return replace(self, by_name=kept)

    def listed(self, person: PersonId, names: Iterable[str]) -> bool:
        """Whether somebody stands in one of these groups, whether or not they can act; where that is not known, yes: for what
        takes more care with some people than with others."""
        names = tuple(names)
        known = (self.by_name[name] for name in names if name in self.by_name)
        return bool(self.unknown(names)) or any(person in one.members for one in known)

    def last_known(self) -> GroupFacts:
        """The same as of the last good look, however long ago: for calling and naming people, never for a decision."""
        return replace(
            self,
            by_name={
                name: replace(one, certain=True) if one.as_of is not None else one for name, one in self.by_name.items()
            },
        )

    def unresolved(self, names: Iterable[str]) -> frozenset[Account]:
        """Accounts in these groups of which nobody knows yet whose they are."""
        known = (self.by_name[name] for name in names if name in self.by_name)
        return frozenset().union(*(one.unresolved for one in known))

    def unknown(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the groups of which nobody knows who is in them."""
        return tuple(name for name in names if not (name in self.by_name and self.by_name[name].is_known))

    def whole(self, names: Iterable[str]) -> bool:
        """Whether everybody in them is known, so that who is missing is missing."""
        names = tuple(names)
        return not self.unknown(names) and not self.unresolved(names)

    def not_known(self, names: Iterable[str]) -> Refused:
        """The answer where it would take to know who is in these groups. It is no refusal of a person's right, and never goes on
        the record: a worker looks, and the answer follows."""
        open_ = self.unknown(names) or tuple(name for name in names if self.unresolved((name,)))
        why = next((one.problem for name in open_ if (one := self.by_name.get(name)) and one.problem), NEVER_LOOKED_UP)
        return Refused(Code.NOT_KNOWN_YET, {"groups": ", ".join(open_), "why": why}, audited=False)

    def problems(self, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """(group, why) for each group of `names` with which something is wrong."""
        return tuple(
            (name, membership.problem)
            for name in names
            if (membership := self.by_name.get(name)) is not None and membership.problem
        )

    def stale(self, names: Iterable[str], now: datetime) -> tuple[str, ...]:
        """The groups of `names` that nobody has looked at for longer than a press may rest on."""
        return tuple(name for name in names if _is_stale(self.by_name.get(name), now))

    def to_look_up(self, names: Iterable[str], now: datetime) -> tuple[str, ...]:
        """Those that a worker has to look up before it decides: stale ones, and those that were looked up in vain."""
        names = tuple(names)
        return tuple(dict.fromkeys((*self.stale(names, now), *self.unknown(names))))


def _is_stale(membership: Membership | None, now: datetime) -> bool:
    looked_at = (membership.failed_at or membership.as_of) if membership is not None else None
    return looked_at is None or not is_fresh(looked_at, now)

"""One person's page as data: what concerns them, production first. Pure, and knows no surface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.chat.views.request_view import RequestView
from workflows.core.identity import PersonId
from workflows.core.people import Delegation
from workflows.core.policy import BreakGlass, Entitlement, Environment, Tier
from workflows.core.records.person import PersonRecord, Uses
from workflows.core.refusal import Refused
from workflows.core.rules.account_confirmation import Held
from workflows.core.rules.break_glass import longest, too_often

_TIERS = tuple(Tier)


@dataclass(frozen=True, slots=True)
class CanAsk:
    """One environment, with the roles of it that a person may ask for."""

    environment: str
    title: str
    tier: Tier
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Owners:
    """Whom to ask for a place among those who may ask."""

    title: str
    tier: Tier
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Emergency:
    """Where a person may break the glass. `refused`: why they may not just now; they have done it as often as they may."""

    environment: str
    title: str
    tier: Tier
    roles: tuple[str, ...]
    longest: timedelta
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Away:
    """An owner who cannot be asked now. `until` None: they want no calls, and nobody knows for how long."""

    name: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Barred:
    """Somebody whom security keeps from breaking the glass, or from asking. `own`: it is whoever reads this."""

    person: PersonId
    name: str
    why: str
    asks_again: datetime | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class OnHold:
    """An account that waits for somebody to say whose it is. `own`: it is, or is about, whoever reads this."""

    held: Held
    own: bool = False


@dataclass(frozen=True, slots=True)
class Security:
    """For members of the panic group alone."""

    barred: tuple[Barred, ...] = ()
    holds: tuple[OnHold, ...] = ()
    holds_more: int = 0


@dataclass(frozen=True, slots=True)
class HomeView:
    """What is not theirs, or known to be refused, is empty. `zone`: the reader's, for times within a sentence."""

    now: datetime
    zone: str = "UTC"
    # Why less is theirs than they would think: the account may do nothing, is on hold, may not ask for a while.
    notes: tuple[Refused, ...] = ()
    # Whether the account may do nothing at all; whether nothing that gives anything, because it is on hold.
    unfit: bool = False
    on_hold: bool = False
    # Whether they may ask for nothing at the moment, nor for more time.
    may_not_ask: bool = False
    mine: tuple[RequestView, ...] = ()
    waiting_on_me: tuple[RequestView, ...] = ()
    asked: tuple[RequestView, ...] = ()
    # What somebody else asked for the person.
    asked_for_me: tuple[RequestView, ...] = ()
    reviews: tuple[RequestView, ...] = ()
    # Access of others, where the person is an owner.
    open_here: tuple[RequestView, ...] = ()
    # The other owners there who cannot be asked now.
    away: tuple[Away, ...] = ()
    delegation: Delegation | None = None
    # Of who named the person to decide in their place.
    stands_in_for: tuple[Delegation, ...] = ()
    emergencies: tuple[Emergency, ...] = ()
    security: Security | None = None
    can_ask: tuple[CanAsk, ...] = ()
    # Whether there is nothing that they could do here at all; and then whom to ask.
    asks_nobody: bool = False
    whom_to_ask: tuple[Owners, ...] = ()

    @property
    def quiet(self) -> bool:
        """Whether nothing is open and nothing waits."""
        for_security = self.security is not None and (self.security.barred or self.security.holds)
        waits = self.waiting_on_me or self.asked or self.asked_for_me or self.reviews or for_security
        return not (self.mine or waits)


def home_view(
    now: datetime,
    *,
    mine: Iterable[RequestView] = (),
    waiting_on_me: Iterable[RequestView] = (),
    asked: Iterable[RequestView] = (),
    asked_for_me: Iterable[RequestView] = (),
    reviews: Iterable[RequestView] = (),
    open_here: Iterable[RequestView] = (),
    can_ask: Iterable[Entitlement] = (),
    titles: Mapping[str, str] | None = None,
) -> HomeView:
    """`titles`: environment name -> title. By environment, production first; in each what is over first stands first."""
    return HomeView(
        now,
        mine=in_order(mine),
        waiting_on_me=in_order(waiting_on_me),
        asked=in_order(asked),
        asked_for_me=in_order(asked_for_me),
        reviews=in_order(reviews),
        open_here=in_order(open_here),
        can_ask=can_ask_for(can_ask, titles or {}),
    )


def in_order(views: Iterable[RequestView]) -> tuple[RequestView, ...]:
    """By environment, production first; in each what is over first stands first."""
    return tuple(
        sorted(views, key=lambda s: (_TIERS.index(s.tier), s.title, s.environment, s.deadline or s.expires_at, s.id))
    )


def by_tier(places: Iterable[Environment]) -> list[Environment]:
    """Production first, then by title."""
    return sorted(places, key=lambda place: (_TIERS.index(place.tier), place.title, place.name))


def can_ask_for(roles: Iterable[Entitlement], titles: Mapping[str, str]) -> tuple[CanAsk, ...]:
    """One row an environment, production first; its roles in the policy's own order."""
    places: dict[str, list[Entitlement]] = {}
    for role in roles:
        places.setdefault(role.environment, []).append(role)
    found = (
        CanAsk(name, titles.get(name, name), each[0].tier, tuple(role.role for role in each))
        for name, each in places.items()
    )
    return tuple(sorted(found, key=lambda item: (_TIERS.index(item.tier), item.title, item.environment)))


def emergency(place: Environment, break_glass: BreakGlass, uses: Uses | None, now: datetime) -> Emergency:
    return Emergency(
        place.name,
        place.title,
        place.tier,
        tuple(role for role in break_glass.roles if role in place.roles),
        longest(break_glass),
        too_often(place, uses, now),
    )


def barred(record: PersonRecord, reader: PersonId, now: datetime) -> Barred:
    until = record.blocked_until if record.blocked_until and record.blocked_until > now else None
    why = record.break_glass_barred or record.blocked_why or "all access was revoked"
    return Barred(record.id, record.name or str(record.id), why, until, own=record.id == reader)

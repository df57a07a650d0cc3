"""Many requests at once, for a reader: what is active, the digest of a channel, who may have what. Pure, and knows no surface."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.chat.views.deciders import NOBODY, Deciders
from bot.chat.views.request_view import RequestView
from bot.chat.wording.hours import given_words, window_words
from bot.chat.wording.labels import Stage
from bot.chat.wording.refusals import about, refusal
from bot.chat.wording.tickets import like
from workflows.core.durations import format_duration
from workflows.core.policy import AutoApproval, BreakGlass, Entitlement, Environment, Risk, Tier
from workflows.core.records.certification import Certification
from workflows.core.records.drift import DriftKind
from workflows.core.records.grant import Grant
from workflows.core.refusal import Refused
from workflows.core.rules.break_glass import longest
from workflows.core.rules.eligibility import MayAsk
from workflows.core.rules.groups import groups_named

LIVE_STAGES = frozenset({Stage.SETTING_UP, Stage.ACTIVE, Stage.REMOVING})
_TIERS = tuple(Tier)
_RISKS = (Risk.ADMIN, Risk.CHANGE, Risk.READ)


@dataclass(frozen=True, slots=True)
class Sealed:
    """How far the audit log is sealed: the newest sealed entry, the head as people type it, and when it was signed. Where nothing
    is sealed: the newest entry and its digest.
    """

    number: int
    digest: str = ""
    head: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """One environment with what is going on in it."""

    name: str
    title: str
    tier: Tier
    views: tuple[RequestView, ...]


@dataclass(frozen=True, slots=True)
class DriftLine:
    """What a target holds and the record does not know, or the other way round. `hidden`: who and what is not told here."""

    environment: str
    title: str
    role: str
    kind: DriftKind
    who: str
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What of a certification is open in one environment: `open` of `items`."""

    run: Certification
    title: str
    open: int
    items: int


@dataclass(frozen=True, slots=True)
class DigestView:
    """`places`: live access, most dangerous first. `stuck`, `waiting`: what needs a hand."""

    now: datetime
    places: tuple[Place, ...]
    stuck: tuple[RequestView, ...]
    waiting: tuple[RequestView, ...]
    last_ended: datetime | None
    sealed: Sealed | None
    # Live grants that were left out because there are too many to read.
    more: int = 0
    # Ids of live grants that cannot be read: nobody may say that nothing is open.
    unread: tuple[str, ...] = ()
    # Break-glass whose review is owed.
    reviews: tuple[RequestView, ...] = ()
    # What was approved and begins later.
    agreed: tuple[RequestView, ...] = ()
    # What the last comparison found.
    drift: tuple[DriftLine, ...] = ()
    # What owners have not answered yet.
    certify: tuple[Unanswered, ...] = ()

    @property
    def active(self) -> int:
        return sum(len(place.views) for place in self.places) + self.more


def digest_view(
    views: Iterable[RequestView],
    now: datetime,
    *,
    last_ended: Grant | None = None,
    sealed: Sealed | None = None,
    more: int = 0,
    unread: Sequence[str] = (),
    reviews: Iterable[RequestView] = (),
    drift: Iterable[DriftLine] = (),
    certify: Iterable[Unanswered] = (),
) -> DigestView:
    """From the views of live grants, and of requests that wait for an answer or for their start, in any order."""
    found = list(views)
    live = [view for view in found if view.stage in LIVE_STAGES]
    return DigestView(
        now,
        places=by_place(live),
        stuck=tuple(view for view in found if view.stage is Stage.STUCK),
        waiting=tuple(
            sorted((s for s in found if s.stage is Stage.WAITING), key=lambda view: (view.created_at, view.id))
        ),
        last_ended=last_ended.closed_at if last_ended else None,
        sealed=sealed,
        more=more,
        unread=tuple(unread),
        reviews=tuple(reviews),
        agreed=tuple(view for view in found if view.stage is Stage.AGREED),
        drift=tuple(drift),
        certify=tuple(certify),
    )


def by_place(views: Sequence[RequestView]) -> tuple[Place, ...]:
    """By environment: production first, then by the worst risk that is open there; inside, the most dangerous first."""
    names = dict.fromkeys(view.environment for view in views)
    places = [_place([view for view in views if view.environment == name]) for name in names]
    return tuple(sorted(places, key=lambda p: (_TIERS.index(p.tier), min(map(_danger, p.views)), p.title, p.name)))


def _place(views: list[RequestView]) -> Place:
    first = views[0]
    ordered = sorted(views, key=lambda view: (_danger(view), view.deadline or view.expires_at, view.id))
    return Place(first.environment, first.title, first.tier, tuple(ordered))


def _danger(view: RequestView) -> int:
    return _RISKS.index(view.risk) - (3 if view.danger else 0)


# ---------------------------------------------------------------- explain


@dataclass(frozen=True, slots=True)
class Explanation:
    """Who could approve a role, under which rules, and why somebody may or may not ask for it."""

    environment: str
    title: str
    tier: Tier
    role: str
    allows: str
    danger: str | None
    who: str
    may: bool
    why_not: str
    # Who has to agree; the person asked about is not among them.
    deciders: Deciders
    requesters: tuple[str, ...]
    durations: tuple[str, ...]
    longest: str
    ticket: str | None
    rules: tuple[str, ...]
    # When it is given, where that is not always.
    hours: str = ""
    # How the person may let themselves in; empty where they may not.
    break_glass: str = ""


def explanation(
    environment: Environment,
    entitlement: Entitlement,
    answer: MayAsk | Refused,
    *,
    who: str = "You",
    deciders: Deciders = NOBODY,
    command: str = "/prodaccess",
    time_zone: str = "UTC",
    policy_zone: str = "UTC",
    break_glass: BreakGlass | None = None,
    now: datetime | None = None,
) -> Explanation:
    """`answer`: what `may_ask` says for this person with a good reason and ticket. `now`: whether it is given at the moment.

    `break_glass`: the environment's, where this person may break it for this role.
    """
    ticket = entitlement.ticket
    return Explanation(
        environment=environment.name,
        title=environment.title,
        tier=environment.tier,
        role=entitlement.role,
        allows=entitlement.allows,
        danger=entitlement.danger,
        who=who,
        may=not isinstance(answer, Refused),
        why_not=_why_not(answer, who, command, time_zone) if isinstance(answer, Refused) else "",
        deciders=deciders,
        requesters=groups_named(entitlement, entitlement.requesters),
        durations=tuple(format_duration(item) for item in entitlement.durations),
        longest=format_duration(entitlement.max_duration),
        ticket=like(ticket.pattern, ticket.example) if ticket and ticket.required else None,
        hours=given_words(entitlement.hours, policy_zone, time_zone, now) if entitlement.hours else "",
        break_glass=break_glass_words(
            break_glass, f"{command} break-glass {environment.name} {entitlement.role} REASON"
        )
        if break_glass
        else "",
        rules=tuple(_rule(entitlement, rule, policy_zone) for rule in entitlement.auto_approve),
    )


def _why_not(refused: Refused, who: str, command: str, time_zone: str) -> str:
    """Of the reader, or of somebody else."""
    told = refused if who == "You" else about(refused, who)
    return refusal(told, command=command, time_zone=time_zone)


def break_glass_words(break_glass: BreakGlass, typed: str) -> str:
    """`in an emergency at once, up to 30 min, 3 times in 24 hours: /prodaccess break-glass ...`."""
    often = "once" if break_glass.max_per_day == 1 else f"{break_glass.max_per_day} times"
    times = f", {often} in 24 hours" if break_glass.max_per_day else ""
    return f"in an emergency at once, up to {format_duration(longest(break_glass))}{times}; everybody sees it: {typed}"


def _rule(entitlement: Entitlement, rule: AutoApproval, zone: str) -> str:
    """`on-call reads in an incident: oncall, in an incident channel, up to 1 h`."""
    conditions = [" or ".join(groups_named(entitlement, rule.who))]
    if rule.in_incident_channel:
        conditions.append("in an incident channel")
    if rule.max_duration:
        conditions.append(f"up to {format_duration(rule.max_duration)}")
    if rule.hours:
        conditions.append(window_words(rule.hours, zone))
    if rule.max_uses_per_day:
        conditions.append("once a day" if rule.max_uses_per_day == 1 else f"{rule.max_uses_per_day} times a day")
    return f"{rule.name}: {', '.join(conditions)}"

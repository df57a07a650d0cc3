"""Reads one person's page off the ledger. What it costs does not grow with what is there: the number of reads is fixed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.chat.views import home_view
from bot.chat.views.deciders import few, name_from
from bot.chat.views.home_view import Away, Emergency, HomeView, OnHold, Owners, Security
from bot.chat.views.read_model import SHOWN_MAX, Reader, askable
from bot.chat.views.request_view import RequestView
from workflows.core import keys
from workflows.core.identity import Suspension
from workflows.core.people import Delegation, GroupFacts, PersonFacts, PersonId
from workflows.core.policy import Environment, Policy, Visibility
from workflows.core.records.person import PersonRecord, Uses
from workflows.core.records.request import Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.account_confirmation import is_own
from workflows.core.rules.approval import MayDecide, may_decide
from workflows.core.rules.break_glass import break_glass_suspended
from workflows.core.rules.eligibility import never_as_asked
from workflows.core.rules.groups import held, might_break_glass
from workflows.ports import Snapshot
from workflows.usecases.identity.confirm_account import holds
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.delegation_end import in_force
from workflows.usecases.shared.limits import blocked

# Of more environments than these what is open is read in one go.
OWNED_MAX = 5
# So many environments are told to whoever may ask for nothing.
TOLD_MAX = 3
# So many people whom security keeps out are read, and so many accounts that are on hold: each takes some reads of its own.
KEPT_OUT_MAX, HOLDS_MAX = 100, 3

Absent = Callable[[Collection[PersonFacts]], frozenset[PersonId]]


def nobody_away(_people: Collection[PersonFacts]) -> frozenset[PersonId]:
    """Where nobody asks the chat who is away."""
    return frozenset()


class HomeReader:
    """`absent`: who of these people wants no calls."""

    def __init__(self, ctx: Context, reader: Reader, absent: Absent = nobody_away) -> None:
        self._ctx = ctx
        self._reader = reader
        self._absent = absent

    def home(self, policy: Policy, person: PersonFacts, groups: GroupFacts) -> HomeView:
        """`groups`: those that a decision about any environment can rest on, with the delegations in force."""
        if person.standing_problem:
            unfit = Refused(Code(person.standing_problem))
            return HomeView(self._ctx.ledger.now(), zone=person.time_zone, notes=(unfit,), unfit=True)
        facts = groups.counting(person.id) if person.suspended else groups
        owned = _owned(policy, person, facts)
        view = self._requests(policy, person, facts, owned)
        view = self._own(policy, person, facts, replace(view, away=self._away(person, owned, facts)))
        if person.suspended:
            return _without_gifts(view, person.suspended)
        view = replace(view, security=self._security(policy, person, facts))
        may_nothing = not (view.can_ask or view.notes or view.emergencies or view.security or owned)
        if not may_nothing:
            return view
        return replace(view, asks_nobody=True, whom_to_ask=self._whom_to_ask(policy, facts))

    # ------------------------------------------------------------ requests

    def _requests(
        self, policy: Policy, person: PersonFacts, groups: GroupFacts, owned: Sequence[Environment]
    ) -> HomeView:
        reader = self._reader
        asks = reader.of_person((keys.PENDING, keys.SCHEDULED), person.id, policy)
        return home_view.home_view(
            self._ctx.ledger.now(),
            mine=reader.of_person((keys.LIVE,), person.id, policy),
            waiting_on_me=self._waiting_on(policy, person, groups),
            asked=(view for view in asks if view.requester_id == person.id),
            asked_for_me=(view for view in asks if view.requester_id != person.id),
            reviews=reader.reviews_for(policy, person, groups),
            open_here=self._open_in(policy, person, owned),
            can_ask=askable(policy, person.id, groups),
            titles={place.name: place.title for place in policy.environments.values()},
        )

    def _waiting_on(self, policy: Policy, person: PersonFacts, groups: GroupFacts) -> tuple[RequestView, ...]:
        """Pending requests that this person may decide."""
        ids = self._ctx.ledger.members(keys.PENDING, limit=SHOWN_MAX)
        if not ids:
            return ()
        snapshot = self._ctx.ledger.read(*map(keys.request, ids))
        requests = (snapshot.readable(keys.request(id_), Request) for id_ in ids)
        mine = {
            request.id: never_as_asked(policy, request, groups)
            for request in requests
            if request is not None
            and isinstance(may_decide(policy, request, person, groups), MayDecide)
            and all(vote.by != person.id for vote in request.votes)
        }
        return tuple(replace(view, no_more=mine[view.id]) for view in self._reader.some(list(mine), policy))

    def _open_in(self, policy: Policy, person: PersonFacts, owned: Sequence[Environment]) -> list[RequestView]:
        """Access of others in these environments."""
        if not owned:
            return []
        names = {place.name for place in owned}
        listed = None if len(owned) > OWNED_MAX else sorted(names)
        views = self._reader.live(policy, listed).views
        return [view for view in views if view.environment in names and view.holder_id != person.id]

    # ------------------------------------------------------------ people

    def _away(self, person: PersonFacts, owned: Sequence[Environment], groups: GroupFacts) -> tuple[Away, ...]:
        """The other owners who cannot be asked now."""
        names = dict.fromkeys(name for place in owned for name in place.owners)
        others = sorted(groups.last_known().members(names) - {person.id})
        if not others:
            return ()
        known = self._ctx.directory.of_people(others)
        people = [known[who] for who in others if who in known and not known[who].standing_problem]
        absent, now = self._absent(people), self._ctx.ledger.now()
        return tuple(Away(one.name, _until(one, now)) for one in people if one.id in absent)

    def _own(self, policy: Policy, person: PersonFacts, groups: GroupFacts, view: HomeView) -> HomeView:
        """What is kept of the person: what keeps them from asking, who decides for whom, where they may break the glass."""
        places = _may_break(policy, person, groups)
        item = keys.person(person.id)
        used = {place.name: keys.break_glass_uses(place.name, person.id) for place in places}
        snapshot = self._ctx.ledger.read(item, *used.values())
        record = snapshot.readable(item, PersonRecord)
        shut = blocked(record, snapshot)
        barred = break_glass_suspended(policy, record, snapshot.now) if places else None
        return replace(
            view,
            zone=person.time_zone,
            notes=tuple(one for one in (shut, barred) if one is not None),
            delegation=in_force(record.delegation, snapshot.now) if record else None,
            stands_in_for=_stands_in_for(person, groups),
            emergencies=() if barred else _emergencies(places, used, snapshot),
            may_not_ask=shut is not None,
            can_ask=() if shut else view.can_ask,
        )

    def _security(self, policy: Policy, person: PersonFacts, groups: GroupFacts) -> Security | None:
        """Whom security keeps out, and whose accounts are on hold."""
        if not groups.surely(person.id, policy.security):
            return None
        ids = [PersonId(who) for who in self._ctx.ledger.members(keys.BARRED, limit=KEPT_OUT_MAX)]
        snapshot = self._ctx.ledger.read(*map(keys.person, ids)) if ids else None
        records = [record for who in ids if snapshot and (record := snapshot.readable(keys.person(who), PersonRecord))]
        now = snapshot.now if snapshot else self._ctx.ledger.now()
        barred = (home_view.barred(one, person.id, now) for one in records if break_glass_suspended(policy, one, now))
        waiting = holds(self._ctx, limit=HOLDS_MAX)
        more = max(0, self._ctx.ledger.count(keys.ON_HOLD) - len(waiting)) if len(waiting) == HOLDS_MAX else 0
        return Security(tuple(barred), tuple(OnHold(one, own=is_own(one, person)) for one in waiting), more)

    def _whom_to_ask(self, policy: Policy, groups: GroupFacts) -> tuple[Owners, ...]:
        """The owners of what everybody may know of."""
        open_ = (
            place for place in policy.environments.values() if place.visibility is Visibility.OPEN and place.owners
        )
        places = home_view.by_tier(open_)[:TOLD_MAX]
        known = groups.last_known()
        members = {place.name: sorted(known.members(place.owners)) for place in places}
        people = self._ctx.directory.of_people(sorted({who for each in members.values() for who in each}))
        return tuple(
            Owners(place.title, place.tier, tuple(few(_names(members[place.name], people) or place.owners)))
            for place in places
        )


def _without_gifts(view: HomeView, suspended: Suspension) -> HomeView:
    """On hold, one still looks, takes back and says no."""
    return replace(view, notes=(held(suspended),), on_hold=True, may_not_ask=True, can_ask=(), emergencies=())


def _owned(policy: Policy, person: PersonFacts, groups: GroupFacts) -> list[Environment]:
    places = home_view.by_tier(policy.environments.values())
    return [place for place in places if groups.surely(person.id, place.owners)]


def _may_break(policy: Policy, person: PersonFacts, groups: GroupFacts) -> list[Environment]:
    places = home_view.by_tier(place for place in policy.environments.values() if place.break_glass)
    return [
        place
        for place in places
        if any(might_break_glass(policy, place, role, person.id, groups) for role in place.roles)
    ]


def _emergencies(places: Iterable[Environment], used: Mapping[str, str], snapshot: Snapshot) -> tuple[Emergency, ...]:
    return tuple(
        home_view.emergency(place, place.break_glass, snapshot.readable(used[place.name], Uses), snapshot.now)
        for place in places
        if place.break_glass
    )


def _stands_in_for(person: PersonFacts, groups: GroupFacts) -> tuple[Delegation, ...]:
    mine = (groups.delegate_of(who) for who, one in groups.delegations.items() if one.to == person.id)
    return tuple(sorted(filter(None, mine), key=lambda one: (one.until, one.by_name)))


def _names(members: Sequence[PersonId], people: Mapping[PersonId, PersonFacts]) -> tuple[str, ...]:
    """What they are called; by their address, as the policy lists them, where nobody has looked yet."""
    fit = (who for who in members if who not in people or not people[who].standing_problem)
    return tuple(people[who].name if who in people else name_from(who) for who in fit)


def _until(facts: PersonFacts, now: datetime) -> datetime | None:
    """Until when they say of themselves that they are away."""
    return facts.away_until if facts.away_until is not None and facts.away_until > now else None

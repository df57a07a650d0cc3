"""Whom a card calls: the accounts behind those who may approve, never the requester, and nobody who is away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.chat.outbox.plans.calls import Calls, CallsByChat, mention
from bot.chat.places import direct_to, everything, places_of, surface_of
from bot.chat.rich import Mention
from bot.chat.text import MENTIONS_MAX
from bot.chat.views.deciders import NOBODY, Deciders, deciders_of
from bot.chat.views.request_view import StandIn
from bot.directory.refresh import Absences
from workflows.core.identity import SLACK
from workflows.core.people import GroupFacts, PersonFacts, PersonId
from workflows.core.policy import OWNERS, Entitlement, Environment, Policy
from workflows.core.records.request import Request, RequestState
from workflows.core.refusal import Refused
from workflows.core.rules.approvers import can_speak
from workflows.core.rules.eligibility import never_as_asked
from workflows.core.rules.groups import groups_named
from workflows.ports import DirectoryUnreachable
from workflows.usecases.shared.actor import looked_up
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.delegations import with_delegations
from workflows.usecases.shared.parties import with_those_who_agreed

# More direct messages than this, for a card without a channel, is a nuisance and not a help.
DIRECT_MESSAGES_MAX = 20
# Whoever was not found is looked for again, no sooner than this.
LOOK_AGAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class WhomToAsk:
    """`calls`: whom a message calls in which chat; `ids` of the people who may approve this request and have not, each where
    they are written to; `deciders` says who has to. `away`: names of those who are not called.
    """

    calls: CallsByChat
    ids: tuple[str, ...]
    deciders: Deciders
    # Those who are called by a reminder, in whichever chat.
    reminded: frozenset[str] = frozenset()
    # Whom the policy's escalation calls, as people.
    called_people: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    stand_ins: tuple[StandIn, ...] = ()
    # In how many seconds to look again, where somebody who may decide has not been found yet.
    look_again_s: float | None = None
    # Why nobody can approve it as it was asked for.
    no_more: Refused | None = None
    # Who is called, or stands by name.
    people: tuple[PersonFacts, ...] = ()
    # By their ids in each chat, of everybody who can be called.
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def nobody(self) -> tuple[str, ...]:
        """Groups of which too few are there. As long as somebody has still to be found, none is said to be."""
        return self.deciders.too_few if self.look_again_s is None else ()


@dataclass(frozen=True, slots=True)
class _Sight:
    """What is known of everybody who matters to one request."""

    groups: GroupFacts
    # Accounts by address: of those who may do something.
    people: Mapping[PersonId, PersonFacts]
    # Requester, holder, and those who have voted: nobody of them is called.
    out: frozenset[PersonId]
    # Who may still agree -> in whose right.
    speakers: Mapping[PersonId, PersonId]
    away: frozenset[PersonId]
    look_again_s: float | None


@dataclass(frozen=True, slots=True)
class Overseers:
    """`people`: owners and security; `security` by itself."""

    people: tuple[PersonFacts, ...] = ()
    security: tuple[PersonFacts, ...] = ()
    look_again_s: float | None = None


class Recipients:
    """`closed`: whether a place takes no messages, a person's or a chat as a whole."""

    def __init__(
        self, ctx: WorkerContext, away: Absences, closed: Callable[[str], bool] = lambda _place: False
    ) -> None:
        self._ctx = ctx
        self._away = away
        self._closed = closed

    def absent(self, people: Collection[PersonFacts]) -> frozenset[PersonId]:
        """Those of them who want no calls just now."""
        return self._away.among(people)

    def whom_to_ask(self, policy: Policy, environment: Environment, request: Request) -> WhomToAsk:
        """Accounts that are not known yet are looked up by address, once."""
        entitlement = environment.entitlement(request.terms.role)
        words = tuple(entitlement.approve) if entitlement else (OWNERS,)
        names = groups_named(_scope(entitlement, environment), (*words, OWNERS))
        to = environment.escalate.to if environment.escalate and request.escalated_at else ()
        sight = self._sight(policy, entitlement, request, (*names, *groups_named(environment, to)))
        asking = groups_named(entitlement, entitlement.requesters) if entitlement else ()
        may = [sight.people[who] for who in sight.speakers if who in sight.people]
        called = [who for name in to for who in _callable(sight, sight.groups.members((name,)))]
        reminded = _at_hand(sight, list(sight.speakers))
        return WhomToAsk(
            _calls(policy, environment, sight, (*names, *to), to, reminded),
            ids=tuple(direct_to(facts.slack) for facts in may)[:DIRECT_MESSAGES_MAX],
            deciders=_deciders(policy, entitlement, request, sight),
            reminded=frozenset(place for facts in reminded for place in places_of(facts)),
            called_people=tuple(dict.fromkeys(direct_to(one.slack) for one in _at_hand(sight, called)))[
                :DIRECT_MESSAGES_MAX
            ],
            away=tuple(
                facts.name
                for facts in may
                if facts.id in sight.away
                and sight.speakers[facts.id] == facts.id
                and not sight.groups.delegate_of(facts.id)
            ),
            stand_ins=_stand_ins(sight),
            look_again_s=sight.look_again_s,
            no_more=never_as_asked(policy, request, self._ctx.directory.groups(policy, asking)),
            people=tuple(sight.people.values()),
            names={place: facts.name for facts in sight.people.values() for place in places_of(facts)},
        )

    def overseers(self, policy: Policy, environment: Environment, request: Request) -> Overseers:
        """Who is told of a break-glass directly and may review it: never the holder, nor who began a run or opened its gate."""
        names = (*environment.owners, *policy.security)
        groups = self._ctx.directory.groups(policy, names).last_known()
        excluded = set(request.parties) | _opened(request)
        members = {name: sorted(groups.members((name,)) - excluded)[:DIRECT_MESSAGES_MAX] for name in names}
        people, again_s = self._found(policy, groups, names, [who for found in members.values() for who in found])
        security = (people[who] for name in policy.security for who in members[name] if who in people)
        return Overseers(tuple(people.values()), tuple(security), again_s)

    def parties(self, request: Request) -> tuple[PersonFacts, ...]:
        """Who asked and who holds it, each in the chat in which they were seen last. Where there is one chat nobody is looked
        up for this.
        """
        if not self._ctx.directory.several_chats:
            return ()
        found = self._ctx.directory.of_people(
            tuple(dict.fromkeys((request.requester, request.holder, *_opened(request))))
        )
        able = (facts for facts in found.values() if not facts.standing_problem and facts.suspended is None)
        return tuple(map(self._where_open, able))

    def _where_open(self, facts: PersonFacts) -> PersonFacts:
        """In the chat in which they were seen last, or in the next one where that takes nothing for them."""
        accounts = (facts.slack, *facts.elsewhere) if facts.elsewhere else ()
        shut = [one for one in accounts if self._closed(direct_to(one)) or self._closed(everything(one.surface))]
        account = next((one for one in accounts if one not in shut), facts.slack)
        return facts if account == facts.slack else facts.told_at(account)

    def security(self, policy: Policy) -> tuple[PersonFacts, ...]:
        """Everybody of the panic group who can be reached."""
        return self.in_groups(policy, policy.security)

    def in_groups(self, policy: Policy, names: Sequence[str]) -> tuple[PersonFacts, ...]:
        """Everybody of these groups who can be reached."""
        groups = self._ctx.directory.groups(policy, names).last_known()
        people, _ = self._found(policy, groups, names, sorted(groups.members(names))[:DIRECT_MESSAGES_MAX])
        return tuple(people.values())

    def operators(self, policy: Policy) -> tuple[PersonFacts, ...]:
        """Who hears of trouble with chat itself: the panic group, or all owners where there is none."""
        if policy.panic_group:
            return self.security(policy)
        return self.owners_of(policy, tuple(policy.environments))

    def owners_of(self, policy: Policy, environments: Sequence[str]) -> tuple[PersonFacts, ...]:
        """The owners of these environments who can be reached, each once."""
        places = (policy.environments[name] for name in environments if name in policy.environments)
        names = tuple(dict.fromkeys(name for place in places for name in place.owners))
        groups = self._ctx.directory.groups(policy, names).last_known()
        people, _ = self._found(policy, groups, names, sorted(groups.members(names))[:DIRECT_MESSAGES_MAX])
        return tuple(people.values())

    def answerable(self, policy: Policy, request: Request) -> tuple[PersonFacts, ...]:
        """Who hears that something of this request fails: its owners, and, while it waits, who would have to approve; never the
        people who wait for it, who are told in words of their own.
        """
        environment = policy.environments.get(request.terms.environment)
        if environment is None:
            return ()
        entitlement = environment.entitlement(request.terms.role)
        waits = request.state is RequestState.PENDING and entitlement is not None
        words = (OWNERS, *(entitlement.approve if waits and entitlement else ()))
        names = groups_named(_scope(entitlement, environment), words)
        groups = self._ctx.directory.groups(policy, names).last_known()
        planned = sorted(groups.members(names) - set(request.parties))[:DIRECT_MESSAGES_MAX]
        people, _ = self._found(policy, groups, names, planned)
        return tuple(people.values())

    def _found(
        self, policy: Policy, groups: GroupFacts, names: Sequence[str], planned: Iterable[PersonId]
    ) -> tuple[dict[PersonId, PersonFacts], float | None]:
        """Those of them who can do something, and when to look again, where the chat has not said yet who somebody is."""
        found: dict[PersonId, PersonFacts] = {}
        again_s: list[float] = [] if groups.whole(names) else [LOOK_AGAIN_S]
        people = tuple(dict.fromkeys(planned))
        known = self._ctx.directory.of_people(people) if people else {}
        for who in people:
            try:
                facts = known.get(who) or looked_up(self._ctx, policy, who)
            except DirectoryUnreachable as problem:
                again_s.append(max(problem.after_s, LOOK_AGAIN_S))
                continue
            # Messages go to bound accounts alone, and to none that is on hold.
            if facts is not None and not facts.standing_problem and facts.suspended is None:
                found[facts.id] = self._where_open(facts)
        return found, min(again_s, default=None)

    def _sight(self, policy: Policy, entitlement: Entitlement | None, request: Request, names: Sequence[str]) -> _Sight:
        # Whoever was a member at the last good look is called, even while nobody can say who is one now.
        groups = with_delegations(self._ctx, self._ctx.directory.groups(policy, names)).last_known()
        groups = with_those_who_agreed(self._ctx, groups, request)
        out = frozenset({*request.parties, *(vote.by for vote in request.votes)})
        speakers = can_speak(policy, entitlement, request, groups) if entitlement else {}
        # Looking up hundreds of accounts by address would take all that the chat allows.
        planned = dict.fromkeys(list(speakers)[:DIRECT_MESSAGES_MAX])
        for name in names:
            planned.update(dict.fromkeys(sorted(groups.members((name,)) - out)[:DIRECT_MESSAGES_MAX]))
        people, again_s = self._found(policy, groups, names, planned)
        return _Sight(groups, people, out, speakers, self._away.among(people.values()), again_s)


def _calls(
    policy: Policy,
    environment: Environment,
    sight: _Sight,
    groups: Sequence[str],
    to: Sequence[str],
    reminded: Sequence[PersonFacts],
) -> CallsByChat:
    """Of `groups` by name, of `to` and `reminded`: in each chat in which something of the request may stand."""
    cards = frozenset(surface_of(channel) for channel in environment.approvals_channels)
    receipts = (surface_of(channel) for channel in policy.receipts_channels)
    theirs = (one.surface for facts in sight.people.values() for one in (facts.slack, *facts.elsewhere))
    found = {}
    for surface in dict.fromkeys((*cards, *receipts, *theirs)):
        mentions = {name: _mention(policy, name, sight, surface, cards) for name in dict.fromkeys(groups)}
        called = tuple(dict.fromkeys(one for name in to for one in mentions[name]))
        found[surface] = Calls(mentions, tuple(mention(facts, surface, cards) for facts in reminded), called)
    return CallsByChat(found)


def _mention(policy: Policy, name: str, sight: _Sight, surface: str, among: Collection[str]) -> tuple[Mention, ...]:
    """A user group as one where all of it can be called, else its people one by one."""
    group = policy.groups.get(name)
    members = sight.groups.members((name,))
    called = _callable(sight, members)
    if group is not None and group.slack_usergroup and surface == SLACK and set(called) >= members - sight.out:
        return (group.slack_usergroup,)
    found = (mention(facts, surface, among) for facts in _at_hand(sight, called))
    return tuple(dict.fromkeys(found))[: MENTIONS_MAX + 1]


def _deciders(policy: Policy, entitlement: Entitlement | None, request: Request, sight: _Sight) -> Deciders:
    def name(who: PersonId) -> str | None:
        return sight.people[who].name if who in sight.people else None

    return deciders_of(policy, entitlement, request, sight.groups, name) if entitlement else NOBODY


def _callable(sight: _Sight, members: frozenset[PersonId]) -> list[PersonId]:
    """Members, or who stands in for them. Where all are away, all are called: somebody has to be."""
    found: dict[PersonId, None] = {}
    for who in sorted(members - sight.out):
        delegation = sight.groups.delegate_of(who)
        stands_in = delegation is not None and sight.speakers.get(delegation.to) in (who, delegation.to)
        found[delegation.to if delegation is not None and stands_in else who] = None
    present = [who for who in found if who not in sight.away]
    return present or list(found)


def _at_hand(sight: _Sight, people: Sequence[PersonId]) -> list[PersonFacts]:
    """Without those who are away unless all are."""
    found = [sight.people[who] for who in people if who in sight.people]
    return [facts for facts in found if facts.id not in sight.away and not _handed_over(sight, facts.id)] or found


def _handed_over(sight: _Sight, who: PersonId) -> bool:
    delegation = sight.groups.delegate_of(who)
    return delegation is not None and sight.speakers.get(delegation.to) == who


def _stand_ins(sight: _Sight) -> tuple[StandIn, ...]:
    found = []
    for who, right in sight.speakers.items():
        delegation = sight.groups.delegate_of(right)
        if who != right and delegation is not None:
            found.append(StandIn(delegation.to_name, delegation.by_name or str(right), delegation.until))
    return tuple(found)


def _opened(request: Request) -> set[PersonId]:
    """Who opened it for a pipeline, in an emergency."""
    emergency = request.gate.emergency if request.gate is not None else None
    return {emergency.by} if emergency is not None else set()


def _scope(entitlement: Entitlement | None, environment: Environment) -> Entitlement | Environment:
    return entitlement if entitlement is not None else environment

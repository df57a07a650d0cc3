"""Who is meant by what was typed, what people are called, and who has to agree: as far as it is known without asking."""

from __future__ import annotations

from collections.abc import Iterable

from bot.chat.commands.model import Whom
from bot.chat.views.deciders import NOBODY, Deciders, NameOf, deciders_for, deciders_of, name_from
from bot.chat.views.read_model import Seen
from workflows.core.identity import address_of
from workflows.core.people import Account, GroupFacts, PersonFacts, PersonId
from workflows.core.policy import Entitlement, Policy
from workflows.core.refusal import Code, Refused
from workflows.core.rules.account_confirmation import Held
from workflows.core.rules.approvers import can_speak
from workflows.core.rules.break_glass import who_may
from workflows.core.rules.groups import approvers, groups_named, groups_needed, might_break_glass
from workflows.ports import PolicyUnavailable
from workflows.usecases.identity.confirm_account import holds_about
from workflows.usecases.shared.actor import Actor
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.delegations import with_delegations
from workflows.usecases.shared.parties import with_those_who_agreed


class PeopleQueries:
    """Reads the directory's last good look and asks nobody."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def deciders(self, seen: Seen, actor: Actor | None = None) -> Deciders:
        """Who has to agree to a request and has not, as far as they are known. `actor`: who has just asked."""
        try:
            policy = self._ctx.policy.current()
        except PolicyUnavailable:
            return NOBODY
        terms = seen.request.terms
        role = policy.entitlement(terms.environment, terms.role)
        if role is None:
            return NOBODY
        names = groups_needed(policy, policy.environments[role.environment])
        groups = _just_known(policy, names, actor) or with_delegations(
            self._ctx, self._ctx.directory.groups(policy, names)
        )
        groups = with_those_who_agreed(self._ctx, groups, seen.request)
        able = can_speak(policy, role, seen.request, groups)
        return deciders_of(policy, role, seen.request, groups, self.called((*able, *able.values())))

    def would_decide(self, policy: Policy, role: Entitlement, requester: PersonId, holder: PersonId) -> Deciders:
        """The same before it is asked for: whom the policy lists, for nobody is asked yet."""
        groups = self._ctx.directory.groups(policy, groups_needed(policy, policy.environments[role.environment]))
        able = approvers(policy, role, (requester, holder), groups)
        names = self.called({who for members in able.values() for who in members}, listed=True)
        return deciders_for(policy, role, requester, holder, groups, names)

    def called(self, people: Iterable[PersonId], *, listed: bool = False) -> NameOf:
        """What each of them is called; nobody where they may do nothing (a guest, somebody who has left), and where nobody has
        looked yet whether there is such an account at all. `listed`: then by their address, as the policy lists them.
        """
        facts_of = self._ctx.directory.of_people(sorted(set(people)))

        def name(who: PersonId) -> str | None:
            facts = facts_of.get(who)
            if facts is None:
                return name_from(who) if listed else None
            return None if facts.standing_problem else facts.name

        return name

    def rule_may_approve(self, seen: Seen, actor: Actor | None = None) -> bool:
        """Whether a rule of the policy is for this holder; its other conditions are looked at by a worker."""
        policy, request = self._ctx.policy.current(), seen.request
        role = policy.entitlement(request.terms.environment, request.terms.role)
        names = groups_named(role, tuple(who for rule in role.auto_approve for who in rule.who)) if role else ()
        groups = _just_known(policy, names, actor) or self._ctx.directory.groups(policy, names)
        return groups.surely(request.holder, names)

    def may_break_glass(self, who: Account) -> tuple[str, ...]:
        """Environments where this account may break the glass, as far as that is known without asking anybody."""
        try:
            policy = self._ctx.policy.current()
        except PolicyUnavailable:
            return ()
        person = self._ctx.directory.person(who)
        return self.break_glass_open_to(policy, person.id) if person and not person.standing_problem else ()

    def break_glass_open_to(self, policy: Policy, person: PersonId) -> tuple[str, ...]:
        places = [place for place in policy.environments.values() if place.break_glass]
        names = {name for place in places for name in who_may(place)}
        groups = self._ctx.directory.groups(policy, names)
        return tuple(
            place.name
            for place in places
            if any(might_break_glass(policy, place, r, person, groups) for r in place.roles)
        )

    def person_meant(self, whom: Whom, actor: Actor) -> PersonId | Refused:
        """Whom a command means: mentioned, or by the whole address."""
        person = self.somebody(whom, actor)
        return person.id if person is not None else nobody_known(whom)

    def unfit_holder(self, whom: Whom, actor: Actor) -> Refused | None:
        """Why nobody asks for the account that was named: it may do nothing itself, or nobody knows whose it is."""
        person = self.somebody(whom, actor)
        why = (person.standing_problem or (person.suspended and Code.PERSON_SUSPENDED.value)) if person else None
        return Refused(Code.HOLDER_UNFIT, {"name": person.name, "why": why}) if person and why else None

    def names(self, people: Iterable[PersonId]) -> list[str]:
        ordered = sorted(people)
        name_of = self.called(ordered, listed=True)
        return [name for who in ordered if (name := name_of(who))]

    def holds_meant(self, whom: Whom, actor: Actor) -> tuple[Held, ...]:
        """The accounts on hold that a command can mean: mentioned, or by an address that it has, had or claims."""
        address = None if whom.user else address_of(whom.text, actor.policy.former_domains)
        person = self.somebody(whom, actor) if whom.user else None
        if person is None and address is None:
            return ()
        return holds_about(self._ctx, person, address, actor.policy.former_domains)

    def somebody(self, whom: Whom | None, actor: Actor) -> PersonFacts | None:
        if whom is None:
            return actor.person
        if whom.user:
            return self._ctx.directory.person(actor.person.colleague(whom.user))
        address = address_of(whom.text, actor.policy.former_domains)
        return self._ctx.directory.by_address(address, actor.policy.former_domains) if address is not None else None


def _just_known(policy: Policy, names: Iterable[str], actor: Actor | None) -> GroupFacts | None:
    """The groups on which was decided what this actor asked for, where they are all that it takes."""
    if actor is None or actor.policy.hash != policy.hash or not actor.groups.by_name.keys() >= set(names):
        return None
    return actor.groups


def nobody_known(whom: Whom | None) -> Refused:
    params = {"name": whom.text if whom else "", "mentioned": "yes" if whom and whom.user else ""}
    return Refused(Code.PERSON_UNKNOWN, params, audited=False)

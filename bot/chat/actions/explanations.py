"""Why somebody may or may not have a role, and who could agree to it."""

from __future__ import annotations

from dataclasses import replace

from bot.chat.actions.people_queries import PeopleQueries, nobody_known
from bot.chat.commands.model import Whom
from bot.chat.message import Message
from bot.chat.messages import lists
from bot.chat.views.deciders import Deciders
from bot.chat.views.overviews import Explanation, explanation
from bot.chat.views.read_model import Seen
from workflows.core.people import PersonFacts
from workflows.core.policy import Entitlement, Policy
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask, find_entitlement, may_ask
from workflows.core.rules.groups import groups_needed, may_break_glass
from workflows.usecases.shared.actor import Actor
from workflows.usecases.shared.context import Context


class Explanations:
    """`command` is the slash command's name, as it is typed."""

    def __init__(self, ctx: Context, people: PeopleQueries, command: str) -> None:
        self._ctx = ctx
        self._people = people
        self._command = command

    def explain(self, environment: str, role: str, whom: Whom | None, actor: Actor) -> Message | Refused:
        found = find_entitlement(actor.policy, environment, role)
        if isinstance(found, Refused):
            return found
        person = self._people.somebody(whom, actor)
        if person is None:
            return nobody_known(whom)
        return self._explained(actor, found, person)

    def explain_request(self, id_: str, seen: Seen | None, actor: Actor) -> Message | Refused:
        """From the card's menu: who may approve this request, and why."""
        terms = seen.request.terms if seen else None
        role = actor.policy.entitlement(terms.environment, terms.role) if terms else None
        if seen is None or role is None:
            return Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False)
        holder = self._ctx.directory.of_person(seen.request.holder) or actor.person
        return self._explained(actor, role, holder, asked=seen)

    def _explained(
        self, actor: Actor, role: Entitlement, person: PersonFacts, asked: Seen | None = None
    ) -> Message | Refused:
        reader = actor.person
        found = self.explanation(
            actor.policy, role, person, itself=person.id == reader.id, asked=asked, zone=reader.time_zone
        )
        return found if isinstance(found, Refused) else lists.explain(found)

    def explanation(
        self,
        policy: Policy,
        role: Entitlement,
        person: PersonFacts,
        *,
        itself: bool,
        asked: Seen | None = None,
        zone: str = "",
    ) -> Explanation | Refused:
        """Who could approve it, under which rules, and why this person may or may not ask; or that nobody knows yet.

        `asked`: the request that it is about, where there is one; `zone`: the reader's time zone.
        """
        place = policy.environments[role.environment]
        groups = self._ctx.directory.groups(policy, groups_needed(policy, place))
        ask = Ask(role.environment, role.role, None, "to explain")
        answer = may_ask(_without_ticket(policy, role), ask, person, person.id, groups, self._ctx.ledger.now())
        if isinstance(answer, Refused) and answer.code is Code.NOT_KNOWN_YET:
            return answer
        return explanation(
            place,
            role,
            answer,
            who="You" if itself else person.name,
            deciders=self._people.deciders(asked) if asked else self.would_decide(policy, role, person),
            command=self._command,
            time_zone=zone or policy.timezone,
            policy_zone=policy.timezone,
            now=self._ctx.ledger.now(),
            break_glass=place.break_glass if may_break_glass(policy, place, role.role, person.id, groups) else None,
        )

    def would_decide(self, policy: Policy, role: Entitlement, person: PersonFacts) -> Deciders:
        """Who would have to agree, were it asked for by this person."""
        return self._people.would_decide(policy, role, person.id, person.id)


def _without_ticket(policy: Policy, role: Entitlement) -> Policy:
    """To explain rights, not to check a ticket that nobody has typed."""
    place = policy.environments[role.environment]
    free = replace(place, roles={**place.roles, role.role: replace(role, ticket=None)})
    return replace(policy, environments={**policy.environments, place.name: free})

"""Whom a card calls: the Slack accounts behind the groups that may approve, never the requester."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.slack.people import SlackRefresher
from bot.slack.text import MENTIONS_MAX, Mentions
from workflows.context import WorkerContext
from workflows.core.model import Request
from workflows.core.people import PersonFacts, PersonId
from workflows.core.policy import OWNERS, Entitlement, Environment, Policy
from workflows.core.scope import groups_named

# More direct messages than this, for a card without a channel, is a nuisance and not a help.
DIRECT_MESSAGES_MAX = 20


@dataclass(frozen=True, slots=True)
class WhomToAsk:
    """`mentions` by group; `ids` and `names` of the people who may approve this request."""

    mentions: Mentions
    ids: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overseers:
    """`people`: owners and security; `security` by itself."""

    people: tuple[PersonFacts, ...] = ()
    security: tuple[PersonFacts, ...] = ()


class Mentioner:
    def __init__(self, ctx: WorkerContext, refresher: SlackRefresher) -> None:
        self._ctx = ctx
        self._refresher = refresher

    def whom_to_ask(self, policy: Policy, environment: Environment, request: Request) -> WhomToAsk:
        """Accounts that are not known yet are looked up by address, once."""
        entitlement = environment.roles.get(request.terms.role)
        words = tuple(entitlement.approve) if entitlement else (OWNERS,)
        names = groups_named(_scope(entitlement, environment), (*words, OWNERS))
        # Who has agreed already has nothing left to do.
        excluded = {request.requester, request.holder, *(vote.by for vote in request.votes)}
        members = self._members(policy, names, excluded)
        mentions = {name: self._mention(policy, name, members[name]) for name in names}
        may = groups_named(_scope(entitlement, environment), words)
        people = {facts.id: facts for name in may for facts in members[name]}
        return WhomToAsk(
            mentions,
            tuple(facts.slack.user for facts in people.values())[:DIRECT_MESSAGES_MAX],
            tuple(facts.name for facts in people.values()),
        )

    def overseers(self, policy: Policy, environment: Environment, request: Request) -> Overseers:
        """Who is told of a break-glass directly and may review it: never the holder."""
        panic = (policy.panic_group,) if policy.panic_group else ()
        members = self._members(policy, (*environment.owners, *panic), {request.requester, request.holder})
        people = {facts.id: facts for found in members.values() for facts in found}
        return Overseers(tuple(people.values()), tuple(facts for name in panic for facts in members[name]))

    def _members(
        self, policy: Policy, names: tuple[str, ...], excluded: set[PersonId]
    ) -> Mapping[str, tuple[PersonFacts, ...]]:
        groups = self._ctx.directory.groups(policy, names)
        found: dict[str, tuple[PersonFacts, ...]] = {}
        for name in names:
            membership = groups.by_name.get(name)
            people = sorted((membership.members if membership else frozenset()) - excluded)[:DIRECT_MESSAGES_MAX]
            known = (self._refresher.find(address, policy) for address in people)
            found[name] = tuple(facts for facts in known if facts is not None and not facts.standing_problem)
        return found

    def _mention(self, policy: Policy, name: str, members: tuple[PersonFacts, ...]) -> tuple[str, ...]:
        group = policy.groups.get(name)
        if group is not None and group.slack_usergroup:
            return (group.slack_usergroup,)
        return tuple(facts.slack.user for facts in members)[: MENTIONS_MAX + 1]


def _scope(entitlement: Entitlement | None, environment: Environment) -> Entitlement | Environment:
    return entitlement if entitlement is not None else environment

"""What somebody may look at: lists, one request, who owns what, and why they may or may not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.chat.commands.model import Command, Envs, Explain, History, List, Mine, Pending, RevokeAll, Show, Who, Whom
from bot.chat.message import Message
from bot.chat.messages import lists
from bot.chat.messages.revoke_all import confirm_first
from bot.chat.views.deciders import NOBODY, Deciders, NameOf, deciders_for, deciders_of
from bot.chat.views.overviews import Explanation, HomeView, explanation
from bot.chat.views.read_model import SHOWN_MAX, Reader, Seen
from bot.chat.views.request_view import RequestView, seen_by
from bot.chat.wording.labels import Stage
from workflows.core import keys
from workflows.core.identity import address_of
from workflows.core.people import Account, PersonFacts, PersonId
from workflows.core.policy import Entitlement, Environment, Policy
from workflows.core.refusal import Code, Refused
from workflows.core.rules.account_confirmation import Held
from workflows.core.rules.approvers import can_speak
from workflows.core.rules.break_glass import who_may
from workflows.core.rules.eligibility import Ask, clean, find_entitlement, may_ask
from workflows.core.rules.groups import approvers, groups_named, groups_needed, may_break_glass, might_break_glass
from workflows.ports import PolicyUnavailable
from workflows.usecases.identity.confirm_account import holds_about
from workflows.usecases.revocation.revoke_all import RevocationScope, aim_at, in_reach, may_revoke_all, nothing_there
from workflows.usecases.shared.actor import Actor, known
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.delegations import with_delegations
from workflows.usecases.shared.parties import with_those_who_agreed

# As many as one reads at a glance; the audit log has all.
HISTORY_MAX = 20


class Queries:
    """`command` is the slash command's name, as it is typed."""

    def __init__(self, ctx: Context, command: str) -> None:
        self._ctx = ctx
        self._command = command
        self.reader = Reader(ctx)

    def look(self, parsed: Command, actor: Actor) -> Message | Refused:
        """The answer to a command that only looks. FACTS_STALE where a worker has to look first."""
        policy = actor.policy
        match parsed:
            case Show(id_):
                return self._show(id_, actor)
            case List(environment):
                return self._list(environment, actor)
            case Mine():
                home = self.home(actor.person.slack)
                return home if isinstance(home, Refused) else lists.mine(home, self._command)
            case Pending():
                page = self.reader.pending(policy)
                agreed = self._visible(actor, self.reader.agreed(policy).views)
                return lists.pending(self._visible(actor, page.views), page.more, self._command, agreed)
            case History(term):
                return self._history(term, actor)
            case Envs():
                return lists.environments(tuple(policy.environments.values()), self._command)
            case Who(environment):
                return self._who(environment, actor)
            case Explain(environment, role, whom):
                return self._explain(environment, role, whom, actor)
        raise AssertionError(f"no way to look at {type(parsed).__name__}")

    # ------------------------------------------------------------ requests

    def seen(self, id_: str) -> Seen | None:
        """One request as it is shown, whatever becomes of the policy."""
        try:
            return self.reader.one(id_, self._ctx.policy.current())
        except PolicyUnavailable:
            return self.reader.one(id_, None)

    def _show(self, id_: str, actor: Actor) -> Message | Refused:
        seen = self.reader.one(id_, actor.policy)
        if seen is None:
            return Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False)
        (view,) = self._visible(actor, (seen.view,))
        names = {seen.request.holder: seen.request.holder_name, seen.request.requester: seen.request.requester_name}
        deciders = self.deciders(seen) if view.stage is Stage.WAITING and not view.hidden else NOBODY
        return lists.show(view, self._ctx.ledger.entries_of(id_), names, deciders)

    def _list(self, environment: str | None, actor: Actor) -> Message | Refused:
        if environment is not None and environment not in actor.policy.environments:
            return _no_environment(actor.policy, environment)
        places = (environment,) if environment else None
        page, later = self.reader.live(actor.policy, places), self.reader.agreed(actor.policy, places)
        agreed = self._visible(actor, later.views)
        return lists.active_list(self._visible(actor, page.views), environment, page.more, agreed, page.unread)

    def _history(self, term: Whom | None, actor: Actor) -> Message | Refused:
        """What was asked and what became of it, the newest first; of everything, one environment or one person."""
        if term is None:
            return self._past(keys.RECENT, "", actor)
        name = term.text.strip().lower()
        if name in actor.policy.environments:
            return self._past(keys.of_environment(keys.RECENT, name), f"in {name}", actor)
        if not term.user and "@" not in name:
            return _no_environment(actor.policy, term.text)
        person = self._somebody(term, actor)
        if person is None:
            return _nobody_known(term)
        whose = "you" if person.id == actor.person.id else person.name
        return self._past(keys.of_person(keys.RECENT, person.id), f"of {whose}", actor)

    def _past(self, index: str, which: str, actor: Actor) -> Message:
        page = self.reader.past(index, actor.policy, limit=HISTORY_MAX)
        return lists.history(self._visible(actor, page.views), which, page.more)

    def home(self, who: Account) -> HomeView | Refused:
        """Somebody's own page."""

        def groups(policy: Policy) -> set[str]:
            return {name for place in policy.environments.values() for name in groups_needed(policy, place)}

        actor = known(self._ctx, who, groups, on_hold=True)
        return actor if isinstance(actor, Refused) else self.reader.home(actor.policy, actor.person, actor.groups)

    def _visible(self, actor: Actor, views: tuple[RequestView, ...]) -> tuple[RequestView, ...]:
        """Where an environment is hidden from outsiders, only its own people see who and why."""
        places = {view.environment: actor.policy.environments.get(view.environment) for view in views}
        inside = {name: self._is_inside(actor, place) for name, place in places.items()}
        return tuple(seen_by(view, places[view.environment], member=inside[view.environment]) for view in views)

    def _is_inside(self, actor: Actor, environment: Environment | None) -> bool:
        if environment is None:
            return False
        names = (*environment.owners, *environment.requesters, *actor.policy.security)
        return self._ctx.directory.groups(actor.policy, names).surely(actor.person.id, names)

    # ------------------------------------------------------------ people

    def deciders(self, seen: Seen) -> Deciders:
        """Who has to agree to a request and has not, as far as they are known."""
        try:
            policy = self._ctx.policy.current()
        except PolicyUnavailable:
            return NOBODY
        terms = seen.request.terms
        role = policy.entitlement(terms.environment, terms.role)
        if role is None:
            return NOBODY
        names = groups_needed(policy, policy.environments[role.environment])
        groups = with_delegations(self._ctx, self._ctx.directory.groups(policy, names))
        groups = with_those_who_agreed(self._ctx, groups, seen.request)
        able = can_speak(policy, role, seen.request, groups)
        return deciders_of(policy, role, seen.request, groups, self._called((*able, *able.values())))

    def would_decide(self, policy: Policy, role: Entitlement, requester: PersonId, holder: PersonId) -> Deciders:
        """The same before it is asked for: whom the policy lists, for nobody is asked yet."""
        groups = self._ctx.directory.groups(policy, groups_needed(policy, policy.environments[role.environment]))
        able = approvers(policy, role, requester, holder, groups)
        names = self._called({who for members in able.values() for who in members}, listed=True)
        return deciders_for(policy, role, requester, holder, groups, names)

    def _called(self, people: Iterable[PersonId], *, listed: bool = False) -> NameOf:
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

    def rule_may_approve(self, seen: Seen) -> bool:
        """Whether a rule of the policy is for this holder; its other conditions are looked at by a worker."""
        policy, request = self._ctx.policy.current(), seen.request
        role = policy.entitlement(request.terms.environment, request.terms.role)
        names = groups_named(role, tuple(who for rule in role.auto_approve for who in rule.who)) if role else ()
        return self._ctx.directory.groups(policy, names).surely(request.holder, names)

    def example(self) -> str:
        """An environment and a role that there are, for the help."""
        try:
            places = self._ctx.policy.current().environments.values()
        except PolicyUnavailable:
            return "payments-prod read-only"
        return next((f"{place.name} {role}" for place in places for role in place.roles), "payments-prod read-only")

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
        person = self._somebody(whom, actor)
        return person.id if person is not None else _nobody_known(whom)

    def unfit_holder(self, whom: Whom, actor: Actor) -> Refused | None:
        """Why nobody asks for the account that was named: it may do nothing itself, or nobody knows whose it is."""
        person = self._somebody(whom, actor)
        why = (person.standing_problem or (person.suspended and Code.PERSON_SUSPENDED.value)) if person else None
        return Refused(Code.HOLDER_UNFIT, {"name": person.name, "why": why}) if person and why else None

    def _names(self, people: Iterable[PersonId]) -> list[str]:
        ordered = sorted(people)
        name_of = self._called(ordered, listed=True)
        return [name for who in ordered if (name := name_of(who))]

    def _who(self, name: str, actor: Actor) -> Message | Refused:
        environment = actor.policy.environments.get(name)
        if environment is None:
            return _no_environment(actor.policy, name)
        groups = self._ctx.directory.groups(actor.policy, (*environment.owners, *environment.requesters))

        def named(names: tuple[str, ...]) -> dict[str, list[str]]:
            # As of the last good look; beside it stands what is wrong.
            known_once = groups.last_known()
            return {name: self._names(known_once.members((name,))) for name in names}

        problems = dict(groups.problems((*environment.owners, *environment.requesters)))
        break_glass = (
            environment.break_glass if name in self.break_glass_open_to(actor.policy, actor.person.id) else None
        )
        return lists.who(
            environment, named(environment.owners), named(environment.requesters), problems, break_glass, self._command
        )

    # ------------------------------------------------------------ the panic switch

    def would_revoke(self, parsed: RevokeAll, actor: Actor, able: Actor) -> Message | Refused:
        """What the panic switch would take back, before it is pressed. `able`: the actor, with the groups that may press it."""
        scope = self._aim(parsed, actor)
        effective_scope = scope if isinstance(scope, Refused) else may_revoke_all(able, scope)
        if isinstance(scope, Refused) or isinstance(effective_scope, Refused):
            return effective_scope if isinstance(effective_scope, Refused) else nothing_there(RevocationScope())
        ids = in_reach(self._ctx, scope, effective_scope)
        if not ids and effective_scope.block is None:
            return nothing_there(scope)
        views = self.reader.some(ids[:SHOWN_MAX], actor.policy)
        return confirm_first(scope, effective_scope, self._visible(actor, views), clean(parsed.reason))

    def _aim(self, parsed: RevokeAll, actor: Actor) -> RevocationScope | Refused:
        if parsed.environment is not None:
            known_ = parsed.environment in actor.policy.environments
            return (
                RevocationScope(environment=parsed.environment)
                if known_
                else _no_environment(actor.policy, parsed.environment)
            )
        person = self._somebody(parsed.whom, actor)
        return aim_at(self._ctx, person) if person else _nobody_known(parsed.whom)

    # ------------------------------------------------------------ explain

    def _explain(self, environment: str, role: str, whom: Whom | None, actor: Actor) -> Message | Refused:
        found = find_entitlement(actor.policy, environment, role)
        if isinstance(found, Refused):
            return found
        person = self._somebody(whom, actor)
        if person is None:
            return _nobody_known(whom)
        return self._explained(actor, found, person)

    def explain_request(self, id_: str, actor: Actor) -> Message | Refused:
        """From the card's menu: who may approve this request, and why."""
        seen = self.seen(id_)
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
            deciders=self.deciders(asked) if asked else self.would_decide(policy, role, person.id, person.id),
            command=self._command,
            time_zone=zone or policy.timezone,
            policy_zone=policy.timezone,
            break_glass=place.break_glass if may_break_glass(policy, place, role.role, person.id, groups) else None,
        )

    def holds_meant(self, whom: Whom, actor: Actor) -> tuple[Held, ...]:
        """The accounts on hold that a command can mean: mentioned, or by an address that it has, had or claims."""
        address = None if whom.user else address_of(whom.text, actor.policy.former_domains)
        person = self._somebody(whom, actor) if whom.user else None
        if person is None and address is None:
            return ()
        return holds_about(self._ctx, person, address, actor.policy.former_domains)

    def _somebody(self, whom: Whom | None, actor: Actor) -> PersonFacts | None:
        if whom is None:
            return actor.person
        if whom.user:
            return self._ctx.directory.person(actor.person.colleague(whom.user))
        address = address_of(whom.text, actor.policy.former_domains)
        return self._ctx.directory.by_address(address, actor.policy.former_domains) if address is not None else None


def name_from(address: PersonId) -> str:
    """What to call somebody whom the chat has not introduced yet: `dana.dev@example.com` is Dana Dev."""
    return " ".join(part.capitalize() for part in address.partition("@")[0].replace(".", " ").split())


def _nobody_known(whom: Whom | None) -> Refused:
    params = {"name": whom.text if whom else "", "mentioned": "yes" if whom and whom.user else ""}
    return Refused(Code.PERSON_UNKNOWN, params, audited=False)


def _no_environment(policy: Policy, name: str) -> Refused:
    found = find_entitlement(policy, name, "")
    return found if isinstance(found, Refused) else Refused(Code.ENVIRONMENT_UNKNOWN, {"name": name}, audited=False)


def _without_ticket(policy: Policy, role: Entitlement) -> Policy:
    """To explain rights, not to check a ticket that nobody has typed."""
    place = policy.environments[role.environment]
    free = replace(place, roles={**place.roles, role.role: replace(role, ticket=None)})
    return replace(policy, environments={**policy.environments, place.name: free})

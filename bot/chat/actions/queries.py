"""What somebody may look at: lists, one request, their home, who owns what, and what the panic switch would reach."""

from __future__ import annotations

from bot.chat.actions.explanations import Explanations
from bot.chat.actions.people_queries import PeopleQueries, nobody_known
from bot.chat.commands.model import Command, Envs, Explain, History, List, Mine, Pending, RevokeAll, Show, Who, Whom
from bot.chat.message import Message
from bot.chat.messages import lists
from bot.chat.messages.revoke_all import confirm_first
from bot.chat.views.deciders import NOBODY
from bot.chat.views.home_reader import HomeReader
from bot.chat.views.home_view import HomeView
from bot.chat.views.read_model import SHOWN_MAX, Reader, Seen
from bot.chat.views.request_view import RequestView, seen_by
from bot.chat.wording.labels import Stage
from workflows.core import keys
from workflows.core.people import Account
from workflows.core.policy import Environment, Policy
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import clean, find_entitlement
from workflows.core.rules.groups import groups_needed
from workflows.ports import PolicyUnavailable
from workflows.usecases.revocation.revoke_all import RevocationScope, aim_at, in_reach, may_revoke_all, nothing_there
from workflows.usecases.shared.actor import Actor, known
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.left import left_before

# As many as one reads at a glance; the audit log has all.
HISTORY_MAX = 20


class Queries:
    """`command` is the slash command's name, as it is typed."""

    def __init__(self, ctx: Context, command: str) -> None:
        self._ctx = ctx
        self._command = command
        self.reader = Reader(ctx)
        self.people = PeopleQueries(ctx)
        self.explanations = Explanations(ctx, self.people, command)

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
                return self.explanations.explain(environment, role, whom, actor)
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
        deciders = self.people.deciders(seen) if view.stage is Stage.WAITING and not view.hidden else NOBODY
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
        person = self.people.somebody(term, actor)
        if person is None:
            return nobody_known(term)
        whose = "you" if person.id == actor.person.id else person.name
        return self._past(keys.of_person(keys.RECENT, person.id), f"of {whose}", actor)

    def _past(self, index: str, which: str, actor: Actor) -> Message:
        page = self.reader.past(index, actor.policy, limit=HISTORY_MAX)
        # Whoever has come to the end of the list wants to know whether it is the beginning.
        before = None if page.more else left_before(self._ctx.ledger)
        return lists.history(self._visible(actor, page.views), which, page.more, before)

    def home(self, who: Account) -> HomeView | Refused:
        """Somebody's own page."""

        def groups(policy: Policy) -> set[str]:
            return {name for place in policy.environments.values() for name in groups_needed(policy, place)}

        actor = known(self._ctx, who, groups, on_hold=True)
        if isinstance(actor, Refused):
            return actor
        return HomeReader(self._ctx, self.reader).home(actor.policy, actor.person, actor.groups)

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

    def explain_request(self, id_: str, actor: Actor) -> Message | Refused:
        """From the card's menu: who may approve this request, and why."""
        return self.explanations.explain_request(id_, self.seen(id_), actor)

    # ------------------------------------------------------------ environments

    def example(self) -> str:
        """An environment and a role that there are, for the help."""
        try:
            places = self._ctx.policy.current().environments.values()
        except PolicyUnavailable:
            return "payments-prod read-only"
        return next((f"{place.name} {role}" for place in places for role in place.roles), "payments-prod read-only")

    def _who(self, name: str, actor: Actor) -> Message | Refused:
        environment = actor.policy.environments.get(name)
        if environment is None:
            return _no_environment(actor.policy, name)
        groups = self._ctx.directory.groups(actor.policy, (*environment.owners, *environment.requesters))

        def named(names: tuple[str, ...]) -> dict[str, list[str]]:
            # As of the last good look; beside it stands what is wrong.
            known_once = groups.last_known()
            return {name: self.people.names(known_once.members((name,))) for name in names}

        problems = dict(groups.problems((*environment.owners, *environment.requesters)))
        break_glass = (
            environment.break_glass if name in self.people.break_glass_open_to(actor.policy, actor.person.id) else None
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
        person = self.people.somebody(parsed.whom, actor)
        return aim_at(self._ctx, person) if person else nobody_known(parsed.whom)


def _no_environment(policy: Policy, name: str) -> Refused:
    found = find_entitlement(policy, name, "")
    return found if isinstance(found, Refused) else Refused(Code.ENVIRONMENT_UNKNOWN, {"name": name}, audited=False)

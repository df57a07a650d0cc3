"""Carries out what somebody did in chat: calls the use case, and says in one sentence what came of it.

The same code serves the web process, which answers at once where facts are fresh, and a worker, which looks first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from bot.overviews import Explanation, HomeStory, explanation
from bot.reader import Reader, Seen
from bot.slack import lists, notices
from bot.slack.blocks import Message, read_value
from bot.slack.cards import APPROVE, MORE, read_more
from bot.slack.cards import END as END_ACTION
from bot.slack.commands import parse
from bot.slack.help import help_message, not_offered_yet
from bot.slack.home import WITHDRAW
from bot.slack.interaction import COMMAND, DENY, END, FORM, PRESS, Interaction
from bot.slack.meant import (
    Approve,
    Ask,
    Command,
    Deny,
    End,
    Envs,
    Explain,
    Help,
    List,
    Mine,
    Pending,
    Show,
    Who,
    Whom,
    Withdraw,
)
from bot.story import RequestStory, seen_by
from bot.words import refusal
from workflows.context import Context, Done
from workflows.core.asking import Ask as CoreAsk
from workflows.core.asking import find_entitlement, may_ask
from workflows.core.errors import Code, Refused
from workflows.core.people import PersonFacts, PersonId, SlackUser
from workflows.core.policy import Entitlement, Environment, Policy
from workflows.core.scope import approvers, groups_needed
from workflows.end import end
from workflows.people import Known, known, nobody
from workflows.ports import PolicyUnavailable
from workflows.refusals import record_refusal
from workflows.request import ask_for_access
from workflows.review import approve, deny, withdraw

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reply:
    """What the actor alone is shown; nothing where their own card changes in place. `refused` tells forms where it belongs."""

    message: Message | None = None
    refused: Refused | None = None


class FactsStale(Exception):
    """Nobody knows freshly enough who this is: a worker has to look."""


class Desk:
    """`command` is the slash command's name, as it is typed."""

    def __init__(self, ctx: Context, command: str) -> None:
        self._ctx = ctx
        self._command = command
        self.reader = Reader(ctx)

    # ------------------------------------------------------------ entry

    def carry_out(self, act: Interaction) -> Reply:
        """Do it, and say what came of it. Raises FactsStale, LedgerUnreachable."""
        kinds = {
            COMMAND: self._command_line,
            PRESS: self._press,
            FORM: self._form,
            DENY: self._denied,
            END: self._ended,
        }
        return kinds[act.kind](act)

    def parse(self, text: str) -> Command | Refused:
        """What a typed line means, under the environments that there are."""
        try:
            environments = tuple(self._ctx.policy.current().environments)
        except PolicyUnavailable:
            environments = ()
        return parse(text, environments)

    def refuse(self, act: Interaction, refused: Refused, subject: str = "-") -> Reply:
        """One sentence to the actor, one entry on the record."""
        if refused.code is Code.FACTS_STALE:
            raise FactsStale
        facts = self._ctx.directory.person(act.who)
        actor = facts.id if facts else PersonId(f"slack:{act.team}:{act.user}")
        record_refusal(self._ctx, actor, subject, refused, act.id)
        zone = facts.time_zone if facts else "UTC"
        return Reply(notices.answer(refusal(refused, command=self._command, time_zone=zone)), refused)

    # ------------------------------------------------------------ what was typed

    def _command_line(self, act: Interaction) -> Reply:
        meant = self.parse(act.text)
        if isinstance(meant, Refused):
            return self.refuse(act, meant)
        if isinstance(meant, Help):
            return Reply(help_message(meant.topic, self._command))
        if type(meant).__name__ in LATER:
            return Reply(notices.answer(not_offered_yet(LATER[type(meant).__name__], self._command)))
        actor = known(self._ctx, act.who, nobody)
        if isinstance(actor, Refused):
            return self.refuse(act, actor)
        if actor.person.standing_problem:
            return self.refuse(act, Refused(Code(actor.person.standing_problem)))
        return self._typed(act, meant, actor)

    def _typed(self, act: Interaction, meant: Command, actor: Known) -> Reply:
        match meant:
            case Ask(environment, role, duration, reason):
                return self._ask(act, CoreAsk(environment, role, duration, reason))
            case Approve(id_):
                return self._said(act, id_, approve(self._ctx, id_, act.who, act.id))
            case Deny(id_, reason):
                return self._said(act, id_, deny(self._ctx, id_, act.who, reason, act.id))
            case Withdraw(id_):
                return self._said(act, id_, withdraw(self._ctx, id_, act.who, act.id))
            case End(id_, reason):
                return self._said(act, id_, end(self._ctx, id_, act.who, reason, act.id))
            case _:
                return self._look(act, meant, actor)

    def _look(self, act: Interaction, meant: Command, actor: Known) -> Reply:
        policy = actor.policy
        match meant:
            case Show(id_):
                return self._show(act, id_, policy)
            case List(environment):
                return self._list(act, environment, policy)
            case Mine():
                return Reply(lists.mine(self.home(act.who), self._command))
            case Pending():
                page = self.reader.pending(policy)
                return Reply(lists.pending(self._visible(act, page.stories, policy), page.more, self._command))
            case Envs():
                return Reply(lists.environments(tuple(policy.environments.values()), self._command))
            case Who(environment):
                return self._who(act, environment, policy)
            case Explain(environment, role, whom):
                return self._explain(act, environment, role, whom, actor)
        raise AssertionError(f"no way to carry out {type(meant).__name__}")

    # ------------------------------------------------------------ asking

    def _ask(self, act: Interaction, ask: CoreAsk) -> Reply:
        answer = ask_for_access(self._ctx, ask, act.who, act.origin, act.id)
        if isinstance(answer, Refused):
            return self.refuse(act, answer)
        seen = self._seen(answer.id)
        if seen is None:
            return Reply()
        if answer.outcome == "have_it":
            return Reply(notices.have_it(seen.story))
        if act.kind == FORM:
            # The form's answer is a direct message, which the sender keeps current.
            return Reply()
        return Reply(notices.asked(seen.story, self.can_approve(seen), self._command))

    def _form(self, act: Interaction) -> Reply:
        fields = act.fields or {}
        seconds = fields.get("duration_s")
        duration = timedelta(seconds=int(seconds)) if seconds else None
        ticket = fields.get("ticket") or None
        return self._ask(act, CoreAsk(fields["environment"], fields["role"], duration, fields["reason"], ticket))

    def can_approve(self, seen: Seen) -> tuple[str, ...]:
        """Names of those who may approve it, as far as they are known."""
        policy = self._ctx.policy.current()
        entitlement = policy.entitlement(seen.request.terms.environment, seen.request.terms.role)
        return (
            self._approver_names(policy, entitlement, seen.request.requester, seen.request.holder)
            if entitlement
            else ()
        )

    def _approver_names(
        self, policy: Policy, entitlement: Entitlement, requester: PersonId, holder: PersonId
    ) -> tuple[str, ...]:
        groups = self._ctx.directory.groups(policy, groups_needed(policy, policy.environments[entitlement.environment]))
        people = approvers(policy, entitlement, requester, holder, groups)
        return tuple(
            self._name(who) for who in dict.fromkeys(who for found in people.values() for who in sorted(found))
        )

    def _name(self, who: PersonId) -> str:
        facts = self._ctx.directory.by_address(who)
        return facts.name if facts else who.partition("@")[0]

    # ------------------------------------------------------------ pressing

    def _press(self, act: Interaction) -> Reply:
        if act.action == MORE:
            choice = read_more(act.value)
            return self._explain_request(act, choice[1]) if choice else Reply()
        found = read_value(act.value)
        if found is None:
            return Reply()
        id_, terms_hash = found
        if act.action == APPROVE:
            return self._quiet(act, id_, approve(self._ctx, id_, act.who, act.id, terms_hash))
        if act.action == END_ACTION:
            return self._quiet(act, id_, end(self._ctx, id_, act.who, "", act.id))
        if act.action == WITHDRAW:
            return self._quiet(act, id_, withdraw(self._ctx, id_, act.who, act.id))
        return Reply()

    def _denied(self, act: Interaction) -> Reply:
        fields = act.fields or {}
        return self._quiet(act, fields["id"], deny(self._ctx, fields["id"], act.who, fields["reason"], act.id))

    def _ended(self, act: Interaction) -> Reply:
        fields = act.fields or {}
        return self._quiet(act, fields["id"], end(self._ctx, fields["id"], act.who, fields["reason"], act.id))

    def _quiet(self, act: Interaction, id_: str, answer: Done | Refused) -> Reply:
        """After a press the card tells; only what the card cannot show is said."""
        if isinstance(answer, Refused):
            return self._refused(act, id_, answer)
        if answer.outcome == "terms_changed":
            return self._refused(act, id_, Refused(Code.TERMS_CHANGED, {"id": id_}, audited=False))
        return Reply()

    def _said(self, act: Interaction, id_: str, answer: Done | Refused) -> Reply:
        """After a typed command there is no card in front of the actor, so the outcome is told."""
        if isinstance(answer, Refused) or answer.outcome == "terms_changed":
            return self._quiet(act, id_, answer)
        seen = self._seen(id_)
        return Reply(lists.show(seen.story, (), {}) if seen else None)

    def _refused(self, act: Interaction, id_: str, refused: Refused) -> Reply:
        if refused.code in (Code.OWN_REQUEST, Code.NOT_AN_APPROVER):
            seen = self._seen(id_)
            others = ", ".join(self.can_approve(seen)[:5]) if seen else ""
            refused = replace(refused, params={**refused.params, "others": others})
        return self.refuse(act, refused, subject=id_)

    # ------------------------------------------------------------ looking

    def _seen(self, id_: str) -> Seen | None:
        try:
            return self.reader.one(id_, self._ctx.policy.current())
        except PolicyUnavailable:
            return self.reader.one(id_, None)

    def _show(self, act: Interaction, id_: str, policy: Policy) -> Reply:
        seen = self.reader.one(id_, policy)
        if seen is None:
            return self.refuse(act, Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False))
        story = self._visible(act, (seen.story,), policy)[0]
        names = {seen.request.holder: seen.request.holder_name, seen.request.requester: seen.request.requester_name}
        return Reply(lists.show(story, self._ctx.ledger.entries_of(id_), names))

    def _list(self, act: Interaction, environment: str | None, policy: Policy) -> Reply:
        if environment is not None and environment not in policy.environments:
            missing = find_entitlement(policy, environment, "")
            return self.refuse(act, missing if isinstance(missing, Refused) else Refused(Code.ENVIRONMENT_UNKNOWN))
        page = self.reader.live(policy, (environment,) if environment else None)
        return Reply(lists.active_list(self._visible(act, page.stories, policy), environment, page.more))

    def _who(self, act: Interaction, name: str, policy: Policy) -> Reply:
        environment = policy.environments.get(name)
        if environment is None:
            missing = find_entitlement(policy, name, "")
            return self.refuse(act, missing if isinstance(missing, Refused) else Refused(Code.ENVIRONMENT_UNKNOWN))
        groups = self._ctx.directory.groups(policy, (*environment.owners, *environment.requesters))
        problems = dict(groups.problems((*environment.owners, *environment.requesters)))

        def named(names: tuple[str, ...]) -> dict[str, list[str]]:
            return {name: [self._name(who) for who in sorted(groups.members((name,)))] for name in names}

        return Reply(lists.who(environment, named(environment.owners), named(environment.requesters), problems))

    def _explain(self, act: Interaction, environment: str, role: str, whom: Whom | None, actor: Known) -> Reply:
        found = find_entitlement(actor.policy, environment, role)
        if isinstance(found, Refused):
            return self.refuse(act, found)
        person = self._somebody(whom, act, actor)
        if person is None:
            return self.refuse(act, Refused(Code.PERSON_UNKNOWN, {"name": whom.text if whom else ""}, audited=False))
        return Reply(lists.explain(self._explanation(actor.policy, found, person, act.who == person.slack)))

    def _explanation(self, policy: Policy, role: Entitlement, person: PersonFacts, itself: bool) -> Explanation:
        place = policy.environments[role.environment]
        groups = self._ctx.directory.groups(policy, groups_needed(policy, place))
        asked = CoreAsk(role.environment, role.role, None, "to explain")
        answer = may_ask(_without_ticket(policy, role), asked, person, person.id, groups, self._ctx.ledger.now())
        people = approvers(policy, role, person.id, person.id, groups)
        return explanation(
            place,
            role,
            answer,
            who="You" if itself else person.name,
            approvers={name: [self._name(who) for who in sorted(found)] for name, found in people.items()},
            command=self._command,
            time_zone=person.time_zone,
        )

    def _explain_request(self, act: Interaction, id_: str) -> Reply:
        """From the card's menu: who may approve this request, and why."""
        actor = known(self._ctx, act.who, nobody)
        if isinstance(actor, Refused):
            return self.refuse(act, actor)
        seen = self._seen(id_)
        entitlement = (
            actor.policy.entitlement(seen.request.terms.environment, seen.request.terms.role) if seen else None
        )
        if seen is None or entitlement is None:
            return self.refuse(act, Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False))
        holder = self._ctx.directory.by_address(seen.request.holder) or actor.person
        return Reply(lists.explain(self._explanation(actor.policy, entitlement, holder, False)))

    def _somebody(self, whom: Whom | None, act: Interaction, actor: Known) -> PersonFacts | None:
        if whom is None:
            return actor.person
        if whom.user:
            return self._ctx.directory.person(SlackUser(act.team, whom.user))
        return self._ctx.directory.by_address(PersonId(whom.text.strip().casefold()))

    def home(self, who: SlackUser) -> HomeStory:
        """The actor's own page. Raises FactsStale."""
        policy = self._ctx.policy.current()
        names = {name for place in policy.environments.values() for name in groups_needed(policy, place)}
        actor = known(self._ctx, who, lambda _policy: names)
        if isinstance(actor, Refused):
            if actor.code is Code.FACTS_STALE:
                raise FactsStale
            raise PolicyUnavailable(actor.params.get("why", ""))
        return self.reader.home(policy, actor.person, actor.groups)

    def _visible(self, act: Interaction, stories: tuple[RequestStory, ...], policy: Policy) -> tuple[RequestStory, ...]:
        """Where an environment is hidden from outsiders, only its own people see who and why."""
        facts = self._ctx.directory.person(act.who)
        inside: dict[str, bool] = {}

        def member(name: str) -> bool:
            if name not in inside:
                inside[name] = facts is not None and self._is_inside(policy, policy.environments.get(name), facts.id)
            return inside[name]

        return tuple(
            seen_by(story, policy.environments.get(story.environment), member=member(story.environment))
            for story in stories
        )

    def _is_inside(self, policy: Policy, environment: Environment | None, who: PersonId) -> bool:
        if environment is None:
            return False
        names = (*environment.owners, *environment.requesters, *((policy.panic_group,) if policy.panic_group else ()))
        return self._ctx.directory.groups(policy, names).has(who, names)


def _without_ticket(policy: Policy, role: Entitlement) -> Policy:
    """To explain rights, not to check a ticket that nobody has typed."""
    place = policy.environments[role.environment]
    free = replace(place, roles={**place.roles, role.role: replace(role, ticket=None)})
    return replace(policy, environments={**policy.environments, place.name: free})


# Read already, not done yet: the type of what was meant -> its verb.
LATER: dict[str, str] = {
    "BreakGlass": "break-glass",
    "RevokeAll": "revoke-all",
    "Extend": "extend",
    "History": "history",
}

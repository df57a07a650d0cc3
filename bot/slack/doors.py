"""What follows an acknowledgement in the web process: opening and redrawing forms, answering a press. These call Slack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from prometheus_client import Counter
from slack_sdk import WebClient

from bot.chat.actions.dispatcher import Desk, FactsStale
from bot.chat.form import Form
from bot.chat.forms import break_glass as glass_form
from bot.chat.forms import extension as extend_form
from bot.chat.forms import reason as reason_forms
from bot.chat.forms import reduced_approval as less_form
from bot.chat.forms import request as form
from bot.chat.interaction import Interaction
from bot.chat.message import Message, read_value, value_of
from bot.chat.messages import notices
from bot.chat.messages.approval_card import read_more
from bot.chat.messages.batch import APPROVE_ALL, DENY_ALL, WITHDRAW_ALL
from bot.chat.messages.form_not_opened import not_known_yet, not_opened
from bot.chat.surface import NotDone
from bot.chat.views.deciders import NOBODY, Deciders
from bot.chat.views.read_model import askable
from bot.slack.answers import ask
from bot.slack.directory import SlackRefresher
from bot.slack.form_input import filled
from bot.slack.form_view import view_of
from bot.slack.telling import Teller
from workflows.core import keys
from workflows.core.people import GroupFacts, PersonFacts, PersonId, is_fresh
from workflows.core.policy import Environment, Policy
from workflows.core.records.chat import ChatRecord
from workflows.core.records.request import Request, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approval import may_decide
from workflows.core.rules.batch import panel_of
from workflows.core.rules.break_glass import may_review, reviewers
from workflows.core.rules.extension import not_to_extend, times_to_add, total_problem
from workflows.core.rules.groups import groups_needed
from workflows.core.rules.reduced_approval import choices
from workflows.ports import DirectoryUnreachable, PolicyUnavailable
from workflows.usecases.decisions.approve import decided_by, find_request, how_decided
from workflows.usecases.requests.batch import batch_of
from workflows.usecases.requests.repeat import can_be_repeated, once_more
from workflows.usecases.shared.actor import held, is_bound, whose
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.delegations import with_delegations
from workflows.usecases.shared.parties import read_with_parties, with_parties

log = structlog.get_logger()

NOT_OPENED = Counter("prodaccess_forms_not_opened_total", "Forms that Slack did not open; the person was told.")
RECENT_MAX = 5


class Doors:
    """Every public method ends in something that the person sees: a form, or a sentence that says why there is none."""

    def __init__(self, ctx: Context, client: WebClient, refresher: SlackRefresher, desk: Desk, command: str) -> None:
        self._ctx = ctx
        self._client = client
        self._refresher = refresher
        self._desk = desk
        self._command = command
        self._teller = Teller(client)

    def _open(self, act: Interaction, trigger_id: str, drawn: Form, typed: str, *, push: bool = False) -> None:
        """The only way to a form. `typed`: what can be typed in its place; a form on top of another is not tried again."""
        try:
            opens = self._client.views_push if push else self._client.views_open
            ask(opens, "view", trigger_id=trigger_id, view=view_of(drawn))
        except NotDone as problem:
            NOT_OPENED.inc()
            log.warning("a form did not open", form=drawn.kind, error=problem.word)
            self.tell(act, not_opened(act, problem.word, f"{self._command} {typed}", again=not push))

    # ------------------------------------------------------------ the request form

    def open_request_form(
        self,
        act: Interaction,
        trigger_id: str,
        where: form.Where,
        environment: str | None = None,
        role: str | None = None,
    ) -> None:
        """Open it for somebody who may act at all; everybody else gets the sentence that says why not."""
        person = self._person(act)
        if person is None:
            return
        policy = self._ctx.policy.current()
        chosen = form.Chosen(environment if environment in policy.environments else None, role)
        self._open(act, trigger_id, self._form(policy, person, chosen, where), _typed(chosen))

    def open_again_form(self, act: Interaction, trigger_id: str) -> None:
        """The request form, filled in as it was when this was asked for; of an ask of somebody else's, empty."""
        person = self._person(act)
        if person is None:
            return
        request = find_request(self._ctx, act.value)
        chosen = form.Chosen()
        if isinstance(request, Request) and can_be_repeated(request, person.id):
            ask = once_more(request)
            chosen = form.Chosen(ask.environment, ask.role, ask.reason, ask.duration, ask.ticket)
        policy = self._ctx.policy.current()
        self._open(act, trigger_id, self._form(policy, person, chosen, form.Where()), _typed(chosen))

    def open_then_form(self, act: Interaction, trigger_id: str) -> None:
        """The request form, filled in as it was typed, to begin when it can; of a button that is none of ours, empty."""
        ask, person = notices.read_ask_for(act.value), self._person(act)
        if person is None:
            return
        chosen = form.Chosen()
        if ask is not None:
            chosen = form.Chosen(ask.environment, ask.role, ask.reason, ask.duration, ask.ticket, begin=ask.start_at)
        policy = self._ctx.policy.current()
        self._open(act, trigger_id, self._form(policy, person, chosen, form.Where()), _typed(chosen))

    def redraw_request_form(self, act: Interaction, view: Mapping[str, Any]) -> None:
        """Another environment or role was chosen: the roles, durations and people to ask follow it."""
        person = self._ctx.directory.person(act.who)
        if person is None or person.standing_problem:
            return
        policy = self._ctx.policy.current()
        found = filled(view)
        chosen = form.chosen(found)
        drawn = view_of(self._form(policy, person, chosen, form.read_where(found)))
        try:
            ask(self._client.views_update, view_id=view["id"], hash=view["hash"], view=drawn)
        except NotDone as problem:
            # Another choice was faster, and its redraw is on the way; or the form was closed.
            if problem.word not in ("hash_conflict", "not_found"):
                log.warning("a form was not drawn again", error=problem.word)
                self.tell(act, notices.answer(_OUT_OF_DATE.format(f"{self._command} {_typed(chosen)}")))

    def _form(self, policy: Policy, person: PersonFacts, chosen: form.Chosen, where: form.Where) -> Form:
        return form.request_form(
            self._environments(policy, person.id),
            chosen,
            where,
            recent=self._recent(person.id),
            deciders=self._deciders(policy, person.id, chosen.environment, chosen.role),
            deciders_more={role: self._deciders(policy, person.id, chosen.environment, role) for role in chosen.more},
            glass=self._desk.window.glass_open_to(policy, person.id),
        )

    def _environments(self, policy: Policy, who: PersonId) -> list[Environment]:
        """Those in which this person may ask for something, as far as groups are known; all where none is."""
        names = {name for place in policy.environments.values() for name in groups_needed(policy, place)}
        groups = self._groups(policy, tuple(names))
        open_to = {role.environment for role in askable(policy, who, groups)}
        return [place for place in policy.environments.values() if place.name in open_to] or list(
            policy.environments.values()
        )

    def _recent(self, who: PersonId) -> list[str]:
        ids = self._ctx.ledger.members(keys.of_person(keys.RECENT, who), limit=RECENT_MAX, newest=True)
        if not ids:
            return []
        snapshot = self._ctx.ledger.read(*map(keys.request, ids))
        found = (snapshot.readable(keys.request(id_), Request) for id_ in ids)
        return list(dict.fromkeys(request.terms.environment for request in found if request))

    def _deciders(self, policy: Policy, who: PersonId, environment: str | None, name: str | None) -> Deciders:
        role = policy.entitlement(environment or "", name or "")
        return self._desk.window.would_decide(policy, role, who, who) if role else NOBODY

    def open_glass_form(self, act: Interaction, trigger_id: str, view: Mapping[str, Any]) -> None:
        """The emergency's own window, on top of the request form. Who may not is refused when it is sent, too."""
        person = self._person(act)
        policy = self._ctx.policy.current()
        place = policy.environments.get(act.value)
        if person is None:
            return
        if place is None or place.name not in self._desk.window.glass_open_to(policy, person.id):
            self._refuse(act, Refused(Code.BREAK_GLASS_NOT_ALLOWED, {"environment": act.value}), "-")
            return
        drawn = glass_form.glass_form(place, form.read_where(filled(view)))
        self._open(act, trigger_id, drawn, f"break-glass {place.name} ROLE [DURATION] REASON", push=True)

    # ------------------------------------------------------------ flag

    def open_flag_form(self, act: Interaction, trigger_id: str) -> None:
        """For those who may review; the holder and strangers are told so before typing a note."""
        found = self._id_on(act)
        person = self._person(act, on_hold=True) if found else None
        if found is None or person is None:
            return
        policy = self._ctx.policy.current()
        seen = self._desk.window.reader.one(found[0], policy)
        review = self._desk.window.reader.review(seen.request) if seen else None
        if seen is None or review is None:
            self._unknown(act, found[0])
            return
        groups = self._groups(policy, reviewers(policy, review.environment))
        if self._kept_out(act, may_review(policy, review, person, groups), found[0]):
            return
        self._open(act, trigger_id, reason_forms.flag_form(seen.story, act.value), f"flag {found[0]} NOTE")

    # ------------------------------------------------------------ deny

    def open_deny_form(self, act: Interaction, trigger_id: str) -> None:
        """For those who may deny; a stranger is told so before typing a reason."""
        found = self._id_on(act)
        person = self._person(act, on_hold=True) if found else None
        if found is None or person is None:
            return
        policy = self._ctx.policy.current()
        seen = self._desk.window.reader.one(found[0], policy)
        if seen is None:
            self._unknown(act, found[0])
            return
        if self._deciding(act, policy, seen.request, person) is None:
            return
        self._open(act, trigger_id, reason_forms.deny_form(seen.story, act.value), f"deny {found[0]} REASON")

    def open_deny_all_form(self, act: Interaction, trigger_id: str) -> None:
        """For all on a card that was asked for in one go; all of them want the same people."""
        found = self._id_on(act)
        person = self._person(act, on_hold=True) if found else None
        if found is None or person is None:
            return
        batch = batch_of(self._ctx, found[0])
        if isinstance(batch, Refused):
            self._refuse(act, batch, found[0])
            return
        policy = self._ctx.policy.current()
        panel = panel_of(policy, batch, found[0])
        if self._deciding(act, policy, panel[0], person) is None:
            return
        waiting = [request.id for request in panel if request.state is RequestState.PENDING]
        stories = self._desk.window.reader.some(waiting or [panel[0].id], policy)
        typed = " · ".join(
            f"{'' if number == 0 else f'{self._command} '}deny {id_} REASON" for number, id_ in enumerate(waiting)
        )
        self._open(act, trigger_id, reason_forms.deny_all_form(stories, act.value), typed or f"show {found[0]}")

    # ------------------------------------------------------------ less

    def open_less_form(self, act: Interaction, trigger_id: str) -> None:
        """For those who may approve it, while there is something less to give."""
        found = read_more(act.value)
        if found is None:
            self._unknown(act, "such request")
            return
        person = self._person(act)
        if person is None:
            return
        policy = self._ctx.policy.current()
        seen = self._desk.window.reader.one(found[1], policy)
        if seen is None:
            self._unknown(act, found[1])
            return
        request = seen.request
        groups = self._deciding(act, policy, request, person)
        if groups is None:
            return
        roles, times = choices(policy, request, person, groups, self._ctx.ledger.now())
        if not roles or request.state is not RequestState.PENDING:
            self._refuse(act, nothing_less(request), found[1])
            return
        drawn = less_form.less_form(seen.story, value_of(found[1], found[2]), roles, times)
        self._open(act, trigger_id, drawn, f"less {found[1]} [ROLE] [DURATION]")

    # ------------------------------------------------------------ more time

    def open_extend_form(self, act: Interaction, trigger_id: str) -> None:
        """For those who may ask, while there is time that can be added."""
        found = self._id_on(act)
        person = self._person(act) if found else None
        if found is None or person is None:
            return
        policy = self._ctx.policy.current()
        seen = self._desk.window.reader.one(found[0], policy)
        if seen is None:
            self._unknown(act, found[0])
            return
        terms = seen.request.terms
        role = policy.entitlement(terms.environment, terms.role)
        refused = not_to_extend(seen.request, seen.grant, role, person.id, self._ctx.ledger.now())
        if refused or seen.grant is None or role is None:
            unknown = Refused(Code.ROLE_UNKNOWN, {"name": terms.role, "environment": terms.environment})
            self._refuse(act, refused or unknown, found[0])
            return
        times = times_to_add(policy, seen.grant, role)
        if not times:
            shortest = min((*role.durations, role.default_duration))
            problem = total_problem(policy, seen.grant, shortest)
            self._refuse(act, problem or Refused(Code.DURATION_ZERO, audited=False), found[0])
            return
        drawn = extend_form.extend_form(seen.story, role, times)
        self._open(act, trigger_id, drawn, f"extend {found[0]} DURATION REASON")

    # ------------------------------------------------------------ who may

    def _deciding(self, act: Interaction, policy: Policy, request: Request, person: PersonFacts) -> GroupFacts | None:
        """The one guard of all forms in which something is decided; None where the actor was told why none opens."""
        place = policy.environments.get(request.terms.environment)
        known = self._groups(policy, groups_needed(policy, place) if place else ())
        groups = with_parties(known, read_with_parties(self._ctx, (), request), request)
        answer = may_decide(policy, request, person, groups)
        refused = answer if isinstance(answer, Refused) else None
        return None if self._kept_out(act, refused, request.id) else groups

    def _groups(self, policy: Policy, names: tuple[str, ...]) -> GroupFacts:
        """What is known of them, and who decides in whose place: a delegate is let in wherever their owner is."""
        return with_delegations(self._ctx, self._ctx.directory.groups(policy, names))

    def _kept_out(self, act: Interaction, refused: Refused | None, id_: str) -> bool:
        """What nobody knows yet keeps nobody out: a worker finds it out when the form is sent."""
        if refused is None or refused.code is Code.NOT_KNOWN_YET:
            return False
        self._refuse(act, refused, id_)
        return True

    # ------------------------------------------------------------ who is it

    def _person(self, act: Interaction, *, on_hold: bool = False) -> PersonFacts | None:
        """Who it is, asking Slack where that is not known freshly; None where the actor was told why nothing opens.

        `on_hold`: whether the form is for something that an account on hold may do.
        """
        facts = self._ctx.directory.person(act.who)
        try:
            if facts is None or not is_fresh(facts.as_of, self._ctx.ledger.now()):
                facts = self._refresher.refresh_person(act.who, self._ctx.policy.current())
        except (DirectoryUnreachable, PolicyUnavailable) as problem:
            log.warning("a form was not opened", why=str(problem))
            self._refuse(act, Refused(Code.NOT_KNOWN_YET, audited=False), "-")
            return None
        if facts.standing_problem:
            self._refuse(act, Refused(Code(facts.standing_problem)), "-")
            return None
        mine = whose(self._ctx, self._ctx.policy.current(), facts)
        if mine.suspended is not None and not (on_hold and is_bound(mine)):
            self._refuse(act, held(mine.suspended), "-")
            return None
        return mine

    def heard(self, user: Any, team: str) -> None:
        """Slack said by itself that somebody's account has changed."""
        for account in self._refresher.heard(user, team):
            if self._ctx.directory.person(account) is None:
                continue
            # Whoever has left may have access, and an address that has changed puts the account on hold before it acts.
            item = keys.whois(account)
            self._ctx.ledger.remind(item, 0.0)
            self._ctx.wake(item)

    # ------------------------------------------------------------ answers

    def _refuse(self, act: Interaction, refused: Refused, subject: str) -> None:
        try:
            reply = self._desk.refuse(act, refused, subject)
        except FactsStale:
            # The background keeps groups fresh: by the next press they are.
            self.tell(act, not_known_yet(act, f"{self._command} show {subject}"))
            return
        if reply.message is not None:
            self.tell(act, reply.message)

    def _id_on(self, act: Interaction) -> tuple[str, str | None] | None:
        """What the button is about; None where the actor was told that it is about nothing of ours."""
        found = read_value(act.value)
        if found is None:
            self._unknown(act, "such request")
        return found

    def _unknown(self, act: Interaction, id_: str) -> None:
        self._refuse(act, Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False), "-")

    def tell(self, act: Interaction, message: Message) -> None:
        """To the actor alone."""
        self._teller.answer(act, message)

    def take_place(self, act: Interaction, message: Message) -> None:
        """In place of the message that only the actor sees, and whose button was pressed."""
        self._teller.answer_in_place(act, message)

    def is_stray_copy(self, act: Interaction, body: Mapping[str, Any]) -> bool:
        """Whether the pressed message is none that the ledger knows of: a post whose record was lost, and made again."""
        found, ts = read_value(act.value), (body.get("message") or {}).get("ts")
        if found is None or not ts or body.get("container", {}).get("is_ephemeral"):
            return False
        item = keys.chat(self._told_by(act, found[0]))
        record = self._ctx.ledger.read(item).readable(item, ChatRecord)
        postings = record.postings.values() if record else ()
        # While a post of ours is under way, a copy may be the one whose record is about to be written.
        under_way = any(posting.intent_at is not None for posting in postings)
        return not under_way and bool(postings) and all(posting.ts != ts for posting in postings)

    def _told_by(self, act: Interaction, id_: str) -> str:
        """Whose messages the pressed one is among: all that was asked in one go is told by the first."""
        if act.action not in (APPROVE_ALL, DENY_ALL, WITHDRAW_ALL):
            return id_
        batch = batch_of(self._ctx, id_)
        return id_ if isinstance(batch, Refused) else batch[0].id

    def turn_into_pointer(self, act: Interaction) -> None:
        found = read_value(act.value)
        if found is not None:
            self._teller.answer_in_place(act, notices.unknown_copy(found[0], self._command))


_OUT_OF_DATE = (
    "Slack did not take your choice, so the form still shows the one before it. Please close it and open it again, "
    "or type `{}`."
)


def _typed(chosen: form.Chosen) -> str:
    """The command that asks for the same."""
    return f"{chosen.environment or 'ENV'} {chosen.role or 'ROLE'} [DURATION] REASON"


def nothing_less(request: Request) -> Refused:
    """Why no form opens: it is decided, or the least there is was asked for."""
    if request.state is not RequestState.PENDING:
        params = {"id": request.id, "state": how_decided(request), "by": decided_by(request)}
        return Refused(Code.DECIDED, params)
    return Refused(Code.NOT_LESS, {"id": request.id, "why": "least"}, audited=False)

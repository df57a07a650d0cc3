"""Who may open which form: the one guard of all forms, for every chat."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import structlog
from prometheus_client import Counter

from bot.chat.actions.acting import Acting
from bot.chat.actions.reply import FactsStale
from bot.chat.form import Form
from bot.chat.interaction import Interaction
from bot.chat.message import Message, read_value
from bot.chat.messages import notices
from bot.chat.messages.form_not_opened import not_known_yet, not_opened
from bot.chat.surface import NotDone, Shown, Surface
from bot.directory.refresh import ChatDirectory
from workflows.core import keys
from workflows.core.people import GroupFacts, PersonFacts, is_fresh
from workflows.core.policy import Policy
from workflows.core.records.request import Request
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approval import may_decide
from workflows.core.rules.groups import groups_needed, held
from workflows.ports import DirectoryUnreachable, PolicyUnavailable
from workflows.usecases.shared.actor import is_bound, whose
from workflows.usecases.shared.delegations import with_delegations
from workflows.usecases.shared.parties import read_with_parties, with_parties

log = structlog.get_logger()

NOT_OPENED = Counter("prodaccess_forms_not_opened_total", "Forms that Slack did not open; the person was told.")


class FormOpener:
    """Every form is opened through this, and ends in something that the person sees: a form, or a sentence why there is none."""

    def __init__(self, acting: Acting, chat: Surface, directory: ChatDirectory) -> None:
        self._acting = acting
        self._chat = chat
        self._directory = directory
        self._home = False
        self.ctx = acting.ctx
        self.command = acting.command
        self.queries = acting.queries

    def at_home(self) -> FormOpener:
        """The same for presses on somebody's own page: what is sent in these forms draws the page anew."""
        found = copy(self)
        found._home = True
        return found

    def open(self, act: Interaction, trigger: str, drawn: Form, typed: str, *, on_top: bool = False) -> None:
        """The only way to a form. `typed`: what can be typed in its place; a form on top of another is not tried again."""
        if self._home:
            drawn = replace(drawn, name=f"{keys.HOME}{self.ctx.chance.hex(24)}")
        try:
            self._chat.open_form(trigger, drawn, on_top=on_top)
        except NotDone as problem:
            NOT_OPENED.inc()
            log.warning("a form did not open", form=drawn.kind, error=problem.word)
            self.tell(
                act, not_opened(act, problem.word, f"{self.command} {typed}", self._chat.traits, again=not on_top)
            )

    def redraw(self, act: Interaction, shown: Shown, drawn: Form, typed: str) -> None:
        """`typed`: what can be typed in its place, where the chat does not take it."""
        try:
            self._chat.redraw_form(shown, drawn)
        except NotDone as problem:
            log.warning("a form was not drawn again", error=problem.word)
            out_of_date = _OUT_OF_DATE.format(self._chat.traits.title, f"{self.command} {typed}")
            self.tell(act, notices.answer(out_of_date))

    # ------------------------------------------------------------ who may

    def deciding(self, act: Interaction, policy: Policy, request: Request, person: PersonFacts) -> GroupFacts | None:
        """The one guard of all forms in which something is decided; None where the actor was told why none opens."""
        place = policy.environments.get(request.terms.environment)
        known = self.groups(policy, groups_needed(policy, place) if place else ())
        groups = with_parties(known, read_with_parties(self.ctx, (), request), request)
        answer = may_decide(policy, request, person, groups)
        refused = answer if isinstance(answer, Refused) else None
        return None if self.kept_out(act, refused, request.id) else groups

    def groups(self, policy: Policy, names: tuple[str, ...]) -> GroupFacts:
        """What is known of them, and who decides in whose place: a delegate is let in wherever their owner is."""
        return with_delegations(self.ctx, self.ctx.directory.groups(policy, names))

    def kept_out(self, act: Interaction, refused: Refused | None, id_: str) -> bool:
        """What nobody knows yet keeps nobody out: a worker finds it out when the form is sent."""
        if refused is None or refused.code is Code.NOT_KNOWN_YET:
            return False
        self.refuse(act, refused, id_)
        return True

    # ------------------------------------------------------------ who is it

    def person(self, act: Interaction, *, on_hold: bool = False) -> PersonFacts | None:
        """Who it is, asking the chat where that is not known freshly; None where the actor was told why nothing opens.

        `on_hold`: whether the form is for something that an account on hold may do.
        """
        facts = self.ctx.directory.person(act.who)
        try:
            if facts is None or not is_fresh(facts.as_of, self.ctx.ledger.now()):
                facts = self._directory.refresh_person(act.who, self.ctx.policy.current())
        except (DirectoryUnreachable, PolicyUnavailable) as problem:
            log.warning("a form was not opened", why=str(problem))
            self.refuse(act, Refused(Code.NOT_KNOWN_YET, audited=False), "-")
            return None
        if facts.standing_problem:
            self.refuse(act, Refused(Code(facts.standing_problem)), "-")
            return None
        mine = whose(self.ctx, self.ctx.policy.current(), facts)
        if mine.suspended is not None and not (on_hold and is_bound(mine)):
            self.refuse(act, held(mine.suspended), "-")
            return None
        return mine

    # ------------------------------------------------------------ answers

    def refuse(self, act: Interaction, refused: Refused, subject: str) -> None:
        try:
            reply = self._acting.refuse(act, refused, subject)
        except FactsStale:
            # The background keeps groups fresh: by the next press they are.
            self.tell(act, not_known_yet(act, f"{self.command} show {subject}", self._chat.traits))
            return
        if reply.message is not None:
            self.tell(act, reply.message)

    def id_on(self, act: Interaction) -> tuple[str, str | None] | None:
        """What the button is about; None where the actor was told that it is about nothing of ours."""
        found = read_value(act.value)
        if found is None:
            self.unknown(act, "such request")
        return found

    def unknown(self, act: Interaction, id_: str) -> None:
        self.refuse(act, Refused(Code.ID_UNKNOWN, {"id": id_}, audited=False), "-")

    def tell(self, act: Interaction, message: Message) -> None:
        """To the actor alone."""
        self._chat.answer(act, message)


_OUT_OF_DATE = (
    "{} did not take your choice, so the form still shows the one before it. Please close it and open it again, "
    "or type `{}`."
)

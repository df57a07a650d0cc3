"""What all that is done in chat has in common: how it is refused, and how its outcome is said."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from bot.chat.actions.batch import Answer, Several
from bot.chat.actions.expected import Expected
from bot.chat.actions.queries import Queries
from bot.chat.actions.reply import FactsStale, Reply
from bot.chat.commands.model import (
    Command,
    Decline,
)
from bot.chat.commands.parser import parse
from bot.chat.forms.request import named_accounts, named_addresses
from bot.chat.interaction import COMMAND, Interaction
from bot.chat.message import Message
from bot.chat.messages import notices
from bot.chat.views.deciders import NOBODY
from bot.chat.wording.labels import done_words, refusal
from bot.chat.wording.refusals import sentence_of
from workflows.core.identity import PersonId, unbound
from workflows.core.records.request import ID_PATTERN
from workflows.core.refusal import Code, Refused
from workflows.ports import PolicyUnavailable
from workflows.usecases.oversight.refusals import record_refusal
from workflows.usecases.shared.actor import Actor
from workflows.usecases.shared.context import Context, Outcome
from workflows.usecases.shared.left import left_before

# A line is read where it comes in, and again where it is carried out.
_parsed = lru_cache(maxsize=64)(parse)


def _may_be_found(refused: Refused, act: Interaction) -> bool:
    """Whether a worker may find out what this process does not know: then it is no answer before one has looked."""
    named = bool(named_accounts(act) or named_addresses(act))
    return refused.code is Code.NOT_KNOWN_YET or (refused.code is Code.PERSON_UNKNOWN and named)


class Acting:
    """What carries out an act, whatever it is: the ledger, what can be looked up, and how an outcome is said.

    `command` is the slash command's name, as it is typed.
    """

    def __init__(self, ctx: Context, command: str) -> None:
        self.ctx = ctx
        self.command = command
        self.queries = Queries(ctx, command)
        self.several = Several(ctx, self.queries, command)
        self.expected = Expected(ctx)

    def parse(self, text: str) -> Command | Refused:
        """What a typed line means, under the environments that there are."""
        try:
            environments = tuple(self.ctx.policy.current().environments)
        except PolicyUnavailable:
            environments = ()
        return _parsed(text, environments)

    def refuse(self, act: Interaction, refused: Refused, subject: str = "-") -> Reply:
        """One sentence to the actor, one entry on the record."""
        if refused.code is Code.FACTS_STALE or (not act.looked and _may_be_found(refused, act)):
            raise FactsStale
        if refused.code in (Code.OWN_REQUEST, Code.NOT_AN_APPROVER):
            refused = self._with_others(refused, subject)
        if refused.code is Code.ID_UNKNOWN and ID_PATTERN.fullmatch(refused.params.get("id", "")):
            refused = self._with_archive(refused)
        facts = self.ctx.directory.person(act.who)
        actor = facts.id if facts else unbound(act.who.id)
        record_refusal(self.ctx, actor, subject, refused, act.id, name=facts.name if facts else "")
        zone = facts.time_zone if facts else "UTC"
        said = tuple(
            (one.code, sentence_of(one, command=self.command, time_zone=zone)) for one in (refused, *refused.also)
        )
        return Reply(notices.answer(refusal(refused, command=self.command, time_zone=zone)), refused, said)

    def _with_archive(self, refused: Refused) -> Refused:
        """What is not there may have been closed, and have left."""
        before = left_before(self.ctx.ledger)
        older = {"before": f"{before:%Y-%m-%d}"} if before is not None else {}
        return replace(refused, params={**refused.params, **older})

    def _with_others(self, refused: Refused, id_: str) -> Refused:
        """Whoever may not decide reads who can."""
        seen = self.queries.seen(id_)
        deciders = self.queries.people.deciders(seen) if seen else NOBODY
        said = {"can": deciders.can, "others": deciders.listed} if deciders else {}
        return replace(refused, params={**refused.params, **said})

    def look(self, act: Interaction, found: Message | Refused) -> Reply:
        return self.refuse(act, found) if isinstance(found, Refused) else Reply(found)

    def quiet(self, act: Interaction, id_: str, answer: Outcome | Refused) -> Reply:
        """After a press the card tells; only what the card cannot show is said."""
        if isinstance(answer, Refused):
            return self.refuse(act, answer, id_)
        if answer.outcome == "terms_changed":
            return self.refuse(act, Refused(Code.TERMS_CHANGED, {"id": id_}, audited=False), id_)
        return Reply()

    def said(self, act: Interaction, id_: str, answer: Outcome | Refused) -> Reply:
        """After a typed command there is no card in front of the actor, so the outcome is told."""
        if isinstance(answer, Refused) or answer.outcome == "terms_changed":
            return self.quiet(act, id_, answer)
        declined = act.kind == COMMAND and isinstance(self.parse(act.text), Decline)
        return Reply(notices.answer(done_words("declined" if declined else answer.outcome, id_)))

    def answered(self, act: Interaction, answer: Answer) -> Reply:
        """After something was done with several at once."""
        return self.refuse(act, *answer) if isinstance(answer, tuple) else Reply(answer)

    def asked(self, act: Interaction, answer: Outcome | Refused, actor: Actor | None = None) -> Reply:
        """`actor`: who has asked, with the groups on which it was decided: who can approve is told by these."""
        if isinstance(answer, Refused):
            return self.refuse(act, answer)
        seen = self.queries.seen(answer.id)
        if seen is None:
            return Reply()
        if answer.outcome == "have_it":
            return Reply(notices.have_it(seen.view, self.reader(act), self.queries.people.deciders(seen, actor)))
        if act.origin.by_form:
            # The form's answer is a direct message, which the sender keeps current.
            return Reply()
        by_rule = self.queries.people.rule_may_approve(seen, actor)
        facts = self.ctx.directory.person(act.who)
        zone = facts.time_zone if facts else "UTC"
        deciders = self.queries.people.deciders(seen, actor)
        return Reply(notices.asked(seen.view, deciders, by_rule=by_rule, zone=zone))

    def reader(self, act: Interaction) -> PersonId:
        """Who reads the answer."""
        facts = self.ctx.directory.person(act.who)
        return facts.id if facts else PersonId("")

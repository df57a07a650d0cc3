"""Carries out what somebody did in chat: calls the use case, and says in one sentence what came of it.

The same code serves the web process, which answers at once where facts are fresh, and a worker, which looks first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from bot.chat.actions import delegation as delegating
from bot.chat.actions.batch import Answer, Several, answer_stays
from bot.chat.actions.queries import Window
from bot.chat.commands.model import (
    Acknowledge,
    Again,
    Approve,
    Ask,
    AskFor,
    AskSeveral,
    BreakGlass,
    Command,
    Confirm,
    Decline,
    Delegate,
    Deny,
    End,
    Extend,
    Flag,
    Help,
    Less,
    Lift,
    RevokeAll,
    Whom,
    Withdraw,
)
from bot.chat.commands.parser import addresses, mentioned, parse
from bot.chat.interaction import COMMAND, DENY, DENY_ALL, END, EXTEND, FLAG, FORM, GLASS, LESS, PRESS, Interaction
from bot.chat.message import Message, read_value
from bot.chat.messages import holds, notices
from bot.chat.messages.approval_card import APPROVE, MORE, read_more
from bot.chat.messages.approval_card import END as END_ACTION
from bot.chat.messages.batch import APPROVE_ALL, WITHDRAW_ALL
from bot.chat.messages.break_glass import ACKNOWLEDGE
from bot.chat.messages.help import help_message
from bot.chat.messages.holds import CONFIRM_ANOTHER, CONFIRM_SAME
from bot.chat.messages.holds import read_pressed as read_said
from bot.chat.messages.home import WITHDRAW
from bot.chat.messages.notices import DECLINE
from bot.chat.messages.revoke_all import REVOKE_ALL, read_pressed, under_way
from bot.chat.views.deciders import NOBODY
from bot.chat.wording.labels import done_words, refusal
from bot.chat.wording.refusals import sentence_of
from workflows.core.dates import start_of
from workflows.core.identity import PersonId, unbound
from workflows.core.records.request import ID_PATTERN
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask as CoreAsk
from workflows.core.rules.eligibility import clean, open_again_at, text_problem
from workflows.ports import CorruptRecord, PolicyUnavailable
from workflows.usecases.decisions.approve import approve, decline, deny, withdraw
from workflows.usecases.decisions.approve_reduced import approve_for_less
from workflows.usecases.identity.confirm_account import Saying, confirm, groups_needed_to_confirm, may_confirm
from workflows.usecases.oversight.break_glass_review import acknowledge, flag
from workflows.usecases.oversight.refusals import record_refusal
from workflows.usecases.oversight.unblock import lift
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.requests.repeat import last_ask
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.requests.request_extension import ask_for_more_time
from workflows.usecases.revocation.end import end
from workflows.usecases.revocation.revoke_all import groups_that_may, revoke_all
from workflows.usecases.shared.actor import Known, known, nobody
from workflows.usecases.shared.context import Context, Done

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reply:
    """What the actor alone is shown; nothing where their own card changes in place. `refused` tells forms where it belongs."""

    message: Message | None = None
    refused: Refused | None = None
    # Each slip that was refused, with its own sentence.
    said: tuple[tuple[Code, str], ...] = ()
    # Whether it takes the place of the message whose button was pressed.
    replaces: bool = False


def what_it_is(key: str) -> str:
    """`grant PA-7`; of what is not known by an id, the kind alone."""
    kind, _, name = key.partition(":")
    return f"{kind} {name}" if ID_PATTERN.fullmatch(name) else kind


class FactsStale(Exception):
    """Nobody knows freshly enough who this is: a worker has to look."""


def _may_be_found(refused: Refused, act: Interaction) -> bool:
    """Whether a worker may find out what this process does not know: then it is no answer before one has looked."""
    named = bool(mentioned(act.text) or addresses(act.text))
    return refused.code is Code.NOT_KNOWN_YET or (refused.code is Code.PERSON_UNKNOWN and named)


class Desk:
    """`command` is the slash command's name, as it is typed."""

    def __init__(self, ctx: Context, command: str) -> None:
        self._ctx = ctx
        self._command = command
        self.window = Window(ctx, command)
        self._several = Several(ctx, self.window, command)

    # ------------------------------------------------------------ entry

    def carry_out(self, act: Interaction) -> Reply:
        """Do it, and say what came of it. Raises FactsStale, LedgerUnreachable."""
        kinds = {
            COMMAND: self._command_line,
            PRESS: self._press,
            FORM: self._form,
            DENY: self._denied,
            END: self._ended,
            LESS: self._lessened,
            GLASS: self._glass_form,
            FLAG: self._flagged,
            EXTEND: self._more_time,
            DENY_ALL: self._denied_all,
        }
        try:
            return kinds[act.kind](act)
        except CorruptRecord as problem:
            return self.refuse(act, Refused(Code.RECORD_UNREADABLE, {"what": what_it_is(problem.key)}, audited=False))

    def parse(self, text: str) -> Command | Refused:
        """What a typed line means, under the environments that there are."""
        try:
            environments = tuple(self._ctx.policy.current().environments)
        except PolicyUnavailable:
            environments = ()
        return parse(text, environments)

    def refuse(self, act: Interaction, refused: Refused, subject: str = "-") -> Reply:
        """One sentence to the actor, one entry on the record."""
        if refused.code is Code.FACTS_STALE or (not act.looked and _may_be_found(refused, act)):
            raise FactsStale
        if refused.code in (Code.OWN_REQUEST, Code.NOT_AN_APPROVER):
            refused = self._with_others(refused, subject)
        facts = self._ctx.directory.person(act.who)
        actor = facts.id if facts else unbound(act.who.id)
        record_refusal(self._ctx, actor, subject, refused, act.id, name=facts.name if facts else "")
        zone = facts.time_zone if facts else "UTC"
        said = tuple(
            (one.code, sentence_of(one, command=self._command, time_zone=zone)) for one in (refused, *refused.also)
        )
        return Reply(notices.answer(refusal(refused, command=self._command, time_zone=zone)), refused, said)

    # ------------------------------------------------------------ what was typed

    def _command_line(self, act: Interaction) -> Reply:
        meant = self.parse(act.text)
        if isinstance(meant, Refused):
            return self.refuse(act, meant)
        if isinstance(meant, Help):
            glass = bool(self.window.may_break_glass(act.who))
            return Reply(help_message(meant.topic, self._command, self.window.example(), glass=glass))
        actor = known(self._ctx, act.who, nobody, on_hold=True)
        if isinstance(actor, Refused):
            return self.refuse(act, actor)
        return self._typed(act, meant, actor)

    def _typed(self, act: Interaction, meant: Command, actor: Known) -> Reply:
        match meant:
            case Ask() | AskSeveral():
                typed = self._typed_asks(meant, actor)
                return self.refuse(act, typed) if isinstance(typed, Refused) else self._ask_all(act, typed)
            case AskFor(whom, ask):
                return self._ask_for(act, whom, ask, actor)
            case Again(reason):
                return self._again(act, actor, reason)
            case BreakGlass() | Acknowledge() | Flag() | Lift() | Confirm() | RevokeAll():
                return self._emergency(act, meant, actor)
            case Approve() | Less() | Deny() | Withdraw() | Decline() | End():
                return self._said(act, meant.id, self._by_hand(act, meant))
            case Delegate():
                return self._look(act, delegating.carry_out(self._ctx, act, meant, actor, self._command))
            case Extend(id_, duration, reason):
                return self._asked(
                    act, ask_for_more_time(self._ctx, id_, duration, reason, act.who, act.origin, act.id)
                )
            case _:
                return self._look(act, self.window.look(meant, actor))

    def _by_hand(self, act: Interaction, meant: Approve | Less | Deny | Withdraw | Decline | End) -> Done | Refused:
        """What the buttons do, typed."""
        match meant:
            case Approve(id_):
                return approve(self._ctx, id_, act.who, act.id)
            case Less(id_, role, duration):
                return approve_for_less(self._ctx, id_, act.who, role, duration, act.id)
            case Deny(id_, reason):
                return deny(self._ctx, id_, act.who, reason, act.id)
            case Withdraw(id_):
                return withdraw(self._ctx, id_, act.who, act.id)
            case Decline(id_):
                return decline(self._ctx, id_, act.who, act.id)
            case End(id_, reason):
                return end(self._ctx, id_, act.who, reason, act.id)

    def _emergency(
        self, act: Interaction, meant: BreakGlass | Acknowledge | Flag | Lift | Confirm | RevokeAll, actor: Known
    ) -> Reply:
        match meant:
            case BreakGlass(environment, role, duration, reason):
                return self._break_glass(act, CoreAsk(environment, role, duration, reason))
            case Acknowledge(id_):
                return self._said(act, id_, acknowledge(self._ctx, id_, act.who, act.id))
            case Flag(id_, note):
                return self._said(act, id_, flag(self._ctx, id_, act.who, note, act.id))
            case Lift(whom, reason):
                return self._lift(act, whom, reason, actor)
            case Confirm(whom, same, reason):
                return self._confirm(act, whom, same, reason, actor)
            case RevokeAll():
                return self._revoke_all(act, meant, actor)

    def _look(self, act: Interaction, found: Message | Refused) -> Reply:
        return self.refuse(act, found) if isinstance(found, Refused) else Reply(found)

    # ------------------------------------------------------------ the panic switch

    def _revoke_all(self, act: Interaction, meant: RevokeAll, actor: Known) -> Reply:
        """Typed: nothing is done yet, it is shown what would be."""
        able = known(self._ctx, act.who, groups_that_may, on_hold=True)
        if isinstance(able, Refused):
            return self.refuse(act, able)
        problem = text_problem(meant.reason, {"what": "revoke-all"})
        if problem:
            return self.refuse(act, problem)
        return self._look(act, self.window.would_revoke(meant, actor, able))

    def _pressed_revoke_all(self, act: Interaction) -> Reply:
        pressed = read_pressed(act.value)
        if pressed is None:
            return Reply()
        answer = revoke_all(self._ctx, pressed.aim, act.who, pressed.reason, act.id)
        if isinstance(answer, Refused):
            return self.refuse(act, answer)
        return Reply(under_way(pressed.aim), replaces=True)

    # ------------------------------------------------------------ asking

    def _typed_asks(self, meant: Ask | AskSeveral, actor: Known) -> list[CoreAsk] | Refused:
        """A typed time is one of the asker's own clock."""
        begin, now = meant.begin, self._ctx.ledger.now()
        start = start_of(begin.day, begin.clock, now, actor.person.time_zone) if begin else None
        if begin and start is None:
            return Refused(Code.START_UNREADABLE, {"text": f"{begin.day} {begin.clock}"}, audited=False)
        places = meant.places if isinstance(meant, AskSeveral) else ((meant.environment, meant.role),)
        return [CoreAsk(place, role, meant.duration, meant.reason, start_at=start) for place, role in places]

    def _ask_all(self, act: Interaction, asks: list[CoreAsk]) -> Reply:
        return self._ask(act, asks[0]) if len(asks) == 1 else self._answered(act, self._several.ask(act, asks))

    def _ask(self, act: Interaction, ask: CoreAsk) -> Reply:
        answer = ask_for_access(self._ctx, ask, act.who, act.origin, act.id)
        reply = self._asked(act, answer)
        then = open_again_at(answer, self._ctx.ledger.now()) if isinstance(answer, Refused) else None
        if then is None or reply.message is None or ask.holder is not None:
            return reply
        return replace(reply, message=notices.with_ask_for(reply.message, replace(ask, start_at=then)))

    def _more_time(self, act: Interaction) -> Reply:
        fields = act.fields or {}
        time = timedelta(seconds=int(fields["duration_s"]))
        words, ticket = fields["reason"], fields.get("ticket") or None
        return self._asked(
            act, ask_for_more_time(self._ctx, fields["id"], time, words, act.who, act.origin, act.id, ticket)
        )

    def _asked(self, act: Interaction, answer: Done | Refused) -> Reply:
        if isinstance(answer, Refused):
            return self.refuse(act, answer)
        seen = self.window.seen(answer.id)
        if seen is None:
            return Reply()
        if answer.outcome == "have_it":
            return Reply(notices.have_it(seen.story, self._reader(act), self.window.deciders(seen)))
        if act.origin.by_form:
            # The form's answer is a direct message, which the sender keeps current.
            return Reply()
        by_rule = self.window.rule_may_approve(seen)
        facts = self._ctx.directory.person(act.who)
        zone = facts.time_zone if facts else "UTC"
        deciders = self.window.deciders(seen)
        return Reply(notices.asked(seen.story, deciders, self._command, by_rule=by_rule, zone=zone))

    def _ask_for(self, act: Interaction, whom: Whom, ask: Ask, actor: Known) -> Reply:
        person = self.window.person_meant(whom, actor)
        if isinstance(person, Refused):
            return self.refuse(act, person)
        unfit = self.window.unfit_holder(whom, actor)
        if unfit:
            return self.refuse(act, unfit)
        typed = self._typed_asks(ask, actor)
        return (
            self.refuse(act, typed) if isinstance(typed, Refused) else self._ask(act, replace(typed[0], holder=person))
        )

    def _again(self, act: Interaction, actor: Known, reason: str) -> Reply:
        last = last_ask(self._ctx, actor.person.id, reason)
        return self.refuse(act, last) if isinstance(last, Refused) else self._ask(act, last)

    def _break_glass(self, act: Interaction, ask: CoreAsk) -> Reply:
        answer = break_glass(self._ctx, ask, act.who, act.origin, act.id)
        if isinstance(answer, Refused):
            return self.refuse(act, answer)
        if answer.outcome == "have_it":
            seen = self.window.seen(answer.id)
            return Reply(notices.have_it(seen.story, self._reader(act)) if seen else None)
        return Reply(notices.answer(done_words(answer.outcome, answer.id)))

    def _glass_form(self, act: Interaction) -> Reply:
        reply = self._break_glass(act, _ask_of(act))
        answered = reply.refused is None and reply.message is not None
        # The form's answer is a direct message, which the sender keeps current.
        return Reply() if answered else reply

    def _lift(self, act: Interaction, whom: Whom, reason: str, actor: Known) -> Reply:
        person = self.window.person_meant(whom, actor)
        if isinstance(person, Refused):
            return self.refuse(act, person)
        answer = lift(self._ctx, person, act.who, reason, act.id)
        if isinstance(answer, Refused):
            return self.refuse(act, answer)
        return Reply(
            notices.answer(
                f"✅ You lifted what kept {whom.text.lstrip('@')} from asking or breaking the glass. They are told."
            )
        )

    def _confirm(self, act: Interaction, whom: Whom, same: bool | None, reason: str, actor: Known) -> Reply:
        """Said at once where it was typed and one account is meant; else it is asked, with what is known of each."""
        able = known(self._ctx, act.who, groups_needed_to_confirm)
        problem = able if isinstance(able, Refused) else text_problem(reason, {"what": "person confirm"})
        if problem or isinstance(able, Refused):
            return self.refuse(act, problem or Refused(Code.PERSON_UNKNOWN))
        found = self.window.holds_meant(whom, actor)
        refusal = next((refused for held in found if (refused := may_confirm(able, held))), None)
        if refusal or not found:
            unknown = Refused(Code.NOTHING_TO_CONFIRM, {"name": whom.text}, audited=False)
            return self.refuse(act, refusal or unknown)
        if same is None or len(found) > 1:
            return Reply(holds.question(found, clean(reason), self._ctx.ledger.now(), self._command))
        return self._said_whose(act, Saying(found[0].account.account, same, reason, found[0].hash))

    def _said_whose(self, act: Interaction, saying: Saying | None) -> Reply:
        if saying is None:
            return Reply()
        answer = confirm(self._ctx, saying, act.who, act.id)
        if isinstance(answer, Refused):
            return self.refuse(act, answer)
        return Reply(holds.said(answer.outcome, same=saying.same), replaces=act.kind == PRESS)

    def _form(self, act: Interaction) -> Reply:
        return self._ask_all(act, _asks_of(act))

    def _answered(self, act: Interaction, answer: Answer) -> Reply:
        """After something was done with several at once."""
        return self.refuse(act, *answer) if isinstance(answer, tuple) else Reply(answer)

    # ------------------------------------------------------------ pressing

    def _press(self, act: Interaction) -> Reply:
        if act.action == MORE:
            choice = read_more(act.value)
            return self._explain(act, choice[1]) if choice else Reply()
        if act.action == REVOKE_ALL:
            return self._pressed_revoke_all(act)
        if act.action in (CONFIRM_SAME, CONFIRM_ANOTHER):
            return self._said_whose(act, read_said(act.value))
        if act.action in (APPROVE_ALL, WITHDRAW_ALL):
            return self._pressed_for_all(act)
        found = read_value(act.value)
        return self._pressed_one(act, *found) if found else Reply()

    def _pressed_for_all(self, act: Interaction) -> Reply:
        reply = self._answered(act, self._several.press(act))
        return replace(reply, replaces=reply.refused is None and answer_stays(act))

    def _pressed_one(self, act: Interaction, id_: str, terms_hash: str | None) -> Reply:
        if act.action == APPROVE:
            return self._quiet(act, id_, approve(self._ctx, id_, act.who, act.id, terms_hash))
        if act.action == ACKNOWLEDGE:
            return self._quiet(act, id_, acknowledge(self._ctx, id_, act.who, act.id))
        if act.action == END_ACTION:
            return self._quiet(act, id_, end(self._ctx, id_, act.who, "", act.id))
        if act.action == DECLINE:
            return self._quiet(act, id_, decline(self._ctx, id_, act.who, act.id))
        if act.action == WITHDRAW:
            return self._quiet(act, id_, withdraw(self._ctx, id_, act.who, act.id))
        return Reply()

    def _explain(self, act: Interaction, id_: str) -> Reply:
        actor = known(self._ctx, act.who, nobody, on_hold=True)
        return self._look(act, actor if isinstance(actor, Refused) else self.window.explain_request(id_, actor))

    def _denied(self, act: Interaction) -> Reply:
        fields = act.fields or {}
        return self._quiet(act, fields["id"], deny(self._ctx, fields["id"], act.who, fields["reason"], act.id))

    def _denied_all(self, act: Interaction) -> Reply:
        return self._answered(act, self._several.deny(act))

    def _lessened(self, act: Interaction) -> Reply:
        fields = act.fields or {}
        id_, seconds = fields["id"], fields.get("duration_s")
        duration = timedelta(seconds=int(seconds)) if seconds else None
        role, terms_hash = fields.get("role"), fields.get("terms")
        return self._quiet(act, id_, approve_for_less(self._ctx, id_, act.who, role, duration, act.id, terms_hash))

    def _ended(self, act: Interaction) -> Reply:
        fields = act.fields or {}
        return self._quiet(act, fields["id"], end(self._ctx, fields["id"], act.who, fields["reason"], act.id))

    def _flagged(self, act: Interaction) -> Reply:
        fields = act.fields or {}
        return self._quiet(act, fields["id"], flag(self._ctx, fields["id"], act.who, fields["reason"], act.id))

    def _quiet(self, act: Interaction, id_: str, answer: Done | Refused) -> Reply:
        """After a press the card tells; only what the card cannot show is said."""
        if isinstance(answer, Refused):
            return self.refuse(act, answer, id_)
        if answer.outcome == "terms_changed":
            return self.refuse(act, Refused(Code.TERMS_CHANGED, {"id": id_}, audited=False), id_)
        return Reply()

    def _said(self, act: Interaction, id_: str, answer: Done | Refused) -> Reply:
        """After a typed command there is no card in front of the actor, so the outcome is told."""
        if isinstance(answer, Refused) or answer.outcome == "terms_changed":
            return self._quiet(act, id_, answer)
        declined = act.kind == COMMAND and isinstance(self.parse(act.text), Decline)
        return Reply(notices.answer(done_words("declined" if declined else answer.outcome, id_)))

    def _reader(self, act: Interaction) -> PersonId:
        """Who reads the answer."""
        facts = self._ctx.directory.person(act.who)
        return facts.id if facts else PersonId("")

    def _with_others(self, refused: Refused, id_: str) -> Refused:
        """Whoever may not decide reads who can."""
        seen = self.window.seen(id_)
        deciders = self.window.deciders(seen) if seen else NOBODY
        said = {"can": deciders.can, "others": deciders.listed} if deciders else {}
        return replace(refused, params={**refused.params, **said})


def _asks_of(act: Interaction) -> list[CoreAsk]:
    """What a form asks for: one for each role that was chosen."""
    ask = _ask_of(act)
    return [replace(ask, role=role) for role in ask.role.split(",")]


def _ask_of(act: Interaction) -> CoreAsk:
    fields = act.fields or {}
    seconds = fields.get("duration_s")
    duration = timedelta(seconds=int(seconds)) if seconds else None
    ticket, start = fields.get("ticket") or None, fields.get("start_at")
    start_at = datetime.fromtimestamp(int(start), UTC) if start else None
    return CoreAsk(fields["environment"], fields["role"], duration, fields["reason"], ticket, start_at)

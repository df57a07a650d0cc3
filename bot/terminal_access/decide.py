"""A worker decides what was asked from a terminal: who signed it, which person that is, whether there is a chat; then it is
carried out as if it had been typed there.

The worker asks AWS itself. web has only put down what came, so whoever takes web over can make up no proof.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.reply import FactsStale, Reply
from bot.chat.commands.model import Approve, Ask, BreakGlass, BreakOpen, End, Show
from bot.chat.interaction import COMMAND, Interaction
from bot.chat.message import Buttons
from bot.chat.messages.fault import fault_words
from bot.chat.plain_text import as_text, parts_as_text
from bot.settings import Secret
from bot.terminal_access.people import NobodyThere, named_by, speaking
from bot.terminal_access.sts import NoAnswer, NotProved
from bot.terminal_access.witness import witnessed
from workflows.core import keys
from workflows.core.identity import AccountRecord, PersonId
from workflows.core.people import FromTerminal, PersonFacts
from workflows.core.policy import Policy
from workflows.core.records.terminal import TerminalAct
from workflows.core.refusal import Refused
from workflows.core.rules.break_glass import from_terminal_problem
from workflows.core.rules.groups import groups_needed
from workflows.core.terminal.caller import Caller
from workflows.core.terminal.proof import Proof
from workflows.ports import DirectoryUnreachable, LedgerUnreachable, PolicyUnavailable, VouchedFor
from workflows.usecases.identity import terminal_acts
from workflows.usecases.shared.actor import whose
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.due_items import take_off
from workflows.usecases.shared.outside import went_wrong
from workflows.usecases.shared.troubles import Failure, note
from workflows.usecases.shared.vouched import facts_on_record

log = structlog.get_logger()

# Chat is down when nothing of it has answered for so long, looked at again and again.
DOWN_FOR_S = 10.0
LOOK_AGAIN_S = 2.0
# Whoever asked has gone on.
GIVE_UP_AFTER = timedelta(minutes=2)
# What nobody has looked at by then is not looked at any more: a proof is for now, however long AWS would take it.
TAKEN_FOR = timedelta(minutes=2, seconds=30)
_OFF = "The policy names no `identity_accounts`: nobody can ask or agree from a terminal here."
_NO_GATES = "A gate is opened in an emergency in chat alone, where everybody sees it at once."
_ONLY = "From a terminal there are request, show, approve, end and break-glass alone."
_GAVE_UP = "I could not decide this, so nothing was done: {}. Please try again."


WhoSigned = Callable[[TerminalAct, Proof], Caller]


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    refused: bool = True


class _NotYet(Exception):
    """It is looked at again. Why, in words."""


class TerminalActs:
    """`who`: asks AWS, see `sts.who_signed`. `secret`: by which votes in chat are proved, where they are."""

    def __init__(self, ctx: WorkerContext, command: str, who: WhoSigned, secret: Secret | None = None) -> None:
        self._ctx = ctx
        self._command = command
        self._who = who
        self._secret = secret

    def decide(self, id_: str) -> None:
        """Decide one act. Doing it twice does it once: its commit has the act's own id."""
        ctx, item = self._ctx, keys.terminal(id_)
        act = terminal_acts.read(ctx, id_)
        if act is None or act.at is None or act.answer is not None or act.id != terminal_acts.id_of(act.challenge):
            take_off(ctx, item, item)
            return
        age = ctx.ledger.now() - act.at
        try:
            found = self._decided(act) if age <= TAKEN_FOR else _Answer(_GAVE_UP.format("nobody came to it in time"))
        except (DirectoryUnreachable, PolicyUnavailable, NoAnswer, _NotYet, FactsStale) as problem:
            if age <= GIVE_UP_AFTER:
                log.info("an act from a terminal waits", why=str(problem))
                ctx.ledger.remind(item, LOOK_AGAIN_S)
                return
            found = _Answer(_GAVE_UP.format(_why(problem)))
        except NotProved as problem:
            found = _Answer(str(problem))
        except LedgerUnreachable:
            raise
        except Exception as problem:
            number = ctx.fault("an act from a terminal failed", problem)
            note(ctx, "act:terminal", Failure(went_wrong(number)))
            found = _Answer(fault_words(number))
        terminal_acts.answer(ctx, act, found.text, refused=found.refused)

    def _decided(self, act: TerminalAct) -> _Answer:
        ctx = self._ctx
        policy = ctx.policy.current()
        if not policy.identity_accounts or ctx.vouching is None:
            return _Answer(_OFF)
        if act.proof is None:
            raise NotProved("There is no proof of who asked.")
        caller = self._who(act, act.proof)
        vouched = ctx.vouching.look_up(policy, caller)
        if not isinstance(vouched, VouchedFor):
            return _Answer(vouched.sentence)
        try:
            who, records = named_by(ctx, policy, vouched)
        except NobodyThere as problem:
            return _Answer(str(problem))
        facts = self._facts(policy, caller, who, records)
        down = facts.terminal is not None and facts.terminal.chat_down
        return self._carried_out(act, policy, replace(facts, terminal=FromTerminal(vouched.user, down)))

    # ------------------------------------------------------------ who, and is there a chat

    def _facts(self, policy: Policy, caller: Caller, who: PersonId, records: Sequence[AccountRecord]) -> PersonFacts:
        """What a chat says of them; where none can be reached, what the record has. Raises DirectoryUnreachable and _NotYet."""
        ctx = self._ctx
        try:
            facts = self._said_in_chat(policy, records)
        except DirectoryUnreachable:
            down_s = ctx.vouching.chat_down_for_s() if ctx.vouching is not None else None
            if down_s is None:
                raise
            if down_s < DOWN_FOR_S:
                raise _NotYet("chat does not answer, and that is looked at again") from None
            terminal_acts.vouch(ctx, who, caller)
            facts = facts_on_record(ctx, records[0], ctx.ledger.now())
            return replace(facts, terminal=FromTerminal("", chat_down=True))
        if facts.id != who:
            raise DirectoryUnreachable("nobody knows whose this account is now")
        return facts

    def _said_in_chat(self, policy: Policy, records: Sequence[AccountRecord]) -> PersonFacts:
        """By the first of their chats that answers. Raises DirectoryUnreachable where none does."""
        silent: DirectoryUnreachable | None = None
        for record in records:
            try:
                return whose(self._ctx, policy, self._ctx.refresher.refresh_person(record.slack, policy))
            except DirectoryUnreachable as problem:
                silent = silent or problem
        raise silent or DirectoryUnreachable("they have no account in chat")

    # ------------------------------------------------------------ what they want

    def _carried_out(self, act: TerminalAct, policy: Policy, facts: PersonFacts) -> _Answer:
        ctx = replace(self._ctx, directory=speaking(self._ctx.directory, facts))
        at = Dispatcher(ctx, self._command)
        typed = Interaction(f"terminal:{act.id}", COMMAND, facts.slack, text=act.line, looked=True, terminal=True)
        command = at.parse(act.line)
        if isinstance(command, Refused):
            return _said(at.refuse(typed, command))
        if isinstance(command, BreakOpen):
            return _Answer(_NO_GATES)
        if not isinstance(command, Ask | Show | Approve | End | BreakGlass):
            return _Answer(_ONLY)
        self._look_up_groups(policy)
        down = facts.terminal is not None and facts.terminal.chat_down
        if isinstance(command, BreakGlass) and (
            problem := from_terminal_problem(policy, command.environment, command.role, chat_down=down)
        ):
            return _said(at.refuse(typed, problem))
        if isinstance(command, Approve) and self._secret is not None:
            signed = witnessed(self._secret, facts.colleague(facts.slack.user), act.line, ctx.ledger.now())
            typed = replace(typed, signed=signed)
        return _said(at.carry_out(typed))

    def _look_up_groups(self, policy: Policy) -> None:
        ctx = self._ctx
        names = {name for place in policy.environments.values() for name in groups_needed(policy, place)}
        old = ctx.directory.groups(policy, names).to_look_up(names, ctx.ledger.now())
        if old:
            ctx.refresher.refresh_groups(policy, old)


def _said(reply: Reply) -> _Answer:
    if reply.message is None:
        return _Answer("Done.", refused=reply.refused is not None)
    # Nobody can press anything here.
    shown = [part for part in reply.message.parts if not isinstance(part, Buttons)]
    text = parts_as_text(shown) if shown else as_text(reply.message)
    return _Answer(text, refused=reply.refused is not None)


def _why(problem: Exception) -> str:
    if isinstance(problem, NoAnswer):
        return f"AWS {problem}"
    return str(problem) or "nobody could tell who you are, or who may do this"

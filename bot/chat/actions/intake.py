"""What comes in of people's acts, in the process that must answer at once: carried out here, or put down for a worker.

No call to a chat stands between an act and its acknowledgement; what follows is done afterwards, in threads of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial

import structlog
from prometheus_client import Counter

from bot.chat.actions.deferred import defer
from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.refusal_limit import REFUSED_MAX, RefusalLimit, Verdict
from bot.chat.actions.reply import FactsStale, Reply
from bot.chat.interaction import COMMAND, DENY, DENY_ALL, END, FLAG, Interaction
from bot.chat.message import Message
from bot.chat.messages import approval_card as cards
from bot.chat.messages import notices
from bot.chat.messages.batch import WITHDRAW_ALL
from bot.chat.messages.drift import REMOVE
from bot.chat.messages.fault import fault
from bot.chat.messages.home_oversight import END_DELEGATION
from bot.chat.messages.notices import DECLINE
from bot.chat.messages.revoke_all import REVOKE_ALL
from bot.chat.messages.second_chat import IS_NOT_ME
from bot.chat.surface import Answers
from bot.monotonic import monotonic_s
from bot.observability import tracing
from bot.observability.log import log_failure
from workflows.core.records.request import ID_PATTERN
from workflows.ports import LedgerUnreachable
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.outside import went_wrong
from workflows.usecases.shared.troubles import Failure, note

log = structlog.get_logger()

ACTS = Counter("prodaccess_acts_total", "What people did in chat, by kind.", ["kind"])
# For what follows an acknowledgement: opening forms, answering presses.
AFTERWARDS_THREADS = 16

_TAKING = frozenset(
    {
        DENY,
        DENY_ALL,
        END,
        FLAG,
        cards.END,
        cards.WITHDRAW,
        WITHDRAW_ALL,
        DECLINE,
        REVOKE_ALL,
        END_DELEGATION,
        IS_NOT_ME,
        REMOVE,
    }
)
_TAKING_WORDS = (["deny"], ["end"], ["revoke"], ["revoke-all"], ["withdraw"], ["decline"])
_TOO_OFTEN = (
    f"I have said no to you {REFUSED_MAX} times within a minute, so I do not listen until the minute is over. Denying, ending "
    "and giving back still work."
)
# Nothing is promised about what was on its way when the records fell silent: only they know.
_LEDGER_AWAY = (
    "I cannot reach my records just now, so I cannot tell that I took this. Please try again in a minute: what I "
    "accepted is not done twice. Access that is open still ends automatically. (error {})"
)


def takes_away(act: Interaction) -> bool:
    """Whether it denies, ends or gives back: that is heard however often somebody was refused."""
    typed = act.text.lower().split(maxsplit=1)[:1]
    return act.kind in _TAKING or act.action in _TAKING or (act.kind == COMMAND and typed in _TAKING_WORDS)


class Intake:
    def __init__(self, ctx: Context, dispatcher: Dispatcher, answers: Answers) -> None:
        self._ctx = ctx
        self._dispatcher = dispatcher
        self._answers = answers
        self._limit = RefusalLimit(monotonic_s)
        self._afterwards = ThreadPoolExecutor(AFTERWARDS_THREADS, thread_name_prefix="afterwards")

    def carry_out(self, act: Interaction) -> Reply:
        """The answer; or the act is put on the ledger for a worker, and answered later."""
        ACTS.labels(act.kind).inc()
        about = {"prodaccess.id": named[0]} if (named := ID_PATTERN.match(act.value)) else {}
        with tracing.span(f"act {act.kind}", **{"prodaccess.chat": act.who.surface}, **about), self.read_at_once(act):
            return self._carried_out(act)

    @contextmanager
    def read_at_once(self, act: Interaction) -> Iterator[None]:
        """For all that is looked up about one act until it is acknowledged."""
        with self._ctx.ahead.act():
            self._dispatcher.expected.act(act)
            yield

    def _carried_out(self, act: Interaction) -> Reply:
        verdict = Verdict.GO if takes_away(act) else self._limit.verdict(act.who)
        if verdict is not Verdict.GO:
            return Reply(notices.answer(_TOO_OFTEN) if verdict is Verdict.TELL else None)
        self._seen(act)
        try:
            try:
                with tracing.span("decide"):
                    reply = self._dispatcher.carry_out(act)
            except FactsStale:
                self._limit.refused(act.who)
                defer(self._ctx, act)
                return Reply(deferred=True)
            if reply.refused is not None:
                self._limit.refused(act.who)
            return reply
        except LedgerUnreachable as problem:
            return Reply(ledger_away(act, problem))
        except Exception as problem:
            return Reply(fault(self.fault("an act failed", problem, act.kind)))

    def _seen(self, act: Interaction) -> None:
        """Where they are told of what comes. That it is not written down is no reason to refuse them."""
        with suppress(LedgerUnreachable):
            self._ctx.directory.saw(act.who)

    def afterwards(self, then: Callable[..., object], *args: object) -> None:
        """What follows an acknowledgement. Whoever acted hears of it where it fails: the act is among the arguments."""
        act = next((arg for arg in args if isinstance(arg, Interaction)), None)

        def run() -> None:
            try:
                then(*args)
            except Exception as problem:
                self._tell_instead(act, problem)

        self._afterwards.submit(run)

    def tell(self, act: Interaction, reply: Reply) -> None:
        """Afterwards, where there is something to say."""
        if reply.message is not None:
            tell = self._answers.answer_in_place if reply.replaces else self._answers.answer
            self.afterwards(tell, act, reply.message)

    def _tell_instead(self, act: Interaction | None, problem: Exception) -> None:
        """A form that does not open needs a word, too."""
        if isinstance(problem, LedgerUnreachable) and act is not None:
            message = ledger_away(act, problem)
        else:
            kind = act.kind if act else "event"
            message = fault(self.fault("what follows an acknowledgement failed", problem, kind))
        if act is not None:
            try:
                self._answers.answer(act, message)
            except Exception as silent:
                self.fault("a word could not be said", silent, act.kind)

    def fault(self, what: str, problem: Exception, kind: str) -> str:
        """Into the log and the count; three within ten minutes are an alarm. Returns the number to say."""
        number = self._ctx.fault(what, problem, act=kind)
        self._afterwards.submit(partial(_noted, self._ctx, kind, number))
        return number


def ledger_away(act: Interaction, problem: LedgerUnreachable) -> Message:
    number = log_failure("the ledger does not answer", problem, act=act.kind)
    return notices.answer(_LEDGER_AWAY.format(number))


def _noted(ctx: Context, kind: str, number: str) -> None:
    try:
        note(ctx, f"act:{kind}", Failure(went_wrong(number)))
    except LedgerUnreachable as problem:
        log.warning("a failure was not noted", why=str(problem))

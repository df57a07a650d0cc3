"""Carries out what somebody did in chat: calls the use case, and says in one sentence what came of it.

The same code serves the web process, which answers at once where facts are fresh, and a worker, which looks first.
"""

from __future__ import annotations

from bot.chat.actions.acting import Acting
from bot.chat.actions.handlers import carry
from bot.chat.actions.reply import Reply
from bot.chat.interaction import Interaction
from workflows.core.records.request import ID_PATTERN
from workflows.core.refusal import Code, Refused
from workflows.ports import CorruptRecord


class Dispatcher(Acting):
    def carry_out(self, act: Interaction) -> Reply:
        """Do it, and say what came of it. Raises FactsStale, LedgerUnreachable."""
        try:
            return carry(act)(self, act)
        except CorruptRecord as problem:
            return self.refuse(act, Refused(Code.RECORD_UNREADABLE, {"what": what_it_is(problem.key)}, audited=False))


def what_it_is(key: str) -> str:
    """`grant PA-7`; of what is not known by an id, the kind alone."""
    kind, _, name = key.partition(":")
    return f"{kind} {name}" if ID_PATTERN.fullmatch(name) else kind

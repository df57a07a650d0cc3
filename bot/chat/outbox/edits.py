"""A message that stands, made to say what it should by now; and how a message is drawn where its form was refused."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.chat.message import Message, plain
from bot.chat.outbox.outages import Outages
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.postings import PostingSession
from bot.chat.outbox.turns import Turns
from bot.chat.surface import Means, Messenger, NotDone, Posted, Traits
from workflows.core.destination import read_destination
from workflows.core.records.chat import Posting
from workflows.core.records.request import ID_PATTERN

log = structlog.get_logger()


class Edits:
    """Raises what `Delivery` raises."""

    def __init__(self, chat: Messenger, turns: Turns, outages: Outages, command: str) -> None:
        self._chat = chat
        self._turns = turns
        self._outages = outages
        self._command = command

    def edit(self, page: PostingSession, planned: PlannedMessage, posting: Posting) -> None:
        if self.change(page, planned, posting):
            posting = page.record.postings[planned.slot]
            page.put(
                planned.slot, replace(posting, shown=planned.shows, tries=0), f"edited:{planned.slot}:{planned.shows}"
            )

    def change(self, page: PostingSession, planned: PlannedMessage, posting: Posting) -> bool:
        """Edit it in place. False where its place is closed and it is owed; True where it is done, or can never be."""
        closed = self._outages.word(posting.channel)
        if closed is not None and self._outages.is_owed(posting.channel):
            self._outages.owe(page, posting.channel, closed)
            return False
        self._turns.wait_to_edit(page, planned)
        where = read_destination(posting.posted_channel or posting.channel)
        try:
            message = drawn(page, planned, posting, self._chat.traits, self._command)
            page.still_so()
            page.hold()
            self._chat.edit(Posted(where, str(posting.ts)), message)
        except NotDone as problem:
            if refuses_form(problem, planned, posting):
                recorded = page.record.postings[planned.slot]
                page.put(planned.slot, replace(recorded, plain=True), f"plain:{planned.slot}")
                return self.change(page, planned, replace(posting, plain=True))
            return self._unchanged(page, planned, posting, problem)
        return True

    def _unchanged(self, page: PostingSession, planned: PlannedMessage, posting: Posting, problem: NotDone) -> bool:
        if problem.means not in (Means.MESSAGE, Means.THREAD):
            self._turns.edit_failed(page, planned, page.record.postings[planned.slot], problem)
        if problem.means is Means.PLACE and self._outages.is_owed(posting.channel):
            self._outages.owe(page, posting.channel, problem.word)
            return False
        log.warning("a message can no longer be edited", slot=planned.slot, error=problem.word)
        return True


def refuses_form(problem: NotDone, planned: PlannedMessage, posting: Posting) -> bool:
    """Whether the chat does not take this message as it is drawn, and might without any form."""
    if problem.means is not Means.FORM or posting.plain:
        return False
    log.error("a message's form is refused: it goes as plain text", slot=planned.slot, error=problem.word)
    return True


def drawn(page: PostingSession, planned: PlannedMessage, posting: Posting, traits: Traits, command: str) -> Message:
    """What is sent: the message, or, where its form was refused, its words, and what can be typed in place of its buttons."""
    if not posting.plain:
        return planned.message
    hint = f"{traits.title} took no buttons here. `{command} help` lists what can be typed"
    if ID_PATTERN.fullmatch(page.record.subject):
        hint += f", and `{command} show {page.record.subject}` tells more"
    return plain(planned.message, f"{hint}.")

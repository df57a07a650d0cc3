"""One message into a chat, once: an intent on the ledger with a nonce, the post with the nonce in it, the record.

Whatever goes wrong with a send becomes an outcome here, by what the chat says its words mean, and nowhere else: delivered;
delivered as plain text; under a new root; given up at this place, which `outages` tells and the plan answers with the next
place; stopped as a whole; or later.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Never

import structlog

from bot.chat.message import Message, plain
from bot.chat.outbox.edits import Edits, drawn, refuses_form
from bot.chat.outbox.outages import Outages
from bot.chat.outbox.plans.cards import is_card
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.postings import Later, PostingSession
from bot.chat.outbox.turns import Turns
from bot.chat.rich import ours
from bot.chat.surface import Means, Messenger, NotDone, Posted
from workflows.core import keys
from workflows.core.destination import Destination, is_person, read_destination
from workflows.core.records.chat import Posting
from workflows.ports import Buckets, IndexEntry
from workflows.usecases.shared.context import WorkerContext

log = structlog.get_logger()


class Delivery:
    """Sends what is wanted in one chat, a message at a time. Raises Later, Stopped, Fenced, and NotDone for what passes."""

    def __init__(self, ctx: WorkerContext, chat: Messenger, buckets: Buckets, outages: Outages, command: str) -> None:
        self._ctx = ctx
        self._chat = chat
        self._outages = outages
        self._command = command
        self._turns = Turns(buckets, chat.traits, outages)
        self._edits = Edits(chat, self._turns, outages, command)

    def send(self, page: PostingSession, planned: PlannedMessage) -> None:
        """Make this one message be as wanted. Does nothing where it is already, or was given up at this place."""
        posting = page.record.postings.get(planned.slot)
        if posting is None or posting.ts is None:
            if posting is None or posting.error is None:
                self._post(page, planned, posting)
        elif planned.shows not in ("once", posting.shown) and self._chat.traits.abilities.edits:
            self._edits.edit(page, planned, posting)

    # ------------------------------------------------------------ posting

    def _post(self, page: PostingSession, planned: PlannedMessage, posting: Posting | None) -> None:
        root = page.record.postings.get(planned.under) if planned.under else None
        if planned.under and (root is None or root.ts is None):
            return
        closed = self._outages.word(planned.channel) if not is_person(planned.channel) else None
        if closed is not None:
            self._outages.give_up(page, planned.slot, posting or Posting(planned.channel), closed)
            return
        self._turns.wait_to_post(planned)
        found: Posted | None = None
        if posting is None or posting.intent_at is None:
            new = posting or Posting(planned.channel)
            posting = replace(new, nonce=self._ctx.chance.hex(24), intent_at=self._ctx.ledger.now())
            page.still_so()
            page.put(planned.slot, posting, f"intent:{planned.slot}", reads=page.rests_on)
        else:
            found = self._find(page, planned, posting, root)
        if found is not None:
            # It shows what was wanted when it was posted, which may be long ago.
            self._edits.change(page, planned, replace(posting, posted_channel=str(found.to), ts=found.id))
        else:
            found = self._deliver(page, planned, posting, root)
        if found is not None:
            self._record(page, planned, found)

    def _record(self, page: PostingSession, planned: PlannedMessage, found: Posted) -> None:
        done = replace(
            page.record.postings[planned.slot],
            ts=found.id,
            posted_channel=str(found.to),
            posted_at=found.at or self._ctx.ledger.now(),
            shown=planned.shows,
            intent_at=None,
            tries=0,
        )
        told = {planned.under: planned.told} if planned.under else None
        entries = (planned.entry,) if planned.entry else ()
        # Those behind it go by how many are before them.
        out = (IndexEntry(keys.cards_waiting(planned.channel), page.record.subject, None),) if is_card(planned) else ()
        page.put(planned.slot, done, f"posted:{planned.slot}", told, entries, index=out)
        if is_person(planned.channel):
            self._outages.reached(planned.channel)

    def _deliver(
        self, page: PostingSession, planned: PlannedMessage, posting: Posting, root: Posting | None
    ) -> Posted | None:
        """None where it was given up at this place. Raises what `post_failed` raises."""
        message = drawn(page, planned, posting, self._chat.traits, self._command)
        page.hold()
        try:
            return self._chat.post(_place(planned, root), message, nonce=str(posting.nonce), under=self._thread(root))
        except NotDone as problem:
            if refuses_form(problem, planned, posting):
                posting = replace(posting, plain=True)
                page.put(planned.slot, posting, f"plain:{planned.slot}")
                return self._deliver(page, planned, posting, root)
            if problem.means is Means.THREAD and root is not None and planned.under and not root.flat:
                self._give_root_up(page, planned, root, problem.word)
            self._turns.post_failed(page, planned, posting, problem)
            self._whisper(planned, problem.word)
            self._outages.give_up(page, planned.slot, posting, problem.word)
            return None

    def _find(
        self, page: PostingSession, planned: PlannedMessage, posting: Posting, root: Posting | None
    ) -> Posted | None:
        """A post whose answer nobody recorded: is it there? Its nonce tells.

        Where nobody can look it is posted: a second copy is found by who presses it, a missing one by nobody.
        """
        if posting.intent_at is None or posting.nonce is None:
            return None
        at = _place(planned, root)
        try:
            return self._chat.find_by_nonce(at, posting.nonce, posting.intent_at, under=self._thread(root))
        except NotDone as problem:
            log.warning("the channel's history cannot be read", channel=posting.channel, error=problem.word)
            self._turns.search_failed(page, planned, posting, problem)
            return None

    # ------------------------------------------------------------ what is done instead

    def _whisper(self, planned: PlannedMessage, word: str) -> None:
        """Somebody who gets no direct messages may hear of it where they asked."""
        if not (is_person(planned.channel) and planned.beside and self._chat.traits.abilities.whispers):
            return
        to, beside = read_destination(planned.channel), read_destination(planned.beside)
        if beside.surface != to.surface:
            return
        try:
            self._chat.whisper(to, beside, plain(planned.message))
        except NotDone as problem:
            # Who was deactivated reads nothing any more: nothing for whoever runs this to mend.
            say = log.warning if word in self._chat.traits.gone else log.error
            say("somebody was told nothing", user=planned.channel, slot=planned.slot, tried=[word, problem.word])

    def _thread(self, root: Posting | None) -> Posted | None:
        in_thread = root is not None and not root.flat and self._chat.traits.abilities.threads
        return _posted(root) if in_thread and root is not None else None

    def _give_root_up(self, page: PostingSession, planned: PlannedMessage, root: Posting, word: str) -> Never:
        """The thread takes no more replies: the next root, or, where that had none either, replies beside it."""
        slot, traits = str(planned.under), self._chat.traits
        log.warning("a thread takes no more messages", slot=slot, error=word)
        page.take_back(planned.slot)
        if root.roots or word in traits.never_threads:
            page.put(slot, replace(root, flat=True), f"flat:{slot}")
        else:
            if word in traits.locks_thread:
                self._point_on(root)
            page.put(slot, Posting(root.channel, roots=root.roots + 1), f"new-root:{slot}")
        raise Later(0.0)

    def _point_on(self, root: Posting) -> None:
        try:
            self._chat.edit(_posted(root), Message(ours("↪ This thread is locked: it goes on in a newer message.")))
        except NotDone as problem:
            log.warning("an old root was left as it is", error=problem.word)


def _posted(root: Posting) -> Posted:
    return Posted(read_destination(root.posted_channel or root.channel), str(root.ts))


def _place(planned: PlannedMessage, root: Posting | None) -> Destination:
    """Where its root was posted; a direct message has a conversation of its own."""
    return read_destination((root.posted_channel if root else None) or planned.channel)

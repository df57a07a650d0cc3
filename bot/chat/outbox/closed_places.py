"""What is done about a place that the chat takes no messages for: somebody is told, it is looked at again, and once it is open
whatever is owed to it is shown. See `outages`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.chat.message import Message
from bot.chat.messages import closed_places as places_words
from bot.chat.outbox.outages import STATE, promised, since_of, word_in
from bot.chat.outbox.outbox import Outbox
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.postings import Fenced, Later, PostingSession, Stopped
from bot.chat.places import direct_to, everything, is_everything, surface_of
from bot.chat.surface import Means, NotDone
from workflows.core import keys
from workflows.core.destination import is_person, read_destination
from workflows.core.people import PersonFacts
from workflows.core.policy import Policy
from workflows.core.records.chat import ChatRecord, Posting
from workflows.core.records.record import Record
from workflows.ports import Change, Committed, Fence, IndexEntry
from workflows.usecases.shared.actor import bound_to
from workflows.usecases.shared.context import SOON

log = structlog.get_logger()

# A closed place is looked at again after so many seconds, each time twice as long, up to a minute.
LOOK_S_MIN, LOOK_S_MAX = 15.0, 60.0
# Of a person who gets no messages somebody is told once in so long.
FORGET_PERSON = timedelta(days=1)
AT_ONCE = 200
# Calls of a moment went to the next place, and are old news now.
_OF_THE_MOMENT = ("alarm:", "reminder:", "escalated:", "chase:")


class ClosedPlaces:
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._ctx = outbox.ctx

    def show(self, page: PostingSession, place: str) -> None:
        """One look at a place: tell, look, or wake whom it owes. Raises Fenced and Later."""
        word, policy = word_in(page.record), self._outbox.policy()
        if word is None:
            self._wake_owed(page, place)
        elif is_everything(place):
            self._look_at_token(page, place, word, policy)
        elif is_person(place):
            self._person(page, place, word, policy)
        elif policy is not None and not promised(policy, place):
            self._reopen(page, place)
        else:
            self._tell(page, place, word, policy)
            self._look(page, place)

    # ------------------------------------------------------------ somebody is told

    def _tell(self, page: PostingSession, place: str, word: str, policy: Policy | None) -> None:
        """The panic group, or the owners where there is none; each once for each time that a place is closed."""
        owed = len(self._ctx.ledger.members(keys.owed(place)))
        since = since_of(page.record) or self._ctx.ledger.now()
        traits = self._outbox.chats.of(place).traits
        operators = self._outbox.recipients.operators(policy) if policy else ()
        for user in filter(None, (self._reached_at(facts, place) for facts in operators)):
            message = places_words.closed(place, word, owed, since, traits, surface_of(user))
            try:
                self._outbox.delivery.send(page, PlannedMessage(f"told:{user}", user, message, key="once"))
            except (Later, Stopped, NotDone) as problem:
                log.warning("somebody is told of a closed place later", user=user, error=type(problem).__name__)

    def _reached_at(self, facts: PersonFacts, place: str) -> str | None:
        """Where somebody is told; in a chat that works, where there are several."""
        own, chats = direct_to(facts.slack), self._outbox.chats.surfaces
        if len(chats) == 1:
            return own if own != place else None
        closed = {surface for surface in chats if self._outbox.outages.word(everything(surface)) is not None}
        users = (own, *map(direct_to, bound_to(self._ctx, facts.id)))
        return next((user for user in users if user != place and surface_of(user) in chats.keys() - closed), None)

    def _person(self, page: PostingSession, place: str, word: str, policy: Policy | None) -> None:
        """Nothing is posted to a person only to see whether it arrives: the next message of theirs shows it."""
        since, now = since_of(page.record), self._ctx.ledger.now()
        if since is not None and now - since >= FORGET_PERSON:
            self._reopen(page, place)
            return
        self._tell(page, place, word, policy)
        page.save(page.record, f"told-of:{place}", due={page.item: now + FORGET_PERSON})

    # ------------------------------------------------------------ is it open again

    def _look_at_token(self, page: PostingSession, place: str, word: str, policy: Policy | None) -> None:
        """Whoever can be told in another chat is, where there is one."""
        if self._outbox.chats.surfaces.keys() - {surface_of(place)}:
            self._tell(page, place, word, policy)
        try:
            self._outbox.chats.of(place).check()
        except NotDone as problem:
            self._again(page, problem)
        else:
            log.info("the chat takes the token again", chat=surface_of(place))
            self._reopen(page, place)

    def _look(self, page: PostingSession, place: str) -> None:
        """By a message that says what was missing here. The first time only tells: it has just been found closed."""
        if not page.record.failures:
            self._again(page, None)
            return
        back = places_words.back(since_of(page.record) or self._ctx.ledger.now())
        try:
            self._outbox.chats.of(place).post(read_destination(place), Message(back))
        except NotDone as problem:
            if problem.means is Means.ALL:
                self._outbox.outages.stop(surface_of(place), problem.word)
            self._again(page, problem)
        else:
            log.info("the chat takes messages again", place=place)
            self._reopen(page, place)

    def _again(self, page: PostingSession, problem: NotDone | None) -> None:
        record, failures = page.record, page.record.failures + 1
        if problem is not None and problem.means is Means.PLACE:
            # The newest reason is the one that somebody can do something about.
            record = page.with_posting(STATE, replace(record.postings[STATE], error=problem.word))
        pause_s = min(LOOK_S_MIN * 2.0 ** (failures - 1), LOOK_S_MAX)
        pause_s = max(pause_s, problem.after_s if problem else 0.0)
        due = {page.item: self._ctx.ledger.now() + timedelta(seconds=pause_s)}
        page.save(replace(record, failures=failures), f"closed:{failures}", due=due)

    # ------------------------------------------------------------ it is

    def _reopen(self, page: PostingSession, place: str) -> None:
        """Nobody finds it closed any more; who is owed is woken by the next look, which stays due until that is done."""
        now = self._ctx.ledger.now()
        gone = (IndexEntry(keys.CLOSED_PLACES, place, None),)
        self._commit(page, "open", now, deletes=frozenset({page.item}), index=gone, due={page.item: now + SOON})
        self._outbox.outages.forget()

    def _wake_owed(self, page: PostingSession, place: str) -> None:
        owed = self._ctx.ledger.members(keys.owed(place), limit=AT_ONCE)
        for subject in owed:
            self._wake(place, subject)
        now = self._ctx.ledger.now()
        more = len(owed) == AT_ONCE
        self._commit(page, "woken", now, due={page.item: now + SOON if more else None})

    def _wake(self, place: str, subject: str) -> None:
        """What was given up here because of the place is wanted again. What was refused for its own sake is not."""
        item = keys.chat(subject)
        snapshot = self._ctx.ledger.read(item)
        record = snapshot.get(item, ChatRecord)
        puts: dict[str, Record] = {}
        if record is not None:
            kept = {slot: post for slot, post in record.postings.items() if not self._wanted_again(slot, post, place)}
            puts = {item: replace(record, postings=kept)} if len(kept) < len(record.postings) else {}
        change = Change(
            commit_id=f"owed:{place}:{subject}:{self._ctx.chance.hex(12)}",
            at=snapshot.now,
            reads=snapshot.versions(),
            puts=puts,
            due={item: snapshot.now + SOON},
            index=(IndexEntry(keys.owed(place), subject, None),),
        )
        if not isinstance(self._ctx.ledger.commit(change), Committed):
            # It is being shown just now: another time.
            raise Later(1.0)

    def _wanted_again(self, slot: str, posting: Posting, place: str) -> bool:
        if posting.channel != place or posting.error is None or slot.startswith(_OF_THE_MOMENT):
            return False
        return self._outbox.chats.of(place).traits.meaning(posting.error) is Means.PLACE

    def _commit(
        self,
        page: PostingSession,
        step: str,
        now: datetime,
        *,
        due: Mapping[str, datetime | None],
        deletes: frozenset[str] = frozenset(),
        index: tuple[IndexEntry, ...] = (),
    ) -> None:
        lease = page.current()
        if lease is None:
            raise Fenced
        change = Change(
            commit_id=f"{page.item}:{page.version}:{step}:{self._ctx.chance.hex(8)}",
            at=now,
            reads={page.item: page.version},
            deletes=deletes,
            index=index,
            due=due,
            fence=Fence(lease.name, lease.number),
        )
        if not isinstance(self._ctx.ledger.commit(change), Committed):
            raise Fenced

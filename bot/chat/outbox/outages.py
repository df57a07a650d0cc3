"""Places that a chat takes no messages for, on the ledger: a failure is found once, told once, and ends once.

A place is a channel or a person, or `everything`: the token of a chat. While it is closed, nothing is sent there. Whose
messages are owed to it stands in the index `owed:<place>`, from the same commit that gives the message up; `closed_places`
tells somebody, looks whether it is open again, and wakes them then.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import structlog

from bot.chat.chats import Chats
from bot.chat.outbox.postings import PostingSession
from bot.chat.places import everything, surface_of
from workflows.core import keys
from workflows.core.destination import is_person
from workflows.core.identity import SLACK
from workflows.core.policy import Policy
from workflows.core.records.chat import ChatRecord, Posting
from workflows.ports import Change, Committed, IndexEntry, PolicyUnavailable
from workflows.usecases.shared.context import SOON, WorkerContext

log = structlog.get_logger()

SUBJECT = "place-"
# The slot in which a place's own record keeps the chat's word.
STATE = "state"
# So old is what a worker believes of the places, in seconds; what is believed closed is read again.
BELIEVED_S = 1.0


def subject_of(place: str) -> str:
    return SUBJECT + place


def place_of(subject: str) -> str:
    """The place whose state this subject of chat is; empty where it is something else."""
    return subject.removeprefix(SUBJECT) if subject.startswith(SUBJECT) else ""


def channels_of(policy: Policy) -> set[str]:
    """All that the policy names for something to be said there."""
    named = (policy.receipts_channels, *(item.approvals_channels for item in policy.environments.values()))
    digests, hooks = (plan.channels for plan in policy.digests), (hook.place for hook in policy.webhooks)
    return {place for places in (*named, *digests, hooks) for place in places}


def promised(policy: Policy, place: str) -> bool:
    """Whether the policy names this channel: what is owed to it comes later. An incident's is archived when it is over."""
    return place in channels_of(policy)


class Outages:
    def __init__(self, ctx: WorkerContext, chats: Chats) -> None:
        self._ctx = ctx
        self._chats = chats
        self._closed: frozenset[str] = frozenset()
        self._read_at_s: float | None = None

    def word(self, place: str) -> str | None:
        """The chat's word where the place is closed."""
        if place not in self._believed():
            return None
        item = keys.chat(subject_of(place))
        return word_in(self._ctx.ledger.read(item).readable(item, ChatRecord))

    def _believed(self) -> frozenset[str]:
        now_s = self._ctx.monotonic_s()
        if self._read_at_s is None or now_s - self._read_at_s > BELIEVED_S:
            self._closed = frozenset(self._ctx.ledger.members(keys.CLOSED_PLACES))
            self._read_at_s = now_s
        return self._closed

    def forget(self) -> None:
        """Look again before anything is believed."""
        self._read_at_s = None

    def give_up(self, page: PostingSession, slot: str, posting: Posting, word: str) -> None:
        """This message is not delivered at its place: on the record, with the place as closed, in one commit."""
        failed = replace(posting, error=word, intent_at=None)
        self._note(page, page.with_posting(slot, failed), f"failed:{slot}", posting.channel, word)

    def owe(self, page: PostingSession, place: str, word: str) -> None:
        """An edit that has to wait until its place is open again."""
        self._note(page, page.record, f"owed:{place}:{self._ctx.chance.hex(8)}", place, word)

    def _note(self, page: PostingSession, record: ChatRecord, step: str, place: str, word: str) -> None:
        item = keys.chat(subject_of(place))
        snapshot = self._ctx.ledger.read(item)
        counts, score = self._counts(place), snapshot.now.timestamp()
        closes = counts and word_in(snapshot.readable(item, ChatRecord)) is None
        index = [IndexEntry(keys.CHAT_WORDS, heard(surface_of(place), word), score)]
        index += [IndexEntry(keys.owed(place), page.record.subject, score)] if self.is_owed(place) else []
        index += [IndexEntry(keys.CLOSED_PLACES, place, score)] if closes else []
        page.save(
            record,
            step,
            {item: (snapshot.items[item].version, _closed(place, word, snapshot.now))} if closes else {},
            *index,
            # Who opens the place meanwhile would not find what is owed to it.
            reads=snapshot.versions(),
            due={item: snapshot.now + SOON} if closes else {},
        )
        self.forget()
        # Who was deactivated gets no messages: nothing for whoever runs this to mend.
        say = log.warning if is_person(place) else log.error
        title = self._chats.of(place).traits.title
        say(f"{title} does not take a message", place=place, step=step, error=word)

    def is_owed(self, place: str) -> bool:
        """Whether what cannot be told in this channel now is told later."""
        return not is_person(place) and self._counts(place)

    def stop(self, surface: str, word: str) -> None:
        """Nothing can be sent in this chat any more, by anybody."""
        place = everything(surface)
        item = keys.chat(subject_of(place))
        snapshot = self._ctx.ledger.read(item)
        if word_in(snapshot.readable(item, ChatRecord)) is not None:
            return
        score = snapshot.now.timestamp()
        change = Change(
            commit_id=f"stopped:{self._ctx.chance.hex(16)}",
            at=snapshot.now,
            reads=snapshot.versions(),
            puts={item: _closed(place, word, snapshot.now)},
            index=(
                IndexEntry(keys.CLOSED_PLACES, place, score),
                IndexEntry(keys.CHAT_WORDS, heard(surface, word), score),
            ),
            due={item: snapshot.now + SOON},
        )
        if isinstance(self._ctx.ledger.commit(change), Committed):
            title = self._chats.at(surface).traits.title
            log.error(f"{title} refuses the token, and nothing is sent there until it works again", error=word)
        self.forget()

    def reached(self, person: str) -> None:
        """Somebody who could not be written to could: nobody needs to do anything any more."""
        if person not in self._believed():
            return
        item = keys.chat(subject_of(person))
        snapshot = self._ctx.ledger.read(item)
        change = Change(
            commit_id=f"reached:{person}:{self._ctx.chance.hex(12)}",
            at=snapshot.now,
            reads=snapshot.versions(),
            deletes=frozenset({item}),
            index=(IndexEntry(keys.CLOSED_PLACES, person, None),),
            due={item: None},
        )
        self._ctx.ledger.commit(change)
        self.forget()

    def _counts(self, place: str) -> bool:
        if is_person(place):
            return True
        try:
            return promised(self._ctx.policy.current(), place)
        except PolicyUnavailable:
            return True


def word_in(record: ChatRecord | None) -> str | None:
    """The chat's word in a place's own record; None where the place is open."""
    state = record.postings.get(STATE) if record else None
    return state.error if state else None


def heard(surface: str, word: str) -> str:
    """How a chat's word is kept among all that were heard; Slack's as it is."""
    return word if surface == SLACK else f"{surface}:{word}"


def since_of(record: ChatRecord) -> datetime | None:
    at_s = record.told.get(STATE)
    return datetime.fromtimestamp(at_s, UTC) if at_s is not None else None


def _closed(place: str, word: str, now: datetime) -> ChatRecord:
    return ChatRecord(subject_of(place), {STATE: Posting(place, error=word)}, told={STATE: int(now.timestamp())})

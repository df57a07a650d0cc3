"""Many receipts at once for one channel: one summary in their place.

A chat takes about one message a second in a channel. A request whose receipts have to wait for that stands in the index
`waiting:<channel>`. When more than 20 stand there, their news become the duty of one summary, in one commit: it notes in
each request's record what is told (`told`), in its own record for which requests it has to speak, and empties the index.
Only then is it posted, with an intent and a nonce like any other message. So each entry is told by its own thread or by
one summary, never by both, and a crash between any two steps loses nothing and repeats nothing.

What that means for a request:
- Its thread stands already: there are no lines for what the summary told. The root is still edited in place, which
  rings nobody, so that it never goes on saying "Active" about access that has ended.
- It has no thread yet: `told` without a posting says that a summary spoke. None is opened for that; what happens later
  opens one, with the lines from then on.
- It changes meanwhile, or a post of its own is under way: it is left out, and shown by itself.

Cards, alarms and messages to people are never summed up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.chat.message import Message
from bot.chat.messages import receipts
from bot.chat.messages.final_lines import final_lines_summed
from bot.chat.outbox.outbox import Outbox
from bot.chat.outbox.plans.planning import PlannedMessage, seen_in
from bot.chat.outbox.plans.receipts import ASKED, news_of, root_slot
from bot.chat.outbox.plans.webhook import last_final
from bot.chat.outbox.postings import Fenced, Later, PostingSession
from bot.chat.outbox.waiting import SETTLES_IN_S, WAITING_MAX
from bot.chat.views.read_model import SHOWN_MAX
from workflows.core import keys
from workflows.core.audit import AuditEntry
from workflows.core.policy import Policy
from workflows.core.records.chat import ChatRecord
from workflows.ports import Change, Committed, Fence, IndexEntry, PolicyUnavailable, Snapshot

GATHERS_S_MAX = 10.0
# So many requests are handed over in one commit.
AT_ONCE = 200
POLICY_AGAIN_S = 5.0
SLOT = "summary"


@dataclass(frozen=True, slots=True)
class _Owed:
    """A request with news for the channel: its record as it was read, and the last entry there is to tell."""

    subject: str
    version: int
    record: ChatRecord
    number: int


class Summary:
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._ctx = outbox.ctx
        self._reader = outbox.reader

    def show(self, page: PostingSession, channel: str) -> None:
        """Post the summary that is due in a channel, or finish one that was begun. Raises what the delivery raises."""
        if SLOT not in page.record.postings:
            if not page.record.told and self._still_gathering(channel):
                raise Later(SETTLES_IN_S / 2)
            self._hand_over(page, channel)
        if page.record.told:
            self._outbox.delivery.send(page, self._planned(page.record, channel))
            if page.record.postings[SLOT].error is not None:
                # It speaks for the others, so it is owed as they would be; until then it is not over.
                self._ctx.ledger.commit(self._off(page))
                return
        self._over(page)

    def _still_gathering(self, channel: str) -> bool:
        index, now = keys.waiting(channel), self._ctx.ledger.now().timestamp()
        joined = self._ctx.ledger.members(index, low=now - SETTLES_IN_S + 0.001, limit=1)
        return bool(joined) and not self._ctx.ledger.members(index, high=now - GATHERS_S_MAX, limit=1)

    # ------------------------------------------------------------ whose news the summary tells

    def _hand_over(self, page: PostingSession, channel: str) -> None:
        """Make the summary speak for those who wait, `AT_ONCE` at a time. Raises Fenced where one of them changed meanwhile."""
        while waiting := self._ctx.ledger.members(keys.waiting(channel), limit=AT_ONCE):
            snapshot = self._ctx.ledger.read(*map(keys.chat, waiting))
            owed, settled = self._sort(snapshot, waiting, channel)
            if len(owed) <= WAITING_MAX and not page.record.told:
                # So few take their own turns after all.
                owed = []
            if not owed and not settled:
                return
            self._take(page, channel, owed, settled)
            if len(waiting) < AT_ONCE:
                return

    def _sort(self, snapshot: Snapshot, waiting: Sequence[str], channel: str) -> tuple[list[_Owed], list[str]]:
        """Who has news for the channel, and who has none any more. Whose own post is under way is neither."""
        owed, settled = [], []
        for subject in waiting:
            item = keys.chat(subject)
            record = snapshot.readable(item, ChatRecord) or ChatRecord(subject)
            if any(posting.intent_at is not None for posting in record.postings.values()):
                continue
            last = last_final if self._final_alone(channel) else last_news
            number = last(record, self._reader.entries(subject), channel)
            if number:
                owed.append(_Owed(subject, snapshot.items[item].version, record, number))
            else:
                settled.append(subject)
        return owed, settled

    def _take(self, page: PostingSession, channel: str, owed: Sequence[_Owed], settled: Sequence[str]) -> None:
        root = root_slot(channel)
        told = {one.subject: one.number for one in owed}
        others = {
            keys.chat(one.subject): (
                one.version,
                replace(one.record, told={**one.record.told, root: one.number}),
            )
            for one in owed
        }
        out = [IndexEntry(keys.waiting(channel), subject, None) for subject in (*told, *settled)]
        page.save(replace(page.record, told={**page.record.told, **told}), "handed-over", others, *out)

    # ------------------------------------------------------------ the message

    def _planned(self, record: ChatRecord, channel: str) -> PlannedMessage:
        """How the requests stand now. Without the policy nobody knows what may be told where."""
        try:
            policy = self._ctx.policy.current()
        except PolicyUnavailable as problem:
            raise Later(POLICY_AGAIN_S) from problem
        first = sorted(record.told, key=record.told.__getitem__)[:SHOWN_MAX]
        if self._final_alone(channel):
            return PlannedMessage(SLOT, channel, self._of_final(record, first, policy, channel), key="once")
        # Those that were asked in one go have one thread, and are many things all the same.
        ids = self._reader.together(first)
        views = [seen_in(view, policy, channel) for view in self._reader.some(ids[:SHOWN_MAX], policy)]
        total = len(record.told) - len(first) + len(ids)
        return PlannedMessage(SLOT, channel, receipts.summary(views, total, self._outbox.command), key="once")

    def _final_alone(self, channel: str) -> bool:
        """What cannot be edited is told what stays as it is, and not how things stand."""
        return not self._outbox.chats.of(channel).traits.abilities.edits

    def _of_final(self, record: ChatRecord, first: Sequence[str], policy: Policy, channel: str) -> Message:
        """Of each subject the last line that was handed over."""
        entries = [entry for one in first for entry in self._reader.entries(one) if entry.number == record.told[one]]
        views = {view.id: view for view in self._reader.some([entry.subject for entry in entries], policy)}
        told = [(entry, seen_in(views[entry.subject], policy, channel)) for entry in entries if entry.subject in views]
        return final_lines_summed(told, len(record.told), self._outbox.command)

    def _off(self, page: PostingSession) -> Change:
        now = self._ctx.ledger.now()
        commit_id = f"{page.item}:{page.version}:owed:{self._ctx.chance.hex(8)}"
        return Change(commit_id, now, reads={page.item: page.version}, due={page.item: None})

    def _over(self, page: PostingSession) -> None:
        """It is said: forget it, so that the next crowd gets a summary of its own."""
        lease = page.current()
        if lease is None:
            raise Fenced
        change = Change(
            commit_id=f"{page.item}:{page.version}:over:{lease.number}",
            at=self._ctx.ledger.now(),
            reads={page.item: page.version},
            deletes=frozenset({page.item}),
            due={page.item: None},
            fence=Fence(lease.name, lease.number),
        )
        if not isinstance(self._ctx.ledger.commit(change), Committed):
            raise Fenced


def last_news(record: ChatRecord, entries: Sequence[AuditEntry], channel: str) -> int:
    """The number of the last entry that the channel has to be told; 0 where there is nothing to tell."""
    root = record.postings.get(root_slot(channel))
    if root is not None and root.error is not None:
        return 0
    news = news_of(record, entries, channel)
    if root is not None and all(entry.event in ASKED for entry in news):
        # The root itself says who waits.
        return 0
    return news[-1].number if news else 0

"""When it is a message's turn, and what is done about an answer that passes by itself. Nobody sleeps on a job."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Never

from bot.chat.outbox.line import Line
from bot.chat.outbox.outages import Outages
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.postings import Later, PostingSession, Stopped
from bot.chat.places import everything
from bot.chat.surface import Limits, Means, NotDone, Rate, Traits
from workflows.core.records.chat import Posting
from workflows.ports import Buckets

# After so many answers with a word that nobody knows, the place is taken to be closed.
UNKNOWN_TRIES = 5
# What a kind of message has to leave in the bucket for those that matter more; boards, break-glass, alarms and news for a
# person use all of it. So a flood of receipts never holds up the card that somebody waits for, and a flood of cards never the
# board that names them. A thread is begun only where its first
# lines can follow, or a summary would tell what its root has just said.
POSTS_RESERVE = {"card": 0.5, "summary": 0.75, "lines": 1.0, "receipts": 2.0}
EDITS_RESERVE = {"holder": 5.0, "several": 5.0, "asked": 5.0, "receipts": 10.0, "glass": 10.0}


def kept_back(rate: Rate, reserve: float) -> float:
    """At most half of a bucket: of a small one something has to be left for what matters less."""
    return min(reserve, rate.burst / 2)


class Turns:
    """In one chat, by the buckets that all processes share."""

    def __init__(self, buckets: Buckets, traits: Traits, outages: Outages) -> None:
        self._buckets = buckets
        self._surface = traits.surface
        self._limits = traits.limits
        self._outages = outages
        # By bucket, and by what has to be left in it.
        self._lines: defaultdict[tuple[str, float], Line] = defaultdict(Line)

    def wait_to_post(self, planned: PlannedMessage) -> None:
        """Raises Later, and Stopped."""
        reserve = 0.0 if planned.urgent else POSTS_RESERVE.get(_kind(planned), 0.0)
        # The short one first: what the long one refuses has taken there what is back in a second.
        for rate in filter(None, (self._limits.posts, self._limits.posts_for_long)):
            self._wait(_of(rate, planned.channel), rate, kept_back(rate, reserve), planned.channel)

    def wait_to_edit(self, page: PostingSession, planned: PlannedMessage) -> None:
        """Raises Later, and Stopped."""
        rate, bucket = self._limits.edits, edits_bucket(self._limits, planned.channel)
        reserve = kept_back(rate, EDITS_RESERVE.get(_kind(planned), 0.0))
        line, who = self._lines[bucket, reserve], f"{page.record.subject} {planned.slot}"
        try:
            self._wait(bucket, rate, reserve, None)
        except Later as later:
            later.after_s += line.refused(who) / rate.a_second
            raise
        line.served(who)

    def _wait(self, bucket: str, rate: Rate, reserve: float, channel: str | None) -> None:
        if self._outages.word(everything(self._surface)) is not None:
            raise Stopped(self._surface)
        wait_s = self._buckets.take(bucket, rate=rate.a_second, burst=rate.burst, reserve=reserve)
        if wait_s > 0:
            raise Later(wait_s, channel)

    # ------------------------------------------------------------ what passes

    def post_failed(self, page: PostingSession, planned: PlannedMessage, posting: Posting, problem: NotDone) -> None:
        """Returns where the answer is final. Raises Stopped, Later or the answer itself for what passes."""
        self._failed(page, planned, posting, problem, _of(self._limits.posts, planned.channel), planned.channel)

    def edit_failed(self, page: PostingSession, planned: PlannedMessage, posting: Posting, problem: NotDone) -> None:
        """As `post_failed`."""
        self._failed(page, planned, posting, problem, edits_bucket(self._limits, planned.channel), None)

    def search_failed(self, page: PostingSession, planned: PlannedMessage, posting: Posting, problem: NotDone) -> None:
        """As `post_failed`; where it returns, nobody will ever know whether the post is there."""
        if problem.means is Means.ALL:
            self.stop(problem.word)
        if problem.means is Means.LATER and posting.tries < UNKNOWN_TRIES:
            self._leave_alone(problem, self._limits.searches, None)
            tries = replace(posting, tries=posting.tries + 1)
            page.put(planned.slot, tries, f"looked:{planned.slot}:{posting.tries}")
            raise problem

    def stop(self, word: str) -> Never:
        self._outages.stop(self._surface, word)
        raise Stopped(self._surface)

    def _failed(
        self,
        page: PostingSession,
        planned: PlannedMessage,
        posting: Posting,
        problem: NotDone,
        bucket: str,
        channel: str | None,
    ) -> None:
        if problem.means is Means.ALL:
            _undo(page, planned)
            self.stop(problem.word)
        if problem.means is Means.UNKNOWN and posting.tries + 1 < UNKNOWN_TRIES:
            tries = replace(posting, tries=posting.tries + 1)
            page.put(planned.slot, tries, f"unknown:{planned.slot}:{tries.tries}")
            raise problem
        if problem.means is not Means.LATER:
            return
        if not problem.perhaps_done:
            # It was refused: whoever comes back need not search the channel for it.
            _undo(page, planned)
        self._leave_alone(problem, bucket, channel)
        raise problem

    def _leave_alone(self, problem: NotDone, bucket: str, channel: str | None) -> None:
        """Everybody leaves the chat alone for so long as it wants to be. Raises Later where it does."""
        if problem.after_s:
            self._buckets.block(bucket, problem.after_s)
            raise Later(problem.after_s, channel) from problem


def edits_bucket(limits: Limits, channel: str) -> str:
    """One channel that is asked to be left alone must not hold up another, where the chat counts them apart."""
    return _of(limits.edits, channel) if limits.edits_apart else limits.edits.bucket


def _kind(planned: PlannedMessage) -> str:
    return planned.slot.partition(":")[0]


def _of(rate: Rate, channel: str) -> str:
    """Each channel has a bucket of its own."""
    return f"{rate.bucket}:{channel}"


def _undo(page: PostingSession, planned: PlannedMessage) -> None:
    posting = page.record.postings.get(planned.slot)
    if posting is not None and posting.ts is None:
        page.take_back(planned.slot)

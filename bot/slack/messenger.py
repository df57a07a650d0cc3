"""One message into Slack, once: an intent on the ledger with a nonce, the post with the nonce in it, the record.

Whatever goes wrong with a send becomes an outcome here, by the table in `answers`, and nowhere else: delivered; delivered as
plain text; under a new root; given up at this place, which `outages` tells and the plan answers with the next place; stopped
as a whole; or later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Never

import structlog
from slack_sdk import WebClient

from bot.chat.message import Message
from bot.chat.outbox.outages import Outages
from bot.chat.outbox.plan import Wanted
from bot.chat.outbox.postings import Later, Page, Stopped
from bot.chat.places import ALL
from bot.slack.answers import UNKNOWN_TRIES, Means, NotDone, ask, plain
from bot.slack.render import blocks_of, text_of
from workflows.core.destination import is_person
from workflows.core.records.chat import Posting
from workflows.core.records.request import ID_PATTERN
from workflows.ports import Buckets
from workflows.usecases.shared.context import WorkerContext

log = structlog.get_logger()

EVENT_TYPE = "prodaccess_post"
# Slack's limits: about one message a second in a channel, with bursts; chat.update 50 a minute
# (docs.slack.dev/apis/web-api/rate-limits).
POSTS_A_SECOND, POSTS_BURST = 1.0, 4.0
EDITS_A_SECOND, EDITS_BURST = 50 / 60, 20.0
# What a kind of message has to leave in the bucket for those that matter more; cards, alarms and news for a person use all
# of it. So a flood of receipts never holds up the card that somebody waits for. A thread is begun only where its first
# lines can follow, or a summary would tell what its root has just said.
POSTS_RESERVE = {"summary": 0.5, "lines": 1.0, "receipts": 2.0}
EDITS_RESERVE = {"holder": 5.0, "several": 5.0, "asked": 5.0, "receipts": 10.0, "glass": 10.0}
# History is searched from a little before the intent: Slack's clock is not ours.
SEARCH_FROM = timedelta(seconds=30)
SEARCH_PAGES_MAX = 10
# Whoever gives a locked thread up says so in its root, which can still be edited.
_LOCKED = frozenset({"restricted_action_thread_locked", "thread_locked"})
_NEVER_THREADS = "restricted_action_non_threadable_channel"


class Poster:
    """Sends what is wanted, one message at a time. Raises Later, Stopped, Fenced, and NotDone for what passes by itself."""

    def __init__(self, ctx: WorkerContext, client: WebClient, buckets: Buckets, outages: Outages, command: str) -> None:
        self._ctx = ctx
        self._client = client
        self._buckets = buckets
        self._outages = outages
        self._command = command

    def send(self, page: Page, wanted: Wanted) -> None:
        """Make this one message be as wanted. Does nothing where it is already, or was given up at this place."""
        posting = page.record.postings.get(wanted.slot)
        if posting is None or posting.ts is None:
            if posting is None or posting.error is None:
                self._post(page, wanted, posting)
        elif wanted.key not in ("once", posting.shown):
            self._edit(page, wanted, posting)

    # ------------------------------------------------------------ posting

    def _post(self, page: Page, wanted: Wanted, posting: Posting | None) -> None:
        root = page.record.postings.get(wanted.under) if wanted.under else None
        if wanted.under and (root is None or root.ts is None):
            return
        closed = self._outages.word(wanted.channel) if not is_person(wanted.channel) else None
        if closed is not None:
            self._outages.give_up(page, wanted.slot, posting or Posting(wanted.channel), closed)
            return
        self._wait_for_turn("chat.postMessage", wanted, wanted.channel)
        found: tuple[str, str] | None = None
        if posting is None or posting.intent_at is None:
            new = posting or Posting(wanted.channel)
            posting = replace(new, nonce=self._ctx.chance.hex(24), intent_at=self._ctx.ledger.now())
            page.put(wanted.slot, posting, f"intent:{wanted.slot}")
        else:
            found = self._find(page, wanted, posting, root)
        if found is not None:
            # It shows what was wanted when it was posted, which may be long ago.
            self._change(page, wanted, replace(posting, posted_channel=found[0], ts=found[1]))
        else:
            found = self._deliver(page, wanted, posting, root)
        if found is not None:
            posting = page.record.postings[wanted.slot]
            done = replace(posting, ts=found[1], posted_channel=found[0], shown=wanted.key, intent_at=None, tries=0)
            told = {wanted.under: wanted.told} if wanted.under else None
            page.put(wanted.slot, done, f"posted:{wanted.slot}", told, (wanted.entry,) if wanted.entry else ())
            if is_person(wanted.channel):
                self._outages.reached(wanted.channel)

    def _deliver(
        self, page: Page, wanted: Wanted, posting: Posting, root: Posting | None, *, joined: bool = False
    ) -> tuple[str, str] | None:
        """(channel, ts); None where it was given up at this place. Raises what `_later` raises."""
        try:
            return self._call(page, wanted, posting, root)
        except NotDone as problem:
            if problem.means is Means.FORM and not posting.plain:
                log.error("Slack refuses a message's form: it goes as plain text", slot=wanted.slot, error=problem.word)
                posting = replace(posting, plain=True)
                page.put(wanted.slot, posting, f"plain:{wanted.slot}")
                return self._deliver(page, wanted, posting, root, joined=joined)
            if problem.word == "not_in_channel" and not joined and self._joined(wanted.channel):
                return self._deliver(page, wanted, posting, root, joined=True)
            if problem.means is Means.THREAD and root is not None and wanted.under and not root.flat:
                self._give_root_up(page, wanted, root, problem.word)
            self._later(page, wanted, posting, problem)
            self._whisper(wanted, problem.word)
            self._outages.give_up(page, wanted.slot, posting, problem.word)
            return None

    def _call(self, page: Page, wanted: Wanted, posting: Posting, root: Posting | None) -> tuple[str, str]:
        message = self._drawn(page, wanted, posting)
        answer = ask(
            self._client.chat_postMessage,
            "channel",
            "ts",
            channel=(root.posted_channel if root else None) or wanted.channel,
            text=text_of(message),
            blocks=blocks_of(message) or None,
            thread_ts=root.ts if root and not root.flat else None,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"nonce": posting.nonce}},
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["channel"]), str(answer["ts"])

    def _drawn(self, page: Page, wanted: Wanted, posting: Posting) -> Message:
        if not posting.plain:
            return wanted.message
        hint = f"Slack took no buttons here. `{self._command} help` lists what can be typed"
        if ID_PATTERN.fullmatch(page.record.subject):
            hint += f", and `{self._command} show {page.record.subject}` tells more"
        return plain(wanted.message, f"{hint}.")

    def _whisper(self, wanted: Wanted, word: str) -> None:
        """Somebody who gets no direct messages may hear of it where they asked."""
        if not (is_person(wanted.channel) and wanted.beside):
            return
        message = plain(wanted.message)
        try:
            ask(self._client.chat_postEphemeral, channel=wanted.beside, user=wanted.channel, text=text_of(message))
        except NotDone as problem:
            # Who was deactivated reads nothing any more: nothing for whoever runs this to mend.
            say = log.warning if word == "user_disabled" else log.error
            say("somebody was told nothing", user=wanted.channel, slot=wanted.slot, tried=[word, problem.word])

    def _joined(self, channel: str) -> bool:
        """A public channel can be joined, once; of a private one somebody has to invite us."""
        try:
            answer = ask(self._client.conversations_join, channel=channel)
        except NotDone as problem:
            log.warning("a channel cannot be joined", channel=channel, error=problem.word)
            return False
        return answer.get("warning") != "already_in_channel"

    def _give_root_up(self, page: Page, wanted: Wanted, root: Posting, word: str) -> Never:
        """The thread takes no more replies: the next root, or, where that had none either, replies beside it."""
        slot = str(wanted.under)
        log.warning("a thread takes no more messages", slot=slot, error=word)
        page.take_back(wanted.slot)
        if root.roots or word == _NEVER_THREADS:
            page.put(slot, replace(root, flat=True), f"flat:{slot}")
        else:
            if word in _LOCKED:
                self._point_on(root)
            page.put(slot, Posting(root.channel, roots=root.roots + 1), f"new-root:{slot}")
        raise Later(0.0)

    def _point_on(self, root: Posting) -> None:
        text = "↪ This thread is locked: it goes on in a newer message."
        try:
            ask(self._client.chat_update, channel=root.posted_channel or root.channel, ts=root.ts, text=text, blocks=[])
        except NotDone as problem:
            log.warning("an old root was left as it is", error=problem.word)

    # ------------------------------------------------------------ after a crash

    def _find(
        self, page: Page, wanted: Wanted, posting: Posting, root: Posting | None, *, joined: bool = False
    ) -> tuple[str, str] | None:
        """A post whose answer nobody recorded: is it there? The nonce in its metadata tells.

        Where the history may not be read it is posted: a second copy is found by who presses it, a missing one by nobody.
        """
        if posting.intent_at is None:
            return None
        oldest = f"{(posting.intent_at - SEARCH_FROM).timestamp():.6f}"
        thread = root.ts if root and not root.flat else None
        try:
            channel = (root.posted_channel if root else None) or self._channel_id(posting.channel)
            messages = self._since(channel, oldest, thread)
        except NotDone as problem:
            if problem.word == "not_in_channel" and not joined and self._joined(posting.channel):
                return self._find(page, wanted, posting, root, joined=True)
            log.warning("the channel's history cannot be read", channel=posting.channel, error=problem.word)
            if problem.means is Means.ALL:
                self._stop(problem.word)
            if problem.means is Means.LATER and posting.tries < UNKNOWN_TRIES:
                self._obey(problem, "conversations.history", None)
                page.put(
                    wanted.slot, replace(posting, tries=posting.tries + 1), f"looked:{wanted.slot}:{posting.tries}"
                )
                raise
            return None
        return next(((channel, str(item["ts"])) for item in messages if _nonce(item) == posting.nonce), None)

    def _since(self, channel: str, oldest: str, thread: str | None) -> list[Mapping[str, Any]]:
        """Messages of a channel or thread since then, with their metadata; a busy channel takes some pages."""
        found: list[Mapping[str, Any]] = []
        cursor = ""
        for _ in range(SEARCH_PAGES_MAX):
            more: dict[str, Any] = {
                "channel": channel,
                "oldest": oldest,
                "limit": 200,
                "include_all_metadata": True,
                "cursor": cursor or None,
            }
            answer = (
                ask(self._client.conversations_replies, "messages", ts=thread, **more)
                if thread
                else ask(self._client.conversations_history, "messages", **more)
            )
            found += [item for item in answer["messages"] if isinstance(item, Mapping) and item.get("ts")]
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found

    def _channel_id(self, channel: str) -> str:
        if not is_person(channel):
            return channel
        found = ask(self._client.conversations_open, "channel", users=[channel])["channel"]
        return str(found["id"]) if isinstance(found, Mapping) else channel

    # ------------------------------------------------------------ editing

    def _edit(self, page: Page, wanted: Wanted, posting: Posting) -> None:
        if self._change(page, wanted, posting):
            posting = page.record.postings[wanted.slot]
            page.put(wanted.slot, replace(posting, shown=wanted.key, tries=0), f"edited:{wanted.slot}:{wanted.key}")

    def _change(self, page: Page, wanted: Wanted, posting: Posting) -> bool:
        """Edit it in place. False where its place is closed and it is owed; True where it is done, or can never be."""
        closed = self._outages.word(posting.channel)
        if closed is not None and self._outages.is_owed(posting.channel):
            self._outages.owe(page, posting.channel, closed)
            return False
        self._wait_for_turn("chat.update", wanted, None)
        message = self._drawn(page, wanted, posting)
        try:
            where = posting.posted_channel or posting.channel
            # Without blocks its old ones would go on standing there.
            text, blocks = text_of(message), blocks_of(message)
            ask(self._client.chat_update, channel=where, ts=posting.ts, text=text, blocks=blocks)
        except NotDone as problem:
            if problem.means is Means.FORM and not posting.plain:
                log.error("Slack refuses a message's form: it goes as plain text", slot=wanted.slot, error=problem.word)
                posting = replace(posting, plain=True)
                recorded = page.record.postings[wanted.slot]
                page.put(wanted.slot, replace(recorded, plain=True), f"plain:{wanted.slot}")
                return self._change(page, wanted, posting)
            return self._unchanged(page, wanted, posting, problem)
        return True

    def _unchanged(self, page: Page, wanted: Wanted, posting: Posting, problem: NotDone) -> bool:
        if problem.means not in (Means.MESSAGE, Means.THREAD):
            self._later(page, wanted, page.record.postings[wanted.slot], problem, "chat.update")
        if problem.means is Means.PLACE and self._outages.is_owed(posting.channel):
            self._outages.owe(page, posting.channel, problem.word)
            return False
        log.warning("a message can no longer be edited", slot=wanted.slot, error=problem.word)
        return True

    # ------------------------------------------------------------ what passes

    def _later(
        self, page: Page, wanted: Wanted, posting: Posting, problem: NotDone, method: str = "chat.postMessage"
    ) -> None:
        """Returns where the answer is final. Raises Stopped, Later or the answer itself for what passes."""
        if problem.means is Means.ALL:
            self._undo(page, wanted)
            self._stop(problem.word)
        posts = method == "chat.postMessage"
        if problem.means is Means.UNKNOWN and posting.tries + 1 < UNKNOWN_TRIES:
            tries = replace(posting, tries=posting.tries + 1)
            page.put(wanted.slot, tries, f"unknown:{wanted.slot}:{tries.tries}")
            raise problem
        if problem.means is not Means.LATER:
            return
        if not problem.perhaps_done:
            # Slack refused it: whoever comes back need not search the channel for it.
            self._undo(page, wanted)
        self._obey(problem, method, wanted.channel if posts else None)
        raise problem

    def _undo(self, page: Page, wanted: Wanted) -> None:
        posting = page.record.postings.get(wanted.slot)
        if posting is not None and posting.ts is None:
            page.take_back(wanted.slot)

    def _stop(self, word: str) -> Never:
        self._outages.stop(word)
        raise Stopped

    def _obey(self, problem: NotDone, method: str, channel: str | None) -> None:
        """Everybody leaves Slack alone for so long as it wants to be. Raises Later where it does."""
        if problem.after_s:
            self._buckets.block(f"slack:{method}:{channel}" if channel else f"slack:{method}", problem.after_s)
            raise Later(problem.after_s, channel) from problem

    def _wait_for_turn(self, method: str, wanted: Wanted, channel: str | None) -> None:
        """The shared bucket of the method, and of the channel. Raises Later instead of waiting: nobody sleeps on a job."""
        if self._outages.word(ALL) is not None:
            raise Stopped
        kind = wanted.slot.partition(":")[0]
        if channel is None:
            name, rate, burst, reserve = f"slack:{method}", EDITS_A_SECOND, EDITS_BURST, EDITS_RESERVE.get(kind, 0.0)
        else:
            name, rate, burst = f"slack:{method}:{channel}", POSTS_A_SECOND, POSTS_BURST
            reserve = 0.0 if wanted.urgent else POSTS_RESERVE.get(kind, 0.0)
        wait_s = self._buckets.take(name, rate=rate, burst=burst, reserve=reserve)
        if wait_s > 0:
            raise Later(wait_s, channel)


def _nonce(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata")
    if not isinstance(metadata, Mapping) or metadata.get("event_type") != EVENT_TYPE:
        return None
    payload = metadata.get("event_payload")
    nonce = payload.get("nonce") if isinstance(payload, Mapping) else None
    return str(nonce) if nonce else None

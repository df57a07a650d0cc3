"""One message into Slack, once: an intent on the ledger with a nonce, the post with the nonce in it, the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.slack.plan import Wanted
from workflows.context import WorkerContext
from workflows.core import keys
from workflows.core.model import ChatRecord, Posting
from workflows.ports import Buckets, Change, Committed, Fence, IndexEntry, Lease

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
# Answers that will be the same tomorrow: this channel, or a thread whose root was deleted, cannot be posted to.
FINAL = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "thread_not_found",
        "user_not_found",
        "user_disabled",
        "cannot_dm_bot",
        "messages_tab_disabled",
        "ekm_access_denied",
        "team_access_not_granted",
    }
)
# The message is gone, or is not ours to edit: leave it.
LOST = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"})


class Later(Exception):
    """Slack, or its limits, want us to come back. `after_s`: in seconds. `channel`: where a new message waits for its turn."""

    def __init__(self, after_s: float, channel: str | None = None) -> None:
        super().__init__(after_s)
        self.after_s = after_s
        self.channel = channel


class Fenced(Exception):
    """Somebody else shows this subject by now."""


# Due item -> the version at which a record was read, and what becomes of it.
Others = Mapping[str, tuple[int, ChatRecord]]


@dataclass(slots=True)
class Page:
    """The record of one subject's messages, kept current while they are sent, under its lease."""

    ctx: WorkerContext
    item: str
    record: ChatRecord
    version: int
    current: Callable[[], Lease | None]

    def save(self, record: ChatRecord, step: str, others: Others | None = None, *index: IndexEntry) -> None:
        """Commit the record, and with it the `others`. Raises Fenced where the lease is over, or somebody else has written."""
        lease = self.current()
        if lease is None:
            raise Fenced
        snapshot = self.ctx.ledger.read(self.item)
        if snapshot.items[self.item].version != self.version:
            raise Fenced
        others = others or {}
        change = Change(
            commit_id=f"{self.item}:{self.version}:{step}:{lease.number}",
            at=snapshot.now,
            reads=snapshot.versions() | {item: version for item, (version, _) in others.items()},
            puts={self.item: record} | {item: other for item, (_, other) in others.items()},
            index=index,
            fence=Fence(lease.name, lease.number),
        )
        if not isinstance(self.ctx.ledger.commit(change), Committed):
            raise Fenced
        self.record = record
        self.version = self.ctx.ledger.read(self.item).items[self.item].version

    def put(self, slot: str, posting: Posting, step: str, told: Mapping[str, int] | None = None) -> None:
        postings = {**self.record.postings, slot: posting}
        self.save(replace(self.record, postings=postings, told={**self.record.told, **(told or {})}), step)

    def take_back(self, slot: str) -> None:
        """An intent that came to nothing, for certain: nobody has to look for it."""
        postings = {name: posting for name, posting in self.record.postings.items() if name != slot}
        self.save(replace(self.record, postings=postings), f"taken-back:{slot}")


class Poster:
    """Sends what is wanted, one message at a time. Raises Later, Fenced and the SDK's errors for what went wrong."""

    def __init__(self, ctx: WorkerContext, client: WebClient, buckets: Buckets) -> None:
        self._ctx = ctx
        self._client = client
        self._buckets = buckets

    def send(self, page: Page, wanted: Wanted) -> None:
        """Make this one message be as wanted. Does nothing where it is already."""
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
        self._wait_for_turn("chat.postMessage", wanted, wanted.channel)
        found: tuple[str, str] | str | None = None
        if posting is None:
            posting = Posting(wanted.channel, nonce=self._ctx.chance.hex(24), intent_at=self._ctx.ledger.now())
            page.put(wanted.slot, posting, f"intent:{wanted.slot}")
        else:
            found = self._find(posting, root)
        if isinstance(found, tuple):
            # It shows what was wanted when it was posted, which may be long ago.
            self._change(wanted, *found)
        else:
            found = self._call_or_take_back(page, wanted, posting, root)
        if isinstance(found, str):
            log.warning("a channel cannot be posted to", channel=wanted.channel, error=found)
            page.put(wanted.slot, replace(posting, error=found, intent_at=None), f"failed:{wanted.slot}")
            return
        done = replace(posting, ts=found[1], posted_channel=found[0], shown=wanted.key, intent_at=None)
        told = {wanted.under: wanted.told} if wanted.under else None
        page.put(wanted.slot, done, f"posted:{wanted.slot}", told)

    def _call_or_take_back(
        self, page: Page, wanted: Wanted, posting: Posting, root: Posting | None
    ) -> tuple[str, str] | str:
        try:
            return self._call(wanted, posting, root)
        except Later:
            # Slack refused it: whoever comes back need not search the channel for it.
            page.take_back(wanted.slot)
            raise

    def _call(self, wanted: Wanted, posting: Posting, root: Posting | None) -> tuple[str, str] | str:
        """(channel, ts), or the error that will not go away."""
        channel = (root.posted_channel if root else None) or wanted.channel
        try:
            answer = self._client.chat_postMessage(
                channel=channel,
                text=wanted.message.text,
                blocks=wanted.message.blocks,
                thread_ts=root.ts if root else None,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"nonce": posting.nonce}},
                unfurl_links=False,
                unfurl_media=False,
            )
        except SlackApiError as problem:
            return self._explain(problem, "chat.postMessage", wanted.channel)
        return str(answer["channel"]), str(answer["ts"])

    def _find(self, posting: Posting, root: Posting | None) -> tuple[str, str] | None:
        """A post whose answer nobody recorded: is it there? The nonce in its metadata tells."""
        if posting.intent_at is None:
            return None
        oldest = f"{(posting.intent_at - SEARCH_FROM).timestamp():.6f}"
        try:
            channel = (root.posted_channel if root else None) or self._channel_id(posting.channel)
            messages = self._since(channel, oldest, root.ts if root else None)
        except SlackApiError as problem:
            error = self._explain(problem, "conversations.history", posting.channel)
            log.warning("the channel's history cannot be read", channel=posting.channel, error=error)
            return None
        return next(((channel, str(item["ts"])) for item in messages if _nonce(item) == posting.nonce), None)

    def _since(self, channel: str, oldest: str, thread: str | None) -> list[Mapping[str, Any]]:
        """Messages of a channel or thread since then, with their metadata; a busy channel takes some pages."""
        found: list[Mapping[str, Any]] = []
        cursor = ""
        for _ in range(SEARCH_PAGES_MAX):
            more: dict[str, Any] = {
                "oldest": oldest,
                "limit": 200,
                "include_all_metadata": True,
                "cursor": cursor or None,
            }
            answer = (
                self._client.conversations_replies(channel=channel, ts=thread, **more)
                if thread
                else self._client.conversations_history(channel=channel, **more)
            )
            found += answer["messages"]
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found

    def _channel_id(self, channel: str) -> str:
        if not channel.startswith(("U", "W")):
            return channel
        return str(self._client.conversations_open(users=[channel])["channel"]["id"])

    # ------------------------------------------------------------ editing

    def _edit(self, page: Page, wanted: Wanted, posting: Posting) -> None:
        self._change(wanted, posting.posted_channel or posting.channel, str(posting.ts))
        page.put(wanted.slot, replace(posting, shown=wanted.key), f"edited:{wanted.slot}:{wanted.key}")

    def _change(self, wanted: Wanted, channel: str, ts: str) -> None:
        self._wait_for_turn("chat.update", wanted, None)
        try:
            self._client.chat_update(channel=channel, ts=ts, text=wanted.message.text, blocks=wanted.message.blocks)
        except SlackApiError as problem:
            if problem.response.get("error") not in LOST:
                self._explain(problem, "chat.update", None)
            log.warning("a message can no longer be edited", slot=wanted.slot, error=problem.response.get("error"))

    # ------------------------------------------------------------ limits

    def _wait_for_turn(self, method: str, wanted: Wanted, channel: str | None) -> None:
        """The shared bucket of the method, and of the channel. Raises Later instead of waiting: nobody sleeps on a job."""
        kind = wanted.slot.partition(":")[0]
        if channel is None:
            name, rate, burst, reserve = f"slack:{method}", EDITS_A_SECOND, EDITS_BURST, EDITS_RESERVE.get(kind, 0.0)
        else:
            name, rate, burst = f"slack:{method}:{channel}", POSTS_A_SECOND, POSTS_BURST
            reserve = 0.0 if wanted.urgent else POSTS_RESERVE.get(kind, 0.0)
        wait_s = self._buckets.take(name, rate=rate, burst=burst, reserve=reserve)
        if wait_s > 0:
            raise Later(wait_s, channel)

    def _explain(self, problem: SlackApiError, method: str, channel: str | None) -> str:
        """The error's name where it is final. Raises Later where Slack asks for patience, else the error itself."""
        error = str(problem.response.get("error"))
        if error in ("ratelimited", "rate_limited") or problem.response.status_code == 429:
            after_s = float(problem.response.headers.get("Retry-After", 1))
            self._buckets.block(f"slack:{method}:{channel}" if channel else f"slack:{method}", after_s)
            raise Later(after_s, channel if method == "chat.postMessage" else None) from problem
        if error in FINAL:
            return error
        raise problem


def _nonce(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    nonce = (metadata.get("event_payload") or {}).get("nonce")
    return str(nonce) if nonce else None


def trouble(problem: Exception) -> bool:
    """Whether an exception is Slack's or the network's, as opposed to a fault of ours."""
    return isinstance(problem, (SlackClientError, OSError))


def item_of(subject: str) -> str:
    return keys.chat(subject)

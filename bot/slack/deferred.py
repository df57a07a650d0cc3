"""Acts that were acknowledged before they were decided, because nobody knew freshly enough who acts: a worker looks, then
decides, then answers.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.desk import Desk, FactsStale, Reply
from bot.slack import notices
from bot.slack.blocks import Message
from bot.slack.commands import addresses, mentioned
from bot.slack.interaction import Interaction, unpacked
from bot.slack.people import SlackRefresher
from bot.words import refusal
from workflows.context import SOON, Context
from workflows.core import keys
from workflows.core.errors import Code, Refused
from workflows.core.model import Press
from workflows.core.people import FACTS_AGE_MAX, SlackUser
from workflows.core.scope import groups_needed
from workflows.ports import Change, DirectoryUnreachable, PolicyUnavailable

log = structlog.get_logger()

# An answer later than this answers nobody: the response_url is about to close, and the person has tried again.
GIVE_UP_AFTER = timedelta(minutes=5)
ASK_AGAIN_S = 2.0


def defer(ctx: Context, act: Interaction) -> None:
    """Put the act on the ledger and wake a worker. Raises LedgerUnreachable."""
    id_ = hashlib.sha256(act.id.encode()).hexdigest()[:24]
    item = keys.press(id_)
    snapshot = ctx.ledger.read(item)
    change = Change(
        commit_id=f"defer:{id_}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: Press(id_, snapshot.now, act.packed())},
        due={item: snapshot.now + SOON},
    )
    ctx.ledger.commit(change)
    ctx.wake(item)


class Deferred:
    def __init__(self, ctx: Context, desk: Desk, refresher: SlackRefresher, client: WebClient, command: str) -> None:
        self._ctx = ctx
        self._desk = desk
        self._refresher = refresher
        self._client = client
        self._command = command

    def decide(self, id_: str) -> None:
        """Carry out one deferred act. Doing it twice does it once: its commit has the act's own id."""
        item = keys.press(id_)
        snapshot = self._ctx.ledger.read(item)
        press = snapshot.get(item, Press)
        if press is None:
            return
        act = unpacked(press.payload)
        if snapshot.now - press.at > GIVE_UP_AFTER:
            self._forget(item)
            return
        try:
            self._refresh(act)
            reply = self._carry_out(act)
        except (DirectoryUnreachable, PolicyUnavailable) as problem:
            log.warning("an act waits", act=act.kind, why=str(problem))
            self._ctx.ledger.remind(item, ASK_AGAIN_S)
            return
        if reply.message is not None:
            self._answer(act, reply.message)
        self._forget(item)

    def _refresh(self, act: Interaction) -> None:
        policy = self._ctx.policy.current()
        self._refresher.refresh_person(act.who, policy)
        for account in (SlackUser(act.team, user) for user in mentioned(act.text)):
            known = self._ctx.directory.person(account)
            if known is None or self._ctx.ledger.now() - known.as_of > FACTS_AGE_MAX:
                self._refresher.refresh_person(account, policy)
        for address in addresses(act.text):
            found = self._refresher.find(address, policy)
            if found is not None:
                self._refresher.refresh_person(found.slack, policy)
        names = {name for place in policy.environments.values() for name in groups_needed(policy, place)}
        stale = self._ctx.directory.groups(policy, names).stale(tuple(names), self._ctx.ledger.now())
        if stale:
            self._refresher.refresh_groups(policy, stale)

    def _carry_out(self, act: Interaction) -> Reply:
        try:
            return self._desk.carry_out(replace(act, looked=True))
        except FactsStale:
            unknown = Refused(Code.PERSON_UNKNOWN, audited=False)
            return Reply(notices.answer(refusal(unknown, command=self._command)), unknown)

    def _answer(self, act: Interaction, message: Message) -> None:
        """To the actor alone: where they acted, or as a direct message."""
        try:
            if act.response_url:
                respond(act.response_url, message)
            else:
                self._client.chat_postMessage(channel=act.user, text=message.text, blocks=message.blocks)
        except (SlackClientError, OSError) as problem:
            log.warning("an answer did not arrive", error=type(problem).__name__)

    def _forget(self, item: str) -> None:
        snapshot = self._ctx.ledger.read(item)
        change = Change(
            commit_id=f"decided:{item}:{snapshot.items[item].version}",
            at=snapshot.now,
            reads=snapshot.versions(),
            deletes=frozenset({item}),
            due={item: None},
        )
        self._ctx.ledger.commit(change)


def respond(url: str, message: Message, *, replace_original: bool = False) -> None:
    """Answer at a response_url: to the actor alone, unless it replaces the message that was pressed."""
    answer = WebhookClient(url, timeout=8).send(
        text=message.text, blocks=message.blocks, response_type="ephemeral", replace_original=replace_original
    )
    if answer.status_code != 200:
        log.warning("an answer was not taken", status=answer.status_code)

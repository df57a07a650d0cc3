"""The installation in memory with its chat: the real outbox on the stand-in for Slack, on one clock that the test sets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot.chat.chats import Chats
from bot.chat.outbox.outbox import Outbox
from bot.chat.outbox.reconciler import Reconciler
from bot.chat.surface import Surface
from bot.sandbox.slack import Message, SlackServer, words
from bot.slack.directory import SlackRefresher
from bot.slack.lookups import Lookups
from bot.slack.surface import Slack
from tests.support import build
from tests.support.memory_chat import MemoryChat
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.identity import SLACK
from workflows.core.people import Listed, Membership, PersonId, person_id
from workflows.core.policy import Group, Policy
from workflows.core.records.chat import ChatRecord
from workflows.ledger.memory import MemoryBuckets, MemoryClock
from workflows.ports import Change, Committed, Lost
from workflows.targets.aws.terms import AwsConnection

RECEIPTS, CARDS = "C0RECEIPTS", "C0PAYMENTS"
PEOPLE = (build.DANA, build.OLU, build.PAT, build.NIA, build.SUE)
# A place that takes no messages is looked at for as long as that lasts.
CLOSED = "chat:place-"
# What the clock adds to an item when it wakes somebody for it.
CLAIMED_S = 5.0


class Crash(BaseException):
    """The process is gone. Not an Exception, so that nothing tidies up after it."""


def many(count: int) -> list[PersonId]:
    return [person_id(f"dev{number:03}@example.com") for number in range(count)]


def policy_for(people: Iterable[PersonId], *more: Any) -> Policy:
    """The usual policy, with these people among its developers."""
    own = build.policy(build.environment(), *more)
    developers = Group("developers", members=frozenset({*build.GROUPS["developers"], *people}))
    return build.policy(build.environment(), *more, groups={**own.groups, "developers": developers})


def workspace(people: Iterable[PersonId]) -> dict[str, Any]:
    users = [
        {"id": facts.slack.user, "name": facts.name.lower(), "real_name": facts.name, "email": str(facts.id)}
        for facts in map(build.facts, [*PEOPLE, *people])
    ]
    members = [user["id"] for user in users]
    channels = [
        {"id": RECEIPTS, "name": "access-log", "members": members},
        {"id": CARDS, "name": "payments", "members": members},
    ]
    return {"app": {"team_id": "T1"}, "users": users, "channels": channels}


def server_for(clock: MemoryClock, people: Iterable[PersonId] = ()) -> SlackServer:
    """On the same time as the ledger: a second is a second on both sides."""
    return SlackServer(workspace(people), clock=lambda: clock.now().timestamp())


class InProcess(WebClient):
    """Slack's SDK on a stand-in in the same process: the same calls, answers and faults, without HTTP between them."""

    def __init__(self, slack: SlackServer) -> None:
        super().__init__(slack.app.bot_token, base_url="https://slack.invalid/api/", retry_handlers=[])
        self._slack = slack
        # What happens while Slack takes its time to answer.
        self.meanwhile: Callable[[], None] = lambda: None

    def api_call(self, api_method: str, **how: Any) -> SlackResponse:
        given = {**(how.get("params") or {}), **(how.get("data") or {}), **(how.get("json") or {})}
        raw = {name: value for name, value in given.items() if value is not None}
        fault = self._slack.faults.take(api_method, raw)
        answer = self._slack.api.answer(api_method, raw, self.token, fault)
        self.meanwhile()
        if answer.drop:
            raise ConnectionResetError(api_method)
        body, headers = json.loads(json.dumps(answer.body)), dict(answer.headers)
        return SlackResponse(
            client=self,
            http_verb="POST",
            api_url=api_method,
            req_args={},
            data=body,
            headers=headers,
            status_code=answer.status,
        ).validate()


class NoSlack(WebClient):
    """Where a test has another chat."""

    def api_call(self, api_method: str, **_: object) -> SlackResponse:
        raise AssertionError(f"Slack was asked for {api_method}")


class ChatWorld(World):
    """A World whose due items of chat are shown, when the test says so, by an outbox as a worker has it.

    `client` is any WebClient; `crash_at` stages the end of the process. `slack_clock` is what
    Slack's own time follows. `surface`: another chat than Slack; `also`: one beside it.
    """

    def __init__(
        self,
        client: WebClient,
        slack_clock: MemoryClock,
        people: Iterable[PersonId] = (),
        policy: Policy | None = None,
        surface: Surface | None = None,
        also: Surface | None = None,
    ) -> None:
        people = list(people)
        super().__init__(policy or policy_for(people))
        self._slack_clock = slack_clock
        self.client = client
        self.surface = surface
        if isinstance(surface, MemoryChat) and also is None and surface.name != SLACK:
            # People have accounts of Slack here, and get their messages in the same lists.
            also = replace(surface, name=SLACK)
        self.also = also
        self.buckets = MemoryBuckets(self.clock)
        self.refresher = SlackRefresher(Lookups(client, self.buckets), self.directory, self.clock.now, _nobody)
        self.sender = self.new_sender()
        for who in people:
            self.chat.people[account(who)] = build.facts(who)
            self.targets.add_person(who)
        self.knows(*PEOPLE, *people)
        for name, members in build.GROUPS.items():
            self.directory.put_members(name, Membership(members, build.NOW))

    def new_sender(self) -> Reconciler:
        """What a worker has after a start."""
        return self.new_sender_for(self.surface or Slack(self.client), *([self.also] if self.also else []))

    def new_sender_for(self, *surfaces: Surface) -> Reconciler:
        chats = Chats(*surfaces)
        outbox = Outbox.of(self.ctx, chats, self.buckets, self.refresher, "/prodaccess")
        return Reconciler(outbox)

    # ------------------------------------------------------------ time

    def chat_due(self, within_s: float = 0.0) -> list[str]:
        until = self.clock.now().timestamp() + within_s
        due = sorted((at, item) for item, at in self.ledger.due.items() if item.startswith("chat:") and at <= until)
        return [item for _, item in due]

    def show(self) -> None:
        """Show what is due now, each once, as the clock and a worker do."""
        for item in self.chat_due():
            self.ledger.due[item] = self.clock.now().timestamp() + CLAIMED_S
            self.sender.show(item.removeprefix("chat:"))

    def pass_time(self, seconds: float, step_s: float = 0.25) -> None:
        """Let time pass, showing all the while what is due."""
        self.show()
        for _ in range(round(seconds / step_s)):
            self.tick(step_s)
            self.show()

    def tick(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self._slack_clock.set(self.clock.now())

    def settle(self, within_s: float = 60.0, step_s: float = 0.25) -> None:
        """Until chat shows everything."""
        self.pass_time(0)
        waited = 0.0
        while any(item.startswith("chat:") and not item.startswith(CLOSED) for item in self.ledger.due):
            assert waited < within_s, f"after {within_s} s: {self.chat_due(3600)}"
            self.pass_time(step_s, step_s)
            waited += step_s

    # ------------------------------------------------------------ the end of a process

    def before(self, step: str, then: Callable[[Change], object]) -> None:
        """Do this right before the next commit whose id holds `step`."""
        commit = self.ledger.commit

        def interrupted(change: Change) -> Committed | Lost:
            if step in change.commit_id:
                self.ledger.commit = commit  # type: ignore[method-assign]  # once
                then(change)
            return commit(change)

        self.ledger.commit = interrupted  # type: ignore[method-assign]  # puts the fault in

    def crash_at(self, step: str, *, applied: bool = False) -> None:
        """Die at the next commit whose id holds `step`: right before it, or, `applied`, right after."""

        def dies(change: Change) -> None:
            if applied:
                self.ledger.commit(change)
            raise Crash

        self.before(step, dies)

    def show_and_crash(self, within_s: float = 30.0) -> None:
        """Until the staged crash comes; then another process takes over."""
        for _ in range(round(within_s / 0.25)):
            try:
                self.show()
            except Crash:
                self.sender = self.new_sender()
                return
            self.tick(0.25)
        raise AssertionError("nothing crashed")

    # ------------------------------------------------------------ looking

    def record(self, subject: str) -> ChatRecord:
        item = keys.chat(subject)
        return self.ledger.read(item).get(item, ChatRecord) or ChatRecord(subject)


def _nobody(_connection: AwsConnection, _group: str) -> Listed:
    return Listed(frozenset())


def posts(slack: SlackServer, channel: str) -> list[Message]:
    """What stands in a channel itself, oldest first."""
    found = slack.workspace.channels[channel].messages.values()
    return [message for message in found if not message.is_reply and not message.deleted]


def replies(slack: SlackServer, root: Message) -> list[Message]:
    return list(slack.workspace.channels[root.channel].thread(root.ts))


def lines(slack: SlackServer, root: Message) -> list[str]:
    return [line for reply in replies(slack, root) for line in words(reply).splitlines()]


def ids_in(message: Message) -> list[str]:
    return re.findall(r"PA-[0-9]+", words(message))

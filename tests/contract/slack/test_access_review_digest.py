"""A digest with a `report` posts the access review: the Sender on the stand-in for Slack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from slack_sdk import WebClient

from bot.sandbox.slack import Message, SlackServer, words
from tests.support import build
from tests.support.build import HOUR
from tests.support.chat import CARDS, RECEIPTS, ChatWorld, Crash, posts, server_for
from workflows.core.policy import Digest, Policy, Risk, Visibility
from workflows.ledger.memory import MemoryClock
from workflows.usecases.oversight.policy_activation import digest_due, digest_key

DAY = timedelta(days=1)
PLAN = Digest((RECEIPTS,), "0 9 * * *", report=30 * DAY)
KEY = digest_key(PLAN)


class Reviewed(ChatWorld):
    slack: SlackServer

    def reviews(self, channel: str = RECEIPTS) -> list[Message]:
        return [message for message in posts(self.slack, channel) if "Access review" in words(message)]

    def held(self) -> str:
        """Dana had read-only for an hour, and nothing of it is left to show."""
        id_ = self.active(duration=HOUR)
        self.settle()
        self.tick(3700)
        self.work()
        self.settle()
        return id_


def policy(plan: Digest = PLAN, **changes: object) -> Policy:
    roles = (build.entitlement(), build.entitlement("admin", risk=Risk.ADMIN))
    return replace(build.policy(build.environment(*roles, **changes)), digests=(plan,))


@pytest.fixture
def make() -> Iterator[Callable[..., Reviewed]]:
    servers = []

    def build_one(rules: Policy | None = None) -> Reviewed:
        clock = MemoryClock(build.NOW)
        slack = server_for(clock)
        slack.__enter__()
        servers.append(slack)
        client = WebClient(slack.app.bot_token, base_url=slack.api_url, timeout=60, retry_handlers=[])
        world = Reviewed(client, clock, (), rules or policy())
        world.slack = slack
        return world

    yield build_one
    for slack in servers:
        slack.__exit__(None, None, None)


def test_the_review_is_posted_once_a_slot(make: Callable[..., Reviewed]):
    world = make()
    world.held()
    world.sender.post_digest(KEY)
    (message,) = world.reviews()
    text = words(message)
    assert "1 person had access for 1 h" in text
    assert "1 asked: 1 approved" in text
    assert "admin in payments-prod" in text
    assert "prodaccess report --since 30d" in text
    assert "Active access" not in text
    world.active()
    world.sender = world.new_sender()
    world.sender.post_digest(KEY)
    assert len(world.reviews()) == 1, "the same slot, after a restart"
    assert world.ledger.due[digest_due(KEY)] > world.clock.now().timestamp()
    world.tick(DAY.total_seconds())
    world.sender.post_digest(KEY)
    assert len(world.reviews()) == 2, "the next one"


def test_a_slot_is_posted_once_though_the_process_died_before_it_was_noted(make: Callable[..., Reviewed]):
    world = make()
    world.held()
    world.crash_at("digest:")
    with pytest.raises(Crash):
        world.sender.post_digest(KEY)
    world.tick(10)
    world.sender = world.new_sender()
    world.sender.post_digest(KEY)
    assert len(world.reviews()) == 1


def test_nothing_is_said_too(make: Callable[..., Reviewed]):
    world = make()
    world.sender.post_digest(KEY)
    assert "nobody had access" in words(world.reviews()[0]).lower()


def test_what_is_hidden_is_told_in_its_own_channel_alone(make: Callable[..., Reviewed]):
    world = make(policy(visibility=Visibility.MEMBERS))
    world.held()
    world.sender.post_digest(KEY)
    (message,) = world.reviews()
    text = words(message) + message.text
    assert not [part for part in ("payments", "Dana", "Olu", "admin", "1 person", "1 asked") if part in text]
    assert "1 environment that only its members see" in text
    own = Digest((CARDS,), "0 9 * * *", report=30 * DAY)
    world.policy.policy = policy(own, visibility=Visibility.MEMBERS)
    world.sender.post_digest(digest_key(own))
    assert "admin in payments-prod" in words(world.reviews(CARDS)[0])


def test_a_digest_of_what_is_active_keeps_its_name_and_one_with_a_report_has_another():
    names = {digest_key(replace(PLAN, report=period)) for period in (None, DAY, 30 * DAY)}
    assert len(names) == 3
    assert digest_key(Digest(("C0RECEIPTS",), "0 9 * * *")) == "92349e14cf8e"

"""How often Redis is asked to show one request: what a message rests on is read at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from bot.chat.chats import Chats
from bot.chat.interaction import PRESS
from bot.chat.message import value_of
from bot.chat.messages.approval_card import END
from bot.chat.outbox.outbox import Outbox
from bot.chat.outbox.reconciler import Reconciler
from bot.slack.directory import SlackRefresher
from bot.slack.lookups import Lookups
from bot.slack.surface import Slack
from tests.contract.chat.test_round_trips import ASK, Door
from tests.support.build import DANA, OLU
from tests.support.chat import InProcess, server_for
from tests.support.round_trips import round_trips
from workflows.ledger import ahead, durability
from workflows.ledger.memory import MemoryBuckets

# Its lease and that being given back, what it rests on, a look and a commit before each message, and one for all of them.
SHOWN_MAX = 17
# Where nothing is sent.
UNCHANGED_MAX = 8


class Shown(Door):
    def __init__(self, client: Any) -> None:
        super().__init__(client)
        ctx, buckets = self.world.ctx, MemoryBuckets(self.world.clock)
        self.server = server_for(self.world.clock)
        slack = InProcess(self.server)
        refresher = SlackRefresher(
            Lookups(slack, buckets), self.world.directory, self.world.ledger.now, lambda *_: None
        )
        self.reconciler = Reconciler(Outbox.of(ctx, Chats(Slack(slack)), buckets, refresher, "/prodaccess"))

    def shown(self, id_: str) -> list[bytes]:
        with round_trips(self.client) as sent:
            self.reconciler.show(id_)
        return sent


@pytest.fixture
def shown(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shown]:
    monkeypatch.setattr(durability, "CHECK_S", float("inf"))
    # On a busy machine an act may take longer, and would look anew.
    monkeypatch.setattr(ahead, "OLD_S", float("inf"))
    client = redis.Redis.from_url(redis_url)
    yield Shown(client)
    client.close()


def test_to_show_a_request_and_what_became_of_it_takes_few_questions(shown: Shown) -> None:
    # The first life teaches what one takes.
    for counted in (False, True):
        shown.types(DANA, ASK)
        shown.work()
        id_ = shown.pending()
        found = [shown.shown(id_)]
        shown.intake.carry_out(shown.approving(OLU, id_))
        shown.work()
        found.append(shown.shown(id_))
        unchanged = shown.shown(id_)
        shown.intake.carry_out(shown._act(PRESS, DANA, action=END, value=value_of(id_)))
        shown.work()
        found.append(shown.shown(id_))
        if counted:
            assert max(map(len, found)) <= SHOWN_MAX, [len(sent) for sent in found]
            assert len(unchanged) <= UNCHANGED_MAX, b"\n".join(unchanged)

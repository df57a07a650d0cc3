"""A pipeline's approval on a real server: taken once, however many ask for it at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import redis

from tests.support import build
from tests.support.gates import ISSUER, gated, pipeline_run, waits
from tests.support.redis_world import RedisWorld
from workflows.core import keys
from workflows.core.records.request import RequestState
from workflows.core.refusal import Code, Refused
from workflows.ledger import codec
from workflows.ports import CorruptRecord
from workflows.usecases.gates.ask import Asked, Words, ask
from workflows.usecases.gates.redeem import Redeemed, redeem

AT_ONCE = 20


@pytest.fixture
def world(redis_url: str) -> Iterator[RedisWorld]:
    """As the product has it: answers are bytes."""
    with redis.Redis.from_url(redis_url) as client:
        found = RedisWorld(client, gated())
        found.activate()
        found.knows(build.DANA, build.OLU, build.PAT)
        yield found


def let_on(world: RedisWorld) -> str:
    id_ = waits(world)
    world.approve(id_)
    world.work()
    return id_


def test_of_twenty_who_take_an_approval_at_once_one_gets_it(world: RedisWorld) -> None:
    id_, start = let_on(world), Barrier(AT_ONCE)

    def take(number: int) -> Redeemed | Refused:
        start.wait()
        return redeem(world.ctx, id_, pipeline_run(), f"take-{number}")

    with ThreadPoolExecutor(AT_ONCE) as many:
        answers = list(many.map(take, range(AT_ONCE)))
    assert sum(isinstance(answer, Redeemed) for answer in answers) == 1
    assert {answer.code for answer in answers if isinstance(answer, Refused)} == {Code.GATE_USED}
    assert world.events(id_).count("gate.redeemed") == 1
    assert world.request(id_).state is RequestState.APPROVED


def test_of_twenty_asks_with_one_token_one_is_taken(world: RedisWorld) -> None:
    start = Barrier(AT_ONCE)

    def take(number: int) -> Asked | Refused:
        """The same token, each with a commit id of its own."""
        start.wait()
        once = {keys.token_once(ISSUER, "one"): world.clock.now() + timedelta(minutes=10)}
        words = Words("payments-prod", "deploy", "Faster checkout")
        return ask(world.ctx, pipeline_run(run=str(number + 1)), words, "7" * 64, once, f"other-{number}")

    with ThreadPoolExecutor(AT_ONCE) as many:
        answers = list(many.map(take, range(AT_ONCE)))
    assert sum(isinstance(answer, Asked) for answer in answers) == 1
    assert {answer.code for answer in answers if isinstance(answer, Refused)} == {Code.TOKEN_USED}


def test_what_is_stored_is_read_again_and_a_process_without_gates_cannot_read_it(world: RedisWorld) -> None:
    id_ = let_on(world)
    request = world.request(id_)
    item = keys.request(id_)
    body = codec.encode(item, request)
    assert codec.decode(item, body) == request
    later = body.replace(b'"kind":"gate"', b'"kind":"of-a-later-version"')
    assert later != body
    with pytest.raises(CorruptRecord):
        codec.decode(item, later)


def test_what_was_stored_before_gates_has_none(world: RedisWorld) -> None:
    asked = world.asked()
    body = codec.encode(keys.request(asked), world.request(asked))
    before = body.replace(b',"gate":null', b"")
    assert before != body
    assert codec.decode(keys.request(asked), before) == world.request(asked)

"""What is asked from a terminal, on a real server: a challenge is taken once, however many send it at the same time."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import redis

from tests.support.redis_world import RedisWorld
from workflows.core import keys
from workflows.core.records.terminal import TerminalAct
from workflows.core.terminal.proof import Proof
from workflows.usecases.identity import terminal_acts
from workflows.usecases.identity.terminal_acts import Sent

AT_ONCE = 20
AUDIENCE = "https://prodaccess.example.com"


@pytest.fixture
def world(redis_url: str) -> Iterator[RedisWorld]:
    with redis.Redis.from_url(redis_url) as client:
        yield RedisWorld(client)


def sent(challenge: str, number: int) -> Sent:
    proof = Proof("eu-central-1", "AKIAAAAAAAAAAAAAAAAA", "20261127T190000Z", f"{number:064x}", "t" * 900)
    return Sent(challenge, f"request payments-prod read-only why {number}", proof, f"{number:064x}")


def test_of_twenty_who_send_one_challenge_at_once_one_is_taken(world: RedisWorld) -> None:
    challenge, start = secrets.token_urlsafe(32), Barrier(AT_ONCE)
    assert terminal_acts.issue(world.ctx, challenge, AUDIENCE)

    def take(number: int) -> str | None:
        start.wait()
        return terminal_acts.take(world.ctx, sent(challenge, number))

    with ThreadPoolExecutor(AT_ONCE) as many:
        answers = list(many.map(take, range(AT_ONCE)))
    (id_,) = filter(None, answers)
    act = terminal_acts.read(world.ctx, id_)
    assert isinstance(act, TerminalAct)
    assert act.proof == sent(challenge, answers.index(id_)).proof, "and is read as it was sent"
    assert list(world.woken) == [keys.terminal(id_)]

    terminal_acts.answer(world.ctx, act, "Done.", refused=False)
    found = terminal_acts.read(world.ctx, id_)
    assert found is not None
    assert (found.answer, found.proof) == ("Done.", None)


def test_challenges_that_are_given_out_at_once_are_all_there(world: RedisWorld) -> None:
    made = [secrets.token_urlsafe(32) for _ in range(AT_ONCE)]

    with ThreadPoolExecutor(AT_ONCE) as many:
        assert all(many.map(lambda one: terminal_acts.issue(world.ctx, one, AUDIENCE), made))
    assert all(terminal_acts.take(world.ctx, sent(one, number)) for number, one in enumerate(made[:3]))

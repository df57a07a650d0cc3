"""Somebody types, or lets something type, the same again and again: they are told once, nobody else notices, nothing grows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import redis

from bot.chat.actions import intake
from bot.chat.actions.expected import Expected
from bot.chat.actions.intake import Intake, takes_away
from bot.chat.actions.refusal_limit import PEOPLE_MAX, REFUSED_MAX, WINDOW_S, RefusalLimit, Verdict
from bot.chat.actions.reply import FactsStale, Reply
from bot.chat.interaction import COMMAND, DENY, PRESS, Interaction
from bot.chat.messages import approval_card as cards
from bot.chat.messages.home import WITHDRAW
from bot.slack.render import text_of
from tests.support.build import GUS
from tests.support.redis_world import RedisWorld
from tests.support.world import World
from workflows.core.people import Account
from workflows.core.refusal import Code, Refused
from workflows.usecases.oversight.refusals import record_refusal

EVE, DANA = Account("slack", "T1", "UEVE"), Account("slack", "T1", "UDANA")


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_told_once_then_silence_until_the_window_is_over() -> None:
    clock = Clock()
    limit = RefusalLimit(clock, most=3)
    said = []
    for _ in range(5):
        said.append(limit.verdict(EVE))
        if said[-1] is Verdict.GO:
            limit.refused(EVE)
    assert said == [Verdict.GO] * 3 + [Verdict.TELL, Verdict.SILENT]
    assert limit.verdict(DANA) is Verdict.GO
    clock.now_s = WINDOW_S
    assert limit.verdict(EVE) is Verdict.GO


def test_only_so_many_people_are_kept_in_mind() -> None:
    limit = RefusalLimit(Clock(), most=1)
    for number in range(PEOPLE_MAX + 10):
        limit.refused(Account("slack", "T1", f"U{number}"))
    assert len(limit._windows) <= PEOPLE_MAX


def front(carry_out: Any) -> Intake:
    world = World()
    desk = SimpleNamespace(carry_out=carry_out, expected=Expected(world.ctx))
    found = Intake(world.ctx, desk, SimpleNamespace())  # type: ignore[arg-type]  # as much as it uses
    found._limit = RefusalLimit(Clock())
    return found


def act(
    user: str = "UEVE", kind: str = COMMAND, text: str = "payments-prod admin 1h x", action: str = ""
) -> Interaction:
    return Interaction(id="i", kind=kind, who=Account("slack", "T1", user), text=text, action=action)


@pytest.mark.parametrize("waits", [False, True])
def test_who_is_refused_again_and_again_is_not_carried_out_any_more(
    monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    """Also where each has to wait until a worker knows who it is."""
    carried: list[str] = []

    def carry_out(one: Interaction) -> Reply:
        carried.append(one.who.user)
        if waits:
            raise FactsStale
        return Reply(refused=Refused(Code.NOT_A_REQUESTER))

    monkeypatch.setattr(intake, "defer", lambda *_: None)
    desk = front(carry_out)
    replies = [desk.carry_out(act()) for _ in range(REFUSED_MAX + 50)]
    assert len(carried) == REFUSED_MAX
    told = [reply for reply in replies[REFUSED_MAX:] if reply.message is not None]
    assert len(told) == 1
    assert "do not listen until the minute is over" in text_of(told[0].message)
    desk.carry_out(act("UDANA"))
    desk.carry_out(act(text="End PA-1 stop it"))
    assert carried[REFUSED_MAX:] == ["UDANA", "UEVE"]


def test_what_is_allowed_has_no_limit() -> None:
    desk = front(lambda _: Reply())
    for _ in range(3 * REFUSED_MAX):
        desk.carry_out(act())
    assert desk._limit.verdict(EVE) is Verdict.GO


@pytest.mark.parametrize(
    "one",
    [
        *(
            act(text=words)
            for words in ("end PA-1", "revoke PA-1", "REVOKE-ALL person @dana x", "deny PA-1 no", "withdraw PA-1")
        ),
        act(kind=PRESS, action=cards.END),
        act(kind=PRESS, action=WITHDRAW),
        act(kind=DENY),
    ],
)
def test_taking_away_is_always_heard(one: Interaction) -> None:
    assert takes_away(one)


@pytest.mark.parametrize("words", ["", "approve PA-1", "payments-prod admin deny", "break-glass a b c", "ending"])
def test_what_gives_is_not_taken_for_taking_away(words: str) -> None:
    assert not takes_away(act(text=words))


def test_a_hundred_refusals_leave_nothing_that_stays(redis_url: str) -> None:
    """One record and one entry; what each commit leaves is gone with the minute."""
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("appendonly", "no")
        world = RedisWorld(client)
        for number in range(100):
            record_refusal(world.ctx, GUS, "PA-1", Refused(Code.NOT_AN_APPROVER), f"press-{number}")
        left = client.keys("*")
        stays = {key for key in left if client.pttl(key) < 0}
        assert len(stays) < 10
        assert all(client.pttl(key) <= 60_000 for key in left if key not in stays)
        assert len(world.ledger.entries()) == 1
        client.config_set("appendonly", "yes")

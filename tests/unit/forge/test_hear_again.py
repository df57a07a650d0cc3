"""What GitHub said while web was away is said again, until web has taken it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.forge.calls import Calls
from bot.forge.hear_again import HearAgain, in_vain
from tests.support import build, github
from tests.support.forge import Held, holding
from tests.support.http_stand_in import Fails
from workflows.ports import ForgeSilent


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Held]:
    with holding(tmp_path) as found:
        yield found


@pytest.fixture
def again(world: Held) -> HearAgain:
    return HearAgain(Calls(world.github.url, world.clock.now), world.login, world.clock.now)


def test_what_web_did_not_take_is_repeated_until_it_has(world: Held, again: HearAgain) -> None:
    run, guid = world.github.waits(), "11111111-2222"
    body = github.written(world.github.message(run))
    world.github.delivered(guid, 0)
    assert again.look() == 0, "a moment may pass"
    world.clock.advance(61)
    assert again.look() == 1
    answer = world.hears(body, **{"X-GitHub-Delivery": world.github.repeats.pop()})
    assert answer.status_code == 202
    world.github.delivered(guid, answer.status_code)
    world.clock.advance(3600)
    assert (again.look(), world.github.repeats) == (0, [])
    world.work()
    assert len(world.pending()) == 1


def test_what_was_taken_and_is_repeated_all_the_same_counts_once(world: Held) -> None:
    """Web had recorded it, and its answer was lost."""
    run = world.github.waits()
    body = github.written(world.github.message(run))
    answers = [world.hears(body, **{"X-GitHub-Delivery": "1-1"}).status_code for _ in range(3)]
    assert answers == [202, 204, 204]


def test_pauses_grow_and_end_with_github_s_memory() -> None:
    named = {"guid": "1", "status_code": 503, "event": "deployment_protection_rule", "action": "requested"}
    said, times = [named | {"id": 1, "delivered_at": build.NOW.isoformat()}], []
    for minute in range(4 * 24 * 60):
        now = build.NOW + timedelta(minutes=minute)
        if list(in_vain(said, now)):
            times.append(minute)
            said.append(named | {"id": 1 + len(times), "delivered_at": now.isoformat()})
    assert times[:5] == [1, 3, 7, 15, 31]
    assert len(times) == 19


def test_other_events_are_left_alone(world: Held, again: HearAgain) -> None:
    world.github.delivered("1-1", 500, event="ping")
    world.clock.advance(120)
    assert (again.look(), world.github.repeats) == (0, [])


@pytest.mark.parametrize("failing", [Fails("GET .*deliveries", 500), Fails("GET .*deliveries", 401)])
def test_while_github_is_silent_nothing_is_repeated_and_whoever_looks_is_told(
    world: Held, again: HearAgain, failing: Fails
) -> None:
    world.github.delivered("1-1", 500)
    world.clock.advance(120)
    world.github.fails = [failing]
    with pytest.raises(ForgeSilent):
        again.look()
    assert again.look() == 1


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        {},
        {"id": True},
        {"id": 1, "guid": 7},
        {"id": 1, "guid": "1", "delivered_at": "soon"},
        {"id": 1, "guid": "1", "delivered_at": None},
    ],
)
def test_what_is_odd_in_the_list_is_passed_over(odd: Any) -> None:
    now = build.NOW
    named = {"event": "deployment_protection_rule", "action": "requested"}
    late = {"id": 2, "guid": "2", "delivered_at": (now - timedelta(minutes=5)).isoformat(), "status_code": 502}
    said = [odd | named if isinstance(odd, dict) else odd, late | named]
    assert list(in_vain(said, now)) == [2]


def test_what_stands_on_a_later_page_is_repeated_and_pages_are_read_only_as_far_as_that_takes(
    world: Held, again: HearAgain
) -> None:
    """An hour without web, in which much was said; and much since."""
    for number in range(150):
        world.github.delivered(f"1-{number}", 0)
    for number in range(120):
        world.github.delivered(f"2-{number}", 202)
    world.clock.advance(61)
    assert again.look() == 150
    assert set(world.github.repeats) == {f"1-{number}" for number in range(150)}
    for number in range(150):
        world.github.delivered(f"1-{number}", 202)
    world.clock.advance(3600)
    assert again.look() == 0
    world.github.asked.clear()
    assert again.look() == 0
    assert world.github.asked == ["GET /app/hook/deliveries"]


def test_one_that_github_does_not_repeat_keeps_no_other_from_being_repeated(world: Held, again: HearAgain) -> None:
    for number in range(3):
        world.github.delivered(f"1-{number}", 500)
    world.clock.advance(61)
    world.github.fails = [Fails("POST .*attempts", 422)]
    again.look()
    assert len(world.github.repeats) == 2


def test_while_github_wants_to_be_left_alone_it_is_asked_for_no_more(world: Held, again: HearAgain) -> None:
    for number in range(3):
        world.github.delivered(f"1-{number}", 500)
    world.clock.advance(61)
    world.github.fails = [Fails("POST .*attempts", 429)]
    with pytest.raises(ForgeSilent):
        again.look()
    assert world.github.repeats == []

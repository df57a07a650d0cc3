"""What processes find again by name: the same bodies in Redis and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from bot.chat.form import Form
from bot.teams.client.form_store import OPEN_MAX, Forms, Standing
from bot.teams.client.shelf import RedisShelf, Shelf
from tests.support.teams import MemoryShelf


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Answers as bytes, as our processes have them."""
    with redis.Redis.from_url(redis_url) as found:
        yield found


@pytest.fixture(params=["memory", "redis"])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    return MemoryShelf() if request.param == "memory" else RedisShelf(request.getfixturevalue("client"))


def test_what_was_put_is_found_until_it_is_taken(shelf: Shelf) -> None:
    assert shelf.get("a") is None
    shelf.put("a", b"\x00\xff1")
    shelf.put("a", b"2", 600)
    shelf.put("b", b"3")
    assert (shelf.get("a"), shelf.get("b")) == (b"2", b"3")
    assert shelf.take("a") == b"2"
    assert shelf.take("a") is None
    assert (shelf.get("a"), shelf.get("b")) == (None, b"3")


def test_of_several_that_change_places_each_gets_what_stood_there(shelf: Shelf) -> None:
    assert shelf.swap("a", b"1", 600) is None
    assert shelf.swap("a", b"2", 600) == b"1"
    assert shelf.get("a") == b"2"


def test_however_fast_somebody_opens_forms_few_of_them_are_kept(client: redis.Redis) -> None:
    forms, numbers = Forms(RedisShelf(client)), [f"{number:x}" for number in range(60)]

    def opened(name: str) -> None:
        forms.keep(name, Standing(Form("request_form", "", "", ()), 1, "", "a:1", "1"))
        forms.opened("dana", name)

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(opened, numbers))
    assert 0 < len([name for name in numbers if forms.find(name)]) <= OPEN_MAX


def test_only_what_is_kept_for_a_while_goes_by_itself(client: redis.Redis) -> None:
    shelf = RedisShelf(client)
    shelf.put("for good", b"1")
    shelf.put("a while", b"1", 600)
    assert client.ttl("prodaccess:teams:for good") == -1
    assert 0 < int(client.ttl("prodaccess:teams:a while")) <= 600
    shelf.swap("a swap", b"1", 600)
    assert 0 < int(client.ttl("prodaccess:teams:a swap")) <= 600
    # Something else of that name is as good as nothing.
    client.lpush("prodaccess:teams:a list", "x")
    assert shelf.get("a list") is None
    shelf.put("a list", b"2")
    assert shelf.get("a list") == b"2"

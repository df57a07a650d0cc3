"""One address may send so much before anybody looks at what it is; who has proved something may send more."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.runtime import peer_limits as limits
from bot.runtime.front import PROVED
from bot.runtime.peer_limits import Allowance, PeerLimits
from bot.web import server_of

CHAT, STRANGER = "52.112.0.1", "203.0.114.9"
STRANGERS_AT_ONCE = int(limits.AT_ONCE / limits.STRANGERS_COST)


class Asked:
    """An app that proves whatever comes from CHAT, on a clock that the test sets."""

    def __init__(self) -> None:
        self.now_s, self.read = 0.0, 0
        self.allowance = Allowance(lambda: self.now_s)
        self.app = PeerLimits(self.take, ["/api/messages"], self.allowance)
        self.status = 401

    async def take(self, scope: Any, _receive: Any, send: Any) -> None:
        self.read += 1
        status = self.status
        if scope["client"] and scope["client"][0] == CHAT:
            scope[PROVED], status = True, 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def sends(self, address: str | None, times: int = 1, path: str = "/api/messages") -> list[tuple[int, str]]:
        """Status and Retry-After of each answer."""
        said: list[Any] = []

        async def send(message: Any) -> None:
            said.append(message)

        async def all_of_them() -> None:
            for _ in range(times):
                client = (address, 1) if address else None
                await self.app({"type": "http", "path": path, "client": client}, None, send)  # type: ignore[arg-type]  # it reads nothing

        asyncio.run(all_of_them())
        starts = [one for one in said if one["type"] == "http.response.start"]
        return [(one["status"], dict(one["headers"]).get(b"retry-after", b"").decode()) for one in starts]


@pytest.fixture
def web() -> Asked:
    return Asked()


def test_all_below_a_path_is_limited_together(web: Asked) -> None:
    web.app = PeerLimits(web.take, [], web.allowance, below="/gate/v1/")

    answers = [web.sends(STRANGER, 10, f"/gate/v1/asks/PA-{number}") for number in range(5)]

    assert [status for each in answers for status, _ in each].count(429) == 50 - STRANGERS_AT_ONCE
    assert web.sends(STRANGER, path="/gate/v2") == [(401, "")]


def test_a_stranger_who_proves_nothing_is_soon_answered_without_a_look(web: Asked) -> None:
    answers = web.sends(STRANGER, 200)
    assert [status for status, _ in answers] == [401] * STRANGERS_AT_ONCE + [429] * (200 - STRANGERS_AT_ONCE)
    assert answers[-1] == (429, "1")
    assert web.read == STRANGERS_AT_ONCE
    web.now_s += 1.0
    assert [status for status, _ in web.sends(STRANGER, 5)] == [401, 401, 429, 429, 429]


def test_one_address_takes_nothing_from_another(web: Asked) -> None:
    web.sends(STRANGER, 200)
    assert web.sends(CHAT, 100) == [(200, "")] * 100


def test_a_chat_sends_from_few_addresses_as_much_as_a_big_day_brings(web: Asked) -> None:
    """1,500 at once, and 100 a second for a minute."""
    web.sends(CHAT)
    assert {status for status, _ in web.sends(CHAT, 1500)} == {200}
    for _ in range(60):
        web.now_s += 1.0
        assert {status for status, _ in web.sends(CHAT, 100)} == {200}


def test_what_fails_on_its_way_through_an_address_that_has_proved_something_counts_as_one(web: Asked) -> None:
    """A proxy sends for everybody, and a stranger behind it must not take the chat's turn."""
    web.allowance.take(STRANGER)
    web.allowance.answered(STRANGER, limits.STRANGERS_COST, proved=True, broke=False)
    assert {status for status, _ in web.sends(STRANGER, 300)} == {401}
    web.now_s += limits.KNOWN_FOR_S + 1
    assert 429 in {status for status, _ in web.sends(STRANGER, 100)}


@pytest.mark.parametrize("inside", ["10.0.0.7", "127.0.0.1", "fd00::1", "100.64.0.1", None])
def test_an_address_that_is_not_of_the_internet_is_a_proxy_of_ours(web: Asked, inside: str | None) -> None:
    assert {status for status, _ in web.sends(inside, 1000)} == {401}
    assert 429 in {status for status, _ in web.sends(inside, 1001)}


def test_what_breaks_here_is_nobodys_fault(web: Asked) -> None:
    web.status = 503
    assert {status for status, _ in web.sends(STRANGER, 300)} == {503}


def test_other_paths_are_not_looked_at(web: Asked) -> None:
    assert {status for status, _ in web.sends(STRANGER, 100, "/healthz")} == {401}


def test_all_of_somebodys_ipv6_addresses_are_one(web: Asked) -> None:
    for number in range(100):
        web.sends(f"2a01:4f8::{number:x}")
    assert len(web.allowance) == 1
    assert web.read == STRANGERS_AT_ONCE


def test_so_many_addresses_are_remembered_and_no_more(web: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ADDRESSES_MAX", 10)
    for number in range(50):
        web.sends(f"8.8.8.{number}")
        web.sends(CHAT)
    assert len(web.allowance) == 10
    assert {status for status, _ in web.sends(CHAT, 400)} == {200}, "who was heard of lately is remembered"


def test_what_is_no_address_is_one_stranger_however_long_it_is(web: Asked) -> None:
    """A proxy that is trusted hands on what somebody else has written."""
    answers = [web.sends(f"{one}{'a' * 60_000}")[0][0] for one in range(STRANGERS_AT_ONCE + 5)]
    assert answers[-1] == 429
    assert len(web.allowance) == 1


@pytest.mark.parametrize(("named", "counts"), [(None, "127.0.0.1"), ("127.0.0.1", "203.0.114.9")])
def test_for_whom_somebody_sends_is_their_word_where_they_are_named(
    monkeypatch: pytest.MonkeyPatch, named: str | None, counts: str
) -> None:
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    if named:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", named)
    heard: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        heard.append(scope["client"][0])

    config = server_of(app).config
    config.load()
    says = [(b"x-forwarded-for", STRANGER.encode())]
    asyncio.run(config.loaded_app({"type": "http", "client": ("127.0.0.1", 1), "headers": says}, None, None))
    assert heard == [counts]

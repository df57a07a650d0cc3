"""Whoever opens connections and never finishes a request holds up nobody else: on loopback, with limits that suit a test."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.runtime import operations
from bot.runtime.connection_guard import CONNECTIONS_MAX, GuardedProtocol, connections_max
from bot.runtime.operations import NOT_LOOKED, OneAtATime, Operations, app_of

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok"
HALF_A_HEAD = REQUEST[:20]
HALF_A_BODY = REQUEST[:-1]


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


@contextmanager
def served(**limits: Any) -> Iterator[tuple[str, int]]:
    """A server of our kind on a free port of the loopback, in a thread."""
    kind = type("Guarded", (GuardedProtocol,), limits)
    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    config = uvicorn.Config(app, http=kind, ws="none", log_config=None, lifespan="off", timeout_keep_alive=30)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


def is_answered(address: tuple[str, int]) -> bool:
    with socket.create_connection(address, timeout=20) as found:
        return asks(found)


def asks(found: socket.socket) -> bool:
    found.sendall(REQUEST)
    answer = b""
    while not answer.endswith(b"\r\n\r\nok"):
        part = found.recv(1000)
        if not part:
            return False
        answer += part
    return answer.startswith(b"HTTP/1.1 200")


def is_closed(found: socket.socket) -> bool:
    """Waits for it."""
    found.settimeout(20)
    try:
        return not found.recv(1000)
    except ConnectionError:
        return True


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("sent", [b"", HALF_A_HEAD, HALF_A_BODY])
def test_a_request_that_does_not_come_is_not_waited_for(sent: bytes, before: int) -> None:
    with served(request_s=0.2) as address, socket.create_connection(address, timeout=20) as slow:
        for _ in range(before if sent else 0):
            assert asks(slow)
        slow.sendall(sent)
        assert is_closed(slow)


def test_a_connection_between_two_requests_stays() -> None:
    with served(request_s=0.1) as address, socket.create_connection(address, timeout=20) as kept:
        for _ in range(2):
            assert asks(kept)
            # So that the time for a request passes, and it is not taken for one that does not come.
            with socket.create_connection(address, timeout=20) as other:
                assert is_closed(other)


def test_many_who_finish_nothing_do_not_keep_out_who_does() -> None:
    slowest: list[socket.socket] = []
    with served(request_s=600.0, most=20) as address, ExitStack() as open_:
        for sent in (b"", HALF_A_HEAD, HALF_A_BODY):
            for _ in range(30):
                slow = open_.enter_context(socket.create_connection(address, timeout=20))
                slow.sendall(sent)
                slowest.append(slow)
        for _ in range(5):
            assert is_answered(address)
        assert all(is_closed(each) for each in slowest[:60])


def test_there_is_room_for_other_things_than_connections() -> None:
    assert 16 <= connections_max() <= CONNECTIONS_MAX


def test_whether_we_are_ready_is_answered_in_time_whatever_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on, away = threading.Event(), "Redis did not answer in time (h:6379)."

    def look() -> tuple[list[str], list[str]]:
        assert goes_on.wait(20)
        return [], ["a secret's older value is taken"]

    here = Operations(look, lambda: [away])

    async def ask(within_s: float) -> Any:
        monkeypatch.setattr(operations, "READY_WITHIN_S", within_s)
        transport = httpx.ASGITransport(app_of((), here))
        async with httpx.AsyncClient(transport=transport, base_url="http://web") as client:
            return await client.get("/readyz")

    async def both() -> tuple[Any, Any]:
        hangs = await ask(0.02)
        goes_on.set()
        return hangs, await ask(20)

    hangs, then = asyncio.run(both())
    here.close()
    assert (hangs.status_code, hangs.json()["missing"]) == (503, [NOT_LOOKED, away])
    assert (then.status_code, then.json()["attention"]) == (200, ["a secret's older value is taken"])


def test_asking_often_looks_once() -> None:
    looks: list[int] = []
    goes_on = threading.Event()

    def look() -> int:
        looks.append(1)
        assert goes_on.wait(20)
        return len(looks)

    async def ask() -> list[int]:
        ready = OneAtATime("test", look)
        asked = [asyncio.ensure_future(ready()) for _ in range(50)]
        await asyncio.sleep(0)
        asked.pop().cancel()
        goes_on.set()
        answers = await asyncio.gather(*asked)
        ready.pool.shutdown()
        return answers

    assert set(asyncio.run(ask())) == {1}
    assert looks == [1]

"""Fixtures on real servers of our own. No fixed ports; everything ends with the test run, however it ends."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import redis
import structlog

from bot.runtime.embedded_redis import EmbeddedValkey


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """A test that has a process's log made, as commands do, leaves it to no other test: that one would capture no line."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, threading.excepthook
    yield
    if not structlog.is_configured():
        return
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.captureWarnings(False)
    root.handlers[:], sys.excepthook, threading.excepthook = before[0], before[2], before[3]
    root.setLevel(before[1])
    for module in list(sys.modules.values()):
        # One that has spoken keeps what it spoke with.
        logger = getattr(module, "__dict__", {}).get("log")
        if isinstance(logger, type(structlog.get_logger())):
            vars(logger).pop("bind", None)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """One durable server (`appendfsync always`) for each pytest worker. Not to be killed: see `durable_redis`."""
    with EmbeddedValkey(tmp_path_factory.mktemp("redis") / "data") as server:
        yield server


DATABASES = 16
_turns = count()


@pytest.fixture(scope="session")
def redis_emptier(redis_server: EmbeddedValkey) -> Iterator[redis.Redis]:
    """Kept, as more than a thousand tests begin with it, and to connect is most of what it costs."""
    with redis.Redis.from_url(redis_server.url) as client:
        yield client


@pytest.fixture
def redis_url(redis_server: EmbeddedValkey, redis_emptier: redis.Redis) -> str:
    """The address of an empty server.

    Tests take its databases in turn: what a thread that is left over from the test before still writes, such as a failure that it
    met when its test was over, is not found by the next one.
    """
    redis_emptier.flushall()
    return f"{redis_server.url.rpartition('/')[0]}/{next(_turns) % DATABASES}"


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of an empty server, answers as text."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def durable_redis(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A server of the test's own, which may be killed and restarted."""
    with EmbeddedValkey(tmp_path / "valkey") as server:
        yield server


@pytest.fixture(scope="session")
def aws_server() -> Iterator[Any]:
    """One simulated AWS for each pytest worker; tests take `aws`."""
    # moto takes half a second to import, which only tests that need it should pay.
    from bot.sandbox.aws.server import SandboxAws

    with SandboxAws() as server:
        yield server


@pytest.fixture
def aws(aws_server: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A calm AWS, seeded with the people of the example policy; boto3 in this process talks to it by default.

    Its lists have short and empty pages, for each test in a way of its own that is the same every time.
    """
    aws_server.reset()
    for lists in (aws_server.proxy.pages, aws_server.proxy.trail):
        lists.tear(crc32(request.node.nodeid.encode()))
    for name, value in aws_server.environment().items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield aws_server
    aws_server.proxy.calm()


@pytest.fixture
def aws_client(aws: Any) -> Iterator[Callable[..., Any]]:
    """Makes boto3 clients of `aws` that are closed at the end: `aws_client("iam", read_timeout_s=0.3)`."""
    with ExitStack() as open_clients:

        def make(service: str, **rest: Any) -> Any:
            client = aws.client(service, **rest)
            open_clients.callback(client.close)
            return client

        yield make

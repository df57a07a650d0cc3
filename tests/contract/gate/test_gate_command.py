"""`prodaccess gate` as a job runs it: a process of its own, a forge over HTTP that signs, and web's door over HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
import uvicorn

from bot.gate.asks import State
from bot.runtime.operations import app_of
from bot.web import Server
from tests.support.gate_door import MemoryAsks, door_of
from tests.support.issuer import BEARER, Issuer, issuing
from tests.support.pipelines import COMMIT, github_pipeline


def now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing(time.time) as found:
        yield found


@pytest.fixture
def asks(issuer: Issuer) -> MemoryAsks:
    return MemoryAsks((github_pipeline(issuer=issuer.url),), clock=now)


@contextmanager
def web(asks: MemoryAsks) -> Iterator[str]:
    opened = socket.socket()
    opened.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{opened.getsockname()[1]}"
    door = door_of(asks, url)
    server = Server(
        uvicorn.Config(app_of(door.routes(), None), log_config=None, ws="none", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
    thread.start()
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join()
        door.close()
        opened.close()


@contextmanager
def job(issuer: Issuer, url: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env = {
        **kept,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PRODACCESS_URL": url,
        "ACTIONS_ID_TOKEN_REQUEST_URL": issuer.request_url,
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
    }
    command = [sys.executable, "-m", "bot", "gate", "orders-prod", "--change", "Release 42", *more]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_job_waits_and_goes_on_when_an_owner_has_approved(issuer: Issuer, asks: MemoryAsks) -> None:
    issuer.refuses_tokens = 1
    with web(asks) as url, job(issuer, url, "--commit", COMMIT[:7]) as process:
        assert asks.came.wait(30)
        asks.looks_again = 1
        asks.decide("PA-1", State.APPROVED)
        out, error = process.communicate(timeout=30)

    assert process.returncode == 0, error
    lines = out.splitlines()
    assert lines[0] == "GitHub gave no token for this job (503): trying again."
    assert lines[1].startswith(
        "PA-1 asks for the gate deploy of orders-prod. It needs approval from 1 of platform. It waits"
    )
    assert lines[-1] == "PA-1 was approved by Olu Owner: the job goes on."
    assert error == ""
    assert asks.standings["PA-1"].state is State.USED
    assert asks.asked["PA-1"][0].repository == "acme/orders"


def test_a_job_that_is_cancelled_leaves_nothing_to_decide(issuer: Issuer, asks: MemoryAsks) -> None:
    with web(asks) as url, job(issuer, url) as process:
        assert asks.came.wait(30)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("PA-1 asks for the gate deploy")
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=30)

    assert process.returncode == 143
    assert error == "The job was cancelled. PA-1 is withdrawn.\n"
    assert asks.standings["PA-1"].state is State.WITHDRAWN


def test_what_an_issuer_redirects_to_is_not_asked(issuer: Issuer, asks: MemoryAsks) -> None:
    token = issuer.token(aud="x")
    issuer.redirect_to = f"{issuer.url}/elsewhere"
    with web(asks) as url:
        body = {"environment": "orders-prod", "change": "x", "nonce": "n" * 43}
        answer = httpx.post(f"{url}/gate/v1/asks", headers={"Authorization": f"Bearer {token}"}, json=body)

    assert answer.json()["error"] == "keys"
    assert "/elsewhere" not in issuer.asked

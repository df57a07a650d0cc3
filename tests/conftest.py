"""Fixtures for all tests."""

import gc
from collections.abc import Iterator
from functools import cache

import pytest
import typer.main
import typer.testing
from hypothesis import settings

from tests.support.bytecode import write_share
from tests.support.fixtures import (  # noqa: F401 - pytest finds fixtures by their names here
    aws,
    aws_client,
    aws_server,
    durable_redis,
    log_as_it_was,
    redis_client,
    redis_emptier,
    redis_server,
    redis_url,
)

# The same examples in every run: a test fails because the code changed, not because the dice did.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

# Our commands are the same for every call from above, and are a fortieth of a second to put together.
typer.testing._get_command = cache(typer.main.get_command)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Thousands of tests are found, and stay: nothing of them is looked through for garbage, now or later."""
    write_share(session.config)
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()

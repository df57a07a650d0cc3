"""Fixtures for all tests."""

from hypothesis import settings

from tests.support.fixtures import (  # noqa: F401 - pytest finds fixtures by their names here
    aws,
    aws_client,
    aws_server,
    durable_redis,
    log_as_it_was,
    redis_client,
    redis_server,
    redis_url,
)

# The same examples in every run: a test fails because the code changed, not because the dice did.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

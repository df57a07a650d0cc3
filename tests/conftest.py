"""Fixtures for all tests."""

from tests.support.fixtures import (  # noqa: F401 - pytest finds fixtures by their names here
    aws,
    aws_client,
    aws_server,
    durable_redis,
    redis_client,
    redis_server,
    redis_url,
)

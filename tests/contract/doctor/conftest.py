"""One installation for all faults of a pytest worker; each test is given it calm."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.contract.doctor.rig import AS_STARTED, Rig


@pytest.fixture
def rig(redis_url: str, redis_client: redis.Redis, tmp_path: Path) -> Iterator[Rig]:
    yield Rig(redis_url, tmp_path / "policy", redis_client)
    for name, value in AS_STARTED.items():
        redis_client.config_set(name, value)
    for user in redis_client.acl_users():
        if user != "default":
            redis_client.acl_deluser(user)

"""The proxy counts questions that were answered, whatever is in one of them and however it is cut into packets."""

from __future__ import annotations

from pathlib import Path

import redis

from bot.runtime.embedded_redis import EmbeddedValkey
from tests.support.tcp_proxy import TcpProxy


def test_a_pipeline_is_one_round_trip_and_a_large_answer_too(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "data") as server, TcpProxy(server.port) as proxy:
        client = redis.Redis.from_url(server.url.replace(f":{server.port}", f":{proxy.port}"))
        client.ping()
        before = proxy.round_trips
        client.set("large", b"x" * 1_000_000)
        assert proxy.round_trips - before == 1
        assert len(client.get("large") or b"") == 1_000_000  # type: ignore[arg-type]  # redis-py's types hold both kinds
        assert proxy.round_trips - before == 2
        pipe = client.pipeline(transaction=False)
        for number in range(100):
            pipe.set(f"one-{number}", number)
        pipe.execute()
        assert proxy.round_trips - before == 3
        client.close()

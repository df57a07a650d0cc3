"""What the clock does now and then, too, its own user of Redis is allowed: a refusal there ends its whole look."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path

import redis
from structlog.testing import capture_logs

from bot.clock import HOLDERS_EVERY_S, Ticker
from bot.runtime.embedded_redis import EmbeddedValkey
from bot.settings import Settings
from bot.wiring import build_clock
from tests.support import redis_users as users
from tests.unit.policy_file.policy_folder import WORKSPACE, write

KEPT = (WORKSPACE, "panic_group: security", "panic_group: security\nretention: 90d\ncertify: {every: 90d, due: 14d}")


def test_every_part_of_a_look_is_allowed_to_the_clocks_own_user(
    redis_server: EmbeddedValkey, redis_url: str, tmp_path: Path
) -> None:
    with redis.Redis.from_url(redis_url, decode_responses=True) as admin:
        users.put_in_place(admin, "prodaccess-clock")
        admin.acl_log_reset()
        url = users.url("prodaccess-clock", redis_server.port)  # the one database that our users may go to
        folder = write(tmp_path / "policy", KEPT)
        parts = build_clock(Settings.model_validate({"redis_url": url, "config": str(folder)}), patient=False)
        asked = count(step=HOLDERS_EVERY_S)  # whatever is done once in a while is done at each look
        ticker = Ticker(replace(parts, monotonic_s=lambda: float(next(asked))))
        try:
            with capture_logs() as logs:
                for _ in range(5):
                    ticker.tick()
        finally:
            ticker.hand_over()
            parts.close()
        assert [each["event"] for each in logs if each["log_level"] in {"warning", "error"}] == []
        assert [(each["object"], each["context"]) for each in admin.acl_log()] == []

"""A long log: `audit verify` reads each entry, each run and each head once, in pages, and keeps little of it."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import redis
from typer.testing import CliRunner

from bench.verify import fill
from bot.__main__ import app
from workflows.archive.folder import FolderArchive
from workflows.ledger.redis_ledger import RedisLedger

ENTRIES, PAGES, RUN = 1_500, 2, 300


def test_a_long_log_is_read_once_in_pages(
    redis_client: redis.Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    fill(redis_client, redis_url, tmp_path, ENTRIES, run=RUN)
    calls: Counter[str] = Counter()
    for kind, name in ((RedisLedger, "stored_entries"), (RedisLedger, "read"), (FolderArchive, "get")):
        monkeypatch.setattr(kind, name, counted(getattr(kind, name), calls))
    words = ("--key", str(tmp_path / "key.pub.pem"), "--archive", str(tmp_path / "archive"))
    CliRunner().invoke(app, ["audit", "verify"])  # what is imported once is no part of it
    calls.clear()
    tracemalloc.start()
    answer = CliRunner().invoke(app, ["audit", "verify", *words])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.exit_code == 0, answer.output
    assert f"{ENTRIES} entries compared with the archive." in answer.output
    # The last page is followed by an empty one; five runs, five heads.
    assert calls["stored_entries"] == PAGES + 1
    assert calls["get"] == 2 * ENTRIES / RUN
    # What installation, seal, doubt and retention say, and who was erased.
    assert calls["read"] <= 5
    assert most < 16_000_000


def counted(call: Any, calls: Counter[str]) -> Any:
    def noted(self: Any, *args: Any, **more: Any) -> Any:
        calls[call.__name__] += 1
        return call(self, *args, **more)

    return noted

"""A past that is written fast is one that the product can read, prove and go on from."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import redis

from bench.past import LIFE, Past
from bot.runtime.embedded_redis import EmbeddedValkey
from workflows.core.audit import AuditEvent, Event
from workflows.core.audit_check import linking
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change, Committed

LIVES = 700


def test_a_past_is_whole_and_goes_on(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "data") as server:
        client = redis.Redis.from_url(server.url)
        Past(client, LIVES * len(LIFE)).write()
        ledger = RedisLedger(client, durability="verify", monotonic=time.monotonic)
        entries = ledger.stored_entries(limit=10_000)
        assert [entry.number for entry in entries] == list(range(1, LIVES * len(LIFE) + 1))
        link = ""
        for entry in entries:
            assert entry.digest == hashlib.sha256(entry.body).hexdigest()
            link = linking(link, entry.number, entry.digest)
            assert entry.link == link
        state = ledger.audit_state()
        assert (state.counted, state.newest, state.words, state.link) == (len(entries),) * 3 + (link,)
        read = ledger.entries(limit=10_000)
        assert [entry.at for entry in read] == sorted(entry.at for entry in read)
        assert read[-1].at <= ledger.now()
        assert [entry.event for entry in ledger.entries_of(f"PA-{LIVES}")] == list(LIFE)

        now = ledger.now()
        event = AuditEvent(Event.REQUEST_MADE, "PA-9999", now, "0" * 32, "1" * 32)
        assert isinstance(ledger.commit(Change("next", now, {}, audit=(event,))), Committed)
        (newest,) = ledger.stored_entries(after=len(entries))
        assert newest.link == linking(link, newest.number, newest.digest)
        assert client.config_get("appendfsync")["appendfsync"] == "always"  # type: ignore[index]  # redis-py's types hold both kinds
        client.close()

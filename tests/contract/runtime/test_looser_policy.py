"""A clock that was started with the next policy knows what the one before said: it stands on the ledger."""

from __future__ import annotations

from pathlib import Path

import redis

from bot.settings import Settings
from bot.wiring import build_clock
from tests.unit.policy_file.policy_folder import FILES, WORKSPACE, write
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.records.policy_in_force import PolicyFiles


def started(redis_url: str, folder: Path) -> list[AuditEntry]:
    """A clock comes up with this folder, looks at it, and goes. Returns all activations so far."""
    with_folder = Settings.model_validate({"redis_url": redis_url, "config": str(folder)})
    parts = build_clock(with_folder)
    try:
        parts.activate_policy()
        return [entry for entry in parts.ledger.entries(limit=100) if entry.event is Event.POLICY_ACTIVATED]
    finally:
        parts.close()


def test_a_clock_that_begins_with_another_policy_says_what_is_looser(
    redis_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    count = (WORKSPACE, "any: {approve: {owners: 1, security: 1}", "any: {approve: {owners: 1}")
    assert [entry.facts.get("looser") for entry in started(redis_url, write(tmp_path / "old"))] == [None]
    last = started(redis_url, write(tmp_path / "new", count))[-1]
    assert last.private["looser"] == "shop-prod state-write: approve 1 of owners, 1 of security -> 1 of owners"


def test_a_clock_keeps_the_files_that_an_older_version_did_not(
    redis_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "old")
    started(redis_url, folder)
    # A version that knows nothing of them has none there.
    assert redis_client.delete(f"prodaccess:record:{keys.POLICY_FILES}") == 1
    started(redis_url, folder)
    parts = build_clock(Settings.model_validate({"redis_url": redis_url, "config": str(folder)}))
    found = parts.ledger.read(keys.POLICY_FILES).get(keys.POLICY_FILES, PolicyFiles)
    parts.close()
    assert found is not None
    assert found.files == FILES

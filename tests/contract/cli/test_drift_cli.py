"""`prodaccess drift` on a real ledger: what is open, what is not known, and how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.cli import drift as command
from tests.support import build
from tests.unit.policy_file.policy_folder import write
from workflows.core import keys
from workflows.core.records.drift import Drift, DriftKind, DriftPass
from workflows.core.records.record import Record
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change, Committed, IndexEntry
from workflows.usecases.drift.standing import entries_of

RESOURCE = build.resource(build.request().terms)
WHOLE = DriftPass(number=4, ended_at=build.NOW, looks=3, epoch=1)
OPEN = Drift(
    RESOURCE.holding,
    DriftKind.MISSING,
    RESOURCE,
    "s",
    (("shop-prod", "read-only"),),
    build.NOW,
    build.NOW,
    grant="PA-7",
    who="Dana",
)


@pytest.fixture
def ledger(redis_client: redis.Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RedisLedger:
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("PRODACCESS_CONFIG", str(write(tmp_path)))
    return RedisLedger(redis_client, durability="verify", monotonic=lambda: 0.0)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["drift", *words])


def put(ledger: RedisLedger, key: str, record: Record, *index: IndexEntry) -> None:
    snapshot = ledger.read(key)
    change = Change(
        f"{key}:{snapshot.items[key].version}", snapshot.now, snapshot.versions(), puts={key: record}, index=index
    )
    assert isinstance(ledger.commit(change), Committed)


def test_nothing_open_and_all_of_it_known_is_well(ledger: RedisLedger) -> None:
    put(ledger, keys.DRIFT_PROGRESS, WHOLE)
    done = run("--last")
    assert (done.exit_code, done.stdout) == (0, "Compared at 2026-11-21 03:00 UTC: 3 lists, 0 open.\n")


def test_what_is_not_known_is_said_and_is_no_all_clear(ledger: RedisLedger) -> None:
    put(ledger, keys.DRIFT_PROGRESS, replace(WHOLE, not_known=("shop-prod read-only: AWS does not answer",)))
    done = run("--last")
    assert done.exit_code == command.NOT_KNOWN
    assert done.stdout.splitlines()[-1] == "Not known: shop-prod read-only: AWS does not answer"


def test_what_is_open_is_a_line_each(ledger: RedisLedger) -> None:
    put(ledger, keys.DRIFT_PROGRESS, WHOLE)
    put(ledger, keys.drift(OPEN.id), OPEN, *entries_of(OPEN))
    done = run("--last")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[0] == (
        "Dana · shop-prod read-only · active on the record, and not there · ReadOnlyAccess in 111122223333 · PA-7 · "
        "since 2026-11-21 03:00 UTC or before"
    )
    found = json.loads(run("--last", "--json").stdout)
    assert [(one["kind"], one["grant"], one["left_by"]) for one in found["open"]] == [("missing", "PA-7", None)]
    assert run("shop-prod", "--last").exit_code == 1


def test_one_environment_alone_and_one_that_there_is_not(ledger: RedisLedger) -> None:
    put(ledger, keys.DRIFT_PROGRESS, WHOLE)
    other = replace(OPEN, roles=(("elsewhere", "read-only"),))
    put(ledger, keys.drift(OPEN.id), other, *entries_of(other))
    assert run("shop-prod", "--last").exit_code == 0
    wrong = run("shop-pord", "--last")
    assert wrong.exit_code == 1
    assert "There is no environment 'shop-pord': the policy has shop-prod." in wrong.stderr


def test_it_asks_a_worker_and_says_where_none_has_done_it(ledger: RedisLedger) -> None:
    put(ledger, keys.DRIFT_PROGRESS, WHOLE)
    done = run("--wait", "0.3")
    assert done.exit_code == command.NOT_KNOWN
    assert done.stderr == "No worker has finished a comparison within 0.3 seconds: this is what the last one found.\n"


def test_it_waits_for_the_comparison_that_it_asked_for(ledger: RedisLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    put(ledger, keys.DRIFT_PROGRESS, WHOLE)
    monkeypatch.setattr(command.time, "sleep", lambda _: put(ledger, keys.DRIFT_PROGRESS, replace(WHOLE, number=5)))
    done = run()
    assert (done.exit_code, done.stderr) == (0, "")


def test_nothing_was_ever_compared(ledger: RedisLedger) -> None:
    done = run("--last")
    assert (done.exit_code, done.stdout) == (command.NOT_KNOWN, "Nothing has been compared yet: is a worker running?\n")

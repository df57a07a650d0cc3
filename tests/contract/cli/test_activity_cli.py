"""`prodaccess activity` on a real ledger: what was seen, how old it is, what is not known, and when it can be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.cli import activity as command
from tests.support.held import held
from tests.unit.policy_file.policy_folder import write
from workflows.core import keys
from workflows.core.activity import Deed, Window
from workflows.core.records.activity import Activity, ActivityLook, PlaceSeen
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.record import Record
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change, Committed

HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(redis_client: redis.Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RedisLedger:
    write(tmp_path)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("PRODACCESS_CONFIG", str(tmp_path))
    found = RedisLedger(redis_client, durability="verify", monotonic=lambda: 0.0)
    held(found, 1, 5 * HOUR)
    return found


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["activity", "PA-1", *words])


def put(ledger: RedisLedger, key: str, record: Record) -> None:
    snapshot = ledger.read(key)
    change = Change(f"{key}:{snapshot.items[key].version}", snapshot.now, snapshot.versions(), puts={key: record})
    assert isinstance(ledger.commit(change), Committed)


def grant_of(ledger: RedisLedger) -> Grant:
    found = ledger.read(keys.grant("PA-1")).get(keys.grant("PA-1"), Grant)
    assert found is not None
    return found


def look(ledger: RedisLedger, ago: timedelta = 2 * HOUR, *places: PlaceSeen) -> ActivityLook:
    at = ledger.now() - ago
    window = Window(at - HOUR, at, at)
    seen = places or (PlaceSeen("eu-central-1", 41, 3, done=True), PlaceSeen("us-east-1", done=True))
    return ActivityLook(window, at, at, "CloudTrail", "management events", "data events are not in it", seen, at)


def seen(ledger: RedisLedger, *found: ActivityLook) -> None:
    """So many looks have ended, the last one with this."""
    put(ledger, keys.activity("PA-1"), Activity("PA-1", len(found), len(found), found[-1] if found else None))


def over(ledger: RedisLedger, ago: timedelta, session_s: int | None = None) -> datetime:
    """It was over so long ago."""
    was = grant_of(ledger)
    closed = ledger.now() - ago
    resource = replace(was.resource, session_s=session_s)
    put(ledger, keys.grant("PA-1"), replace(was, closed_at=closed, resource=resource))
    return closed


@pytest.fixture
def worker(ledger: RedisLedger, monkeypatch: pytest.MonkeyPatch) -> Callable[[ActivityLook], None]:
    """Looks while the command waits, and finds this."""

    def finds(found: ActivityLook) -> None:
        def works(_: float) -> None:
            key = keys.activity("PA-1")
            stands = ledger.read(key).get(key, Activity)
            assert stands is not None
            put(ledger, key, replace(stands, done=stands.asked, found=found))

        monkeypatch.setattr(command.time, "sleep", works)

    return finds


def test_it_has_a_worker_look_and_says_what_it_saw_and_what_it_cannot(
    ledger: RedisLedger, worker: Callable[[ActivityLook], None]
) -> None:
    changes = (
        Deed(ledger.now() - 4 * HOUR, "s3 PutBucketPolicy", True),
        Deed(ledger.now() - 4 * HOUR, "s3 DeleteBucket", True, True),
    )
    places = PlaceSeen("eu-central-1", 41, 3, 1, changes=changes, done=True), PlaceSeen("us-east-1", done=True)
    worker(look(ledger, timedelta(0), *places))
    done = run()
    assert done.exit_code == 0, done.output
    first, second, *others = done.stdout.splitlines()
    assert first == (
        "41 management events in eu-central-1 and us-east-1, 3 changing, 1 refused; data events are not in it."
    )
    assert second.startswith("By CloudTrail, as of ")
    assert "sessions of the permission set ReadOnlyAccess with the session name" in second
    assert [line.partition(" · ")[2] for line in others[:2]] == [
        "eu-central-1 · s3 PutBucketPolicy",
        "eu-central-1 · s3 DeleteBucket (refused)",
    ]


def test_what_is_kept_is_shown_with_its_age_and_nobody_looks_again(ledger: RedisLedger) -> None:
    seen(ledger, look(ledger))
    done = run("--wait", "0")
    assert done.exit_code == 0
    assert ", 2 h ago: " in done.stdout
    assert ledger.read(keys.activity("PA-1")).get(keys.activity("PA-1"), Activity).asked == 1  # type: ignore[union-attr]  # it is there


def test_again_looks_anew_and_without_a_worker_says_so_and_shows_what_is_kept(ledger: RedisLedger) -> None:
    seen(ledger, look(ledger))
    done = run("--again", "--wait", "0")
    assert (done.exit_code, done.stdout.splitlines()[0][:20]) == (command.NOT_KNOWN, "41 management events")
    assert done.stderr == "No worker has finished looking within 0 seconds: this is what was seen before.\n"


def test_without_a_worker_and_without_an_answer_it_is_not_known(ledger: RedisLedger) -> None:
    done = run("--wait", "0")
    assert (done.exit_code, done.stdout) == (command.NOT_KNOWN, "")
    assert done.stderr == "No worker has finished looking within 0 seconds: what was done is not known.\n"


def test_what_is_not_known_is_said_and_no_figure_stands_for_it(
    ledger: RedisLedger, worker: Callable[[ActivityLook], None]
) -> None:
    lost = PlaceSeen("eu-central-1", 7, problem="AWS does not let the worker do it.", done=True)
    worker(look(ledger, timedelta(0), lost))
    done = run()
    assert done.exit_code == command.NOT_KNOWN
    assert done.stdout.splitlines()[0] == "Not known in eu-central-1: AWS does not let the worker do it."
    found = json.loads(run("--json").stdout)
    assert (found["known"], found["deeds"], found["places"][0]["deeds"]) == (False, None, None)
    assert found["places"][0]["not_known"] == "AWS does not let the worker do it."


def test_where_it_stopped_is_said(ledger: RedisLedger, worker: Callable[[ActivityLook], None]) -> None:
    oldest = ledger.now() - 4 * HOUR
    worker(look(ledger, timedelta(0), PlaceSeen("eu-central-1", 5000, 9, oldest=oldest, done=True, stopped=True)))
    done = run()
    assert (done.exit_code, done.stdout.startswith("At least 5,000 management events")) == (command.NOT_KNOWN, True)
    assert f"What was done before {oldest:%Y-%m-%d %H:%M:%S} UTC in eu-central-1 was not looked at" in done.stdout


def test_before_twenty_minutes_have_passed_it_says_when(ledger: RedisLedger) -> None:
    closed = over(ledger, timedelta(minutes=5))
    done = run()
    assert (done.exit_code, done.stdout) == (command.NOT_KNOWN, "")
    after = closed + timedelta(minutes=20)
    assert f"Ask after {after:%Y-%m-%d %H:%M:%S} UTC." in done.stderr
    put(ledger, keys.grant("PA-1"), replace(grant_of(ledger), state=GrantState.ACTIVE, closed_at=None))
    assert "PA-1 is not over. CloudTrail can be asked 20 minutes after its end." in run().stderr


def test_while_a_session_may_be_open_there_may_be_more_and_an_old_answer_will_not_do(
    ledger: RedisLedger, worker: Callable[[ActivityLook], None]
) -> None:
    over(ledger, timedelta(minutes=30), session_s=3600)
    seen(ledger, look(ledger, timedelta(minutes=6)))
    worker(look(ledger, timedelta(0), PlaceSeen("eu-central-1", 50, done=True)))
    done = run()
    assert done.stdout.startswith("50 management events")
    assert "A session that was open then may have gone on: look again after" in done.stdout


def test_what_was_never_given_has_no_answer(ledger: RedisLedger) -> None:
    nothing = CliRunner().invoke(app, ["activity", "PA-8"])
    assert (nothing.exit_code, nothing.stderr) == (1, "There is no request PA-8.\n")

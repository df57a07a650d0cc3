"""`prodaccess report`, on a real ledger."""

from __future__ import annotations

import csv
import gc
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from tests.support.build import DANA, NIA
from tests.support.held import held, said
from tests.unit.policy_file.policy_folder import write
from workflows.core.audit import Event
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Snapshot

DAY = timedelta(days=1)


@pytest.fixture
def ledger(redis_client: redis.Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RedisLedger:
    """With the policy folder at hand, and a record that began a hundred days ago."""
    write(tmp_path)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("PRODACCESS_CONFIG", str(tmp_path))
    found = RedisLedger(redis_client, durability="verify", monotonic=lambda: 0.0)
    said(redis_client, "first", Event.POLICY_ACTIVATED, found.now() - 100 * DAY)
    return found


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["report", *words])


def test_it_tells_who_had_what_in_the_period_and_nothing_older(ledger: RedisLedger):
    held(ledger, 1, 95 * DAY)
    held(ledger, 2, 20 * DAY)
    held(ledger, 3, 2 * DAY)
    held(ledger, 4, 2 * DAY, NIA, "Nia")
    answer = run("--format", "json")
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.output)
    assert [(line["name"], line["times"], line["held_s"]) for line in found["access"]] == [
        ("Dana", 2, 7200),
        ("Nia", 1, 3600),
    ]
    assert (found["sums"]["asked"], found["sums"]["approved"], found["days"]) == (3, 3, 90)
    assert found["access"][0]["answered_in_s"] == 40
    assert {line["role"] for line in found["never_used"] if line["environment"] == "shop-prod"} == {"state-write"}
    assert json.loads(run("--since", "30d", "--format", "json").output)["sums"]["asked"] == 3
    assert json.loads(run("--since", "5d", "--format", "json").output)["sums"]["asked"] == 2


def test_no_time_goes_into_looking_for_circles_while_the_record_is_read(
    ledger: RedisLedger, monkeypatch: pytest.MonkeyPatch
):
    held(ledger, 1, 2 * DAY)
    looked: list[bool] = []
    read = RedisLedger.read

    def seen(self: RedisLedger, *names: str, **more: Any) -> Snapshot:
        if any(name.startswith("grant:") for name in names):
            looked.append(gc.isenabled())
        return read(self, *names, **more)

    monkeypatch.setattr(RedisLedger, "read", seen)
    assert run().exit_code == 0
    assert run("--rows", "grants").exit_code == 0
    assert looked == [False, False]
    assert gc.isenabled()


def test_the_table_is_the_default_and_fits_a_terminal(ledger: RedisLedger):
    held(ledger, 1, 2 * DAY, name="Dana \x1b[31mDev")
    answer = run()
    assert answer.exit_code == 0, answer.output
    assert "1 person had access for 1 h in all." in answer.output
    assert "\x1b" not in answer.output
    assert max(map(len, answer.output.splitlines())) <= 100


def test_csv_opens_in_a_spreadsheet_without_running_anything(ledger: RedisLedger):
    held(ledger, 1, 2 * DAY, name='=HYPERLINK("https://evil.example")')
    columns, line = csv.reader(io.StringIO(run("--format", "csv").output))
    assert (columns[0], line[0]) == ("person", '\'=HYPERLINK("https://evil.example")')


def test_from_and_until_are_days_of_the_policys_zone_both_of_them_whole(ledger: RedisLedger):
    for number, ago in ((1, 40), (2, 20), (3, 2)):
        held(ledger, number, ago * DAY)
    zone = ZoneInfo("Europe/Berlin")
    first, last = (f"{(ledger.now() - days * DAY).astimezone(zone):%Y-%m-%d}" for days in (30, 20))
    found = json.loads(run("--from", first, "--until", last, "--format", "json").output)
    assert (found["sums"]["asked"], found["days"]) == (1, 11)
    rows = run("--from", first, "--until", last, "--rows", "grants", "--format", "json")
    assert [row["id"] for row in json.loads(rows.output)] == ["PA-2"]
    assert run("--from", last, "--until", first).exit_code == 2


def test_a_row_a_grant_has_all_that_a_sample_is_checked_by(ledger: RedisLedger):
    held(ledger, 12, 2 * DAY, name='=HYPERLINK("https://evil.example")')
    (row,) = json.loads(run("--rows", "grants", "--format", "json").output)
    assert (row["id"], row["holder"], row["environment"], row["role"]) == ("PA-12", DANA, "shop-prod", "read-only")
    assert [(one["name"], one["groups"]) for one in row["approvers"]] == [("Olu", ["platform"])]
    assert (row["account"], row["policy_hash"], row["rule"], row["ticket"]) == ("111122223333", "f" * 64, None, None)
    assert row["asked"] < row["approved"] < row["given"] < row["ended"] == row["verified"]
    columns, line = csv.reader(io.StringIO(run("--rows", "grants").output))
    flat = dict(zip(columns, line, strict=True))
    assert flat.keys() == row.keys()
    assert (flat["approvers"], flat["holder_name"]) == ("Olu (platform)", '\'=HYPERLINK("https://evil.example")')
    assert json.loads(run("--rows", "grants", "--env", "other", "--format", "json").output) == []


def test_the_page_is_one_file_and_what_was_there_stays_until_it_is_whole(
    ledger: RedisLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    held(ledger, 1, 2 * DAY)
    file = tmp_path / "review.html"
    done = run("--html", str(file))
    assert done.exit_code == 0, done.output
    before = file.read_text()
    assert 'id="PA-1"' in before
    monkeypatch.setattr("workflows.usecases.oversight.access_review.full_row", lambda *_: 1 / 0)
    assert run("--html", str(file)).exit_code == 1
    assert file.read_text() == before
    assert [path.name for path in tmp_path.iterdir() if "review" in path.name] == ["review.html"]


def test_what_cannot_be_read_is_named_and_the_rest_is_told(ledger: RedisLedger, redis_client: redis.Redis):
    for number in (1, 2):
        held(ledger, number, 2 * DAY)
    redis_client.set("prodaccess:record:request:PA-1", "1:{")
    for words in ((), ("--rows", "grants")):
        done = run(*words)
        assert (done.exit_code, "1 cannot be read, and is left out: PA-1." in done.output) == (1, True), done.output


def test_one_environment_alone(ledger: RedisLedger):
    held(ledger, 1, 2 * DAY)
    assert len(json.loads(run("--env", "shop-prod", "--format", "json").output)["access"]) == 1
    nothing = run("--env", "shop-prd")
    assert (nothing.exit_code, "no environment 'shop-prd'" in nothing.output) == (1, True)


def test_when_an_approver_could_see_the_card_counts_not_when_somebody_asked(
    ledger: RedisLedger, redis_client: redis.Redis
):
    at = ledger.now() - 2 * DAY
    held(ledger, 1, 2 * DAY)
    said(redis_client, "PA-1", Event.REQUEST_RESOLVED, at + timedelta(seconds=30))
    waited = json.loads(run("--format", "json").output)["access"][0]["answered_in_s"]
    assert waited in (9, 10, 11)


def test_a_young_record_says_since_when(ledger: RedisLedger, redis_client: redis.Redis):
    redis_client.flushdb()
    said(redis_client, "first", Event.POLICY_ACTIVATED, ledger.now() - 3 * DAY)
    assert json.loads(run("--format", "json").output)["days"] in (3, 4)


@pytest.mark.parametrize("since", ["soon", "0d", "90"])
def test_a_period_that_is_none_is_one_sentence(ledger: RedisLedger, since: str):
    answer = run("--since", since)
    assert (answer.exit_code, "is no period" in answer.output) == (2, True)


def test_an_empty_record_is_a_report_of_nothing(ledger: RedisLedger, redis_client: redis.Redis):
    redis_client.flushdb()
    answer = run()
    assert (answer.exit_code, "Nobody had access." in answer.output) == (0, True)


def test_without_a_ledger_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    answer = run()
    assert answer.exit_code == 1
    assert "Traceback" not in answer.output

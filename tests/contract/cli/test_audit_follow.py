"""`prodaccess audit follow`, on a real ledger; and what it makes of each event for a SIEM."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.cli.audit.ocsf import event_of
from tests.support.build import NOW
from tests.support.hand_sealer import HandSealer
from tests.support.held import held
from workflows.core.audit import AuditEntry, AuditEvent, Event
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change

following = sys.modules["bot.cli.audit.follow"]
# Of OCSF 1.6.0: what each class wants, which activities it has, and what it may hold of what we say.
REQUIRED = {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"}
CLASSES = {
    3001: (REQUIRED | {"user"}, {*range(13), 99}),
    3004: (REQUIRED | {"entity"}, {*range(14), 99}),
    3005: (REQUIRED | {"user", "privileges"}, {0, 1, 2, 99}),
}
MAY = {"activity_name", "actor", "message", "status_id", "unmapped"}


@pytest.fixture
def ledger(redis_client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> RedisLedger:
    monkeypatch.setenv("REDIS_URL", redis_url)
    return RedisLedger(redis_client, durability="verify", monotonic=lambda: 0.0)


def say(ledger: RedisLedger, event: Event, subject: str) -> None:
    now, name = ledger.now(), f"{ledger.head() + 1:032x}"
    words = {"actor": "olu@acme.example", "actor_name": "Olu"}
    ledger.commit(Change(f"said-{name}", now, {}, audit=(AuditEvent(event, subject, now, name, name, {}, words),)))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["audit", "follow", *words])


def numbers(answer: Result) -> list[int]:
    assert answer.exit_code == 0, answer.output
    return [json.loads(line)["number"] for line in answer.output.splitlines()]


def test_it_goes_on_where_it_was(ledger: RedisLedger, tmp_path: Path):
    state = ("--once", "--state", str(tmp_path / "state.json"))
    for number in range(3):
        say(ledger, Event.REQUEST_MADE, f"PA-{number}")
    assert numbers(run(*state)) == [1, 2, 3]
    assert numbers(run(*state)) == []
    say(ledger, Event.REQUEST_DENIED, "PA-1")
    assert numbers(run(*state)) == [4]
    assert numbers(run("--once", "--after", "2")) == [3, 4]


def test_it_waits_for_what_comes(ledger: RedisLedger, monkeypatch: pytest.MonkeyPatch):
    say(ledger, Event.REQUEST_MADE, "PA-1")
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) > 1:
            raise KeyboardInterrupt
        say(ledger, Event.REQUEST_DENIED, "PA-1")

    monkeypatch.setattr("time.sleep", sleep)
    answer = run()
    assert [json.loads(line)["number"] for line in answer.output.splitlines() if line.startswith("{")] == [1, 2]
    assert waits == [following.LOOK_EVERY_S] * 2


def test_what_was_not_printed_to_its_end_comes_again(
    ledger: RedisLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    state = ("--once", "--state", str(tmp_path / "state.json"))
    say(ledger, Event.REQUEST_MADE, "PA-1")

    def cut(*_: object) -> None:
        raise BrokenPipeError

    with monkeypatch.context() as patched:
        patched.setattr(following, "_print", cut)
        assert run(*state).exit_code != 0
    assert numbers(run(*state)) == [1]


def test_a_log_that_was_set_back_and_a_state_of_another_log_are_told(ledger: RedisLedger, tmp_path: Path):
    HandSealer(ledger, tmp_path)
    say(ledger, Event.REQUEST_MADE, "PA-1")
    answer = run("--once", "--after", "9")
    assert (answer.exit_code, "The log ends at #1, and #9 was printed" in answer.output) == (1, True)
    file = tmp_path / "state.json"
    for text, words in (('{"log": "x", "number": 1}', "of another log"), ("[", "no state of this command")):
        file.write_text(text)
        answer = run("--once", "--state", str(file))
        assert (answer.exit_code, words in answer.output) == (2, True)
        assert file.read_text() == text


def test_a_siem_is_told_who_has_which_role(ledger: RedisLedger):
    held(ledger, 7, timedelta(0))
    say(ledger, Event.GRANT_ACTIVE, "PA-7")
    say(ledger, Event.GRANT_ENDED, "PA-8")
    first, second = (json.loads(line) for line in run("--once", "--format", "ocsf").output.splitlines())
    assert (first["type_uid"], first["user"]["name"], first["privileges"]) == (
        300501,
        "Dana",
        ["read-only in shop-prod"],
    )
    assert (first["actor"]["user"]["uid"], first["metadata"]["sequence"]) == ("olu@acme.example", 1)
    assert (second["type_uid"], second["user"]["name"]) == (300502, "not known")


@pytest.mark.parametrize("event", Event)
def test_every_event_is_one_of_the_schema(event: Event):
    found = event_of(AuditEntry(1, event, "PA-1", NOW, "a" * 64, {}, {}, ""), None)
    required, activities = CLASSES[found["class_uid"]]
    assert required <= set(found) <= required | MAY
    assert found["activity_id"] in activities
    assert found["type_uid"] == found["class_uid"] * 100 + found["activity_id"]
    assert set(found["metadata"]) >= {"product", "version"}
    assert all(found.get(name, {"name": ""}) for name in ("user", "entity"))
    # Milliseconds.
    assert found["time"] == int(NOW.timestamp()) * 1000

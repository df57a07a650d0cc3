"""`policy apply`, `person confirm`, `audit verify` and `audit export`, on a real ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from tests.support import build
from tests.unit.policy_folder import write
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.clockwork import Doubt, LedgerClock
from workflows.core.identity import AccountRecord
from workflows.core.model import ActivePolicy, PersonRecord
from workflows.core.people import Membership, SlackUser
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change, LedgerUnreachable


@pytest.fixture
def ledger(redis_client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> RedisLedger:
    monkeypatch.setenv("REDIS_URL", redis_url)
    return RedisLedger(redis_client, durability="verify", monotonic=lambda: 0.0)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def record(ledger: RedisLedger, count: int = 3) -> None:
    for number in range(count):
        now = ledger.now()
        entry = AuditEvent(
            Event.REQUEST_MADE, "PA-1", now, f"{number:032x}", "5" * 32, {"n": str(number)}, {"actor": "dana"}
        )
        ledger.commit(Change(f"c{number}", now, {}, audit=(entry,)))


def tamper(client: redis.Redis, number: int, field: str, change: Any) -> None:
    """Rewrite one field of one entry, as somebody with write access to Redis could."""
    ((_, fields),) = client.xrange("prodaccess:audit", f"{number}-0", f"{number}-0")
    later = client.xrange("prodaccess:audit", f"({number}-0", "+")
    client.xtrim("prodaccess:audit", minid=f"{number}-0", approximate=False)
    client.delete("prodaccess:audit")
    for id_, kept in [(f"{number}-0", {**fields, field: change(fields[field])}), *later]:
        client.xadd("prodaccess:audit", kept, id=id_)


@pytest.fixture
def explained(ledger, redis_client, tmp_path, monkeypatch):
    """A policy folder, and dana as the chat has shown her."""
    write(tmp_path)
    monkeypatch.setenv("PRODACCESS_CONFIG", str(tmp_path))
    directory = RedisDirectory(redis_client)
    directory.put_person(build.facts(build.DANA, as_of=ledger.now()))
    bound = PersonRecord(build.DANA, "Dana", (SlackUser("T1", "UDANA"),))
    ledger.commit(Change("bound", ledger.now(), {keys.person(build.DANA): 0}, puts={keys.person(build.DANA): bound}))
    directory.put_members("slack:S0ONCALL", Membership(frozenset({build.DANA}), as_of=ledger.now()))

    def explain(who: str, environment: str = "shop-prod", role: str = "read-only") -> Result:
        return run("explain", "--as", who, environment, role)

    return explain


def test_explain_says_who_could_approve_and_whether_the_person_may_ask(explained):
    answer = explained(build.DANA)
    assert answer.exit_code == 0
    assert "Dana may ask for this" in answer.output
    assert "Needs approval from one of" in answer.output


def test_explain_names_what_is_not_there(explained):
    assert "did you mean" in explained(build.DANA, role="read-onyl").output.lower()
    nobody = explained("nobody@example.com")
    assert (nobody.exit_code, "Nothing is known of nobody@example.com" in nobody.output) == (1, True)


def test_an_untouched_record_is_found_good(ledger):
    record(ledger)
    answer = run("audit", "verify")
    assert (answer.exit_code, answer.output.splitlines()[0]) == (0, "3 entries, 0 faults.")


def test_a_changed_entry_is_found(ledger, redis_client):
    record(ledger, 1)
    tamper(redis_client, ledger.head(), "body", lambda body: body.replace('"n":"0"', '"n":"7"'))
    answer = run("audit", "verify")
    assert answer.exit_code == 1
    assert "was changed" in answer.output


def test_a_removed_entry_is_found(ledger, redis_client):
    record(ledger, 3)
    redis_client.xdel("prodaccess:audit", f"{ledger.head() - 1}-0")
    answer = run("audit", "verify")
    assert answer.exit_code == 1
    assert "missing" in answer.output


def test_changed_words_are_found_and_erased_ones_are_no_fault(ledger, redis_client):
    record(ledger, 2)
    newest = ledger.head()
    redis_client.hset(
        "prodaccess:audit:private", str(newest), json.dumps({"salt": "5" * 32, "private": {"actor": "eve"}})
    )
    redis_client.hdel("prodaccess:audit:private", str(newest - 1))
    answer = run("audit", "verify")
    assert answer.exit_code == 1
    assert answer.output.count("words were changed") == 1


def test_the_record_is_exported_as_json_lines(ledger):
    record(ledger, 2)
    lines = [json.loads(line) for line in run("audit", "export").output.splitlines()]
    assert [(line["subject"], line["words"]["actor"]) for line in lines] == [("PA-1", "dana")] * 2


def test_a_policy_is_put_in_force_by_hand_and_says_what_changed(ledger, tmp_path: Path):
    write(tmp_path)
    first = run("policy", "apply", str(tmp_path), "--commit", "abc123")
    assert first.exit_code == 0, first.output
    assert "is in force now" in first.output
    assert "in force already" in run("policy", "apply", str(tmp_path)).output
    active = ledger.read(keys.ACTIVE_POLICY).get(keys.ACTIVE_POLICY, ActivePolicy)
    assert active is not None
    assert active.commit_sha == "abc123"


def test_an_invalid_folder_is_not_put_in_force(ledger, tmp_path: Path):
    answer = run("policy", "apply", str(tmp_path))
    assert answer.exit_code == 1
    assert ledger.read(keys.ACTIVE_POLICY).get(keys.ACTIVE_POLICY, ActivePolicy) is None


def test_a_hold_is_lifted_and_the_record_names_who_and_why(ledger):
    item = keys.person(build.DANA)
    snapshot = ledger.read(item)
    held = PersonRecord(build.DANA, "Dana", (SlackUser("T1", "UDANA"),), suspended="the account has changed")
    ledger.commit(Change("held", snapshot.now, snapshot.versions(), puts={item: held}))
    answer = run("person", "confirm", "Dana@example.com", "--by", "Ada Admin", "--reason", "she showed her badge")
    assert answer.exit_code == 0, answer.output
    account = keys.account(SlackUser("T1", "UDANA").account)
    record = ledger.read(account).get(account, AccountRecord)
    assert record is not None
    assert (record.person, record.suspended) == (build.DANA, None)
    entry = ledger.entries_of(keys.hold_subject(record.account))[-1]
    assert (entry.facts["by"], entry.private["actor_name"]) == ("command_line", "Ada Admin")
    assert entry.private["reason"] == "she showed her badge"
    assert run("person", "confirm", "Dana@example.com", "--by", "Ada", "--reason", "again").exit_code == 1


def test_nobody_is_confirmed_who_is_not_on_hold(ledger):
    assert run("person", "confirm", "who@example.com", "--by", "Ada", "--reason", "why").exit_code == 1


COMMANDS = {
    "report": (),
    "audit verify": (),
    "audit export": (),
    "policy apply": ("config",),
    "explain": ("shop-prod", "admin", "--as", "dana@example.com"),
    "clock accept": ("--by", "Rosa", "--reason", "right again"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_ledger_it_is_one_sentence(command: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    answer = run(*command.split(), *COMMANDS[command])
    assert (answer.exit_code, answer.output) == (1, "Redis cannot be reached (127.0.0.1:1).\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_needs_redis_says_so_by_its_own_name(command: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("REDIS_URL", raising=False)
    answer = run(*command.split(), *COMMANDS[command])
    assert (answer.exit_code, answer.output) == (2, f"REDIS_URL is not set; {command} needs it.\n")


def test_a_ledger_that_goes_away_meanwhile_is_one_sentence_too(ledger, monkeypatch: pytest.MonkeyPatch):
    def gone(*_: object) -> None:
        raise LedgerUnreachable("Redis cannot be reached (somewhere).")

    monkeypatch.setattr(RedisLedger, "audit_state", gone)
    answer = run("audit", "verify")
    assert (answer.exit_code, answer.output) == (1, "Redis cannot be reached (somewhere).\n")


def test_an_operator_accepts_the_clock_on_the_record(ledger: RedisLedger) -> None:
    assert "nothing to accept" in run("clock", "accept", "--by", "Rosa Ops", "--reason", "NTP is right again").output
    snapshot = ledger.read(keys.CLOCK)
    doubted = LedgerClock(jumps=1, doubt=Doubt(snapshot.now, -3_600_000_000))
    ledger.commit(Change("jump", snapshot.now, snapshot.versions(), puts={keys.CLOCK: doubted}))
    refused = run("clock", "accept", "--by", "Rosa Ops", "--reason", " ")
    assert refused.exit_code == 1
    assert "Say why" in refused.output
    assert (
        "Access is given again." in run("clock", "accept", "--by", "Rosa Ops", "--reason", "NTP is right again").output
    )
    (entry,) = [entry for entry in ledger.entries() if entry.event is Event.CLOCK_ACCEPTED]
    assert entry.private == {"actor_name": "Rosa Ops", "reason": "NTP is right again"}
    found = ledger.read(keys.CLOCK).get(keys.CLOCK, LedgerClock)
    assert found is not None
    assert found.trusted

"""`person erase`, on a real Valkey: what an operator types, and what it leaves there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.cli.audit.bundle.making import Making
from bot.providers import know_providers
from bot.teams.client.forgotten import forget_people
from tests.support import build
from tests.support.build import DANA, GROUPS, NIA, OLU
from tests.support.redis_world import RedisWorld
from tests.support.world import account
from tests.unit.policy_file.policy_folder import write
from workflows.core import keys
from workflows.core.records.policy_in_force import PolicyFiles
from workflows.core.records.words_key import WordsKey
from workflows.ports import Change

SAYS = ("--by", "Rosa Ops", "--reason", "asked for by letter, IT-812")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def erase(who: str = DANA, *more: str) -> Result:
    return run("person", "erase", who, *SAYS, *more)


@pytest.fixture
def redis_bytes(redis_url: str) -> Iterator[redis.Redis]:
    """As the product has it."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


@pytest.fixture
def world(redis_bytes: redis.Redis, redis_url: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisWorld]:
    know_providers()
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("PRODACCESS_CONFIG", str(write(tmp_path / "config")))
    made = RedisWorld(redis_bytes)
    made.look()
    made.activate()
    made.chat.people[account(DANA)] = build.facts(DANA, name="Dana Dev")
    denied = made.asked(DANA)
    made.deny(denied, OLU, "use staging, Dana Dev")
    made.deny(made.asked(NIA, reason="for <@UDANA>"), OLU)
    groups = {
        name: replace(made.policy.policy.groups[name], members=people - {DANA}) for name, people in GROUPS.items()
    }
    made.policy.policy = replace(made.policy.policy, groups=groups)
    return made


def everything(client: redis.Redis) -> str:
    found = []
    for key in client.scan_iter("prodaccess:*"):
        kind = client.type(key)
        value = {
            b"string": lambda k: client.get(k),
            b"hash": lambda k: client.hgetall(k),
            b"zset": lambda k: client.zrange(k, 0, -1),
            b"list": lambda k: client.lrange(k, 0, -1),
        }.get(kind, lambda _k: b"")(key)
        # Answers to what was pressed are kept for a day, with the account in their names.
        if not key.startswith(b"prodaccess:commit:"):
            found.append(f"{key!r} {value!r}")
    return "\n".join(found).lower()


def test_nothing_in_redis_says_who_it_was(world: RedisWorld, tmp_path: Path) -> None:
    key = keys.words_key(DANA)
    now = world.ledger.now()
    world.ledger.commit(Change("key", now, {key: 0}, puts={key: WordsKey(DANA, "ab" * 32, now)}))
    before = everything(world.client)
    assert all(telling in before for telling in ("dana", "udana", "use staging"))
    looked = erase(DANA, "--dry-run")
    assert (looked.exit_code, "Nothing was changed (--dry-run)." in looked.output) == (0, True), looked.output
    assert everything(world.client) == before
    done = erase()
    assert done.exit_code == 0, done.output
    assert "Erased:" in done.output
    assert "messages that were written in Slack or Teams: delete them there" in done.output
    left = [line for line in everything(world.client).splitlines() if "dana" in line.replace(f"id-of-{DANA}", "")]
    assert left == []
    verified = run("audit", "verify")
    assert (verified.exit_code, " 0 faults. The words of " in verified.output) == (0, True), verified.output
    shown = run("show", "PA-1")
    assert (shown.exit_code, "erased person" in shown.output) == (0, True), shown.output
    for words in (("report", "--since", "1d"), ("audit", "export"), ("list",), ("status",)):
        answer = run(*words)
        assert "dana" not in answer.output.lower().replace(f"id-of-{DANA}", ""), answer.output
        assert answer.exception is None or isinstance(answer.exception, SystemExit), words
    bundled = run(
        "audit",
        "bundle",
        # Days are those of the policy's zone, where it may be tomorrow already.
        "--from",
        f"{world.ledger.now():%Y-%m-%d}",
        "--until",
        f"{world.ledger.now() + timedelta(days=1):%Y-%m-%d}",
        str(tmp_path / "evidence"),
    )
    assert bundled.exit_code == 0, bundled.output
    assert "erased person" in (tmp_path / "evidence" / "requests.csv").read_text()
    offline = subprocess.run(
        [sys.executable, str(tmp_path / "evidence" / "verify.py")], capture_output=True, text=True, check=False
    )
    assert (offline.returncode, " 0 faults. The words of " in offline.stdout) == (0, True), offline.stdout
    again = erase()
    assert (again.exit_code, "was erased on" in again.output) == (0, True), again.output


def test_what_keeps_somebody_is_said_with_what_to_do(world: RedisWorld) -> None:
    now = world.ledger.now()
    files = PolicyFiles("f" * 64, {"config/people.yaml": "platform:\n  - dana@example.com\n"})
    world.ledger.commit(Change("files", now, {keys.POLICY_FILES: 0}, puts={keys.POLICY_FILES: files}))
    answer = erase()
    assert answer.exit_code == 1
    assert "They cannot be erased yet." in answer.output
    assert "The policy names them: config/people.yaml:2. Take them out" in answer.output
    nobody = erase("who@example.com")
    assert (nobody.exit_code, "The record knows nobody called who@example.com" in nobody.output) == (1, True)
    assert run("person", "erase", DANA).exit_code == 2


def test_where_somebody_is_written_to_in_teams_is_forgotten(redis_bytes: redis.Redis) -> None:
    at = {"id": "a:1", "person": "u1", "service_url": "https://x", "kind": "personal"}
    kept = {
        "conversation:person:u1": json.dumps(at),
        "conversation:person-in:u1": json.dumps({"id": "19:team", "person": ""}),
        "conversation:a:1": json.dumps(at),
        "person-at:29:abc": "u1",
    }
    others = {"conversation:19:team": "{}", "person-at:29:xyz": "u2", "conversation:person:u2": "{}"}
    for name, body in {**kept, **others}.items():
        redis_bytes.set(f"prodaccess:teams:{name}", body)
    forget_people(redis_bytes, ["u1"])
    left = {name.decode() for name in redis_bytes.scan_iter("prodaccess:teams:*")}
    assert left == {f"prodaccess:teams:{name}" for name in others}


def test_a_bundle_is_not_made_while_somebody_is_erased(
    world: RedisWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would have names in one table that the next has not, and no entry that says why."""
    made = Making._log

    def log(self: Making, *given: Any) -> Any:
        assert erase().exit_code == 0
        return made(self, *given)

    monkeypatch.setattr(Making, "_log", log)
    day = f"{world.ledger.now():%Y-%m-%d}"
    answer = run("audit", "bundle", "--from", day, "--until", day, str(tmp_path / "evidence"))
    assert (answer.exit_code, "Somebody was erased while this was made" in answer.output) == (1, True), answer.output
    assert not (tmp_path / "evidence").exists()

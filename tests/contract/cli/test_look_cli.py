"""`prodaccess list`, `show` and `status`, on a real ledger."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.runtime.heartbeat import Heartbeats
from tests.support.build import DANA, HOUR
from tests.support.held import held
from tests.unit.policy_file.policy_folder import write
from workflows.core import keys
from workflows.core.records.grant import Grant, GrantState
from workflows.ledger.redis_ledger import RedisLedger
from workflows.ports import Change, Committed, IndexEntry
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import own_terms

DAY = timedelta(days=1)


@pytest.fixture
def ledger(redis_client: redis.Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RedisLedger:
    write(tmp_path)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("PRODACCESS_CONFIG", str(tmp_path))
    return RedisLedger(redis_client, durability="verify", monotonic=lambda: 0.0)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def live(ledger: RedisLedger, left: timedelta) -> None:
    """PA-1 of Dana, active, which ends in so long a time."""
    held(ledger, 1, DAY)
    request, grant = keys.request("PA-1"), keys.grant("PA-1")
    snapshot = ledger.read(request, grant)
    was = snapshot.get(grant, Grant)
    changed = replace(was, state=GrantState.ACTIVE, end=None, closed_at=None, deadline=snapshot.now + left)
    change = Change(
        "live",
        snapshot.now,
        snapshot.versions(),
        puts={grant: changed},
        index=(
            IndexEntry(keys.LIVE, "PA-1", changed.deadline.timestamp()),
            IndexEntry(keys.of_environment(keys.LIVE, "shop-prod"), "PA-1", changed.deadline.timestamp()),
        ),
    )
    assert isinstance(ledger.commit(change), Committed)


def ended(ledger: RedisLedger, closed_ago: timedelta, kind: AwsKind = AwsKind.IDENTITY_CENTER) -> None:
    """PA-1 of Dana, which was over so long ago; its sessions live for an hour."""
    held(ledger, 1, DAY)
    key = keys.grant("PA-1")
    snapshot = ledger.read(key)
    was = snapshot.get(key, Grant)
    assert was is not None
    target = replace(own_terms(was.terms.target), kind=kind)
    terms, resource = replace(was.terms, target=target), replace(was.resource, target=target, session_s=3600)
    changed = replace(was, terms=terms, resource=resource, closed_at=snapshot.now - closed_ago)
    change = Change("ended", snapshot.now, snapshot.versions(), puts={key: changed})
    assert isinstance(ledger.commit(change), Committed)


def test_what_ends_open_sessions_is_printed_with_whom_to_ask(ledger: RedisLedger) -> None:
    ended(ledger, timedelta(minutes=5))
    found = run("sessions", "pa-1")
    assert found.exit_code == 0
    (statement,) = json.loads(found.stdout)["Statement"]
    assert statement["Effect"] == "Deny"
    assert set(statement["Condition"]["DateLessThan"]) == {"aws:TokenIssueTime"}
    said = " ".join(found.stderr.split())
    assert "whoever manages your AWS organisation" in said
    assert "Tell security, who press the panic switch." in said
    assert "It denies what Dana opened before" in said


@pytest.mark.parametrize(
    ("ago", "kind", "sentence"),
    [
        (
            timedelta(hours=2),
            AwsKind.IDENTITY_CENTER,
            "No session of PA-1 can be open any more: the last one was over by",
        ),
        (timedelta(minutes=5), AwsKind.IAM_GROUP, "Sessions of aws-iam-group end with the access"),
    ],
)
def test_where_no_session_can_be_open_that_is_said(
    ledger: RedisLedger, ago: timedelta, kind: AwsKind, sentence: str
) -> None:
    ended(ledger, ago, kind)
    found = run("sessions", "PA-1")
    assert (found.exit_code, found.stdout) == (1, "")
    assert sentence in found.stderr


def test_what_has_not_ended_has_to_end_first(ledger: RedisLedger) -> None:
    live(ledger, timedelta(hours=1))
    assert "PA-1 has not ended" in run("sessions", "PA-1").stderr
    assert "There is no request PA-7." in run("sessions", "PA-7").stderr


def test_list_tells_who_has_access_now(ledger: RedisLedger):
    assert "Nobody has access just now." in run("list").output
    live(ledger, HOUR)
    done = run("list")
    assert (done.exit_code, "Dana · read-only" in done.output) == (0, True), done.output
    found = json.loads(run("list", "shop-prod", "--json").output)
    assert [(one["id"], one["holder"]["id"], one["state"]) for one in found["active"]] == [("PA-1", DANA, "active")]
    assert run("list", "shop-prd").exit_code == 1
    assert "Nothing waits for an answer." in run("list", "--pending").output


def test_show_tells_all_of_one_request(ledger: RedisLedger):
    held(ledger, 7, DAY)
    done = run("show", "pa-7")
    assert (done.exit_code, "Dana had read-only" in done.output) == (0, True), done.output
    found = json.loads(run("show", "PA-7", "--json").output)
    assert (found["approval"], found["duration_s"], found["entries"]) == ("approved by Olu", 3600, [])
    assert found["activity_query"]["log"] == "CloudTrail"
    nothing = run("show", "PA-8")
    assert (nothing.exit_code, nothing.output) == (1, "There is no request PA-8.\n")


def test_show_carries_the_question_what_was_done_with_it(ledger: RedisLedger):
    ended(ledger, timedelta(minutes=5))
    told = " ".join(run("show", "PA-1").output.split())
    assert "What was done with it is in CloudTrail: sessions of the permission set ReadOnlyAccess" in told
    assert "its absence was read back at" in told
    assert "a session that is open then lasts 60 min at most" in told
    assert "For the AWS CLI in eu-central-1: aws cloudtrail lookup-events --region eu-central-1" in told
    assert "For Athena: SELECT eventtime," in told
    assert told.endswith("It tells management events; data events are not in it.")
    found = json.loads(run("show", "PA-1", "--json").output)["activity_query"]
    tools = ["the AWS CLI in eu-central-1", "the AWS CLI in us-east-1", "Athena", "CloudTrail Lake"]
    assert [one["tool"] for one in found["queries"]] == tools
    # The hour that a session may last is in it.
    assert timedelta(hours=1) < datetime.fromisoformat(found["until"]) - datetime.fromisoformat(found["from"])


def test_status_is_0_only_where_nothing_needs_a_hand(ledger: RedisLedger, redis_client: redis.Redis, tmp_path: Path):
    done = run("status")
    assert done.exit_code == 1
    for said in (
        "- no worker is running",
        "- no policy is active yet",
        "Running   nothing; not running: web, worker, clock",
    ):
        assert said in done.output
    run("policy", "apply", str(tmp_path))
    for kind in ("web", "worker", "clock"):
        Heartbeats(redis_client).beat(kind)
    live(ledger, HOUR)
    good = run("status", "--json")
    found = json.loads(good.output)
    assert (good.exit_code, found["ready"], found["active"], found["overdue"]) == (0, True, 1, 0), found
    redis_client.zadd("prodaccess:index:live", {"PA-1": ledger.now().timestamp() - 90})
    late = run("status")
    assert (late.exit_code, "1 past their end" in late.output) == (1, True), late.output

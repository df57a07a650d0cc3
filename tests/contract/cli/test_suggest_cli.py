"""`prodaccess report --suggest`, on a real ledger: the change is applied by git and accepted by check."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner, Result

from bot.__main__ import app
from tests.support import build
from tests.support.build import DANA, NIA, OLU, PAT, SUE
from tests.support.gates import pipeline_run
from tests.support.held import held, said
from tests.unit.policy_file.policy_folder import SHOP, write
from workflows.core import keys
from workflows.core.audit import AuditEvent, Event
from workflows.core.gates.ask import GateAsk
from workflows.core.people import Membership, PersonId
from workflows.core.records.request import Closing, RequestState
from workflows.core.records.retained import Retained
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_ledger import RedisLedger
from workflows.policy_file import read_policy
from workflows.ports import Change, Committed, IndexEntry

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
DEVS = (
    "prodaccess.yaml",
    "devs: {identity_center_group: developers}",
    "devs: {members: [dana@example.com, nia@example.com]}",
)
PEOPLE = ((DANA, "Dana"), (NIA, "Nia"))
OWNERS = ((OLU, "Olu"), (PAT, "Pat"))


@pytest.fixture
def ledger(redis_client: redis.Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RedisLedger:
    """With the policy folder at hand, and a record that began a hundred days ago."""
    write(tmp_path / "config", DEVS)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("PRODACCESS_CONFIG", str(tmp_path / "config"))
    found = RedisLedger(redis_client, durability="verify", monotonic=lambda: 0.0)
    said(redis_client, "first", Event.POLICY_ACTIVATED, found.now() - 100 * DAY)
    return found


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["report", "--suggest", *words])


def asked(
    ledger: RedisLedger, times: int = 24, first: int = 1, owners: tuple[tuple[PersonId, str], ...] = OWNERS
) -> None:
    """By two, answered by two, each after three minutes, on as many days."""
    for number in range(first, first + times):
        who, name = PEOPLE[number % 2]
        by = owners[number // 2 % len(owners)]
        held(ledger, number, (number + 2) * DAY, who, name, by=by, after=3 * MINUTE)


def noted(ledger: RedisLedger, event: Event, subject: str, **facts: str) -> None:
    now, name = ledger.now(), f"{ledger.head() + 1:032x}"
    entry = AuditEvent(event, subject, now, name, name, facts)
    assert isinstance(ledger.commit(Change(f"noted-{name}", now, {}, audit=(entry,))), Committed)


def told(*words: str) -> Mapping[str, object]:
    return json.loads(run("--json", *words).stdout)


def test_it_proposes_a_change_that_git_applies_and_check_accepts(ledger: RedisLedger, tmp_path: Path):
    asked(ledger)
    answer = run()
    assert answer.exit_code == 0, answer.output
    assert "  - read-only in shop-prod: a rule could approve it for devs (2 of 2 members asked).\n" in answer.output
    assert "    24 of 24 asks by 2 people on 24 days were approved, in 3 min at the median" in answer.output
    assert "state-write in shop-prod: nobody asked for it or had it in 90 days: take the role out" in answer.output
    assert "rule '24 of 24 approved until " in answer.output
    assert "Who must press: nobody in chat: the policy has no policy_changes." in answer.output
    folder = tmp_path / "config"
    # All of what is printed, and the diff alone, say the same to git.
    subprocess.run(["git", "apply", "--check", "-"], cwd=folder, check=True, input=answer.stdout.encode())
    subprocess.run(["git", "apply", "-"], cwd=folder, check=True, input=run("--diff").stdout.encode())
    checked = CliRunner().invoke(app, ["check", str(folder)])
    assert checked.exit_code == 0, checked.output
    policy = read_policy(folder).policy
    assert policy is not None
    (role,) = policy.environments["shop-prod"].roles.values()
    assert [rule.who for rule in role.auto_approve] == [("devs",)]
    assert folder.joinpath(SHOP).read_text().startswith("environment: shop-prod\ntitle: Shop\n")


def test_json_has_the_numbers_the_diff_and_who_must_press(ledger: RedisLedger, tmp_path: Path):
    write(tmp_path / "config", DEVS, ("prodaccess.yaml", "panic_group: security", PRESSED))
    asked(ledger)
    found = told()
    rule, role = found["proposed"]
    assert (rule["kind"], rule["numbers"]["asks"], rule["numbers"]["median_s"], rule["crowds"]) == (
        "auto_approve", 24, 180.0, [{"group": "devs", "asked": 2, "members": 2}],
    )  # fmt: skip
    assert (role["kind"], role["role"], role["days"]) == ("role_unused", "state-write", 90)
    change = found["change_of_the_policy"]
    assert (change["must_agree"], change["diff"][0]) == ({"security": 1}, f"--- a/{SHOP}")
    assert change["who_must_press"].startswith("1 of security, in chat")
    assert any("approves by itself" in line for line in change["looser_in_production"])


PRESSED = "panic_group: security\npolicy_changes: {approve: {security: 1}}"


def test_one_approver_is_a_finding_and_nothing_is_proposed(ledger: RedisLedger):
    asked(ledger, owners=(OWNERS[0],))
    found = told("--since", "89d")
    assert found["proposed"] == []
    assert [one["kind"] for one in found["findings"]] == ["one_approver", "answers_alone"]
    assert found["not_proposed"][0]["because"] == ["one_approver"]
    alone = run("--since", "89d", "--diff")
    assert (alone.exit_code, alone.stdout, "Nothing is proposed." in alone.stderr) == (0, "", True)
    assert "rubber-stamping? Olu gave 24 of 24 answers" in run().output
    assert "not enough record" in found["not_enough_record"]


@pytest.mark.parametrize(
    ("event", "facts", "because"),
    [
        (Event.DRIFT_FOUND, {"kind": "standing", "roles": "shop-prod state-write\nshop-prod read-only"}, "drift"),
        (Event.REQUEST_REFUSED, {"code": "own_request"}, "refused"),
        (Event.REVIEW_FLAGGED, {}, "flagged"),
        (Event.VOTE_UNPROVED, {}, "unproved"),
    ],
)
def test_what_the_log_tells_speaks_against_it(ledger: RedisLedger, event: Event, facts: dict[str, str], because: str):
    asked(ledger)
    noted(ledger, Event.REQUEST_REFUSED, "PA-3", code="decided")
    noted(ledger, Event.DRIFT_FOUND, "drift-1", kind="missing", roles="shop-prod read-only")
    assert [one["kind"] for one in told()["proposed"]] == ["auto_approve", "role_unused"]
    noted(ledger, event, "PA-3", **facts)
    assert told()["not_proposed"][0]["because"] == [because]


def test_a_card_that_went_out_later_counts_from_then(ledger: RedisLedger, redis_client: redis.Redis):
    """Three minutes after the ask, and five seconds after the card: that is no reading."""
    for number in range(1, 25):
        said(
            redis_client,
            f"PA-{number}",
            Event.REQUEST_RESOLVED,
            ledger.now() - (number + 2) * DAY + 2 * MINUTE + 55 * MINUTE / 60,
        )
    asked(ledger)
    assert told()["not_proposed"][0]["because"] == ["quick"]


def test_what_cannot_be_read_is_said_and_nothing_is_proposed(ledger: RedisLedger, redis_client: redis.Redis):
    asked(ledger, owners=(*OWNERS, (SUE, "Sue")))
    noted(ledger, Event.REQUEST_MADE, "PA-4", environment="shop-prod", role="state-write")
    redis_client.set("prodaccess:record:request:PA-4", "1:{")
    answer = run()
    assert (answer.exit_code, "1 cannot be read: PA-4" in answer.output) == (1, True), answer.output
    assert [one["kind"] for one in told()["proposed"]] == ["auto_approve"], "of the other role it says nothing"
    redis_client.set("prodaccess:record:request:PA-5", "1:{")
    assert told()["proposed"] == []


def test_an_entry_that_is_gone_may_have_been_the_one_that_speaks_against_it(
    ledger: RedisLedger, redis_client: redis.Redis
):
    asked(ledger)
    for _ in range(2):
        noted(ledger, Event.REQUEST_REFUSED, "PA-3", code="decided")
    redis_client.xdel("prodaccess:audit", "2-0")
    found = told()
    assert (found["proposed"], found["not_proposed"][0]["because"]) == ([], ["unread"])
    assert any(line.startswith("1 entry of the audit log") for line in found["not_read"])


def test_what_pipelines_asked_for_counts_nowhere(ledger: RedisLedger):
    asked(ledger)
    request = build.request(
        "PA-99",
        state=RequestState.DENIED,
        gate=GateAsk("deploy", pipeline_run(), "", ""),
        created_at=ledger.now() - DAY,
    )
    terms = replace(request.terms, environment="shop-prod")
    change = Change(
        "gate",
        ledger.now(),
        {keys.request("PA-99"): 0},
        puts={keys.request("PA-99"): replace(request, terms=terms, closing=Closing(ledger.now(), OLU, "Olu"))},
        index=(IndexEntry(keys.RECENT, "PA-99", request.created_at.timestamp()),),
    )
    assert isinstance(ledger.commit(change), Committed)
    assert [one["kind"] for one in told()["proposed"]] == ["auto_approve", "role_unused"]


def test_a_role_that_came_lately_is_not_called_unused(ledger: RedisLedger):
    asked(ledger)
    now, name = ledger.now(), "e" * 32
    lines = {"difference": "role shop-prod state-write added"}
    entry = AuditEvent(Event.POLICY_ACTIVATED, "policy-2", now, name, name, {"before": "0" * 64}, lines)
    ledger.commit(Change("policy-2", now, {}, audit=(entry,)))
    assert [one["kind"] for one in told()["proposed"]] == ["auto_approve"]


def test_a_change_of_which_no_words_are_there_may_have_brought_it(ledger: RedisLedger):
    noted(ledger, Event.POLICY_ACTIVATED, "policy-2", before="0" * 64)
    found = told()
    assert (found["proposed"], [line for line in found["not_read"] if "is not known whole" in line] != []) == ([], True)


def test_without_the_archive_what_is_older_counts_nowhere_and_it_is_said(ledger: RedisLedger):
    asked(ledger)
    now = ledger.now()
    left = Retained(1, requests=7, before=now - 40 * DAY)
    ledger.commit(Change("left", now, {keys.RETAINED: 0}, puts={keys.RETAINED: left}))
    found = told()
    assert found["days"] == 40
    assert "is in the archive, which this command cannot read here" in found["not_read"][0]
    assert [one["kind"] for one in found["proposed"]] == ["auto_approve"]


def test_after_a_record_was_put_back_nothing_of_before_counts(ledger: RedisLedger):
    asked(ledger)
    noted(ledger, Event.LEDGER_REBUILT, "ledger")
    found = told()
    assert (found["proposed"], found["days"], found["too_few_asks"]) == ([], 1, 0)
    assert found["not_read"][0].startswith("the record is whole from ")


def test_a_young_record_says_that_it_is_not_enough(ledger: RedisLedger, redis_client: redis.Redis):
    redis_client.flushdb()
    said(redis_client, "first", Event.POLICY_ACTIVATED, ledger.now() - 3 * DAY)
    answer = run()
    assert (answer.exit_code, "Nothing." in answer.output) == (0, True)
    assert "not enough record: a rule takes 30 days, and whether a role is used takes 90 days" in answer.output


def test_one_environment_alone(ledger: RedisLedger):
    asked(ledger)
    assert len(told("--env", "shop-prod")["proposed"]) == 2
    nothing = run("--env", "shop-prd")
    assert (nothing.exit_code, "no environment 'shop-prd'" in nothing.output) == (1, True)


@pytest.mark.parametrize(
    "words", [("--html", "x.html"), ("--format", "csv"), ("--rows", "grants"), ("--diff", "--json")]
)
def test_other_forms_are_no_forms_of_it(ledger: RedisLedger, words: tuple[str, ...]):
    answer = run(*words)
    assert (answer.exit_code, "leave the other forms out" in answer.output) == (2, True)


def test_diff_alone_is_of_suggestions():
    answer = CliRunner().invoke(app, ["report", "--diff"])
    assert (answer.exit_code, "add --suggest" in answer.output) == (2, True)


def test_a_group_that_was_read_long_ago_is_told_with_its_day(ledger: RedisLedger, redis_client: redis.Redis):
    now = ledger.now()
    seen = Membership(frozenset(), now - 3 * DAY)
    RedisDirectory(redis_client).put_members("slack:S0ONCALL", seen)
    assert any(line.startswith("who is in oncall is as it was read last, ") for line in told()["not_read"])

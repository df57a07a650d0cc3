"""A pipeline waits for an owner, on running processes: who pushed is refused, the other one lets it on in either chat, once."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.sandbox.slack import words as slack_words
from tests.support import github
from tests.support.gate_case import asked, taken_again
from tests.support.installation import GIVING, PEOPLE, Case, Installation
from tests.support.issuer import BEARER
from tests.support.two_chats import everywhere
from tests.support.waiting import PATIENCE_S, eventually
from workflows.core import keys
from workflows.core.records.grant import Grant
from workflows.core.records.request import Request
from workflows.core.refusal import Code

pytestmark = pytest.mark.teams
# As the policy's `people` has them.
DANA, OLU = "1001", "1002"


@pytest.fixture
def case(both: Installation) -> Case:
    return both.case()


@contextmanager
def job(case: Case, pushed_by: str, change: str = "Faster checkout", *more: str) -> Iterator[subprocess.Popen[str]]:
    """`prodaccess gate` in a job of a run of its own, which that account at the forge began."""
    at = case.at
    assert at.forge is not None
    number = str(secrets.randbelow(10**9) + 1)
    at.forge.claims = {"actor": f"id-{pushed_by}", "actor_id": pushed_by, "run_id": number, "check_run_id": number}
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "PRODACCESS_URL": f"http://127.0.0.1:{at.port}",
        "ACTIONS_ID_TOKEN_REQUEST_URL": at.forge.request_url,
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
    }
    command = [sys.executable, "-m", "bot", "gate", case.name, "--change", change, *more]
    running = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def over(running: subprocess.Popen[str]) -> tuple[int, str]:
    out, error = running.communicate(timeout=PATIENCE_S)
    return running.returncode, out + error


def test_who_pushed_is_refused_in_both_chats_and_the_other_owner_lets_it_on_in_teams(case: Case) -> None:
    at, shop = case.at, case.in_teams
    with job(case, OLU) as running:
        id_ = asked(case)
        card = case.card(id_, "wants to deploy", "Needs approval")
        there = shop.card(id_, "Needs approval")
        assert "started and pushed by Olu" in slack_words(card)
        assert case.press("olu", card, "approve").ok
        case.whispered("olu", "You began this run yourself")
        at.teams.refused("olu", there, "Approve", "You began this run yourself")
        assert running.poll() is None, "it waits"
        assert at.teams.press("pat", there, "Approve").said
        status, said = over(running)
    assert status == 0, said
    assert f"{id_} was approved by Pat" in said
    assert taken_again(case, id_).code is Code.GATE_USED
    everywhere(case, id_, "Gone on", "approved by Pat")
    told = [event for event in at.events(id_) if event.startswith("gate.")]
    assert told[:3] == ["gate.asked", "gate.approved", "gate.redeemed"]
    assert at.ledger().read(keys.grant(id_)).items[keys.grant(id_)].is_absent


def test_an_owner_lets_one_on_in_slack_and_stops_the_next_in_teams_with_a_reason(case: Case) -> None:
    with job(case, DANA) as running:
        first = asked(case)
        case.approve(case.card(first, "Needs approval"))
        assert over(running)[0] == 0
    everywhere(case, first, "Gone on", "approved by Olu")
    with job(case, DANA, "Another change") as running:
        second = asked(case)
        assert case.at.teams.press("pat", case.in_teams.card(second), "Deny", {"reason": "not today"}).said
        status, said = over(running)
    assert (status, "not today" in said) == (3, True), said
    everywhere(case, second, "Denied by Pat: not today")
    record = case.at.ledger().read(keys.request(second)).get(keys.request(second), Request)
    assert record is not None
    assert record.reason == "Another change"
    assert taken_again(case, second).code is Code.GATE_OVER


def on_the_role(case: Case) -> set[str]:
    return set(case.at.aws.world.iam_role_policies("shop-deploy"))


def test_the_pipelines_role_has_its_permission_from_the_approval_until_the_job_is_done(
    both: Installation, tmp_path: Path
) -> None:
    case, kept = Case(both, GIVING), tmp_path / "gate.json"
    with job(case, DANA, "Release 42", "--gate", "release", "--keep", str(kept)) as running:
        id_ = asked(case)
        assert f"prodaccess-{id_}" not in on_the_role(case), "nothing before the approval"
        case.approve(case.card(id_, "Needs approval", "on the IAM role shop-deploy"))
        status, said = over(running)
    assert status == 0, said
    assert f"inline policy prodaccess-{id_} on the IAM role shop-deploy" in said
    found = both.aws.world.iam_role_policies("shop-deploy")[f"prodaccess-{id_}"]
    grant = both.ledger().read(keys.grant(id_)).get(keys.grant(id_), Grant)
    assert grant is not None
    assert found.ends_at == grant.deadline.replace(microsecond=0), "it ends by itself, whatever becomes of us"
    everywhere(case, id_, "Active until", "approved by Olu")
    done = subprocess.run(
        [sys.executable, "-m", "bot", "gate-done", str(kept)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    eventually(lambda: f"prodaccess-{id_}" not in on_the_role(case), "it is taken away")
    everywhere(case, id_, "Ended", "given back by acme/orders", "removal verified")
    assert taken_again(case, id_).code is Code.GATE_USED


def test_who_is_on_call_opens_a_gate_in_an_emergency_and_an_owner_who_had_no_part_in_it_reviews_that(
    both: Installation, tmp_path: Path
) -> None:
    case, kept = Case(both, GIVING), tmp_path / "gate.json"
    shop = case.in_teams
    with job(case, OLU, "Checkout again", "--gate", "release", "--keep", str(kept)) as running:
        id_ = asked(case)
        card = case.card(id_, "Needs approval")
        case.press("pat", card, "gate_glass")
        case.whispered("pat", "only members of oncall can use break-glass")
        assert case.press("nia", card, "gate_glass").ok
        form = eventually(both.slack.person(PEOPLE["nia"]).view, "the form")
        assert form is not None
        form.fill("reason", "checkout is down")
        assert form.submit().ok
        status, said = over(running)
    assert status == 0, said
    assert f"{id_} was approved by Nia, in an emergency" in said
    assert f"prodaccess-{id_}" in on_the_role(case)
    everywhere(case, id_, "Break-glass", "Active until", "pened in an emergency by Nia", "checkout is down")
    told = [event for event in both.events(id_) if event.startswith(("gate.", "grant."))]
    assert told[:4] == ["gate.asked", "gate.broken", "gate.redeemed", "grant.active"]
    # Olu pushed it, and Nia opened it.
    for who in ("olu", "nia"):
        assert "so somebody else has to review it" in both.told(who, f"acknowledge {id_}")
    assert both.teams.press("pat", shop.card(id_), "Acknowledge", {"reason": "well done"}).said
    case.card("acknowledged by Pat: well done", id_)
    done = subprocess.run(
        [sys.executable, "-m", "bot", "gate-done", str(kept)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    eventually(lambda: f"prodaccess-{id_}" not in on_the_role(case), "it is taken away")
    assert taken_again(case, id_).code is Code.GATE_USED


def test_what_a_pipelines_role_has_is_taken_away_when_its_time_is_over(both: Installation) -> None:
    case = Case(both, GIVING)
    with job(case, DANA, "Release 43", "--gate", "quick") as running:
        id_ = asked(case)
        case.approve(case.card(id_, "Needs approval"))
        status, said = over(running)
    assert status == 0, said
    eventually(lambda: f"prodaccess-{id_}" not in on_the_role(case), "its time is over")
    everywhere(case, id_, "Ended", "removal verified")
    assert [event for event in both.events(id_) if event.startswith(("gate.", "grant."))][:4] == [
        "gate.asked",
        "gate.approved",
        "gate.redeemed",
        "grant.active",
    ]


# ---------------------------------------------------------------- held back by GitHub itself


def github_says(case: Case, run: github.Run) -> int:
    """GitHub delivers that a deployment of this run waits. What it was answered."""
    body = github.written(there(case).message(run, case.name))
    request = urllib.request.Request(
        f"http://127.0.0.1:{case.at.port}/github/events", body, github.heads(body), method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code


def there(case: Case) -> github.GitHub:
    found = getattr(case.at, "there", None)
    assert isinstance(found, github.GitHub)
    return found


def reviews(case: Case) -> list[tuple[str, str]]:
    return [(state, comment) for _, name, state, comment in there(case).reviews if name == case.name]


def test_github_holds_a_run_back_until_an_owner_who_did_not_push_agrees_in_slack(case: Case) -> None:
    at, shop = case.at, case.in_teams
    run = there(case).waits(case.name, actor=github.OLU)
    assert [github_says(case, run) for _ in range(2)] == [202, 204], "each message once"
    id_ = asked(case)
    card = case.card(id_, "wants to deploy", "Needs approval")
    assert case.press("olu", card, "approve").ok
    case.whispered("olu", "You began this run yourself")
    at.teams.refused("olu", shop.card(id_, "Needs approval"), "Approve", "You began this run yourself")
    assert reviews(case) == []
    assert case.press("pat", card, "approve").ok
    eventually(lambda: reviews(case), "GitHub was told")
    everywhere(case, id_, "Gone on", "approved by Pat")
    assert reviews(case) == [("approved", f"Approved ({id_}).")]
    assert at.events(id_)[-1] == "gate.let_on"
    assert taken_again(case, id_).code is Code.GATE_USED
    assert run.status == "in_progress"


def test_an_owner_stops_in_teams_what_github_holds_back(case: Case) -> None:
    run = there(case).waits(case.name)
    assert github_says(case, run) == 202
    id_ = asked(case)
    assert case.at.teams.press("pat", case.in_teams.card(id_), "Deny", {"reason": "not today"}).said
    eventually(lambda: reviews(case), "GitHub was told")
    assert reviews(case) == [("rejected", f"Denied by Pat ({id_}): not today")]
    everywhere(case, id_, "Denied by Pat: not today")

"""Processes that are killed: access is as the record says within seconds of their return."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.sandbox.aws.operations import Plan
from tests.chaos.rig import CALLS, Rig, id_of
from tests.support.installation import ROOT, SHORT, SHORT_S

KINDS = pytest.mark.parametrize(
    ("role", "plan"),
    [
        pytest.param("read-only", Plan(), id="identity-center"),
        pytest.param("read-only", Plan(delay_s=0.5), id="identity-center-in-progress"),
        pytest.param("state-write", Plan(), id="iam-policy"),
    ],
)


@KINDS
def test_access_is_given_once_when_the_worker_dies_between_the_call_and_its_record(
    rig: Rig, role: str, plan: Plan
) -> None:
    case = rig.case()
    card = case.asked(role=role)
    rig.aws.proxy.operations.default = plan
    held = rig.hold(CALLS[role][0], effect="before")
    case.approve(card)
    held.wait_held()
    rig.kill("worker")
    held.release()
    rig.relaunch()
    rig.until(lambda: "Active" in case.cards()[0].text, "active")
    assert rig.has(case, role)
    assert "Active" in rig.one_card(case).text
    rig.assert_once(id_of(card), "request.approved", "grant.active")


@KINDS
def test_access_ends_once_when_the_worker_dies_between_the_removal_and_its_record(
    rig: Rig, role: str, plan: Plan
) -> None:
    case = rig.case()
    card = case.active(role=role)
    rig.aws.proxy.operations.default = plan
    held = rig.hold(CALLS[role][1], effect="before")
    rig.end(id_of(card))
    held.wait_held()
    rig.kill("worker")
    held.release()
    rig.relaunch()
    rig.until(lambda: "Revoked" in case.cards()[0].text, "revoked")
    assert rig.gone(case, role)
    rig.one_card(case)
    rig.assert_once(id_of(card), "grant.active", "grant.end_started", "grant.revoked")


def test_access_ends_when_everything_was_dead_at_its_deadline(rig: Rig) -> None:
    pairs = [(rig.case(), role) for role in ("read-only", "state-write")]
    cards = [case.asked(role=role, rest=SHORT) for case, role in pairs]
    for (case, _), card in zip(pairs, cards, strict=True):
        case.approve(card)
    rig.until(lambda: all(rig.events(id_of(card))["grant.active"] for card in cards), "both are active")
    rig.kill()
    died_at = time.monotonic()
    rig.until(lambda: time.monotonic() - died_at > SHORT_S + 0.2, "the deadline has passed")
    assert all(rig.has(case, role) for case, role in pairs), "nobody was there to take it away"
    # The policy allows nothing any more by its own condition, although it still stands there.
    (policy,) = rig.aws.world.iam_policies("dana").values()
    assert policy.ends_at is not None
    assert policy.ends_at <= rig.ledger_now()
    for name in ("web", "clock"):
        rig.launch(name)
    rig.relaunch()
    rig.until(lambda: all(rig.gone(case, role) for case, role in pairs), "the access is gone")
    rig.until(lambda: all("Ended" in case.cards()[0].text for case, _ in pairs), "it is said")
    for (case, _), card in zip(pairs, cards, strict=True):
        rig.assert_once(id_of(card), "grant.active", "grant.end_started", "grant.ended")
        rig.one_card(case)


def test_a_killed_worker_is_brought_back_by_the_supervisor_and_access_ends(rig: Rig, tmp_path: Path) -> None:
    rig.stop()
    log = tmp_path / "up.log"
    environ = {**rig.environment("worker"), **rig.environment("web"), **rig.aws.environment()}
    with log.open("wb") as out:
        up = subprocess.Popen([sys.executable, "-m", "bot", "up"], cwd=ROOT, env=environ, stdout=out, stderr=out)
    try:
        rig.wait_ready()
        case = rig.case()
        card = case.active()
        held = rig.hold("DeleteAccountAssignment", effect="before")
        rig.end(id_of(card))
        held.wait_held()
        started = [line for line in log.read_text().splitlines() if "worker started" in line]
        os.kill(int(started[-1].rpartition("pid ")[2].rstrip(")")), signal.SIGKILL)
        held.release()
        rig.until(lambda: log.read_text().count("worker started") == 2, "another worker")
        rig.until(lambda: "Revoked" in case.cards()[0].text, log.read_text())
        assert rig.gone(case)
        rig.assert_once(id_of(card), "grant.active", "grant.revoked")
    finally:
        up.terminate()
        assert up.wait(20) == 0

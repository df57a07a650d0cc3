"""A worker that is stopped and wakes up late leaves no access behind."""

from __future__ import annotations

import time

from bot.sandbox.slack import words
from tests.chaos.rig import Rig, id_of
from tests.support.installation import RECEIPTS


def test_a_worker_that_slept_between_its_intent_and_the_call_does_not_make_it(rig: Rig) -> None:
    """The intent is on the ledger, GetUser is answered, PutUserPolicy would be next: there it sleeps."""
    case = rig.case()
    card = case.asked(role="state-write")
    sleeper = rig.processes["worker"]
    held = rig.hold("GetUser")
    case.approve(card)
    held.wait_held()
    rig.until(lambda: '"intent":{' in rig.holding(), "the intent is on the ledger")
    sleeper.freeze()
    held.release()
    rig.relaunch(label="second")
    rig.until(lambda: rig.has(case, "state-write"), "the second worker took over")
    case.card("Active")
    rig.end(id_of(card))
    case.card("Revoked")
    assert rig.gone(case, "state-write")
    woken_at = time.monotonic()
    sleeper.thaw()
    rig.until(lambda: time.monotonic() - woken_at > 1.5, "it had time to send")
    assert rig.aws.proxy.log.count("PutUserPolicy", since=woken_at) == 0
    assert rig.gone(case, "state-write")
    rig.assert_once(id_of(card), "grant.active", "grant.revoked")
    rig.one_card(case)


def test_a_sleeper_gives_nothing_when_the_end_came_before_anybody_gave(rig: Rig) -> None:
    case = rig.case()
    card = case.asked()
    sleeper = rig.processes["worker"]
    held = rig.hold("ListAccountAssignmentsForPrincipal")
    case.approve(card)
    held.wait_held()
    sleeper.freeze()
    held.release()
    rig.end(id_of(card))
    rig.relaunch(label="second")
    rig.until(lambda: "Revoked" in case.cards()[0].text, "revoked")
    woken_at = time.monotonic()
    sleeper.thaw()
    rig.until(lambda: time.monotonic() - woken_at > 1.5, "it had time to send")
    assert rig.aws.proxy.log.count("CreateAccountAssignment") == 0
    assert rig.gone(case)
    rig.assert_once(id_of(card), "grant.revoked")
    assert rig.events(id_of(card))["grant.active"] == 0


def test_a_call_that_takes_effect_after_the_end_is_undone_and_alarms(rig: Rig) -> None:
    """The bytes are on the wire, the worker is dead: AWS carries it out when the access has long ended."""
    case = rig.case()
    card = case.asked()
    late = rig.hold("CreateAccountAssignment")
    case.approve(card)
    late.wait_held()
    rig.kill("worker")
    rig.relaunch()
    rig.until(lambda: "Active" in case.cards()[0].text, "the second worker gave it")
    rig.end(id_of(card))
    rig.until(lambda: "Revoked" in case.cards()[0].text, "revoked")
    assert rig.gone(case)
    late.release()
    rig.until(lambda: rig.has(case), "the old call takes effect")
    rig.until(lambda: rig.gone(case), "the look after 15 s has found it and taken it away")
    rig.until(lambda: any("was there again" in words(m) for m in case.cards()), "the owners are alarmed")
    rig.until(lambda: any("was there again" in words(m) for m in rig.messages(RECEIPTS)), "and the receipts")
    rig.assert_once(id_of(card), "grant.active", "grant.revoked", "grant.reappeared")

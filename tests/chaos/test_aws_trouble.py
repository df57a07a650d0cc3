"""AWS throttles, fails, hangs, refuses and tells old news: removal is retried and told, and nothing false is said."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.sandbox.aws.operations import Plan
from bot.sandbox.slack import words
from tests.chaos.rig import Rig, id_of
from tests.support.installation import RECEIPTS, SHORT, SHORT_S, Case


def alarms(rig: Rig, place: str) -> list[str]:
    return [words(message) for message in rig.messages(place) if "to remove" in words(message)]


def ended(rig: Rig, case: Case, id_: str, event: str = "grant.ended") -> None:
    rig.until(lambda: rig.gone(case), "the access is gone")
    rig.until(lambda: rig.events(id_)[event], "it is on the record")
    rig.assert_once(id_, "grant.active", "grant.end_started", event)


def test_throttling_over_the_deadline_only_delays_the_end(rig: Rig) -> None:
    case = rig.case()
    card = case.active(rest=SHORT)
    fault = rig.aws.proxy.throttle(times=None)
    since = time.monotonic()
    rig.until(lambda: time.monotonic() - since > SHORT_S + 8.5, "some seconds of it over the deadline")
    assert rig.aws.proxy.log.count(since=since) < 40, "throttled calls are not made in a storm"
    rig.aws.proxy.faults.remove(fault)
    ended(rig, case, id_of(card))


def test_removals_that_fail_are_tried_until_they_work(rig: Rig) -> None:
    """Server errors, connections reset before and after the effect, reads that fail: each at an account of its own."""
    cases = [rig.case() for _ in range(4)]
    cards = [case.active() for case in cases]
    proxy, changes = rig.aws.proxy, [{"where": {"TargetId": case.account}} for case in cases]
    reads = {"where": {"Filter": {"AccountId": cases[3].account}}}
    faults = [
        proxy.error("server_error", "DeleteAccountAssignment", times=None, **changes[0]),
        proxy.reset_connection("DeleteAccountAssignment", times=None, **changes[1]),
        proxy.reset_connection("DeleteAccountAssignment", times=2, effect="before", **changes[2]),
        proxy.error("unavailable", "ListAccountAssignmentsForPrincipal", times=None, **reads),
    ]
    for card in cards:
        rig.end(id_of(card))
    rig.until(lambda: all(fault.played >= 2 for fault in faults), "each failed twice")
    for fault in faults:
        proxy.faults.remove(fault)
    for case, card in zip(cases, cards, strict=True):
        ended(rig, case, id_of(card), "grant.revoked")
    rig.until(lambda: all("Revoked" in rig.one_card(case).text for case in cases), "said")


def test_a_call_without_an_answer_is_given_up_and_tried_again(rig: Rig) -> None:
    """A time-out takes 8 s of ours; what came of the call nobody knows."""
    case = rig.case()
    card = case.active(rest=SHORT)
    rig.aws.proxy.hang("DeleteAccountAssignment", seconds=30)
    ended(rig, case, id_of(card))


def test_the_third_failure_of_a_removal_alarms_owners_and_receipts_and_it_ends_once_it_may(rig: Rig) -> None:
    case = rig.case()
    card = case.active()
    fault = rig.aws.proxy.error("denied", "DeleteAccountAssignment", times=None)
    rig.end(id_of(card))
    rig.until(lambda: fault.played >= 2, "it failed twice")
    assert not alarms(rig, case.channel)
    rig.until(lambda: alarms(rig, case.channel) and alarms(rig, RECEIPTS), "both channels are alarmed")
    for place in (case.channel, RECEIPTS):
        (alarm,) = alarms(rig, place)
        assert "It may still be open" in alarm
        assert "does not let the worker" in alarm
        assert "aws sso-admin delete-account-assignment" in alarm
    rig.until(lambda: "Could not be removed" in words(case.cards()[0]), "the card says it")
    assert rig.has(case)
    assert rig.events(id_of(card))["grant.revoked"] == 0
    rig.aws.proxy.faults.remove(fault)
    # The fourth pause of the backoff is 4 s, the fifth 8 s.
    ended(rig, case, id_of(card), "grant.revoked")
    rig.until(lambda: "Revoked" in words(case.cards()[0]), "said")
    assert len(alarms(rig, RECEIPTS)) == 1


def test_a_failed_assignment_is_said_to_be_not_given_and_nothing_is_open(rig: Rig) -> None:
    """One that failed without an effect, and one that had it all the same."""
    cases = [rig.case(), rig.case()]
    cards = [case.asked() for case in cases]
    for case, card, effect in zip(cases, cards, (False, True), strict=True):
        plan = Plan(delay_s=0.5, status="FAILED", reason="Received a 403 status error: not assumable", effect=effect)
        rig.aws.proxy.operations.plan(plan, action="CreateAccountAssignment", where={"TargetId": case.account})
        case.approve(card)
    rig.until(lambda: all("Not given" in case.cards()[0].text for case in cases), "said")
    for case, card in zip(cases, cards, strict=True):
        assert "Nothing is open" in words(case.cards()[0])
        assert rig.gone(case)
        assert rig.events(id_of(card))["grant.active"] == 0
        rig.assert_once(id_of(card), "grant.activation_failed")


def test_reads_of_the_past_are_not_believed(rig: Rig) -> None:
    """AWS answers for two seconds as it was before: neither is active said too soon, nor ended while it is still there."""
    case = rig.case()
    card = case.asked()
    old = rig.aws.proxy.stale(seconds=2.0)
    case.approve(card)
    rig.until(lambda: rig.has(case), "given")
    assert rig.events(id_of(card))["grant.active"] == 0
    rig.until(lambda: rig.events(id_of(card))["grant.active"], "seen in the end")
    rig.end(id_of(card))
    rig.until(lambda: rig.gone(case), "taken")
    assert rig.events(id_of(card))["grant.revoked"] == 0
    rig.until(lambda: rig.events(id_of(card))["grant.revoked"], "its absence is seen in the end")
    rig.aws.proxy.faults.remove(old)
    rig.assert_once(id_of(card), "grant.active", "grant.revoked")
    assert rig.events(id_of(card))["grant.reappeared"] == 0
    rig.until(lambda: "Revoked" in case.cards()[0].text, "said")


def test_twelve_ends_at_once_keep_within_the_quota_of_identity_center(
    rig: Rig, record_property: Callable[[str, object], None]
) -> None:
    """20 calls a second, 10 operations outstanding, each a second long."""
    cases = [rig.case() for _ in range(12)]
    # In two halves: one person can have ten asks waiting at most, and asking is quicker than giving.
    for half in (cases[:6], cases):
        for case in half[-6:]:
            case.ask(role="self-service", rest="1h INC-42 checkout errors")
        rig.until(lambda half=half: all(rig.has(case) for case in half), "all given")
    ids = {entry.subject for entry in rig.audit() if entry.subject.startswith("PA-")}
    rig.until(lambda: all(rig.events(id_)["grant.active"] for id_ in ids), "all active")
    rig.aws.proxy.operations.default = Plan(delay_s=1.0)
    rig.aws.proxy.quota.set()
    since = time.monotonic()
    for id_ in ids:
        assert rig.types("olu", f"end {id_} enough").ok
    rig.until(lambda: all(rig.gone(case) for case in cases), "all gone")
    rig.until(lambda: all(rig.events(id_)["grant.revoked"] == 1 for id_ in ids), "all on the record")
    record_property("seconds", round(time.monotonic() - since, 2))
    refused = [call for call in rig.aws.proxy.log.calls(since=since) if call.fault == "quota"]
    assert len(refused) <= 12, [call.action for call in refused]

"""More than one clock and worker, an end on time, and queues that stay short when nobody takes from them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import redis

from bot.sandbox.slack import words
from tests.chaos.rig import PROMISED_S, Rig, id_of
from tests.support.installation import PEOPLE, RECEIPTS, SHORT, SHORT_S


def leading(rig: Rig, *labels: str) -> str:
    """Which clock said last that it leads."""
    said = {label: rig.processes[label].log.read_text() for label in labels}
    found = [label for label in labels if "this clock leads now" in said[label]]
    assert len(found) == 1, said
    return found[0]


def test_two_clocks_and_two_workers_do_everything_once(rig: Rig) -> None:
    rig.relaunch("worker", "worker-2")
    rig.relaunch("clock", "clock-2")
    cases = [rig.case() for _ in range(3)]
    cards = [case.asked(rest=SHORT) for case in cases]
    for case, card in zip(cases, cards, strict=True):
        case.approve(card)
    rig.until(lambda: all(rig.has(case) for case in cases), "all given")
    rig.until(lambda: all(rig.gone(case) for case in cases), "all gone")
    rig.until(lambda: all("Ended" in case.cards()[0].text for case in cases), "said")
    for case, card in zip(cases, cards, strict=True):
        rig.one_card(case)
        rig.assert_once(
            id_of(card), "request.made", "request.approved", "grant.active", "grant.end_started", "grant.ended"
        )
    rig.until(lambda: len(rig.roots()) == 3, "three threads of receipts")
    counts = rig.aws.proxy.log.counts()
    assert counts["sso-admin:CreateAccountAssignment"] == 3, counts
    assert counts["sso-admin:DeleteAccountAssignment"] == 3, counts
    told = Counter(words(message).partition("\n")[0] for message in rig.slack.person(PEOPLE["dana"]).dms())
    assert set(told.values()) <= {1}, told
    assert len([m for m in rig.messages(RECEIPTS) if "is in force" in words(m)]) == 1


def test_another_clock_leads_within_seconds_when_the_leading_one_is_killed_and_the_end_is_on_time(rig: Rig) -> None:
    rig.relaunch("clock", "clock-2")
    case = rig.case()
    card = case.active(rest=SHORT)
    first = leading(rig, "clock", "clock-2")
    rig.kill(first)
    rig.until(lambda: "this clock leads now" in rig.processes["clock-2"].log.read_text(), "the other leads")
    rig.until(lambda: rig.gone(case), "gone")
    rig.until(lambda: rig.events(id_of(card))["grant.ended"], "on the record")
    late_s = rig.lateness_s(id_of(card))
    assert 0.0 <= late_s < PROMISED_S, late_s


def test_a_grant_of_seconds_ends_those_seconds_later(rig: Rig, record_property: Callable[[str, object], None]) -> None:
    roles = ("read-only", "state-write", "readers", "deploy")
    cases = [rig.case() for _ in roles]
    cards = [case.asked(role=role, rest=SHORT) for case, role in zip(cases, roles, strict=True)]
    for case, card in zip(cases, cards, strict=True):
        case.approve(card)
    rig.until(lambda: all(rig.events(id_of(card))["grant.ended"] for card in cards), "all over")
    assert all(rig.gone(case, role) for case, role in zip(cases, roles, strict=True))
    found = [rig.lateness_s(id_of(card)) for card in cards]
    record_property("late_s", found)
    assert all(0.0 <= late_s < PROMISED_S for late_s in found), found


def test_queues_stay_short_while_no_worker_runs_and_everything_is_done_afterwards(rig: Rig) -> None:
    waiting, active = rig.case(), rig.case()
    card = active.active(rest=SHORT)
    rig.until(lambda: not rig.queued(), "nothing waits")
    rig.kill("worker")
    waiting.ask()
    down_at = time.monotonic()
    seen: Counter[str] = Counter()

    def look() -> bool:
        counts = Counter(rig.queued())
        for job, count in counts.items():
            seen[job] = max(seen[job], count)
        return time.monotonic() - down_at > SHORT_S + 6.0

    rig.until(look, "seconds without a worker, in which items are due again")
    assert seen, "something was due"
    assert max(seen.values()) <= 2, seen
    with redis.Redis.from_url(rig.redis.url) as client:
        assert len(list(client.scan_iter("rq:job:*"))) <= 12
    rig.relaunch()
    rig.until(lambda: rig.gone(active), "gone")
    rig.until(lambda: "Ended" in active.cards()[0].text, "said")
    waiting.card("Needs approval")
    rig.assert_once(id_of(card), "grant.active", "grant.ended")
    rig.until(lambda: not rig.queued(), "the queues are empty")

"""Redis killed, stopped, not durable: nothing is lost, nothing is granted on a guess, and everybody recovers alone."""

from __future__ import annotations

import os
import signal
import time

from bot.sandbox.aws.operations import Plan
from bot.sandbox.slack import words
from tests.chaos.rig import Rig, id_of
from tests.support.installation import SHORT, SHORT_S


def all_alive(rig: Rig) -> None:
    assert all(process.alive() for process in rig.processes.values()), rig.logs()


def test_what_waits_and_what_is_active_survive_a_killed_redis(rig: Rig) -> None:
    case, other = rig.case(), rig.case()
    waiting = other.asked()
    card = case.active(rest=SHORT)
    rig.redis.restart()
    other.approve(waiting)
    rig.until(lambda: rig.has(other), "given")
    rig.until(lambda: "Active" in other.cards()[0].text, "said")
    rig.until(lambda: rig.gone(case), "gone on time")
    rig.until(lambda: "Ended" in case.cards()[0].text, "said")
    rig.one_card(other)
    rig.assert_once(id_of(waiting), "request.made", "request.approved", "grant.active")
    rig.assert_once(id_of(card), "grant.active", "grant.ended")
    all_alive(rig)


def test_a_removal_under_way_goes_on_after_a_killed_redis(rig: Rig) -> None:
    case = rig.case()
    card = case.active()
    rig.aws.proxy.operations.default = Plan(delay_s=1.0)
    held = rig.hold("DeleteAccountAssignment", effect="before")
    rig.end(id_of(card))
    held.wait_held()
    rig.redis.kill()
    held.release()
    rig.redis.start()
    rig.until(lambda: rig.gone(case), "gone")
    rig.until(lambda: "Revoked" in case.cards()[0].text, "said")
    rig.assert_once(id_of(card), "grant.active", "grant.revoked")
    all_alive(rig)


def test_access_ends_soon_after_redis_is_back_when_it_was_down_over_the_deadline(rig: Rig) -> None:
    case, other = rig.case(), rig.case()
    waiting = other.asked()
    card = case.active(rest=SHORT)
    rig.redis.kill()
    down_at = time.monotonic()
    answered = rig.types("dana", f"{case.name} read-only 1h INC-43 more errors")
    assert answered.ok, answered
    assert "I cannot reach my records just now" in str(answered.response)
    pressed = case.press("dana", card, "end")
    assert pressed.ok, pressed
    case.whispered("dana", "I cannot reach my records just now")
    assert other.press("olu", waiting, "deny").ok
    other.whispered("olu", "I cannot reach my records just now")
    assert not rig.ready()["ready"]
    rig.until(lambda: time.monotonic() - down_at > SHORT_S + 1.5, "the deadline has passed")
    assert rig.has(case)
    rig.redis.start()
    rig.until(lambda: rig.gone(case), "gone")
    rig.until(lambda: "Ended" in case.cards()[0].text, "said")
    rig.assert_once(id_of(card), "grant.active", "grant.ended")
    rig.wait_ready()
    all_alive(rig)


def test_people_get_a_plain_sentence_in_time_while_redis_does_not_answer(rig: Rig) -> None:
    """It takes connections and says nothing, as a machine does that is starved or paused."""
    case = rig.case()
    card = case.asked()
    # More than Slack's three seconds, for a busy machine, and less than it takes without time limits of our own.
    rig.slack.app.ack_timeout_s = 30.0
    os.kill(rig.redis.pid, signal.SIGSTOP)
    try:
        typed = rig.types("dana", "mine")
        pressed = case.press("olu", card, "approve")
    finally:
        os.kill(rig.redis.pid, signal.SIGCONT)
    assert typed.ok, typed
    assert "I cannot reach my records just now" in str(typed.response)
    assert pressed.ok, pressed
    # Whether the press was taken is for the record to say; pressing again decides it once.
    rig.until(
        lambda: "approve" not in str(case.cards()[0].blocks) or case.press("olu", case.cards()[0], "approve").ok, ""
    )
    rig.until(lambda: "Active" in case.cards()[0].text, "active")
    rig.assert_once(id_of(card), "request.approved", "grant.active")
    all_alive(rig)


def test_without_durability_nothing_is_given_and_removal_goes_on(rig: Rig) -> None:
    active, waiting = rig.case(), rig.case()
    open_card = active.active()
    card = waiting.asked()
    with rig.connection() as client:
        client.config_set("appendonly", "no")
    rig.until(lambda: "not durable" in str(rig.ready()["missing"]), "/readyz says so")
    pressed = waiting.press("olu", card, "approve")
    assert pressed.ok
    told = waiting.whispered("olu", "I give nothing at the moment")
    assert "Removing goes on" in told
    assert rig.gone(waiting)
    rig.end(id_of(open_card))
    rig.until(lambda: rig.gone(active), "removal goes on")
    rig.until(lambda: "Revoked" in active.cards()[0].text, "said")
    with rig.connection() as client:
        client.config_set("appendonly", "yes")
    rig.wait_ready()
    waiting.approve(waiting.card("Needs approval"))
    rig.until(lambda: rig.has(waiting), "given, once it is durable again")


def test_worker_threads_that_die_are_replaced(rig: Rig) -> None:
    """Redis stops in the middle of a sentence: RQ's loop raises in every thread."""
    case = rig.case()
    worker = rig.processes["worker"]
    threads = len(os.listdir(f"/proc/{worker.popen.pid}/task"))
    for _ in range(2):
        with rig.connection() as client:
            client.execute_command("CLIENT", "PAUSE", 100, "ALL")
            client.execute_command("CLIENT", "KILL", "TYPE", "normal")
    with rig.connection() as client:
        client.delete("prodaccess:beat:worker")
    rig.until(lambda: rig.ready()["ready"], "all threads are back")
    card = case.active()
    rig.end(id_of(card))
    rig.until(lambda: "Revoked" in words(case.cards()[0]), "revoked")
    assert abs(len(os.listdir(f"/proc/{worker.popen.pid}/task")) - threads) <= 3
    all_alive(rig)


def test_a_redis_that_hangs_over_the_deadline_only_delays_the_end(rig: Rig) -> None:
    case = rig.case()
    card = case.active(rest=SHORT)
    os.kill(rig.redis.pid, signal.SIGSTOP)
    stopped_at = time.monotonic()
    try:
        rig.until(
            lambda: time.monotonic() - stopped_at > SHORT_S + 4.0, "calls have timed out, and the deadline has passed"
        )
    finally:
        os.kill(rig.redis.pid, signal.SIGCONT)
    rig.until(lambda: rig.gone(case), "gone")
    rig.until(lambda: "Ended" in case.cards()[0].text, "said")
    rig.assert_once(id_of(card), "grant.active", "grant.ended")
    all_alive(rig)

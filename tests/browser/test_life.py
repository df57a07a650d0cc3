"""A request's life on the sandbox's page: what people do with keys and pointer, and what they then see."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.browser.people import DANA, MAX, OLU, OWNERS, PAT, RECEIPTS, SID, TEAM, Window, see

pytestmark = pytest.mark.chromium
Open = Callable[[], Window]
NOBODY = "Nobody has access to anything."


def ask(window: Window, terms: str, reason: str) -> str:
    """Returns the request's id."""
    window.be(DANA, TEAM).types(f"/prodaccess orders-prod {terms} {reason}")
    answer = window.post("You asked for", reason)
    see(answer)
    return re.findall(r"PA-[0-9]+", answer.inner_text())[-1]


def withdraw(window: Window, number: str) -> None:
    """So that the next test may ask for the same."""
    window.be(DANA, TEAM).types(f"/prodaccess withdraw {number}")
    see(window.post(f"You took back {number}"))


def test_a_command_is_completed_and_sent_with_keys_alone(window: Open) -> None:
    dana = window().be(DANA, TEAM)
    write, option = dana.composer, dana.page.get_by_role("option")
    write.press_sequentially("/pro")
    write.press("Tab")
    write.press_sequentially("orders-p")
    write.press("Tab")
    see(option.filter(has_text="read-only"))
    write.press("ArrowDown")
    write.press("Enter")
    see(option.filter(has_text="20 s"))
    write.press("ArrowDown")
    write.press("Enter")
    assert write.input_value() == "/prodaccess orders-prod read-only 20s "
    write.press_sequentially("ORD-1 by keys")
    write.press("Enter")
    see(dana.post("You asked for", "ORD-1 by keys").get_by_text("Only visible to you"))
    write.press_sequentially("/prodaccess withdraw ")
    see(option.filter(has_text="PA-"))
    write.press("Escape")
    see(option, 0)
    write.press_sequentially("PA-1")
    write.press("Enter")
    see(dana.post("You took back"))


def test_two_windows_are_two_people_and_aws_changes_before_their_eyes(window: Open) -> None:
    dana, olu = window(), window()
    ask(dana, "read-only 5s", "ORD-2 checkout errors")
    see(olu.be(OLU, OWNERS).aws.get_by_text(NOBODY))
    olu.button(olu.post("ORD-2"), "Approve").click()
    for each in (dana, olu):
        see(each.aws.get_by_text("ReadOnlyAccess"))
    see(olu.post("Active"))
    see(dana.be(DANA, "dm").post("You have"))
    for each in (dana, olu):
        see(each.aws.get_by_text(NOBODY))
    see(olu.post("Ended"))
    see(olu.button(olu.post("Ended"), "Approve"), 0)


def test_the_receipts_are_a_thread_beside_the_channel(window: Open) -> None:
    dana, sid = window(), window()
    withdraw(dana, ask(dana, "admin 15m", "ORD-5 a repair by hand"))
    sid.be(SID, RECEIPTS)
    replies = sid.post("Withdrawn").get_by_role("button", name="repl")
    replies.click()
    thread = sid.page.get_by_role("complementary", name="Thread")
    see(thread.get_by_text("asked by Dana Dev"))
    sid.page.keyboard.press("Escape")
    see(thread, 0)
    assert replies.evaluate("node => node === document.activeElement")


def test_a_stranger_who_presses_approve_is_told_alone(window: Open) -> None:
    dana, stranger, owner = window(), window(), window()
    number = ask(dana, "read-only 30m", "ORD-6 checkout errors")
    owner.be(OLU, OWNERS)
    stranger.be(MAX, OWNERS)
    stranger.button(stranger.post("ORD-6"), "Approve").click()
    see(stranger.post("Only visible to you"))
    see(owner.post("Needs approval", "ORD-6"))
    see(owner.page.get_by_text("Only visible to you"), 0)
    withdraw(dana, number)


def test_deny_wants_a_reason_and_tells_it_word_for_word(window: Open) -> None:
    dana, pat = window(), window()
    ask(dana, "reports 30m", "ORD-3 just curious")
    pat.be(PAT, OWNERS)
    pat.button(pat.post("ORD-3"), "Deny").click()
    pat.modal.get_by_role("button", name="Deny").click()
    see(pat.modal.get_by_text("Please complete this required field."))
    pat.modal.get_by_role("textbox").fill("Use <img src=x onerror=alert(1)> first")
    pat.modal.get_by_role("button", name="Deny").click()
    pat.modal.wait_for(state="hidden")
    see(pat.post("Denied"))
    see(dana.be(DANA, "dm").post("Use <img src=x onerror=alert(1)> first"))


def test_access_ends_early_by_a_button_at_home(window: Open) -> None:
    dana, olu = window(), window()
    ask(dana, "repair-orders 30m", "ORD-4 a stuck order")
    olu.be(OLU, OWNERS)
    olu.button(olu.post("ORD-4"), "Approve").click()
    see(dana.aws.get_by_text("min left"))
    dana.button(dana.be(DANA, "home").page.locator("#posts"), "I am done").click()
    see(dana.aws.get_by_text(NOBODY))


def test_access_ends_though_the_worker_was_killed_by_a_button(window: Open) -> None:
    dana, olu = window(), window()
    ask(dana, "read-only 5s", "ORD-7 once more")
    olu.be(OLU, OWNERS)
    olu.button(olu.post("ORD-7"), "Approve").click()
    see(olu.aws.get_by_text("ReadOnlyAccess"))
    olu.page.get_by_role("button", name="Kill the worker").click()
    see(olu.page.get_by_role("region", name="Break something").get_by_text("ago: worker"))
    see(olu.aws.get_by_text(NOBODY))
    see(olu.post("Ended"))

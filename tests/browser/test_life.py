"""A request's life on the sandbox's page: what people do with keys and pointer, and what they then see."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.people import DANA, MAX, OLU, OWNERS, PAT, RECEIPTS, SID, TEAM, Window, see

pytestmark = pytest.mark.chromium
Open = Callable[[], Window]
NOBODY = "Nobody has access to anything."


def ask(window: Window, terms: str, reason: str) -> None:
    window.be(DANA, TEAM).types(f"/prodaccess orders-prod {terms} {reason}")
    see(window.post("You asked for", reason))


def withdraw_all(dana: Window) -> None:
    """What stands in the way of asking for the same."""
    dana.be(DANA, "home")
    see(dana.page.get_by_role("heading", name="You can ask for"))
    buttons = dana.page.get_by_role("button", name="Withdraw")
    while left := buttons.count():
        buttons.first.click()
        see(buttons, left - 1)


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
    see(dana.post("Withdrawn"))


def test_two_windows_are_two_people_and_aws_changes_before_their_eyes(window: Open) -> None:
    dana, olu = window(), window()
    withdraw_all(dana)
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
    ask(dana, "deploy 30m", "ORD-5 a release")
    dana.types("/prodaccess withdraw PA-3")
    sid.be(SID, RECEIPTS)
    replies = sid.page.get_by_role("button", name="repl").last
    replies.click()
    thread = sid.page.get_by_role("complementary", name="Thread")
    see(thread.get_by_text("asked by Dana Dev"))
    sid.page.keyboard.press("Escape")
    see(thread, 0)
    assert replies.evaluate("node => node === document.activeElement")


def test_a_stranger_who_presses_approve_is_told_alone(window: Open) -> None:
    dana, stranger, owner = window(), window(), window()
    withdraw_all(dana)
    ask(dana, "read-only 30m", "ORD-6 checkout errors")
    owner.be(OLU, OWNERS)
    stranger.be(MAX, OWNERS)
    stranger.button(stranger.post("ORD-6"), "Approve").click()
    see(stranger.post("Only visible to you", "Max"))
    see(owner.post("Waiting", "ORD-6"))
    see(owner.page.get_by_text("Only visible to you"), 0)


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
    dana.be(DANA, "home").page.get_by_role("button", name="I am done").click()
    see(dana.aws.get_by_text(NOBODY))

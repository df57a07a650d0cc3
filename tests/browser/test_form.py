"""The request form on the sandbox's page: it is redrawn while one types, and loses nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.people import DANA, OLU, OWNERS, TEAM, Window, see

pytestmark = pytest.mark.chromium
Open = Callable[[], Window]


@pytest.fixture
def form(window: Open) -> Window:
    dana = window().be(DANA, TEAM)
    dana.page.get_by_role("button", name="Shortcuts", exact=True).click()
    dana.page.get_by_role("menuitem", name="Ask for access").click()
    see(dana.modal)
    return dana


def test_what_is_typed_outlives_what_is_redrawn_and_a_slip_is_told_beside_its_field(form: Window) -> None:
    form.modal.get_by_label("Why").fill("everything is on fire")
    form.modal.get_by_label("Environment").select_option("orders-prod")
    form.modal.get_by_label("Role").select_option("admin")
    see(form.modal.get_by_text("Dangerous:"))
    form.modal.get_by_role("button", name="Ask", exact=True).click()
    ticket = form.modal.get_by_label("Ticket")
    see(form.modal.get_by_text("Please complete this required field"))
    ticket.fill("none")
    form.modal.get_by_role("button", name="Ask", exact=True).click()
    see(form.modal.get_by_text("is no ticket here"))
    assert ticket.get_attribute("aria-invalid") == "true"
    assert form.modal.get_by_label("Why").input_value() == "everything is on fire"
    ticket.fill("ORD-9")
    form.modal.get_by_role("button", name="Ask", exact=True).click()
    form.modal.wait_for(state="hidden")
    form.be(OLU, OWNERS)
    form.button(form.post("everything is on fire"), "Approve").click()
    sure = form.page.get_by_role("dialog", name="Approve admin?")
    sure.get_by_role("button", name="Go back").click()
    see(sure, 0)
    see(form.post("Needs approval from", "everything is on fire"))


def test_escape_closes_the_form_and_gives_the_focus_back(form: Window) -> None:
    form.page.keyboard.press("Escape")
    form.modal.wait_for(state="hidden")
    opener = form.page.get_by_role("button", name="Shortcuts", exact=True)
    assert opener.evaluate("node => node === document.activeElement")

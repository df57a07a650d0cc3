"""The page for people without a mouse, without sight, on a phone, in the dark; and while the sandbox is away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.people import DANA, NIA, OLU, OWNERS, RECEIPTS, TEAM, Window, see

pytestmark = pytest.mark.chromium
Open = Callable[[], Window]
WIDTHS = (360, 1280, 3840)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_serious_on_the_way_through_a_request(window: Open, axe: str, colours: str) -> None:
    dana = window()
    dana.page.emulate_media(color_scheme=colours, reduced_motion="reduce")  # type: ignore[arg-type] # both are its words
    dana.be(DANA, TEAM)
    assert dana.violations(axe) == []
    dana.composer.fill("/prodaccess ")
    see(dana.page.get_by_role("option").first)
    assert dana.violations(axe) == []
    dana.types(f"/prodaccess orders-prod read-only 30m ORD-1 in {colours} colours")
    see(dana.page.get_by_text("Only visible to you").first)
    assert dana.violations(axe) == []
    dana.types("/prodaccess")
    see(dana.modal)
    assert dana.violations(axe) == []
    dana.modal.get_by_label("Environment").select_option("orders-prod")
    dana.modal.get_by_label("Role").select_option("admin")
    see(dana.modal.get_by_text("Dangerous:"))
    dana.modal.get_by_role("button", name="Ask", exact=True).click()
    see(dana.modal.get_by_text("Please complete this required field.").first)
    assert dana.violations(axe) == []
    dana.page.keyboard.press("Escape")
    dana.modal.wait_for(state="hidden")
    for place in ("home", "dm", RECEIPTS):
        assert dana.be(DANA, place).violations(axe) == []
    assert dana.be(OLU, OWNERS).violations(axe) == []


READ_OUT = {
    "Needs approval": r"""
- article:
  - text: Nia Night asks for
  - strong: read-only
  - text: /🔴 production ⏳ Needs approval/
  - blockquote: INC-7 read aloud
  - strong: For
  - strong: Allows
  - button /Approve read-only for Nia Night, PA-\d+/: Approve
  - button /Deny read-only for Nia Night, PA-\d+/: Deny
  - text: /orders-prod · PA-\d+/
""",
    "Active until": r"""
- article:
  - text: Nia Night has
  - text: /🔴 production ✅ Active until/
  - text: · approved by Olu Owner at
  - blockquote: INC-7 read aloud
  - button /End read-only for Nia Night, PA-\d+/: End early
  - button /Extend read-only for Nia Night, PA-\d+/: Extend
""",
    "Ended": r"""
- article:
  - text: Nia Night had
  - text: /🔴 production 🏁 Ended/
  - text: /used \d+ s · approved by Olu Owner · removal verified/
  - button /Ask again for read-only, PA-\d+/: Ask again
  - blockquote: INC-7 read aloud
""",
}


def test_a_card_is_read_out_with_its_state_its_reason_and_buttons_that_say_for_whom(window: Open) -> None:
    from playwright.sync_api import expect

    window().be(NIA, TEAM).types("/prodaccess orders-prod read-only 5s INC-7 read aloud")
    olu = window().be(OLU, OWNERS)
    for state, read in READ_OUT.items():
        card = olu.post("INC-7 read aloud", state)
        expect(card).to_match_aria_snapshot(read)
        if state == "Needs approval":
            olu.button(card, "Approve").click()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_stands_out_of_the_window(window: Open, width: int) -> None:
    dana = window().be(DANA, TEAM)
    dana.page.set_viewport_size({"width": width, "height": 740})
    see(dana.composer)
    assert dana.page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_the_panes_take_turns(window: Open) -> None:
    dana = window().be(DANA, TEAM)
    dana.page.set_viewport_size({"width": 360, "height": 740})
    panes = dana.page.get_by_role("navigation", name="Panes")
    panes.get_by_role("button", name="AWS").click()
    see(dana.aws)
    see(dana.composer, 0)
    panes.get_by_role("button", name="People").click()
    dana.page.get_by_role("button", name="Olu Owner").click()
    see(dana.composer)


def test_the_banner_says_that_the_sandbox_is_away_and_goes_when_it_is_back(window: Open) -> None:
    dana = window()
    dana.page.route("**/api/start", lambda route: route.abort())
    dana.page.goto(dana.address)
    banner = dana.page.get_by_role("alert").filter(has_text="The sandbox does not answer.")
    see(banner)
    dana.page.unroute("**/api/start")
    see(banner, 0)
    see(dana.composer)
    dana.said.clear()  # that one request failed is what was to be shown


def test_a_fault_is_switched_on_and_off_and_says_so(window: Open) -> None:
    dana = window().be(DANA, TEAM)
    for on in ("true", "false"):
        dana.page.get_by_role("switch").first.click()
        see(dana.page.locator(f"[role=switch][aria-checked={on}]").first)

"""Two people in two chats on the sandbox's page: asked in one, approved in the other, by pointer and by keys."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.browser.people import DANA, OLU, OWNERS, PAT, TEAM, Window, see

pytestmark = [pytest.mark.chromium, pytest.mark.teams]
Open = Callable[[], Window]
NOBODY = "Nobody has access to anything."
OPS = "orders-ops"


def approve_in_teams(window: Window, reason: str) -> None:
    """Where the role is no dangerous one, one press does it."""
    window.teams_button(window.teams_post(reason), "Approve").click()


def test_asked_in_slack_and_approved_in_teams_side_by_side(window: Open) -> None:
    page = window().beside(DANA, TEAM, OLU, OPS)
    page.types("/prodaccess orders-prod read-only 8s ORD-1 asked in Slack")
    see(page.post("You asked for", "ORD-1"))
    approve_in_teams(page, "ORD-1 asked in Slack")
    see(page.teams_post("Active until", "ORD-1"))
    see(page.aws.get_by_text("ReadOnlyAccess"))
    see(window().be(OLU, OWNERS).post("Active until", "ORD-1"))
    see(page.aws.get_by_text(NOBODY))
    see(page.teams_post("Ended", "ORD-1"))
    see(page.teams_button(page.teams_post("Ended", "ORD-1"), "Approve"), 0)


def test_asked_in_teams_by_keys_and_approved_in_slack(window: Open) -> None:
    dana, olu = window().in_teams(DANA), window()
    dana.teams_composer.press_sequentially("orders-p")
    dana.teams_composer.press("Tab")
    dana.teams_composer.press_sequentially("read-only 30m ORD-2 asked in Teams")
    dana.teams_composer.press("Enter")
    see(dana.teams_post("You asked for", "ORD-2"))
    card = olu.be(OLU, OWNERS).post("ORD-2 asked in Teams")
    olu.button(card, "Approve").click()
    see(olu.post("Active until", "ORD-2"))
    dana.teams_button(dana.teams_post("You have"), "I am done").click()
    see(olu.post("ORD-2 asked in Teams").get_by_text("Ended"))


def test_an_owner_who_asks_in_slack_is_refused_in_teams_and_told_alone(window: Open) -> None:
    olu, pat = window(), window()
    olu.be(OLU, TEAM).types("/prodaccess orders-prod read-only 30m ORD-3 my own")
    see(olu.post("You asked for", "ORD-3"))
    olu.in_teams(OLU, OPS)
    approve_in_teams(olu, "ORD-3 my own")
    see(olu.teams_post("ORD-3 my own").locator(".t-said").get_by_text("yourself"))
    see(pat.in_teams(DANA, OPS).teams_post("Needs approval", "ORD-3 my own"))
    see(pat.page.locator(".t-said"), 0)
    number = re.findall(r"PA-[0-9]+", olu.teams_post("ORD-3 my own").inner_text())[-1]
    olu.in_teams(OLU).types_in_teams(f"withdraw {number}")
    see(pat.teams_post("Withdrawn", "ORD-3"))


def test_deny_opens_in_the_card_wants_a_reason_and_tells_it_word_for_word(window: Open) -> None:
    hostile = (
        "See [this](https://evil.example) <at>all</at> {{DATE(2020-01-01T00:00:00Z)}} <img src=x onerror=alert(1)>"
    )
    dana, olu = window(), window().in_teams(OLU, OPS)
    dana.in_teams(DANA).types_in_teams("orders-prod read-only 30m ORD-4 just curious")
    see(dana.teams_post("You asked for", "ORD-4"))
    card = olu.teams_post("ORD-4 just curious")
    olu.teams_button(card, "Deny").click()
    olu.teams_button(card, "Deny").last.click()
    see(card.get_by_text("Please fill this in."))
    card.get_by_role("textbox").fill(hostile)
    olu.teams_button(card, "Deny").last.click()
    see(olu.teams_post("Denied", "ORD-4"))
    told = dana.teams_post("denied", "See [this](https://evil.example)")
    see(told)
    assert told.locator("a[href*='evil'], img:not(.avatar)").count() == 0
    assert "{{DATE(" in told.inner_text().replace("\u200d", "")


def test_further_buttons_open_beside_the_card_and_by_keys(window: Open) -> None:
    olu = window()
    window().in_teams(DANA).types_in_teams("orders-prod read-only 1h ORD-8 for less, perhaps")
    olu.in_teams(OLU, OPS)
    olu.teams_button(olu.teams_post("ORD-8"), "...").click()
    menu = olu.page.get_by_role("menuitem")
    see(menu, 2)
    box, frame = menu.first.bounding_box(), olu.page.locator("#teams").bounding_box()
    assert box
    assert frame
    assert frame["x"] <= box["x"] <= frame["x"] + frame["width"]
    assert frame["height"] > 700  # the page stays as it is
    olu.page.keyboard.press("Escape")
    see(menu, 0)
    olu.teams_button(olu.teams_post("ORD-8"), "...").click()
    menu.filter(has_text="Explain").click()
    see(olu.teams_post("ORD-8").locator(".t-said"))


def test_the_form_stands_in_the_chat_with_the_bot_and_says_what_is_missing_beside_it(window: Open) -> None:
    dana = window().in_teams(DANA)
    dana.types_in_teams("request")
    form = dana.teams_post("Environment")
    form.get_by_label("Environment").select_option("orders-prod")
    dana.teams_button(form, "Continue").click()
    form = dana.teams_post("Environment", "Role")
    see(form.get_by_label("Role").first)


def test_who_is_new_in_teams_waits_for_a_yes_in_slack(window: Open) -> None:
    pat, slack = window().in_teams(PAT), window()
    pat.types_in_teams("orders-staging read-only 20s ORD-5 new here")
    see(pat.teams_post("Slack"))
    slack.be(PAT, "dm")
    see(slack.page.get_by_text("Teams account on hold"))
    question = slack.post("Is this you in Teams?")
    slack.button(question, "Yes").click()
    slack.page.locator("#confirm").get_by_role("button", name="Yes, it is me").click()
    # Said by the press, or by the outbox: whichever comes last stands, and both are true.
    see(slack.post("the account in Teams is yours"))
    see(slack.page.get_by_text("Teams account on hold"), 0)
    pat.types_in_teams("mine")
    see(pat.teams_post("Nothing"))


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_serious_in_either_view(window: Open, axe: str, colours: str) -> None:
    page = window()
    page.page.emulate_media(color_scheme=colours, reduced_motion="reduce")  # type: ignore[arg-type] # both are its words
    for view in (page.in_teams(OLU, OPS), page.in_teams(DANA), page.beside(DANA, TEAM, OLU, OPS)):
        assert view.violations(axe) == []


def test_on_a_phone_the_chats_take_turns(window: Open) -> None:
    olu = window()
    olu.page.set_viewport_size({"width": 360, "height": 740})
    olu.page.goto(f"{olu.address}#as={OLU}&in={OWNERS}")
    panes = olu.page.get_by_role("navigation", name="Panes")
    panes.get_by_role("button", name="Teams").click()
    see(olu.teams_composer)
    see(olu.composer, 0)
    olu.page.get_by_label("Chat or channel in Teams").select_option(OPS)
    see(olu.page.locator(f"#teams .t-place[data-key='{OLU} {OPS}']"))
    assert olu.page.evaluate("document.documentElement.scrollWidth") <= 360
    panes.get_by_role("button", name="Slack").click()
    see(olu.composer)

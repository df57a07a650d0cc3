"""The sandbox's page around the chat: what it says first, its steps, what is true in AWS, holds, marks, what is big enough."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.browser.people import DANA, OLU, OWNERS, TEAM, Window, see

pytestmark = pytest.mark.chromium
Open = Callable[[], Window]

SMALL = """() => [...document.querySelectorAll('button, a[href], input, select, summary')]
  .filter(node => node.checkVisibility() && getComputedStyle(node).display !== 'inline' && !node.closest('label.tick, .skip'))
  .map(node => [node.textContent || node.className, node.getBoundingClientRect()])
  .filter(([_, box]) => box.width > 1 && (box.width < 24 || box.height < 24)).map(([words]) => words)"""


@pytest.fixture
def dana(window: Open) -> Window:
    return window().be(DANA, TEAM)


def steps(window: Window) -> Iterator[str]:
    """What the guide says, step by step, to its end."""
    guide = window.page.get_by_role("region", name="Guide")
    guide.get_by_role("button", name="Show me").click()
    further = guide.get_by_role("button", name=re.compile("^(Next|Skip)$"))
    while True:
        yield guide.inner_text()
        if not further.count():
            return
        further.click()


def test_the_page_says_first_what_it_is_then_counts_its_steps_and_says_nothing_odd(dana: Window) -> None:
    see(dana.page.get_by_text("a bot through which people get into production for a short while"))
    told = list(steps(dana))
    assert [re.findall(r"(\d+) of (\d+)", each)[0] for each in told] == [
        (str(number), str(len(told))) for number in range(1, len(told) + 1)
    ]
    assert not [each for each in told if re.search("false|undefined|null|NaN", each)]


def test_the_guides_steps_show_what_report_and_audit_verify_print(dana: Window, axe: str) -> None:
    output = dana.page.get_by_role("dialog", name="prodaccess")
    for told in steps(dana):
        for button, prints in (("Run audit verify", "0 faults"), ("Run report", "Access review")):
            if button in told:
                dana.page.get_by_role("button", name=button).click()
                see(output.get_by_text(prints))
                assert dana.violations(axe) == []
                dana.page.keyboard.press("Escape")
                see(output, 0)
    see(dana.page.get_by_role("img", name=re.compile("^2 of")))


def test_what_is_true_in_aws_has_the_newest_first_and_every_end_counts_down(window: Open) -> None:
    dana, olu = window().be(DANA, TEAM), window()
    for reason, terms in (("ORD-1 first", "repair-orders 30m"), ("ORD-2 second", "read-only 30m")):
        dana.types(f"/prodaccess orders-prod {terms} {reason}")
        olu.be(OLU, OWNERS)
        olu.button(olu.post(reason), "Approve").click()
        see(olu.post(reason, "Active"))
    lines = dana.aws.get_by_role("listitem")
    see(lines.filter(has_text="min left"), 2)  # the second is one that AWS itself does not end
    assert ["ReadOnlyAccess" in each for each in lines.all_inner_texts()] == [True, False]
    lines.first.locator("summary").click()
    see(lines.first.get_by_text("AWS sets no end of its own: the bot takes it away at"))
    dana.types("/prodaccess end PA-1")
    dana.types("/prodaccess end PA-2")
    see(dana.aws.get_by_text("Nobody has access to anything."))


def test_an_account_on_hold_is_shown_until_it_is_theirs_again(dana: Window) -> None:
    held = dana.page.get_by_text("account on hold")
    for count in (1, 0):
        dana.page.get_by_role("switch", name="address changes").click()
        see(held, count)


def test_marks_are_pictures_and_stay_words_for_whoever_copies_them(dana: Window) -> None:
    dana.types("/prodaccess orders-prod read-only 30m ORD-3 🔴 and 🦊")
    post = dana.post("You asked for", "ORD-3")
    mark = post.locator(".mark-red").first
    see(mark)
    assert mark.inner_text() == "🔴"
    assert "data:image/svg" in mark.evaluate("node => getComputedStyle(node).backgroundImage")


def test_nothing_to_press_is_smaller_than_a_fingertip(window: Open) -> None:
    olu = window()
    for place in (OWNERS, "home", "dm"):
        olu.page.set_viewport_size({"width": 1280, "height": 740})
        olu.be(OLU, place)
        assert olu.page.evaluate(SMALL) == []
        olu.page.set_viewport_size({"width": 360, "height": 740})
        assert olu.page.evaluate(SMALL) == []

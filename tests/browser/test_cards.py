"""Cards in Microsoft's own renderer: what somebody wrote is shown as it is, and only our times, links and mentions work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.chat.forms import request as request_form
from bot.chat.message import Line, Message, Quote
from bot.chat.messages.approval_card import approval_card
from bot.chat.rich import Time, say
from bot.teams.cards.form_view import form_card
from bot.teams.cards.render import card_of
from tests.support import views
from tests.support.teams_text import HOSTILE, JOINER, elements, hostile

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.chromium, pytest.mark.teams]

RENDERER = Path(__file__).parents[2] / "bot" / "sandbox" / "page" / "static" / "vendor" / "adaptivecards.min.js"
OLU = "teams:person:11111111-2222-3333-4444-555555555551"
# What goes through markdown is kept, and shown as it is: whoever has markdown would format it.
DRAW = """card => {
  const markdown = [];
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    markdown.push(text);
    const node = document.createElement('p');
    node.textContent = text;
    result.outputHtml = node.outerHTML;
    result.didProcess = true;
  };
  const drawn = new AdaptiveCards.AdaptiveCard();
  const context = new AdaptiveCards.SerializationContext();
  drawn.parse(card, context);
  document.body.replaceChildren(drawn.render());
  const problems = [...Array(context.eventCount).keys()].map(at => context.getEventAt(at).message);
  const all = name => [...document.querySelectorAll(name)];
  // What opens under a button is drawn when it opens.
  let whole = document.body.textContent;
  for (const button of all('button[aria-expanded]')) {
    button.click();
    whole += document.body.textContent;
  }
  return {
    markdown, problems,
    text: document.body.innerText,
    whole,
    tags: [...new Set(all('body *').map(node => node.tagName))],
    links: all('a').map(node => node.getAttribute('href')),
    buttons: all('button').map(node => node.innerText),
  };
}"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    if not RENDERER.exists():
        pytest.skip("needs Microsoft's renderer, which the sandbox's page brings")
    found = chromium.new_page(timezone_id="Asia/Tokyo", locale="en-GB")
    found.set_content("<title>Cards</title>")
    found.add_script_tag(path=RENDERER)
    yield found
    found.close()


def drawn(page: Page, card: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(DRAW, card)
    assert found["problems"] == []
    assert not {"IMG", "SCRIPT", "IFRAME"} & set(found["tags"])
    return {**found, **{name: found[name].replace(JOINER, "") for name in ("text", "whole")}}


def test_a_time_is_the_readers_own(page: Page) -> None:
    at = views.NOW + timedelta(days=2)
    shown = drawn(page, card_of(Message((), (Line(say("until {} by {}", Time(at, views.NOW), "Olu")),))))
    assert re.search(r"until Mon,? 23 Nov 2026, 12:12 by Olu", shown["text"]), shown["text"]


@pytest.mark.parametrize("worst", HOSTILE)
def test_what_somebody_wrote_is_shown_as_it_is(page: Page, worst: str) -> None:
    view = replace(views.every_state()["pending, dangerous"], called_names={OLU: "Olu Owner"})
    card = card_of(hostile(approval_card(view, {"security": [OLU]}), worst))
    shown = drawn(page, card)
    written = [run["text"].replace(JOINER, "") for run in elements(card) if run.get("type") == "TextRun"]
    for text in (text.strip() for text in written if "{{TIME(2026-11-21" not in text):
        assert text in shown["whole"]
    assert all(re.fullmatch(r"🔔 (<at>[^<>]*</at>(, )?)+", text) for text in shown["markdown"])
    assert set(shown["links"]) <= {"https://tickets.example.com/INC-42"}


@pytest.mark.parametrize("worst", HOSTILE)
def test_a_reason_in_a_quote_is_the_reason(page: Page, worst: str) -> None:
    card = card_of(Message((), (Quote(worst),)))
    assert drawn(page, card)["text"].strip() == card["body"][0]["items"][0]["inlines"][0]["text"].replace(JOINER, "")


@pytest.mark.parametrize("worst", HOSTILE)
def test_no_choice_and_no_label_of_a_form_is_more_than_text(page: Page, worst: str) -> None:
    chosen = request_form.Chosen("payments-prod", "admin", "why", timedelta(hours=1), "INC-1")
    form = hostile(request_form.request_form([views.environment()], chosen), worst)
    shown = drawn(page, form_card(form, {"reason": worst}))
    assert not [text for text in shown["markdown"] if re.search(r"[*`~\\]|\]\(|<[A-Za-z/!]|\{\{|^[-+#>]", text)]
    assert shown["links"] == []


def test_what_wants_one_reason_asks_for_it_under_its_button(page: Page) -> None:
    shown = drawn(page, card_of(approval_card(views.every_state()["pending, dangerous"])))
    assert shown["buttons"][:2] == ["Approve", "Deny"]
    # The last one that was opened.
    page.get_by_label("Why not?").fill("not tonight", timeout=2000)
    assert page.get_by_role("button", name="Deny").count() == 2

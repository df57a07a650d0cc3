"""Slack's markup and the completion, called in the page that has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.people import DANA, TEAM, Window

pytestmark = pytest.mark.chromium
Open = Callable[[], Window]

DRAWN = """async text => {
  const { mrkdwn } = await import('./static/mrkdwn.js');
  const node = document.createElement('div');
  node.append(...mrkdwn(text));
  return node.innerHTML;
}"""
COMPLETED = """async text => {
  const { complete } = await import('./static/completion.js');
  const { state } = await import('./static/store.js');
  return complete(text, { start: state.start, ids: ['PA-7', 'PA-3'] }).items.map(item => item.label);
}"""

MARKUP = {
    "*bold* _it_ ~no~ `a*b*c`": "<strong>bold</strong> <em>it</em> <s>no</s> <code>a*b*c</code>",
    "2*3*4 snake_case_name": "2*3*4 snake_case_name",
    "&lt;b&gt; &amp;amp;": "&lt;b&gt; &amp;amp;",
    "<img src=x onerror=alert(1)>": "img src=x onerror=alert(1)",
    "<javascript:alert(1)|press>": "press",
    "> one\n&gt; two\nthree": "<blockquote>one<br>two</blockquote>three",
    "```\nx *y*\n```": "<pre><code>x *y*</code></pre>",
    "<https://a.example/?q=1&amp;r=2|there>": (
        '<a href="https://a.example/?q=1&amp;r=2" target="_blank" rel="noopener noreferrer">there</a>'
    ),
    "<@U0DANA> <@U0OLU>": '<span class="mention own">@Dana Dev</span> <span class="mention">@Olu Owner</span>',
    "<!subteam^S1|@oncall> <!here>": '<span class="mention">@oncall</span> <span class="mention">@here</span>',
    ":warning: :no_such_thing: 10:20:30": '<span class="mark mark-warning">⚠️</span> :no_such_thing: 10:20:30',
}


@pytest.fixture(scope="module")
def dana(chromium: Any, address: str) -> Window:
    return Window(chromium.new_page(), address).be(DANA, TEAM)


@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_drawn_as_slack_draws_it_and_never_as_html(dana: Window, text: str) -> None:
    assert dana.page.evaluate(DRAWN, text) == MARKUP[text]


def test_a_date_is_shown_by_the_readers_own_clock(chromium: Any, address: str) -> None:
    page = chromium.new_page(timezone_id="Asia/Tokyo", locale="en-GB")
    Window(page, address).be(DANA, TEAM)
    drawn = page.evaluate(DRAWN, "<!date^1795239490^{date_num} {time}|05:38 UTC>")
    page.close()
    assert "21/11/2026 14:38" in drawn
    assert 'title="05:38 UTC"' in drawn


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("/p", ["/prodaccess"]),
        ("/prodaccess appr", ["approve"]),
        ("/prodaccess approve ", ["PA-7", "PA-3"]),
        ("/prodaccess orders-prod re", ["read-only", "reports", "repair-orders"]),
        ("/prodaccess orders-prod read-only ", ["20 s", "30 min", "1 h"]),
        ("/prodaccess orders-prod read-only 20s because ", []),
        ("hello", []),
    ],
)
def test_what_could_come_next_in_a_command_is_offered(dana: Window, typed: str, offered: list[str]) -> None:
    assert dana.page.evaluate(COMPLETED, typed) == offered

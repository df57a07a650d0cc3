"""What somebody does in front of the sandbox's page, and what the tests look for there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # it may not be installed: then the tests are skipped
    from playwright.sync_api import Locator, Page

DANA, OLU, PAT, SID, MAX, NIA = "U0DANA", "U0OLU", "U0PAT", "U0SID", "U0MAX", "U0NIA"
TEAM, OWNERS, RECEIPTS, INCIDENT = "C0ORDERSDEV", "C0ORDERSOPS", "C0ACCESSLOG", "C0INC7"


def see(locator: Locator, count: int | None = None) -> None:
    """Until it is there; with `count`, until so many of them are."""
    from playwright.sync_api import expect

    if count is None:
        expect(locator).to_be_visible()
    else:
        expect(locator.filter(visible=True)).to_have_count(count)


class Window:
    """One browser window, in which one is somebody at a time."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.said: list[str] = []
        """What the page complained of in its console."""
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("console", lambda line: self.said.append(line.text) if line.type == "error" else None)

    def be(self, person: str, place: str) -> Window:
        self.page.goto(f"{self.address}#as={person}&in={place}")
        self.page.locator(f"#left [data-focus='as/{person}'][aria-current]").wait_for()
        self.page.locator(f"#left [data-focus='in/{place}'][aria-current]").wait_for()
        return self

    def in_teams(self, person: str, place: str = "bot") -> Window:
        """In front of Teams alone; `place`: `bot`, or a channel's name."""
        self.page.goto(f"{self.address}#as={person}&in={TEAM}&chat=teams&tas={person}&tin={place}")
        self.page.locator(f"#teams .t-place[data-key='{person} {place}']").wait_for()
        return self

    def beside(self, in_slack: str, room: str, in_teams: str, place: str = "bot") -> Window:
        """Somebody in Slack, somebody in Teams, side by side."""
        self.page.goto(f"{self.address}#as={in_slack}&in={room}&chat=both&tas={in_teams}&tin={place}")
        self.page.locator(f"#left [data-focus='as/{in_slack}'][aria-current]").wait_for()
        self.page.locator(f"#teams .t-place[data-key='{in_teams} {place}']").wait_for()
        return self

    def types_in_teams(self, text: str) -> None:
        self.teams_composer.fill(text)
        self.teams_composer.press("Escape")
        self.teams_composer.press("Enter")

    @property
    def teams_composer(self) -> Locator:
        return self.page.locator("#teams .say")

    def teams_post(self, *words: str) -> Locator:
        """The newest message in front in Teams that has all these words."""
        found = self.page.locator("#teams .t-bubble")
        for word in words:
            found = found.filter(has_text=word)
        return found.last

    def teams_button(self, post: Locator, words: str) -> Locator:
        return post.locator("button").filter(has_text=re.compile(f"^{re.escape(words)}$"), visible=True)

    def types(self, text: str) -> None:
        """Into the composer, and sends it."""
        self.composer.fill(text)
        self.composer.press("Enter")

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("combobox", name="/prodaccess")

    @property
    def modal(self) -> Locator:
        return self.page.locator("#modal")

    @property
    def aws(self) -> Locator:
        return self.page.get_by_role("region", name="What is true in AWS now")

    def post(self, *words: str) -> Locator:
        """The newest message in front that has all these words."""
        found = self.page.locator("#posts article")
        for word in words:
            found = found.filter(has_text=word)
        return found.last

    def button(self, post: Locator, words: str) -> Locator:
        """By what stands on it; what a screen reader says of it is longer."""
        return post.locator("button, a.button").filter(has_text=re.compile(f"^{re.escape(words)}$"))

    def violations(self, axe: str) -> list[Any]:
        """What axe-core finds that is serious or worse: rule, and where."""
        self.page.evaluate(axe)
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        grave = [each for each in found["violations"] if each["impact"] in {"serious", "critical"}]
        return [(each["id"], [node["target"] for node in each["nodes"]]) for each in grave]

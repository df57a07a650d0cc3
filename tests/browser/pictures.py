"""Takes the pictures of README and guide from the running page: `python -m tests.browser.pictures [FOLDER]`. Needs Chromium."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.conftest import WAIT_MS_MAX, chromium_path
from tests.browser.people import DANA, INCIDENT, NIA, OLU, OWNERS, TEAM, Window, see
from tests.browser.running import running

if TYPE_CHECKING:  # it may not be installed: then there are no new pictures
    from playwright.sync_api import Browser, Locator

FOLDER = Path(__file__).parents[2] / "docs" / "images"
BYTES_MAX = 250_000
SIZE = {"width": 1280, "height": 800}

Take = Callable[[str, "Locator"], None]


def main(folder: Path = FOLDER) -> int:
    """Returns the exit code. Without Chromium nothing is done, and that is said."""
    path = chromium_path()
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        path = None
    if path is None:
        sys.stdout.write("The pictures stay as they are: Chromium, or playwright which drives it, is not here.\n")
        return 0
    expect.set_options(timeout=WAIT_MS_MAX)
    folder.mkdir(parents=True, exist_ok=True)
    with running() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        taken = _take_all(browser, address, folder)
        browser.close()
    large = [each for each in taken if each.stat().st_size > BYTES_MAX]
    sys.stdout.writelines(f"{each} has more than {BYTES_MAX} bytes.\n" for each in large)
    return 1 if large else 0


def _take_all(browser: Browser, address: str, folder: Path) -> list[Path]:
    taken: list[Path] = []

    def take(name: str, what: Locator) -> None:
        taken.append(folder / f"{name}.png")
        what.page.mouse.move(0, 0)
        what.screenshot(path=taken[-1], animations="disabled")

    context = browser.new_context(viewport=SIZE, locale="en-GB", color_scheme="light", reduced_motion="reduce")  # type: ignore[arg-type] # a size
    context.set_default_timeout(WAIT_MS_MAX)
    window = Window(context.new_page(), address)
    _asking(window, take)
    _deciding(window, take)
    _whole_page(window, take)
    _breaking_the_glass(window, take)
    return taken


def _asking(window: Window, take: Take) -> None:
    window.be(DANA, TEAM)
    window.page.get_by_role("button", name="Close the guide").click()
    window.types("/prodaccess")
    see(window.modal)
    window.modal.get_by_label("Environment").select_option("orders-prod")
    window.modal.get_by_label("Role").select_option("read-only")
    window.modal.get_by_label("Why").fill("ORD-17 checkout errors since the deploy")
    take("form", window.modal)
    window.page.keyboard.press("Escape")
    window.modal.wait_for(state="hidden")
    window.types("/prodaccess orders-prod repair-orders 30m ORD-17 orders that got stuck since the deploy")
    see(window.post("You asked for", "ORD-17"))
    window.types("/prodaccess orders-prod read-only 30m INC-7 checkout errors")
    see(window.post("You asked for", "INC-7"))


def _deciding(window: Window, take: Take) -> None:
    window.be(OLU, OWNERS)
    card = window.post("ORD-17")
    see(window.button(card, "Approve"))
    take("card-pending", card)
    window.button(card, "Approve").click()
    see(window.post("ORD-17", "Active"))
    take("card-active", window.post("ORD-17", "Active"))


def _whole_page(window: Window, take: Take) -> None:
    """One has access by a policy that AWS ends itself, and another waits to be decided."""
    window.be(OLU, OWNERS)
    see(window.aws.get_by_text("min left"))
    see(window.page.get_by_role("region", name="Audit log").get_by_text("active until").first)
    take("sandbox", window.page.locator("html"))


def _breaking_the_glass(window: Window, take: Take) -> None:
    window.be(NIA, INCIDENT).types("/prodaccess break-glass orders-prod admin 15m INC-7 all down")
    window.be(OLU, OWNERS)
    card = window.post("INC-7 all down", "Active")
    see(card)
    take("break-glass", card)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))

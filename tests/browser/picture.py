"""Takes the picture of the sandbox that the README shows: `python -m tests.browser.picture [FILE]`. Needs Chromium."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import chromium_path
from tests.browser.people import DANA, OLU, OWNERS, TEAM, Window, see
from tests.browser.running import running

FILE = Path(__file__).parents[2] / "docs" / "images" / "sandbox.png"
BYTES_MAX = 250_000
VIEWPORT = {"width": 1280, "height": 800}


def main(file: Path = FILE) -> None:
    with running() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        page = browser.new_page(viewport=VIEWPORT, locale="en-GB", color_scheme="light", reduced_motion="reduce")  # type: ignore[arg-type] # a size
        _play(page, address)
        file.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=file)
        browser.close()
    if file.stat().st_size > BYTES_MAX:
        sys.exit(f"{file} has more than {BYTES_MAX} bytes")


def _play(page: Page, address: str) -> None:
    """Until one has access by a policy that AWS ends itself, and another waits to be decided."""
    window = Window(page, address).be(DANA, TEAM)
    window.types("/prodaccess orders-prod repair-orders 30m ORD-17 orders that got stuck since the deploy")
    see(window.post("You asked for", "ORD-17"))
    window.types("/prodaccess orders-prod read-only 20s INC-7 checkout errors")
    see(window.post("You asked for", "INC-7"))
    window.be(OLU, OWNERS)
    window.button(window.post("ORD-17"), "Approve").click()
    see(window.post("ORD-17", "Active"))
    see(window.aws.get_by_text("min left"))
    see(window.page.get_by_role("region", name="Audit log").get_by_text("active until").first)
    page.get_by_role("button", name="Close the guide").click()
    page.mouse.move(0, 0)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

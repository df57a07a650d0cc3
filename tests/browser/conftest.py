"""A sandbox for each module, and a Chromium to look at its page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.people import Window
from tests.browser.running import running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Of a test: pages are quick, and a machine on which all other tests begin at the same time is not.
WAIT_MS_MAX = 60_000


def chromium_path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Of the module alone: while it is open this thread counts as running an event loop, which other tests start."""
    path = chromium_path()
    if path is None:
        pytest.skip(f"needs Chromium: none of {', '.join(NAMES)} is on PATH")
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        pytest.skip("needs Chromium: playwright, which drives it, is not installed")
    expect.set_options(timeout=WAIT_MS_MAX)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(chromium: Browser) -> Iterator[str]:
    with running() as found:
        yield found


@pytest.fixture
def window(chromium: Browser, address: str) -> Iterator[Callable[[], Window]]:
    """Opens windows. What the page complains of in its console fails the test."""
    windows: list[Window] = []

    def opened() -> Window:
        context = chromium.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(WAIT_MS_MAX)
        windows.append(Window(context.new_page(), address))
        return windows[-1]

    yield opened
    for each in windows:
        each.page.context.close()
    assert [each.said for each in windows if each.said] == []


@pytest.fixture(scope="session")
def axe() -> str:
    return Path(__file__).with_name("axe.min.js").read_text(encoding="utf-8")

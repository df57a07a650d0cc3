"""The sandbox as `prodaccess sandbox` runs it, for a module's tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.sandbox.page.sandbox import Sandbox
from bot.settings import process_environ


@contextmanager
def running() -> Iterator[str]:
    """The page's address."""
    with Sandbox(process_environ()) as sandbox:
        yield sandbox.address

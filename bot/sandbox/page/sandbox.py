"""The installation with the page on it, as one thing to enter and leave."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Self

from bot.sandbox.installation.installation import Installation
from bot.sandbox.installation.interrupts import CONFIG, example_policy
from bot.sandbox.installation.people import aws_world, slack_world
from bot.sandbox.installation.terminal import announced
from bot.sandbox.page.page import Page


class Sandbox:
    """`with Sandbox(process_environ()) as sandbox:` and open `sandbox.address`.

    Raise InstallationError where it cannot be built.
    """

    def __init__(self, environ: Mapping[str, str], *, port: int = 0) -> None:
        self.policy = example_policy(CONFIG)
        self.installation = Installation(environ, CONFIG, slack_world(), aws_world(), slack_port=port)
        self.page = Page(self.installation.slack, self.installation.aws, self.installation, self.policy)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.installation)
            stack.enter_context(announced(self.installation.terminal()))
            stack.enter_context(self.page.watching(stack.enter_context(self.installation.ledger())))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def address(self) -> str:
        """With the token: who has it can play anybody."""
        return self.page.url

"""The installation with the page on it, as one thing to enter and leave."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Self

from bot.sandbox.installation.installation import Installation
from bot.sandbox.installation.interrupts import CONFIG, example_policy
from bot.sandbox.installation.people import NEW_IN_TEAMS, PLAYERS, aws_world, slack_world, teams_world
from bot.sandbox.installation.second_chat import confirmed_in_teams, known_in_slack
from bot.sandbox.installation.terminal import announced
from bot.sandbox.page.page import Page
from bot.sandbox.page.playground import running
from bot.sandbox.teams.server import TeamsServer


class Sandbox:
    """`with Sandbox(process_environ()) as sandbox:` and open `sandbox.address`.

    Raise InstallationError where it cannot be built.
    """

    def __init__(self, environ: Mapping[str, str], *, port: int = 0) -> None:
        self.policy = example_policy(CONFIG)
        self.teams = teams = TeamsServer(teams_world)
        self.installation = Installation(environ, CONFIG, slack_world(), aws_world(), slack_port=port, teams=teams)
        self.page = Page(self.installation.slack, teams, self.installation.aws, self.installation, self.policy)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.installation)
            self.policy = example_policy(self.installation.config)
            stack.enter_context(announced(self.installation.terminal()))
            known_in_slack(self.installation, PLAYERS)
            confirmed_in_teams(self.installation, (player for player in PLAYERS if player is not NEW_IN_TEAMS))
            self.page.all_read()
            stack.enter_context(self.page.watching(stack.enter_context(self.installation.ledger())))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def playground(self, environ: Mapping[str, str]) -> AbstractContextManager[str]:
        """While entered Microsoft's playground runs, too: the address of its page. Raise InstallationError."""
        return running(environ, self.teams.relay, self.teams.world, self.installation.folder)

    @property
    def address(self) -> str:
        """With the token: who has it can play anybody."""
        return self.page.url

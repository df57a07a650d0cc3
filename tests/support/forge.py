"""A world in memory in which GitHub holds deployments back, over HTTP: `github` is the stand-in, `door` what hears it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from bot.forge.app_login import AppLogin
from bot.forge.calls import Calls
from bot.forge.comments import GitHubComments
from bot.forge.door import PATH, EventsDoor
from bot.forge.github import GitHub as Api
from bot.runtime.operations import app_of
from bot.settings import Settings
from tests.support import github
from tests.support.gate_door import Client
from tests.support.gates import PIPELINE, Gates, gated
from workflows.core import keys
from workflows.core.policy import Policy
from workflows.core.records.forge import ForgeWait
from workflows.usecases.gates.forge_see_to import see_to
from workflows.usecases.gates.forge_wait import remember

RULE = replace(
    PIPELINE,
    events=("push", "workflow_dispatch", "schedule"),
    workflow="acme/orders/.github/workflows/deploy.yml@refs/heads/main",
    environments=("payments-prod",),
    rule="deploy",
)


def ruled(**changes: Any) -> Policy:
    """A policy by which GitHub's production waits at the gate of payments-prod."""
    return gated(**{"pipelines": (RULE,), **changes})


class Held(Gates):
    """`sees`: whether workers see to what waits; a test may do it by hand."""

    def __init__(self, there: github.GitHub, key_file: Path, policy: Policy | None = None) -> None:
        super().__init__(policy or ruled())
        self.github = there
        there.now_s = lambda: self.clock.now().timestamp()
        call = Calls(there.url, self.clock.now)
        self.login = AppLogin(github.APP_ID, key_file, call, self.clock.now, self.clock.monotonic)
        self.api = Api(call, self.login)
        self.forge = lambda ctx, id_: see_to(ctx, self.api, GitHubComments("/prodaccess"), id_)
        settings = Settings(github_webhook_secret=github.SECRET, github_api_url=there.url)
        self.door = EventsDoor(settings, lambda wait, forge, once: remember(self.ctx, wait, forge, once))

    def hears(self, message: dict[str, Any] | bytes, **more: str | bytes) -> httpx.Response:
        """GitHub delivers it, signed, unless `more` says otherwise."""
        body = message if isinstance(message, bytes) else github.written(message)
        with Client(app_of(self.door.routes(), None)) as client:
            return client.post(PATH, content=body, headers={**github.heads(body), **more})

    def waits_there(self, environment: str = "production", **changes: Any) -> github.Run:
        """A run waits, GitHub has said so, and a worker has looked."""
        run = self.github.waits(environment, **changes)
        answer = self.hears(self.github.message(run, environment))
        assert answer.status_code == 202, answer.text
        self.work()
        return run

    @property
    def held(self) -> list[ForgeWait]:
        """What waits on the record."""
        names = sorted(self.ledger.records("forge"))
        found = self.ledger.read(*names)
        return [one for name in names if (one := found.get(name, ForgeWait)) is not None]

    def ask_of(self, run: github.Run) -> str:
        """The id of the ask that was made for it."""
        waits = [one for one in self.held if one.run == str(run.id)]
        assert len(waits) == 1, waits
        assert waits[0].request is not None, waits
        return waits[0].request

    def reviews(self) -> list[tuple[str, str]]:
        return [(state, comment) for _, _, state, comment in self.github.reviews]

    def pending(self) -> list[str]:
        return list(self.ledger.members(keys.PENDING))


@contextmanager
def holding(tmp_path: Path, policy: Policy | None = None) -> Iterator[Held]:
    with github.running(lambda: 0.0) as there:
        yield Held(there, github.write_app_key(tmp_path / "app.pem"), policy)

"""A record of asks in memory, and the door in front of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx

from bot.gate.asks import Asked, No, Standing, State
from bot.gate.codes import Problem
from bot.gate.door import Door
from bot.settings import Settings
from tests.support.issuer import AUDIENCE
from tests.support.pipelines import github_pipeline
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.identity import PipelineRun
from workflows.core.pipelines.judge import NotAllowed, judge
from workflows.ports import LedgerUnreachable
from workflows.usecases.gates.ask import Words

NOW = datetime(2026, 11, 27, 3, 20, tzinfo=UTC)


class Client:
    """Asks an ASGI app, in an event loop of its own."""

    def __init__(self, app: Any) -> None:
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://web")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._http.aclose())
        self._runner.close()

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self._runner.run(self._http.get(path, **more))

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self._runner.run(self._http.post(path, **more))


@dataclass
class MemoryAsks:
    """`Asks`. `asked`: what was recorded, by id. `breaks`: raised by all that is called."""

    named: tuple[Pipeline, ...] = (github_pipeline(),)
    clock: Callable[[], datetime] = lambda: NOW
    asked: dict[str, tuple[PipelineRun, Words]] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    used: dict[str, datetime] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    breaks: Exception | None = None
    looked: int = 0
    looks_again: int = 0
    came: threading.Event = field(default_factory=threading.Event)

    def pipelines(self) -> Sequence[Pipeline]:
        return self.named

    def now(self) -> datetime:
        self._breaks()
        return self.clock()

    def ask(
        self, run: PipelineRun, words: Words, ticket_hash: str, once: str, until: datetime, commit_id: str
    ) -> Asked | No:
        self._breaks()
        if commit_id in self.answers:
            return self.answers[commit_id]  # type: ignore[no-any-return]  # as it was given
        allowed = judge(self.named, run, words.environment)
        if isinstance(allowed, NotAllowed):
            return No(Problem.NOT_ALLOWED, allowed.sentence)
        if once in self.used:
            return No(Problem.USED, "This token has asked already.")
        self.used[once] = until
        id_ = f"PA-{len(self.asked) + 1}"
        self.asked[id_] = run, words
        self.standings[id_] = Standing(State.WAITING, ticket_hash)
        found = self.answers[commit_id] = Asked(
            id_, self.clock() + timedelta(hours=1), "It needs approval from 1 of platform."
        )
        self.came.set()
        return found

    def standing(self, id_: str) -> Standing | None:
        self._breaks()
        self.looked += 1
        return self.standings.get(id_)

    def redeem(self, id_: str, commit_id: str) -> No | None:
        self._breaks()
        if commit_id in self.answers:
            return self.answers[commit_id]  # type: ignore[no-any-return]  # as it was given
        if self.looks_again:
            self.looks_again -= 1
            return No(Problem.LOOKED_AT_AGAIN, "It is looked at again.")
        if self.standings[id_].state is not State.APPROVED:
            return No(Problem.REFUSED, "This decision was used already.")
        self.answers[commit_id] = None
        self._becomes(id_, State.USED)
        return None

    def withdraw(self, id_: str, commit_id: str) -> No | None:
        self._breaks()
        del commit_id
        self._becomes(id_, State.WITHDRAWN)
        return None

    def decide(self, id_: str, state: State, by: str = "Olu Owner", reason: str = "") -> None:
        self._becomes(id_, state, by=by, reason=reason, at=NOW)

    def goes_away(self) -> None:
        self.breaks = LedgerUnreachable("gone")

    def _becomes(self, id_: str, state: State, **more: Any) -> None:
        self.standings[id_] = replace(self.standings[id_], state=state, **more)

    def _breaks(self) -> None:
        if self.breaks is not None:
            raise self.breaks


def door_of(asks: MemoryAsks, url: str | None = AUDIENCE, *, aws_is_real: bool = False) -> Door:
    settings = Settings(url=url, aws_is_real=aws_is_real)
    return Door(settings, lambda: bool(asks.named), lambda: asks)

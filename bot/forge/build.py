"""A worker's way to GitHub and GitLab, made when the first deployment waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.forge.comments import GitHubComments
from bot.monotonic import monotonic_s
from bot.settings import Settings
from workflows.core.pipelines.identity import Forge as Kind
from workflows.core.rules.forge_run import forge_of
from workflows.ports import ForgeSilent
from workflows.usecases.gates.forge_see_to import see_to
from workflows.usecases.gates.forge_wait import remember
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.troubles import Failure, note

if TYPE_CHECKING:
    from bot.forge.app_login import AppLogin
    from bot.forge.calls import Call
    from bot.forge.gitlab_login import TokenLogin
    from workflows.core.records.forge import ForgeWait
    from workflows.core.rules.forge_run import BranchSeen, RunSeen
    from workflows.ports import BeforeSend, Forge

_NO_APP = "GITHUB_APP_ID and GITHUB_APP_KEY are not set for a worker: it can neither ask GitHub nor tell it anything"
_NOT_GIVEN = "GITLAB_TOKEN is not set for a worker: it sees nothing of what waits at GitLab, and tells GitLab nothing"
# What goes wrong while nothing waits is told under these names.
_HEARS, _LOOKS = "process:github", "process:gitlab"


class NoWay:
    """A `Forge` of a worker that was not given what it takes: nobody can tell anything. `why`: in words for people."""

    def __init__(self, why: str) -> None:
        self._why = why

    def run(self, wait: ForgeWait) -> RunSeen | None:  # noqa: ARG002 - as all of them have it
        raise ForgeSilent(self._why)

    def branch(self, wait: ForgeWait, seen: RunSeen) -> BranchSeen | None:  # noqa: ARG002 - as above
        raise ForgeSilent(self._why)

    def authors(self, wait: ForgeWait, seen: RunSeen) -> frozenset[int]:  # noqa: ARG002 - as above
        raise ForgeSilent(self._why)

    def went_on(self, wait: ForgeWait) -> bool:  # noqa: ARG002 - as above
        raise ForgeSilent(self._why)

    def answer(self, wait: ForgeWait, *, approved: bool, comment: str, before_send: BeforeSend) -> bool:  # noqa: ARG002
        raise ForgeSilent(self._why)


class Ways:
    """A `Forge` that is each of them, by where a deployment waits. Each is made when one does there."""

    def __init__(self, made: Mapping[Kind, Callable[[], Forge]]) -> None:
        self._make, self._made, self._lock = made, dict[Kind, "Forge"](), threading.Lock()

    def run(self, wait: ForgeWait) -> RunSeen | None:
        return self._of(wait).run(wait)

    def branch(self, wait: ForgeWait, seen: RunSeen) -> BranchSeen | None:
        return self._of(wait).branch(wait, seen)

    def authors(self, wait: ForgeWait, seen: RunSeen) -> frozenset[int]:
        return self._of(wait).authors(wait, seen)

    def went_on(self, wait: ForgeWait) -> bool:
        return self._of(wait).went_on(wait)

    def answer(self, wait: ForgeWait, *, approved: bool, comment: str, before_send: BeforeSend) -> bool:
        return self._of(wait).answer(wait, approved=approved, comment=comment, before_send=before_send)

    def _of(self, wait: ForgeWait) -> Forge:
        kind = forge_of(wait)
        with self._lock:
            if kind not in self._made:
                self._made[kind] = self._make[kind]()
            return self._made[kind]


def keeper(settings: Settings, context: WorkerContext) -> Callable[[str], None]:
    """What sees to one deployment that waits, by its id."""
    ways = Ways(
        {
            Kind.GITHUB: lambda: _way(lambda: _github(settings, context)),
            Kind.GITLAB: lambda: _way(lambda: _gitlab(settings, context)),
        }
    )
    return lambda id_: see_to(context, ways, GitHubComments(settings.command), id_)


def hear_again(settings: Settings, context: WorkerContext) -> Callable[[], None]:
    """What has GitHub repeat what was said in vain."""

    def made() -> Callable[[], object]:
        from bot.forge.hear_again import HearAgain  # noqa: PLC0415 - wants cryptography

        call, login = _app(settings, context)
        return HearAgain(call, login, context.ledger.now).look

    return _told(context, _HEARS, made)


def look_at_gitlab(settings: Settings, context: WorkerContext) -> Callable[[], None]:
    """What asks GitLab which deployments wait."""

    def made() -> Callable[[], object]:
        from bot.forge.gitlab_waiting import GitLabWaiting  # noqa: PLC0415 - where there is a token

        ask, now = login_at_gitlab(settings, context.ledger.now), context.ledger.now
        waiting = GitLabWaiting(ask, settings.gitlab_api_url, now, partial(remember, context))
        return lambda: waiting.look(context.policy.current().pipelines)

    return _told(context, _LOOKS, made)


def _told(context: WorkerContext, item: str, make: Callable[[], Callable[[], object]]) -> Callable[[], None]:
    """A look that is made when it is wanted first. That there is none, or that the forge is silent, people hear as `item`."""
    found: list[Callable[[], object]] = []

    def look() -> None:
        try:
            if not found:
                found.append(make())
            found[0]()
        except ForgeSilent as problem:
            note(context, item, Failure(str(problem)))

    return look


def _way(make: Callable[[], Forge]) -> Forge:
    try:
        return make()
    except ForgeSilent as problem:
        return NoWay(str(problem))


def _github(settings: Settings, context: WorkerContext) -> Forge:
    """Raises ForgeSilent."""
    from bot.forge.github import GitHub  # noqa: PLC0415 - wants cryptography

    return GitHub(*_app(settings, context))


def login_at_gitlab(settings: Settings, now: Callable[[], datetime]) -> TokenLogin:
    """Raises ForgeSilent."""
    from bot.forge.calls import GITLAB, Calls  # noqa: PLC0415 - where there is a token
    from bot.forge.gitlab_login import TokenLogin  # noqa: PLC0415 - as above

    token = settings.secrets.of("gitlab_token")
    if token is None:
        raise ForgeSilent(_NOT_GIVEN)
    return TokenLogin(Calls(settings.gitlab_api_url, now, GITLAB), token)


def _gitlab(settings: Settings, context: WorkerContext) -> Forge:
    """Raises ForgeSilent."""
    from bot.forge.gitlab import GitLab  # noqa: PLC0415 - where a deployment waits there

    return GitLab(login_at_gitlab(settings, context.ledger.now))


def _app(settings: Settings, context: WorkerContext) -> tuple[Call, AppLogin]:
    """Raises ForgeSilent."""
    from bot.forge.app_login import AppLogin  # noqa: PLC0415 - wants cryptography
    from bot.forge.calls import Calls  # noqa: PLC0415 - as above

    if settings.github_app_id is None or settings.github_app_key is None:
        raise ForgeSilent(_NO_APP)
    now = context.ledger.now
    call = Calls(settings.github_api_url, now)
    return call, AppLogin(settings.github_app_id, Path(settings.github_app_key), call, now, monotonic_s)

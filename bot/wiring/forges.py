"""What a worker does by itself about forges that hold deployments back. It is made where the policy has one do so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.settings import Settings
from workflows.core.pipelines.allowed import holds_back
from workflows.core.pipelines.identity import Forge
from workflows.ports import PolicyUnavailable
from workflows.usecases.shared.context import WorkerContext

HEAR_AGAIN_EVERY_S = 60.0
# Somebody waits for their pipeline; each environment costs one call.
GITLAB_EVERY_S = 15.0


@dataclass(frozen=True, slots=True)
class ForgeLook:
    """`name`: under which what goes wrong with it is told."""

    name: str
    look: Callable[[], None]
    every_s: float


def looks(settings: Settings, context: WorkerContext) -> tuple[ForgeLook, ...]:
    """Also of a worker that was given no key: it is what tells so."""

    def github() -> Callable[[], None]:
        from bot.forge.build import hear_again  # noqa: PLC0415 - where GitHub holds deployments back

        return hear_again(settings, context)

    def gitlab() -> Callable[[], None]:
        from bot.forge.build import look_at_gitlab  # noqa: PLC0415 - where GitLab holds deployments back

        return look_at_gitlab(settings, context)

    return (
        ForgeLook("github", _where_it_does(context, Forge.GITHUB, github), HEAR_AGAIN_EVERY_S),
        ForgeLook("gitlab", _where_it_does(context, Forge.GITLAB, gitlab), GITLAB_EVERY_S),
    )


def _where_it_does(context: WorkerContext, forge: Forge, make: Callable[[], Callable[[], None]]) -> Callable[[], None]:
    found: list[Callable[[], None]] = []

    def look() -> None:
        try:
            pipelines = context.policy.current().pipelines
        except PolicyUnavailable:
            # Told by whoever reads the folder.
            return
        if holds_back(pipelines, forge):
            if not found:
                found.append(make())
            found[0]()

    return look


def seeing_to_one(settings: Settings, context: WorkerContext) -> Callable[[str], None]:
    """Sees to one deployment that waits, by its id."""
    found: list[Callable[[str], None]] = []

    def see(id_: str) -> None:
        from bot.forge.build import keeper  # noqa: PLC0415 - where a forge holds deployments back

        if not found:
            found.append(keeper(settings, context))
        found[0](id_)

    return see

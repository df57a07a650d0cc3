"""`/gate/v1` in the web process. What proves and answers is imported and built when a pipeline asks for the first time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.routing import Route

from bot.runtime.late_app import LateApp
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.gate.app import GateApp
    from bot.gate.asks import Asks

PREFIX = "/gate/v1/"
_ASKS = f"{PREFIX}asks"
_NOT_SET = (
    "The policy names pipelines, and PRODACCESS_URL is not set for web: no pipeline can ask for a gate. Set it to the address "
    "at which they reach web."
)


class Door:
    """`names_pipelines`: whether the policy in force does. `asks`: builds what the record is asked by. Both may wait for it."""

    def __init__(self, settings: Settings, names_pipelines: Callable[[], bool], asks: Callable[[], Asks]) -> None:
        self._names_pipelines = names_pipelines
        self._asks = asks
        self._app = LateApp(settings.url, lambda url: self._build(url, aws_is_real=settings.aws_is_real))

    def routes(self) -> Sequence[Route]:
        one, answering = f"{_ASKS}/{{id}}", self._app.answering
        return [
            Route(_ASKS, answering(lambda app: app.ask), methods=["POST"]),
            Route(one, answering(lambda app: app.look), methods=["GET"]),
            Route(f"{one}/redeem", answering(lambda app: app.redeem), methods=["POST"]),
            Route(f"{one}/withdraw", answering(lambda app: app.withdraw), methods=["POST"]),
        ]

    def attention(self) -> list[str]:
        """Why a pipeline of the policy cannot ask, in words. Not in an event loop."""
        if self._app.is_off:
            return [_NOT_SET] if self._names_pipelines() else []
        return self._app.built.attention() if self._app.built is not None else []

    def close(self) -> None:
        self._app.close()

    def _build(self, url: str, *, aws_is_real: bool) -> GateApp:
        from bot.gate import issuers  # noqa: PLC0415 - for pipelines alone
        from bot.gate.app import GateApp  # noqa: PLC0415 - as above
        from bot.gate.proof import Prover  # noqa: PLC0415 - as above
        from bot.monotonic import monotonic_s  # noqa: PLC0415 - as above

        found = issuers.Issuers(monotonic_s, issuers.fetch)
        return GateApp(self._asks(), Prover(found, url, aws_is_real=aws_is_real))

"""The web process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.chat.health import closed_places, not_set_up, troubles
from bot.chat.surface import Surface, Traits
from bot.observability.obstacles import Obstacles
from bot.observability.readiness import (
    away,
    ledger_problems,
    policy_problems,
    policy_waits,
    reasons,
    unreadable,
)
from bot.observability.sealing import seal_attention
from bot.settings import Settings
from bot.wiring.chats import store_of_one, webhooks_when_needed
from bot.wiring.common import Common, RandomSource, build_common
from workflows.core.people import Listed
from workflows.core.pipelines.allowed import holds_back
from workflows.core.pipelines.identity import Forge
from workflows.core.provider import Connection
from workflows.ledger.redis_buckets import RedisBuckets
from workflows.ports import PolicyUnavailable
from workflows.usecases.shared.context import Context

if TYPE_CHECKING:
    from bot.chat.actions.dispatcher import Dispatcher
    from bot.chat.chats import Chats
    from bot.forge.door import EventsDoor
    from bot.gate.asks import Asks
    from bot.gate.door import Door
    from bot.runtime.front import Front
    from bot.terminal_access.door import TerminalDoor


@dataclass(frozen=True, slots=True)
class WebParts(Common):
    """`fronts`: of each chat that is set up, what it brings into the process."""

    dispatcher: Dispatcher
    chats: Chats
    fronts: tuple[Front, ...]
    obstacles: Obstacles
    gate: Door
    terminal: TerminalDoor
    events: EventsDoor | None = None

    def told(self) -> tuple[list[str], list[str]]:
        """Both that follow. Whether the ledger answers is asked once for them: that may take seconds."""
        gone = away(self.ledger)
        return self.missing(gone), self.attention(gone)

    def missing(self, gone: list[str] | None = None) -> list[str]:
        """What a person who runs this must know: every reason why it is not ready, in words. `gone`: `away`, where known."""
        gone = away(self.ledger) if gone is None else gone
        here = (
            lambda: not_set_up(self.policy, self.chats),
            *(front.problems for front in self.fronts),
            self.obstacles.sentences,
        )
        if gone:
            return reasons(lambda: gone, lambda: policy_problems(None, self.policy), *here)
        return reasons(
            lambda: ledger_problems(self.ledger, self.beats),
            lambda: policy_problems(self.ledger, self.policy),
            lambda: troubles(self.context),
            *here,
            lambda: closed_places(self.ledger, self._traits, people=False),
        )

    def attention(self, gone: list[str] | None = None) -> list[str]:
        """What somebody has to look at, although it is ready."""
        here = (self.settings.secrets.attention, *(front.attention for front in self.fronts))
        if away(self.ledger) if gone is None else gone:
            return reasons(*here)
        return reasons(
            lambda: unreadable(self.ledger),
            lambda: policy_waits(self.ledger),
            lambda: seal_attention(self.ledger),
            self.gate.attention,
            lambda: _unheard(self.settings, self.context),
            self.terminal.attention,
            *here,
            lambda: closed_places(self.ledger, self._traits, people=True),
        )

    def _traits(self, place: str) -> Traits:
        return self.chats.of(place).traits


def build_web(settings: Settings) -> WebParts:
    from bot.chat.actions.dispatcher import Dispatcher  # noqa: PLC0415 - the clock does without
    from bot.chat.chats import Chats  # noqa: PLC0415 - as above

    on, met = build_common(settings, for_web=True)
    ahead = on.ledger.ahead
    context = Context(
        on.ledger, on.directory, on.in_force(), on.wake, RandomSource(), fault=on.faults, unreadable=met, ahead=ahead
    )
    dispatcher, obstacles = Dispatcher(context, settings.command), Obstacles()
    surfaces: list[Surface] = []
    fronts: list[Front] = []
    store, buckets = store_of_one(settings, on.directory), RedisBuckets(on.redis)
    if settings.slack_is_on:
        from bot.slack import build as slack  # noqa: PLC0415 - where there is Slack
        from bot.slack.front import build_front  # noqa: PLC0415 - as above
        from bot.slack.surface import Slack  # noqa: PLC0415 - as above

        client = slack.build_client(settings, slack.WEB_TIMEOUT_S)
        people = slack.build_directory(client, buckets, store, on.ledger.now, _no_identity_center)
        surfaces.append(Slack(client))
        fronts.append(build_front(settings, dispatcher, client, people, obstacles))
    if settings.teams_is_on:
        from bot.teams import build as teams  # noqa: PLC0415 - where there is Teams

        chat = teams.build_messenger(settings, on.redis, timeout_s=teams.WEB_TIMEOUT_S)
        their_people = teams.build_directory(
            settings, chat, buckets, store, on.ledger.now, _no_identity_center, timeout_s=teams.WEB_TIMEOUT_S
        )
        surfaces.append(chat)
        fronts.append(teams.build_front(settings, dispatcher, chat, their_people))
    from bot.gate.door import Door  # noqa: PLC0415 - as above
    from bot.terminal_access.door import TerminalDoor  # noqa: PLC0415 - as above

    return WebParts(
        settings,
        *on,
        context,
        dispatcher,
        Chats(*surfaces, later=webhooks_when_needed(settings, on.policy)),
        tuple(fronts),
        obstacles,
        Door(settings, lambda: _names_pipelines(context), lambda: _asks(context, settings.command)),
        TerminalDoor(settings, context, lambda: _names_accounts(context)),
        _events(settings, context) if settings.github_webhook_secret is not None else None,
    )


def _events(settings: Settings, context: Context) -> EventsDoor:
    from bot.forge.door import EventsDoor  # noqa: PLC0415 - where GitHub holds deployments back
    from workflows.usecases.gates.forge_wait import remember  # noqa: PLC0415 - as above

    return EventsDoor(settings, lambda wait, forge, once: remember(context, wait, forge, once))


def _unheard(settings: Settings, context: Context) -> list[str]:
    """Deployments that wait in vain, because GitHub is not heard."""
    if settings.github_webhook_secret is not None:
        return []
    try:
        rules = holds_back(context.policy.current().pipelines, Forge.GITHUB)
    except PolicyUnavailable:
        return []
    from bot.forge.door import NOT_SET  # noqa: PLC0415 - where the policy has such a rule

    return [NOT_SET] if rules else []


def _names_pipelines(context: Context) -> bool:
    try:
        return bool(context.policy.current().pipelines)
    except PolicyUnavailable:
        return False


def _names_accounts(context: Context) -> bool:
    try:
        return bool(context.policy.current().identity_accounts)
    except PolicyUnavailable:
        return False


def _asks(context: Context, command: str) -> Asks:
    from bot.gate.record import RecordAsks  # noqa: PLC0415 - for pipelines alone

    return RecordAsks(context, command)


def _no_identity_center(_connection: Connection, _group: str) -> Listed:
    raise RuntimeError("only workers have cloud credentials")

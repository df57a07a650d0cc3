"""A worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from redis import Redis

from bot.directory.refresh import refresh_away, refresh_groups_of_pending
from bot.directory.tickets import HttpTickets
from bot.monotonic import monotonic_s
from bot.observability.traced_targets import TracedTargets
from bot.providers import PROVIDERS
from bot.runtime.lease_renewal import BackgroundLeaseRenewer
from bot.settings import Settings
from bot.wiring.at_terminal import terminal_acts, vouching
from bot.wiring.chats import build_chats, build_signatures, own_webhooks
from bot.wiring.common import Common, RandomSource, build_common, build_redis
from bot.wiring.forges import ForgeLook, looks, seeing_to_one
from bot.wiring.sealing import REDIS_QUEUE_S, build_sealer
from workflows.core.provider import Connection
from workflows.ledger.redis_buckets import RedisBuckets
from workflows.policy_file import PolicyFolder
from workflows.ports import LedgerUnreachable, PolicyUnavailable
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.installation import installation

if TYPE_CHECKING:
    from bot.chat.actions.deferred import Deferred
    from bot.chat.outbox.reconciler import Reconciler
    from bot.directory.chats import ChatDirectories
    from bot.terminal_access.decide import TerminalActs
    from workflows.usecases.sealing.sealer import Sealer

log = structlog.get_logger()


class Mark:
    """What this installation writes on what it gives: its name, which never changes, read when it is first asked for."""

    def __init__(self) -> None:
        self.context: WorkerContext | None = None
        self._known = ""

    def __call__(self) -> str:
        """Raises LedgerUnreachable, and CorruptRecord where the name cannot be read: nothing is given without it."""
        if not self._known and self.context is not None:
            self._known = installation(self.context).id
        return self._known


@dataclass(frozen=True, slots=True)
class WorkerParts(Common):
    context: WorkerContext
    deferred: Deferred
    reconciler: Reconciler
    lease_renewer: BackgroundLeaseRenewer
    refresher: ChatDirectories
    queue_redis: Redis
    # Where this process has the key.
    sealer: Sealer | None
    # Sees to one deployment that waits at a forge.
    forge: Callable[[str], None]
    # What decides what was asked from a terminal, made when somebody does.
    terminal: Callable[[], TerminalActs]
    # Has GitHub repeat what web has not taken, and asks GitLab what waits there.
    forge_looks: tuple[ForgeLook, ...]

    def close(self) -> None:
        # `queue_redis` ends with the process: threads still listen on its connections, and would complain.
        self.lease_renewer.close()
        self.redis.close()

    def refresh_what_is_needed(self) -> None:
        """Keep the groups fresh that a pending request's approvers stand in, so that a press finds them so."""
        try:
            refresh_groups_of_pending(self.context, self.refresher)
            refresh_away(self.context, self.refresher)
        except (LedgerUnreachable, PolicyUnavailable) as problem:
            log.warning("groups were not refreshed", error=str(problem))


def build_worker(settings: Settings, wait: Callable[[float], object] = time.sleep) -> WorkerParts:
    from bot.chat.actions.deferred import Deferred  # noqa: PLC0415 - the clock does without
    from bot.chat.actions.dispatcher import Dispatcher  # noqa: PLC0415 - as above
    from bot.chat.outbox.outbox import Outbox  # noqa: PLC0415 - as above
    from bot.chat.outbox.reconciler import Reconciler  # noqa: PLC0415 - as above
    from workflows.targets.registry import AllTargets  # noqa: PLC0415 - as above

    on, met = build_common(settings, checks_votes=True, webhooks=own_webhooks(settings), wait=wait)
    buckets = RedisBuckets(on.redis)
    mark = Mark()
    targets = AllTargets(PROVIDERS, buckets, monotonic_s, mark)
    tickets = HttpTickets(settings.secrets.named_value, monotonic_s, settings.secrets.named_refused)
    chats, refresher, prove = build_chats(
        settings, on.policy, on.redis, buckets, on.directory, on.ledger.now, targets.members
    )
    lease_renewer = BackgroundLeaseRenewer(on.ledger, monotonic_s)
    context = WorkerContext(
        on.ledger,
        on.directory,
        on.in_force(),
        on.wake,
        RandomSource(),
        TracedTargets(targets),
        refresher,
        lease_renewer,
        prove,
        monotonic_s,
        signatures=build_signatures(settings),
        vouching=vouching(settings, targets.vouch),
        fault=on.faults,
        unreadable=met,
        tickets=tickets,
        ahead=on.ledger.ahead,
    )
    mark.context = context
    command = settings.command
    deferred = Deferred(context, Dispatcher(context, command), refresher, chats, command)
    reconciler = Reconciler(Outbox.of(context, chats, buckets, refresher, command))
    _warm(on.policy, targets.warm)
    return WorkerParts(
        settings,
        *on,
        context,
        deferred,
        reconciler,
        lease_renewer,
        refresher,
        build_redis(settings, answer_s=REDIS_QUEUE_S),
        build_sealer(settings, context, lease_renewer),
        seeing_to_one(settings, context),
        terminal_acts(settings, context),
        looks(settings, context),
    )


def _warm(folder: PolicyFolder, warm: Callable[[Iterable[Connection]], tuple[str, ...]]) -> None:
    try:
        for problem in warm(folder.current().connections.values()):
            log.warning("a connection cannot be used", problem=problem)
    except PolicyUnavailable as problem:
        log.warning("the policy folder is not valid", problem=str(problem))

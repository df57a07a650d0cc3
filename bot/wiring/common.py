"""What every process has, and what builds it."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import structlog
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from bot.monotonic import monotonic_s
from bot.observability import tracing
from bot.observability.calls import EVERY_S as CALLS_EVERY_S
from bot.observability.calls import Calls
from bot.observability.faults import Faults
from bot.observability.log import log_failure
from bot.observability.obstacles import Obstacles, keep_trying
from bot.observability.readiness import (
    REDIS_ANSWERS,
    ledger_words,
)
from bot.providers import know_providers
from bot.queues import ALL_QUEUES, RqWake
from bot.runtime.heartbeat import KNOWS, WITH_ONE_CHAT, Heartbeats
from bot.runtime.periodic import keep_doing
from bot.runtime.policy_in_force import PolicyInForce
from bot.runtime.redis_login import login_options, without_login
from bot.runtime.redis_servers import connect
from bot.settings import Settings
from workflows.core.calls import listen
from workflows.core.policy import Webhook
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_due import RedisDue
from workflows.ledger.redis_ledger import RedisLedger, UnfitServer
from workflows.policy_file import PolicyFolder
from workflows.ports import LedgerUnreachable
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.mixed_versions import note_older
from workflows.usecases.shared.troubles import Failure, note
from workflows.usecases.shared.unreadable import Unreadable
from workflows.usecases.upkeep.tell_unreadable import tell

log = structlog.get_logger()

REDIS_CONNECT_S, REDIS_ANSWER_S = 2.0, 5.0
# Slack wants an acknowledgement within three seconds, and "my records do not answer" is one.
WEB_CONNECT_S, WEB_ANSWER_S = 1.0, 2.0


class RandomSource:
    """Randomness that nobody can guess. A `ports.RandomSource`."""

    def hex(self, digits: int) -> str:
        return secrets.token_hex((digits + 1) // 2)[:digits]


class Basis(NamedTuple):
    """What every process stands on: the fields of `Common` between its settings and its context."""

    redis: Redis
    ledger: RedisLedger
    due: RedisDue
    directory: RedisDirectory
    policy: PolicyFolder
    wake: RqWake
    beats: Heartbeats
    faults: Faults

    def in_force(self) -> PolicyInForce:
        """What a process decides by."""
        return PolicyInForce(self.policy, self.ledger, monotonic=monotonic_s)


@dataclass(frozen=True, slots=True)
class Common:
    """What every process has."""

    settings: Settings
    redis: Redis
    ledger: RedisLedger
    due: RedisDue
    directory: RedisDirectory
    policy: PolicyFolder
    wake: RqWake
    beats: Heartbeats
    faults: Faults
    context: Context

    def close(self) -> None:
        self.redis.close()

    def beside_older(self, kinds: frozenset[str]) -> None:
        """Processes of an older version run: it is on the ledger, and in the log once a sight."""
        if not kinds:
            return
        try:
            note_older(self.context, kinds)
        except LedgerUnreachable as problem:
            log.warning("that an older version runs was not noted", error=str(problem))
            return
        except Exception as problem:
            # Whoever beats must go on.
            log_failure("that an older version runs was not noted", problem)
            return
        log.warning("processes of an older version run: nothing is given until they have stopped", kinds=sorted(kinds))

    def tell_secrets(self) -> None:
        """What is wrong with the secrets of this process, for `/readyz`, which another process answers."""
        for sentence in self.settings.secrets.attention():
            note(self.context, "process:secrets", Failure(sentence))

    def tell_unreadable(self) -> None:
        """Put on the record, and into chat, what this process has met and could not read."""
        met = self.context.unreadable.take()
        for what, why in met.items():
            log.error("something in the ledger cannot be read, and is left out", what=what, why=why)
        tell(self.context, met)


def _waking() -> AbstractContextManager[None]:
    return tracing.span("wake")


def keep_counting_calls(parts: Common, stop: threading.Event) -> None:
    """Of this process to other systems, and add them to what all have counted."""
    counted = Calls(parts.redis)
    listen(counted.heard)
    keep_doing(parts.context, "calls", counted.flush, CALLS_EVERY_S, stop)
    threading.Thread(target=_add_the_last, args=(counted, stop), name="last calls", daemon=True).start()


def _add_the_last(counted: Calls, stop: threading.Event) -> None:
    """Beside all else that ends then: nobody waits for it, and without a server they are lost."""
    stop.wait()
    with suppress(Exception):
        counted.flush()


def build_redis(settings: Settings, *, for_web: bool = False, answer_s: float | None = None) -> Redis:
    """One pool a process. Commands that hit a broken connection are tried again: commits stand that by their ids.

    What gets no answer in time is tried again as well, except by the web process, where a person waits.
    """
    secret = settings.secrets.of("redis_url")
    if secret is None:
        raise ValueError("REDIS_URL is not set")
    again = (RedisConnectionError,) if for_web else (RedisConnectionError, RedisTimeoutError, TimeoutError)
    client = connect(
        without_login(secret.newest),
        socket_connect_timeout=WEB_CONNECT_S if for_web else REDIS_CONNECT_S,
        socket_timeout=answer_s or (WEB_ANSWER_S if for_web else REDIS_ANSWER_S),
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3, supported_errors=again),
        health_check_interval=30,
        **login_options(secret),
    )
    # What is in use logs in anew later; until then its old login stands.
    secret.when_changed(lambda: client.connection_pool.disconnect(inuse_connections=False))
    return client


def _needs(settings: Settings, *, checks_votes: bool) -> dict[str, int]:
    """What the processes beside this one have to know."""
    of_chats = {"chats"} if settings.teams_is_on else set()
    of_votes = {"signed_votes"} if checks_votes and settings.slack_over_http else set()
    return WITH_ONE_CHAT | {name: KNOWS[name] for name in of_chats | of_votes}


def build_common(
    settings: Settings,
    *,
    for_web: bool = False,
    patient: bool = True,
    checks_votes: bool = False,
    webhooks: tuple[Webhook, ...] = (),
    wait: Callable[[float], object] = time.sleep,
) -> tuple[Basis, Unreadable]:
    """And what could not be read. `patient`: wait, by `wait`, for a Redis that does not answer. `webhooks`: beside those of
    the policy.
    """
    know_providers()
    redis, met = build_redis(settings, for_web=for_web), Unreadable()
    ledger = RedisLedger(redis, durability=settings.redis_durability, monotonic=monotonic_s, notice=met)
    if not patient:
        ledger.check_server()
    elif not for_web:
        # Web listens first, and asks then.
        keep_trying(
            ledger.check_server,
            (LedgerUnreachable, UnfitServer),
            ledger_words,
            Obstacles(),
            "redis",
            REDIS_ANSWERS,
            wait,
        )
    queues = [f"rq:queue:{name}" for name in ALL_QUEUES]
    due = RedisDue(redis, queues=queues, monotonic=monotonic_s, notice=met)
    folder = PolicyFolder(Path(settings.config), monotonic=monotonic_s, webhooks=webhooks)
    several = settings.slack_is_on and settings.teams_is_on
    directory = RedisDirectory(redis, notice=met, several_chats=several, ahead=ledger.ahead)
    beats = Heartbeats(redis, needs=_needs(settings, checks_votes=checks_votes))
    return Basis(
        redis, ledger, due, directory, folder, RqWake(redis, due, tracing.meta, _waking), beats, Faults(redis)
    ), met

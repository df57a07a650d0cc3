"""The only place where objects are built. Importing it does nothing; each process builds what it needs and no more."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from slack_sdk import WebClient

from bot.beat import Beats
from bot.keeper import LeaseKeeper
from bot.queues import ALL_QUEUES, RqWake
from bot.settings import Settings
from bot.slack.people import SlackRefresher, prove_origin
from bot.times import monotonic_s
from workflows.activation import activate
from workflows.context import Context, WorkerContext
from workflows.core import keys
from workflows.core.model import ActivePolicy, Origin
from workflows.core.people import FACTS_AGE_MAX, Membership, PersonId
from workflows.core.policy import Connection, Policy
from workflows.core.scope import groups_needed
from workflows.ledger.redis_buckets import RedisBuckets
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_due import RedisDue
from workflows.ledger.redis_ledger import RedisLedger
from workflows.policy_file import PolicyFolder, difference, summary
from workflows.ports import Ledger, LedgerUnreachable, PolicyUnavailable
from workflows.schedule import next_slot

if TYPE_CHECKING:
    from bot.desk import Desk
    from bot.slack.deferred import Deferred
    from bot.slack.sender import Sender

log = structlog.get_logger()

REDIS_CONNECT_S, REDIS_ANSWER_S = 2.0, 5.0
# A worker's RQ connection blocks on its queues; RQ sets the time-outs of those calls itself.
SLACK_TIMEOUT_S = 8


class Chance:
    """Randomness that nobody can guess. A `ports.Chance`."""

    def hex(self, digits: int) -> str:
        return secrets.token_hex((digits + 1) // 2)[:digits]


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
    beats: Beats
    context: Context

    def close(self) -> None:
        self.redis.close()


@dataclass(frozen=True, slots=True)
class WebParts(Common):
    client: WebClient
    desk: Desk
    refresher: SlackRefresher
    slack: SlackCheck

    def missing(self) -> list[str]:
        """What a person who runs this must know: every reason why it is not ready, in words."""
        return [*_ledger_problems(self), *_policy_problems(self), *self.slack.problems()]


@dataclass(frozen=True, slots=True)
class WorkerParts(Common):
    context: WorkerContext
    client: WebClient
    deferred: Deferred
    sender: Sender
    keeper: LeaseKeeper
    refresher: SlackRefresher

    def close(self) -> None:
        self.keeper.close()
        self.redis.close()

    def refresh_what_is_needed(self) -> None:
        """Keep the groups fresh that a pending request's approvers stand in, so that a press finds them so."""
        try:
            refresh_groups_of_pending(self.context, self.refresher)
        except (LedgerUnreachable, PolicyUnavailable) as problem:
            log.warning("groups were not refreshed", error=str(problem))


@dataclass(frozen=True, slots=True)
class ClockParts(Common):
    token: str
    monotonic_s: Callable[[], float]
    # Policy hash -> when this process first saw it.
    first_seen: dict[str, datetime]

    def activate_policy(self) -> None:
        """In `watch` mode: make a new valid folder the policy in force. Raises PolicyUnavailable."""
        policy = self.policy.current()
        if self.settings.policy != "watch":
            return
        if policy.hash not in self.first_seen:
            self.first_seen[policy.hash] = self.ledger.now()
        seen_at = self.first_seen[policy.hash]
        activate(self.context, policy, summary=summary, difference=difference, next_slot=next_slot, seen_at=seen_at)


# ---------------------------------------------------------------- building


def build_redis(settings: Settings) -> Redis:
    """One pool a process. Commands that hit a broken connection are tried again: commits stand that by their ids."""
    if settings.redis_url is None:
        raise ValueError("REDIS_URL is not set")
    client: Redis = Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=REDIS_CONNECT_S,
        socket_timeout=REDIS_ANSWER_S,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
        retry_on_error=[RedisConnectionError],
        health_check_interval=30,
    )
    return client


def _common(settings: Settings) -> tuple[Redis, RedisLedger, RedisDue, RedisDirectory, PolicyFolder, RqWake, Beats]:
    redis = build_redis(settings)
    ledger = RedisLedger(redis, durability=settings.redis_durability, monotonic=monotonic_s)
    ledger.check_server()
    due = RedisDue(redis, queues=[f"rq:queue:{name}" for name in ALL_QUEUES], monotonic=monotonic_s)
    folder = PolicyFolder(Path(settings.config), monotonic=monotonic_s)
    return redis, ledger, due, RedisDirectory(redis), folder, RqWake(redis, due), Beats(redis)


def build_slack(settings: Settings) -> WebClient:
    """Without the SDK's own retries: what is repeated goes through the ledger, and 429 through the shared buckets."""
    if settings.slack_bot_token is None:
        raise ValueError("SLACK_BOT_TOKEN is not set")
    return WebClient(
        token=settings.slack_bot_token.get_secret_value(),
        base_url=settings.slack_api_url,
        timeout=SLACK_TIMEOUT_S,
        retry_handlers=[],
    )


def build_web(settings: Settings) -> WebParts:
    from bot.desk import Desk  # noqa: PLC0415 - the clock does without

    redis, ledger, due, directory, folder, wake, beats = _common(settings)
    context = Context(ledger, directory, folder, wake, Chance())
    client = build_slack(settings)
    refresher = SlackRefresher(client, directory, ledger.now, _no_identity_center)
    desk = Desk(context, settings.command)
    return WebParts(
        settings,
        redis,
        ledger,
        due,
        directory,
        folder,
        wake,
        beats,
        context,
        client,
        desk,
        refresher,
        SlackCheck(client),
    )


def build_worker(settings: Settings) -> WorkerParts:
    from bot.desk import Desk  # noqa: PLC0415 - as above
    from bot.slack.deferred import Deferred  # noqa: PLC0415 - as above
    from bot.slack.sender import Sender  # noqa: PLC0415 - as above
    from workflows.targets.registry import AwsTargets  # noqa: PLC0415 - boto3 belongs to workers alone

    redis, ledger, due, directory, folder, wake, beats = _common(settings)
    client = build_slack(settings)
    buckets = RedisBuckets(redis)
    targets = AwsTargets(buckets, monotonic=monotonic_s)
    refresher = SlackRefresher(client, directory, ledger.now, targets.groups.members)
    keeper = LeaseKeeper(ledger, monotonic_s)

    def prove(policy: Policy, origin: Origin) -> Origin:
        return prove_origin(client, policy, origin)

    context = WorkerContext(ledger, directory, folder, wake, Chance(), targets, refresher, keeper, prove, monotonic_s)
    desk = Desk(context, settings.command)
    deferred = Deferred(context, desk, refresher, client, settings.command)
    sender = Sender(context, client, buckets, refresher, settings.command)
    _warm(folder, targets.warm)
    return WorkerParts(
        settings,
        redis,
        ledger,
        due,
        directory,
        folder,
        wake,
        beats,
        context,
        client,
        deferred,
        sender,
        keeper,
        refresher,
    )


def build_clock(settings: Settings) -> ClockParts:
    redis, ledger, due, directory, folder, wake, beats = _common(settings)
    context = Context(ledger, directory, folder, wake, Chance())
    token = secrets.token_hex(8)
    return ClockParts(settings, redis, ledger, due, directory, folder, wake, beats, context, token, monotonic_s, {})


def _no_identity_center(_connection: Connection, _group: str) -> frozenset[PersonId]:
    raise RuntimeError("only workers have cloud credentials")


def _warm(folder: PolicyFolder, warm: Callable[[Iterable[Connection]], tuple[str, ...]]) -> None:
    try:
        for problem in warm(folder.current().connections.values()):
            log.warning("a connection cannot be used", problem=problem)
    except PolicyUnavailable as problem:
        log.warning("the policy folder is not valid", problem=str(problem))


# ---------------------------------------------------------------- readiness


def _ledger_problems(parts: WebParts) -> list[str]:
    try:
        durability = parts.ledger.durability()
        problems = [] if durability.durable else [f"the ledger is not durable: {durability.why}"]
        return problems + [f"no {kind} is running" for kind in ("worker", "clock") if not parts.beats.alive(kind)]
    except Exception as problem:
        return [f"Redis does not answer ({type(problem).__name__})"]


def _policy_problems(parts: WebParts) -> list[str]:
    try:
        policy = parts.policy.current()
    except PolicyUnavailable as problem:
        return [str(problem)]
    invalid = (
        ["the policy folder has changed and is not valid; the active policy stays"] if parts.policy.problems else []
    )
    try:
        active = parts.ledger.read(keys.ACTIVE_POLICY).get(keys.ACTIVE_POLICY, ActivePolicy)
    except LedgerUnreachable:
        return invalid
    if active is None:
        return [*invalid, "no policy is active yet"]
    if active.hash != policy.hash:
        return [*invalid, "this process has another copy of the policy than the active one"]
    return invalid


class SlackCheck:
    """Whether Slack takes the bot token, asked at most twice a minute however often somebody probes."""

    EVERY_S = 30.0

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._asked_at_s: float | None = None
        self._problems: list[str] = []

    def problems(self) -> list[str]:
        if self._asked_at_s is None or monotonic_s() - self._asked_at_s > self.EVERY_S or self._problems:
            self._problems = self._ask()
            self._asked_at_s = monotonic_s()
        return self._problems

    def _ask(self) -> list[str]:
        try:
            self._client.auth_test()
        except Exception as problem:
            return [f"Slack does not accept the bot token, or does not answer ({type(problem).__name__})"]
        return []


# ---------------------------------------------------------------- keeping facts fresh


# Refreshed at this age, so that a press, which wants FACTS_AGE_MAX, finds them young enough.
_REFRESH_AGE = FACTS_AGE_MAX * 0.6


def refresh_groups_of_pending(context: WorkerContext, refresher: SlackRefresher) -> None:
    """Groups of environments that somebody waits for. Nothing waits: nothing is asked."""
    ledger: Ledger = context.ledger
    if not ledger.count(keys.PENDING):
        return
    policy = context.policy.current()
    now = ledger.now()
    waiting = [
        environment
        for environment in policy.environments.values()
        if ledger.count(keys.of_environment(keys.PENDING, environment.name))
    ]
    names = {name for environment in waiting for name in groups_needed(policy, environment)}
    facts = context.directory.groups(policy, names)
    old = [name for name in names if _is_old(facts.by_name.get(name), now)]
    if old:
        refresher.refresh_groups(policy, old)


def _is_old(membership: Membership | None, now: datetime) -> bool:
    return membership is None or membership.as_of is None or now - membership.as_of > _REFRESH_AGE

"""The only place where objects are built. Importing it does nothing; each process builds what it needs and no more."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from bot.chat.health import closed_places, not_set_up, troubles
from bot.chat.surface import Messenger, Surface, Traits
from bot.directory.external_groups import OutsideGroups
from bot.directory.other_groups import OtherGroups
from bot.directory.refresh import refresh_away, refresh_groups_of_pending
from bot.directory.tickets import HttpTickets
from bot.monotonic import monotonic_s
from bot.observability.faults import Faults
from bot.observability.log import log_failure
from bot.observability.obstacles import Obstacles, keep_trying
from bot.observability.readiness import (
    REDIS_ANSWERS,
    ledger_problems,
    ledger_words,
    policy_problems,
    reasons,
    unreadable,
)
from bot.providers import PROVIDERS, know_providers
from bot.queues import ALL_QUEUES, RqWake
from bot.runtime.heartbeat import KNOWS, WITH_ONE_CHAT, Heartbeats
from bot.runtime.lease_renewal import BackgroundLeaseRenewer
from bot.settings import Settings, named_secret
from workflows.core.destination import read_destination
from workflows.core.identity import SLACK, TEAMS, WEBHOOK
from workflows.core.people import Listed
from workflows.core.policy import Policy, Webhook
from workflows.core.provider import Connection
from workflows.core.records.request import Origin
from workflows.ledger.redis_buckets import RedisBuckets
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_due import RedisDue
from workflows.ledger.redis_ledger import RedisLedger, UnfitServer
from workflows.policy_file import PolicyFolder, difference, summary
from workflows.policy_file.cron import next_slot
from workflows.ports import DirectoryStore, LedgerUnreachable, PolicyUnavailable
from workflows.usecases.oversight.policy_activation import activate
from workflows.usecases.shared.context import Context, WorkerContext
from workflows.usecases.shared.mixed_versions import note_older
from workflows.usecases.shared.unreadable import Unreadable
from workflows.usecases.upkeep.tell_unreadable import tell

if TYPE_CHECKING:
    from bot.chat.actions.deferred import Deferred
    from bot.chat.actions.dispatcher import Dispatcher
    from bot.chat.chats import Chats
    from bot.chat.outbox.reconciler import Reconciler
    from bot.directory.chats import ChatDirectories
    from bot.runtime.front import Front

log = structlog.get_logger()

OWN_WEBHOOK = "TEAMS_WEBHOOK_URL"

REDIS_CONNECT_S, REDIS_ANSWER_S = 2.0, 5.0
# Slack wants an acknowledgement within three seconds, and "my records do not answer" is one.
WEB_CONNECT_S, WEB_ANSWER_S = 1.0, 2.0
# RQ's workers wait on their queues for a quarter of a minute; they have connections of their own.
REDIS_QUEUE_S = 30.0


class RandomSource:
    """Randomness that nobody can guess. A `ports.RandomSource`."""

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

    def tell_unreadable(self) -> None:
        """Put on the record, and into chat, what this process has met and could not read."""
        met = self.context.unreadable.take()
        for what, why in met.items():
            log.error("something in the ledger cannot be read, and is left out", what=what, why=why)
        tell(self.context, met)


@dataclass(frozen=True, slots=True)
class WebParts(Common):
    """`fronts`: of each chat that is set up, what it brings into the process."""

    dispatcher: Dispatcher
    chats: Chats
    fronts: tuple[Front, ...]
    obstacles: Obstacles

    def missing(self) -> list[str]:
        """What a person who runs this must know: every reason why it is not ready, in words."""
        return reasons(
            lambda: ledger_problems(self.ledger, self.beats),
            lambda: policy_problems(self.ledger, self.policy),
            lambda: troubles(self.context),
            lambda: not_set_up(self.policy, self.chats),
            *(front.problems for front in self.fronts),
            self.obstacles.sentences,
            lambda: closed_places(self.ledger, self._traits, people=False),
        )

    def attention(self) -> list[str]:
        """What somebody has to look at, although it is ready."""
        return reasons(
            lambda: unreadable(self.ledger),
            *(front.attention for front in self.fronts),
            lambda: closed_places(self.ledger, self._traits, people=True),
        )

    def _traits(self, place: str) -> Traits:
        return self.chats.of(place).traits


@dataclass(frozen=True, slots=True)
class WorkerParts(Common):
    context: WorkerContext
    deferred: Deferred
    reconciler: Reconciler
    lease_renewer: BackgroundLeaseRenewer
    refresher: ChatDirectories
    queue_redis: Redis

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


@dataclass(frozen=True, slots=True)
class ClockParts(Common):
    token: str
    monotonic_s: Callable[[], float]
    # The hash of the policy in the folder -> since when this process has seen it there.
    first_seen: dict[str, datetime]

    def activate_policy(self) -> None:
        """In `watch` mode: make a new valid folder the policy in force. Raises PolicyUnavailable."""
        policy = self.policy.current()
        if self.settings.policy != "watch":
            return
        if policy.hash not in self.first_seen:
            # What was seen before another content is not remembered: going back to it is a change like any other.
            self.first_seen.clear()
            self.first_seen[policy.hash] = self.ledger.now()
        seen_at = self.first_seen[policy.hash]
        activate(self.context, policy, summary=summary, difference=difference, next_slot=next_slot, seen_at=seen_at)


# ---------------------------------------------------------------- building


def build_redis(settings: Settings, *, for_web: bool = False, answer_s: float | None = None) -> Redis:
    """One pool a process. Commands that hit a broken connection are tried again: commits stand that by their ids.

    What gets no answer in time is tried again as well, except by the web process, where a person waits.
    """
    if settings.redis_url is None:
        raise ValueError("REDIS_URL is not set")
    again = (RedisConnectionError,) if for_web else (RedisConnectionError, RedisTimeoutError, TimeoutError)
    client: Redis = Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=WEB_CONNECT_S if for_web else REDIS_CONNECT_S,
        socket_timeout=answer_s or (WEB_ANSWER_S if for_web else REDIS_ANSWER_S),
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3, supported_errors=again),
        health_check_interval=30,
    )
    return client


def _common(
    settings: Settings, *, for_web: bool = False, patient: bool = True, webhooks: tuple[Webhook, ...] = ()
) -> tuple[Redis, RedisLedger, RedisDue, RedisDirectory, PolicyFolder, RqWake, Heartbeats, Faults, Unreadable]:
    know_providers()
    redis, met = build_redis(settings, for_web=for_web), Unreadable()
    ledger = RedisLedger(redis, durability=settings.redis_durability, monotonic=monotonic_s, notice=met)
    if not patient:
        ledger.check_server()
    elif not for_web:
        # Web listens first, and asks then.
        keep_trying(
            ledger.check_server, (LedgerUnreachable, UnfitServer), ledger_words, Obstacles(), "redis", REDIS_ANSWERS
        )
    queues = [f"rq:queue:{name}" for name in ALL_QUEUES]
    due = RedisDue(redis, queues=queues, monotonic=monotonic_s, notice=met)
    folder = PolicyFolder(Path(settings.config), monotonic=monotonic_s, webhooks=webhooks)
    directory = RedisDirectory(redis, notice=met, several_chats=settings.slack_is_on and settings.teams_is_on)
    beats = Heartbeats(redis, needs=KNOWS if settings.teams_is_on else WITH_ONE_CHAT)
    return redis, ledger, due, directory, folder, RqWake(redis, due), beats, Faults(redis), met


def build_web(settings: Settings) -> WebParts:
    from bot.chat.actions.dispatcher import Dispatcher  # noqa: PLC0415 - the clock does without
    from bot.chat.chats import Chats  # noqa: PLC0415 - as above

    redis, ledger, due, directory, folder, wake, beats, faults, met = _common(settings, for_web=True)
    context = Context(ledger, directory, folder, wake, RandomSource(), fault=faults, unreadable=met)
    dispatcher, obstacles = Dispatcher(context, settings.command), Obstacles()
    surfaces: list[Surface] = []
    fronts: list[Front] = []
    if settings.slack_is_on:
        from bot.slack import build as slack  # noqa: PLC0415 - where there is Slack
        from bot.slack.front import build_front  # noqa: PLC0415 - as above
        from bot.slack.surface import Slack  # noqa: PLC0415 - as above

        client = slack.build_client(settings, slack.WEB_TIMEOUT_S)
        store = _store_of_one(settings, directory)
        people = slack.build_directory(client, RedisBuckets(redis), store, ledger.now, _no_identity_center)
        surfaces.append(Slack(client))
        fronts.append(build_front(settings, dispatcher, client, people, obstacles))
    if settings.teams_is_on:
        from bot.teams import build as teams  # noqa: PLC0415 - where there is Teams

        chat = teams.build_messenger(settings, redis, timeout_s=teams.WEB_TIMEOUT_S)
        their_people = teams.build_directory(
            settings,
            chat,
            RedisBuckets(redis),
            directory,
            ledger.now,
            _no_identity_center,
            timeout_s=teams.WEB_TIMEOUT_S,
        )
        surfaces.append(chat)
        fronts.append(teams.build_front(settings, dispatcher, chat, their_people))
    return WebParts(
        settings,
        redis,
        ledger,
        due,
        directory,
        folder,
        wake,
        beats,
        faults,
        context,
        dispatcher,
        Chats(*surfaces, later=_webhooks(settings, folder)),
        tuple(fronts),
        obstacles,
    )


def own_webhooks(settings: Settings) -> tuple[Webhook, ...]:
    """The one that a variable names: of all environments, of both kinds, called after the variable."""
    return (Webhook(OWN_WEBHOOK, OWN_WEBHOOK),) if settings.teams_webhook_url else ()


def build_webhooks(settings: Settings, folder: PolicyFolder) -> Messenger:
    """When the first message goes to one: a policy can name webhooks while we run. Addresses are read each time."""
    from bot.teams.webhook import Webhooks  # noqa: PLC0415 - Slack alone does without

    def address(name: str) -> str | None:
        if name == OWN_WEBHOOK:
            return settings.teams_webhook_url.get_secret_value() if settings.teams_webhook_url else None
        named = folder.known.webhooks if folder.known else ()
        found = next((hook for hook in named if hook.name == name), None)
        return named_secret(found.url_env) if found else None

    return Webhooks(address)


def build_worker(settings: Settings) -> WorkerParts:
    from bot.chat.actions.deferred import Deferred  # noqa: PLC0415 - as above
    from bot.chat.actions.dispatcher import Dispatcher  # noqa: PLC0415 - as above
    from bot.chat.outbox.outbox import Outbox  # noqa: PLC0415 - as above
    from bot.chat.outbox.reconciler import Reconciler  # noqa: PLC0415 - as above
    from workflows.targets.registry import AllTargets  # noqa: PLC0415 - as above

    redis, ledger, due, directory, folder, wake, beats, faults, met = _common(settings, webhooks=own_webhooks(settings))
    buckets = RedisBuckets(redis)
    targets = AllTargets(PROVIDERS, buckets, monotonic_s)
    tickets = HttpTickets(named_secret, monotonic_s)
    chats, refresher, prove = _chats(settings, folder, redis, buckets, directory, ledger.now, targets.members)
    lease_renewer = BackgroundLeaseRenewer(ledger, monotonic_s)
    context = WorkerContext(
        ledger,
        directory,
        folder,
        wake,
        RandomSource(),
        targets,
        refresher,
        lease_renewer,
        prove,
        monotonic_s,
        fault=faults,
        unreadable=met,
        tickets=tickets,
    )
    command = settings.command
    deferred = Deferred(context, Dispatcher(context, command), refresher, chats, command)
    reconciler = Reconciler(Outbox.of(context, chats, buckets, refresher, command))
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
        faults,
        context,
        deferred,
        reconciler,
        lease_renewer,
        refresher,
        build_redis(settings, answer_s=REDIS_QUEUE_S),
    )


Prove = Callable[[Policy, Origin], Origin]


def _chats(
    settings: Settings,
    folder: PolicyFolder,
    redis: Redis,
    buckets: RedisBuckets,
    directory: RedisDirectory,
    now: Callable[[], datetime],
    members: Callable[[Connection, str], Listed],
) -> tuple[Chats, ChatDirectories, Prove]:
    """The chats that are set up, for a worker: what talks to them, who they say people are, and what they prove of a channel."""
    from bot.chat.chats import Chats  # noqa: PLC0415 - as above
    from bot.directory.chats import ChatDirectories, OneChat  # noqa: PLC0415 - as above

    outside = OutsideGroups(named_secret, settings.pagerduty_api_url, monotonic_s).members
    store = _store_of_one(settings, directory)
    surfaces: list[Surface] = []
    people: dict[str, OneChat] = {}
    proofs: dict[str, Prove] = {}
    if settings.slack_is_on:
        from bot.slack import build as slack  # noqa: PLC0415 - where there is Slack
        from bot.slack.origin import prove_origin  # noqa: PLC0415 - as above
        from bot.slack.surface import Slack  # noqa: PLC0415 - as above

        client = slack.build_client(settings)
        surfaces.append(Slack(client))
        people[SLACK] = slack.build_directory(client, buckets, store, now, members, outside)
        proofs[SLACK] = partial(prove_origin, client)
    if settings.teams_is_on:
        from bot.teams import build as teams  # noqa: PLC0415 - where there is Teams
        from bot.teams import origin  # noqa: PLC0415 - as above

        chat = teams.build_messenger(settings, redis)
        surfaces.append(chat)
        people[TEAMS] = teams.build_directory(settings, chat, buckets, store, now, members, outside)
        proofs[TEAMS] = origin.prove_origin
    others = OtherGroups(directory, now, members, outside)
    chats = Chats(*surfaces, later=_webhooks(settings, folder))
    return chats, ChatDirectories(people, directory, others), partial(_proved, proofs)


def _webhooks(settings: Settings, folder: PolicyFolder) -> dict[str, Callable[[], Messenger]]:
    return {WEBHOOK: lambda: build_webhooks(settings, folder)}


def _store_of_one(settings: Settings, directory: RedisDirectory) -> DirectoryStore:
    """What one chat's directory writes into: with a second chat it may not say for both that nobody has an address."""
    if not (settings.slack_is_on and settings.teams_is_on):
        return directory
    from bot.directory.chats import of_one_chat  # noqa: PLC0415 - where there are two

    return of_one_chat(directory)


def _proved(proofs: Mapping[str, Prove], policy: Policy, origin: Origin) -> Origin:
    """By the chat of the channel, which an earlier version keeps when it writes a request again; of one that is not set up
    nothing is proved.
    """
    prove = proofs.get(read_destination(origin.channel).surface if origin.channel else origin.surface)
    return prove(policy, origin) if prove is not None else origin


def build_clock(settings: Settings, *, patient: bool = True) -> ClockParts:
    """`patient`: wait for a Redis that does not answer, as a process does. At a terminal somebody waits: raises
    LedgerUnreachable or UnfitServer.
    """
    redis, ledger, due, directory, folder, wake, beats, faults, met = _common(settings, patient=patient)
    context = Context(ledger, directory, folder, wake, RandomSource(), fault=faults, unreadable=met)
    token = secrets.token_hex(8)
    return ClockParts(
        settings, redis, ledger, due, directory, folder, wake, beats, faults, context, token, monotonic_s, {}
    )


def _no_identity_center(_connection: Connection, _group: str) -> Listed:
    raise RuntimeError("only workers have cloud credentials")


def _warm(folder: PolicyFolder, warm: Callable[[Iterable[Connection]], tuple[str, ...]]) -> None:
    try:
        for problem in warm(folder.current().connections.values()):
            log.warning("a connection cannot be used", problem=problem)
    except PolicyUnavailable as problem:
        log.warning("the policy folder is not valid", problem=str(problem))

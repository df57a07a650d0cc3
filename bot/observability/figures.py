"""How the installation stands, as `/metrics` shows it: a fixed number of round trips for each scrape, however much there is.

What is asked costs Redis the same with ten grants and with a hundred thousand: counts and ends of sorted sets, of each
environment that the policy names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ConnectionError, RedisError, TimeoutError  # noqa: A004 - Redis's own are meant

from bot import __version__
from bot.observability import calls, tally
from bot.observability.series import numbers
from bot.queues import ALL_QUEUES, SENT_AT, sent_ago_s
from workflows.core import keys
from workflows.core.clockwork import LedgerClock
from workflows.core.mixed import OlderRunning, runs
from workflows.core.policy import Policy
from workflows.core.records.drift import DriftKind, DriftPass
from workflows.core.records.leavers import FindingState, Leavers
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.core.records.seal import SealState
from workflows.ledger.keys import Keys
from workflows.ledger.scripts import text_of
from workflows.ports import PolicyUnavailable, Snapshot
from workflows.usecases.shared.context import Context

# Of so many environments each has figures of its own.
ENVIRONMENTS_MAX = 1_000
# The clock looks five times a second; what was due so long ago, in seconds, it has not looked at.
LOOKED_AT_S = 5.0
_PROCESSES = ("web", "worker", "clock")


class Figures:
    """Four round trips a scrape, and a look at the server's settings once in five seconds. `prefix`: of the ledger's keys."""

    def __init__(self, ctx: Context, redis: Redis, prefix: str = "prodaccess:") -> None:
        self._ctx = ctx
        self._redis = redis
        self._prefix = prefix
        self._keys = Keys(prefix)

    def collect(self) -> Iterator[Metric]:
        yield _build_info()
        policy = self._policy()
        yield from self._in_force(policy)
        environments = sorted(policy.environments)[:ENVIRONMENTS_MAX] if policy else []
        now_s, answers = self._asked_first(environments)
        yield from _by_environment(environments, answers[: 2 * len(environments)])
        yield from self._stands(now_s, answers[2 * len(environments) :], environments)

    def _policy(self) -> Policy | None:
        try:
            return self._ctx.policy.current()
        except PolicyUnavailable:
            return None

    def _in_force(self, policy: Policy | None) -> Iterator[Metric]:
        """What is on record of this, and what the server says of itself."""
        names = (keys.ACTIVE_POLICY, keys.CLOCK, keys.OLDER, keys.DRIFT_PROGRESS, keys.LEDGER_DOUBT)
        seen = self._ctx.ledger.read(*names, keys.SEAL, keys.LEAVERS)
        active = seen.readable(keys.ACTIVE_POLICY, ActivePolicy)
        same = policy is not None and active is not None and active.hash == policy.hash
        yield _gauge("prodaccess_policy_matches", "Whether this process has the policy that is in force.", same)
        clock = seen.readable(keys.CLOCK, LedgerClock)
        trusted = not seen.items[keys.CLOCK].problem and (clock is None or clock.trusted)
        yield _gauge("prodaccess_ledger_clock_trusted", "Whether Redis's clock has gone as it should.", trusted)
        whole = seen.items[keys.LEDGER_DOUBT].is_absent and self._ctx.ledger.lost() is None
        yield _gauge("prodaccess_ledger_whole", "Whether the record has all that was seen in it before.", whole)
        older = runs(seen.readable(keys.OLDER, OlderRunning), seen.now)
        yield _gauge("prodaccess_older_version_runs", "Whether a process runs that is too old to give beside.", older)
        yield from _drift(seen.readable(keys.DRIFT_PROGRESS, DriftPass) or DriftPass())
        yield from _seal(seen)
        yield _leavers(seen.readable(keys.LEAVERS, Leavers))
        durable = self._ctx.ledger.durability().durable
        yield _gauge("prodaccess_ledger_durable", "Whether what is committed survives a crash of the server.", durable)

    def _asked_first(self, environments: Sequence[str]) -> tuple[float, list[Any]]:
        live, pending = self._keys.index(keys.LIVE), self._keys.index(keys.PENDING)

        def ask(pipe: Pipeline) -> None:
            pipe.time()
            for name in environments:
                pipe.zcard(keys.of_environment(live, name))
                pipe.zcard(keys.of_environment(pending, name))
            pipe.zrange(live, 0, 0, withscores=True)
            pipe.exists(self._keys.leader)
            for kind in _PROCESSES:
                pipe.exists(f"{self._prefix}beat:{kind}")
            for queue in ALL_QUEUES:
                pipe.lindex(f"rq:queue:{queue}", 0)
            pipe.hgetall(tally.key_of(self._prefix))
            pipe.hgetall(calls.key_of(self._prefix))

        (seconds, micros), *answers = asked(self._redis, ask)
        return seconds + micros / 1e6, answers

    def _stands(self, now_s: float, answers: Sequence[Any], environments: Sequence[str]) -> Iterator[Metric]:
        first, leader, *rest = answers
        alive, oldest, (tallied, called) = rest[:3], rest[3:-2], rest[-2:]
        late = max(0.0, now_s - first[0][1]) if isinstance(first, list) and first else 0.0
        yield _gauge("prodaccess_grants_overdue_seconds", "How long the longest overdue grant has been so.", late)
        yield _gauge("prodaccess_clock_leads", "Whether a clock leads.", _number(leader))
        lives = _family(
            "prodaccess_process_alive",
            "Whether one of this kind was heard of within ten seconds.",
            "process",
        )
        for kind, beats in zip(_PROCESSES, alive, strict=True):
            lives.add_metric([kind], _number(beats))
        yield lives
        yield from self._waiting(now_s, oldest)
        yield from tally.shown(numbers(tallied), environments)
        yield from calls.shown(numbers(called))

    def _waiting(self, now_s: float, oldest: Sequence[Any]) -> Iterator[Metric]:
        def ask(pipe: Pipeline) -> None:
            pipe.zcount(self._keys.due, "-inf", now_s - LOOKED_AT_S)
            for job in oldest:
                pipe.hget(f"rq:job:{text_of(job)}", SENT_AT)

        late, *begun = asked(self._redis, ask)
        yield _gauge(
            "prodaccess_due_late", "Things that were due five seconds ago and no clock has looked at.", _number(late)
        )
        ages = _family("prodaccess_wakeups_oldest_seconds", "Age of the oldest wake-up that waits, by queue.", "queue")
        for queue, at in zip(ALL_QUEUES, begun, strict=True):
            ages.add_metric([queue], sent_ago_s(now_s, at))
        yield ages


def asked(redis: Redis, fill: Callable[[Pipeline], None]) -> list[Any]:
    """One round trip; an answer may be an error of Redis's, where something else than ours stands under a key."""
    with redis.pipeline(transaction=False) as pipe:
        fill(pipe)
        found: list[Any] = pipe.execute(raise_on_error=False)
    for answer in found:
        if isinstance(answer, (ConnectionError, TimeoutError)):
            raise answer
    return found


def _drift(stands: DriftPass) -> Iterator[Metric]:
    """As the last whole comparison of what targets hold with the record found it."""
    open_ = _family("prodaccess_drift_open", "What targets hold and the record does not know, or the reverse.", "kind")
    for kind in DriftKind:
        open_.add_metric([kind.value], float(stands.counts.get(kind.value, 0)))
    yield open_
    at = stands.ended_at.timestamp() if stands.ended_at else 0.0
    yield _gauge("prodaccess_drift_compared_timestamp_seconds", "When targets were compared last; 0: never.", at)
    lists = len(stands.not_known)
    yield _gauge("prodaccess_drift_not_known", "How much of it could not be looked at then.", lists)
    yield _gauge(
        "prodaccess_drift_held", "How much waits for the panic group before it is taken away.", len(stands.held)
    )


def _by_environment(environments: Sequence[str], counts: Sequence[Any]) -> Iterator[Metric]:
    live = _family("prodaccess_environment_grants_live", "Grants that are not closed, by environment.", "environment")
    pending = _family(
        "prodaccess_environment_requests_pending", "Requests that nobody has answered, by environment.", "environment"
    )
    for name, (given, asked_) in zip(environments, zip(counts[::2], counts[1::2], strict=True), strict=True):
        live.add_metric([name], _number(given))
        pending.add_metric([name], _number(asked_))
    yield live
    yield pending


def _seal(seen: Snapshot) -> Iterator[Metric]:
    """Nothing where the audit log was never sealed."""
    state = seen.readable(keys.SEAL, SealState)
    if state is None:
        return
    yield _gauge("prodaccess_audit_sealed", "Audit entries that are sealed.", state.size)
    age_s = max(0.0, (seen.now - state.at).total_seconds())
    yield _gauge("prodaccess_audit_seal_age_seconds", "Since when the newest head is signed.", age_s)
    yield _gauge("prodaccess_audit_archived", "Audit entries that are in the archive.", state.archived)
    failing = bool(state.archive_problem)
    yield _gauge(
        "prodaccess_audit_archive_failing", "Whether the audit archive cannot be written, or is not safe.", failing
    )


def _build_info() -> Metric:
    info = _family("prodaccess_build_info", "1, with the version that this process runs.", "version")
    info.add_metric([__version__], 1.0)
    return info


def _leavers(known: Leavers | None) -> Metric:
    finding = known.finding if known is not None else None
    held = len(finding.people) if finding is not None and finding.state is FindingState.WAITING else 0
    return _gauge("prodaccess_leavers_held", "People who are gone all at once, of whom somebody has to say so.", held)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=float(value))


def _family(name: str, words: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, labels=[label])


def _number(answer: Any) -> float:
    return 0.0 if answer is None or isinstance(answer, RedisError) else float(answer)

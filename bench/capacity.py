"""What one whole life costs, and so what a thousand a day cost: memory and disk of Redis, entries, commands, network, calls.

    python -m bench.capacity [--quick | --lives 200]

Lives are asked for by command, approved by one owner, given on Identity Center, ended by time and looked at later, forty at
once. Then what is left: at once; when that is gone which is kept for a day (answers of commits, jobs of RQ); and when all that is
over has left for an archive, as it does after a `retention`.
`--quick` plays 40 lives, otherwise 200. What is kept does not depend on the machine. Commands and network are those of our
three processes alone, as Valkey 8 and newer count them by connection, less what they do at rest: on a slow machine they are
more, because of what goes on while access is open.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis

from bench.alone import parser, show
from bench.figures import Figure, at_most, figure
from bench.place import DEVELOPERS, Place, crowd, person, say, until
from bench.tuned import SOON_LOOKS
from bot.sandbox.slack import Message, words
from bot.wiring.common import RandomSource
from tests.support.installation import Case
from tests.support.redis_users import put_in_place, url
from workflows.archive.folder import FolderArchive
from workflows.core import keys
from workflows.core.policy import Policy
from workflows.core.records.retained import Retained
from workflows.ledger.codec import encode
from workflows.ledger.keys import Keys
from workflows.ledger.redis_directory import RedisDirectory
from workflows.ledger.redis_ledger import RedisLedger
from workflows.policy_file import load_policy
from workflows.ports import Lease
from workflows.signing import signer_of, verify
from workflows.signing.keys import make_key
from workflows.signing.words import Cipher
from workflows.usecases.sealing.sealer import Sealer
from workflows.usecases.shared.context import Context
from workflows.usecases.upkeep.retention.retainer import Retainer

AT_ONCE = 40
LIFE = "40s"
REST_S = 10.0
A_DAY = 1_000
# Where keys belong, by the beginning of their names; the first that fits.
KINDS = (
    ("prodaccess:commit:", "answers of commits, for a day"),
    ("prodaccess:audit:private", "audit: names and words"),
    ("prodaccess:audit:of:", "audit: numbers by subject"),
    ("prodaccess:audit", "audit: the log itself"),
    ("prodaccess:record:request:", "requests"),
    ("prodaccess:record:grant:", "grants"),
    ("prodaccess:record:chat:", "messages in chat"),
    ("prodaccess:record:", "other records"),
    ("prodaccess:index:", "indexes"),
    ("rq:", "queues"),
    ("prodaccess:", "everything else"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    at_s: float
    memory: int
    aof: int
    entries: int
    commands: int
    bytes_in: int
    bytes_out: int


def main() -> None:
    own = parser(__doc__)
    own.add_argument("--lives", type=int, default=200)
    asked = own.parse_args()
    show(measure(40 if asked.quick else asked.lives), asked.json)


def measure(count: int) -> list[Figure]:
    with _place() as place, place.connection() as client:
        say("some lives to warm up, and a rest to measure")
        _play(place, AT_ONCE)
        rest = _per_second(client)
        # Keys, the seal and its notes are there then.
        _leave(place, client)
        _rewritten(client)
        kept_before, before = _by_kind(client), _reading(client)
        mark, since = place.slack.calls.mark(), time.monotonic()
        say(f"{count} lives")
        _play(place, count)
        after = _reading(client)
        slack, aws = place.slack.calls.counts(mark), place.aws.proxy.log.counts(since)
        kept = _by_kind(client)
        _rewritten(client)
        rewritten = _reading(client)
        client.delete(*client.scan_iter("prodaccess:commit:*", count=1000))
        _rewritten(client)
        lasting = _reading(client)
        gone = _leave(place, client)
        client.delete(*client.scan_iter("prodaccess:commit:*", count=1000))
        _rewritten(client)
        left, kept_after = _reading(client), _by_kind(client)
        archived = sum(file.stat().st_size for file in _archive(place).rglob("*") if file.is_file())
    seconds = after.at_s - before.at_s
    lives = {
        "memory, at once": (after.memory - before.memory) / count,
        "memory, after a day": (lasting.memory - before.memory) / count,
        f"memory, after a retention ({gone} have left)": (left.memory - before.memory) / count,
        "memory, after a retention, by keys": sum((kept_after - kept_before).values()) / count,
        "the archive": archived / (count + AT_ONCE),
        "disk, as it is written": (after.aof - before.aof) / count,
        "disk, rewritten": (rewritten.aof - before.aof) / count,
        "disk, rewritten after a day": (lasting.aof - before.aof) / count,
        "into Redis": (after.bytes_in - before.bytes_in - rest[1] * seconds) / count,
        "out of Redis": (after.bytes_out - before.bytes_out - rest[2] * seconds) / count,
    }
    lives |= {f"memory: {kind}": (kept[kind] - kept_before[kind]) / count for _, kind in KINDS}
    figures = [figure(name, "KiB", value / 1024) for name, value in lives.items()]
    commands = (after.commands - before.commands - rest[0] * seconds) / count
    figures += [
        figure("audit entries", "", (after.entries - before.entries) / count),
        figure("commands sent to Redis", "", commands),
        figure("calls to Slack", "", sum(slack.values()) / count, at_most(10)),
        figure("calls to AWS", "", sum(aws.values()) / count, at_most(10)),
    ]
    at_rest = Figure(
        "at rest, a second",
        "",
        {"commands": rest[0], "KiB in": rest[1] / 1024, "KiB out": rest[2] / 1024},
    )
    return [
        *(replace(one, what=f"one life, of {count}: {one.what}") for one in figures),
        at_rest,
        *(
            figure(f"{A_DAY} lives a day, {name}", "MiB a day", lives[name] * A_DAY / 1024**2)
            for name in ("memory, after a day", "disk, rewritten after a day")
        ),
    ]


class WithUsers(Place):
    """Each process has a user of its own, by which its connections are known."""

    def environment(self, process: str) -> dict[str, str]:
        return super().environment(process) | {"REDIS_URL": url(f"prodaccess-{process}", self.redis.port)}

    def _start_slack(self) -> None:
        # Redis runs by now, and nothing of ours yet.
        with self.connection() as client:
            put_in_place(client, *(f"prodaccess-{name}" for name in ("web", "worker", "clock")))
        super()._start_slack()


@contextmanager
def _place() -> Iterator[Place]:
    crowd(AT_ONCE, 0)
    # What chats allow in a minute would make it take hours, and changes no count.
    with TemporaryDirectory(prefix="bench-") as folder:
        place = WithUsers(Path(folder), tuned=SOON_LOOKS, unlimited=True)
        with place:
            place.warm()
            yield place


# ---------------------------------------------------------------- lives


def _play(place: Place, count: int) -> None:
    """So many lives, and then quiet."""
    cases = [place.case() for _ in range(AT_ONCE)]
    numbers = itertools.count()

    def one(_: int) -> None:
        number = next(numbers) % AT_ONCE
        _life(place, cases[number], number)

    for done in range(0, count, AT_ONCE):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(one, range(min(AT_ONCE, count - done))))
        place.warm()
    place.done_with.extend(cases)
    until(lambda: not _under_way(place), "the later looks", 900, 0.5)
    time.sleep(1)


def _life(place: Place, case: Case, number: int) -> None:
    before = {card.ts for card in case.cards()}
    place.types(person(DEVELOPERS, number), f"{case.name} read-only {LIFE} INC-42 checkout errors in the shop")

    def card(state: str) -> Callable[[], Message | None]:
        def look() -> Message | None:
            mine = [card for card in case.cards() if card.ts not in before and state in words(card)]
            return mine[-1] if mine else None

        return look

    case.press("olu", until(card("Needs approval"), "the card", 300), "approve")
    until(card("Ended"), "an ended grant", 300, 0.5)


def _under_way(place: Place) -> bool:
    with place.connection() as client:
        due = client.zrange(Keys().due, 0, -1)
    return place.waiting_jobs() > 0 or any(
        item.decode().partition(":")[0] in ("holding", "chat", "end", "request") for item in due
    )


# ---------------------------------------------------------------- what is over leaves


class _InForce:
    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def current(self) -> Policy:
        return self._policy


class _Keeper:
    """Nobody else seals here."""

    @contextmanager
    def keep(self, lease: Lease) -> Iterator[Callable[[], Lease | None]]:
        yield lambda: lease


def _archive(place: Place) -> Path:
    return place.folder / "archive"


def _leave(place: Place, client: redis.Redis) -> int:
    """All that is over goes, as the worker that seals does it. Returns how many requests have left so far."""
    policy = load_policy(place.config)
    if not isinstance(policy, Policy):
        raise TypeError(policy)
    ledger = RedisLedger(client, durability="declared", monotonic=time.monotonic)
    in_force = _InForce(replace(policy, retention=timedelta(0)))
    ctx = Context(
        ledger, RedisDirectory(client), in_force, lambda *_: None, RandomSource(), fault=lambda *_a, **_f: "E-1"
    )
    key, archive = place.folder / "audit-key.pem", FolderArchive(_archive(place))
    if not key.exists():
        make_key(key)
    sealer = Sealer(ctx, signer_of(str(key)), archive, verify, _Keeper(), time.monotonic, Cipher())
    retainer = Retainer(ctx, archive, Cipher(), encode)
    stands, before = _left(ledger), None
    while before is None or (stands.requests, stands.first) != (before.requests, before.first):
        sealer.seal()
        retainer.bite()
        before, stands = stands, _left(ledger)
    client.zrem(Keys().due, keys.RETAINED, keys.SEAL)
    return stands.requests


def _left(ledger: RedisLedger) -> Retained:
    return ledger.read(keys.RETAINED).readable(keys.RETAINED, Retained) or Retained()


# ---------------------------------------------------------------- readings


def _reading(client: redis.Redis) -> Reading:
    info: Any = client.info("everything")
    ours = [each for each in client.client_list() if each["user"].startswith("prodaccess-")]
    return Reading(
        time.monotonic(),
        info["used_memory"],
        info["aof_current_size"],
        client.xlen(Keys().audit),
        *(sum(int(each[name]) for each in ours) for name in ("tot-cmds", "tot-net-in", "tot-net-out")),
    )


def _per_second(client: redis.Redis) -> tuple[float, float, float]:
    """Commands, bytes in and bytes out of an installation at rest, with what the measuring itself costs."""
    first = _reading(client)
    time.sleep(REST_S)
    last = _reading(client)
    seconds = last.at_s - first.at_s
    return (
        (last.commands - first.commands) / seconds,
        (last.bytes_in - first.bytes_in) / seconds,
        (last.bytes_out - first.bytes_out) / seconds,
    )


def _by_kind(client: redis.Redis) -> Counter[str]:
    found: Counter[str] = Counter()
    names = list(client.scan_iter("*", count=1000))
    for name in names:
        kind = next((kind for prefix, kind in KINDS if name.decode().startswith(prefix)), "everything else")
        found[kind] += int(client.memory_usage(name, samples=0) or 0)
    return found


def _rewritten(client: redis.Redis) -> None:
    client.bgrewriteaof()
    time.sleep(0.2)
    until(lambda: not client.info("persistence")["aof_rewrite_in_progress"], "the files are rewritten")


if __name__ == "__main__":
    main()

"""A ledger with something of everything in it, as an earlier version writes it; and that ledger in the hands of this version.

`tests/fixtures/ledger-COMMIT.json` is made from git history, on a real Redis with the world of that commit's own tests:

    python -m tests.support.old_ledger 2495e6e cb8528c 6320b01 4ac187f

What runs in that version (`written`) names its modules as any of them is called (see `_module`). Everything is read back
by `ledger_of`, `into_memory` and `into_redis`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import redis

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
# Before people had ids of their own; before what is said and done in chat stood apart from Slack; before the archive had words;
# before anybody could be erased, and sealed.
BEFORE_IDENTITY, BEFORE_THE_MOVE, BEFORE_WORDS_IN_THE_ARCHIVE = "2495e6e", "cb8528c", "6320b01"
BEFORE_ERASING = "4ac187f"
VERSIONS = (BEFORE_IDENTITY, BEFORE_THE_MOVE, BEFORE_WORDS_IN_THE_ARCHIVE, BEFORE_ERASING)
PREFIX = "prodaccess:"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PROD, STAGING = "payments-prod", "payments-staging"
# Who has what, by name.
HOLDERS = ("asks", "lives", "late", "many", "later", "more", "wants", "held", "stood", "gave", "over")


def _module(*names: str) -> Any:
    """The first of these names that the version which runs this has: the newest stands first."""
    for name in names:
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError(" or ".join(names))


def people(person_id: Any) -> list[Any]:
    return [person_id(f"{name}@example.com") for name in HOLDERS]


def rules() -> Any:
    """Two environments, with break-glass; from files, which are the same in every version."""
    policy_file = import_module("workflows.policy_file")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return policy_file.PolicyFolder(Path(folder), monotonic=time.monotonic).current()


_ROLES = """
roles:
  read-only: {risk: read, allows: Read, target: {kind: aws-identity-center, permission_set: ReadOnlyAccess}}
  admin: {risk: admin, allows: Anything, target: {kind: aws-identity-center, permission_set: Admin}}
  deploy: {risk: change, allows: Roll out, target: {kind: aws-iam-group, user: "{local_part}", group: deployers}}
  state: {risk: change, allows: Write, target: {kind: aws-iam-policy, user: "{local_part}", policy: policies/state.json}}
"""
_WORKSPACE = """
version: 1
timezone: Europe/Berlin
email_domains: [example.com]
connections: {main: {kind: aws, region: eu-central-1, portal: "https://acme.awsapps.com/start"}}
receipts_channel: C0RECEIPTS
groups:
  platform: {members: [olu@example.com, pat@example.com]}
  security: {members: [sue@example.com, pat@example.com]}
  oncall: {members: [nia@example.com]}
  developers: {members: [%s]}
panic_group: security
rules:
  production: {any: {approve: {owners: 1}, durations: [30m, 1h, 4h], default_duration: 30m, max_duration: 8h}}
"""
_ENVIRONMENT = """
environment: %s
title: %s
tier: production
connection: main
account: "%s"
owners: [platform]
requesters: [developers, platform]
approvals_channel: C0PAYMENTS
break_glass: {who: [oncall], roles: [read-only], max_duration: 30m, max_per_day: 2, review_within: 24h}
roles: {read-only: {}, admin: {}, deploy: {}, state: {}}
"""
_STATE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:Get*"], "Resource": "*"}]}
FILES = {
    "roles.yaml": _ROLES,
    "prodaccess.yaml": _WORKSPACE % ", ".join(f"{name}@example.com" for name in ("dana", "nia", *HOLDERS)),
    "policies/state.json": json.dumps(_STATE),
    f"environments/{PROD}.yaml": _ENVIRONMENT % (PROD, "Payments", "111122223333"),
    f"environments/{STAGING}.yaml": _ENVIRONMENT % (STAGING, "Staging", "444455556666"),
}


# ---------------------------------------------------------------- in the version that writes


class _Clock:
    """Redis's own: it goes on by itself."""

    monotonic = staticmethod(time.monotonic)

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def now(self) -> datetime:
        seconds, micros = self._client.time()
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)

    def advance(self, seconds: float) -> None:
        time.sleep(seconds)

    def set(self, _now: datetime) -> None:
        """As Slack's clock it is told the time, which it knows."""


class _Due(dict[str, float]):
    """What is due in Redis, as the memory ledger has it."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def items(self) -> Any:
        return [(name.decode(), at) for name, at in self._client.zrange(f"{PREFIX}due", 0, -1, withscores=True)]

    def __iter__(self) -> Any:
        return iter([name for name, _ in self.items()])

    def __setitem__(self, item: str, at: float) -> None:
        self._client.zadd(f"{PREFIX}due", {item: at})


def _on_redis(client: redis.Redis) -> None:
    """That version's world in memory is made of parts on Redis."""
    world = import_module("tests.support.world")
    ledger = import_module("workflows.ledger.redis_ledger")
    directory = import_module("workflows.ledger.redis_directory")

    def new_ledger(_clock: Any) -> Any:
        found = ledger.RedisLedger(client, durability="volatile", monotonic=time.monotonic)
        found.due = _Due(client)
        return found

    world.MemoryClock = lambda _start: _Clock(client)
    world.MemoryLedger = new_ledger
    world.MemoryDirectory = lambda *_: directory.RedisDirectory(client)
    world.MemoryDue = lambda _ledger: None


def written(url: str) -> dict[str, Any]:
    """Do something of everything, and return what Slack shows of it."""
    client = redis.Redis.from_url(url)
    _on_redis(client)
    chat, core = import_module("tests.support.chat"), import_module("workflows.core.people")
    clock, who = _Clock(client), people(core.person_id)
    slack_sdk = import_module("slack_sdk")
    with chat.SlackServer(chat.workspace(who), clock=lambda: clock.now().timestamp()) as slack:
        web = slack_sdk.WebClient(slack.app.bot_token, base_url=slack.api_url)
        world = chat.ChatWorld(web, clock, who, rules())
        made = _acts(world)
        world.settle(within_s=300.0)
        _sealed(world)
        made |= _left_undone(world)
        shown = [asdict(channel) for channel in slack.workspace.channels.values()]
    return {"made": made, "slack": shown}


def _acts(world: Any) -> dict[str, str]:
    """Which request is which."""
    build = import_module("tests.support.build")
    person = {name: address for name, address in zip(HOLDERS, people(build.person_id), strict=True)}
    made = {
        "denied": world.asked(person["asks"], role="admin"),
        "pending": world.asked(person["asks"], duration=4 * HOUR),
        "live": world.active(person["lives"], duration=4 * HOUR),
        "in a group": world.active(person["lives"], role="deploy"),
        "by a policy": world.active(person["lives"], role="state", duration=4 * HOUR),
        "over": world.active(person["over"]),
        "given back": world.active(person["gave"]),
    }
    world.deny(made["denied"])
    world.end(made["given back"], person["gave"])
    world.end(made["over"], build.OLU, "not needed")
    made |= _extended(world, person) | _scheduled(world, person) | _several(world, person)
    made["break-glass"] = _broken(world)
    made["delegated"] = _delegated(world, person["stood"])
    made["held"] = world.active(person["held"], duration=4 * HOUR)
    made["held pending"] = world.asked(person["held"], role="admin")
    _held(world, person["held"])
    world.work()
    return made


def _sealed(world: Any) -> None:
    """The log is signed, and its words hidden under people's keys, in versions that do that."""
    try:
        sealing = import_module("tests.support.sealing")
    except ModuleNotFoundError:
        return
    sealing.sealer(world, sealing.MemoryArchive()).seal()


def _left_undone(world: Any) -> dict[str, str]:
    """What no worker and no chat has seen yet."""
    build = import_module("tests.support.build")
    decided = world.asked(build.DANA, duration=4 * HOUR)
    world.approve(decided)
    return {"just asked": world.ask(build.DANA, role="admin").id, "just approved": decided}


def _extended(world: Any, person: dict[str, Any]) -> dict[str, str]:
    first, waits = world.active(person["more"]), world.active(person["wants"])
    more = world.more_asked(first, who=person["more"])
    world.approve(more)
    world.work()
    return {
        "extended": first,
        "extension": more,
        "to be extended": waits,
        "extension pending": world.more_asked(waits, who=person["wants"]),
    }


def _scheduled(world: Any, person: dict[str, Any]) -> dict[str, str]:
    at = (world.clock.now() + 2 * HOUR).replace(second=0, microsecond=0)
    later, maybe = (world.asked(person["later"], role=role, start_at=at) for role in ("read-only", "admin"))
    world.approve(later)
    world.work()
    return {"scheduled": later, "scheduled pending": maybe}


def _several(world: Any, person: dict[str, Any]) -> dict[str, str]:
    several, asking = (
        _module("workflows.usecases.requests.batch", "workflows.several"),
        _module("workflows.core.rules.eligibility", "workflows.core.asking"),
    )
    model, batch = (
        _module("workflows.core.records.request", "workflows.core.model"),
        _module("workflows.core.rules.batch", "workflows.core.several"),
    )
    made: dict[str, str] = {}
    for name, role in (("several", "read-only"), ("several pending", "admin")):
        world.knows(person["many"])
        asks = [asking.Ask(place, role, HOUR, "INC-42 checkout errors") for place in (PROD, STAGING)]
        account = import_module("tests.support.world").account(person["many"])
        done = several.ask_for_several(world.ctx, asks, account, model.Origin(), world.press_id())
        world.work()
        parts = several.batch_of(world.ctx, done.id)
        made |= {name: parts[0].id, f"{name}, the other": parts[1].id}
    olu = import_module("tests.support.build").OLU
    world.knows(olu)
    account = import_module("tests.support.world").account(olu)
    parts = several.batch_of(world.ctx, made["several"])
    several.approve_all(world.ctx, made["several"], account, batch.terms_of(parts), world.press_id())
    world.work()
    return made


def _broken(world: Any) -> str:
    build, asking = (
        import_module("tests.support.build"),
        _module("workflows.core.rules.eligibility", "workflows.core.asking"),
    )
    model, break_glass = (
        _module("workflows.core.records.request", "workflows.core.model"),
        _module("workflows.usecases.requests.break_glass", "workflows.break_glass"),
    )
    world.knows(build.NIA)
    ask = asking.Ask(PROD, "read-only", 30 * MINUTE, "everything is down")
    account = import_module("tests.support.world").account(build.NIA)
    done = break_glass.break_glass(world.ctx, ask, account, model.Origin(), world.press_id())
    world.work()
    return str(done.id)


def _delegated(world: Any, holder: Any) -> str:
    """PAT names NIA, who agrees in PAT's place."""
    build, delegating = (
        import_module("tests.support.build"),
        _module("workflows.usecases.oversight.delegate", "workflows.delegate"),
    )
    account = import_module("tests.support.world").account
    world.knows(build.PAT, build.NIA)
    until = world.clock.now() + 24 * HOUR
    to = world.directory.person(account(build.NIA))
    delegating.delegate(world.ctx, account(build.PAT), to, until, world.press_id())
    asked = world.asked(holder, duration=4 * HOUR)
    world.approve(asked, build.NIA)
    world.work()
    return str(asked)


def _held(world: Any, person: Any) -> None:
    """A second account under an address that is somebody's."""
    build, account = import_module("tests.support.build"), import_module("tests.support.world").account
    model, asking = (
        _module("workflows.core.records.request", "workflows.core.model"),
        _module("workflows.core.rules.eligibility", "workflows.core.asking"),
    )
    request = _module("workflows.usecases.requests.request_access", "workflows.request")
    second = replace(account(person), user="UHELD2")
    world.chat.people[second] = build.facts(person, slack=second)
    world.chat.refresh_person(second, world.policy.policy)
    ask = asking.Ask(PROD, "deploy", HOUR, "INC-42 checkout errors")
    answer = request.ask_for_access(world.ctx, ask, second, model.Origin(), world.press_id())
    assert answer.code.value == "person_suspended", answer


# ---------------------------------------------------------------- the files


def make(commit: str) -> None:
    """The fixture of one version, from git history."""
    # In the version that writes, this file is run, and that is called otherwise there.
    from bot.runtime.embedded_redis import EmbeddedValkey
    from tests.support.history import unpacked

    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder) / "redis", durable=False) as server:
        old = unpacked(Path(folder) / "old", commit)
        out = Path(folder) / "shown.json"
        acts = [sys.executable, "-P", __file__, "--write", server.url, str(out)]
        subprocess.run(acts, cwd=old, env={"PYTHONPATH": str(old), "PATH": "/usr/bin:/bin"}, check=True)
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            now, keys = client.time(), _dumped(client)
        found = json.loads(out.read_text()) | {"now": now[0] + now[1] / 1e6, "keys": keys}
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / f"ledger-{commit}.json").write_text(json.dumps(found, indent=0, sort_keys=True) + "\n")


def _dumped(client: Any) -> dict[str, Any]:
    read = {
        "string": client.get,
        "hash": client.hgetall,
        "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        "list": lambda key: client.lrange(key, 0, -1),
        "stream": client.xrange,
    }
    # Of leases, rate limits and what was carried out lately, nothing is left when another version starts.
    gone = tuple(f"{PREFIX}{name}:" for name in ("lease", "bucket", "commit"))
    names = sorted(name for name in client.scan_iter("*") if not name.startswith(gone))
    return {name: [kind := client.type(name), read[kind](name)] for name in names}


# ---------------------------------------------------------------- in this version


@dataclass(frozen=True, slots=True)
class OldLedger:
    """`made`: which request is which. `slack`: channels with their messages. `keys`: everything in Redis, as [type, value].
    `now`: when the other version stopped.
    """

    made: dict[str, str]
    slack: list[dict[str, Any]]
    keys: dict[str, Any]
    now: datetime

    def strings(self, kind: str) -> dict[str, str]:
        start = f"{PREFIX}{kind}:"
        return {name.removeprefix(start): value for name, (_, value) in self.keys.items() if name.startswith(start)}


@cache
def ledger_of(commit: str) -> OldLedger:
    found = json.loads((FIXTURES / f"ledger-{commit}.json").read_text())
    return OldLedger(found["made"], found["slack"], found["keys"], datetime.fromtimestamp(found["now"], UTC))


def into_memory(old: OldLedger, world: Any) -> None:
    """Into a World whose clock is at `old.now`."""
    audit = import_module("workflows.core.audit_check")
    ledger = world.ledger
    ledger._records, ledger._audit = {}, []
    for name, stored in old.strings("record").items():
        version, _, body = stored.partition(":")
        ledger._records[name] = (int(version), body.encode())
    ledger._tick = int(old.keys[f"{PREFIX}tick"][1])
    ledger._ids = int(old.keys[f"{PREFIX}ids"][1])
    ledger._indexes = {name: dict(value) for name, value in old.strings("index").items()}  # type: ignore[arg-type]
    ledger.due = dict(old.keys[f"{PREFIX}due"][1])
    private = old.keys[f"{PREFIX}audit:private"][1]
    for id_, fields in old.keys[f"{PREFIX}audit"][1]:
        number = id_.partition("-")[0]
        words = private[number].encode() if number in private else None
        entry = audit.StoredEntry(int(number), fields["body"].encode(), fields["digest"], words, fields.get("link", ""))
        ledger._audit.append(entry)
    ledger._audit_of = {name: list(map(int, value)) for name, value in old.strings("audit:of").items()}
    # A process that begins on it has seen nothing before.
    getattr(ledger, "trust", lambda: None)()


def into_redis(old: OldLedger, client: redis.Redis) -> None:
    """Into an empty server, as if the other version had stopped a moment ago: what is in it is that much later."""
    pipe = client.pipeline()
    write = {
        "string": pipe.set,
        "hash": lambda key, value: pipe.hset(key, mapping=value),
        "zset": lambda key, value: pipe.zadd(key, dict(value)),
        "list": lambda key, value: pipe.rpush(key, *value),
        "stream": lambda key, value: [pipe.xadd(key, fields, id=id_) for id_, fields in value],
    }
    for name, (kind, value) in old.keys.items():
        write[kind](name, value)
    pipe.execute()
    move(client, _Clock(client).now() - old.now)


_TIME = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"')


def move(client: redis.Redis, by: timedelta) -> None:
    """Everything that the ledger will do or knows, but for the audit log, stands that much later; or earlier: time passes."""

    def later(found: re.Match[str]) -> str:
        return f'"{(datetime.fromisoformat(found[1]) + by).isoformat().replace("+00:00", "Z")}"'

    names = sorted(name.decode() for name in client.scan_iter(f"{PREFIX}*", count=1000))
    texts = [name for name in names if name.startswith((f"{PREFIX}record:", f"{PREFIX}person:", f"{PREFIX}members:"))]
    sets = [name for name in names if name.startswith((f"{PREFIX}index:", f"{PREFIX}due"))]
    with client.pipeline() as pipe:
        for name in sets:
            pipe.zrange(name, 0, -1, withscores=True)
        scores = pipe.execute()
        for name, value in zip(texts, client.mget(texts), strict=True):
            pipe.set(name, _TIME.sub(later, value.decode()), keepttl=True)
        for name, members in zip(sets, scores, strict=True):
            pipe.zadd(name, {member: at + by.total_seconds() for member, at in members})
        pipe.execute()


def into_slack(old: OldLedger, slack: Any) -> None:
    """Every channel with what stands in it."""
    model = import_module("bot.sandbox.slack.model")
    for stored in old.slack:
        known = {name: value for name, value in stored.items() if name in model.Channel.__dataclass_fields__}
        messages = {ts: _message(model, one) for ts, one in known.pop("messages").items()}
        known["locked_threads"] = set(known.get("locked_threads", ()))
        slack.workspace.channels[known["id"]] = model.Channel(**(known | {"messages": messages, "ephemerals": []}))


def _message(model: Any, stored: dict[str, Any]) -> Any:
    tuples = {name: tuple(stored[name]) for name in ("mentioned", "pinged", "notified")}
    return model.Message(**(stored | tuples))


def _run(arguments: Iterable[str]) -> None:
    first, *rest = arguments
    if first == "--write":
        url, out = rest
        Path(out).write_text(json.dumps(written(url), default=sorted))
        return
    for commit in (first, *rest):
        make(commit)


if __name__ == "__main__":
    _run(sys.argv[1:])

"""Somebody else writes over one key in Redis, whichever it is and whatever they write: the rest of the company does not notice.

Dana and Olu have used the bot; every key that this has made is spoilt, one at a time. Then Nia asks, Pat approves, Nia gets
and loses access, and whoever looks sees it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
import redis

from bot.chat.views.home_reader import HomeReader
from bot.chat.views.home_view import HomeView
from bot.chat.views.read_model import Reader
from bot.observability.faults import Faults
from bot.observability.metrics import LedgerMetrics
from bot.runtime.heartbeat import Heartbeats
from tests.support import build
from tests.support.build import DANA, GUS, NIA, OLU, PAT, SUE
from tests.support.redis_world import RedisWorld
from tests.support.world import account
from workflows.core import keys
from workflows.core.clockwork import LedgerClock, WitnessRecord
from workflows.core.identity import Address, AddressRecord
from workflows.core.ledger_doubt import LedgerDoubt, Sign
from workflows.core.mixed import OlderRunning
from workflows.core.people import Membership
from workflows.core.records.activity import Activity
from workflows.core.records.certification import Certification, CertificationPart, Item, ItemKind
from workflows.core.records.chat import ChatRecord, Press
from workflows.core.records.drift import Drift, DriftKind, DriftPass, DriftPlan
from workflows.core.records.erased import ErasedPeople
from workflows.core.records.forge import ForgeWait
from workflows.core.records.gate import TokenOnce
from workflows.core.records.grant import GrantState
from workflows.core.records.installation import Installation
from workflows.core.records.leavers import Leavers
from workflows.core.records.oversight import BulkRevocation, Review, ReviewState, Trouble
from workflows.core.records.person import Refusals, Uses
from workflows.core.records.policy_in_force import FormerPolicies, WaitingPolicy, WaitingState
from workflows.core.records.record import Record
from workflows.core.records.retained import Retained
from workflows.core.records.seal import SealState
from workflows.core.records.signed import SignedVotes
from workflows.core.records.terminal import TerminalAct, Vouched
from workflows.core.records.words_key import WordsKey
from workflows.core.seal.public_key import Seal
from workflows.core.terminal.caller import Caller
from workflows.ledger.codec import KINDS
from workflows.ledger.keys import Keys
from workflows.ledger.redis_buckets import RedisBuckets
from workflows.policy_file.cron import next_slot
from workflows.ports import Change, Committed, IndexEntry
from workflows.usecases.oversight.delegate import delegate
from workflows.usecases.oversight.policy_activation import activate, keep_files
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.ledger_doubt import accept as accept_ledger
from workflows.usecases.upkeep.mend_indexes import mend
from workflows.usecases.upkeep.tell_unreadable import look_again, tell
from workflows.usecases.upkeep.timekeeping import accept

PREFIX = "prodaccess:"
DOUBT = f"{PREFIX}record:{keys.LEDGER_DOUBT}".encode()
# Every index that has a name of its own; the others are named after one of them, or after something.
INDEXES = sorted({value for name, value in vars(keys).items() if name.isupper() and ":" not in value})
QUIET = timedelta(minutes=30)
RESOURCE = build.resource(build.request().terms)
# What a record of each kind looks like that the story below does not bring about by itself.
MORE: Mapping[str, Record] = {
    "sweepout:s1": BulkRevocation("s1", SUE, "Sue", account(SUE), build.NOW, "a laptop was stolen", person=GUS),
    "refusals:gus@example.com": Refusals(GUS, build.NOW, 3),
    "signed:PA-1": SignedVotes("PA-1", build.NOW),
    "press:p1": Press("p1", build.NOW, "{}"),
    "review:PA-1": Review("PA-1", "payments-prod", DANA, ReviewState.OWED, build.NOW, build.NOW + QUIET),
    "chat:PA-1": ChatRecord("PA-1"),
    "address:gus@example.com": AddressRecord(Address("gus@example.com"), GUS),
    "uses:u1": Uses("u1", (build.NOW,)),
    "clock:ledger": LedgerClock(),
    keys.OLDER: OlderRunning(("worker",), 1),
    "witness:host": WitnessRecord("host", 0, build.NOW),
    keys.INSTALLATION: Installation("a" * 32, build.NOW),
    keys.SEAL: SealState(0, "", (), build.NOW, Seal("{}", "b" * 64, "")),
    keys.words_key("gus@example.com"): WordsKey("gus@example.com", "ab" * 32, build.NOW),
    keys.LEAVERS: Leavers(),
    keys.POLICY_FORMER: FormerPolicies(),
    keys.DRIFT_PROGRESS: DriftPass(),
    keys.drift_plan(0): DriftPlan(1, "f" * 64, ()),
    keys.drift(RESOURCE.holding): Drift(
        RESOURCE.holding, DriftKind.STANDING, RESOURCE, "s", (("payments-prod", "read-only"),), build.NOW, build.NOW
    ),
    keys.certification("7"): Certification(
        "7", build.NOW, build.NOW, build.NOW, "Ada Audit", "quarter", ("payments-prod",), (), ("7-1",)
    ),
    keys.certification_part("7-1"): CertificationPart(
        "7-1", "7", "payments-prod", "Payments", 1, 1, build.NOW, (Item(1, ItemKind.ROLE, "read-only"),)
    ),
    keys.RETAINED: Retained(at=build.NOW),
    keys.ERASED: ErasedPeople("ab" * 32),
    keys.activity("PA-1"): Activity("PA-1"),
    keys.token_once("https://forge.example.com", "1"): TokenOnce(
        keys.token_once("https://forge.example.com", "1").partition(":")[2], build.NOW + QUIET
    ),
    keys.forge("f1"): ForgeWait(
        "f1", "5" * 64, "acme/a", "1", "2", "3", "production", "4", "a" * 40, "5", (), build.NOW
    ),
    keys.terminal("a" * 24): TerminalAct("a" * 24, "c" * 43, "https://prodaccess.example.com", build.NOW + QUIET),
    keys.vouched(build.DANA): Vouched(build.DANA, Caller("aws", "444455556666", "dana", "AIDADANA"), build.NOW),
    "trouble:request:PA-1": Trouble("request:PA-1", 3, "it fails", build.NOW, build.NOW, build.NOW),
}


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    """As the product has it: answers are bytes."""
    with redis.Redis.from_url(redis_url) as found:
        # What is tried here has nothing to do with disks.
        found.config_set("appendonly", "no")
        yield found
        found.config_set("appendonly", "yes")


def story(client: Any) -> RedisWorld:
    """Dana waits for one thing and has another, Olu is away, Sue decides for him; and whatever else there is to spoil."""
    world = RedisWorld(client, POLICY)
    assert world.look() == []
    activate(
        world.ctx, world.policy.policy, summary=lambda _: {"a": "b"}, difference=lambda *_: (), next_slot=next_slot
    )
    keep_files(world.ctx, world.policy.policy, {"prodaccess.yaml": "version: 1"})
    waited = WaitingPolicy(
        "e" * 64, world.policy.policy.hash, world.ledger.now(), {"security": 1}, state=WaitingState.OVER
    )
    world.ledger.commit(Change("waited", waited.since, {keys.POLICY_WAITING: 0}, puts={keys.POLICY_WAITING: waited}))
    world.knows(OLU, SUE)
    until = world.ledger.now() + timedelta(days=1)
    assert isinstance(delegate(world.ctx, account(OLU), build.facts(SUE), until, "away"), Outcome)
    world.active(DANA)
    world.asked(DANA, role="admin")
    now = world.ledger.now()
    names = (*INDEXES, keys.waiting("C1"), keys.cards_waiting("C1"), keys.last_of("x"))
    index = [IndexEntry(name, "PA-1", now.timestamp()) for name in names if name not in (keys.LIVE, keys.PENDING)]
    reads = world.ledger.read(*MORE).versions()
    made = world.ledger.commit(Change("more", now, reads, puts=MORE, index=tuple(index), removes_access=True))
    assert isinstance(made, Committed)
    world.directory.put_members("slack:S1", Membership(frozenset({OLU}), now))
    world.directory.put_nobody(Address("gone@example.com"))
    world.directory.several_chats = True
    world.directory.saw(account(OLU))
    RedisBuckets(client).take("aws", rate=1, burst=5)
    client.set(f"{PREFIX}durable", "volatile")
    assert world.ledger.acquire("holding:H-1")
    assert world.due.waking("chat:PA-1")
    Faults(client)("a test fails", ValueError("on purpose"))
    Heartbeats(client).beat("worker")
    return world


_EVERYTHING: dict[bytes, tuple[bytes, int]] = {}


def everything(client: Any) -> dict[bytes, tuple[bytes, int]]:
    """All keys that the story has made, with what stands there and how long it lives, in milliseconds. Made once."""
    if not _EVERYTHING:
        world = story(client)
        doubt = {keys.LEDGER_DOUBT: LedgerDoubt(Sign.SAID, build.NOW, 1)}
        world.ledger.commit(Change("doubt", world.ledger.now(), dict.fromkeys(doubt, 0), puts=doubt))
        _EVERYTHING.update({key: (client.dump(key), max(0, client.pttl(key))) for key in client.keys("*")})
    return _EVERYTHING


POLICY = build.policy(
    build.environment(
        build.entitlement(),
        build.entitlement("admin"),
    )
)


# ---------------------------------------------------------------- what somebody writes


def spoil(client: Any, key: bytes, how: str) -> None:
    kind = client.type(key).decode()
    if how == "another type":
        client.delete(key)
        if kind == "list":
            client.hset(key, "x", "y")
        else:
            client.rpush(key, "x")
    elif kind == "string":
        client.set(key, {"no text": b"\xff\xfe", "nonsense": b"{", "another shape": b"7:[]", "nothing": b""}[how])
    else:
        strange = {"no text": b"\xff\xfe", "nonsense": b"nonsense:{", "another shape": b"nan", "nothing": b""}[how]
        _add(client, key, kind, strange)


def _add(client: Any, key: bytes, kind: str, strange: bytes) -> None:
    if kind == "zset":
        client.zadd(key, {strange: 1.0})
    elif kind == "list":
        client.rpush(key, strange)
    elif kind == "hash":
        client.hset(key, mapping={**dict.fromkeys(client.hkeys(key), strange), strange: strange})
    elif strange == b"nan":
        client.xadd(key, {"body": "{}"}, id="18446744073709551615-0")
    else:
        client.xadd(key, {"body": strange, strange: strange}, id="9000-7")


HOWS = ("another type", "no text", "nonsense", "another shape", "nothing")


# ---------------------------------------------------------------- the others


def others_notice_nothing(world: RedisWorld, spoilt: str) -> None:
    world.directory.several_chats = True
    pass_by(world)
    # Where what was spoilt says whether Redis's clock can be trusted, an operator has to.
    if spoilt == "record:clock":
        assert isinstance(accept(world.ctx, "Ops", "I looked at it, it is right"), Outcome)
    if spoilt == "record:doubt":
        assert isinstance(accept_ledger(world.ctx, "Ops", "I looked at it, it is right"), Outcome)
    world.woken.clear()
    id_ = world.asked(NIA)
    policy = world.policy.policy
    reader = Reader(world.ctx)
    assert id_ in {view.id for view in reader.pending(policy).views}
    assert isinstance(world.approve(id_, PAT), Outcome)
    world.work()
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ACTIVE, True)
    assert id_ in {view.id for view in reader.live(policy).views}
    assert id_ in {view.id for place in reader.digest(policy, None).places for view in place.views}
    home: HomeView = HomeReader(world.ctx, reader).home(
        policy, build.facts(NIA, as_of=world.ledger.now()), build.groups()
    )
    assert [view.id for view in home.mine] == [id_]
    assert f"end:{id_}".encode() in world.client.zrange(f"{PREFIX}due", 0, -1)
    assert isinstance(world.end(id_, NIA), Outcome)
    world.work()
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ENDED, False)
    assert world.events(id_)[-1] == "grant.ended"
    assert RedisBuckets(world.client).take("aws", rate=1000, burst=5) == 0.0
    figures = {each.name for each in LedgerMetrics(world.ctx, world.client, Faults(world.client)).collect()}
    assert {"prodaccess_grants_live", "prodaccess_wakeups_queued"} <= figures
    world.look()


def pass_by(world: RedisWorld) -> None:
    """What clock and worker do every few seconds."""
    world.look()
    activate(world.ctx, world.policy.policy, summary=lambda _: {}, difference=lambda *_: (), next_slot=next_slot)
    reader, policy = Reader(world.ctx), world.policy.policy
    for look in (
        reader.pending,
        reader.live,
        reader.agreed,
        reader.reviews,
        lambda policy: reader.digest(policy, None),
    ):
        try:
            look(policy)
        except Exception:
            continue
    for _ in range(2):
        tell(world.ctx, world.ctx.unreadable.take())
        mend(world.ctx)
    look_again(world.ctx)


def kind_of(key: str) -> str:
    """`record:grant`, `index:live`, `lease`; of what belongs to a person or thing, without whose it is."""
    parts = key.removeprefix(PREFIX).split(":")
    return ":".join(parts[:2]) if parts[0] in ("record", "index", "audit", "person") else parts[0]


KINDS_OF_KEYS = (
    *sorted(f"record:{kind}" for kind in KINDS),
    *(f"index:{name}" for name in INDEXES),
    "index:cards-waiting",
    "index:last",
    "index:waiting",
    "audit",
    "audit:head",
    "audit:of",
    "audit:private",
    "bucket",
    "commit",
    "beat",
    "due",
    "durable",
    "failures",
    "ids",
    "lease",
    "members",
    "person:nobody",
    "person:seen",
    "person:slack",
    "tick",
    "woken",
)


def turns(kind: str, mine: list[bytes]) -> Iterator[tuple[bytes, str]]:
    """What a record can be made of is tried where it is decoded: here each has one turn. What all share has all of them."""
    if kind.startswith(("record:", "index:")):
        first = KINDS_OF_KEYS.index(kind)
        yield from ((key, HOWS[(first + place) % len(HOWS)]) for place, key in enumerate(mine[:3]))
    else:
        yield from ((mine[place % len(mine)], how) for place, how in enumerate(HOWS))


@pytest.mark.parametrize("kind", KINDS_OF_KEYS)
def test_one_key_that_was_written_over_harms_nobody_else(client: Any, kind: str) -> None:
    kept = everything(client)
    mine = sorted(key for key in kept if kind_of(key.decode()) == kind)
    assert mine, "the story above has to make a key of this kind"
    for key, how in turns(kind, mine):
        with client.pipeline() as pipe:
            pipe.flushdb()
            for name, (body, ttl_ms) in kept.items():
                if name == DOUBT and key != DOUBT:
                    continue  # while it stands nothing is given, and here all goes on
                pipe.restore(name, ttl_ms, body)
            pipe.execute()
        spoil(client, key, how)
        others_notice_nothing(RedisWorld(client, POLICY), kind)


def test_every_kind_of_key_is_spoilt(client: Any) -> None:
    made = {kind_of(key.decode()) for key in everything(client)}
    assert made <= set(KINDS_OF_KEYS)
    named = {name for name in vars(Keys) if not name.startswith("_") and name != "prefix"}
    assert named == {
        *(
            "record",
            "commit",
            "index",
            "lease",
            "audit_of",
            "bucket",
            "account",
            "nobody",
            "seen",
            "group",
            "tick",
            "due",
            "woken",
        ),
        *("audit", "audit_head", "private", "durable", "ids", "leader"),
    }, "a new kind of key wants a case in KINDS_OF_KEYS"

"""What earlier versions stored lives on: it is shown, decided and ended, in memory and on a real server."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import redis

from bot.sandbox.slack import words
from tests.support.build import NIA, OLU, facts
from tests.support.chat import CARDS, RECEIPTS, ChatWorld, InProcess, ids_in, posts, server_for
from tests.support.old_ledger import (
    PREFIX,
    VERSIONS,
    OldLedger,
    into_memory,
    into_redis,
    into_slack,
    ledger_of,
    move,
    people,
    rules,
)
from tests.support.redis_world import RedisWorld
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.audit_check import AuditCheck
from workflows.core.people import person_id
from workflows.core.records.grant import CLOSED, LIVE, Grant, GrantState
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.request import Request, RequestState
from workflows.core.rules.batch import terms_of
from workflows.ledger.memory import MemoryClock
from workflows.usecases.identity import erase
from workflows.usecases.identity.confirm_account import Saying, confirm_by_hand, holds
from workflows.usecases.oversight.break_glass_review import acknowledge
from workflows.usecases.requests.batch import approve_all, batch_of
from workflows.usecases.shared.adopt_accounts import adopt
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.target_users import adopt_users
from workflows.usecases.upkeep.verify_audit import faults

HELD = person_id("held@example.com")
# So late at most, where nothing is in the way.
LATE_MAX = timedelta(seconds=61)
STEP = timedelta(seconds=45)
# For whom somebody was woken is due a little later, for the case that nobody was.
AT_ONCE = timedelta(seconds=6)
# Nobody talks, and nobody signs, where it is played on a real server.
_OTHERS = ("chat:", "seal:")


class Upgraded:
    """An old ledger in a world of this version, started as processes start."""

    def __init__(self, world: World, old: OldLedger) -> None:
        self.world, self.made = world, old.made
        for who in people(person_id):
            world.targets.add_person(who)
            world.chat.people[account(who)] = facts(who)
        second = replace(account(HELD), user="UHELD2")
        world.chat.people[second] = facts(HELD, slack=second)
        for grant in self.live():
            if grant.state is not GrantState.ACTIVATING:
                world.targets[grant.resource.kind].put(grant.resource, until=grant.deadline)
        adopt(world.ctx)
        adopt_users(world.ctx)
        world.activate()

    def grants(self) -> list[Grant]:
        names = [keys.grant(id_) for id_ in self.made.values()]
        snapshot = self.world.ledger.read(*names)
        return [grant for name in names if (grant := snapshot.get(name, Grant)) is not None]

    def live(self) -> list[Grant]:
        return [grant for grant in self.grants() if grant.state in LIVE]

    def request(self, name: str) -> Request:
        return self.world.request(self.made[name])

    # ------------------------------------------------------------ decide

    def decide(self) -> None:
        """Everything that waits for somebody is decided, by whoever may."""
        self.world.work()
        for name in ("pending", "just asked", "extension pending"):
            assert isinstance(self.world.approve(self.made[name]), Outcome), name
        # PAT named NIA.
        assert isinstance(self.world.approve(self.made["scheduled pending"], NIA), Outcome)
        self._several()
        acknowledged = acknowledge(self.world.ctx, self.made["break-glass"], account(OLU), self.world.press_id())
        assert isinstance(acknowledged, Outcome), acknowledged
        self._held()
        self.world.work()

    def _several(self) -> None:
        id_ = self.made["several pending"]
        batch = batch_of(self.world.ctx, id_)
        assert isinstance(batch, tuple)
        answer = approve_all(self.world.ctx, id_, account(OLU), terms_of(batch), self.world.press_id())
        assert isinstance(answer, tuple), answer
        assert [type(part.answer) for part in answer] == [Outcome, Outcome], answer

    def _held(self) -> None:
        """One account is on hold, and nothing is given for it until somebody says whose it is."""
        (held,) = holds(self.world.ctx)
        said = confirm_by_hand(self.world.ctx, Saying(held.account.account, True, "saw the badge"), "ops", "by hand")
        assert isinstance(said, Outcome), said
        assert not holds(self.world.ctx)
        assert isinstance(self.world.approve(self.made["held pending"]), Outcome)

    # ------------------------------------------------------------ look

    def assert_given(self) -> None:
        now = [
            name for name in self.made if name not in ("denied", "over", "given back", "scheduled", "scheduled pending")
        ]
        given = [name for name in now if not name.startswith("extension")]
        states = {name: self.request(name).state for name in given}
        assert {name for name, state in states.items() if state is not RequestState.APPROVED} == set(), states
        assert {name for name in given if not self.world.has_access(self.made[name])} == set()

    def assert_over(self) -> None:
        """Nobody has anything, nothing is open, each ended once and on time, and the record is whole."""
        grants, ledger = self.grants(), self.world.ledger
        assert len(grants) == len(self.made) - len(("denied", "extension", "extension pending"))
        assert {grant.state for grant in grants} <= CLOSED
        assert [grant.id for grant in grants if self.world.targets[grant.resource.kind].has(grant.resource)] == []
        assert [grant.id for grant in grants if grant.closed_at > grant.deadline + LATE_MAX] == []
        assert not [name for name in self.made if self.request(name).state is RequestState.PENDING]
        assert [ledger.count(index) for index in (keys.PENDING, keys.LIVE, keys.SCHEDULED, keys.REVIEWS)] == [0] * 4
        for id_ in self.made.values():
            often = Counter(self.world.events(id_))
            assert max(often[name] for name in ("grant.active", "grant.ended", "request.approved")) <= 1, (id_, often)
        state = ledger.audit_state()
        assert list(faults(ledger, AuditCheck(state), state.upto)) == []
        review = keys.review(self.made["break-glass"])
        assert ledger.read(review).get(review, Review).state is ReviewState.ACKNOWLEDGED
        assert self.world.faults == []


# ---------------------------------------------------------------- in memory, with its chat


# The last but one differs from the newest in what the archive has, and is played where there is time.
PLAYED = [pytest.param(one, marks=pytest.mark.soak) if one == VERSIONS[-2] else one for one in VERSIONS]


@pytest.fixture(params=PLAYED)
def old(request: pytest.FixtureRequest) -> OldLedger:
    return ledger_of(request.param)


def test_what_an_earlier_version_stored_is_shown_decided_and_ended(old: OldLedger) -> None:
    clock, everybody = MemoryClock(old.now), people(person_id)
    slack = server_for(clock, everybody)
    into_slack(old, slack)
    world = ChatWorld(InProcess(slack), clock, everybody, rules())
    world.clock.set(old.now)
    into_memory(old, world)
    upgraded = Upgraded(world, old)
    shown = {message.ts for message in (*posts(slack, CARDS), *posts(slack, RECEIPTS))}
    upgraded.decide()
    upgraded.assert_given()
    world.settle()
    assert {message.ts for message in (*posts(slack, CARDS), *posts(slack, RECEIPTS))} > shown
    world.advance(9 * 3600, step_s=60.0)
    world.settle(within_s=600.0)
    upgraded.assert_over()
    assert not [item for item in world.ledger.due if item.partition(":")[0] in ("end", "holding", "request", "press")]
    # One card and one thread of each: what was there is edited and answered, whoever posted it.
    assert max(Counter(ids_in(card)[-1] for card in posts(slack, CARDS)).values()) == 1
    assert max(Counter(words(root) for root in posts(slack, RECEIPTS)).values()) == 1
    assert not [words(card) for card in posts(slack, CARDS) if "Needs approval" in words(card)]


def test_somebody_of_the_newest_old_ledger_is_erased() -> None:
    """What was signed there, hidden in its archive, and said in chat names them no more."""
    old = ledger_of(VERSIONS[-1])
    world = World(rules())
    world.clock.set(old.now)
    into_memory(old, world)
    gone, policy = person_id("gave@example.com"), world.policy.policy
    groups = {name: replace(one, members=frozenset(one.members) - {gone}) for name, one in policy.groups.items()}
    world.policy.policy = replace(policy, groups=groups)
    files = keys.POLICY_FILES
    world.ledger._records.pop(files, None)
    seen = erase.erase(world.ctx, world.directory.forget, gone, erase.Said("Rosa Ops", "asked for by letter"))
    assert isinstance(seen, erase.Survey)
    assert {one.what for one in seen.kept} == {old.made["given back"]}, "a later look is owed"
    world.advance(300, step_s=5)
    done = erase.erase(world.ctx, world.directory.forget, gone, erase.Said("Rosa Ops", "asked for by letter"))
    assert isinstance(done, erase.Done), done
    stands = [*(body.decode() for _, body in world.ledger._records.values()), *world.ledger._records]
    words = [entry.private.decode() for entry in world.ledger._audit if entry.private is not None]
    assert [text for text in (*stands, *words) if "gave@" in text.replace("id-of-gave@", "")] == []
    assert list(faults(world.ledger, AuditCheck(state := world.ledger.audit_state()), state.upto)) == []


# ---------------------------------------------------------------- on a real server


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
def test_what_an_earlier_version_stored_in_redis_is_decided_and_ended(version: str, redis_url: str) -> None:
    """The oldest and the newest; those between differ in what memory shows as well."""
    old = ledger_of(version)
    with redis.Redis.from_url(redis_url) as client:
        into_redis(old, client)
        world = RedisWorld(client, rules())
        upgraded = Upgraded(world, old)
        work(world)
        upgraded.decide()
        work(world)
        upgraded.assert_given()
        while waits := next_at(client):
            work(world, max(datetime.fromtimestamp(waits, UTC) - world.clock.now(), STEP))
        upgraded.assert_over()


def work(world: RedisWorld, later: timedelta = AT_ONCE) -> None:
    """Do what is due after a while, until nothing but what is said in chat is, and what a sealer does."""
    move(world.client, -later)
    while items := [item for item in world.look() if not item.startswith(_OTHERS)]:
        world._woken_up(*items)
        world.work()


def next_at(client: redis.Redis) -> float | None:
    """When the next thing has to be done that is not said in chat; None where nothing has to, ever."""
    due = client.zrange(f"{PREFIX}due", 0, -1, withscores=True)
    return next((at for item, at in due if not item.decode().startswith(_OTHERS)), None)

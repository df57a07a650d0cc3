"""Promises that one test alone held, or none: each a second time, from another side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from bot.runtime.lease_renewal import BackgroundLeaseRenewer
from bot.worker import rescue
from tests.support import build
from tests.support.build import DANA, GUS, HOUR, MINUTE, NIA, NOW, OLU, PAT, SUE
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.people import Delegation, GroupFacts, Membership, PersonId
from workflows.core.policy import Group, Policy
from workflows.core.records.grant import EndCause, Grant, GrantState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.approvers import can_speak
from workflows.ports import LEASE_S, Ask, Lease, LedgerUnreachable, Snapshot
from workflows.targets.aws.memory import Lose
from workflows.usecases.decisions.approve_reduced import approve_reduced
from workflows.usecases.fulfilment.converge import converge
from workflows.usecases.shared import due_items as sweep
from workflows.usecases.shared.context import Context, Outcome
from workflows.usecases.shared.due_items import OVERDUE_S, end_what_is_overdue, overdue_holdings
from workflows.usecases.shared.rebuilt import grant_or_rebuilt
from workflows.usecases.shared.troubles import standing


@pytest.fixture
def world() -> World:
    return World()


def code(answer: Outcome | Refused) -> Code:
    assert isinstance(answer, Refused), answer
    return answer.code


def sent(world: World, name: str) -> int:
    return sum(call.name == name for call in world.target().calls)


# ---------------------------------------------------------------- an intent is on disk before its call


def test_no_giving_call_goes_out_before_its_intent_is_on_disk_and_the_grant_says_why(world: World) -> None:
    id_ = world.asked()
    world.approve(id_)
    world.ledger.make_durable = lambda _commit="": False  # type: ignore[method-assign]  # durable by its settings, and the disk is slow
    world.advance(60)
    assert sent(world, "grant") == 0
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ACTIVATING, False)
    assert "not durable" in (world.grant(id_).error or "")
    del world.ledger.make_durable
    world.advance(31)
    assert world.grant(id_).state is GrantState.ACTIVE


def test_a_removal_does_not_wait_for_the_disk(world: World) -> None:
    id_ = world.active(duration=MINUTE)
    world.ledger.make_durable = lambda _commit="": False  # type: ignore[method-assign]  # as above
    world.advance(61)
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ENDED, False)


# ---------------------------------------------------------------- a press rests on fresh groups


def of_slack() -> Policy:
    groups = {name: Group(name, members=people) for name, people in build.GROUPS.items()}
    return build.policy(groups={**groups, "platform": Group("platform", slack_usergroup="S0PLATFORM", trusted=True)})


def learn(world: World, *members: PersonId) -> None:
    world.directory.put_members("slack:S0PLATFORM", Membership(frozenset(members), world.clock.now()))


@pytest.mark.parametrize(("age_s", "taken"), [(59, True), (61, False)])
def test_a_press_on_a_group_learnt_longer_than_a_minute_ago_waits_for_a_look(age_s: int, taken: bool) -> None:
    world = World(of_slack())
    learn(world, OLU, PAT)
    id_ = world.asked()
    learn(world, OLU, PAT)
    world.clock.advance(age_s)
    answer = world.approve(id_)
    assert isinstance(answer, Outcome) if taken else code(answer) is Code.FACTS_STALE
    if not taken:
        # Olu has left it meanwhile, which is what the look finds.
        learn(world, PAT)
        assert code(world.approve(id_)) is Code.NOT_AN_APPROVER


def test_groups_are_stale_by_their_own_age_however_fresh_the_person_is() -> None:
    facts = GroupFacts({"platform": Membership(frozenset({OLU}), NOW)})
    assert facts.stale(("platform",), NOW + timedelta(seconds=60)) == ()
    assert facts.stale(("platform",), NOW + timedelta(seconds=61)) == ("platform",)


# ---------------------------------------------------------------- a lease is over on this host's clock


class Silent:
    """A ledger that does not answer."""

    def together(self, asks: Sequence[Ask]) -> Sequence[object]:
        raise LedgerUnreachable("no answer")


def test_a_lease_that_cannot_be_renewed_is_over_at_its_deadline_and_nobody_hopes() -> None:
    now = [100.0]
    lease_renewer = BackgroundLeaseRenewer(Silent(), lambda: now[0])  # type: ignore[arg-type]  # as much of it as a keeper asks
    lease = Lease("holding:H-1", 7, "token", 100.0 + LEASE_S)
    try:
        with lease_renewer.keep(lease) as current:
            now[0] += LEASE_S - 0.1
            assert current() == lease
            now[0] += 0.1
            assert current() is None
    finally:
        lease_renewer.close()


class Credulous:
    """A keeper that hands out a lease whatever the time is."""

    @contextmanager
    def keep(self, lease: Lease) -> Iterator[Callable[[], Lease | None]]:
        yield lambda: lease


def frozen_before_its_call(world: World, seconds: float, *, ledger_away: bool) -> None:
    """The worker stops right before the call goes out, and goes on so much later."""
    target = world.target()
    send = target.grant

    def asleep(resource, until, before_send):  # type: ignore[no-untyped-def]  # a Target's
        target.grant = send  # type: ignore[method-assign]  # once
        world.clock.advance(seconds)
        world.ledger.unreachable = "Redis hangs" if ledger_away else None
        return send(resource, until, before_send)

    target.grant = asleep  # type: ignore[method-assign]  # puts the fault in


def test_a_dead_lease_sends_nothing_even_where_it_is_handed_out(world: World) -> None:
    world.ctx = replace(world.ctx, lease_renewer=Credulous())
    id_ = world.asked()
    world.approve(id_)
    frozen_before_its_call(world, LEASE_S + 0.1, ledger_away=False)
    converge(world.ctx, world.grant(id_).holding)
    assert (sent(world, "grant"), world.has_access(id_)) == (0, False)


def test_a_worker_thawed_while_redis_hangs_sends_nothing(world: World) -> None:
    lease_renewer = BackgroundLeaseRenewer(world.ledger, world.clock.monotonic)
    world.ctx = replace(world.ctx, lease_renewer=lease_renewer)
    try:
        id_ = world.asked()
        world.approve(id_)
        holding = world.grant(id_).holding
        frozen_before_its_call(world, LEASE_S + 0.1, ledger_away=True)
        with pytest.raises(LedgerUnreachable):
            converge(world.ctx, holding)
        world.ledger.unreachable = None
        assert (sent(world, "grant"), world.has_access(id_)) == (0, False)
    finally:
        lease_renewer.close()


# ---------------------------------------------------------------- an end is on the clock twice


class OneKind(World):
    """A clock that finds one kind of items for ends; all others are found."""

    def __init__(self, passes_over: str) -> None:
        super().__init__()
        self.passes_over: str | None = None
        self._then = passes_over

    def begin(self) -> None:
        self.passes_over = self._then

    def run(self, item: str) -> None:
        if item.partition(":")[0] != self.passes_over:
            super().run(item)


@pytest.mark.parametrize("passes_over", ["holding", "end"])
def test_access_ends_on_time_by_either_of_its_items_alone(passes_over: str) -> None:
    world = OneKind(passes_over)
    id_ = world.active(duration=MINUTE)
    world.begin()
    world.advance(62)
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ENDED, False)


@pytest.mark.parametrize("passes_over", ["holding", "end"])
def test_an_end_by_hand_comes_by_either_of_its_items_alone(passes_over: str) -> None:
    world = OneKind(passes_over)
    id_ = world.active(duration=HOUR)
    world.begin()
    world.end(id_, OLU, "enough")
    world.advance(3)
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.REVOKED, False)


# ---------------------------------------------------------------- ends without the queue


def test_holdings_that_are_overdue_are_found_and_no_others(world: World) -> None:
    first, second = world.active(DANA, duration=MINUTE), world.active(NIA, duration=HOUR)
    world.clock.advance(60 + OVERDUE_S - 1)
    assert overdue_holdings(world.ctx) == {}
    world.clock.advance(2)
    assert overdue_holdings(world.ctx) == {world.grant(first).holding: first}
    rescue(SimpleNamespace(context=world.ctx), threading.Event(), pause_s=0.0)  # type: ignore[arg-type]  # as much as it uses
    assert (world.has_access(first), world.has_access(second)) == (False, True)


def test_one_that_cannot_be_read_or_ended_keeps_no_other_one_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [world.active(who, duration=MINUTE) for who in (DANA, NIA, PAT)]
    world.clock.advance(60 + OVERDUE_S + 1)
    unreadable, stubborn = ids[0], world.grant(ids[1]).holding

    def read(ctx: Context, snapshot: Snapshot, id_: str) -> Grant | None:
        if id_ == unreadable:
            raise ValueError("unreadable")
        return grant_or_rebuilt(ctx, snapshot, id_)

    def end(holding: str, grant: str) -> None:
        if holding == stubborn:
            raise ZeroDivisionError
        converge(world.ctx, holding, grant)

    monkeypatch.setattr(sweep, "grant_or_rebuilt", read)
    end_what_is_overdue(world.ctx, end)
    assert [world.has_access(id_) for id_ in ids] == [True, True, False]
    assert {trouble.item for trouble in standing(world.ctx)} == {keys.end_due(unreadable), keys.holding(stubborn)}


# ---------------------------------------------------------------- what one test alone held


def test_a_delegate_hands_on_their_own_right_and_never_one_they_stand_in_for() -> None:
    later = NOW + HOUR
    handed = {
        OLU: Delegation(PAT, "Pat", NOW, later, "Olu"),
        PAT: Delegation(GUS, "Gus", NOW, later, "Pat"),
        GUS: Delegation(SUE, "Sue", NOW, later, "Gus"),
    }
    facts = replace(build.groups(), delegations=handed, at=NOW)
    may = can_speak(build.policy(), build.entitlement(), build.request(), facts)
    assert may == {OLU: OLU, PAT: PAT, GUS: PAT}


def test_no_door_to_an_approval_is_open_after_the_expiry() -> None:
    roles = build.entitlement("read-only"), build.entitlement("admin")
    world = World(build.policy(build.environment(*roles)))
    id_ = world.asked(role="admin")
    world.clock.advance((world.request(id_).expires_at - world.clock.now()).total_seconds())
    world.knows(OLU)
    learnt = approve_reduced(world.ctx, id_, account(OLU), "read-only", None, world.press_id())
    assert code(learnt) is Code.DECIDED
    assert code(world.approve(id_)) is Code.DECIDED
    world.work()
    assert not world.ledger.count(keys.LIVE)


class Killed(BaseException):
    """The worker is gone."""


def test_a_call_of_a_killed_worker_that_takes_effect_late_is_found_when_its_doubt_is_over(world: World) -> None:
    id_ = world.asked(duration=MINUTE)
    world.approve(id_)
    target = world.target()
    send = target.grant

    def dies(resource, until, before_send):  # type: ignore[no-untyped-def]  # a Target's
        target.grant = send  # type: ignore[method-assign]  # once
        raise Killed

    target.grant = dies  # type: ignore[method-assign]  # puts the fault in
    with pytest.raises(Killed):
        converge(world.ctx, world.grant(id_).holding)
    world.end(id_, OLU, "enough")
    world.advance(120, step_s=5)
    assert world.grant(id_).state is GrantState.REVOKED
    # It was on the wire all the time.
    resource = world.grant(id_).resource
    target.put(resource)
    world.advance(240, step_s=5)
    assert not target.has(resource)
    assert "grant.reappeared" in world.events(id_)


def test_a_removal_in_doubt_that_comes_late_is_noticed_by_the_next_grant(world: World) -> None:
    first = world.active(duration=HOUR)
    world.target().next("revoke", Lose(applied=True, late_s=200))
    world.end(first, OLU, "enough")
    world.advance(5)
    assert world.grant(first).state is GrantState.REVOKED
    second = world.active(duration=HOUR)
    world.advance(230, step_s=5)
    assert not world.has_access(second)
    world.advance(120, step_s=5)
    assert (world.grant(second).state, world.has_access(second)) == (GrantState.ACTIVE, True)


def test_access_that_came_through_a_group_while_the_ask_was_pending_is_standing(world: World) -> None:
    id_ = world.asked()
    resource = world.request(id_).resource
    assert resource is not None
    world.target().through_group[resource.holding] = "admins"
    world.approve(id_)
    world.work()
    grant = world.grant(id_)
    assert grant.end is not None
    assert (grant.state, grant.end.cause) == (GrantState.ACTIVATION_FAILED, EndCause.STANDING)
    assert world.target().changes() == 0

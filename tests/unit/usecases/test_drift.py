"""Access at a target that the record does not know, and the other way round: found, told, gone; taken away only where it is ours.

Each guard of the removal is a test here, because it takes something away from people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support import build
from tests.support.drift import by_hand, marking, marks, mine, passed, resource, settle
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.clockwork import Doubt, LedgerClock
from workflows.core.ledger_doubt import Sign
from workflows.core.people import PersonId
from workflows.core.policy import OnDrift, Policy
from workflows.core.records.drift import Drift, DriftKind, DriftPlan
from workflows.core.records.grant import GrantState
from workflows.core.records.installation import Installation
from workflows.core.records.target import Resource
from workflows.core.refusal import Code, Refused
from workflows.ports import Change, Snapshot
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose, Refuse, Throttle
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.drift.plan_parts import PART
from workflows.usecases.drift.press import decide
from workflows.usecases.drift.standing import ask_for_pass, open_of_all, progress
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.ledger_doubt import accept, raise_doubt

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OTHER = "00000000000f"
TOLD = (Event.DRIFT_FOUND, Event.DRIFT_GONE, Event.DRIFT_HELD, Event.DRIFT_REMOVED)


def world_of(policy: Policy | None = None) -> World:
    return marks(World(policy))


def found(world: World) -> dict[str, DriftKind]:
    return {id_: one.kind for id_, one in open_of_all(world.ctx).items()}


def only(world: World) -> Drift:
    (one,) = open_of_all(world.ctx).values()
    return one


def told(world: World, *events: Event) -> list[AuditEntry]:
    return [entry for entry in world.ledger.entries(limit=10_000) if entry.event in (events or TOLD)]


# ---------------------------------------------------------------- found, and gone


def test_an_assignment_by_hand_is_found_once_and_told_when_it_is_gone() -> None:
    world = world_of()
    by_hand(world, build.NIA)
    stands = passed(world)
    assert (stands.looks, stands.not_known) == (1, ())
    one = only(world)
    assert (one.kind, one.who, one.times, one.environments) == (
        DriftKind.STANDING,
        "nia@example.com",
        1,
        ("payments-prod",),
    )
    passed(world, HOUR)
    assert only(world).times > 1
    assert [entry.event for entry in told(world)] == [Event.DRIFT_FOUND]
    world.target().take(resource(world, build.NIA))
    passed(world, HOUR)
    assert found(world) == {}
    assert [entry.event for entry in told(world)] == [Event.DRIFT_FOUND, Event.DRIFT_GONE]
    assert told(world)[1].facts["proof"] == "absence_read_back"
    assert told(world)[0].private["who"] == "nia@example.com"


def test_it_comes_by_itself_every_hour() -> None:
    world = world_of()
    passed(world)
    number = progress(world.ctx).number
    world.advance(HOUR.total_seconds() + 60, step_s=600)
    assert progress(world.ctx).number == number + 1


def test_our_own_access_is_none_at_any_time_of_its_life() -> None:
    world = world_of()
    world.target().slow_s = 3.0
    id_ = world.asked()
    world.approve(id_)
    world.clock.advance(1)
    for _ in range(4):
        world.work()
        passed(world)
        world.clock.advance(1)
    world.clock.advance(HOUR.total_seconds() - 60)
    passed(world)
    world.end(id_)
    for _ in range(12):
        world.clock.advance(10)
        world.work()
        passed(world)
    assert world.grant(id_).state is GrantState.ENDED
    assert (found(world), told(world)) == ({}, [])


def test_what_we_gave_and_ended_and_is_there_again_says_so() -> None:
    world = world_of()
    id_ = world.active()
    world.end(id_)
    settle(world)
    by_hand(world)
    passed(world)
    one = only(world)
    assert (one.kind, one.grant, one.holder, one.who) == (DriftKind.ENDED, id_, build.DANA, "Dana")


def test_standing_access_that_was_there_before_us_is_standing_after_the_ask_too() -> None:
    world = world_of()
    by_hand(world)
    world.approve(world.asked())
    settle(world)
    passed(world)
    assert only(world).kind is DriftKind.STANDING


def test_access_that_somebody_took_away_past_us_is_missed_and_not_given_again() -> None:
    world = world_of()
    id_ = world.active()
    settle(world)
    changes = world.target().changes()
    world.target().take(world.grant(id_).resource)
    passed(world)
    one = only(world)
    assert (one.kind, one.grant, one.holder) == (DriftKind.MISSING, id_, build.DANA)
    passed(world, 10 * MINUTE)
    assert world.target().changes() == changes
    assert len(told(world)) == 1
    world.end(id_)
    world.advance(120, step_s=10)
    passed(world)
    assert found(world) == {}
    assert told(world)[-1].facts["proof"] == "grant_over"


def test_a_list_that_fails_concludes_nothing() -> None:
    world = world_of()
    by_hand(world, build.NIA)
    passed(world)
    id_ = world.active()
    settle(world)
    before = found(world)
    world.target().next("list_managed", Lose())
    stands = passed(world)
    assert stands.not_known == ("payments-prod read-only: list_managed: no answer",)
    assert (found(world), len(told(world))) == (before, 1)
    assert world.grant(id_).state is GrantState.ACTIVE


def test_a_short_list_is_no_proof_that_something_is_gone() -> None:
    world = world_of()
    by_hand(world, build.NIA)
    id_ = world.active()
    settle(world)
    passed(world)
    before = found(world)
    listed, target = type(world.target()).list_managed, world.target()
    target.list_managed = lambda _terms: []  # type: ignore[method-assign]  # the list lacks all of them
    passed(world)
    assert (found(world), len(told(world))) == (before, 1)
    target.next("observe", *[Refuse()] * 10)
    passed(world)
    assert (found(world), len(told(world))) == (before, 1)
    target.list_managed = listed.__get__(target)  # type: ignore[method-assign]  # as it was
    assert world.grant(id_).state is GrantState.ACTIVE


def test_throttled_it_waits_and_goes_on() -> None:
    world = world_of()
    by_hand(world, build.NIA)
    world.target().next("list_managed", Throttle(5.0), Throttle(5.0))
    assert passed(world).not_known == ()
    assert len(found(world)) == 1


def test_each_thing_is_listed_once_whatever_names_it() -> None:
    one, same = build.environment(), build.environment(build.entitlement("also"), name="payments-eu")
    other = build.environment(build.entitlement(account="222233334444", environment="shop"), name="shop")
    world = world_of(build.policy(one, same, other))
    by_hand(world, build.NIA)
    world.target().calls.clear()
    stands = passed(world)
    assert (stands.looks, [call.name for call in world.target().calls].count("list_managed")) == (2, 2)
    assert set(only(world).environments) == {"payments-prod", "payments-eu"}


def test_each_step_reads_the_looks_that_come_next_and_no_others() -> None:
    """However many there are: together they may be more than fits into a process."""
    accounts = [f"2222333344{number:02}" for number in range(2 * PART + 3)]
    places = [
        build.environment(build.entitlement(account=one, environment=f"shop-{one}"), name=f"shop-{one}")
        for one in accounts
    ]
    world, read = world_of(build.policy(*places)), list[int]()
    whole = world.ledger.read

    def counted(*names: str, **asked: Any) -> Snapshot:
        found = whole(*names, **asked)
        read.append(sum(len(item.record.looks) for item in found.items.values() if isinstance(item.record, DriftPlan)))
        return found

    world.ledger.read = counted  # type: ignore[method-assign]  # counts what is read of the plan
    stands = passed(world)
    assert (stands.looks, stands.not_known) == (len(accounts), ())
    assert max(read) == PART
    assert sorted(world.ledger.records("drift-plan")) == [keys.drift_plan(part) for part in range(3)]
    # Fewer by the next pass: nothing of the one before stays.
    world.policy.policy = build.policy(*places[:3])
    assert passed(world, HOUR).looks == 3
    assert list(world.ledger.records("drift-plan")) == [keys.drift_plan(0)]


def test_users_are_those_who_may_ask_and_those_who_had_it_lately() -> None:
    world = world_of(marking())
    stands = passed(world)
    plan = world.ledger.read(keys.drift_plan(0)).get(keys.drift_plan(0), DriftPlan)
    assert plan is not None
    assert sorted(look.terms.user for look in plan.looks) == ["dana", "nia", "olu", "pat"]  # type: ignore[attr-defined]
    assert stands.looks == 4


def test_what_the_policy_gives_no_more_is_looked_at_no_more() -> None:
    world = world_of()
    by_hand(world, build.NIA)
    passed(world)
    role = build.entitlement(target=AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="Other"))
    world.policy.policy = build.policy(build.environment(role), hash="e" * 64)
    world.activate()
    passed(world)
    assert found(world) == {}
    assert told(world)[-1].facts["proof"] == "not_managed"


def test_a_process_with_another_policy_looks_at_nothing() -> None:
    world = world_of()
    world.policy.policy = replace(world.policy.policy, hash="e" * 64)
    ask_for_pass(world.ctx)
    world.work()
    assert progress(world.ctx).number == 0
    assert not world.target().calls


def test_two_workers_do_not_compare_at_once() -> None:
    world = world_of()
    lease = world.ledger.acquire(keys.DRIFT_DUE)
    assert lease is not None
    world.run(keys.DRIFT_DUE)
    assert progress(world.ctx).number == 0


# ---------------------------------------------------------------- taken away


def denied(world: World) -> str:
    """The id of a request that never was given: nothing can carry its name rightly."""
    id_ = world.asked(role="write")
    assert isinstance(world.deny(id_), Outcome)
    return id_


def has(world: World, one: Resource) -> bool:
    return world.targets.for_terms(one.target).has(one)


def test_what_another_installation_has_given_under_our_number_is_not_written_over() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    id_ = world.asked(role="write")
    world.work()
    theirs = world.request(id_).resource
    assert theirs is not None
    target = world.targets[AwsKind.IAM_POLICY]
    target.mark = mine(world)
    target.put(theirs, until=world.ledger.now() + HOUR, mark="f" * 12)
    before = target.changes()
    world.approve(id_)
    world.work()
    grant = world.grant(id_)
    assert grant.state is GrantState.ACTIVATION_FAILED
    assert grant.end is not None
    assert grant.end.reason == "another installation gave it"
    world.advance(120, step_s=5)
    assert target.changes() == before
    assert has(world, theirs)
    (entry,) = told(world, Event.GRANT_ACTIVATION_FAILED)
    assert entry.facts["proof"] == "nothing_given"


def test_what_of_ours_another_life_left_under_the_number_is_written_over() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    id_ = world.asked(role="write")
    world.work()
    ours = world.request(id_).resource
    assert ours is not None
    target = world.targets[AwsKind.IAM_POLICY]
    target.mark = mine(world)
    target.put(ours, until=world.ledger.now() + HOUR, mark=mine(world))
    world.approve(id_)
    world.work()
    assert world.grant(id_).state is GrantState.ACTIVE


def test_what_carries_our_mark_is_taken_away_after_two_looks_ten_minutes_apart() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    one = by_hand(world, request=denied(world), mark=mine(world))
    passed(world)
    assert only(world).kind is DriftKind.UNKNOWN
    passed(world, 9 * MINUTE)
    assert has(world, one)
    world.advance(90, step_s=3)
    # Nobody had to ask: what is to be taken away is looked at again by itself.
    assert not has(world, one)
    world.advance(30, step_s=2)
    assert found(world) == {}
    events = [entry.event for entry in told(world, *TOLD, Event.DRIFT_REMOVAL_STARTED)]
    assert events == [Event.DRIFT_FOUND, Event.DRIFT_REMOVAL_STARTED, Event.DRIFT_REMOVED]
    assert told(world)[-1].facts["proof"] == "absence_read_back"


def test_the_removal_stands_on_the_record_before_the_call_and_is_fenced_as_every_other() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    one = by_hand(world, request=denied(world), mark=mine(world))
    passed(world)
    world.target(AwsKind.IAM_POLICY).next("revoke", *[Lose(applied=False)] * 5)
    passed(world, 11 * MINUTE)
    calls = [call for call in world.target(AwsKind.IAM_POLICY).calls if call.name == "revoke"]
    started = told(world, Event.DRIFT_REMOVAL_STARTED)
    assert len(started) == 1
    assert started[0].at <= calls[0].at
    world.advance(10, step_s=1)
    assert has(world, one)
    assert told(world, Event.DRIFT_REMOVED) == [], "nothing is announced that was not seen"
    world.advance(60, step_s=5)
    assert not has(world, one)
    world.advance(60, step_s=5)
    assert len(told(world, Event.DRIFT_REMOVED)) == 1


def seen_twice(world: World) -> None:
    passed(world)
    passed(world, 11 * MINUTE)
    world.advance(60, step_s=5)


def test_alert_takes_nothing_away() -> None:
    world = world_of(marking())
    one = by_hand(world, request=denied(world), mark=mine(world))
    seen_twice(world)
    assert has(world, one)
    assert [entry.event for entry in told(world)] == [Event.DRIFT_FOUND]


@pytest.mark.parametrize("mark", [OTHER, ""])
def test_another_installations_mark_and_none_at_all_are_left_alone(mark: str) -> None:
    world = world_of(marking(OnDrift.REVOKE))
    one = by_hand(world, request=denied(world), mark=mark)
    seen_twice(world)
    assert has(world, one)
    assert only(world).kind is DriftKind.FOREIGN


def test_an_older_mark_is_ours_where_this_ledger_gave_it() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    id_ = world.active(role="write")
    world.end(id_)
    settle(world)
    one = by_hand(world, request=id_, mark="")
    passed(world)
    assert only(world).kind is DriftKind.ENDED
    passed(world, 11 * MINUTE)
    world.advance(60, step_s=5)
    assert not has(world, one)


def test_what_changed_between_the_looks_is_not_taken_away() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    id_ = denied(world)
    one = by_hand(world, request=id_, mark=mine(world))
    passed(world)
    by_hand(world, request=id_, mark=OTHER)
    passed(world, 11 * MINUTE)
    assert has(world, one)
    assert only(world).kind is DriftKind.FOREIGN


def test_what_cannot_be_looked_at_once_more_is_not_taken_away() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    one = by_hand(world, request=denied(world), mark=mine(world))
    passed(world)
    world.target(AwsKind.IAM_POLICY).next("observe", Refuse("not allowed"))
    passed(world, 11 * MINUTE)
    assert has(world, one)
    assert told(world, Event.DRIFT_REMOVAL_STARTED) == []


# ---------------------------------------------------------------- held until people press


def held(world: World) -> AuditEntry:
    (entry,) = told(world, Event.DRIFT_HELD)
    return entry


def press(world: World, who: PersonId = build.SUE, *, goes: bool, hold: int = 1) -> Outcome | Refused:
    world.knows(who)
    return decide(world.ctx, hold, account(who), world.press_id(), goes=goes)


def many(world: World, count: int) -> list[Resource]:
    return [by_hand(world, request=denied_by(world, number), mark=mine(world)) for number in range(count)]


def denied_by(world: World, number: int) -> str:
    who = (build.DANA, build.NIA)[number % 2]
    id_ = world.asked(who, role="write")
    world.deny(id_)
    return id_


@pytest.mark.parametrize(("count", "left"), [(5, 0), (6, 6)])
def test_five_are_taken_away_at_once_and_of_more_none(count: int, left: int) -> None:
    world = world_of(marking(OnDrift.REVOKE))
    every = many(world, count)
    seen_twice(world)
    assert sum(has(world, one) for one in every) == left
    assert len(told(world, Event.DRIFT_HELD)) == (1 if left else 0)


def epoch(world: World) -> None:
    snapshot = world.ledger.read(keys.INSTALLATION)
    found = snapshot.get(keys.INSTALLATION, Installation)
    assert found is not None
    put(world, keys.INSTALLATION, replace(found, epoch=found.epoch + 1))


def jump(world: World) -> None:
    put(world, keys.CLOCK, LedgerClock(jumps=1))


def put(world: World, key: str, record: Any) -> None:
    snapshot = world.ledger.read(key)
    world.ledger.commit(Change(world.press_id(), snapshot.now, snapshot.versions(), puts={key: record}))


GROUNDS: Sequence[tuple[Any, str]] = ((epoch, "epoch"), (jump, "clock"))


@pytest.mark.parametrize(("moves", "why"), GROUNDS, ids=["epoch", "clock"])
def test_after_the_ground_has_moved_nothing_goes_before_the_panic_group_has_pressed(moves: Any, why: str) -> None:
    world = world_of(marking(OnDrift.REVOKE))
    one = by_hand(world, request=denied(world), mark=mine(world))
    passed(world)
    moves(world)
    passed(world, 11 * MINUTE)
    passed(world, HOUR)
    assert has(world, one)
    assert (held(world).facts["why"], held(world).facts["count"]) == (why, "1")
    assert "Dana" in held(world).private["lines"]
    assert isinstance(press(world, goes=True), Outcome)
    world.advance(30, step_s=2)
    assert not has(world, one)
    # From then on the ground is this one.
    two = by_hand(world, build.NIA, request=denied_by(world, 1), mark=mine(world))
    seen_twice(world)
    assert not has(world, two)


def test_a_name_that_this_ledger_has_not_got_to_means_that_it_is_an_older_one() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    one = by_hand(world, request="PA-999", mark=mine(world))
    seen_twice(world)
    assert has(world, one)
    assert held(world).facts["why"] == "ahead"
    assert isinstance(press(world, goes=True), Outcome)
    world.advance(30, step_s=2)
    assert not has(world, one)


def test_left_it_stays_and_nobody_is_asked_again() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    one = by_hand(world, request="PA-999", mark=mine(world))
    seen_twice(world)
    assert isinstance(press(world, goes=False), Outcome)
    passed(world, HOUR)
    passed(world, HOUR)
    assert has(world, one)
    assert (only(world).left_by, len(told(world, Event.DRIFT_HELD))) == ("Sue", 1)


def test_only_the_panic_group_decides_and_nobody_that_their_own_stays() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    by_hand(world, build.PAT, request="PA-999", mark=mine(world))
    id_ = world.active(build.PAT, role="write")
    world.end(id_, build.PAT)
    seen_twice(world)
    refused = press(world, build.OLU, goes=True)
    assert isinstance(refused, Refused)
    assert refused.code is Code.NOT_SECURITY
    own = press(world, build.PAT, goes=False)
    assert isinstance(own, Refused)
    assert own.code is Code.OWN_DRIFT
    assert isinstance(press(world, build.PAT, goes=True), Outcome)


def test_a_press_on_what_is_over_changes_nothing() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    one = by_hand(world, request="PA-999", mark=mine(world))
    seen_twice(world)
    world.target(AwsKind.IAM_POLICY).take(one)
    passed(world, HOUR)
    refused = press(world, goes=True)
    assert isinstance(refused, Refused)
    assert refused.code is Code.DRIFT_OVER
    (over,) = told(world, Event.DRIFT_DECIDED)
    assert over.facts["decision"] == "over"


def test_where_nobody_can_read_how_it_stood_people_are_asked() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    one = by_hand(world, request=denied(world), mark=mine(world))
    passed(world)
    version, _ = world.ledger._records[keys.DRIFT_PROGRESS]
    world.ledger._records[keys.DRIFT_PROGRESS] = version, b"{}]"
    passed(world, 11 * MINUTE)
    assert has(world, one)
    assert held(world).facts["why"] == "epoch"


def clock_in_doubt(world: World) -> None:
    put(world, keys.CLOCK, LedgerClock(jumps=1, doubt=Doubt(world.clock.now(), 1)))


def ledger_in_doubt(world: World) -> None:
    assert raise_doubt(world.ctx, Sign.SAID, {"newest": "1"})


@pytest.mark.parametrize("doubt", [clock_in_doubt, ledger_in_doubt])
def test_while_ledger_or_clock_is_in_doubt_nothing_is_taken_away_and_nobody_is_asked(doubt: Any) -> None:
    world = world_of(marking(OnDrift.REVOKE))
    one = by_hand(world, request=denied(world), mark=mine(world))
    passed(world)
    doubt(world)
    passed(world, 11 * MINUTE)
    passed(world, HOUR)
    assert has(world, one)
    assert told(world, Event.DRIFT_HELD, Event.DRIFT_REMOVAL_STARTED) == []


@pytest.mark.parametrize("doubt", [clock_in_doubt, ledger_in_doubt])
def test_nothing_is_agreed_to_while_ledger_or_clock_is_in_doubt(doubt: Any) -> None:
    world = world_of(marking(OnDrift.REVOKE))
    one = by_hand(world, request="PA-999", mark=mine(world))
    seen_twice(world)
    doubt(world)
    refused = press(world, goes=True)
    assert isinstance(refused, Refused)
    assert refused.code is Code.DRIFT_NOT_NOW
    world.advance(60, step_s=5)
    assert has(world, one)


def test_after_a_ledger_was_accepted_the_panic_group_presses_first() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    one = by_hand(world, request=denied(world), mark=mine(world))
    passed(world)
    ledger_in_doubt(world)
    assert isinstance(accept(world.ctx, "ops", "the newest backup there is"), Outcome)
    passed(world, 11 * MINUTE)
    assert has(world, one)
    assert held(world).facts["why"] == "epoch"
    assert isinstance(press(world, goes=True), Outcome)
    world.advance(30, step_s=2)
    assert not has(world, one)


def test_what_comes_into_doubt_after_the_press_is_not_taken_away_any_more() -> None:
    world = world_of(marking(OnDrift.REVOKE))
    one = by_hand(world, request="PA-999", mark=mine(world))
    seen_twice(world)
    assert isinstance(press(world, goes=True), Outcome)
    ledger_in_doubt(world)
    world.advance(60, step_s=5)
    assert has(world, one)
    assert only(world).agreed_by == ""


def test_a_rebuilt_ledger_takes_nothing_away_by_itself() -> None:
    """It knows nothing of the passes before: its first one does not take the new epoch for granted."""
    world = world_of(marking(OnDrift.REVOKE))
    epoch(world)
    one = by_hand(world, request=denied(world), mark=mine(world))
    seen_twice(world)
    assert has(world, one)
    assert held(world).facts["why"] == "epoch"

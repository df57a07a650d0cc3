"""Access that begins later: agreed now, given at its start, if all that it rests on holds then."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from tests.support.build import (
    DANA,
    HOUR,
    MINUTE,
    NIA,
    NOW,
    OLU,
    PAT,
    auto,
    entitlement,
    environment,
    facts,
    policy,
)
from tests.support.world import World
from workflows.core import keys
from workflows.core.policy import Freeze, Hours
from workflows.core.records.grant import GrantState
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Origin, RequestState
from workflows.core.refusal import Code, Refused
from workflows.ports import Change
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsSpec

LATER = NOW + 3 * HOUR
ALWAYS = frozenset(range(7))


@pytest.fixture
def world() -> World:
    return World(policy(environment(entitlement(expires_after=12 * HOUR))))


def code(answer: object) -> str | None:
    return answer.code if isinstance(answer, Refused) else None


def scheduled(world: World, **changes: object) -> str:
    id_ = world.asked(start_at=LATER, **changes)
    assert world.approve(id_).outcome == "scheduled"
    world.work()
    assert world.request(id_).state is RequestState.SCHEDULED
    return id_


def to_the_start(world: World) -> None:
    world.advance((LATER - world.clock.now()).total_seconds() + 2, step_s=60)


def test_nothing_is_given_before_its_start_and_the_time_counts_from_there(world):
    id_ = scheduled(world)
    calls = world.target().changes()
    world.advance(2.9 * 3600, step_s=600)
    assert (world.request(id_).state, world.target().changes()) == (RequestState.SCHEDULED, calls)
    to_the_start(world)
    grant = world.grant(id_)
    assert (world.request(id_).state, grant.state) == (RequestState.APPROVED, GrantState.ACTIVE)
    assert LATER + HOUR <= grant.deadline <= LATER + HOUR + 2 * MINUTE
    assert world.ledger.due[f"end:{id_}"] == grant.deadline.timestamp()
    world.advance(3700, step_s=60)
    assert (world.grant(id_).state, world.has_access(id_)) == (GrantState.ENDED, False)
    names = world.events(id_)
    assert names.index("request.approved") < names.index("request.started") < names.index("grant.active")
    assert [item for item in world.ledger.due if not item.startswith(("chat:", "holding:"))] == []


def test_while_it_waits_for_its_start_it_takes_its_place_and_is_listed(world):
    id_ = scheduled(world)
    assert world.ask().id == id_
    assert world.ledger.members(keys.SCHEDULED) == [id_] or tuple(world.ledger.members(keys.SCHEDULED)) == (id_,)
    assert id_ not in world.ledger.members(keys.PENDING)
    assert world.ledger.due[f"request:{id_}"] == LATER.timestamp()
    assert code(world.approve(id_, PAT)) is Code.DECIDED
    to_the_start(world)
    assert id_ not in world.ledger.members(keys.SCHEDULED)


@pytest.mark.parametrize(("start", "why"), [(NOW, Code.START_PAST), (NOW + timedelta(days=8), Code.START_TOO_FAR)])
def test_a_start_that_is_over_or_too_far_is_refused(world, start, why):
    assert code(world.ask(start_at=start)) is why


def test_unapproved_at_its_start_it_expires(world):
    id_ = world.asked(start_at=LATER)
    assert world.request(id_).expires_at == LATER
    to_the_start(world)
    assert world.request(id_).state is RequestState.EXPIRED


def test_the_requester_and_an_owner_can_call_it_off(world):
    first = scheduled(world)
    assert world.withdraw(first).outcome == "withdrawn"
    second = scheduled(world)
    assert world.deny(second).outcome == "denied"
    to_the_start(world)
    for id_ in (first, second):
        assert "request.started" not in world.events(id_)
    assert world.target().changes() == 0
    assert not world.ledger.members(keys.SCHEDULED)
    assert world.ask().outcome == "asked", "its place is free"


def frozen(world: World) -> None:
    place = world.policy.policy.environments["payments-prod"]
    freeze = Freeze(LATER - MINUTE, LATER + HOUR, "Year end")
    world.policy.policy = replace(world.policy.policy, environments={place.name: replace(place, freezes=(freeze,))})


def outside_hours(world: World) -> None:
    role = entitlement(hours=Hours(ALWAYS, time(1, 0), time(2, 0)))
    world.policy.policy = policy(environment(role))


def another_role(world: World) -> None:
    role = entitlement(target=AwsSpec(AwsKind.IDENTITY_CENTER, permission_set="Other"))
    world.policy.policy = policy(environment(role))


def role_gone(world: World) -> None:
    world.policy.policy = policy(environment(entitlement("other")))


def approver_gone(world: World) -> None:
    gone = facts(OLU, standing_problem="person_deactivated")
    world.chat.people[gone.slack] = gone
    world.directory.put_person(gone)


def holder_gone(world: World) -> None:
    gone = facts(DANA, standing_problem="person_deactivated")
    world.chat.people[gone.slack] = gone
    world.directory.put_person(gone)


def holder_blocked(world: World) -> None:
    item = keys.person(DANA)
    snapshot = world.ledger.read(item)
    record = snapshot.get(item, PersonRecord)
    put = replace(record, blocked_until=LATER + HOUR, blocked_why="everything was revoked")
    world.ledger.commit(Change("block", snapshot.now, snapshot.versions(), puts={item: put}))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (frozen, Code.FREEZE),
        (outside_hours, Code.OUTSIDE_HOURS),
        (another_role, Code.ROLE_CHANGED),
        (role_gone, Code.ROLE_UNKNOWN),
        (approver_gone, Code.PERSON_DEACTIVATED),
        (holder_gone, Code.PERSON_DEACTIVATED),
        (holder_blocked, Code.PERSON_BLOCKED),
    ],
)
def test_what_no_longer_holds_at_the_start_is_not_given_and_says_why(world, change, why):
    id_ = scheduled(world)
    change(world)
    to_the_start(world)
    request = world.request(id_)
    assert (request.state, request.closing.code) == (RequestState.DENIED, why)
    assert world.target().changes() == 0
    assert not world.ledger.members(keys.SCHEDULED)


def test_freezes_and_hours_are_held_against_the_start(world):
    frozen(world)
    assert code(world.ask(start_at=LATER)) is Code.FREEZE
    assert world.ask(start_at=LATER + 2 * HOUR).outcome == "asked"


def test_a_directory_that_does_not_answer_makes_it_late_and_not_wrong(world):
    id_ = scheduled(world)
    world.chat.unreachable = True
    world.advance((LATER - world.clock.now()).total_seconds() + 60, step_s=60)
    assert world.request(id_).state is RequestState.SCHEDULED
    world.chat.unreachable = False
    world.advance(5)
    assert world.grant(id_).state is GrantState.ACTIVE


def test_what_could_not_begin_before_its_time_would_be_over_is_not_given(world):
    id_ = scheduled(world)
    world.clock.advance((LATER - world.clock.now()).total_seconds() + 3601)
    world.work()
    assert world.request(id_).closing.code == Code.START_MISSED
    assert world.target().changes() == 0


def test_a_rule_for_some_hours_or_for_incidents_does_not_speak_for_another_time():
    by_hours = auto("by day", hours=Hours(ALWAYS, time(4, 0), time(5, 0)))
    incident = auto("incident", in_incident_channel=True)
    world = World(policy(environment(entitlement(auto_approve=(by_hours, incident)))))
    origin = Origin("T1", "C0INC", "inc-42", incident=True)
    later = world.asked(start_at=LATER, origin=origin)
    assert world.request(later).decision is None
    now = world.asked(NIA)
    assert world.request(now).decision.rule == "by day"


def test_a_rule_agrees_to_a_later_start():
    world = World(policy(environment(entitlement(auto_approve=(auto(),)))))
    id_ = world.asked(start_at=LATER)
    assert world.request(id_).state is RequestState.SCHEDULED
    to_the_start(world)
    assert world.grant(id_).state is GrantState.ACTIVE


def test_of_a_start_and_a_withdrawal_at_once_one_counts(world):
    id_ = scheduled(world)
    commit, raced = world.ledger.commit, []

    def slower(change):
        if change.commit_id.startswith("start:") and not raced:
            raced.append(True)
            assert world.withdraw(id_).outcome == "withdrawn"
        return commit(change)

    world.ledger.commit = slower
    to_the_start(world)
    assert raced
    assert world.request(id_).state is RequestState.WITHDRAWN
    assert world.target().changes() == 0

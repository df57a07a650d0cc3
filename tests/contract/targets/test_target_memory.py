"""What the fake can play beyond the contract, so that the use cases' tests can lean on it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.contract.targets.target_rigs import PERSON, UNTIL, MemoryRig, terms
from workflows.core.records.target import OperationState, Presence
from workflows.core.refusal import Code, Refused
from workflows.ports import TargetInDoubt
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose, Settle


@pytest.fixture
def rig() -> MemoryRig:
    return MemoryRig(AwsKind.IDENTITY_CENTER)


def test_an_operation_settles_when_its_time_has_come(rig: MemoryRig) -> None:
    resource = rig.resource()
    rig.memory.next("grant", Settle(after_s=3))
    started = rig.target.grant(resource, UNTIL, rig.ok)
    rig.time += timedelta(seconds=2)
    assert rig.target.poll(resource, started).state is OperationState.IN_PROGRESS
    assert not rig.memory.has(resource)
    rig.time += timedelta(seconds=1)
    assert rig.target.poll(resource, started).state is OperationState.SUCCEEDED
    assert rig.memory.has(resource)


def test_an_operation_fails_with_its_reason_and_no_effect(rig: MemoryRig) -> None:
    resource = rig.resource()
    rig.memory.next("grant", Settle(after_s=1, error="no role"))
    ended = rig.settled(resource, rig.target.grant(resource, UNTIL, rig.ok))
    assert (ended.state, ended.error) == (OperationState.FAILED, "no role")
    assert not rig.memory.has(resource)


def test_a_lost_call_may_land_late(rig: MemoryRig) -> None:
    resource = rig.resource()
    rig.memory.next("grant", Lose(applied=True, late_s=30))
    with pytest.raises(TargetInDoubt):
        rig.target.grant(resource, UNTIL, rig.ok)
    assert rig.target.observe(resource).presence is Presence.ABSENT
    rig.time += timedelta(seconds=30)
    assert rig.target.observe(resource).presence is Presence.PRESENT


def test_reads_lag_behind_as_told(rig: MemoryRig) -> None:
    resource = rig.resource()
    rig.memory.put(resource)
    rig.memory.stale_s = 5
    rig.time += timedelta(seconds=4)
    assert rig.target.observe(resource).presence is Presence.ABSENT
    rig.time += timedelta(seconds=1)
    assert rig.target.observe(resource).presence is Presence.PRESENT


def test_access_through_a_group_is_told_as_on_aws(rig: MemoryRig) -> None:
    resource = rig.resource()
    rig.memory.through_group[resource.holding] = "g-1"
    seen = rig.target.observe(resource)
    assert (seen.presence, seen.through) == (Presence.ABSENT, "group g-1")


@pytest.mark.parametrize(
    ("name", "code"), [("ambiguous", Code.TARGET_PERSON_AMBIGUOUS), ("untagged", Code.TARGET_PERSON_NOT_TAGGED)]
)
def test_people_are_refused_as_on_aws(name: str, code: Code) -> None:
    rig = MemoryRig(AwsKind.IAM_GROUP)
    getattr(rig.memory, name).add(PERSON)
    refused = rig.target.resolve(terms(rig.kind), PERSON, "PA-1")
    assert isinstance(refused, Refused)
    assert refused.code is code

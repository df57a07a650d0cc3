"""From the record to CloudTrail and back: a real ledger, real buckets, and AWS over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import redis

from tests.support.build import DANA
from tests.support.redis_world import RedisWorld, leases_renewed
from tests.unit.targets.events import session
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.records.grant import Grant
from workflows.ledger.redis_buckets import RedisBuckets
from workflows.ports import Change, Committed
from workflows.targets.aws.targets import AwsTargets
from workflows.usecases.oversight.activity import ask_for_look, seen_of
from workflows.usecases.oversight.activity_look import look_at_activity


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    """As the product has it: answers are bytes."""
    with redis.Redis.from_url(redis_url) as found:
        yield found


def over(world: RedisWorld, ago: timedelta) -> Grant:
    """Dana had access for a moment, and it was over so long ago."""
    id_ = world.active()
    world.end(id_)
    world.work()
    key = keys.grant(id_)
    snapshot = world.ledger.read(key)
    was = snapshot.get(key, Grant)
    assert was is not None
    assert was.closed_at is not None
    decision = replace(was.decision, at=was.decision.at - ago)
    older = replace(was, decision=decision, closed_at=was.closed_at - ago)
    change = Change(world.press_id(), snapshot.now, snapshot.versions(), puts={key: older})
    assert isinstance(world.ledger.commit(change), Committed)
    return older


def test_what_was_done_comes_onto_the_record_and_the_item_off_the_clock(aws: Any, client: Any, redis_url: str) -> None:
    world = RedisWorld(client)
    world.activate()
    grant = over(world, timedelta(minutes=30))
    aws.proxy.trail.tear(None)
    begun, dana = grant.decision.at + timedelta(seconds=1), session(grant.resource.names["user_name"], "ReadOnlyAccess")
    for name, reads in (("ListBuckets", True), ("PutBucketPolicy", False)):
        aws.proxy.trail.tell(dana, name, begun, account="111122223333", read_only=reads)
    aws.proxy.trail.tell(
        dana, "CreateUser", begun, account="111122223333", region="us-east-1", source="iam.amazonaws.com"
    )
    object.__setattr__(world.ctx, "targets", AwsTargets(RedisBuckets(client), monotonic=time.monotonic))
    assert ask_for_look(world.ctx, grant.id) == 1
    with leases_renewed(world, redis_url):
        look_at_activity(world.ctx, grant.id)
    found = seen_of(world.ctx, grant.id)
    assert found.found is not None
    assert (found.done, found.found.whole, found.under_way) == (1, True, None)
    assert [(one.place, one.deeds, one.changing) for one in found.found.places] == [
        ("eu-central-1", 2, 1),
        ("us-east-1", 1, 0),
    ]
    (entry,) = [one for one in world.ledger.entries_of(grant.id) if one.event is Event.GRANT_ACTIVITY_SEEN]
    assert (entry.facts["deeds"], entry.facts["changing"]) == ("3", "1")
    assert DANA not in str(entry.facts)
    look_at_activity(world.ctx, grant.id)
    assert client.zscore("prodaccess:due", keys.activity(grant.id)) is None

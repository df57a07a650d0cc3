"""Access that somebody gives past us, and whole comparisons, for a `World`."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.support import build
from tests.support.world import World
from workflows.core.people import PersonId
from workflows.core.policy import OnDrift, Policy
from workflows.core.records.drift import DriftPass
from workflows.core.records.target import Resource
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.drift.standing import ask_for_pass, progress
from workflows.usecases.shared.installation import installation

_STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": _STATEMENT})
# A role of which ours is told by name.
WRITE = build.entitlement("write", target=AwsSpec(AwsKind.IAM_POLICY, user="{local_part}", policy_template=DOCUMENT))


def marking(drift: OnDrift = OnDrift.ALERT) -> Policy:
    return build.policy(build.environment(WRITE, drift=drift))


def mine(world: World) -> str:
    """How this installation marks what it gives."""
    return installation(world.ctx).id[:12]


def marks(world: World) -> World:
    """What it gives from now on carries its mark."""
    world.target(AwsKind.IAM_POLICY).mark = mine(world)
    return world


def passed(world: World, after: timedelta = timedelta(0)) -> DriftPass:
    """One whole comparison, begun after that time."""
    world.clock.advance(after.total_seconds())
    number = ask_for_pass(world.ctx)
    for _ in range(200):
        world.work()
        stands = progress(world.ctx)
        if stands.number >= number and stands.started_at is None:
            return stands
        world.clock.advance(1)
    raise AssertionError("the comparison does not end")


def settle(world: World) -> None:
    """What is under way comes to its end, its later looks among it, and some minutes pass."""
    for seconds in (1, 1, 15, 60, 330, 200):
        world.advance(seconds, step_s=seconds)


def resource(world: World, who: PersonId = build.DANA, request: str = "PA-1") -> Resource:
    """The first role's: what is named so on somebody's user, or their assignment."""
    role = next(iter(world.policy.policy.environments["payments-prod"].roles.values()))
    terms = role.target.terms(role.connection, "payments-prod", role.account, build.facts(who).address)
    found = world.targets.for_terms(terms).resolve(terms, build.facts(who).address or build.OLU, request)  # type: ignore[arg-type]  # an address, as every id here
    assert isinstance(found, Resource), found
    return found


def by_hand(world: World, who: PersonId = build.DANA, request: str = "PA-1", mark: str = "") -> Resource:
    """Somebody gives it past us."""
    one = resource(world, who, request)
    world.target(AwsKind(one.kind)).put(one, mark=mark)
    return one

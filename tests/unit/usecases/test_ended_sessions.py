"""A role with `end_sessions`: a revocation has older sessions denied what it gave, until none of them can live any more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support import build
from tests.support.build import DANA, HOUR, OLU, SUE, entitlement, environment
from tests.support.world import World, account
from workflows.core.audit import Event
from workflows.core.convergence.outcomes import SESSION_MAX
from workflows.core.records.grant import EndCause, Grant, GrantState
from workflows.core.records.target import Presence
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose, MemoryTarget, Refuse, Throttle
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all

TEMPLATE = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
SECOND = timedelta(seconds=1)


@pytest.fixture
def world() -> World:
    inline = AwsSpec(AwsKind.IAM_POLICY, user="{local_part}", policy_template=TEMPLATE, policy_path="policies/x.json")
    ends = entitlement("state-write", target=inline, end_sessions=True)
    leaves = entitlement("state-read", target=inline)
    return World(build.policy(environment(ends, leaves)))


def target(world: World) -> MemoryTarget:
    return world.targets[AwsKind.IAM_POLICY]


def changes(world: World) -> list[str]:
    return [call.name for call in target(world).calls if call.name in ("grant", "revoke", "deny_sessions")]


def active(world: World, role: str = "state-write") -> str:
    return world.active(DANA, role=role)


def revoked(world: World, id_: str) -> Grant:
    world.end(id_, OLU, "it was long enough")
    world.work()
    return world.grant(id_)


def test_a_revocation_denies_older_sessions_and_the_denial_is_read_back(world: World) -> None:
    id_ = active(world)
    begins = world.clock.now()
    grant = revoked(world, id_)
    assert changes(world) == ["grant", "deny_sessions"]
    assert grant.state is GrantState.REVOKED
    assert grant.denied_before is not None
    assert begins < grant.denied_before <= begins + 2 * SECOND
    seen = target(world).observe(grant.resource)
    assert (seen.presence, seen.denied_before) == (Presence.ABSENT, grant.denied_before)
    (entry,) = [one for one in world.ledger.entries_of(id_) if one.event is Event.GRANT_REVOKED]
    assert entry.facts["denied_before"] == grant.denied_before.isoformat()


def test_it_stands_until_no_older_session_can_live_and_is_gone_then(world: World) -> None:
    grant = revoked(world, active(world))
    world.advance(3600, step_s=30)
    assert changes(world) == ["grant", "deny_sessions"]
    world.clock.advance(SESSION_MAX.total_seconds() - 3600 - 5)
    world.work()
    assert target(world).denied
    world.advance(200, step_s=5)
    assert changes(world) == ["grant", "deny_sessions", "revoke"]
    assert target(world).denied == {}
    assert world.holding(grant.id) is None


@pytest.mark.parametrize("cause", [EndCause.RETURNED, EndCause.TIME])
def test_whoever_gives_it_back_or_whose_time_is_over_is_denied_nothing(world: World, cause: EndCause) -> None:
    id_ = active(world)
    if cause is EndCause.RETURNED:
        world.end(id_, DANA)
    else:
        world.advance(HOUR.total_seconds(), step_s=60)
    world.work()
    assert world.grant(id_).end.cause is cause  # type: ignore[union-attr]
    assert changes(world) == ["grant", "revoke"]
    assert (world.grant(id_).denied_before, world.grant(id_).not_denied) == (None, "")


def test_a_role_that_does_not_say_so_leaves_sessions_alone(world: World) -> None:
    revoked(world, active(world, "state-read"))
    assert changes(world) == ["grant", "revoke"]


def test_the_panic_switch_denies_them_too(world: World) -> None:
    id_ = active(world)
    world.knows(SUE)
    revoke_all(world.ctx, RevocationScope(), account(SUE), "the laptop is gone", world.press_id())
    world.advance(60, step_s=5)
    assert changes(world) == ["grant", "deny_sessions"]
    assert world.grant(id_).denied_before is not None


def test_a_target_that_does_not_let_them_be_denied_holds_up_no_removal(world: World) -> None:
    id_ = active(world)
    target(world).next("deny_sessions", Refuse("The worker may not put policies."))
    grant = revoked(world, id_)
    assert changes(world) == ["grant", "deny_sessions", "revoke"]
    assert (grant.state, grant.denied_before) == (GrantState.REVOKED, None)
    assert grant.not_denied == "The worker may not put policies."
    (entry,) = [one for one in world.ledger.entries_of(id_) if one.event is Event.GRANT_REVOKED]
    assert entry.facts["not_denied"] == "yes"


def test_a_denial_that_is_never_seen_is_written_again_and_then_done_without(world: World, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    id_ = active(world)
    deny = MemoryTarget.deny_sessions

    def vanishes(self: MemoryTarget, resource, before, before_send):  # type: ignore[no-untyped-def]
        done = deny(self, resource, before, before_send)
        self.denied.clear()
        return done

    monkeypatch.setattr(MemoryTarget, "deny_sessions", vanishes)
    world.end(id_, OLU, "it was long enough")
    world.advance(60, step_s=1)
    grant = world.grant(id_)
    assert changes(world) == ["grant", "deny_sessions", "deny_sessions", "deny_sessions", "revoke"]
    assert grant.state is GrantState.REVOKED
    assert grant.not_denied == "what denies them was written, and is not there"


@pytest.mark.parametrize("trouble", [Lose(applied=True), Lose(applied=False), Throttle(2.0)])
def test_an_answer_that_is_lost_ends_in_a_denial_all_the_same(world: World, trouble: Lose | Throttle) -> None:
    id_ = active(world)
    target(world).next("deny_sessions", trouble)
    world.end(id_, OLU, "it was long enough")
    world.advance(60, step_s=1)
    assert world.grant(id_).denied_before is not None
    assert changes(world).count("deny_sessions") == 2


def test_access_that_is_there_again_is_taken_away_and_its_sessions_are_denied_again(world: World) -> None:
    id_ = active(world)
    grant = revoked(world, id_)
    world.advance(5)
    target(world).put(grant.resource)
    world.advance(30, step_s=1)
    assert changes(world) == ["grant", "deny_sessions", "deny_sessions"]
    assert not target(world).has(grant.resource)
    assert Event.GRANT_REAPPEARED in [one.event for one in world.ledger.entries_of(id_)]
    world.clock.advance((SESSION_MAX + HOUR).total_seconds())
    world.advance(200, step_s=5)
    assert target(world).denied == {}


def test_who_agreed_agreed_to_that_as_well(world: World) -> None:
    plain, ends = (world.request(active(world, role)).terms for role in ("state-read", "state-write"))
    assert "end_sessions" not in plain.target.agreed()
    assert ends.target.agreed()["end_sessions"] is True
    assert plain.target.same_access(ends.target)

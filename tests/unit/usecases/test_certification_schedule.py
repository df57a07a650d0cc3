"""`certify` of the policy: a certification begins by itself, once in so long a time, and never beside another one."""

from __future__ import annotations

from dataclasses import replace

from tests.support import build
from tests.support.build import DANA, NIA, OLU, PAT
from tests.support.certification import DAY, begun
from tests.support.world import World
from workflows.core import keys
from workflows.core.policy import CertifyPlan
from workflows.core.records.certification import Certification
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.policy_file.cron import next_slot
from workflows.policy_file.difference import difference, summary
from workflows.usecases.certification.close import close
from workflows.usecases.certification.see_to import see_to
from workflows.usecases.certification.standing import all_of
from workflows.usecases.oversight.policy_activation import activate
from workflows.usecases.upkeep.mend_indexes import due_items

EVERY, DUE = 90 * DAY, 14 * DAY
PLAN = CertifyPlan(EVERY, DUE)


def world_of(plan: CertifyPlan | None = PLAN) -> World:
    world = World(build.policy(certify=plan))
    world.knows(DANA, NIA, OLU, PAT)
    world.ledger.remind(keys.CERTIFY_NEXT, 0.0)
    return world


def runs(world: World) -> list[Certification]:
    world.work()
    return list(all_of(world.ledger))


def later(world: World, days: float) -> None:
    world.clock.advance(days * DAY.total_seconds())


def test_the_first_one_begins_at_once_by_the_policy_and_for_everything():
    world = world_of()
    (one,) = runs(world)
    assert (one.by, one.reason) == ("the policy", "every 90 d, as the policy says")
    assert (one.environments, one.due_at - one.at) == (("payments-prod",), DUE)
    assert world.ledger.due[keys.CERTIFY_NEXT] >= (one.at + EVERY).timestamp()


def test_the_next_one_begins_when_its_time_has_come_and_not_before():
    world = world_of()
    (one,) = runs(world)
    close(world.ctx, one.id, "Ada", "all is said", "c")
    later(world, 89.9)
    see_to(world.ctx, "next")
    assert len(runs(world)) == 1
    later(world, 0.2)
    assert [each.id for each in runs(world)] == ["1", "2"]


def test_one_that_somebody_began_for_everything_counts_and_one_for_a_part_does_not():
    world = World(build.policy(build.environment(), build.environment(name="books-prod"), certify=PLAN))
    world.knows(DANA, NIA, OLU, PAT)
    begun(world)
    close(world.ctx, "1", "Ada", "all is said", "c")
    later(world, 50)
    see_to(world.ctx, "next")
    assert len(runs(world)) == 1
    assert world.ledger.due[keys.CERTIFY_NEXT] == all_of(world.ledger)[0].at.timestamp() + EVERY.total_seconds()
    part = World(build.policy(build.environment(), build.environment(name="books-prod"), certify=PLAN))
    part.knows(DANA, NIA, OLU, PAT)
    begun(part, "books-prod")
    close(part.ctx, "1", "Ada", "all is said", "c")
    see_to(part.ctx, "next")
    assert [each.by for each in runs(part)] == ["Ada Audit", "the policy"]


def test_none_begins_beside_one_that_is_open():
    world = World(build.policy(build.environment(), build.environment(name="books-prod"), certify=PLAN))
    world.knows(DANA, NIA, OLU, PAT)
    begun(world, "books-prod")
    see_to(world.ctx, "next")
    assert len(runs(world)) == 1
    close(world.ctx, "1", "Ada", "all is said", "c")
    later(world, 1)
    assert len(runs(world)) == 2


def test_two_who_look_at_the_same_time_begin_one():
    world = world_of()
    for _ in range(3):
        see_to(world.ctx, "next")
    assert len(runs(world)) == 1


def test_without_a_schedule_nothing_begins_and_nothing_is_due_any_more():
    world = world_of(None)
    assert runs(world) == []
    assert keys.CERTIFY_NEXT not in world.ledger.due


def test_a_process_whose_folder_is_another_one_neither_begins_nor_forgets():
    world = world_of()
    world.policy.policy = replace(world.policy.policy, hash="e" * 64, certify=None)
    see_to(world.ctx, "next")
    assert keys.CERTIFY_NEXT in world.ledger.due
    assert not all_of(world.ledger)


def test_it_is_looked_at_when_the_policy_comes_into_force_and_when_lists_are_mended():
    world = World(build.policy())
    world.policy.policy = replace(build.policy(hash="d" * 64), certify=PLAN)
    activate(world.ctx, world.policy.policy, summary=summary, difference=difference, next_slot=next_slot)
    assert keys.CERTIFY_NEXT in world.ledger.due
    now, active = world.clock.now(), ActivePolicy("d" * 64, world.clock.now())
    assert keys.CERTIFY_NEXT in due_items(keys.ACTIVE_POLICY, active, world.policy.policy, now)
    assert keys.CERTIFY_NEXT not in due_items(keys.ACTIVE_POLICY, active, build.policy(), now)


def test_an_environment_that_came_since_waits_for_the_next_one():
    world = world_of()
    (one,) = runs(world)
    close(world.ctx, one.id, "Ada", "all is said", "c")
    later(world, 1)
    world.policy.policy = build.policy(build.environment(), build.environment(name="books-prod"), certify=PLAN)
    see_to(world.ctx, "next")
    assert len(runs(world)) == 1

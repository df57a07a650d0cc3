"""A folder that loosens production waits for people, for a `World`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.runtime.policy_written import kept_policy
from tests.support.world import World
from tests.unit.policy_file.policy_folder import FILES, WORKSPACE
from workflows.core import keys
from workflows.core.policy import Policy
from workflows.core.records.policy_in_force import PolicyFiles, WaitingPolicy
from workflows.policy_file.folder import hash_of
from workflows.usecases.oversight.policy_activation import Compared, Written, activate, keep_files
from workflows.usecases.oversight.policy_waiting import named

LOOSER = {**FILES, WORKSPACE: FILES[WORKSPACE].replace("owners: 1, security: 1", "owners: 1")}
LOOSER_STILL = {**LOOSER, WORKSPACE: LOOSER[WORKSPACE].replace("max_duration: 2h", "max_duration: 3h")}
LINES = ("shop-prod admin: approve 1 of owners, 1 of security -> 1 of owners", "shop-prod: owners +eve@example.com")


def begins(world: World, policy: Policy, asks: Mapping[str, int]) -> None:
    """This policy is in force, and has people asked."""
    world.policy.policy = replace(policy, hash="f" * 64, policy_changes=asks)
    world.activate()
    keep_files(world.ctx, world.policy.policy, FILES)


def waits(world: World, files: Mapping[str, str] = LOOSER) -> str:
    """The clock sees this folder. Returns what the card's buttons stand for."""
    new = kept_policy(PolicyFiles(hash_of(files), files), "4f2a9c1d07ab3e55")
    assert new is not None
    asks = world.policy.policy.policy_changes
    activate(
        world.ctx,
        new.policy,
        summary=new.summary,
        difference=lambda *_: ("shop-prod admin: approve -1 of security", "shop-prod: owners +eve@example.com"),
        next_slot=new.next_slot,
        commit_sha=new.commit_sha,
        written=Written(files, lambda *_: Compared(LINES, (), asks)),
    )
    found = world.ledger.read(keys.POLICY_WAITING).get(keys.POLICY_WAITING, WaitingPolicy)
    assert found is not None
    return named(found)

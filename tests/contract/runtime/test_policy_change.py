"""While a change of the policy waits, whoever has it in its folder goes on by the policy in force, also after a restart."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import redis

from bot.doctor.context import Context
from bot.doctor.policy import in_force
from bot.observability.readiness import policy_problems, policy_waits
from bot.runtime.policy_in_force import PolicyInForce
from bot.settings import Settings
from bot.wiring import build_clock
from bot.wiring.clock import ClockParts
from tests.support.waiting import eventually
from tests.unit.policy_file.policy_folder import WORKSPACE, write
from workflows.core import keys
from workflows.core.finding import Finding, State
from workflows.core.policy import Policy
from workflows.core.records.policy_in_force import ActivePolicy, PolicyFiles, WaitingPolicy
from workflows.policy_file import PolicyFolder
from workflows.ports import Change, Committed, Ledger, LedgerUnreachable

LESS = (WORKSPACE, "any: {approve: {owners: 1, security: 1}", "any: {approve: {owners: 1}")
GATE = (WORKSPACE, "panic_group: security", "panic_group: security\npolicy_changes: {approve: {security: 1}}")


def started(redis_url: str, folder: Path) -> ClockParts:
    return build_clock(Settings.model_validate({"redis_url": redis_url, "config": str(folder)}))


def _doctors(parts: ClockParts, policy: Policy) -> list[Finding]:
    server = SimpleNamespace(redis=parts.redis, why="")
    context = SimpleNamespace(server=lambda: server, ledger=lambda _: parts.ledger, settings=parts.settings, whom=None)
    return list(in_force(cast(Context, context), policy))


def test_a_process_goes_on_by_the_policy_in_force_while_a_change_waits(
    redis_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    first = started(redis_url, write(tmp_path / "old", GATE))
    first.activate_policy()
    old = first.context.policy.current()
    first.close()

    # As it is when everything is deployed anew with another folder.
    for _ in range(2):
        parts = started(redis_url, write(tmp_path / "new", GATE, LESS))
        try:
            new = parts.policy.current()
            parts.activate_policy()
            active = parts.ledger.read(keys.ACTIVE_POLICY).get(keys.ACTIVE_POLICY, ActivePolicy)
            assert active is not None
            assert active.hash == old.hash != new.hash
            assert parts.context.policy.current() == old
            assert policy_problems(parts.ledger, parts.policy) == []
            (said,) = policy_waits(parts.ledger)
            assert said.startswith(f"policy {new.hash[:12]} waits since ")
            assert said.endswith(" for 1 of security: the policy in force stays until they agree")
            (found,) = _doctors(parts, new)
            assert (found.state, found.words) == (State.ATTENTION, said)
        finally:
            parts.close()


def test_files_that_are_not_those_of_the_policy_in_force_are_taken_by_nobody(
    redis_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    first = started(redis_url, write(tmp_path / "old", GATE))
    first.activate_policy()
    first.close()
    parts = started(redis_url, write(tmp_path / "new", GATE, LESS))
    try:
        parts.activate_policy()
        body = redis_client.get(f"prodaccess:record:{keys.POLICY_FILES}")
        assert isinstance(body, str)
        assert "security: 1" in body
        redis_client.set(f"prodaccess:record:{keys.POLICY_FILES}", body.replace("owners: 1", "owners: 2", 1))
        kept = parts.ledger.read(keys.POLICY_FILES).get(keys.POLICY_FILES, PolicyFiles)
        assert kept is not None
        assert parts.context.policy.current().hash == parts.policy.current().hash
        assert policy_problems(parts.ledger, parts.policy) == [
            "this process has another copy of the policy than the active one"
        ]
    finally:
        parts.close()


def test_files_that_somebody_put_into_redis_let_nobody_into_production(
    redis_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    """A change that waits is staged there by hand: whoever is started sees a hash that fits, and files that give more."""
    first = started(redis_url, write(tmp_path / "forged", GATE, LESS))
    first.activate_policy()
    forged = first.context.policy.current()
    first.close()
    parts = started(redis_url, write(tmp_path / "own", GATE))
    try:
        stage(parts, forged.hash)
        assert parts.context.policy.current().hash == parts.policy.current().hash != forged.hash
    finally:
        parts.close()


def test_whoever_had_it_in_the_folder_goes_on_by_it_whatever_it_gives(
    redis_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    parts = started(redis_url, write(tmp_path / "own", GATE, LESS))
    try:
        parts.activate_policy()
        source = PolicyInForce(parts.policy, parts.ledger, monotonic=count(step=2).__next__)
        before = source.current()
        write(tmp_path / "own", GATE)
        eventually(lambda: parts.policy.refresh() or parts.policy.current().hash != before.hash)
        stage(parts, before.hash)
        assert source.current() == before != parts.policy.current()
    finally:
        parts.close()


def stage(parts: ClockParts, active: str) -> None:
    """As it stands there while a change from `active` waits."""
    snapshot = parts.ledger.read(keys.POLICY_WAITING, keys.ACTIVE_POLICY)
    waiting = WaitingPolicy("e" * 64, active, snapshot.now, {"security": 1})
    puts = {keys.POLICY_WAITING: waiting, keys.ACTIVE_POLICY: ActivePolicy(active, snapshot.now)}
    made = parts.ledger.commit(Change("staged", snapshot.now, snapshot.versions(), puts=puts))
    assert isinstance(made, Committed)


def test_nobody_waits_twice_for_a_server_that_is_away(tmp_path: Path) -> None:
    asked: list[str] = []

    class Away:
        def read(self, *names: str) -> None:
            asked.extend(names)
            raise LedgerUnreachable("it does not answer")

    folder = PolicyFolder(write(tmp_path), monotonic=lambda: 0.0)
    source = PolicyInForce(folder, cast(Ledger, Away()), monotonic=lambda: 0.0)
    assert source.current() == source.current() == folder.current()
    assert asked == [keys.ACTIVE_POLICY, keys.POLICY_WAITING]

"""A policy that makes production looser says so when it comes into force; where nobody can tell, that is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.runtime.policy_written import written
from tests.support.world import World
from tests.unit.policy_file.policy_folder import FILES, WORKSPACE
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.policy import Policy
from workflows.core.records.policy_in_force import PolicyFiles
from workflows.policy_file import PolicyFolder, difference, summary
from workflows.policy_file.cron import next_slot
from workflows.policy_file.folder import Snapshot
from workflows.policy_file.load import understand
from workflows.usecases.oversight import policy_activation
from workflows.usecases.oversight.policy_activation import activate, keep_files

LOOSER = {
    **FILES,
    WORKSPACE: FILES[WORKSPACE].replace("any: {approve: {owners: 1, security: 1}", "any: {approve: {owners: 1}"),
}


def put_in_force(world: World, files: Mapping[str, str], name: str, *, kept: bool = True) -> AuditEntry:
    policy = understand(Snapshot(name * 64, files)).policy
    assert isinstance(policy, Policy)
    activate(
        world.ctx,
        policy,
        summary=summary,
        difference=difference,
        next_slot=next_slot,
        written=written(files) if kept else None,
    )
    return [entry for entry in world.all_entries() if entry.event is Event.POLICY_ACTIVATED][-1]


def test_what_is_looser_stands_on_the_entry_of_the_activation() -> None:
    world = World()
    put_in_force(world, FILES, "a")
    entry = put_in_force(world, LOOSER, "b")
    assert entry.facts["looser"] == "1"
    assert entry.private["looser"] == "shop-prod state-write: approve 1 of owners, 1 of security -> 1 of owners"


def test_a_narrower_policy_says_nothing_of_it() -> None:
    world = World()
    put_in_force(world, LOOSER, "a")
    entry = put_in_force(world, FILES, "b")
    assert "looser" not in {**entry.facts, **entry.private}


def test_whoever_watched_before_is_told_that_they_do_no_more() -> None:
    world = World()
    put_in_force(world, FILES, "a")
    others = FILES[WORKSPACE].replace("panic_group: security", "panic_group: platform")
    entry = put_in_force(world, {**FILES, WORKSPACE: others}, "b")
    assert entry.private["looser"] == "everywhere: panic_group +olu@example.com, +pat@example.com"
    assert entry.private["watched_by"] == "sid@example.com\nsue@example.com"


def test_where_the_policy_before_is_not_on_record_nobody_knows() -> None:
    world = World()
    # The world's own first policy was put in force by a version that kept no files.
    entry = put_in_force(world, LOOSER, "b")
    assert (entry.facts["looser"], entry.private.get("looser")) == ("not known", None)


def test_files_of_another_policy_than_the_one_in_force_are_held_against_nothing() -> None:
    world = World()
    put_in_force(world, FILES, "a")
    put_in_force(world, FILES, "b", kept=False)
    assert put_in_force(world, LOOSER, "c").facts["looser"] == "not known"


def test_the_clock_keeps_the_files_of_a_policy_that_is_in_force_already() -> None:
    world = World()
    put_in_force(world, FILES, "a", kept=False)
    policy = understand(Snapshot("a" * 64, FILES)).policy
    assert policy is not None
    keep_files(world.ctx, replace(policy, hash="9" * 64), {"not": "in force"})
    assert world.ledger.read(keys.POLICY_FILES).get(keys.POLICY_FILES, PolicyFiles) is None
    keep_files(world.ctx, policy, FILES)
    keep_files(world.ctx, policy, {"too": "late"})
    assert world.ledger.read(keys.POLICY_FILES).get(keys.POLICY_FILES, PolicyFiles) == PolicyFiles("a" * 64, FILES)
    assert put_in_force(world, LOOSER, "b").facts["looser"] == "1"


def test_a_policy_of_before_that_this_version_cannot_read_is_not_known() -> None:
    world = World()
    put_in_force(world, FILES, "a")
    kept = world.ledger.read(keys.POLICY_FILES).get(keys.POLICY_FILES, PolicyFiles)
    assert kept is not None
    assert written(FILES).looser({WORKSPACE: "version: 9\n"}, (), world.clock.now()) is None


def test_a_folder_that_is_too_large_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(policy_activation, "FILES_LENGTH_MAX", 100)
    put_in_force(world, FILES, "a")
    kept = world.ledger.read(keys.POLICY_FILES).get(keys.POLICY_FILES, PolicyFiles)
    assert kept == PolicyFiles("a" * 64)
    assert put_in_force(world, LOOSER, "b").facts["looser"] == "not known"


def test_a_folder_hands_out_the_files_of_its_policy_alone(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    folder = PolicyFolder(tmp_path, monotonic=lambda: 0.0)
    policy = folder.current()
    assert folder.files_of(policy) == FILES
    assert folder.files_of(replace(policy, hash="0" * 64)) is None

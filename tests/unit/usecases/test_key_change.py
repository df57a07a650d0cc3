"""Another key signs from now on: the archive has that before it counts, and it is never half done."""

from __future__ import annotations

import pytest

from tests.support.sealed_log import NEW, OURS, THEIRS, sign, verify
from tests.support.sealing import MemoryArchive, ToySigner, dies, sealer, state
from tests.support.world import World
from workflows.core.seal import layout
from workflows.core.seal.public_key import PublicKey, Seal
from workflows.core.seal.statement import key_change, seal_json, signed
from workflows.core.seal.trust import Trust
from workflows.ports import ArchiveConflict, ArchiveUnavailable, Change
from workflows.usecases.sealing.archived import archived_changes
from workflows.usecases.sealing.key_change import Kept, change_key
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.installation import installation


def begun() -> tuple[World, MemoryArchive, str]:
    world, archive = World(), MemoryArchive()
    sealer(world, archive).seal()
    made = installation(world.ctx)
    return world, archive, layout.folder(made.id, made.epoch)


def rotated(world: World, archive: MemoryArchive | None, to: PublicKey = NEW) -> str:
    kept = Kept(archive, verify) if archive is not None else None
    answer = change_key(world.ctx, ToySigner(OURS), to, "Rosa Ops", "a year is over", kept)
    assert isinstance(answer, Outcome)
    return answer.outcome


def by_old_key(world: World, new: PublicKey) -> Seal:
    change = key_change(installation(world.ctx).id, OURS, new, state(world).size, world.clock.now())
    return signed(change.statement, OURS, sign(OURS, change.statement.encode()))


def test_the_archive_has_the_change_when_it_counts() -> None:
    world, archive, folder = begun()
    there: list[Seal] = []

    def look(_change: Change) -> None:
        there.extend(archived_changes(archive, folder))

    world.ledger.before_commit = look
    assert rotated(world, archive) == "changed"
    assert tuple(there) == state(world).key_changes
    # All of Redis is lost now: whoever has the old fingerprint is led to the new key by the archive alone.
    assert Trust(OURS, verify, installation(world.ctx).id, archived_changes(archive, folder)).newest == NEW
    sealer(world, archive, ToySigner(NEW)).seal()
    assert state(world).archived == state(world).size == world.ledger.head()


def test_where_the_archive_does_not_answer_nothing_changes() -> None:
    world, archive, _ = begun()
    archive.away = True
    with pytest.raises(ArchiveUnavailable):
        rotated(world, archive)
    assert state(world).key_changes == ()
    archive.away = False
    assert rotated(world, archive) == "changed"


def test_where_the_log_is_archived_it_is_not_done_without_the_archive() -> None:
    world, _, _ = begun()
    assert rotated(world, None) == "no_archive"
    assert state(world).key_changes == ()


def test_whoever_died_before_it_counted_goes_on_with_the_same_change() -> None:
    world, archive, folder = begun()
    archive.puts = 2  # the public key, and the change
    kept = Kept(archive, verify)

    def killed(_change: Change) -> None:
        archive.puts = 0
        archive.put("x", b"")

    world.ledger.before_commit = killed
    with dies():
        change_key(world.ctx, ToySigner(OURS), NEW, "Rosa Ops", "a year is over", kept)
    archive.puts = None
    world.clock.advance(60)
    assert state(world).key_changes == ()
    assert rotated(world, archive) == "changed"
    assert list(archived_changes(archive, folder)) == list(state(world).key_changes)


def test_a_name_that_somebody_took_is_gone_round() -> None:
    world, archive, folder = begun()
    archive.put(layout.key_change_name(folder, state(world).size), b"junk")
    assert rotated(world, archive) == "changed"
    (change,) = state(world).key_changes
    assert change in list(archived_changes(archive, folder))


def test_another_change_that_our_key_has_signed_is_in_the_way() -> None:
    world, archive, folder = begun()
    archive.put(layout.key_change_name(folder, state(world).size), seal_json(by_old_key(world, THEIRS)))
    with pytest.raises(ArchiveConflict):
        rotated(world, archive)
    assert state(world).key_changes == ()

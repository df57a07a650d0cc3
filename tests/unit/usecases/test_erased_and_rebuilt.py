"""Somebody was erased, and then an older copy of the record is put back and made again from the archive."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.providers import know_providers
from tests.support.build import DANA
from tests.support.sealed_log import OURS, verify
from tests.support.sealing import MemoryArchive, sealer
from tests.unit.usecases.test_rebuild import Restored, made_again
from workflows.core.seal.trust import Trust
from workflows.ledger.codec import audit_entry
from workflows.signing.words import Cipher
from workflows.usecases.identity import erase
from workflows.usecases.sealing.hiding import Shown
from workflows.usecases.shared.installation import installation
from workflows.usecases.shared.ledger_doubt import accept
from workflows.usecases.upkeep.rebuild_reading import Archived, read
from workflows.usecases.upkeep.verify_audit import all_faults


@pytest.fixture
def world() -> Restored:
    know_providers()
    return Restored()


def test_who_was_erased_after_the_copy_does_not_come_back_with_the_archive(world: Restored) -> None:
    """The copy has their key, so that the archive's words of theirs could be read again."""
    archive = MemoryArchive()
    world.end(world.active(DANA, reason="INC-8 before the copy"), DANA)
    world.work()
    world.advance(120)
    sealer(world, archive).seal()
    world.keep()
    world.end(world.active(DANA, reason="INC-9 only later"), DANA)
    world.work()
    world.advance(120)
    sealer(world, archive).seal()
    groups = {name: replace(one, members=one.members - {DANA}) for name, one in world.policy.policy.groups.items()}
    world.policy.policy = replace(world.policy.policy, groups=groups)
    said = erase.Said("Rosa Ops", "asked for by letter")
    assert isinstance(erase.erase(world.ctx, world.directory.forget, DANA, said), erase.Done)
    sealer(world, archive).seal()
    log = installation(world.ctx).id
    world.ledger.put_back(world.kept)
    world.ledger.trust()
    outside = Archived(archive, log, 1, Trust(OURS, verify, log), Shown(world.ledger, Cipher()))
    assert read(world.ledger, outside, audit_entry).people == 1
    made_again(world, outside)
    text = " ".join(str(dict(entry.private)) for entry in world.all_entries())
    assert "INC-8" not in text
    assert "INC-9" not in text
    assert all_faults(world.ledger) == []
    assert made_again(world, outside).is_empty
    # The copy's records have them: it is done once more.
    assert isinstance(erase.erase(world.ctx, world.directory.forget, DANA, said), erase.Survey)
    accept(world.ctx, "Rosa Ops", "looked at all of it")
    done = erase.erase(world.ctx, world.directory.forget, DANA, said)
    assert isinstance(done, erase.Done), done
    assert all_faults(world.ledger) == []

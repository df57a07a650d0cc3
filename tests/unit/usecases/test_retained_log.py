"""What stays of the audit log after its oldest entries have left can be checked, sealed, and made again from the archive."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support import build
from tests.support.archives import target_terms
from tests.support.retaining import Retaining
from tests.support.sealed_log import OURS, verify
from tests.support.sealing import sealer, state
from workflows.core import keys
from workflows.core.audit_check import AuditCheck
from workflows.core.seal.check import SealCheck
from workflows.core.seal.layout import folder
from workflows.core.seal.past import Past, past_of
from workflows.core.seal.trust import Trust
from workflows.ledger.codec import audit_entry
from workflows.ports import Change
from workflows.signing.words import Cipher
from workflows.usecases.sealing.archived import archived_entries, archived_heads
from workflows.usecases.sealing.hiding import Shown
from workflows.usecases.shared.installation import installation
from workflows.usecases.shared.ledger_doubt import accept, said
from workflows.usecases.upkeep.rebuild import carry_out, plan
from workflows.usecases.upkeep.rebuild_reading import Archived, read
from workflows.usecases.upkeep.verify_audit import all_faults, faults, retained_of, seal_of


@pytest.fixture
def house() -> Retaining:
    """One life is gone, with its entries; one is young."""
    found = Retaining()
    found.life()
    found.later(60)
    found.life(build.NIA)
    found.later(31)
    found.bites()
    found.settle()
    assert found.noted.first > 5
    return found


def checked(
    house: Retaining, *, with_archive: bool = True, key: bool = True
) -> tuple[list[str], AuditCheck, SealCheck]:
    ledger, made = house.world.ledger, installation(house.world.ctx)
    where, trust = folder(made.id, made.epoch), Trust(OURS, verify, made.id) if key else None
    past = past_of(retained_of(ledger), (lambda: archived_entries(house.archive, where)) if with_archive else None)
    check, state_ = AuditCheck(ledger.audit_state()), ledger.audit_state()
    heads = archived_heads(house.archive, where) if with_archive else ()
    runs = archived_entries(house.archive, where) if with_archive else ()
    seals = SealCheck(seal_of(ledger), trust, heads=heads, runs=runs)
    return list(faults(ledger, check, state_.upto, seals, past=past)), check, seals


@pytest.mark.parametrize("with_archive", [True, False])
def test_what_stays_is_whole_up_to_the_newest_head(house: Retaining, *, with_archive: bool) -> None:
    found, check, seals = checked(house, with_archive=with_archive)
    assert (found, check.first) == ([], house.noted.first)
    assert seals.whole is not None
    assert seals.whole.size == state(house.world).size
    head = house.world.ledger.head()
    assert check.count == (head if with_archive else head - house.noted.first + 1)
    assert seals.compared == (head if with_archive else 0)


def test_words_that_are_in_the_archive_alone_are_told_apart_from_erased_ones(house: Retaining) -> None:
    house.later(60)
    house.world.ledger.due[keys.chat("audit-begun")] = 0.0
    young = house.noted.first
    review = house.world.active(build.DANA)
    house.later(91)
    house.settle()
    house.world.ledger.due[keys.chat("retained-log")] = 0.0
    house.retainer.bite()
    assert house.noted.first >= young
    assert house.records_of(review)
    _, check, _ = checked(house)
    assert check.erased == 0


def tampered(house: Retaining, **changes: object) -> None:
    key = keys.RETAINED
    reads = house.world.ledger.read(key).versions()
    noted = replace(house.noted, **changes)  # type: ignore[arg-type]  # handed through
    house.world.ledger.commit(Change(house.world.press_id(), house.world.clock.now(), reads, puts={key: noted}))


def test_entries_that_left_without_an_entry_that_says_so_are_a_fault(house: Retaining) -> None:
    ledger = house.world.ledger
    ledger._audit, ledger._first = ledger._audit[1:], ledger._first + 1
    tampered(house, first=house.noted.first + 1, frontier=(), link="")
    for with_archive in (True, False):
        found, _, _ = checked(house, with_archive=with_archive)
        assert any("no entry says that they left for the archive" in fault for fault in found), found


def test_a_tree_that_is_not_the_one_that_was_sealed_is_a_fault(house: Retaining) -> None:
    tampered(house, frontier=("00" * 32,) * len(house.noted.frontier))
    found, _, _ = checked(house, with_archive=False)
    assert any("is not what was sealed" in fault or "are not what was sealed" in fault for fault in found), found
    assert checked(house)[0] == [], "with the archive nobody needs what the ledger has noted"


def test_a_note_that_was_set_back_is_a_fault(house: Retaining) -> None:
    tampered(house, first=1, frontier=(), link="")
    assert any("are missing" in fault for fault in checked(house)[0])
    assert any("are missing" in fault for fault in all_faults(house.world.ledger))


def test_what_is_gone_from_the_archive_is_found(house: Retaining) -> None:
    name = next(name for name in sorted(house.archive.kept) if "/runs/" in name)
    del house.archive.kept[name]
    found, _, _ = checked(house)
    assert any("#1 to #" in fault and "missing" in fault for fault in found), found


def test_what_was_changed_in_the_archive_is_found(house: Retaining) -> None:
    name = next(name for name in sorted(house.archive.kept) if "/runs/" in name)
    house.archive.kept[name] = house.archive.kept[name].replace(b"request.made", b"request.Made")
    found, _, _ = checked(house)
    assert any("was changed in the archive" in fault for fault in found), found


# ---------------------------------------------------------------- another epoch


def begin_epoch(house: Retaining) -> None:
    said(house.world.ctx, "Rosa Ops", "the key is lost")
    accept(house.world.ctx, "Rosa Ops", "it is ours")
    house.sealer = sealer(house.world, house.archive)
    house.settle()


def test_a_new_epoch_signs_and_archives_all_of_it_anew_with_its_words(house: Retaining) -> None:
    made = installation(house.world.ctx)
    before = list(archived_entries(house.archive, folder(made.id, 1)))
    begin_epoch(house)
    assert installation(house.world.ctx).epoch == 2
    assert state(house.world).archived == state(house.world).size == house.world.ledger.head()
    after = list(archived_entries(house.archive, folder(made.id, 2)))
    assert [(e.number, e.body, e.digest, e.link) for e in after[: len(before)]] == [
        (e.number, e.body, e.digest, e.link) for e in before
    ]
    first = house.noted.first
    assert [e.hidden for e in after[: first - 1]] == [e.hidden for e in before[: first - 1]]
    for with_archive in (True, False):
        assert checked(house, with_archive=with_archive)[0] == []


def test_a_new_epoch_waits_for_an_archive_that_is_away(house: Retaining) -> None:
    house.archive.away = True
    begin_epoch(house)
    assert state(house.world).size < house.world.ledger.head()
    house.archive.away = False
    house.sealer = sealer(house.world, house.archive)
    house.settle()
    assert state(house.world).size == house.world.ledger.head()
    assert checked(house)[0] == []


# ---------------------------------------------------------------- made again


def archived(house: Retaining) -> Archived:
    made = installation(house.world.ctx)
    return Archived(
        house.archive, made.id, made.epoch, Trust(OURS, verify, made.id), Shown(house.world.ledger, Cipher())
    )


def test_a_ledger_that_has_all_but_what_left_lacks_nothing(house: Retaining) -> None:
    found = read(house.world.ledger, archived(house), audit_entry)
    assert (found.common, found.size, found.faults) == (found.size, house.world.ledger.head(), ())
    assert plan(house.world.ctx, found, target_terms).is_empty


def test_an_older_copy_gets_back_what_it_lacks_behind_what_has_left(house: Retaining) -> None:
    kept = house.world.ledger.copy()
    house.world.deny(house.world.asked())
    house.settle()
    newest = house.world.ledger.head()
    house.world.ledger.put_back(kept)
    house.world.ledger.trust()
    where = archived(house)
    found = read(house.world.ledger, where, audit_entry)
    assert found.common < found.size == newest
    made = plan(house.world.ctx, found, target_terms)
    carry_out(house.world.ctx, where, found, made, house.world.ledger.put_back_entries, "Rosa Ops")
    entries = house.world.ledger.stored_entries(limit=1000)
    assert entries[0].number == house.noted.first
    assert [entry.number for entry in entries] == list(range(house.noted.first, house.world.ledger.head() + 1))
    assert all_faults(house.world.ledger) == []


def test_a_copy_from_before_more_left_gets_all_of_that_back_and_is_whole(house: Retaining) -> None:
    kept, before = house.world.ledger.copy(), house.noted
    house.later(60)
    house.bites()
    house.settle()
    assert house.noted.first > before.first
    house.world.ledger.put_back(kept)
    house.world.ledger.trust()
    where = archived(house)
    found = read(house.world.ledger, where, audit_entry)
    carry_out(
        house.world.ctx,
        where,
        found,
        plan(house.world.ctx, found, target_terms),
        house.world.ledger.put_back_entries,
        "Rosa Ops",
    )
    assert house.noted == before
    assert all_faults(house.world.ledger) == []


def test_nothing_has_left_where_nothing_is_noted() -> None:
    assert past_of(None) is None
    assert isinstance(past_of(Retaining().noted) or Past(1, None, ""), Past)

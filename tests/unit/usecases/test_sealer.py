"""The sealer: what it signs, what it refuses to sign, and what is left when it dies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support import build
from tests.support.sealed_log import NEW, OURS, THEIRS, sign, verify
from tests.support.sealing import MemoryArchive, ToySigner, dies, sealer, state
from tests.support.world import StillKeeper, World
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.audit_check import AuditState, StoredEntry, linking
from workflows.core.ledger_doubt import LedgerDoubt, Sign
from workflows.core.records.grant import GrantState
from workflows.core.records.installation import Installation
from workflows.core.records.oversight import Trouble
from workflows.core.seal import layout
from workflows.core.seal.check import SealCheck
from workflows.core.seal.public_key import PublicKey, Seal
from workflows.core.seal.statement import Head, ShownHead, head_in, key_change, key_change_in, seal_json, signed
from workflows.core.seal.trust import Trust
from workflows.ports import Change
from workflows.usecases.sealing.archived import archived_entries, archived_heads, archived_keys
from workflows.usecases.sealing.archivist import AGAIN_S, Archivist
from workflows.usecases.sealing.batch import copies
from workflows.usecases.sealing.ground import Distrusted, ground_of
from workflows.usecases.sealing.sealer import Sealer
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.installation import installation
from workflows.usecases.shared.ledger_doubt import accept, raise_doubt
from workflows.usecases.upkeep.verify_audit import faults as log_faults


def folder(world: World) -> str:
    made = installation(world.ctx)
    return layout.folder(made.id, made.epoch)


def at_the_seal(world: World, what: Callable[[Change], object]) -> None:
    """Do it when the seal is about to be noted; not when the keys of words are."""

    def hook(change: Change) -> None:
        if keys.SEAL in change.puts:
            what(change)
        else:
            world.ledger.before_commit = hook

    world.ledger.before_commit = hook


def events(world: World) -> list[Event]:
    return [entry.event for entry in world.ledger.entries(limit=1000)]


def checked(world: World, archive: MemoryArchive | None = None, expected: ShownHead | None = None) -> list[str]:
    """What `audit verify` finds, with our key."""
    from workflows.core.audit_check import AuditCheck

    record = world.ledger.read(keys.SEAL).readable(keys.SEAL, type(state(world)))
    check = SealCheck(
        record,
        Trust(OURS, verify, installation(world.ctx).id, record.key_changes if record else ()),
        expected=[expected] if expected else (),
        heads=archived_heads(archive, folder(world)) if archive else (),
        runs=archived_entries(archive, folder(world)) if archive else (),
    )
    log = world.ledger.audit_state()
    return list(log_faults(world.ledger, AuditCheck(log), log.upto, check))


def doubt(world: World) -> LedgerDoubt | None:
    return world.ledger.read(keys.LEDGER_DOUBT).get(keys.LEDGER_DOUBT, LedgerDoubt)


def trouble(world: World) -> str:
    found = world.ledger.read(keys.trouble(keys.SEAL)).get(keys.trouble(keys.SEAL), Trouble)
    return found.words if found else ""


def rewrite(world: World, entries: list[StoredEntry]) -> None:
    """Somebody who knows how the log is made makes it anew: links, and all that stands beside."""
    link, done = "", []
    for number, entry in enumerate(entries, 1):
        link = linking(link, number, entry.digest)
        done.append(replace(entry, number=number, link=link))
    world.ledger._audit[:] = done


# ---------------------------------------------------------------- a life


def test_a_life_is_sealed_to_its_last_entry_and_archived() -> None:
    world, archive = World(), MemoryArchive()
    seals = sealer(world, archive)
    seals.seal()
    id_ = world.active()
    world.end(id_)
    world.work()
    assert world.grant(id_).state in (GrantState.REVOKED, GrantState.ENDED)
    seals.seal()
    found = state(world)
    assert found.size == world.ledger.head() == found.archived
    assert head_in(found.seal.statement).log == installation(world.ctx).id
    assert checked(world, archive, ShownHead(found.size, found.root[:12])) == []
    assert [entry.number for entry in archived_entries(archive, folder(world))] == list(range(1, found.size + 1))


def test_that_sealing_began_is_on_the_record_once() -> None:
    world = World()
    for _ in range(3):
        sealer(world).seal()
    assert events(world).count(Event.AUDIT_SEALING_STARTED) == 1
    (begun,) = [entry for entry in world.ledger.entries() if entry.event is Event.AUDIT_SEALING_STARTED]
    assert begun.facts["key"] == OURS.fingerprint


def test_each_statement_names_the_one_before_it() -> None:
    world, archive = World(), MemoryArchive()
    seals = sealer(world, archive)
    for who in (build.DANA, build.PAT, build.OLU):
        world.asked(who)
        seals.seal()
    heads = [head_in(seal.statement) for seal in archived_heads(archive, folder(world))]
    assert len({head.before for head in heads}) == len(heads) >= 3
    assert heads[0].before == ""


# ---------------------------------------------------------------- when


def test_without_a_key_nothing_is_due() -> None:
    world = World()
    world.active()
    assert keys.SEAL not in world.ledger.due


def test_with_a_key_each_entry_makes_the_seal_due_within_a_second() -> None:
    world = World()
    seals = sealer(world)
    seals.seal()
    assert keys.SEAL not in world.ledger.due
    world.asked()
    assert world.ledger.due[keys.SEAL] <= world.clock.now().timestamp() + 1
    seals.seal()
    assert keys.SEAL not in world.ledger.due


def test_an_entry_that_comes_while_a_head_is_signed_is_due_again() -> None:
    world = World()
    seals = sealer(world)
    seals.seal()
    world.asked()

    def meanwhile(_: Change) -> None:
        world.asked(build.PAT)

    at_the_seal(world, meanwhile)
    lease = world.ledger.acquire(keys.SEAL)
    assert lease is not None
    seals._round(lease)
    assert state(world).size < world.ledger.head()
    assert keys.SEAL in world.ledger.due


def test_one_seals_at_a_time() -> None:
    world = World()
    world.active()
    lease = world.ledger.acquire(keys.SEAL)
    assert lease is not None
    sealer(world).seal()
    assert world.ledger.read(keys.SEAL).items[keys.SEAL].is_absent
    assert keys.SEAL in world.ledger.due


def test_whoever_lost_the_lease_notes_nothing() -> None:
    world = World()
    seals = sealer(world)
    seals.seal()
    before = state(world)
    world.asked()
    at_the_seal(world, lambda _: world.clock.advance(4))
    seals.seal()
    assert state(world) == before


def test_a_signature_that_took_its_time_is_noted_all_the_same() -> None:
    world = World()
    seals = sealer(world)
    seals.seal()
    world.asked()

    def slow(_: Change) -> None:
        world.lease_renewer.pass_time(8)

    at_the_seal(world, slow)
    seals.seal()
    assert state(world).size == world.ledger.head()


# ---------------------------------------------------------------- what fails


def test_a_key_that_does_not_answer_is_told_and_over_when_it_does() -> None:
    world, signer = World(), ToySigner(away=True)
    seals = sealer(world, signer=signer)
    seals.seal()
    assert trouble(world) == "the key's keeper does not answer"
    assert keys.SEAL in world.ledger.due
    signer.away = False
    seals.seal()
    assert trouble(world) == ""
    assert state(world).size == world.ledger.head()


def test_a_signer_that_is_not_what_it_says_signs_nothing() -> None:
    class Liar(ToySigner):
        def sign(self, message: bytes) -> bytes:
            return sign(THEIRS, message)

    world = World()
    sealer(world, signer=Liar()).seal()
    assert trouble(world) == "what signs is not the key that it says it is"
    assert world.ledger.read(keys.SEAL).items[keys.SEAL].is_absent


def test_a_key_that_nobody_named_is_refused() -> None:
    world = World()
    sealer(world).seal()
    world.asked()
    before = state(world)
    sealer(world, signer=ToySigner(NEW)).seal()
    assert state(world) == before
    assert trouble(world).startswith(
        f"PRODACCESS_AUDIT_KEY is the key {NEW.fingerprint[:12]}, and the log is sealed by "
    )
    assert doubt(world) is None


def test_a_key_that_was_named_by_the_one_before_takes_over_and_the_old_one_stops() -> None:
    world, archive = World(), MemoryArchive()
    sealer(world, archive).seal()
    made, found = installation(world.ctx), state(world)
    change = key_change(made.id, OURS, NEW, found.size, world.clock.now())
    named = signed(change.statement, OURS, sign(OURS, change.statement.encode()))
    version = world.ledger.read(keys.SEAL).versions()
    world.ledger.commit(
        Change("rotate", world.clock.now(), version, puts={keys.SEAL: replace(found, key_changes=(named,))})
    )
    world.asked()
    sealer(world, archive).seal()
    assert "give workers that one" in trouble(world)
    sealer(world, archive, ToySigner(NEW)).seal()
    assert state(world).seal.key == NEW.fingerprint
    assert state(world).size == world.ledger.head()
    assert checked(world, archive) == []
    assert layout.key_change_name(folder(world), found.size) in archive.kept
    assert layout.public_key_name(folder(world), NEW.fingerprint) in archive.kept


def test_an_archive_that_is_away_does_not_hold_up_the_seal_and_catches_up() -> None:
    world, archive = World(), MemoryArchive(away=True)
    seals = sealer(world, archive)
    seals.seal()
    world.asked()
    seals.seal()
    found = state(world)
    assert (found.size, found.archived) == (world.ledger.head(), 0)
    assert found.archive_problem == "the archive does not answer"
    assert found.since is not None
    assert keys.SEAL in world.ledger.due
    calls = archive.calls
    world.asked(build.PAT)
    seals.seal()
    assert archive.calls == calls, "an archive that failed a moment ago is left alone"
    archive.away = False
    world.clock.advance(AGAIN_S)
    seals.seal()
    found = state(world)
    assert (found.archived, found.archive_problem, found.since) == (found.size, "", None)
    assert keys.SEAL not in world.ledger.due
    assert checked(world, archive) == []


def test_an_archive_that_could_be_changed_is_said() -> None:
    world, archive = World(), MemoryArchive(open_to_all="the bucket has no Object Lock")
    sealer(world, archive).seal()
    assert state(world).archive_problem == "the bucket has no Object Lock"
    assert state(world).archived == state(world).size


# ---------------------------------------------------------------- who dies


@pytest.mark.parametrize("puts", range(3))
def test_a_sealer_that_died_between_the_archive_and_the_ledger_is_gone_on_from(puts: int) -> None:
    world, archive = World(), MemoryArchive()
    sealer(world, archive).seal()
    world.asked()
    archive.puts = puts
    with dies():
        sealer(world, archive).seal()
    archive.puts = None
    world.clock.advance(5)
    sealer(world, archive).seal()
    world.asked(build.PAT)
    sealer(world, archive).seal()
    assert doubt(world) is None
    assert trouble(world) == ""
    assert state(world).archived == state(world).size == world.ledger.head()
    assert checked(world, archive) == []


def test_a_head_that_was_archived_and_not_noted_is_adopted() -> None:
    world, archive = World(), MemoryArchive()
    sealer(world, archive).seal()
    world.asked()
    at_the_seal(world, lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        sealer(world, archive).seal()
    world.clock.advance(5)
    newest = list(archived_heads(archive, folder(world)))[-1]
    assert state(world).seal != newest
    sealer(world, archive).seal()
    assert state(world).seal == newest
    assert doubt(world) is None


def test_a_note_that_somebody_deleted_is_found_again_in_the_archive() -> None:
    world, archive = World(), MemoryArchive()
    sealer(world, archive).seal()
    world.asked()
    sealer(world, archive).seal()
    found = state(world)
    world.ledger._records.pop(keys.SEAL)
    sealer(world, archive).seal()
    assert state(world).seal == found.seal
    assert doubt(world) is None


# ---------------------------------------------------------------- what is never signed over


def test_an_older_copy_of_the_ledger_is_doubted_and_not_signed() -> None:
    world, archive = World(), MemoryArchive()
    seals = sealer(world, archive)
    seals.seal()
    older = list(world.ledger._audit)
    older_records = dict(world.ledger._records)
    world.asked()
    seals.seal()
    world.ledger._audit[:] = older
    world.ledger._records.clear()
    world.ledger._records.update(older_records)
    sealer(world, archive).seal()
    found = doubt(world)
    assert found is not None
    assert found.why is Sign.ARCHIVE_AHEAD
    assert trouble(world).startswith("the archive has a head of #")
    size = state(world).size
    sealer(world, archive).seal()
    assert state(world).size == size, "nothing is signed while it is in doubt"


def test_an_older_copy_that_was_gone_on_with_is_doubted_and_accepted_begins_a_tree_of_its_own() -> None:
    world, archive = World(), MemoryArchive()
    seals = sealer(world, archive)
    seals.seal()
    older, records = list(world.ledger._audit), dict(world.ledger._records)
    world.asked()
    seals.seal()
    first_folder, kept = folder(world), dict(archive.kept)
    world.ledger._audit[:] = older
    world.ledger._records.clear()
    world.ledger._records.update(records)
    for who in (build.PAT, build.OLU):
        world.asked(who)
    sealer(world, archive).seal()
    found = doubt(world)
    assert found is not None
    assert found.why is Sign.ARCHIVE_DIFFERS
    assert isinstance(accept(world.ctx, "an operator", "restored from Tuesday's snapshot"), Outcome)
    sealer(world, archive).seal()
    assert state(world).size == world.ledger.head()
    assert state(world).archived == state(world).size
    assert head_in(state(world).seal.statement).epoch == 2
    assert folder(world) != first_folder
    assert {name: archive.kept[name] for name in kept} == kept
    assert [fault for fault in checked(world, archive) if "list of" not in fault] == []


@pytest.mark.parametrize("what", ["junk", "theirs", "another log"])
def test_whoever_may_write_into_the_archive_alone_stops_nothing(what: str) -> None:
    """Only what our key has signed says anything about the ledger; the rest is told as what it is."""
    world, archive = World(), MemoryArchive()
    sealer(world, archive).seal()
    made = installation(world.ctx)
    log, by = ("f" * 32, OURS) if what == "another log" else (made.id, THEIRS)
    head = Head(log, 7_000, "0" * 64, world.clock.now()).statement
    junk = b"junk" if what == "junk" else seal_json(signed(head, by, sign(by, head.encode())))
    archive.put(layout.head_name(folder(world), 7_000), junk)
    world.asked()
    sealer(world, archive).seal()
    assert doubt(world) is None
    assert state(world).size == world.ledger.head() == state(world).archived
    assert state(world).archive_problem.startswith("Somebody has put a head into the archive")


@pytest.mark.parametrize("what", ["run", "head", "both"])
@pytest.mark.parametrize("junk", [b"junk", b"", b"\xff" * 100])
def test_names_that_somebody_took_beforehand_are_gone_round_and_told(what: str, junk: bytes) -> None:
    """Whoever may write into the archive knows which names come next; they stop nothing, and hide nothing."""
    world, archive = World(), MemoryArchive()
    begun(world, archive)
    first, size = state(world).size + 1, world.ledger.head()
    names = {"run": layout.run_name(folder(world), first, size), "head": layout.head_name(folder(world), size)}
    for name in names.values() if what == "both" else (names[what],):
        archive.put(name, junk)
    seals = sealer(world, archive)
    seals.seal()
    assert (doubt(world), trouble(world)) == (None, "")
    assert state(world).size == world.ledger.head() == state(world).archived
    assert state(world).archive_problem != ""
    there = list(archived_entries(archive, folder(world)))
    assert [entry.number for entry in there] == list(range(1, size + 1))
    assert state(world).seal in list(archived_heads(archive, folder(world)))
    found = checked(world, archive)
    assert all("head" in fault for fault in found)
    assert (found == []) is (what == "run")
    # And it goes on.
    world.asked(build.PAT)
    seals.seal()
    assert state(world).size == world.ledger.head() == state(world).archived


def test_a_key_that_comes_next_and_whose_name_somebody_took_is_kept_beside_it() -> None:
    world, archive = World(), MemoryArchive()
    name = layout.public_key_name(folder(world), OURS.fingerprint)
    archive.put(name, b"junk")
    sealer(world, archive).seal()
    assert doubt(world) is None
    assert OURS in list(archived_keys(archive, folder(world)))
    assert name in state(world).archive_problem


def test_an_archive_that_goes_on_otherwise_than_the_ledger_is_not_gone_on_with() -> None:
    """What shares entries with the ledger was archived from it: one of the two was rewritten since."""
    world, archive = World(), MemoryArchive()
    sealer(world, archive).seal()
    found = state(world)
    name = layout.run_name(folder(world), 1, found.size)
    archive.kept[name] = archive.kept[name].replace(b'"link":"', b'"link":"0')
    with pytest.raises(Distrusted, match=f"the archive has something else than the ledger under {name}") as caught:
        Archivist(archive, world.ctx.monotonic_s, verify).keep(
            folder(world), copies(world.ledger, 1, found.size), found
        )
    assert caught.value.why is Sign.ARCHIVE_DIFFERS


def test_nothing_is_signed_while_somebody_doubts_the_record() -> None:
    world = World()
    seals = sealer(world)
    seals.seal()
    raise_doubt(world.ctx, Sign.SAID, {})
    before = state(world)
    seals.seal()
    assert state(world) == before
    assert trouble(world).startswith("the ledger may be an older copy of itself")
    assert isinstance(accept(world.ctx, "an operator", "nothing is open that should not be"), Outcome)
    seals.seal()
    assert state(world).size == world.ledger.head()


def test_entries_that_were_changed_before_they_were_sealed_are_doubted() -> None:
    world = World()
    seals = sealer(world)
    seals.seal()
    world.asked()
    entry = world.ledger._audit[-1]
    world.ledger._audit[-1] = replace(entry, body=entry.body.replace(b"request", b"reqvest"))
    seals.seal()
    found = doubt(world)
    assert found is not None
    assert found.why is Sign.CHANGED
    assert trouble(world) == f"#{entry.number} was changed before it was sealed"


def test_an_entry_that_is_no_text_is_doubted_and_does_not_stop_the_sealer_with_an_error() -> None:
    """Its digest fits, and the archive could not hold it."""
    world = World()
    seals = sealer(world, MemoryArchive())
    seals.seal()
    number, body = world.ledger.head() + 1, b"\xff"
    digest = hashlib.sha256(body).hexdigest()
    link = linking(world.ledger._audit[-1].link, number, digest)
    world.ledger._audit.append(StoredEntry(number, body, digest, None, link))
    seals.seal()
    found = doubt(world)
    assert found is not None
    assert found.why is Sign.CHANGED
    assert trouble(world) == f"#{number} is no text, which no entry of ours is"


def test_a_note_that_is_gone_while_its_sealer_lives_is_doubted() -> None:
    """Else all of the log would be signed anew, as it is by now."""
    world = World()
    seals = sealer(world)
    seals.seal()
    version = world.ledger.read(keys.SEAL).versions()
    world.ledger.commit(Change("gone", world.clock.now(), version, deletes=frozenset({keys.SEAL})))
    seals.seal()
    found = doubt(world)
    assert found is not None
    assert found.why is Sign.CHANGED


def test_sealed_entries_that_were_made_anew_do_not_carry_the_next_one() -> None:
    world = World()
    seals = sealer(world)
    world.asked()
    seals.seal()
    rewrite(world, [world.ledger._audit[-1], *world.ledger._audit[1:-1], world.ledger._audit[0]])
    world.asked(build.PAT)
    seals.seal()
    found = doubt(world)
    assert found is not None
    assert found.why is Sign.CHANGED
    assert trouble(world).endswith("does not follow the entry before it")


@pytest.mark.parametrize("part", ["size", "root", "frontier", "seal", "public_key", "archived", "key_changes"])
def test_a_note_that_was_edited_is_doubted(part: str) -> None:
    world = World()
    seals = sealer(world)
    seals.seal()
    found = state(world)
    others = {
        "size": found.size + 1,
        "root": "0" * 64,
        "frontier": ("0" * 64,) * len(found.frontier),
        "seal": replace(found.seal, statement=found.seal.statement.replace('"epoch":1', '"epoch":0')),
        "public_key": "",
        "archived": 10**9,
        "key_changes": (Seal("{}", "", ""),),
    }
    version = world.ledger.read(keys.SEAL).versions()
    changed = replace(found, **{part: others[part]})  # type: ignore[arg-type]  # one of them
    world.ledger.commit(Change("edited", world.clock.now(), version, puts={keys.SEAL: changed}))
    seals.seal()
    now = doubt(world)
    assert now is not None
    assert now.why is Sign.CHANGED
    assert "somebody has changed it" in trouble(world)


def test_an_entry_that_is_gone_before_it_was_sealed_is_alarmed_and_sealed_as_missing() -> None:
    world, archive = World(), MemoryArchive()
    seals = sealer(world, archive)
    seals.seal()
    world.asked()
    gone = world.ledger._audit.pop(-2)
    seals.seal()
    (missing,) = [entry for entry in world.ledger.entries(limit=100) if entry.event is Event.AUDIT_ENTRY_MISSING]
    assert missing.facts == {"first": str(gone.number), "count": "1"}
    found = [fault for fault in checked(world, archive) if "list of" not in fault]
    assert found[0] == f"#{gone.number} is missing"
    assert f"#{gone.number} was missing already when it was sealed" in found[1]
    assert doubt(world) is None


def test_an_entry_that_is_gone_from_the_end_is_alarmed_too() -> None:
    world = World()
    seals = sealer(world)
    seals.seal()
    world.asked()
    counted = world.ledger.audit_state()
    world.ledger._audit.pop()
    world.ledger.audit_state = lambda: counted  # type: ignore[method-assign]  # Redis has a count of its own
    seals.seal()
    seals.seal()
    assert Event.AUDIT_ENTRY_MISSING in events(world)


def test_an_entry_that_comes_while_the_sealer_counts_is_not_missing() -> None:
    world, archive = World(), MemoryArchive()
    seals = sealer(world, archive)
    seals.seal()
    count = world.ledger.audit_state

    def somebody_asks_meanwhile() -> AuditState:
        world.ledger.audit_state = count  # type: ignore[method-assign]  # once
        world.asked()
        return count()

    world.ledger.audit_state = somebody_asks_meanwhile  # type: ignore[method-assign]  # as between two calls
    seals.seal()
    seals.seal()
    assert Event.AUDIT_ENTRY_MISSING not in events(world)
    assert checked(world, archive) == []


def test_a_number_that_was_never_given_out_is_doubted() -> None:
    world = World()
    seals = sealer(world)
    seals.seal()
    newest = world.ledger._audit[-1]
    world.ledger._audit.append(replace(newest, number=8_000_000_000_000_000))
    world.ledger.remind(keys.SEAL, 0)
    seals.seal()
    assert "the ledger never gave out #8000000000000000" in trouble(world)


def test_nothing_is_lost_by_a_clock_that_is_slow() -> None:
    """The time of a head is the ledger's, as the time of its entries is."""
    world = World()
    world.asked()
    sealer(world).seal()
    assert abs(state(world).at - world.clock.now()) <= timedelta(seconds=1)


# ---------------------------------------------------------------- two at once


class Slow(ToySigner):
    """Something happens while it signs, once."""

    def __init__(self, meanwhile: Callable[[bytes], None]) -> None:
        super().__init__()
        self.meanwhile: Callable[[bytes], None] | None = meanwhile

    def sign(self, message: bytes) -> bytes:
        then, self.meanwhile = self.meanwhile, None
        if then is not None:
            then(message)
        return super().sign(message)


def begun(world: World, archive: MemoryArchive) -> None:
    sealer(world, archive).seal()
    sealer(world, archive).seal()
    world.asked()


def test_a_sealer_that_stood_still_while_another_one_signed_the_same_entries_raises_no_doubt() -> None:
    world, archive = World(), MemoryArchive()
    begun(world, archive)
    ctx = replace(world.ctx, lease_renewer=StillKeeper(world.clock, world.ledger))
    other = Sealer(ctx, ToySigner(), archive, verify, ctx.lease_renewer, ctx.monotonic_s)

    def others_turn(_message: bytes) -> None:
        world.clock.advance(5)
        other.seal()

    sealer(world, archive, Slow(others_turn)).seal()
    sealer(world, archive).seal()
    assert doubt(world) is None
    assert state(world).size == world.ledger.head() == state(world).archived
    assert checked(world, archive) == []


def test_a_head_of_the_same_entries_that_came_late_from_a_sealer_that_stood_still_is_taken_as_it_is() -> None:
    world, archive = World(), MemoryArchive()
    begun(world, archive)
    sealer(world, archive, Slow(lambda message: archive.put(*late(world, message, OURS)))).seal()
    assert doubt(world) is None
    assert state(world).size == world.ledger.head() == state(world).archived
    assert checked(world, archive) == []


def test_a_head_of_the_same_size_by_another_key_is_gone_round_and_told() -> None:
    world, archive = World(), MemoryArchive()
    begun(world, archive)
    sealer(world, archive, Slow(lambda message: archive.put(*late(world, message, THEIRS)))).seal()
    assert doubt(world) is None
    assert state(world).size == world.ledger.head() == state(world).archived
    assert state(world).seal in list(archived_heads(archive, folder(world)))
    assert "under the name" in state(world).archive_problem
    # Whoever verifies hears of it, and is shown ours all the same.
    assert any(
        f"is signed by another key ({THEIRS.fingerprint[:12]}) than yours" in one for one in checked(world, archive)
    )


def test_a_head_of_the_same_size_of_other_entries_is_doubted() -> None:
    world, archive = World(), MemoryArchive()
    begun(world, archive)
    sealer(world, archive, Slow(lambda message: archive.put(*late(world, message, OURS, "0" * 64)))).seal()
    found = doubt(world)
    assert found is not None
    assert found.why is Sign.ARCHIVE_DIFFERS


def late(world: World, message: bytes, key: PublicKey, root: str = "") -> tuple[str, bytes]:
    """The head that is about to be signed, as another sealer signed it a second sooner; its name and what stands there."""
    head = head_in(message.decode())
    sooner = replace(head, at=head.at - timedelta(seconds=1), root=root or head.root)
    seal = signed(sooner.statement, key, sign(key, sooner.statement.encode()))
    return layout.head_name(folder(world), head.size), seal_json(seal)


def test_a_head_of_fewer_entries_that_came_late_disturbs_nobody() -> None:
    world, archive = World(), MemoryArchive()
    begun(world, archive)
    ctx = replace(world.ctx, lease_renewer=StillKeeper(world.clock, world.ledger))
    other = Sealer(ctx, ToySigner(), archive, verify, ctx.lease_renewer, ctx.monotonic_s)

    def others_turn(_message: bytes) -> None:
        world.clock.advance(5)
        world.asked(build.PAT)
        other.seal()

    sealer(world, archive, Slow(others_turn)).seal()
    sealer(world, archive).seal()
    assert doubt(world) is None
    assert state(world).size == world.ledger.head() == state(world).archived
    assert checked(world, archive) == []


def test_a_late_head_in_an_archive_that_lagged_behind_is_taken_when_it_catches_up() -> None:
    world, archive = World(), MemoryArchive()
    begun(world, archive)
    heads: list[tuple[str, bytes]] = []

    def gone(message: bytes) -> None:
        heads.append(late(world, message, OURS))
        archive.away = True

    sealer(world, archive, Slow(gone)).seal()
    archive.away = False
    archive.put(*heads[0])
    world.clock.advance(AGAIN_S)
    sealer(world, archive).seal()
    assert doubt(world) is None
    assert state(world).size == world.ledger.head() == state(world).archived
    assert checked(world, archive) == []


# ---------------------------------------------------------------- another log of the same key


def with_log_of_before(archive: MemoryArchive, signer: ToySigner | None = None) -> World:
    """An installation that sealed into this archive and is no more: all of its Redis is lost."""
    lost = World()
    lost.asked()
    sealer(lost, archive, signer).seal()
    return lost


def installed() -> World:
    """A new installation, on an empty Redis."""
    world = World()
    snapshot = world.ledger.read(keys.INSTALLATION)
    made = Installation("c" * 32, snapshot.now)
    world.ledger.commit(Change("made", snapshot.now, snapshot.versions(), puts={keys.INSTALLATION: made}))
    assert installation(world.ctx) == made
    return world


def test_a_log_that_would_be_begun_beside_one_of_our_own_key_is_doubted_and_nothing_is_signed() -> None:
    archive = MemoryArchive()
    lost = with_log_of_before(archive)
    kept, size = dict(archive.kept), state(lost).size
    world = installed()
    world.asked()
    seals = sealer(world, archive)
    seals.seal()
    found = doubt(world)
    assert found is not None
    assert (found.why, found.epoch, found.facts["seen"]) == (Sign.ARCHIVE_AHEAD, 1, str(size))
    assert int(found.facts["newest"]) >= 1
    assert trouble(world).startswith("the archive has another log of this key, ")
    calls = archive.calls
    seals.seal()
    assert world.ledger.read(keys.SEAL).items[keys.SEAL].is_absent
    assert (archive.kept, archive.calls) == (kept, calls), "one look is enough"


def test_a_log_of_before_that_an_operator_accepts_as_lost_is_gone_on_from() -> None:
    archive = MemoryArchive()
    lost = with_log_of_before(archive)
    raise_doubt(lost.ctx, Sign.SAID, {})
    accept(lost.ctx, "an operator", "an older copy was put back")
    sealer(lost, archive).seal()
    world = installed()
    seals = sealer(world, archive)
    seals.seal()
    assert isinstance(accept(world.ctx, "an operator", "all of it is lost, and looked after by hand"), Outcome)
    seals.seal()
    assert doubt(world) is None
    assert state(world).size == world.ledger.head() == state(world).archived
    assert head_in(state(world).seal.statement).epoch == 3
    sealer(world, archive).seal()
    assert doubt(world) is None


def test_an_installation_of_another_key_in_the_same_archive_disturbs_nobody() -> None:
    archive = MemoryArchive()
    lost = with_log_of_before(archive, ToySigner(THEIRS))
    archive.put(layout.public_key_name(folder(lost), OURS.fingerprint), b"anybody could write this")
    world = installed()
    sealer(world, archive).seal()
    assert doubt(world) is None
    assert state(world).archived == world.ledger.head()


def test_heads_that_somebody_copied_into_another_folder_are_no_log() -> None:
    archive = MemoryArchive()
    lost = with_log_of_before(archive)
    copied = {name.replace(folder(lost), "f" * 32 + "/"): content for name, content in archive.kept.items()}
    world, archive = installed(), MemoryArchive(copied)
    sealer(world, archive).seal()
    assert doubt(world) is None
    assert state(world).size == world.ledger.head()


def test_an_archive_that_was_away_at_the_first_head_is_looked_into_before_anything_is_put_there() -> None:
    archive = MemoryArchive()
    with_log_of_before(archive)
    kept = dict(archive.kept)
    world = installed()
    archive.away = True
    seals = sealer(world, archive)
    seals.seal()
    assert state(world).size
    archive.away = False
    world.clock.advance(AGAIN_S)
    sealer(world, archive).seal()
    found = doubt(world)
    assert found is not None
    assert found.why is Sign.ARCHIVE_AHEAD
    assert archive.kept == kept


def test_it_is_looked_for_other_logs_once() -> None:
    archive = MemoryArchive()
    with_log_of_before(archive, ToySigner(THEIRS))
    world = installed()
    seals = sealer(world, archive)
    seals.seal()
    looks = []
    names = archive.names
    archive.names = lambda prefix, after="": looks.append(prefix) or names(prefix, after)  # type: ignore[method-assign]
    for who in (build.PAT, build.OLU):
        world.asked(who)
        seals.seal()
    assert "" not in looks


# ---------------------------------------------------------------- a key that is lost


@pytest.mark.parametrize("signer", [ToySigner(NEW), ToySigner()], ids=["another key", "the same key"])
def test_in_an_epoch_that_an_operator_began_any_key_may_begin(signer: ToySigner) -> None:
    world, archive = World(), MemoryArchive()
    sealer(world, archive).seal()
    raise_doubt(world.ctx, Sign.SAID, {})
    assert isinstance(accept(world.ctx, "an operator", "the key is lost"), Outcome)
    sealer(world, archive, signer).seal()
    found = state(world)
    assert (found.seal.key, found.size) == (signer.key.fingerprint, world.ledger.head())
    assert found.key_changes == ()
    assert trouble(world) == ""
    before = state(world)
    world.asked()
    sealer(world, archive, ToySigner(THEIRS)).seal()
    assert state(world) == before, "and from then on it is that key's alone"


def test_only_a_key_whose_turn_it_is_takes_the_changes_before_it_into_a_new_epoch() -> None:
    world = World()
    sealer(world).seal()
    made, found = installation(world.ctx), state(world)
    change = key_change(made.id, OURS, NEW, found.size, world.clock.now())
    named = replace(found, key_changes=(signed(change.statement, OURS, sign(OURS, change.statement.encode())),))
    above = replace(made, epoch=2)
    assert ground_of(named, above, NEW, verify).key_changes == named.key_changes
    assert ground_of(named, above, THEIRS, verify).key_changes == ()


def exchanged(world: World, archive: MemoryArchive) -> Seal:
    """Our key was changed for the next one, which has sealed, too. Returns the change."""
    sealer(world, archive).seal()
    made, found = installation(world.ctx), state(world)
    change = key_change(made.id, OURS, NEW, found.size, world.clock.now(), made.epoch)
    named = signed(change.statement, OURS, sign(OURS, change.statement.encode()))
    version = world.ledger.read(keys.SEAL).versions()
    world.ledger.commit(
        Change("rotate", world.clock.now(), version, puts={keys.SEAL: replace(found, key_changes=(named,))})
    )
    world.asked()
    sealer(world, archive, ToySigner(NEW)).seal()
    return named


def lose_the_note(world: World) -> None:
    """As after a rebuild, and that an operator accepted it."""
    del world.ledger._records[keys.SEAL]
    raise_doubt(world.ctx, Sign.SAID, {})
    assert isinstance(accept(world.ctx, "an operator", "all was lost"), Outcome)


def test_changes_of_the_key_come_from_the_archive_where_the_note_is_lost() -> None:
    world, archive = World(), MemoryArchive()
    change = exchanged(world, archive)
    size = key_change_in(change.statement).size
    lose_the_note(world)
    sealer(world, archive, ToySigner(NEW)).seal()
    assert trouble(world) == ""
    assert (state(world).key_changes, state(world).archived) == ((change,), state(world).size)
    assert archive.kept[layout.carried_change_name(folder(world), size, NEW.fingerprint)] == seal_json(change)
    assert layout.key_change_name(folder(world), size) not in archive.kept, "a change of this epoch may need the name"
    assert checked(world, archive) == []


def test_a_change_that_somebody_planted_takes_the_place_of_none() -> None:
    """Whoever may write into the archive names our key as the one after theirs, in a change that sorts first."""
    world, archive = World(), MemoryArchive()
    change = exchanged(world, archive)
    planted = key_change(installation(world.ctx).id, THEIRS, NEW, 0, world.clock.now(), 1)
    archive.put(
        layout.key_change_name(folder(world), 0),
        seal_json(signed(planted.statement, THEIRS, sign(THEIRS, planted.statement.encode()))),
    )
    lose_the_note(world)
    sealer(world, archive, ToySigner(NEW)).seal()
    assert change in state(world).key_changes
    assert checked(world) == [], "with the old key, and without the archive"


def test_a_key_that_was_exchanged_begins_no_epoch() -> None:
    world, archive = World(), MemoryArchive()
    exchanged(world, archive)
    lose_the_note(world)
    sealer(world, archive).seal()
    assert trouble(world).startswith(
        f"PRODACCESS_AUDIT_KEY is the key {OURS.fingerprint[:12]}, which has handed over to "
    )
    assert not any(name.startswith(layout.heads(folder(world))) for name in archive.kept)
    sealer(world, archive, ToySigner(THEIRS)).seal()
    assert (state(world).seal.key, state(world).key_changes) == (THEIRS.fingerprint, ()), "any other may"


def test_a_forged_change_in_the_archive_leads_nowhere() -> None:
    world, archive = World(), MemoryArchive()
    sealer(world, archive).seal()
    made, found = installation(world.ctx), state(world)
    for old, new in (OURS, THEIRS), (THEIRS, OURS):
        change = key_change(made.id, old, new, found.size, world.clock.now())
        by = THEIRS if old is OURS else NEW
        forged = replace(signed(change.statement, by, sign(by, change.statement.encode())), key=old.fingerprint)
        archive.put(f"{layout.keys(folder(world))}{old.fingerprint[:16]}.json", seal_json(forged))
    lose_the_note(world)
    sealer(world, archive).seal()
    assert (state(world).key_changes, trouble(world)) == ((), "")

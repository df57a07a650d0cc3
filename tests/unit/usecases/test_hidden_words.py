"""Words in the archive: whoever has the keys reads them, and nobody else; one key that is gone is enough."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.support import build
from tests.support.sealing import MemoryArchive, dies, sealer, state
from tests.support.world import World
from workflows.core import keys
from workflows.core.audit_check import StoredEntry
from workflows.core.identity import Address, AddressRecord, PersonId
from workflows.core.ledger_doubt import LedgerDoubt
from workflows.core.named_words import NOBODY, names_in
from workflows.core.records.words_key import WordsKey
from workflows.core.seal import layout
from workflows.core.seal.hidden import HiddenWords, about, hidden_from
from workflows.core.seal.layout import ArchivedEntry
from workflows.ports import Change
from workflows.signing.words import Cipher
from workflows.usecases.sealing.archived import archived_entries
from workflows.usecases.sealing.hiding import Shown
from workflows.usecases.shared.installation import installation

A, B = b"a" * 32, b"b" * 32


def archived(world: World, archive: MemoryArchive) -> list[ArchivedEntry]:
    made = installation(world.ctx)
    return list(archived_entries(archive, layout.folder(made.id, made.epoch)))


def words_of(world: World, entry: ArchivedEntry) -> dict[str, str] | None:
    assert entry.hidden is not None
    found = Shown(world.ledger, Cipher())(entry)
    return json.loads(found)["private"] if found is not None else None


def kept_words(world: World) -> list[StoredEntry]:
    return [
        entry for entry in world.ledger.stored_entries(limit=1000) if json.loads(entry.private or b"{}").get("private")
    ]


def forget(world: World, *names: str) -> None:
    wanted = [keys.words_key(name) for name in names]
    reads = world.ledger.read(*wanted).versions()
    world.ledger.commit(Change("forget", world.clock.now(), reads, deletes=frozenset(wanted)))


def sealed_story() -> tuple[World, MemoryArchive, str]:
    world, archive = World(), MemoryArchive()
    id_ = world.asked()
    world.approve(id_)
    world.work()
    other = world.asked(build.PAT, reason="INC-7 as dana@example.com said")
    world.deny(other)
    sealer(world, archive).seal()
    assert state(world).archived == state(world).size
    return world, archive, id_


def test_the_archive_gives_back_each_entrys_words_exactly() -> None:
    world, archive, _ = sealed_story()
    by_number = {entry.number: entry for entry in archived(world, archive)}
    found = {entry.number: words_of(world, by_number[entry.number]) for entry in kept_words(world)}
    assert found == {entry.number: json.loads(entry.private or b"")["private"] for entry in kept_words(world)}
    assert len(found) > 5


def test_no_name_address_or_reason_stands_in_the_archive_in_clear() -> None:
    _, archive, _ = sealed_story()
    everything = b"\n".join(archive.kept.values())
    for word in (b"dana@", b"olu@", b"Dana", b"Olu", b"checkout", b"INC-7"):
        assert word not in everything.replace(b"id-of-dana@example.com", b"").replace(b"id-of-pat@example.com", b"")


def test_without_one_persons_key_nothing_that_names_them_can_be_read_and_all_else_can() -> None:
    world, archive, id_ = sealed_story()
    forget(world, "dana@example.com")
    entries = [entry for entry in archived(world, archive) if entry.hidden is not None]
    stored = {entry.number: json.loads(entry.private or b"")["private"] for entry in kept_words(world)}
    for entry in entries:
        named = json.loads(entry.body)["subject"] == id_ or "dana@example.com" in names_in(stored[entry.number])
        assert (words_of(world, entry) is None) == named, entry.number
    assert {words_of(world, entry) is None for entry in entries} == {True, False}


def test_what_only_a_request_says_is_hidden_under_the_keys_of_those_whose_it_is() -> None:
    """The entry of an end has a reason, and names nobody."""
    world, archive = World(), MemoryArchive()
    id_ = world.asked()
    world.approve(id_)
    world.work()
    world.end(id_, build.OLU, "not needed")
    world.work()
    sealer(world, archive).seal()
    stored = {entry.number: json.loads(entry.private or b"{}")["private"] for entry in kept_words(world)}
    (number,) = [n for n, words in stored.items() if words == {"reason": "not needed"}]
    forget(world, "dana@example.com")
    (entry,) = [entry for entry in archived(world, archive) if entry.number == number]
    assert words_of(world, entry) is None


def test_an_address_leads_to_whose_it_is_now() -> None:
    world, archive = World(), MemoryArchive()
    second = PersonId("new@example.com~2")
    record = {keys.address(Address("new@example.com")): AddressRecord(Address("new@example.com"), second)}
    world.ledger.commit(Change("moved", world.clock.now(), dict.fromkeys(record, 0), puts=record))
    world.asked(reason="INC-1 new@example.com said so")
    sealer(world, archive).seal()
    assert set(world.ledger.records("words-key")) >= {keys.words_key(second), keys.words_key("dana@example.com")}


def test_an_address_that_nobody_has_makes_no_key() -> None:
    world, archive = World(), MemoryArchive()
    world.asked(reason="INC-1 " + " ".join(f"x{n}@nowhere.example" for n in range(20)))
    sealer(world, archive).seal()
    assert not [key for key in world.ledger.records("words-key") if "nowhere" in key]


def test_words_that_name_nobody_are_kept_as_well() -> None:
    world, archive = World(), MemoryArchive()
    world.activate()
    sealer(world, archive).seal()
    assert all(words_of(world, entry) is not None for entry in archived(world, archive) if entry.hidden is not None)
    assert names_in({"actor_name": "Rosa Ops"}) == frozenset()
    assert NOBODY == "nobody"


@pytest.mark.parametrize(
    "text",
    [
        "Dana@Example.com.",
        "'dana@example.com'",
        "by=dana@example.com, and others",
        "<mailto:dana@example.com|dana@example.com>",
        "(dana@example.com)",
        "pat@example.com/dana@example.com",
        "x@dana@example.com",
        "dana@example.com's",
    ],
)
def test_an_address_is_found_however_it_is_written(text: str) -> None:
    assert "dana@example.com" in names_in({"reason": text})
    assert names_in({"actor": "dana@example.com~2"}) == {"dana@example.com~2"}


@pytest.mark.parametrize("text", ["'" * 50_000 + "@x", "a@" * 50_000, "a" * 50_000, "@" * 50_000])
def test_a_hostile_text_names_few(text: str) -> None:
    assert len(names_in({"reason": text})) < 300


def test_a_key_is_not_shown_by_what_prints_its_record() -> None:
    assert "ab12" not in repr(WordsKey("dana@example.com", "ab12" * 16, build.NOW))


def test_keys_are_made_once() -> None:
    world, archive, _ = sealed_story()
    before = world.ledger.read(*world.ledger.records("words-key")).versions()
    world.asked(build.PAT)
    sealer(world, archive).seal()
    assert world.ledger.read(*before).versions() == before


def test_a_key_that_cannot_be_read_holds_up_no_seal() -> None:
    world, archive, _ = sealed_story()
    world.ledger._records[keys.words_key("pat@example.com")] = (99, b'{"nonsense": 1}')
    world.asked(build.PAT)
    sealer(world, archive).seal()
    assert state(world).archived == state(world).size == world.ledger.head()
    assert archived(world, archive)[-1].hidden is None


def test_words_that_are_not_what_their_entry_says_are_not_archived() -> None:
    world, archive = World(), MemoryArchive()
    world.asked()
    entry = next(entry for entry in world.ledger._audit if b"checkout" in (entry.private or b""))
    at = world.ledger._audit.index(entry)
    world.ledger._audit[at] = StoredEntry(
        entry.number, entry.body, entry.digest, b'{"salt":"","private":{"reason":"x"}}', entry.link
    )
    sealer(world, archive).seal()
    assert archived(world, archive)[at].hidden is None


def test_a_key_that_was_erased_between_the_run_and_its_head_raises_no_doubt() -> None:
    """The run was archived, and whoever did it died; the same run again has other words."""
    world, archive = World(), MemoryArchive()
    sealer(world, archive).seal()
    world.asked()
    # The public key, and the run.
    archive.puts = 2
    with dies():
        sealer(world, archive).seal()
    archive.puts = None
    assert archived(world, archive)[-1].number == world.ledger.head() > state(world).size
    forget(world, "dana@example.com")
    world.clock.advance(5)
    sealer(world, archive).seal()
    assert state(world).archived == state(world).size == world.ledger.head()
    assert world.ledger.read(keys.LEDGER_DOUBT).get(keys.LEDGER_DOUBT, LedgerDoubt) is None


# ---------------------------------------------------------------- the cipher


@pytest.mark.parametrize("with_", [[A], [A, B], [B, A]])
def test_hidden_words_are_shown_to_the_same_keys_in_any_order(with_: Sequence[bytes]) -> None:
    hidden = Cipher().hide(with_, b"1:x", b"words")
    assert Cipher().show(list(reversed(with_)), b"1:x", hidden) == b"words"
    assert Cipher().hide(with_, b"1:x", b"words") == hidden
    assert b"words" not in hidden


@pytest.mark.parametrize(
    ("with_", "of", "cut"),
    [
        ([A], b"1:x", 0),
        ([B], b"1:x", 0),
        ([A, A], b"1:x", 0),
        ([A, B], b"2:x", 0),
        ([A, B], b"1:x", 1),
        ([A, B], b"1:x", 30),
    ],
)
def test_hidden_words_are_not_shown_to_other_keys_of_another_entry_or_cut(
    with_: list[bytes], of: bytes, cut: int
) -> None:
    hidden = Cipher().hide([A, B], b"1:x", b"words")
    assert Cipher().show(with_, of, hidden[cut:]) is None


def test_other_words_have_another_nonce() -> None:
    assert Cipher().hide([A], b"1:x", b"words")[:12] != Cipher().hide([A], b"1:x", b"other")[:12]


def test_a_tag_says_nothing_of_its_key_and_tells_keys_apart() -> None:
    assert Cipher().tag(A) != Cipher().tag(B)
    assert Cipher().tag(A) not in A.hex()


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Cipher().hide([b"short"], b"", b"")
    with pytest.raises(ValueError, match="32 bytes"):
        Cipher().hide([], b"", b"")


# ---------------------------------------------------------------- the line


def test_a_line_of_a_run_carries_hidden_words_there_and_back() -> None:
    hidden = HiddenWords(("0" * 16, "1" * 16), b"\x00\xff")
    entry = StoredEntry(1, b"{}", "d" * 64, b"{}", "l")
    (read,) = layout.entries_in(layout.run_of([entry], {1: hidden}), layout.run_name("f/", 1, 1))
    assert read.hidden == hidden
    assert about(1, "d") == b"1:d"


@pytest.mark.parametrize(
    "said",
    [
        [],
        1,
        {},
        {"tags": [], "content": ""},
        {"tags": ["x"], "content": ""},
        {"tags": ["0" * 16] * 2, "content": ""},
        {"tags": [1], "content": ""},
        {"tags": ["0" * 16], "content": "?"},
        {"tags": ["0" * 16], "content": 1},
    ],
)
def test_a_line_with_nonsense_for_words_is_a_bad_run(said: object) -> None:
    line = {"number": 1, "body": "", "digest": "", "link": "", "hidden": said}
    with pytest.raises(layout.BadRun):
        list(layout.entries_in(json.dumps(line).encode(), layout.run_name("f/", 1, 1)))
    with pytest.raises(ValueError, match="hidden"):
        hidden_from(said)


def test_runs_are_the_same_where_their_words_alone_differ() -> None:
    name = layout.run_name("f/", 1, 1)
    entry = StoredEntry(1, b"{}", "d" * 64, b"{}", "l")
    one, other = layout.run_of([entry]), layout.run_of([entry], {1: HiddenWords(("0" * 16,), b"")})
    assert layout.same_entries(one, other, name)
    assert not layout.same_entries(one, layout.run_of([StoredEntry(1, b"{}", "e" * 64, None, "l")]), name)
    assert not layout.same_entries(one, b"", name)

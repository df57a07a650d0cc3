"""A log is held against what was signed of it: whatever somebody does to it who can write to the ledger is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.sealed_log import (
    LOG,
    NEW,
    OURS,
    THEIRS,
    SealedLog,
    chained,
    judged,
    made,
    sign,
    stored,
)
from workflows.core.audit_check import StoredEntry
from workflows.core.seal.statement import Head, head_in, signed

Attack = Callable[[list[StoredEntry]], list[StoredEntry]]


def edit(entries: list[StoredEntry]) -> list[StoredEntry]:
    return [*entries[:16], stored(17, "", "another reason"), *entries[17:]]


def delete(entries: list[StoredEntry]) -> list[StoredEntry]:
    return [*entries[:16], *entries[17:]]


def insert(entries: list[StoredEntry]) -> list[StoredEntry]:
    return [*entries[:16], stored(77, "", "never happened"), *entries[16:]]


def reorder(entries: list[StoredEntry]) -> list[StoredEntry]:
    return [*entries[:16], entries[17], entries[16], *entries[18:]]


ATTACKS = pytest.mark.parametrize("attack", [edit, delete, insert, reorder])


def test_a_log_that_nobody_touched_is_whole_up_to_its_seal() -> None:
    log = made(5, 20, 40)
    for archive in (False, True):
        verdict = judged(log, archive=archive, expected=[log.head])
        assert verdict.faults == []
        assert verdict.whole == head_in(log.seal.seal.statement) if log.seal else None
        assert verdict.first == 0


def test_a_log_without_a_seal_is_not_called_whole() -> None:
    log = SealedLog()
    log.write(5)
    assert judged(log).faults == []
    assert judged(log).whole is None


@ATTACKS
def test_everything_hashed_anew_is_found_by_the_seal_alone(attack: Attack) -> None:
    log = made(5, 20, 40, archived=False)
    log.entries = chained(attack(log.entries))
    verdict = judged(log)
    assert verdict.faults == [
        "#1 to #40 are not what was sealed: the ledger's own seal of #40 at 2026-11-27 09:40:00 UTC has another root. "
        "Something there was changed."
    ]
    assert verdict.whole is None


@ATTACKS
def test_the_archives_heads_say_between_which_two_it_lies(attack: Attack) -> None:
    log = made(5, 20, 40)
    log.entries, log.runs = chained(attack(log.entries)), []
    verdict = judged(log, archive=True)
    assert verdict.faults == [
        "#6 to #20 are not what was sealed: the archive's head of #20 at 2026-11-27 09:20:00 UTC has another root. "
        "Something there was changed."
    ]
    assert verdict.whole is not None
    assert verdict.whole.size == 5


@ATTACKS
def test_the_archives_entries_name_the_first_one(attack: Attack) -> None:
    log = made(5, 20, 40)
    log.entries = chained(attack(log.entries))
    verdict = judged(log, archive=True)
    assert verdict.first == 17
    assert verdict.faults[0].startswith("#17 was changed after it was sealed: its digest was ")


def test_a_changed_entry_is_named_even_where_the_archive_is_not_there() -> None:
    log = made(5, 20, 40)
    log.entries[16] = replace(log.entries[16], body=log.entries[16].body.replace(b"a reason", b"another!"))
    assert judged(log).faults == ["#17 was changed: its digest is another one"]


def test_a_changed_word_is_found_although_words_stand_outside_of_the_chain() -> None:
    log = made(5, 20, 40)
    private = log.entries[16].private or b""
    log.entries[16] = replace(log.entries[16], private=private.replace(b"a reason", b"another!"))
    assert judged(log).faults == ["#17: its names or words were changed"]


def test_renumbered_and_hashed_anew_is_found() -> None:
    log = made(5, 20, 40)
    log.entries = [replace(entry, number=entry.number + 1) for entry in log.entries]
    assert judged(log).faults[0] == "#1 is missing"
    assert any("are not what was sealed" in fault for fault in judged(log).faults)


def test_a_tail_that_was_cut_off_is_found_by_the_ledgers_seal() -> None:
    log = made(5, 20, 40)
    del log.entries[30:]
    verdict = judged(log)
    assert verdict.faults == [
        "#31 to #40 are gone from the end: the ledger's own seal has 40 entries at 2026-11-27 09:40:00 UTC."
    ]
    assert verdict.first == 31


def test_rolled_back_to_an_older_head_is_found_by_the_archive_and_by_a_head_from_chat() -> None:
    log = made(5, 20, 40)
    older, now = made(5, 20), log.head
    log.entries, log.seal = older.entries, older.seal
    assert judged(log).faults == []
    assert (
        "#24 to #40 are gone from the end: the archive's head has 40 entries at 2026-11-27 09:40:00 UTC."
        in judged(log, archive=True).faults
    )
    assert judged(log, expected=[now]).faults == [
        "#24 to #40 are gone from the end: the head that you expect has 40 entries."
    ]


def test_rolled_back_and_gone_on_with_is_found() -> None:
    log = made(5, 20, 40)
    older, now = made(5, 20), log.head
    log.entries, log.seal = older.entries, older.seal
    log.entries.append(stored(24, log.entries[-1].link, "never happened"))
    log.write(40)
    assert judged(log, archive=True).first == 24
    assert any(
        "the head that you expect of #40 has another root" in fault for fault in judged(log, expected=[now]).faults
    )
    assert any(
        "the ledger's seal ends at #20: it was set back" in fault for fault in judged(log, expected=[now]).faults
    )


def test_a_seal_that_was_exchanged_for_an_older_one_is_found() -> None:
    log, older = made(5, 20, 40), made(5, 20)
    log.seal = older.seal
    assert judged(log, archive=True).faults == [
        "The ledger's seal was set back, or exchanged for an older one: it ends at #20, and the archive has a head of #40 at "
        "2026-11-27 09:40:00 UTC."
    ]
    assert log.seal is not None
    log.seal = replace(made(5, 20, 40).signed_head(), seal=log.seal.seal)
    assert judged(log).faults == [
        "The ledger's own seal is not the one that was signed: the ledger's note of it was changed."
    ]


def test_a_seal_of_another_installation_is_none_of_ours() -> None:
    log = made(5, 20)
    log.seal = log.signed_head(log="b" * 32)
    assert judged(log).faults == ["The ledger's own seal of #23 belongs to the log of another installation."]


def test_a_statement_that_was_edited_is_found() -> None:
    log = made(5, 20)
    assert log.seal is not None
    seal = replace(log.seal.seal, statement=log.seal.seal.statement.replace('"epoch":1', '"epoch":2'))
    log.seal = replace(log.seal, seal=seal)
    assert judged(log).faults == [
        "The ledger's own seal of #20 carries a signature that does not fit: it, or what it says, was changed."
    ]
    assert judged(log).whole is None


def test_a_seal_that_cannot_be_read_is_found() -> None:
    log = made(5, 20)
    assert log.seal is not None
    log.seal = replace(log.seal, seal=replace(log.seal.seal, statement="{}"))
    assert judged(log).faults == ["The ledger's own seal says something that this version cannot read."]


def test_everything_made_anew_with_another_key_is_found() -> None:
    log = made(5, 20, 40)
    log.entries, log.key, log.heads, log.runs = chained(edit(log.entries)), THEIRS, [], []
    log.sealed()
    assert judged(log, archive=True).faults == [
        f"The ledger's own seal of #43 is signed by another key ({THEIRS.fingerprint[:12]}) than yours.",
        f"The archive's head of #43 is signed by another key ({THEIRS.fingerprint[:12]}) than yours.",
    ]
    assert judged(log, archive=True).whole is None


def test_a_key_that_its_forerunner_named_is_believed() -> None:
    log = made(5, 20)
    log.rotate(NEW)
    log.write(10)
    log.sealed()
    assert judged(log, archive=True).faults == []
    assert judged(log, archive=True).whole == head_in(log.heads[-1].statement)
    # An auditor who has the new key alone: older heads are held against the tree, and prove nothing.
    assert judged(log, archive=True, given=NEW).faults == []
    assert judged(log, archive=True, given=NEW).whole == head_in(log.heads[-1].statement)


def test_a_key_that_nobody_named_is_not_believed() -> None:
    log = made(5, 20)
    log.rotate(THEIRS, by=THEIRS)
    log.sealed()
    assert judged(log).faults == [
        f"The change to the key {THEIRS.fingerprint[:12]} is not signed by the key before it: somebody replaced the key.",
        f"The ledger's own seal of #23 is signed by another key ({THEIRS.fingerprint[:12]}) than yours.",
    ]


def test_a_key_that_was_replaced_signs_no_more() -> None:
    log = made(5, 20)
    log.rotate(NEW)
    log.write(10)
    log.key = OURS
    log.sealed()
    assert judged(log).faults == [
        f"The ledger's own seal of #33 is signed by a key ({OURS.fingerprint[:12]}) that was not in use then."
    ]


def test_an_archive_that_was_changed_is_told_from_a_ledger_that_was() -> None:
    log = made(5, 20, 40)
    log.runs[16] = replace(log.runs[16], digest="0" * 64)
    assert judged(log, archive=True).faults == [
        "#17 was changed in the archive: its digest is another one.",
        "#17 in the archive is not what was sealed, and the ledger's is: the archive was changed.",
    ]


def test_an_entry_that_was_missing_when_it_was_sealed_is_told_as_that() -> None:
    log = made(5)
    log.entries[5:6] = []
    head = _head_with_a_gap(log)
    log.seal = replace(log.signed_head(), size=8, root=head.root, at=head.at)
    log.seal = replace(log.seal, seal=signed(head.statement, OURS, sign(OURS, head.statement.encode())))
    faults = judged(log).faults
    assert "#6 is missing" in faults
    assert f"#6 was missing already when it was sealed at {head.at:%Y-%m-%d %H:%M:%S} UTC." in faults


def _head_with_a_gap(log: SealedLog) -> Head:
    from workflows.core.seal.merkle import Tree
    from workflows.core.seal.statement import leaf_of

    tree, there = Tree(), {entry.number: entry.digest for entry in log.entries}
    for number in range(1, 9):
        tree.append(leaf_of(number, there.get(number)))
    return replace(head_in(log.heads[-1].statement), log=LOG, size=8, root=tree.root().hex())


def test_without_a_key_roots_are_compared_all_the_same() -> None:
    log = made(5, 20, 40)
    assert judged(log, given=None).faults == []
    log.entries = chained(edit(log.entries))
    assert "#1 to #40 are not what was sealed" in judged(log, given=None).faults[0]

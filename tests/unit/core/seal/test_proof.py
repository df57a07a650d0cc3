"""Each entry of a sealed log can be proved, and nothing else can."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.sealed_log import AT, LOG, NEW, OURS, SealedLog, made, sign, verify
from workflows.core.seal.merkle import Tree
from workflows.core.seal.proof import BadProof, Proof, Prover, checked, proof_from, proof_json
from workflows.core.seal.statement import Head, head_in, leaf_of, signed
from workflows.core.seal.trust import Trust


def proved(log: SealedLog, number: int) -> Proof:
    assert log.seal is not None
    prover = Prover(number, head_in(log.seal.seal.statement))
    for start in range(0, len(log.entries), 4):
        prover.entries(log.entries[start : start + 4])
    return proof_from(proof_json(prover.proof(log.seal.seal, "", log.changes, words=True)))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 20])
def test_every_entry_of_every_size(size: int) -> None:
    log = made(size)
    for number in range(1, size + 1):
        found = proved(log, number)
        assert checked(found, Trust(OURS, verify, LOG)).size == size
        assert len(found.path) <= size.bit_length()
        for other in range(1, size + 1):
            if other != number:
                with pytest.raises(BadProof):
                    checked(replace(found, number=other), Trust(OURS, verify, LOG))


def test_a_missing_entry_has_no_proof_and_stands_in_nobodys_way() -> None:
    log = made(5)
    missing, tree = log.entries.pop(2), Tree()
    for number in range(1, 6):
        there = next((entry.digest for entry in log.entries if entry.number == number), None)
        tree.append(leaf_of(number, there))
    head = Head(LOG, 5, tree.root().hex(), AT)
    log.seal = replace(made(5).signed_head(), seal=signed(head.statement, OURS, sign(OURS, head.statement.encode())))
    assert checked(proved(log, 4), Trust(OURS, verify, LOG)).size == 5
    with pytest.raises(BadProof, match=f"#{missing.number} is not there"):
        proved(log, missing.number)


def test_an_old_key_leads_to_the_one_that_followed() -> None:
    log = made(4)
    log.rotate(NEW)
    log.sealed()
    assert checked(proved(log, 2), Trust(OURS, verify, LOG, log.changes)).size == 7
    with pytest.raises(BadProof, match="signed by another key"):
        checked(replace(proved(log, 2), changes=()), Trust(OURS, verify, LOG))

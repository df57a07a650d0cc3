"""The tree against the vectors that Certificate Transparency publishes for RFC 6962; proofs against every tree of some size."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from workflows.core.seal.merkle import (
    EMPTY,
    Parts,
    Tree,
    consistency_ranges,
    inclusion_ranges,
    is_consistent,
    is_included,
    leaf_hash,
    proof,
)

# github.com/google/certificate-transparency, merkletree/merkle_tree_test.cc: leaves, and the roots of their first 1 to 8.
LEAVES = [
    leaf_hash(bytes.fromhex(leaf))
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# The same place's proofs: (leaf from 1, size) -> path.
PATHS = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (3, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
MANY = [leaf_hash(f"{number}:{number:064x}".encode()) for number in range(1, 71)]


def root(leaves: Sequence[bytes]) -> bytes:
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def plain_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + plain_root(leaves[:half]) + plain_root(leaves[half:])).digest()


def test_roots_are_those_that_are_published() -> None:
    assert [root(LEAVES[:size]).hex() for size in range(1, 9)] == ROOTS
    assert root([]) == EMPTY


@pytest.mark.parametrize("size", range(len(MANY) + 1))
def test_a_tree_that_grew_is_the_one_that_was_made_at_once(size: int) -> None:
    assert root(MANY[:size]) == plain_root(MANY[:size])


def test_a_tree_goes_on_from_its_edge() -> None:
    for size in range(len(MANY)):
        begun = Tree()
        for leaf in MANY[:size]:
            begun.append(leaf)
        again = Tree(size, begun.frontier)
        for leaf in MANY[size:]:
            again.append(leaf)
        assert (again.size, again.root()) == (len(MANY), root(MANY))


@pytest.mark.parametrize(("size", "edge"), [(1, []), (2, [EMPTY, EMPTY]), (3, [EMPTY, b"short"]), (-1, [])])
def test_what_is_no_edge_of_such_a_tree_is_refused(size: int, edge: list[bytes]) -> None:
    with pytest.raises(ValueError, match="edge"):
        Tree(size, edge)


def test_proofs_are_those_that_are_published() -> None:
    for (leaf, size), path in PATHS.items():
        found = proof(LEAVES[:size], inclusion_ranges(leaf - 1, size))
        assert [part.hex() for part in found] == path


def test_each_leaf_is_proved_in_each_tree_and_nothing_else_is() -> None:
    for size in range(1, 34):
        leaves, whole = MANY[:size], root(MANY[:size])
        for place in range(size):
            path = proof(leaves, inclusion_ranges(place, size))
            assert is_included(leaves[place], place, size, path, whole)
            assert not is_included(MANY[-1], place, size, path, whole)
            assert not is_included(leaves[place], (place + 1) % (size + 1), size, path, whole)
            assert not is_included(leaves[place], place, size, (*path, EMPTY), whole)
            assert not path or not is_included(leaves[place], place, size, path[:-1], whole)


def test_each_tree_is_proved_to_begin_with_each_older_one_and_with_no_other() -> None:
    for size in range(1, 34):
        leaves, whole = MANY[:size], root(MANY[:size])
        for older in range(size + 1):
            path, then = proof(leaves, consistency_ranges(older, size)), root(leaves[:older])
            assert is_consistent(older, then, size, whole, path)
            assert not is_consistent(older, MANY[0][::-1], size, whole, path)
            assert not is_consistent(older, then, size, MANY[0][::-1], path) or older == 0
            assert not is_consistent(older, then, size, whole, (*path, EMPTY))
            changed = [MANY[-1], *leaves[1:]]
            assert older in (0, size) or not is_consistent(
                older, then, size, root(changed), proof(changed, consistency_ranges(older, size))
            )


def test_a_proof_needs_all_of_its_leaves() -> None:
    parts = Parts(inclusion_ranges(0, 5))
    for leaf in MANY[:4]:
        parts.append(leaf)
    with pytest.raises(ValueError, match="up to 5"):
        parts.roots()


def test_there_is_no_proof_of_what_is_not_there() -> None:
    with pytest.raises(ValueError, match="none at 5"):
        inclusion_ranges(5, 5)
    with pytest.raises(ValueError, match="does not begin"):
        consistency_ranges(6, 5)
